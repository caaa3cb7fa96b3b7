// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading, and the way in.  A missing instruction in kernel mode ends in illegal_op(), which asks
 * the die notifier chain (DIE_BPT, meant for kprobes) before it oopses.  We answer there: registers
 * and condition code are those of the interrupted context, the PSW already points behind the
 * instruction, and NOTIFY_STOP lets the kernel go on.
 *
 * To be loaded before the AP bus, kvm and vfio_ap: test_facility() of a constant is patched into
 * them as they load.
 */
#define pr_fmt(fmt) "apsim: " fmt
#include <linux/kdebug.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/version.h>
#include <asm/ap.h>
#include <asm/facility.h>

#include "apsim.h"

#define N_FACILITIES 1024

static char *cards = "0:8C,1:8P,2:7A,5:8C";
module_param(cards, charp, 0444);
MODULE_PARM_DESC(cards, "adapters, ID:TYPE,... (TYPE: 4 to 8 and C, P or A)");
static char *domains = "0-7";
module_param(domains, charp, 0444);
MODULE_PARM_DESC(domains, "usage domains, a list of numbers and ranges");
static char *cdomains = "0-9";
module_param(cdomains, charp, 0444);
MODULE_PARM_DESC(cdomains, "control domains, a list of numbers and ranges");
static char *facilities = "12,15,65";
module_param(facilities, charp, 0444);
MODULE_PARM_DESC(facilities, "facility bits to set: 12 QCI, 15 APFT, 65 AQIC");
module_param_named(max_card, sim_hardware.max_adapter, uint, 0444);
MODULE_PARM_DESC(max_card, "highest adapter number that the machine can have");
module_param_named(max_dom, sim_hardware.max_domain, uint, 0444);
MODULE_PARM_DESC(max_dom, "highest domain number that the machine can have");
module_param_named(reset_ms, sim_hardware.reset_ms, uint, 0644);
MODULE_PARM_DESC(reset_ms, "how long a reset of a queue is in progress");

static int on_die(struct notifier_block *nb, unsigned long value, void *data)
{
	struct pt_regs *regs = ((struct die_args *)data)->regs;
	unsigned int length = regs->int_code >> 16;

	if (value != DIE_BPT || user_mode(regs))
		return NOTIFY_DONE;
	if (sim_kvm_instruction(regs, length))
		return NOTIFY_STOP;
	if (length == 4 && sim_instruction(regs, *(u32 *)(regs->psw.addr - 4)))
		return NOTIFY_STOP;
	return NOTIFY_DONE;
}
NOKPROBE_SYMBOL(on_die);

static struct notifier_block die_notifier = {
	.notifier_call = on_die,
	.priority = 100, /* kprobes look first and pass on what is not theirs */
};

/* Before 5.14 every processor had its own list, in its lowcore. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 14, 0)
#define stfle_fac_list S390_lowcore.stfle_fac_list
#endif

static void add_facilities(void *wanted)
{
	unsigned int i;

	for_each_set_bit(i, wanted, N_FACILITIES) __set_facility(i, stfle_fac_list);
}

static int __init apsim_init(void)
{
	DECLARE_BITMAP(wanted, N_FACILITIES);
	int r;

	if (ap_instructions_available()) {
		pr_err("this machine has AP instructions of its own\n");
		return -EBUSY;
	}
	r = bitmap_parselist(facilities, wanted, N_FACILITIES);
	if (r)
		return r;
	r = sim_hardware_init(cards, domains, cdomains);
	if (r)
		goto fail;
	r = register_die_notifier(&die_notifier);
	if (r)
		goto fail;
	on_each_cpu(add_facilities, wanted, 1);
	sim_kvm_init();
	sim_control_init();
	return 0;

fail:
	sim_hardware_done();
	return r;
}

/* Only when nothing uses the instructions any more: the modules of the AP bus come and go before and after us. */
static void __exit apsim_exit(void)
{
	sim_control_done();
	unregister_die_notifier(&die_notifier);
	sim_hardware_done();
}

module_init(apsim_init);
module_exit(apsim_exit);
MODULE_DESCRIPTION("AP instructions for test benches");
MODULE_LICENSE("GPL");
