/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sets of numbers against a plain array of bools, and their texts: tables, places of errors, and
 * that what is written is read back.
 */
#include "core/mask.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "random.h"
#include "unit.h"
#include "util/cleanup.h"

#define ROUNDS 1000

START_TEST(agrees_with_an_array_of_bools)
{
	struct random random = {1};

	for (int round = 0; round < ROUNDS; round++) {
		struct mask a = random_mask(&random, random_below(&random, 17));
		struct mask b = random_mask(&random, random_below(&random, 17));
		struct mask both = mask_and(&a, &b), any = mask_or(&a, &b);
		struct mask without = mask_andnot(&a, &b);
		unsigned count = 0, n_both = 0, n_without = 0, wrong = 0;

		for (unsigned n = 0; n < MASK_BITS; n++) {
			bool in_a = mask_test(&a, n), in_b = mask_test(&b, n);

			wrong += mask_test(&both, n) != (in_a && in_b);
			wrong += mask_test(&any, n) != (in_a || in_b);
			wrong += mask_test(&without, n) != (in_a && !in_b);
			count += in_a;
			n_both += in_a && in_b;
			n_without += in_a && !in_b;
		}
		ck_assert_uint_eq(wrong, 0);
		ck_assert_uint_eq(mask_count(&a), count);
		ck_assert(mask_is_empty(&a) == (count == 0));
		ck_assert(mask_intersects(&a, &b) == (n_both > 0));
		ck_assert(mask_is_subset(&a, &b) == (n_without == 0));
		ck_assert(mask_equal(&a, &b) == (mask_compare(&a, &b) == 0));
	}
}
END_TEST

START_TEST(sets_and_clears_every_number)
{
	struct mask m = {};

	for (unsigned n = 0; n < MASK_BITS; n++) {
		mask_set(&m, n);
		ck_assert(mask_test(&m, n));
		ck_assert_uint_eq(mask_count(&m), 1);
		mask_clear(&m, n);
		ck_assert(mask_is_empty(&m));
	}
	ck_assert(!mask_test(&m, MASK_BITS));
	m = mask_full();
	ck_assert(!mask_test(&m, MASK_BITS));
}
END_TEST

START_TEST(walks_the_numbers_in_order)
{
	struct random random = {2};

	for (int round = 0; round < ROUNDS; round++) {
		struct mask m = random_mask(&random, random_below(&random, 17));
		unsigned expected = 0, wrong = 0;

		MASK_FOREACH (n, &m) {
			while (expected < MASK_BITS && !mask_test(&m, expected))
				expected++;
			wrong += n != expected++;
		}
		while (expected < MASK_BITS)
			wrong += mask_test(&m, expected++);
		ck_assert_uint_eq(wrong, 0);
		ck_assert_uint_eq(mask_next(&m, MASK_BITS), MASK_BITS);
		ck_assert_uint_eq(mask_next(&m, ~0u), MASK_BITS);
	}
}
END_TEST

START_TEST(up_to_includes_its_maximum)
{
	for (unsigned max = 0; max < 300; max++) {
		struct mask m = mask_up_to(max);

		for (unsigned n = 0; n < MASK_BITS; n++)
			ck_assert_msg(mask_test(&m, n) == (n <= max), "%u in 0..%u", n, max);
	}
}
END_TEST

START_TEST(the_lowest_number_decides_the_order)
{
	struct random random = {3};

	for (int round = 0; round < ROUNDS; round++) {
		struct mask a = random_mask(&random, 8), b = a;
		char text_a[MASK_KERNEL_SIZE], text_b[MASK_KERNEL_SIZE];
		int order;

		for (int i = 0; i < 3; i++)
			b.word[random_below(&random, 4)] ^= UINT64_C(1)
				<< random_below(&random, 64);
		/* Number 0 is the leftmost bit of the kernel's text, so texts order alike. */
		mask_format_kernel(&a, text_a);
		mask_format_kernel(&b, text_b);
		order = strcmp(text_a, text_b);
		ck_assert_int_eq(mask_compare(&a, &b), (order > 0) - (order < 0));
		ck_assert_int_eq(mask_compare(&a, &b), -mask_compare(&b, &a));
	}
}
END_TEST

