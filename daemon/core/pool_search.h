/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Within the pool solver: finds the best cover of a cover_problem in a bounded number of steps.
 */
#include "core/pool_cover.h"

#define SEARCH_EASY_CLASSES 20u /* so many can always be searched completely in 2^22 steps */

struct search_result {
	struct cover cover;
	uint64_t n_steps; /* at most @steps_max */
	bool exact;       /* the search was completed */
};

/* Finds the cover that cover_compare() prefers to all others or, where that takes more than
 * @steps_max steps, a good one.  Returns 0 or -ENOMEM, *ret then untouched. */
int search_run(const struct cover_problem *p, uint64_t steps_max, struct search_result *ret);
