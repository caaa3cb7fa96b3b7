/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Branch and bound over classes, each of which is closed (all members clear) or open (all
 * neighbours clear).  Knows one set of classes at a time, and nothing of how fronts add up.
 */
#include "core/pool_branch.h"

#include "util/cleanup.h"

/* A node of the tree: what is decided so far. */
struct node {
	struct mask undecided, closed; /* classes; the others are open, or not searched */
	struct mask clear[N_COVER_SIDES];
};

/* What one look at the undecided classes of a node shows. */
struct outlook {
	unsigned pick;     /* the class to decide next: the one with most neighbours left */
	unsigned max_host; /* no choice below this node leaves the host more */
};

static unsigned count_common(const struct mask *a, const struct mask *b)
{
	struct mask common = mask_and(a, b);

	return mask_count(&common);
}

bool branch_step(struct branch *b, unsigned n_undecided, unsigned n_closed)
{
	uint64_t cost = 1 + n_undecided / 2 + n_closed / 32;

	if (b->n_steps + cost > b->steps_max)
		b->exhausted = true;
	else
		b->n_steps += cost;
	return !b->exhausted;
}

/* ---- the end of a branch ---- */

/* The best cover, within the scope, that clears @clear and leaves the host any present queue. */
static void branch_evaluate_scope(
	const struct branch *b, const struct mask clear[static N_COVER_SIDES], struct cover *ret)
{
	const struct cover_problem *p = b->p;
	const enum cover_side other = cover_other(p->side);

	ret->lost = count_common(&clear[other], &p->hull[other]);
	ret->distance = 0;
	for (unsigned side = 0; side < N_COVER_SIDES; side++) {
		struct mask today = mask_and(&p->today[side], &b->scope[side]);
		struct mask bits = mask_or(&p->hull[side], &p->today[side]);

		bits = mask_and(&bits, &b->scope[side]);
		ret->bits[side] = mask_andnot(&bits, &clear[side]);
		ret->distance += cover_distance(&ret->bits[side], &today);
	}
}

/* A choice is complete: it goes to its place in the front. */
static void branch_record(struct branch *b, const struct mask clear[static N_COVER_SIDES])
{
	const struct cover_problem *p = b->p;
	struct cover cover;
	unsigned c = 0, host;

	if (b->product) {
		branch_evaluate_scope(b, clear, &cover);
		c = count_common(&clear[p->side], &p->hull[p->side]);
		host = (mask_count(&p->hull[p->side]) - c) *
			(mask_count(&p->hull[cover_other(p->side)]) - cover.lost);
	} else {
		cover_evaluate(p, clear, &cover);
		host = p->n_present - cover.lost;
	}
	if (!front_add(&b->front, c, &cover))
		return;
	if (b->alone && host > b->host_floor)
		b->host_floor = host;
	for (; c <= MASK_BITS && b->least_lost[c] > cover.lost; c++)
		b->least_lost[c] = cover.lost;
}

/* ---- bounds ---- */

/* Present queues of the class's members that could stay if it were open. */
static unsigned class_max_host(
	const struct cover_problem *p, const struct cover_class *class, const struct mask *clear)
{
	struct mask gone = mask_or(clear, &class->neighbours);
	unsigned n = 0;

	MASK_FOREACH (m, &class->members) {
		struct mask row = mask_andnot(&p->present[p->side].row[m], &gone);

		n += mask_count(&row);
	}
	return n;
}

/* What the host could keep if every open class lost its own neighbours only.  This says more than
 * node_look() only where the present queues are no product. */
static unsigned node_bound_rows(const struct cover_problem *p, const struct node *n)
{
	const struct mask *clear = &n->clear[cover_other(p->side)];
	struct mask open = mask_andnot(&p->hull[p->side], &n->clear[p->side]);
	unsigned host = 0;

	MASK_FOREACH (i, &n->undecided) {
		open = mask_andnot(&open, &p->classes[i].members);
		host += class_max_host(p, &p->classes[i], clear);
	}
	MASK_FOREACH (m, &open) {
		struct mask row = mask_andnot(&p->present[p->side].row[m], clear);

		host += mask_count(&row);
	}
	return host;
}

/* If, of the undecided classes, those that cost at most e more neighbours were open, and one that
 * costs e is among them, the host keeps at most what is not closed times the other side less e. */