static const struct {
	const char *text, *list; /* as mask_format_list() writes it */
} lists[] = {
	{"", ""},
	{"  \t ", ""},
	{"0", "0"},
	{"255", "0xff"},
	{"0xff", "0xff"},
	{"0Xff", "0xff"},
	{"0x0", "0"},
	{"0x00000005", "5"},
	{"5, 6-0x0a 0xab", "5-0x0a,0xab"},
	{"5,6", "5,6"},
	{"5 6", "5,6"},
	{"5\t6", "5,6"},
	{"5 , 6", "5,6"},
	{"5 ,6", "5,6"},
	{" 5,6 ", "5,6"},
	{"9,10,11", "9-0x0b"},
	{"9-10", "9,0x0a"},
	{"7-7", "7"},
	{"0-255", "0-0xff"},
	{"0x0a-12", "0x0a-0x0c"},
	{"3,1,2,2", "1-3"},
	{"64,63,128,127", "0x3f,0x40,0x7f,0x80"},
	{"1-3,5-7", "1-3,5-7"},
	{"0xAB", "0xab"},
};

START_TEST(reads_lists)
{
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct mask m = mask_full();
		struct mask_error error;
		char buf[MASK_LIST_SIZE];

		ck_assert_msg(
			mask_parse_list(lists[i].text, &m, &error) == 0, "\"%s\"", lists[i].text);
		mask_format_list(&m, buf);
		ck_assert_msg(strcmp(buf, lists[i].list) == 0, "\"%s\": %s, not %s", lists[i].text,
			buf, lists[i].list);
	}
}
END_TEST

static const struct {
	const char *text;
	size_t offset, length;
	const char *reason;
} bad_lists[] = {
	{"5,,6", 2, 1, "has nothing before it"},
	{"5, ,6", 3, 1, "has nothing before it"},
	{",5", 0, 1, "has nothing before it"},
	{" ,", 1, 1, "has nothing before it"},
	{"5,", 1, 1, "has nothing after it"},
	{"5,6 ,  ", 4, 1, "has nothing after it"},
	{"010", 0, 3, "has a leading zero"},
	{"00", 0, 2, "has a leading zero"},
	{"5,007", 2, 3, "has a leading zero"},
	{"5-08", 2, 2, "has a leading zero"},
	{"256", 0, 3, "is above 255"},
	{"5, 300", 3, 3, "is above 255"},
	{"0x100", 0, 5, "is above 255"},
	{"5-256", 2, 3, "is above 255"},
	{"300-256", 0, 3, "is above 255"},
	{"18446744073709551616", 0, 20, "is above 255"},
	{"4294967301", 0, 10, "is above 255"},
	{"7-5", 0, 3, "is a reversed range"},
	{"1 0x0b-10 2", 2, 7, "is a reversed range"},
	{"-5", 0, 2, "has no number before -"},
	{"-", 0, 1, "has no number before -"},
	{"5-", 0, 2, "has no number after -"},
	{"5 - 7", 2, 1, "has no number before -"},
	{"1-2-3", 2, 3, "is not a number"},
	{"5--7", 2, 2, "is not a number"},
	{"abc", 0, 3, "is not a number"},
	{"5,ab", 2, 2, "is not a number"},
	{"0x", 0, 2, "is not a number"},
	{"0xg", 0, 3, "is not a number"},
	{"5x", 0, 2, "is not a number"},
	{"+5", 0, 2, "is not a number"},
	{"5;6", 0, 3, "is not a number"},
	{"5.6", 0, 3, "is not a number"},
	{"5\n", 0, 2, "is not a number"},
	{"\xc3\xa9", 0, 2, "is not a number"},
};

