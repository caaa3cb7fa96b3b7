/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guard around inih: what goes in as a value comes out byte by byte, whatever its length. */
#include "load/lines.h"

#include <stdlib.h>
#include <string.h>

#include "load/load.h"
#include "unit.h"
#include "util/cleanup.h"

#define KEY "AKeyOfFortyNineBytesWhichIsTheLongestThatIsTaken1"

struct seen {
	unsigned n_pairs, n_mistakes, line;
	char value[LOAD_LINE_MAX + 1];
	char code[32];
	int result; /* of the next call */
};

static int see_section(void *user, const char *name, unsigned line)
{
	struct seen *s = user;

	ck_assert_ptr_nonnull(name);
	ck_assert_str_eq(name, "S");
	ck_assert_uint_eq(line, 1);
	return s->result;
}

static int see_pair(void *user, const char *key, const char *value, unsigned line)
{
	struct seen *s = user;

	ck_assert_str_eq(key, KEY);
	strcpy(s->value, value);
	s->line = line;
	s->n_pairs++;
	return s->result;
}

static int see_mistake(void *user, const char *code, const char *message, unsigned line)
{
	struct seen *s = user;

	ck_assert_uint_gt(strlen(message), 0);
	ck_assert_uint_lt(strlen(code), sizeof(s->code));
	strcpy(s->code, code);
	s->line = line;
	s->n_mistakes++;
	return s->result;
}

static int read_text(const char *text, size_t size, struct seen *s)
{
	const struct lines_sink sink = {see_section, see_pair, see_mistake, s};

	return lines_read(text, size, &sink);
}

/* "[S]\nKEY=VALUE\n" with a value of @n bytes made of the pattern, neither beginning nor ending
 * with a blank or with half a character.  Returns the size of the text. */
static size_t make_text(char *text, const char *pattern, size_t n)
{
	size_t n_pattern = strlen(pattern);
	char *value = text + strlen("[S]\n" KEY "=");

	strcpy(text, "[S]\n" KEY "=");
	for (size_t i = 0; i < n; i++)
		value[i] = pattern[i % n_pattern];
	value[0] = 'x';
	for (size_t i = n - 1; i > 0 && (i + 4 > n || (value[i] & 0x80)); i--)
		value[i] = 'x';
	strcpy(value + n, "\n");
	return (size_t)(value - text) + n + 1;
}

START_TEST(brings_values_of_every_length_through)
{
	static const char *const patterns[] = {
		"x",
		"5 ",
		"0x05, ",
		"a  b\t \tc",
		"a;b#c=d:e[f]",
		"x;",
		"xx\xe2\x82\xac",
		"x                                                                            "
		"                                                                             "
		"                                                                             "
		"                                                                             y",
	};
	size_t n_fixed = strlen(KEY "=");

	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		for (size_t n = 1; n_fixed + n <= LOAD_LINE_MAX; n += n < 700 ? 1 : 113) {
			char text[LOAD_LINE_MAX + 64];
			size_t size = make_text(text, patterns[i], n);
			struct seen s = {};

			ck_assert_int_eq(read_text(text, size, &s), 0);
			ck_assert_msg(s.n_pairs == 1 && s.n_mistakes == 0 && s.line == 2,
				"pattern %zu, %zu bytes: %u pairs, %u mistakes (%s), line %u", i, n,
				s.n_pairs, s.n_mistakes, s.code, s.line);
			ck_assert_msg(strlen(s.value) == n &&
					memcmp(s.value, strchr(text, '=') + 1, n) == 0,
				"pattern %zu, %zu bytes: %s", i, n, s.value);
		}
	}
}
END_TEST

START_TEST(refuses_a_line_beyond_the_limit_and_reads_on)
{
	size_t n = LOAD_LINE_MAX - strlen(KEY "=");
	char text[2 * LOAD_LINE_MAX];
	struct seen s = {};
	size_t size = make_text(text, "x", n);

	ck_assert_int_eq(read_text(text, size, &s), 0);
	ck_assert_uint_eq(strlen(s.value), n);

	size = make_text(text, "x", n + 1);
	strcpy(text + size, KEY "=y\n");
	s = (struct seen){};
	ck_assert_int_eq(read_text(text, strlen(text), &s), 0);
	ck_assert_uint_eq(s.n_mistakes, 1);
	ck_assert_str_eq(s.code, "line-too-long");
	ck_assert_uint_eq(s.n_pairs, 1);
	ck_assert_str_eq(s.value, "y");
	ck_assert_uint_eq(s.line, 3);

	/* So is a comment: what is long may hold anything. */
	memset(text, '#', LOAD_LINE_MAX + 1);
	s = (struct seen){};
	ck_assert_int_eq(read_text(text, LOAD_LINE_MAX + 1, &s), 0);
	ck_assert_str_eq(s.code, "line-too-long");
}
END_TEST

START_TEST(ends_where_a_call_says_so)
{
	static const char *const texts[] = {
		"[S]\n" KEY "=1\n", "\n" KEY "=1\n" KEY "=2\n", "\n\xff\n" KEY "=2\n"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct seen s = {.result = -ENOMEM};

		ck_assert_int_eq(read_text(texts[i], strlen(texts[i]), &s), -ENOMEM);
		ck_assert_uint_le(s.n_pairs + s.n_mistakes, 1);
	}
}
END_TEST

START_TEST(reads_nothing_from_nothing)
{
	static const char *const texts[] = {
		"", "\n", "\n\n", " ", "#", ";", "\t#", "\r\n", "\xef\xbb\xbf", "\xef\xbb\xbf\n"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct seen s = {};

		ck_assert_int_eq(read_text(texts[i], strlen(texts[i]), &s), 0);
		ck_assert_msg(s.n_pairs + s.n_mistakes == 0, "row %zu", i);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lines");
	TCase *tc = tcase_create("lines");

	tcase_add_test(tc, brings_values_of_every_length_through);
	tcase_add_test(tc, refuses_a_line_beyond_the_limit_and_reads_on);
	tcase_add_test(tc, ends_where_a_call_says_so);
	tcase_add_test(tc, reads_nothing_from_nothing);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
