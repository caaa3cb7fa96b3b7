/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A matrix: adapters, usage domains and control domains.  Its queues are the product of the
 * first two; control domains bring no queue and may be shared between guests.
 */
#include "core/mask.h"
#include "core/queues.h"

struct matrix {
	struct mask adapters;
	struct mask domains;
	struct mask control_domains;
};

/* Three masks as ap_config writes them, two commas, NUL. */
#define MATRIX_AP_CONFIG_SIZE (3 * (MASK_KERNEL_SIZE - 1) + 3)

bool matrix_equal(const struct matrix *a, const struct matrix *b);
bool matrix_is_empty(const struct matrix *m);

/* Number of queues: adapters times domains. */
unsigned matrix_n_queues(const struct matrix *m);

/* True if both hold a common queue (control domains do not count). */
bool matrix_overlaps(const struct matrix *a, const struct matrix *b);

/* True if every adapter, domain and control domain of @a is also in @b. */
bool matrix_is_subset(const struct matrix *a, const struct matrix *b);

struct matrix matrix_and(const struct matrix *a, const struct matrix *b);

/* The text of the mdev's ap_config attribute: "0xA,0xD,0xC" without newline.
 * matrix_parse_ap_config() also takes one trailing newline, short masks (left-aligned) and masks
 * without 0x, as ap_config_store() in vfio_ap_ops.c does.  Returns 0 or -EINVAL, *ret then untouched. */
void matrix_format_ap_config(const struct matrix *m, char buf[static MATRIX_AP_CONFIG_SIZE]);
int matrix_parse_ap_config(const char *text, struct matrix *ret);

/* Reads the mdev's matrix (or guest_matrix) attribute, lines "AA.DDDD", "AA." or ".DDDD", into
 * adapters and domains; reads control_domains, lines "DDDD".  @text may be empty.  Queues that are
 * no product are -EINVAL: the page was full (512 queues or more).  A cut after 7 x 73 or 73 x 7
 * is not seen; who expects 512 queues or more must not ask the text.
 * Returns 0, or -EINVAL with the outputs untouched. */
int matrix_parse_queues(const char *text, struct mask *ret_adapters, struct mask *ret_domains);
int matrix_parse_control_domains(const char *text, struct mask *ret);