static void node_look(const struct cover_problem *p, const struct node *n, struct outlook *ret)
{
	const enum cover_side other = cover_other(p->side);
	const struct mask free = mask_andnot(&p->hull[other], &n->clear[other]);
	const struct mask all = mask_full(), *counted = p->n_present ? &p->hull[other] : &all;
	struct mask open = mask_andnot(&p->hull[p->side], &n->clear[p->side]);
	unsigned short gain[MASK_BITS + 1] = {0};
	unsigned n_free = mask_count(&free), n_open = mask_count(&open), most = 0;

	ret->pick = mask_next(&n->undecided, 0);
	MASK_FOREACH (i, &n->undecided) {
		const struct cover_class *class = &p->classes[i];
		struct mask left = mask_andnot(&class->neighbours, &n->clear[other]);
		unsigned n_left = count_common(&left, counted);

		if (n_left > most) {
			most = n_left;
			ret->pick = i;
		}
		gain[n_left] += (unsigned short)class->weight;
		n_open -= class->weight;
	}

	ret->max_host = 0;
	for (unsigned e = 0; e <= n_free; e++) {
		n_open += gain[e];
		if (n_open * (n_free - e) > ret->max_host)
			ret->max_host = n_open * (n_free - e);
	}
}

/* True if nothing below this node can be better than what is known.  In a product, a cover that
 * clears more on one side and no less on the other than a known one is never the best. */
static bool branch_is_bounded(const struct branch *b, const struct node *n, unsigned max_host)
{
	const struct cover_problem *p = b->p;
	const enum cover_side other = cover_other(p->side);
	const struct cover *known = &b->front.at[0];
	unsigned lost, distance = 0;

	if (max_host < b->host_floor)
		return true;
	if (b->product) {
		unsigned c = count_common(&n->clear[p->side], &p->hull[p->side]);

		lost = count_common(&n->clear[other], &p->hull[other]);
		known = &b->front.at[c];
		if (c > 0 && b->least_lost[c - 1] <= lost)
			return true;
	} else {
		lost = p->n_present - max_host;
	}
	for (unsigned side = 0; side < N_COVER_SIDES; side++)
		distance += count_common(&n->clear[side], &p->today[side]);
	return known->lost < lost || (known->lost == lost && known->distance < distance);
}

/* ---- the tree ---- */

/* True if a neighbour is not clear.  Mostly the first word tells, and the tree asks often. */
static bool class_has_left(const struct cover_class *class, const struct mask *clear)
{
	for (unsigned i = 0; i < MASK_WORDS; i++) {
		if (class->neighbours.word[i] & ~clear->word[i])
			return true;
	}
	return false;
}

/* After more neighbours were cleared: an undecided class without neighbours left is open for
 * free.  False if a closed class has none left: the same with that class open is as good. */
static bool node_settle(const struct cover_problem *p, struct node *n)
{
	const struct mask *clear = &n->clear[cover_other(p->side)];

	MASK_FOREACH (i, &n->closed) {
		if (!class_has_left(&p->classes[i], clear))
			return false;
	}
	MASK_FOREACH (i, &n->undecided) {
		if (!class_has_left(&p->classes[i], clear))
			mask_clear(&n->undecided, i);
	}
	return true;
}

static void branch_node(struct branch *b, const struct node *n)
{
	const struct cover_problem *p = b->p;
	struct node child = *n;
	struct outlook look;

	if (!branch_step(b, mask_count(&n->undecided), mask_count(&n->closed)))
		return;
	node_look(p, n, &look);
	if (!b->product) {
		unsigned max_host = node_bound_rows(p, n);

		look.max_host = max_host < look.max_host ? max_host : look.max_host;
	}
	if (branch_is_bounded(b, n, look.max_host))
		return;
	if (mask_is_empty(&n->undecided)) {
		branch_record(b, n->clear);
		return;
	}

	mask_clear(&child.undecided, look.pick);
	mask_set(&child.closed, look.pick);
	cover_close(p, look.pick, child.clear);
	branch_node(b, &child);

	child = *n;
	mask_clear(&child.undecided, look.pick);
	cover_open(p, look.pick, child.clear);
	if (node_settle(p, &child))
		branch_node(b, &child);
}

void branch_search(struct branch *b, const struct mask *classes, const struct mask *guess)
{
	const struct cover_problem *p = b->p;
	const struct mask closed[] = {*classes, {{0}}, mask_and(classes, guess)};
	struct node root = {.undecided = *classes};

	front_init(&b->front);
	for (unsigned c = 0; c <= MASK_BITS; c++)
		b->least_lost[c] = FRONT_EMPTY;
	for (unsigned side = 0; side < N_COVER_SIDES; side++) {
		if (!b->product)
			root.clear[side] = p->off[side];
	}
	for (unsigned i = 0; i < ARRAY_SIZE(closed); i++) {
		struct mask clear[N_COVER_SIDES] = {root.clear[0], root.clear[1]};

		cover_choose(p, classes, &closed[i], clear);
		branch_record(b, clear);
	}
	branch_node(b, &root);
}
