/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The kernel's tree, read once, as a struct observed.  A scan only reads, and knows nothing of
 * what is wanted.  It may block in the kernel as long as the kernel likes: a worker's task.
 */
#include "core/ledger.h"
#include "core/observed.h"

/*
 * Reads the tree below @root.  What vanishes between a listing and a read is simply not there;
 * whatever else cannot be read makes the observation incomplete, names the file, and the scan
 * goes on.  No AP bus or no matrix device is a complete observation that says so.
 *
 * @ours (may be NULL) only serves kernels whose mdevs have no ap_config (before 6.10): there the
 * size of an mdev cannot be known before `matrix` is read, and reading it with 512 or more queues
 * overruns a page in the kernel.  `matrix` is then read only where the size is known from @ours
 * or bounded by apmask and aqmask; any other mdev's assignment stays unknown.
 *
 * Who has an mdev open is told only as far as the tree tells it (our module, a queue's status);
 * attach_scan() completes that.
 *
 * Returns 0, or -ENOMEM with *ret untouched.  The caller owns *ret.
 */
int sysfs_scan(int root, const struct ledger *ours, struct observed **ret);
