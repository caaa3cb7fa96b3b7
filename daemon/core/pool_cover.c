/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The decisions that are left of a pool problem, as classes of equal adapters (or domains), and
 * the worth of one choice among them.  Knows neither requests nor search orders.
 */
#include "core/pool_cover.h"

static void queues_transpose(const struct queues *q, struct queues *ret)
{
	*ret = (struct queues){0};
	for (unsigned n = 0; n < MASK_BITS; n++)
		MASK_FOREACH (m, &q->row[n])
			queues_set(ret, m, n);
}

/* Only queues whose two bits are both free, or may be set, still say anything. */
static void cover_init_rows(
	struct cover_problem *p, const struct queues *guest, const struct queues *present)
{
	struct queues *g = &p->guest[COVER_ADAPTERS], *h = &p->present[COVER_ADAPTERS];

	*g = (struct queues){0};
	*h = (struct queues){0};
	for (unsigned n = 0; n < MASK_BITS; n++) {
		if (mask_test(&p->off[COVER_ADAPTERS], n))
			continue;
		g->row[n] = mask_andnot(&guest->row[n], &p->off[COVER_DOMAINS]);
		h->row[n] = mask_andnot(&present->row[n], &p->off[COVER_DOMAINS]);
		h->row[n] = mask_andnot(&h->row[n], &guest->row[n]);
	}
	queues_transpose(g, &p->guest[COVER_DOMAINS]);
	queues_transpose(h, &p->present[COVER_DOMAINS]);
}

static void cover_init_hull(struct cover_problem *p)
{
	const struct queues *present = &p->present[COVER_ADAPTERS];

	p->hull[COVER_ADAPTERS] = queues_adapters(present);
	p->hull[COVER_DOMAINS] = queues_domains(present);
	p->n_present = queues_count(present);
	p->product = true;
	MASK_FOREACH (n, &p->hull[COVER_ADAPTERS]) {
		struct mask known = mask_or(&present->row[n], &p->guest[COVER_ADAPTERS].row[n]);

		if (!mask_is_subset(&p->hull[COVER_DOMAINS], &known))
			p->product = false;
	}
}

/* Groups the rows of one side; returns the number of classes. */
static unsigned cover_classify(
	const struct queues *guest, struct cover_class classes[static MASK_BITS])
{
	unsigned n_classes = 0;

	for (unsigned n = 0; n < MASK_BITS; n++) {
		unsigned i = 0;

		if (mask_is_empty(&guest->row[n]))
			continue;
		while (i < n_classes && !mask_equal(&classes[i].neighbours, &guest->row[n]))
			i++;
		if (i == n_classes)
			classes[n_classes++] = (struct cover_class){.neighbours = guest->row[n]};
		mask_set(&classes[i].members, n);
	}
	return n_classes;
}

void cover_init(struct cover_problem *p, const struct queues *guest, const struct queues *present)
{
	unsigned n_domain_classes;

	cover_init_rows(p, guest, present);
	cover_init_hull(p);

	n_domain_classes = cover_classify(&p->guest[COVER_DOMAINS], p->classes);
	p->side = COVER_ADAPTERS;
	p->n_classes = cover_classify(&p->guest[COVER_ADAPTERS], p->classes);
	if (n_domain_classes < p->n_classes) {
		p->side = COVER_DOMAINS;
		p->n_classes = cover_classify(&p->guest[COVER_DOMAINS], p->classes);
	}
	for (unsigned i = 0; i < p->n_classes; i++) {
		struct mask weighty = mask_and(&p->classes[i].members, &p->hull[p->side]);

		p->classes[i].weight = mask_count(&weighty);
	}
}

struct mask cover_all_classes(const struct cover_problem *p)
{
	return p->n_classes ? mask_up_to(p->n_classes - 1) : (struct mask){0};
}

void cover_close(
	const struct cover_problem *p, unsigned class, struct mask clear[static N_COVER_SIDES])
{
	clear[p->side] = mask_or(&clear[p->side], &p->classes[class].members);
}

void cover_open(
	const struct cover_problem *p, unsigned class, struct mask clear[static N_COVER_SIDES])
{
	struct mask *other = &clear[cover_other(p->side)];

	*other = mask_or(other, &p->classes[class].neighbours);
}

void cover_choose(const struct cover_problem *p, const struct mask *classes,
	const struct mask *closed, struct mask clear[static N_COVER_SIDES])
{
	MASK_FOREACH (i, classes) {
		if (mask_test(closed, i))
			cover_close(p, i, clear);
		else
			cover_open(p, i, clear);
	}
}

void cover_evaluate(const struct cover_problem *p, const struct mask clear[static N_COVER_SIDES],
	struct cover *ret)
{
	const struct mask candidates =
		mask_andnot(&p->hull[COVER_ADAPTERS], &clear[COVER_ADAPTERS]);
	struct mask gain[N_COVER_SIDES] = {0};
	unsigned n_host = 0;

	MASK_FOREACH (n, &candidates) {
		struct mask row =
			mask_andnot(&p->present[COVER_ADAPTERS].row[n], &clear[COVER_DOMAINS]);

		if (mask_is_empty(&row))
			continue;
		mask_set(&gain[COVER_ADAPTERS], n);
		gain[COVER_DOMAINS] = mask_or(&gain[COVER_DOMAINS], &row);
		n_host += mask_count(&row);
	}

	ret->lost = p->n_present - n_host;
	ret->distance = 0;
	for (unsigned s = 0; s < N_COVER_SIDES; s++) {
		struct mask bits = mask_or(&p->today[s], &gain[s]);

		bits = mask_andnot(&bits, &clear[s]);
		ret->bits[s] = mask_or(&bits, &p->on[s]);
		ret->distance += cover_distance(&ret->bits[s], &p->today[s]);
	}
}

int cover_compare(const struct cover *a, const struct cover *b)
{
	int r;

	if (a->lost != b->lost)
		return a->lost < b->lost ? -1 : 1;
	if (a->distance != b->distance)
		return a->distance < b->distance ? -1 : 1;
	r = mask_compare(&b->bits[COVER_ADAPTERS], &a->bits[COVER_ADAPTERS]);
	return r ? r : mask_compare(&b->bits[COVER_DOMAINS], &a->bits[COVER_DOMAINS]);
}

struct mask cover_take_component(const struct cover_problem *p, struct mask *classes)
{
	struct mask component = {0}, neighbours = {0};
	bool grown;

	mask_set(&component, mask_next(classes, 0));
	neighbours = p->classes[mask_next(classes, 0)].neighbours;
	do {
		grown = false;
		MASK_FOREACH (i, classes) {
			const struct mask *more = &p->classes[i].neighbours;

			if (mask_test(&component, i) || !mask_intersects(more, &neighbours))
				continue;
			mask_set(&component, i);
			neighbours = mask_or(&neighbours, more);
			grown = true;
		}
	} while (grown);
	*classes = mask_andnot(classes, &component);
	return component;
}
