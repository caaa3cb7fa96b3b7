/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of problems: what is kept, how it reads, what stays equal. */
#include "core/problem.h"

#include "unit.h"

static const struct {
	const char *object, *file;
	unsigned line;
	const char *text, *expected;
} formats[] = {
	{"db", "/etc/apmatrix.d/10-db.conf", 7, "adapter 300 is above 255",
		"/etc/apmatrix.d/10-db.conf:7: db: adapter 300 is above 255"},
	{NULL, "10-db.conf", 7, "unknown key", "10-db.conf:7: unknown key"},
	{"db", "10-db.conf", 0, "no adapters", "10-db.conf: db: no adapters"},
	{"05.0004", NULL, 0, "wanted twice", "05.0004: wanted twice"},
	{NULL, NULL, 0, "no AP bus", "no AP bus"},
	{NULL, NULL, 7, "a line of no file", "a line of no file"},
	{"", "", 4294967295u, "100%", "100%"},
	{NULL, "f", 4294967295u, "x", "f:4294967295: x"},
};

START_TEST(formats_only_what_is_there)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		_cleanup_(problems_done) struct problems p = {};
		_cleanup_free_ char *text = NULL;

		ck_assert_int_eq(problems_add(&p, PROBLEM_ERROR, "code", formats[i].object,
					 formats[i].file, formats[i].line, "%s", formats[i].text),
			0);
		ck_assert_int_eq(problem_format(&p.items[0], &text), 0);
		ck_assert_str_eq(text, formats[i].expected);
	}
}
END_TEST

START_TEST(copies_what_it_is_given)
{
	_cleanup_(problems_done) struct problems p = {};
	char object[] = "db", file[] = "a.conf", argument[] = "300";

	ck_assert_int_eq(problems_add(&p, PROBLEM_WARNING, "bad-value", object, file, 3,
				 "%s is above %d", argument, 255),
		0);
	object[0] = file[0] = argument[0] = 'X';
	ck_assert_uint_eq(p.n, 1);
	ck_assert_int_eq(p.items[0].severity, PROBLEM_WARNING);
	ck_assert_str_eq(p.items[0].code, "bad-value");
	ck_assert_str_eq(p.items[0].object, "db");
	ck_assert_str_eq(p.items[0].file, "a.conf");
	ck_assert_uint_eq(p.items[0].line, 3);
	ck_assert_str_eq(p.items[0].text, "300 is above 255");
}
END_TEST

START_TEST(appends_copies_in_order)
{
	_cleanup_(problems_done) struct problems p = {}, more = {};

	ck_assert_int_eq(problems_add(&p, PROBLEM_NOTE, "a", NULL, NULL, 0, "first"), 0);
	ck_assert_int_eq(problems_add(&more, PROBLEM_ERROR, "b", "db", "f", 1, "second"), 0);
	ck_assert_int_eq(problems_add(&more, PROBLEM_ERROR, "c", "db", "f", 2, "third"), 0);
	ck_assert_int_eq(problems_append(&p, &more), 0);
	problems_done(&more);
	ck_assert_uint_eq(more.n, 0);
	ck_assert_ptr_null(more.items);
	ck_assert_int_eq(problems_append(&p, &more), 0);
	ck_assert_uint_eq(p.n, 3);
	ck_assert_str_eq(p.items[0].text, "first");
	ck_assert_str_eq(p.items[1].text, "second");
	ck_assert_str_eq(p.items[2].text, "third");
	ck_assert_uint_eq(problems_n_errors(&p), 2);
}
END_TEST

START_TEST(appends_a_list_to_itself)
{
	_cleanup_(problems_done) struct problems p = {};

	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(
			problems_add(&p, PROBLEM_ERROR, "a", NULL, NULL, 0, "number %d", i), 0);
	ck_assert_int_eq(problems_append(&p, &p), 0);
	ck_assert_uint_eq(p.n, 10);
	for (size_t i = 0; i < 5; i++)
		ck_assert_str_eq(p.items[i].text, p.items[i + 5].text);
}
END_TEST

START_TEST(equal_means_every_field_in_the_same_order)
{
	static const struct problem rows[] = {
		{PROBLEM_ERROR, "a", (char *)"o", (char *)"f", 1, (char *)"t"},
		{PROBLEM_NOTE, "a", (char *)"o", (char *)"f", 1, (char *)"t"},
		{PROBLEM_ERROR, "b", (char *)"o", (char *)"f", 1, (char *)"t"},
		{PROBLEM_ERROR, "a", (char *)"", (char *)"f", 1, (char *)"t"},
		{PROBLEM_ERROR, "a", (char *)"o", (char *)"", 1, (char *)"t"},
		{PROBLEM_ERROR, "a", (char *)"o", (char *)"f", 2, (char *)"t"},
		{PROBLEM_ERROR, "a", (char *)"o", (char *)"f", 1, (char *)"u"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
			struct problems a = {(struct problem *)&rows[i], 1};
			struct problems b = {(struct problem *)&rows[k], 1}, none = {};

			ck_assert_msg(problems_equal(&a, &b) == (i == k), "%zu, %zu", i, k);
			ck_assert(!problems_equal(&a, &none));
		}
}
END_TEST

START_TEST(severities_have_names)
{
	for (int i = PROBLEM_ERROR; i <= PROBLEM_NOTE; i++)
		ck_assert_int_eq(problem_severity_from_string(
					 problem_severity_to_string((enum problem_severity)i)),
			i);
	ck_assert_str_eq(problem_severity_to_string(PROBLEM_WARNING), "warning");
	ck_assert_ptr_null(problem_severity_to_string((enum problem_severity)3));
	ck_assert_int_eq(problem_severity_from_string("fatal"), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("problem");
	TCase *problems = tcase_create("problems");

	tcase_add_test(problems, formats_only_what_is_there);
	tcase_add_test(problems, copies_what_it_is_given);
	tcase_add_test(problems, appends_copies_in_order);
	tcase_add_test(problems, appends_a_list_to_itself);
	tcase_add_test(problems, equal_means_every_field_in_the_same_order);
	tcase_add_test(problems, severities_have_names);
	suite_add_tcase(suite, problems);
	return unit_main(suite);
}