START_TEST(names_the_place_and_reason_in_a_bad_list)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad_lists); i++) {
		struct mask m = mask_up_to(7), before = m;
		struct mask_error error = {};
		const char *text = bad_lists[i].text;

		ck_assert_msg(mask_parse_list(text, &m, &error) == -EINVAL, "\"%s\"", text);
		ck_assert_msg(error.offset == bad_lists[i].offset &&
				error.length == bad_lists[i].length &&
				strcmp(error.reason, bad_lists[i].reason) == 0,
			"\"%s\": %zu+%zu %s", text, error.offset, error.length, error.reason);
		ck_assert_msg(mask_equal(&m, &before), "\"%s\" touched its output", text);
		ck_assert_int_eq(mask_parse_list(text, &m, NULL), -EINVAL);
	}
}
END_TEST

START_TEST(lists_are_read_back)
{
	struct random random = {4};
	size_t longest = 0;

	for (int round = 0; round < ROUNDS; round++) {
		struct mask m = random_mask(&random, random_below(&random, 17)), back;
		char buf[MASK_LIST_SIZE];

		mask_format_list(&m, buf);
		ck_assert_int_eq(mask_parse_list(buf, &back, NULL), 0);
		ck_assert_msg(mask_equal(&m, &back), "%s", buf);
		if (strlen(buf) > longest)
			longest = strlen(buf);
	}
	ck_assert_uint_gt(longest, 500);
}
END_TEST

START_TEST(the_longest_list_fits)
{
	struct mask m = {};
	char buf[MASK_LIST_SIZE];

	for (unsigned n = 0; n < MASK_BITS; n++)
		if (n % 3 != 2)
			mask_set(&m, n);
	mask_format_list(&m, buf);
	ck_assert_uint_eq(strlen(buf), 833);
}
END_TEST

/* Whatever the bytes, an error lies within the text. */
START_TEST(errors_lie_within_any_text)
{
	static const char alphabet[] = "0123456789abxX-, \t.\n\xff";
	struct random random = {5};
	int accepted = 0;

	for (int round = 0; round < 20 * ROUNDS; round++) {
		struct mask_error error = {};
		struct mask m;
		char text[12];
		size_t length = random_below(&random, sizeof(text));

		for (size_t i = 0; i < length; i++)
			text[i] = alphabet[random_below(&random, sizeof(alphabet) - 1)];
		text[length] = '\0';
		if (mask_parse_list(text, &m, &error) == 0) {
			accepted++;
			continue;
		}
		ck_assert_msg(
			error.length > 0 && error.offset + error.length <= length && error.reason,
			"\"%s\"", text);
	}
	ck_assert_int_gt(accepted, ROUNDS);
}
END_TEST

#define Z16 "0000000000000000"
#define F16 "ffffffffffffffff"

static const struct {
	const char *text, *mask;
} kernel_masks[] = {
	{"0x" F16 F16 F16 F16, "0x" F16 F16 F16 F16},
	{F16 F16 F16 F16 "\n", "0x" F16 F16 F16 F16},
	{"0xffff", "0xffff000000000000" Z16 Z16 Z16},
	{"0xFfFf\n", "0xffff000000000000" Z16 Z16 Z16},
	{"8", "0x8000000000000000" Z16 Z16 Z16},
	{"0x8", "0x8000000000000000" Z16 Z16 Z16},
	{"x8", "0x8000000000000000" Z16 Z16 Z16},
	{"08", "0x0800000000000000" Z16 Z16 Z16},
	{"00x", NULL},
	{"0x", "0x" Z16 Z16 Z16 Z16},
	{"0x\n", "0x" Z16 Z16 Z16 Z16},
	{"0", "0x" Z16 Z16 Z16 Z16},
	{"0x" Z16 Z16 Z16 "0000000000000001", "0x" Z16 Z16 Z16 "0000000000000001"},
	{"0x" Z16 Z16 Z16 Z16 "0", NULL},
	{"0x" Z16 Z16 Z16 Z16 "\n\n", NULL},
	{"", NULL},
	{"\n", NULL},
	{"0xx8", NULL},
	{"0X8", NULL},
	{"0xZZ", NULL},
	{"0x8g", NULL},
	{" 0x8", NULL},
	{"0x8 ", NULL},
	{"0x8\n\n", NULL},
	{"0x8,", NULL},
	{"not supported\n", NULL},
	{"+5", NULL},
};

