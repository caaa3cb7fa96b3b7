/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * One step, carried out: one write(2), and a look whether the kernel did it.  It does not know why
 * the step is wanted, nor what comes next.  The write may block as long as a guest runs: a
 * worker's task.
 */
#include "core/step.h"

#define APPLY_DETAIL_SIZE 256u

/*
 * Writes step_value() to the step's attribute below @root and reads back what it should have
 * changed: the mask, ap_config, driver_override, the driver link, the mdev's directory.
 *
 * On kernels without ap_config, adapters and domains are read back from `matrix`, but only where
 * step->matrix (what the mdev will have) says that it has fewer than 512 queues: a larger one must
 * not be read there.  Control domains always are.
 *
 * Unbinding a queue that has no driver is success.  Returns 0; what open(2) or write(2) says; -EIO
 * where the kernel accepted the value but shows another, @detail then says what.  @detail is ""
 * otherwise.
 */
int sysfs_apply(int root, const struct step *step, char *detail, size_t size);
