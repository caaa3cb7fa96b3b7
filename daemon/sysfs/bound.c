/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bounding a product inside a set of queues by counting: a product with k domains needs as many
 * adapters that have at least k domains each; and the same with adapters and domains exchanged.
 */
#include "sysfs/bound.h"

#include <string.h>

static void subtract(struct queues *q, const struct matrix *m)
{
	MASK_FOREACH (a, &m->adapters)
		q->row[a] = mask_andnot(&q->row[a], &m->domains);
}

void bound_free_queues(const struct observed *o, struct queues *ret)
{
	struct mask all = mask_up_to(o->max_domain);
	struct mask freed = mask_andnot(&all, &o->aqmask);

	memset(ret, 0, sizeof(*ret));
	for (unsigned a = 0; a <= o->max_adapter && a < MASK_BITS; a++)
		ret->row[a] = mask_test(&o->apmask, a) ? freed : all;
	for (size_t i = 0; i < o->n_mdevs; i++)
		if (o->mdevs[i].assigned_known)
			subtract(ret, &o->mdevs[i].assigned);
}

/* @count[i]: partners of line i.  The largest k x (lines with at least k partners). */
static unsigned largest(const unsigned count[static MASK_BITS])
{
	unsigned lines[MASK_BITS + 1] = {0}, n = 0, best = 0;

	for (unsigned i = 0; i < MASK_BITS; i++)
		lines[count[i]]++;
	for (unsigned k = MASK_BITS; k > 0; k--) {
		n += lines[k];
		if (n * k > best)
			best = n * k;
	}
	return best;
}

unsigned bound_product(const struct queues *q)
{
	unsigned domains[MASK_BITS], adapters[MASK_BITS] = {0}, by_adapter, by_domain;

	for (unsigned a = 0; a < MASK_BITS; a++) {
		domains[a] = mask_count(&q->row[a]);
		MASK_FOREACH (d, &q->row[a])
			adapters[d]++;
	}
	by_adapter = largest(domains);
	by_domain = largest(adapters);
	return by_adapter < by_domain ? by_adapter : by_domain;
}
