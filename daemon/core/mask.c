/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The texts of a set of numbers: lists as people write them, and the masks of the AP bus, read by
 * the kernel's own rules.  It does not know whether the numbers are adapters or domains.
 */
#include "core/mask.h"

#include <errno.h>
#include <string.h>

#include "core/term.h"

#define KERNEL_DIGITS (MASK_BITS / 4)

struct mask mask_up_to(unsigned max)
{
	struct mask m = mask_full();

	for (unsigned i = 0; i < MASK_WORDS; i++)
		if (max < i * 64)
			m.word[i] = 0;
		else if (max < i * 64 + 63)
			m.word[i] = (UINT64_C(2) << (max - i * 64)) - 1;
	return m;
}

unsigned mask_next(const struct mask *m, unsigned from)
{
	if (from >= MASK_BITS)
		return MASK_BITS;

	unsigned i = from / 64;
	uint64_t rest = m->word[i] & ~UINT64_C(0) << (from % 64);

	while (!rest) {
		if (++i == MASK_WORDS)
			return MASK_BITS;
		rest = m->word[i];
	}
	return i * 64 + (unsigned)__builtin_ctzll(rest);
}

int mask_compare(const struct mask *a, const struct mask *b)
{
	for (unsigned i = 0; i < MASK_WORDS; i++) {
		uint64_t differ = a->word[i] ^ b->word[i];

		if (differ)
			return a->word[i] & differ & -differ ? 1 : -1;
	}
	return 0;
}

int mask_parse_list(const char *text, struct mask *ret, struct mask_error *ret_error)
{
	struct term_walk walk = {.text = text};
	struct mask m = {};
	struct mask_error error;
	struct term t;
	unsigned first, last;
	int r;

	while ((r = term_next(&walk, &t, &error)) > 0) {
		r = term_range(text, t, TERM_DECIMAL, &first, &last, &error);
		if (r < 0)
			break;
		for (unsigned n = first; n <= last; n++)
			mask_set(&m, n);
	}
	if (r < 0) {
		if (ret_error)
			*ret_error = error;
		return r;
	}
	*ret = m;
	return 0;
}

/* A digit's four bits in the other order: the kernel's leftmost bit is the lowest number. */
static unsigned digit_reverse(unsigned digit)
{
	return (digit & 1) << 3 | (digit & 2) << 1 | (digit & 4) >> 1 | (digit & 8) >> 3;
}

/* ap_hex2bitmap() in ap_bus.c, to the letter: it takes a lone "x" for "0x", and no digit at all
 * for an empty set. */
static int parse_hex(const char *text, struct mask *ret)
{
	struct mask m = {};
	int digit;

	if (text[0] == '0' && text[1] == 'x')
		text++;
	if (*text == 'x')
		text++;
	for (unsigned i = 0; i < KERNEL_DIGITS && (digit = term_hex_digit(*text)) >= 0; i++, text++)
		m.word[i / 16] |= (uint64_t)digit_reverse((unsigned)digit) << (i % 16 * 4);
	if (*text == '\n')
		text++;
	if (*text)
		return -EINVAL;
	*ret = m;
	return 0;
}

int mask_parse_kernel(const char *text, struct mask *ret)
{
	/* Nothing is no mask: a file that was read too early must not look like an empty set. */
	if (*text == '\0' || *text == '\n')
		return -EINVAL;
	return parse_hex(text, ret);
}

/* simple_strtoul(text, ret_end, 0) of the kernel: a "0x" without a digit after it is the number 0
 * and the letter x; what is too great for 64 bits wraps.  Without a digit *ret_end is @text. */
static uint64_t kernel_number(const char *text, const char **ret_end)
{
	uint64_t value = 0;
	unsigned base = 10;
	int digit;

	if (text[0] == '0') {
		base = 8;
		if ((text[1] == 'x' || text[1] == 'X') && term_hex_digit(text[2]) >= 0) {
			base = 16;
			text += 2;
		}
	}
	for (; (digit = term_hex_digit(*text)) >= 0 && (unsigned)digit < base; text++)
		value = value * base + (unsigned)digit;
	*ret_end = text;
	return value;
}

/* modify_bitmap() in ap_bus.c: the separator is optional, commas and newlines may be repeated,
 * and the last term that names a number wins. */
static int apply_relative(const char *text, struct mask *m)
{
	const char *end;

	while (*text) {
		char sign = *text++;

		if (sign != '+' && sign != '-')
			return -EINVAL;

		uint64_t first = kernel_number(text, &end), last = first;

		if (end == text || first >= MASK_BITS)
			return -EINVAL;
		text = end;
		if (*text == '-') {
			last = kernel_number(++text, &end);
			if (end == text || first > last || last >= MASK_BITS)
				return -EINVAL;
			text = end;
		}
		for (unsigned n = (unsigned)first; n <= last; n++)
			if (sign == '+')
				mask_set(m, n);
			else
				mask_clear(m, n);
		while (*text == ',' || *text == '\n')
			text++;
	}
	return 0;
}

int mask_update_kernel(struct mask *m, const char *text)
{
	struct mask copy = *m;
	int r;

	/* A write of no bytes does not reach the kernel's parser; a lone newline does, and clears. */
	if (!*text)
		return -EINVAL;
	if (*text == '+' || *text == '-')
		r = apply_relative(text, &copy);
	else
		r = parse_hex(text, &copy);
	if (r < 0)
		return r;
	*m = copy;
	return 0;
}

void mask_format_kernel(const struct mask *m, char buf[static MASK_KERNEL_SIZE])
{
	buf[0] = '0';
	buf[1] = 'x';
	for (unsigned i = 0; i < KERNEL_DIGITS; i++) {
		unsigned digit = m->word[i / 16] >> (i % 16 * 4) & 0xf;

		buf[2 + i] = "0123456789abcdef"[digit_reverse(digit)];
	}
	buf[2 + KERNEL_DIGITS] = '\0';
}

/* Writes one number of a list, without NUL.  Returns the end. */
static char *list_number(char *p, unsigned n)
{
	if (n <= 9) {
		*p++ = (char)('0' + n);
		return p;
	}
	memcpy(p, "0x", 2);
	p[2] = "0123456789abcdef"[n / 16];
	p[3] = "0123456789abcdef"[n % 16];
	return p + 4;
}

/* The most a list can hold is pairs, "0x0a,0x0b," for three numbers: 833 bytes. */
void mask_format_list(const struct mask *m, char buf[static MASK_LIST_SIZE])
{
	struct mask gaps = mask_full();
	char *p = buf;

	gaps = mask_andnot(&gaps, m);
	for (unsigned n = mask_next(m, 0); n < MASK_BITS; n = mask_next(m, n)) {
		unsigned end = mask_next(&gaps, n);

		if (p > buf)
			*p++ = ',';
		p = list_number(p, n);
		if (end - n >= 3) {
			*p++ = '-';
			p = list_number(p, end - 1);
			n = end;
		} else {
			n++;
		}
	}
	*p = '\0';
}