START_TEST(reads_masks_as_the_kernel_does)
{
	for (size_t i = 0; i < ARRAY_SIZE(kernel_masks); i++) {
		struct mask m = mask_up_to(99), before = m;
		char buf[MASK_KERNEL_SIZE];
		int r = mask_parse_kernel(kernel_masks[i].text, &m);

		if (!kernel_masks[i].mask) {
			ck_assert_msg(r == -EINVAL, "\"%s\"", kernel_masks[i].text);
			ck_assert(mask_equal(&m, &before));
			continue;
		}
		ck_assert_msg(r == 0, "\"%s\"", kernel_masks[i].text);
		mask_format_kernel(&m, buf);
		ck_assert_msg(strcmp(buf, kernel_masks[i].mask) == 0, "\"%s\": %s",
			kernel_masks[i].text, buf);
	}
}
END_TEST

START_TEST(number_n_is_bit_n_from_the_left)
{
	for (unsigned n = 0; n < MASK_BITS; n++) {
		struct mask m = {}, back;
		char buf[MASK_KERNEL_SIZE], expected[MASK_KERNEL_SIZE];

		mask_set(&m, n);
		memset(expected, '0', sizeof(expected) - 1);
		expected[sizeof(expected) - 1] = '\0';
		expected[1] = 'x';
		expected[2 + n / 4] = "8421"[n % 4];
		mask_format_kernel(&m, buf);
		ck_assert_str_eq(buf, expected);
		ck_assert_int_eq(mask_parse_kernel(buf, &back), 0);
		ck_assert(mask_equal(&m, &back));
	}
}
END_TEST

START_TEST(kernel_masks_are_read_back)
{
	struct random random = {6};

	for (int round = 0; round < ROUNDS; round++) {
		struct mask m = random_mask(&random, random_below(&random, 17)), back;
		char buf[MASK_KERNEL_SIZE];

		mask_format_kernel(&m, buf);
		ck_assert_uint_eq(strlen(buf), MASK_KERNEL_SIZE - 1);
		ck_assert_int_eq(mask_parse_kernel(buf, &back), 0);
		ck_assert(mask_equal(&m, &back));
	}
}
END_TEST

static const struct {
	const char *before, *text, *after; /* lists; after NULL: EINVAL */
} updates[] = {
	{"1-3", "+5", "1-3,5"},
	{"1-3", "-2", "1,3"},
	{"1-3", "+0-255,-128", "0-127,129-255"},
	{"", "+0-15,+32,-8,-0xC", "0-7,9-11,13-15,32"},
	{"", "+1,+2,+3,+4,-5,-2-3", "1,4"},
	{"", "-0-255,+1-16,+0x12", "1-16,18"},
	{"5", "+5", "5"},
	{"", "-5", ""},
	{"", "+5\n", "5"},
	{"", "+5,\n,\n", "5"},
	{"", "+5,,+6", "5,6"},
	{"", "+5+6-6", "5,6"}, /* a range, not a second term */
	{"", "+5-7-6", "5,7"},
	{"", "+5-7+9", "5-7,9"},
	{"", "+010", "8"},
	{"", "+0x10", "16"},
	{"", "+0X1f", "31"},
	{"", "+255", "255"},
	{"", "+7-7", "7"},
	{"", "+18446744073709551621", "5"}, /* simple_strtoul() wraps */
	{"1", "0x8", "0"},
	{"1", "8\n", "0"},
	{"1", "0x", ""},
	{"1", "\n", ""},
	{"1", "0xffff", "0-15"},
	{"1", "", NULL},
	{"1", "-256", NULL},
	{"1", "+300", NULL},
	{"1", "+5-256", NULL},
	{"1", "+7-5", NULL},
	{"1", "0xZZ", NULL},
	{"1", "junk", NULL},
	{"1", "+", NULL},
	{"1", "-", NULL},
	{"1", "+-5", NULL},
	{"1", "+5-", NULL},
	{"1", "+5,6", NULL},
	{"1", "+5 +6", NULL},
	{"1", "+ 5", NULL},
	{"1", "+08", NULL},
	{"1", "+0x", NULL},
	{"1", "+0xg", NULL},
	{"1", "+5,+300", NULL},
	{"1", "+5,0x8", NULL},
	{"1", ",+5", NULL},
};

