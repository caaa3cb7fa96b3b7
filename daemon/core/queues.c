/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sets of queues, row by row, and the text of KeepQueues=.  It does not know whose the queues
 * are.
 */
#include "core/queues.h"

#include <errno.h>
#include <string.h>

#include "core/term.h"

void queues_add_product(struct queues *q, const struct mask *adapters, const struct mask *domains)
{
	MASK_FOREACH (a, adapters)
		q->row[a] = mask_or(&q->row[a], domains);
}

struct mask queues_adapters(const struct queues *q)
{
	struct mask m = {};

	for (unsigned a = 0; a < MASK_BITS; a++)
		m.word[a / 64] |= (uint64_t)!mask_is_empty(&q->row[a]) << (a % 64);
	return m;
}

struct mask queues_domains(const struct queues *q)
{
	struct mask m = {};

	for (unsigned a = 0; a < MASK_BITS; a++)
		m = mask_or(&m, &q->row[a]);
	return m;
}

unsigned queues_count(const struct queues *q)
{
	unsigned n = 0;

	for (unsigned a = 0; a < MASK_BITS; a++)
		n += mask_count(&q->row[a]);
	return n;
}

bool queues_is_empty(const struct queues *q)
{
	for (unsigned a = 0; a < MASK_BITS; a++)
		if (!mask_is_empty(&q->row[a]))
			return false;
	return true;
}

/* No padding in struct queues: equal sets are equal bytes. */
bool queues_equal(const struct queues *a, const struct queues *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool queues_is_subset(const struct queues *a, const struct queues *b)
{
	for (unsigned i = 0; i < MASK_BITS; i++)
		if (!mask_is_subset(&a->row[i], &b->row[i]))
			return false;
	return true;
}

void queues_add_all(struct queues *q, const struct queues *b)
{
	for (unsigned i = 0; i < MASK_BITS; i++)
		q->row[i] = mask_or(&q->row[i], &b->row[i]);
}

void queues_subtract(struct queues *q, const struct queues *b)
{
	for (unsigned i = 0; i < MASK_BITS; i++)
		q->row[i] = mask_andnot(&q->row[i], &b->row[i]);
}

bool queues_intersect(const struct queues *a, const struct queues *b)
{
	for (unsigned i = 0; i < MASK_BITS; i++)
		if (mask_intersects(&a->row[i], &b->row[i]))
			return true;
	return false;
}

void queue_format(unsigned adapter, unsigned domain, char buf[static QUEUE_NAME_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	buf[0] = digits[adapter >> 4 & 0xf];
	buf[1] = digits[adapter & 0xf];
	memcpy(buf + 2, ".00", 3);
	buf[5] = digits[domain >> 4 & 0xf];
	buf[6] = digits[domain & 0xf];
	buf[7] = '\0';
}

/* One side of a term: a number, a range, or "*". */
static int parse_side(
	const char *text, struct term side, struct mask *ret, struct mask_error *ret_error)
{
	unsigned first, last;

	if (side.end - side.start == 1 && text[side.start] == '*') {
		*ret = mask_full();
		return 0;
	}

	int r = term_range(text, side, TERM_HEX, &first, &last, ret_error);

	if (r < 0)
		return r;

	struct mask up = mask_up_to(last), below = first ? mask_up_to(first - 1) : (struct mask){};

	*ret = mask_andnot(&up, &below);
	return 0;
}

static int add_term(const char *text, struct term t, struct queues *q, struct mask_error *ret_error)
{
	const char *dot = memchr(text + t.start, '.', t.end - t.start);
	struct mask adapters, domains;
	int r;

	if (!dot)
		return term_refuse(t, "is not ADAPTER.DOMAIN", ret_error);

	size_t at = (size_t)(dot - text);

	if (memchr(dot + 1, '.', t.end - at - 1))
		return term_refuse(t, "is not ADAPTER.DOMAIN", ret_error);
	if (at == t.start)
		return term_refuse(t, "has no adapter before the dot", ret_error);
	if (at + 1 == t.end)
		return term_refuse(t, "has no domain after the dot", ret_error);
	r = parse_side(text, (struct term){t.start, at}, &adapters, ret_error);
	if (r < 0)
		return r;
	r = parse_side(text, (struct term){at + 1, t.end}, &domains, ret_error);
	if (r < 0)
		return r;
	queues_add_product(q, &adapters, &domains);
	return 0;
}

int queues_parse(const char *text, struct queues *ret, struct mask_error *ret_error)
{
	struct term_walk walk = {.text = text};
	struct queues q = {};
	struct mask_error error;
	struct term t;
	int r;

	while ((r = term_next(&walk, &t, &error)) > 0) {
		r = add_term(text, t, &q, &error);
		if (r < 0)
			break;
	}
	if (r < 0) {
		if (ret_error)
			*ret_error = error;
		return r;
	}
	*ret = q;
	return 0;
}
