/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Within the pool solver: what is left to decide once all forced bits are known, and what one
 * decision is worth.  Adapters and domains are two sides of the same problem here; only the last
 * tie-break tells them apart.  How the decisions are found is pool_search's idea.
 */
#include "core/queues.h"

enum cover_side { COVER_ADAPTERS, COVER_DOMAINS, N_COVER_SIDES };

/* Numbers of one side that conflict with the same numbers of the other side. */
struct cover_class {
	struct mask members;
	struct mask neighbours;
	unsigned weight; /* number of members with a present queue */
};

struct cover_problem {
	/* Set by the caller; all arrays are indexed by enum cover_side. */
	struct mask today[N_COVER_SIDES];
	struct mask on[N_COVER_SIDES];  /* bits that must be set */
	struct mask off[N_COVER_SIDES]; /* bits that must be clear; disjoint from @on */

	/* Set by cover_init().  Row n of side s: the numbers of the other side. */
	struct queues guest[N_COVER_SIDES];   /* still undecided: neither bit is on or off */
	struct queues present[N_COVER_SIDES]; /* may stay the host's: no bit off, no guest's */
	struct mask hull[N_COVER_SIDES];      /* the adapters and domains of @present */
	unsigned n_present;
	bool product;         /* @present is hull x hull but for guest queues, which never count */
	enum cover_side side; /* of the classes: the one with fewer of them */
	struct cover_class classes[MASK_BITS];
	unsigned n_classes;
};

/* A choice of bits and its worth. */
struct cover {
	unsigned lost; /* what the host loses: queues, or in a front domains or adapters */
	unsigned distance;
	struct mask bits[N_COVER_SIDES];
};

static inline enum cover_side cover_other(enum cover_side side)
{
	return side == COVER_ADAPTERS ? COVER_DOMAINS : COVER_ADAPTERS;
}

/* Number of bits in which the two differ. */
static inline unsigned cover_distance(const struct mask *a, const struct mask *b)
{
	struct mask only_a = mask_andnot(a, b), only_b = mask_andnot(b, a);

	return mask_count(&only_a) + mask_count(&only_b);
}

/* Completes @p, whose today, on and off are set and satisfy: a guest queue with one bit on has the
 * other one off.  @guest and @present are as in struct pool_request. */
void cover_init(struct cover_problem *p, const struct queues *guest, const struct queues *present);

struct mask cover_all_classes(const struct cover_problem *p);

/* Adds what must be clear if the class is closed (its members) or open (its neighbours). */
void cover_close(
	const struct cover_problem *p, unsigned class, struct mask clear[static N_COVER_SIDES]);
void cover_open(
	const struct cover_problem *p, unsigned class, struct mask clear[static N_COVER_SIDES]);

/* The same for several: of @classes those in @closed are closed, the others open. */
void cover_choose(const struct cover_problem *p, const struct mask *classes,
	const struct mask *closed, struct mask clear[static N_COVER_SIDES]);

/* The best cover among those that clear what is in @clear (at least all off bits, and one bit of
 * every guest queue): there is exactly one.  A free bit is set if that leaves the host a present
 * queue, and is otherwise as today. */
void cover_evaluate(const struct cover_problem *p, const struct mask clear[static N_COVER_SIDES],
	struct cover *ret);

/* <0 if @a is the better one: less lost, then nearer to today, then the greater adapters' bits,
 * then the greater domains' bits.  0 only if both have the same bits. */
int cover_compare(const struct cover *a, const struct cover *b);

/* Takes from @classes those that share no neighbour, directly or through others, with the rest:
 * the connected component of the lowest one. */
struct mask cover_take_component(const struct cover_problem *p, struct mask *classes);