START_TEST(updates_masks_as_the_kernel_does)
{
	for (size_t i = 0; i < ARRAY_SIZE(updates); i++) {
		struct mask m, before, after;
		char buf[MASK_LIST_SIZE];
		int r;

		ck_assert_int_eq(mask_parse_list(updates[i].before, &before, NULL), 0);
		m = before;
		r = mask_update_kernel(&m, updates[i].text);
		mask_format_list(&m, buf);
		if (!updates[i].after) {
			ck_assert_msg(r == -EINVAL, "\"%s\" gives %s", updates[i].text, buf);
			ck_assert_msg(
				mask_equal(&m, &before), "\"%s\" leaves %s", updates[i].text, buf);
			continue;
		}
		ck_assert_msg(r == 0, "\"%s\"", updates[i].text);
		ck_assert_int_eq(mask_parse_list(updates[i].after, &after, NULL), 0);
		ck_assert_msg(mask_equal(&m, &after), "\"%s\": %s", updates[i].text, buf);
	}
}
END_TEST

/* Appends "+N-M," for every range of @m to @text, "-N-M," with @sign '-'. */
static size_t write_terms(char *text, size_t at, size_t size, char sign, const struct mask *m)
{
	struct mask full = mask_full(), gaps = mask_andnot(&full, m);

	for (unsigned n = mask_next(m, 0); n < MASK_BITS; n = mask_next(m, n)) {
		unsigned end = mask_next(&gaps, n);

		at += (size_t)snprintf(text + at, size - at, "%c%u-%#x,", sign, n, end - 1);
		n = end;
	}
	return at;
}

START_TEST(terms_turn_any_mask_into_any_other)
{
	struct random random = {7};

	for (int round = 0; round < ROUNDS; round++) {
		struct mask from = random_mask(&random, random_below(&random, 17));
		struct mask to = random_mask(&random, random_below(&random, 17));
		struct mask gone = mask_andnot(&from, &to), come = mask_andnot(&to, &from);
		char text[8192] = "";
		size_t at = write_terms(text, 0, sizeof(text), '-', &gone);

		at = write_terms(text, at, sizeof(text), '+', &come);
		if (at == 0)
			continue;
		ck_assert_uint_lt(at, sizeof(text));
		ck_assert_int_eq(mask_update_kernel(&from, text), 0);
		ck_assert_msg(mask_equal(&from, &to), "%s", text);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mask");
	TCase *sets = tcase_create("sets"), *people = tcase_create("lists");
	TCase *kernel = tcase_create("kernel");

	tcase_add_test(sets, agrees_with_an_array_of_bools);
	tcase_add_test(sets, sets_and_clears_every_number);
	tcase_add_test(sets, walks_the_numbers_in_order);
	tcase_add_test(sets, up_to_includes_its_maximum);
	tcase_add_test(sets, the_lowest_number_decides_the_order);
	tcase_add_test(people, reads_lists);
	tcase_add_test(people, names_the_place_and_reason_in_a_bad_list);
	tcase_add_test(people, lists_are_read_back);
	tcase_add_test(people, the_longest_list_fits);
	tcase_add_test(people, errors_lie_within_any_text);
	tcase_add_test(kernel, reads_masks_as_the_kernel_does);
	tcase_add_test(kernel, number_n_is_bit_n_from_the_left);
	tcase_add_test(kernel, kernel_masks_are_read_back);
	tcase_add_test(kernel, updates_masks_as_the_kernel_does);
	tcase_add_test(kernel, terms_turn_any_mask_into_any_other);
	suite_add_tcase(suite, sets);
	suite_add_tcase(suite, people);
	suite_add_tcase(suite, kernel);
	return unit_main(suite);
}
