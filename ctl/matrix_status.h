/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Everything about one matrix for people: the three matrices side by side with what differs,
 * the guest, the conditions, and the files that say so.  Pure: from structs to text.
 */
#include "ctl/object_text.h"

/* @problems: all of the host; those about this matrix are shown.  0 or -ENOMEM. */
int matrix_status_print(const struct client_matrix *m, const struct problem_list *problems,
	uint64_t now, const struct term *term, FILE *out);
