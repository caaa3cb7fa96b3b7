/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Numbers, masks and UUIDs exactly as the kernel's parsers take them (kstrtoul, ap_hex2bitmap,
 * modify_bitmap, guid_parse).  Written apart from daemon/core/mask.c on purpose: a mistake there
 * must not be repeated here.
 */
#include <ctype.h>
#include <string.h>

#include "model_internal.h"

static unsigned digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 16;
}

/* _parse_integer(): digits of the base that the prefix tells.  Returns how many were read; too
 * large a number is *ret_overflow. */
static size_t parse_integer(const char *text, unsigned long *ret, bool *ret_overflow)
{
	const char *p = text;
	unsigned base = 10;
	unsigned long value = 0;

	*ret_overflow = false;
	if (p[0] == '0') {
		base = 8;
		if ((p[1] == 'x' || p[1] == 'X') && digit_value(p[2]) < 16) {
			base = 16;
			p += 2;
		}
	}
	const char *digits = p;

	for (; digit_value(*p) < base; p++) {
		if (__builtin_mul_overflow(value, base, &value) ||
			__builtin_add_overflow(value, digit_value(*p), &value))
			*ret_overflow = true;
	}
	*ret = value;
	return p == digits ? 0 : (size_t)(p - text);
}

/* kstrtoul(text, 0): a "+" and one trailing newline are allowed, nothing else is. */
int text_number(const char *text, unsigned long *ret)
{
	unsigned long value;
	bool overflow;

	if (*text == '+')
		text++;

	size_t n = parse_integer(text, &value, &overflow);

	if (n == 0)
		return -EINVAL;
	if (overflow)
		return -ERANGE;
	if (text[n] == '\n')
		n++;
	if (text[n])
		return -EINVAL;
	*ret = value;
	return 0;
}

/* ap_hex2bitmap(): left-aligned, no digits at all is the empty set. */
int text_mask(const char *text, struct mask *ret)
{
	struct mask mask = {0};
	unsigned bit = 0;

	if (text[0] == '0' && text[1] == 'x')
		text++;
	if (*text == 'x')
		text++;
	for (; digit_value(*text) < 16 && bit < MASK_BITS; text++, bit += 4)
		for (unsigned n = 0; n < 4; n++)
			if (digit_value(*text) & (8u >> n))
				mask_set(&mask, bit + n);
	if (*text == '\n')
		text++;
	if (*text)
		return -EINVAL;
	*ret = mask;
	return 0;
}

/* modify_bitmap(): terms with or without separators between them; the last one wins. */
static int modify_mask(const char *text, struct mask *ret)
{
	struct mask mask = *ret;
	bool overflow;

	while (*text) {
		char sign = *text++;
		unsigned long from, to;
		size_t n;

		if (sign != '+' && sign != '-')
			return -EINVAL;
		n = parse_integer(text, &from, &overflow);
		if (n == 0 || overflow || from >= MASK_BITS)
			return -EINVAL;
		text += n;
		to = from;
		if (*text == '-') {
			n = parse_integer(++text, &to, &overflow);
			if (n == 0 || overflow || from > to || to >= MASK_BITS)
				return -EINVAL;
			text += n;
		}
		for (unsigned long i = from; i <= to; i++)
			if (sign == '+')
				mask_set(&mask, (unsigned)i);
			else
				mask_clear(&mask, (unsigned)i);
		while (*text == ',' || *text == '\n')
			text++;
	}
	*ret = mask;
	return 0;
}

/* ap_parse_bitmap_str(): relative or absolute. */
int text_mask_update(const char *text, struct mask *m)
{
	if (*text == '+' || *text == '-')
		return modify_mask(text, m);
	return text_mask(text, m);
}

/* What ap_config_store() reads: the first AP_CONFIG_STRLEN bytes, cut at "," and newline into
 * three masks; what comes after them is not looked at. */
int text_ap_config(const char *text, size_t size, struct matrix *ret)
{
	char copy[202];
	struct matrix matrix;
	struct mask *const parts[] = {&matrix.adapters, &matrix.domains, &matrix.control_domains};

	if (size > sizeof(copy) - 1)
		size = sizeof(copy) - 1;
	memcpy(copy, text, size);
	copy[size] = 0;

	char *rest = copy;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		char *part = strsep(&rest, ",\n");

		if (!part)
			return -EINVAL;

		int r = text_mask(part, parts[i]);

		if (r < 0)
			return r;
	}
	*ret = matrix;
	return 0;
}

/* create_store(): 36 bytes, or 37 of which the last does not matter. */
int text_uuid(const char *text, size_t size, char ret[static UUID_TEXT])
{
	char uuid[UUID_TEXT] = "";

	if (size < UUID_TEXT - 1 || size > UUID_TEXT)
		return -EINVAL;
	for (unsigned i = 0; i < UUID_TEXT - 1; i++) {
		bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;

		if (hyphen ? text[i] != '-' : digit_value(text[i]) > 15)
			return -EINVAL;
		uuid[i] = (char)tolower((unsigned char)text[i]);
	}
	memcpy(ret, uuid, UUID_TEXT);
	return 0;
}

/* The name of a queue device, "AA.DDDD", as sysfs_streq() compares it: one newline may follow. */
bool text_queue(const char *text, unsigned *ret_adapter, unsigned *ret_domain)
{
	unsigned value[2] = {0, 0};
	static const unsigned char digits[] = {2, 4};
	const char *p = text;

	for (unsigned part = 0; part < 2; part++) {
		for (unsigned i = 0; i < digits[part]; i++, p++) {
			if (digit_value(*p) > 15 || isupper((unsigned char)*p))
				return false;
			value[part] = value[part] << 4 | digit_value(*p);
		}
		if (part == 0 && *p++ != '.')
			return false;
	}
	if (*p == '\n')
		p++;
	if (*p || value[1] >= MASK_BITS)
		return false;
	*ret_adapter = value[0];
	*ret_domain = value[1];
	return true;
}
