/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The search for the best cover.
 *
 * Of a class either all members are clear ("closed"), or one is not, so that all its neighbours
 * are ("open"); the other members then are free, whatever they weigh.  So the choices are sets of
 * closed classes; the best cover of one choice is unique (cover_evaluate()).
 *
 * Mostly the present queues are a product of adapters and domains, W x V say.  Then the host keeps
 * (W - c) * (V - e) of them if c of the one and e of the other are clear: for every c the least e
 * decides, and classes that share no neighbour can be solved apart, each as a front from c to the
 * best cover that loses e, and added up.  Distances and tie-breaks add up, too.  This holds since
 * the host can keep at least one queue (cover_init() counts none that a guest wants as present, so
 * any one can stay; and if there is none, all weigh nothing): no best cover has c = W or e = V, so
 * every free bit of W and V gains a queue.
 *
 * Otherwise all classes are searched together, and the front has a single place, c = 0.
 *
 * The number of steps: the tree over k classes has at most 2^j nodes with k - j undecided classes;
 * with k <= 20 such a node costs 1 + (k - j) / 2 steps (branch_step()), 3 * 2^k together.  The
 * trees of components cost less than one tree over all.  The first guess costs at most
 * 16 * k * (1 + k / 2).  For k = 20 that is 3 * 2^20 + 3520, below 2^22.
 */
#include "core/pool_search.h"

#include <errno.h>

#include "core/pool_branch.h"
#include "util/cleanup.h"

#define GUESS_ROUNDS 8u

/* ---- guesses ---- */

static void guess_evaluate(
	const struct cover_problem *p, const struct mask *closed, struct cover *ret)
{
	const struct mask all = cover_all_classes(p);
	struct mask clear[N_COVER_SIDES] = {p->off[0], p->off[1]};

	cover_choose(p, &all, closed, clear);
	cover_evaluate(p, clear, ret);
}

/* Opens or closes single classes as long as that gains something, and returns the result. */
static struct mask guess_improve(struct branch *b, struct mask closed, struct cover *ret)
{
	const struct cover_problem *p = b->p;
	struct cover best, cover;
	bool better = true;

	guess_evaluate(p, &closed, &best);
	for (unsigned round = 0; better && round < GUESS_ROUNDS; round++) {
		better = false;
		for (unsigned i = 0; i < p->n_classes && branch_step(b, p->n_classes, 0); i++) {
			struct mask other = closed;

			if (mask_test(&closed, i))
				mask_clear(&other, i);
			else
				mask_set(&other, i);
			guess_evaluate(p, &other, &cover);
			if (cover_compare(&cover, &best) >= 0)
				continue;
			closed = other;
			best = cover;
			better = true;
		}
	}
	*ret = best;
	return closed;
}

/* Starts from all open and from all closed. */
static struct mask guess_make(struct branch *b)
{
	struct cover best_open, best_closed;
	struct mask open = guess_improve(b, (struct mask){0}, &best_open);
	struct mask closed = guess_improve(b, cover_all_classes(b->p), &best_closed);
	bool from_open = cover_compare(&best_open, &best_closed) < 0;

	b->host_floor = b->p->n_present - (from_open ? best_open.lost : best_closed.lost);
	return from_open ? open : closed;
}

/* ---- components apart ---- */

/* The bits that no class decides: set where that gains a queue, else as today. */
static void search_rest(const struct cover_problem *p, struct mask bits[static N_COVER_SIDES])
{
	struct mask scope[N_COVER_SIDES] = {0};

	for (unsigned i = 0; i < p->n_classes; i++) {
		cover_open(p, i, scope);
		cover_close(p, i, scope);
	}
	for (unsigned side = 0; side < N_COVER_SIDES; side++) {
		struct mask rest = mask_or(&p->hull[side], &p->today[side]);

		rest = mask_andnot(&rest, &p->off[side]);
		rest = mask_andnot(&rest, &scope[side]);
		rest = mask_or(&rest, &p->on[side]);
		bits[side] = mask_or(&bits[side], &rest);
	}
}

/* The place of the front where the host keeps most. */
static void search_pick(const struct cover_problem *p, const struct front *f, struct cover *ret)
{
	unsigned n_side = mask_count(&p->hull[p->side]);
	unsigned n_other = mask_count(&p->hull[cover_other(p->side)]);

	ret->lost = FRONT_EMPTY;
	for (unsigned c = 0; c < f->n; c++) {
		struct cover cover = f->at[c];

		if (cover.lost == FRONT_EMPTY)
			continue;
		cover.lost = n_side * n_other - (n_side - c) * (n_other - cover.lost);
		if (ret->lost == FRONT_EMPTY || cover_compare(&cover, ret) < 0)
			*ret = cover;
	}
	search_rest(p, ret->bits);
}

static int search_apart(struct branch *b, const struct mask *guess, struct cover *ret)
{
	_cleanup_free_ struct front *total = malloc(sizeof(*total));
	_cleanup_free_ struct front *next = malloc(sizeof(*next));
	struct mask left = cover_all_classes(b->p);

	if (!total || !next)
		return -ENOMEM;
	front_init(total);
	front_add(total, 0, &(struct cover){0});
	b->product = true;
	while (!mask_is_empty(&left)) {
		struct mask component = cover_take_component(b->p, &left);
		struct front *swap = total;

		b->alone = mask_count(&component) == b->p->n_classes;
		b->scope[0] = b->scope[1] = (struct mask){0};
		MASK_FOREACH (i, &component) {
			cover_open(b->p, i, b->scope);
			cover_close(b->p, i, b->scope);
		}
		branch_search(b, &component, guess);
		front_combine(total, &b->front, next);
		total = next;
		next = swap;
	}
	search_pick(b->p, total, ret);
	return 0;
}

/* ---- all together ---- */

/* Takes the present queues for the product of their adapters and domains, which they mostly almost
 * are, and improves what is best then. */
static int guess_by_product(struct branch *b, struct mask *guess)
{
	const struct cover_problem *p = b->p;
	unsigned floor = b->host_floor;
	struct cover cover;
	int r;

	b->steps_max /= 2;
	r = search_apart(b, guess, &cover);
	b->steps_max *= 2;
	b->exhausted = false;
	b->host_floor = floor;
	if (r < 0)
		return r;

	*guess = (struct mask){0};
	for (unsigned i = 0; i < p->n_classes; i++) {
		if (mask_intersects(&p->classes[i].neighbours, &cover.bits[cover_other(p->side)]))
			mask_set(guess, i);
	}
	*guess = guess_improve(b, *guess, &cover);
	return 0;
}

static void search_together(struct branch *b, const struct mask *guess, struct cover *ret)
{
	const struct mask all = cover_all_classes(b->p);

	b->product = false;
	b->alone = true;
	branch_search(b, &all, guess);
	*ret = b->front.at[0];
}

int search_run(const struct cover_problem *p, uint64_t steps_max, struct search_result *ret)
{
	_cleanup_free_ struct branch *b = calloc(1, sizeof(*b));
	struct cover cover;
	struct mask guess;
	int r = 0;

	if (!b)
		return -ENOMEM;
	b->p = p;
	b->steps_max = steps_max;
	guess = guess_make(b);
	if (p->product) {
		r = search_apart(b, &guess, &cover);
	} else {
		if (p->n_classes > SEARCH_EASY_CLASSES)
			r = guess_by_product(b, &guess);
		if (r == 0)
			search_together(b, &guess, &cover);
	}
	if (r < 0)
		return r;

	*ret = (struct search_result){cover, b->n_steps, !b->exhausted};
	return 0;
}
