/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line's pure parts: texts, tables, suggestions, and the properties it knows. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../unit/unit.h"
#include "ctl/grid.h"
#include "ctl/object_text.h"
#include "ctl/suggest.h"
#include "ctl/table.h"
#include "util/fileio.h"

static const struct term plain = {.utf8 = true, .columns = 40};
static const struct term coloured = {.colour = true, .utf8 = true, .columns = 40};

START_TEST(measures_texts_in_columns)
{
	static const struct {
		const char *text;
		size_t width;
	} rows[] = {
		{"", 0}, {"guest1", 6}, {"gästchen", 8}, {"e\xcc\x81", 1}, /* combining acute */
		{"客人", 4},                                               /* wide */
		{"a\xff\xfe", 3},                                          /* not UTF-8 */
		{"\xc0\xaf", 2},                                           /* overlong */
		{"\xe2\x82", 2},                                           /* cut off */
		{"\xf0\x9f\x90\xa7", 2},                                   /* a penguin */
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		ck_assert_msg(text_width(rows[i].text) == rows[i].width, "row %zu: %zu", i,
			text_width(rows[i].text));
}
END_TEST

START_TEST(leaves_no_control_characters)
{
	static const struct {
		const char *text, *clean;
	} rows[] = {
		{"qemu-system-s390x", "qemu-system-s390x"},
		{"\x1b[31mred\x1b[0m", "?[31mred?[0m"},
		{"a\nb\tc\x7f", "a?b?c?"},
		{"\xc2\x9b"
		 "31m",
			"??31m"}, /* the 8-bit CSI */
		{"gästchen", "gästchen"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *clean = text_clean_copy(rows[i].text);

		ck_assert_msg(strcmp(clean, rows[i].clean) == 0, "row %zu: %s", i, clean);
	}
}
END_TEST

START_TEST(suggests_what_was_likely_meant)
{
	static const char *const words[] = {"status", "list", "show", "start", "stop", "wait"};
	static const struct {
		const char *typed, *meant;
	} rows[] = {
		{"statsu", "status"},
		{"STATUS", "status"},
		{"lst", "list"},
		{"stpo", "stop"},
		{"strat", "start"},
		{"wiat", "wait"},
		{"frobnicate", NULL},
		{"", NULL},
		{"x", NULL},
		{"abcd", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *meant = suggest(rows[i].typed, words, ARRAY_SIZE(words));

		ck_assert_msg(meant == rows[i].meant ||
				(meant && rows[i].meant && strcmp(meant, rows[i].meant) == 0),
			"%s: %s", rows[i].typed, meant ? meant : "nothing");
	}
}
END_TEST

START_TEST(suggests_nothing_for_overlong_words)
{
	static const char *const words[] = {"list"};
	char typed[300];

	memset(typed, 'l', sizeof(typed) - 1);
	typed[sizeof(typed) - 1] = '\0';
	ck_assert_ptr_null(suggest(typed, words, 1));
}
END_TEST

static char *render(const struct table *t, const struct term *term)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_int_eq(table_print(t, term, out), 0);
	fclose(out);
	return text;
}

static struct table *sample(void)
{
	static const char *const headers[] = {"NAME", "QUEUES", "GUEST"};
	struct table *t = table_new(headers, ARRAY_SIZE(headers));

	table_align_right(t, 1);
	table_cell(t, STYLE_BOLD, "%s", "gästchen");
	table_cell(t, STYLE_NONE, "%d", 4);
	table_cell(t, STYLE_GOOD, "%s", "db");
	table_note(t, 1, STYLE_NONE, "%s", "a longer explanation that does not fit one line");
	table_cell(t, STYLE_BOLD, "%s", "客人");
	table_cell(t, STYLE_NONE, "%d", 1024);
	table_cell(t, STYLE_NONE, "%s", "");
	return t;
}

START_TEST(aligns_columns_and_wraps_notes)
{
	_cleanup_(cleanup_table_free) struct table *t = sample();
	_cleanup_free_ char *text = render(t, &plain);

	ck_assert_str_eq(text,
		"NAME      QUEUES  GUEST\n"
		"gästchen       4  db\n"
		"          a longer explanation that does\n"
		"          not fit one line\n"
		"客人        1024\n");
}
END_TEST

START_TEST(colours_only_where_asked)
{
	_cleanup_(cleanup_table_free) struct table *t = sample();
	_cleanup_free_ char *with = render(t, &coloured), *without = render(t, &plain);

	ck_assert_ptr_nonnull(
		strstr(with, "\x1b[1mgästchen\x1b[0m       4  \x1b[1;32mdb\x1b[0m\n"));
	ck_assert_ptr_null(strchr(without, '\x1b'));
}
END_TEST

START_TEST(gives_the_first_matrices_letters)
{
	ck_assert_int_eq(grid_letter(0), 'A');
	ck_assert_int_eq(grid_letter(25), 'Z');
	ck_assert_int_eq(grid_letter(26), 'a');
	ck_assert_int_eq(grid_letter(61), '9');
	ck_assert_int_eq(grid_letter(62), '#');
	ck_assert_int_eq(grid_letter(65534), '#');
}
END_TEST

START_TEST(says_how_long_ago)
{
	static const struct {
		uint64_t seconds;
		const char *span;
	} rows[] = {
		{0, "(0s)"},
		{59, "(59s)"},
		{61, "(1min 1s)"},
		{3600, "(1h 0min)"},
		{86400 * 3 + 7300, "(3d 2h)"},
	};
	const uint64_t since = UINT64_C(1795363445000000);
	char buf[TIME_TEXT_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		since_format(since, since + rows[i].seconds * 1000000, buf);
		ck_assert_msg(strstr(buf, rows[i].span), "row %zu: %s", i, buf);
	}
	ck_assert_str_eq(since_format(0, since, buf), "unknown");
	/* A clock that was set back. */
	ck_assert_ptr_nonnull(strstr(since_format(since, since - 1, buf), "(0s)"));
}
END_TEST

START_TEST(names_what_keeps_a_matrix_from_being_fine)
{
	static const struct {
		char state[12];
		bool valid, present, assigned, effective;
		const char *trouble;
	} rows[] = {
		{"active", true, true, true, true, NULL},
		{"defined", true, false, false, false, NULL},
		{"defined", false, false, false, false, "Valid"},
		{"active", false, true, true, true, "Valid"},
		{"failed", true, false, false, false, "Present"},
		{"pending", true, true, false, true, "Assigned"},
		{"degraded", true, true, true, false, "Effective"},
		{"foreign", true, true, false, false, NULL},
	};
	static char types[][12] = {"Valid", "Present", "Assigned", "Effective"};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const bool status[] = {
			rows[i].valid, rows[i].present, rows[i].assigned, rows[i].effective};
		struct condition_item items[ARRAY_SIZE(status)];
		char state[12];
		struct client_matrix m = {.state = state, .conditions = {items, ARRAY_SIZE(items)}};
		const struct condition_item *c;

		memcpy(state, rows[i].state, sizeof(state));
		for (size_t j = 0; j < ARRAY_SIZE(status); j++)
			items[j] = (struct condition_item){.type = types[j], .status = status[j]};
		c = client_matrix_trouble(&m);
		ck_assert_msg(c == NULL ? rows[i].trouble == NULL
					: rows[i].trouble && !strcmp(c->type, rows[i].trouble),
			"row %zu: %s", i, c ? c->type : "nothing");
	}
}
END_TEST

/* Every property of the interface's XML is in the table with its type, and nothing else is. */
static void compare_with_xml(const char *file, const struct object_property *table, size_t n)
{
	_cleanup_free_ char *xml = NULL;
	size_t n_xml = 0;

	ck_assert_int_gt(file_read_at(AT_FDCWD, file, 1 << 20, &xml), 0);
	for (const char *p = xml; (p = strstr(p, "<property ")); p++)
		n_xml++;
	ck_assert_uint_eq(n_xml, n);
	for (size_t i = 0; i < n; i++) {
		char wanted[120];

		snprintf(wanted, sizeof(wanted), "<property name=\"%s\" type=\"%s\"", table[i].name,
			object_signature(table[i].type));
		ck_assert_msg(strstr(xml, wanted), "%s: no %s", file, wanted);
	}
}

START_TEST(knows_the_properties_of_the_interfaces)
{
	compare_with_xml(
		DBUS_XML "/org.s390.APMatrix.Manager.xml", host_properties, N_HOST_PROPERTIES);
	compare_with_xml(
		DBUS_XML "/org.s390.APMatrix.Matrix.xml", matrix_properties, N_MATRIX_PROPERTIES);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ctl");
	TCase *tc = tcase_create("ctl");

	tcase_add_test(tc, measures_texts_in_columns);
	tcase_add_test(tc, leaves_no_control_characters);
	tcase_add_test(tc, suggests_what_was_likely_meant);
	tcase_add_test(tc, suggests_nothing_for_overlong_words);
	tcase_add_test(tc, aligns_columns_and_wraps_notes);
	tcase_add_test(tc, colours_only_where_asked);
	tcase_add_test(tc, gives_the_first_matrices_letters);
	tcase_add_test(tc, says_how_long_ago);
	tcase_add_test(tc, names_what_keeps_a_matrix_from_being_fine);
	tcase_add_test(tc, knows_the_properties_of_the_interfaces);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
