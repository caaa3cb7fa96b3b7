/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Within the pool solver: for every number c of bits that are clear on the side of the classes,
 * the best cover known.  Here struct cover's @lost is the number of bits clear on the other side.
 */
#include "core/pool_cover.h"

#define FRONT_EMPTY ((unsigned)-1) /* @lost of a place without a cover */

struct front {
	struct cover at[MASK_BITS + 1]; /* [c] */
	unsigned n;                     /* the places from at[n] on are empty */
};

void front_init(struct front *f);

/* Puts @cover in its place.  False if the one that is there is as good. */
bool front_add(struct front *f, unsigned c, const struct cover *cover);

/* All sums of a cover of @a and one of @b, which decide different bits. */
void front_combine(const struct front *a, const struct front *b, struct front *ret);
