/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fronts: the covers of a part of a machine among which only the whole machine can choose.
 */
#include "core/pool_front.h"

void front_init(struct front *f)
{
	f->n = 0;
	for (unsigned c = 0; c <= MASK_BITS; c++)
		f->at[c].lost = FRONT_EMPTY;
}

bool front_add(struct front *f, unsigned c, const struct cover *cover)
{
	if (f->at[c].lost != FRONT_EMPTY && cover_compare(&f->at[c], cover) <= 0)
		return false;
	f->at[c] = *cover;
	if (f->n <= c)
		f->n = c + 1;
	return true;
}

/* All sums of a cover of @a and one of @b, which have no bits in common. */
void front_combine(const struct front *a, const struct front *b, struct front *ret)
{
	front_init(ret);
	for (unsigned i = 0; i < a->n; i++) {
		if (a->at[i].lost == FRONT_EMPTY)
			continue;
		for (unsigned j = 0; j < b->n; j++) {
			struct cover sum = a->at[i];

			if (b->at[j].lost == FRONT_EMPTY)
				continue;
			sum.lost += b->at[j].lost;
			sum.distance += b->at[j].distance;
			for (unsigned side = 0; side < N_COVER_SIDES; side++)
				sum.bits[side] = mask_or(&sum.bits[side], &b->at[j].bits[side]);
			front_add(ret, i + j, &sum);
		}
	}
}
