/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * How large a matrix can possibly be, when it must not be read to find out (kernels without
 * ap_config, HAZARD_MATRIX_OVERRUN).  Pure.
 *
 * The kernel lets no mdev hold a queue that apmask and aqmask leave to the host, refuses masks
 * that would break this, and lets no two mdevs share a queue.  So a matrix is a product of adapters
 * and domains within what is left, queues that do not exist included.
 */
#include "core/observed.h"

/* The queues, present or not, that an mdev other than those with assigned_known may hold. */
void bound_free_queues(const struct observed *o, struct queues *ret);

/* An upper bound of the size of any product of adapters and domains within @q. */
unsigned bound_product(const struct queues *q);
