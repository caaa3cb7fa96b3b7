/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The machine that we run on, with the kernel's own driver and apsim's hardware, as something that
 * rules can be run against.
 */
#include "rules.h"

/* What reads, writes and obeys "!" commands.  There is no checker here. */
extern const struct rules_target machine_target;

/* Learns the hardware as it is now: what "fresh" means later.  0 or a negative errno. */
int machine_init(void);

/* No virtual machine, no mdev, masks and hardware as at first, every queue with the default
 * driver.  NULL, or what is not so. */
const char *machine_refresh(void);
