/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Numbers that look random and are the same in every run: a test that fails fails again.
 */
#include <stdint.h>

#include "core/mask.h"

struct random {
	uint64_t state; /* the seed, not 0 */
};

/* xorshift64* */
static inline uint64_t random_next(struct random *r)
{
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return r->state * UINT64_C(0x2545f4914f6cdd1d);
}

/* 0 to @n - 1. */
static inline unsigned random_below(struct random *r, unsigned n)
{
	return (unsigned)((random_next(r) >> 33) % n);
}

/* A set in which each number is with a probability of about @of_16 in 16. */
static inline struct mask random_mask(struct random *r, unsigned of_16)
{
	struct mask m = {};

	for (unsigned n = 0; n < MASK_BITS; n++)
		if (random_below(r, 16) < of_16)
			mask_set(&m, n);
	return m;
}
