// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bus of kernels before 6.10 could not be a module and does not say what a module must.  Before
 * 5.12 user space could not ask it for a scan either, which a bench has to: a write to
 * /sys/module/apbus/parameters/scan does what the machine's notification of a changed
 * configuration does, and returns when the scan is through.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "ap_bus.h"

static int scan(const char *value, const struct kernel_param *parameter)
{
	ap_bus_force_rescan();
	return 0;
}

static const struct kernel_param_ops scan_ops = {.set = scan};
module_param_cb(scan, &scan_ops, NULL, 0200);
MODULE_PARM_DESC(scan, "a write scans the bus");

MODULE_DESCRIPTION("AP bus of this kernel, beside the one that is built in");
MODULE_LICENSE("GPL");
