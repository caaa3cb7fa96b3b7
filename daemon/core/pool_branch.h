/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Within the pool solver: branch and bound over some classes, and the count of steps that ends it.
 */
#include "core/pool_front.h"

struct branch {
	const struct cover_problem *p;
	uint64_t n_steps, steps_max;
	bool exhausted; /* a step was refused */
	bool product;   /* take the present queues for hull x hull; else the front is at[0] only */
	unsigned host_floor; /* the host can keep as many queues, as known so far */

	/* Of the classes that are searched. */
	struct mask scope[N_COVER_SIDES]; /* their members and neighbours (only if @product) */
	bool alone;                       /* there are no other classes */
	struct front front;
	unsigned least_lost[MASK_BITS + 1]; /* [c]: of front.at[0] to front.at[c] */
};

/* Counts the steps of a look at so many classes, about in proportion to the time that it takes.
 * False (from then on) if it must not be taken. */
bool branch_step(struct branch *b, unsigned n_undecided, unsigned n_closed);

/* Fills the front with the best covers by all choices of closed classes among @classes, beginning
 * with all closed, all open, and those in @guess closed: however few steps are left, the front
 * then has a cover. */
void branch_search(struct branch *b, const struct mask *classes, const struct mask *guess);
