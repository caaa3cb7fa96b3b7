/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Terms of lists, their numbers and ranges.  Nothing is guessed: what could be read in two ways
 * is refused, with its place and the reason.
 */
#include "core/term.h"

#include <errno.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

int term_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int term_refuse(struct term t, const char *reason, struct mask_error *ret_error)
{
	*ret_error = (struct mask_error){t.start, t.end - t.start, reason};
	return -EINVAL;
}

int term_next(struct term_walk *w, struct term *ret, struct mask_error *ret_error)
{
	for (; is_blank(w->text[w->at]) || w->text[w->at] == ','; w->at++) {
		if (w->text[w->at] != ',')
			continue;
		if (!w->term_is_behind)
			return term_refuse((struct term){w->at, w->at + 1}, "has nothing before it",
				ret_error);
		w->term_is_behind = false;
		w->comma_is_open = true;
		w->comma = w->at;
	}
	if (!w->text[w->at]) {
		if (w->comma_is_open)
			return term_refuse((struct term){w->comma, w->comma + 1},
				"has nothing after it", ret_error);
		return 0;
	}

	struct term t = {w->at, w->at};

	while (w->text[t.end] && w->text[t.end] != ',' && !is_blank(w->text[t.end]))
		t.end++;
	w->at = t.end;
	w->term_is_behind = true;
	w->comma_is_open = false;
	*ret = t;
	return 1;
}

static int term_number(const char *text, struct term t, enum term_numbers numbers, unsigned *ret,
	struct mask_error *ret_error)
{
	size_t i = t.start;
	unsigned value = 0, base = numbers == TERM_HEX ? 16 : 10;

	if (t.end - i > 2 && text[i] == '0' && (text[i + 1] == 'x' || text[i + 1] == 'X')) {
		base = 16;
		i += 2;
	}
	for (size_t k = i; k < t.end; k++) {
		int digit = term_hex_digit(text[k]);

		if (digit < 0 || (unsigned)digit >= base)
			return term_refuse(t, "is not a number", ret_error);
		/* A value that is too great stays so, however many digits follow. */
		if (value < MASK_BITS)
			value = value * base + (unsigned)digit;
	}
	/* The kernel would read it as octal, people as decimal. */
	if (base == 10 && text[i] == '0' && t.end - i > 1)
		return term_refuse(t, "has a leading zero", ret_error);
	if (value >= MASK_BITS)
		return term_refuse(
			t, numbers == TERM_HEX ? "is above ff" : "is above 255", ret_error);
	*ret = value;
	return 0;
}

int term_range(const char *text, struct term t, enum term_numbers numbers, unsigned *ret_first,
	unsigned *ret_last, struct mask_error *ret_error)
{
	struct term first = t, last = t;
	unsigned n, m;

	for (size_t i = t.start; i < t.end; i++)
		if (text[i] == '-') {
			first.end = i;
			last.start = i + 1;
			break;
		}
	if (first.start == first.end)
		return term_refuse(t, "has no number before -", ret_error);
	if (last.start == last.end)
		return term_refuse(t, "has no number after -", ret_error);
	if (term_number(text, first, numbers, &n, ret_error) < 0 ||
		term_number(text, last, numbers, &m, ret_error) < 0)
		return -EINVAL;
	if (n > m)
		return term_refuse(t, "is a reversed range", ret_error);
	*ret_first = n;
	*ret_last = m;
	return 0;
}
