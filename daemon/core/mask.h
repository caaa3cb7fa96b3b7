/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A set of adapter or domain numbers, 0 to 255, and the texts in which the kernel and people
 * write it.  The kernel numbers the bits from the left (bit 0 is the most significant bit of the
 * first hex digit); so do the texts here, whatever the memory looks like.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MASK_BITS 256u
#define MASK_WORDS 4u
#define MASK_KERNEL_SIZE 67u /* "0x", 64 digits, NUL */
#define MASK_LIST_SIZE 1024u /* enough for every list that mask_format_list() writes */

struct mask {
	uint64_t word[MASK_WORDS]; /* number n is bit n % 64 of word[n / 64] */
};

static inline bool mask_test(const struct mask *m, unsigned n)
{
	return n < MASK_BITS && (m->word[n / 64] >> (n % 64) & 1);
}

static inline void mask_set(struct mask *m, unsigned n)
{
	m->word[n / 64] |= UINT64_C(1) << (n % 64);
}

static inline void mask_clear(struct mask *m, unsigned n)
{
	m->word[n / 64] &= ~(UINT64_C(1) << (n % 64));
}

static inline struct mask mask_and(const struct mask *a, const struct mask *b)
{
	struct mask r;

	for (unsigned i = 0; i < MASK_WORDS; i++)
		r.word[i] = a->word[i] & b->word[i];
	return r;
}

static inline struct mask mask_or(const struct mask *a, const struct mask *b)
{
	struct mask r;

	for (unsigned i = 0; i < MASK_WORDS; i++)
		r.word[i] = a->word[i] | b->word[i];
	return r;
}

/* What is in @a and not in @b. */
static inline struct mask mask_andnot(const struct mask *a, const struct mask *b)
{
	struct mask r;

	for (unsigned i = 0; i < MASK_WORDS; i++)
		r.word[i] = a->word[i] & ~b->word[i];
	return r;
}

static inline bool mask_equal(const struct mask *a, const struct mask *b)
{
	return a->word[0] == b->word[0] && a->word[1] == b->word[1] && a->word[2] == b->word[2] &&
		a->word[3] == b->word[3];
}

static inline bool mask_is_empty(const struct mask *m)
{
	return !(m->word[0] | m->word[1] | m->word[2] | m->word[3]);
}

static inline bool mask_intersects(const struct mask *a, const struct mask *b)
{
	struct mask r = mask_and(a, b);

	return !mask_is_empty(&r);
}

/* True if everything in @a is also in @b. */
static inline bool mask_is_subset(const struct mask *a, const struct mask *b)
{
	struct mask r = mask_andnot(a, b);

	return mask_is_empty(&r);
}

static inline unsigned mask_count(const struct mask *m)
{
	return (unsigned)(__builtin_popcountll(m->word[0]) + __builtin_popcountll(m->word[1]) +
		__builtin_popcountll(m->word[2]) + __builtin_popcountll(m->word[3]));
}

/* The set of all 256 numbers. */
static inline struct mask mask_full(void)
{
	return (struct mask){{~UINT64_C(0), ~UINT64_C(0), ~UINT64_C(0), ~UINT64_C(0)}};
}

/* The set of 0 to @max, both included; @max above 255 counts as 255. */
struct mask mask_up_to(unsigned max);

/* The smallest number in @m that is at least @from, or MASK_BITS where there is none. */
unsigned mask_next(const struct mask *m, unsigned from);

#define MASK_FOREACH(n, m) \
	for (unsigned n = mask_next((m), 0); n < MASK_BITS; n = mask_next((m), n + 1))

/* Orders sets like numbers whose highest digit is number 0: the set that holds the lowest number
 * that the other lacks is the greater.  Returns <0, 0, >0. */
int mask_compare(const struct mask *a, const struct mask *b);

/* Where a text could not be read. */
struct mask_error {
	size_t offset; /* of the offending part, in bytes from the start of the text */
	size_t length; /* of the offending part */
	const char
		*reason; /* static: "is above 255", "is not a number", "is a reversed range", ... */
};

/* Reads what people write: numbers and ranges ("5, 6-0x0a 0xab"), decimal or 0x hex, separated by
 * commas or blanks.  A leading zero ("010") is refused, since the kernel would read it as octal.
 * An empty text is the empty set.  Numbers are 0 to 255.
 * Returns 0, or -EINVAL with *ret_error set (it may be NULL); *ret is untouched on failure. */
int mask_parse_list(const char *text, struct mask *ret, struct mask_error *ret_error);

/* Reads an absolute mask as the AP bus and ap_config take it (ap_hex2bitmap() in ap_bus.c): hex
 * digits, "0x" optional, left-aligned: missing digits on the right are zeros; one trailing newline
 * is allowed.  Returns 0, or -EINVAL (no digits after an absent "0x", other characters, more than
 * 64 digits); *ret is untouched on failure. */
int mask_parse_kernel(const char *text, struct mask *ret);

/* Applies what may be written to apmask and aqmask (ap_parse_bitmap_str() in ap_bus.c): an
 * absolute mask as above, or relative terms "+N", "-N", "+N-M", "-N-M" separated by commas, with
 * N and M decimal, 0x hex or 0 octal, ascending, at most 255.  A lone newline is the empty set.
 * Returns 0, or -EINVAL with *m untouched. */
int mask_update_kernel(struct mask *m, const char *text);

/* Writes "0x" and 64 hex digits. */
void mask_format_kernel(const struct mask *m, char buf[static MASK_KERNEL_SIZE]);

/* Writes a list that mask_parse_list() reads back: ranges of three or more numbers as "5-7",
 * numbers up to 9 plain, others 0x hex (as drop-ins and lszcrypt's digits suggest): "4,0xab".
 * The empty set is "". */
void mask_format_list(const struct mask *m, char buf[static MASK_LIST_SIZE]);
