/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sets of queues against a plain table of bools, and the text of KeepQueues=. */
#include "core/queues.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "random.h"
#include "unit.h"
#include "util/cleanup.h"

#define ROUNDS 50

static struct queues random_queues(struct random *random)
{
	struct mask adapters = random_mask(random, random_below(random, 17));
	struct queues q = {};

	MASK_FOREACH (a, &adapters)
		q.row[a] = random_mask(random, random_below(random, 4));
	return q;
}

START_TEST(agrees_with_a_table_of_bools)
{
	struct random random = {1};

	for (int round = 0; round < ROUNDS; round++) {
		struct queues q = random_queues(&random), other = random_queues(&random);
		struct mask adapters = {}, domains = {}, seen;
		unsigned count = 0, common = 0;

		for (unsigned a = 0; a < MASK_BITS; a++)
			for (unsigned d = 0; d < MASK_BITS; d++) {
				if (!queues_test(&q, a, d))
					continue;
				count++;
				common += queues_test(&other, a, d);
				mask_set(&adapters, a);
				mask_set(&domains, d);
			}
		ck_assert_uint_eq(queues_count(&q), count);
		ck_assert(queues_is_empty(&q) == (count == 0));
		ck_assert(queues_intersect(&q, &other) == (common > 0));
		seen = queues_adapters(&q);
		ck_assert(mask_equal(&seen, &adapters));
		seen = queues_domains(&q);
		ck_assert(mask_equal(&seen, &domains));
	}
}
END_TEST

START_TEST(one_common_queue_is_an_intersection)
{
	static struct queues a, b;

	queues_set(&a, 255, 255);
	queues_set(&b, 255, 254);
	ck_assert(!queues_intersect(&a, &b));
	queues_set(&b, 255, 255);
	ck_assert(queues_intersect(&a, &b));
	queues_clear(&b, 255, 255);
	ck_assert(!queues_intersect(&a, &b));
	ck_assert(!queues_test(&a, 256, 255));
	ck_assert(!queues_test(&a, 255, 256));
}
END_TEST

START_TEST(adds_products_to_what_is_there)
{
	struct random random = {2};

	for (int round = 0; round < ROUNDS; round++) {
		struct queues before = random_queues(&random), q = before;
		struct mask adapters = random_mask(&random, 5);
		struct mask domains = random_mask(&random, 5);

		unsigned wrong = 0;

		queues_add_product(&q, &adapters, &domains);
		for (unsigned a = 0; a < MASK_BITS; a++)
			for (unsigned d = 0; d < MASK_BITS; d++) {
				bool added = mask_test(&adapters, a) && mask_test(&domains, d);

				wrong += queues_test(&q, a, d) !=
					(queues_test(&before, a, d) || added);
			}
		ck_assert_uint_eq(wrong, 0);
	}
}
END_TEST

START_TEST(names_queues_as_the_bus_does)
{
	for (unsigned n = 0; n < MASK_BITS; n++) {
		char buf[QUEUE_NAME_SIZE], expected[32];

		queue_format(n, 255 - n, buf);
		snprintf(expected, sizeof(expected), "%02x.%04x", n, 255 - n);
		ck_assert_str_eq(buf, expected);
	}
}
END_TEST

static const struct {
	const char *text;
	unsigned count;
	const char *in, *out; /* one queue each that must (not) be there, or NULL */
} texts[] = {
	{"", 0, NULL, "00.0000"},
	{" \t", 0, NULL, "00.0000"},
	{"05.0000", 1, "05.0000", "05.0001"},
	{"5.0", 1, "05.0000", "00.0005"},
	{"10.20", 1, "10.0020", "0a.0014"},
	{"ff.00ff", 1, "ff.00ff", NULL},
	{"FF.AB", 1, "ff.00ab", NULL},
	{"0x0a.0x1", 1, "0a.0001", NULL},
	{"03.*", 256, "03.00ff", "04.0000"},
	{"*.0004", 256, "ff.0004", "ff.0005"},
	{"*.*", 65536, "ff.00ff", NULL},
	{"03.*, 05-07.0000", 259, "07.0000", "08.0000"},
	{"05-07.0000-0003", 12, "06.0003", "06.0004"},
	{"00-02.00-01", 6, "00.0000", "03.0000"},
	{"05.0000,05.0001", 2, "05.0001", NULL},
	{"05.0000 05.0001\t05.0002", 3, "05.0002", NULL},
	{"05.0000,05.0000", 1, "05.0000", NULL},
	{"ff-ff.ff-ff", 1, "ff.00ff", NULL},
};

static bool has(const struct queues *q, const char *name)
{
	struct queues one;

	ck_assert_int_eq(queues_parse(name, &one, NULL), 0);
	ck_assert_uint_eq(queues_count(&one), 1);
	return queues_intersect(q, &one);
}

START_TEST(reads_queues_to_keep)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct queues q;
		const char *text = texts[i].text;

		memset(&q, 0xff, sizeof(q));
		ck_assert_msg(queues_parse(text, &q, NULL) == 0, "\"%s\"", text);
		ck_assert_msg(
			queues_count(&q) == texts[i].count, "\"%s\": %u", text, queues_count(&q));
		ck_assert_msg(!texts[i].in || has(&q, texts[i].in), "\"%s\"", text);
		ck_assert_msg(!texts[i].out || !has(&q, texts[i].out), "\"%s\"", text);
	}
}
END_TEST

static const struct {
	const char *text;
	size_t offset, length;
	const char *reason;
} bad_texts[] = {
	{"5", 0, 1, "is not ADAPTER.DOMAIN"},
	{"*", 0, 1, "is not ADAPTER.DOMAIN"},
	{"5.0 6", 4, 1, "is not ADAPTER.DOMAIN"},
	{"5.0.1", 0, 5, "is not ADAPTER.DOMAIN"},
	{".4", 0, 2, "has no adapter before the dot"},
	{"5.", 0, 2, "has no domain after the dot"},
	{"5. 4", 0, 2, "has no domain after the dot"},
	{".", 0, 1, "has no adapter before the dot"},
	{"100.0", 0, 3, "is above ff"},
	{"5.0100", 2, 4, "is above ff"},
	{"5.256", 2, 3, "is above ff"},
	{"3.0, 7-5.0", 5, 3, "is a reversed range"},
	{"3.4-5,3.2-1", 8, 3, "is a reversed range"},
	{"zz.0", 0, 2, "is not a number"},
	{"5.**", 2, 2, "is not a number"},
	{"5.*-7", 2, 1, "is not a number"},
	{"5.0x", 2, 2, "is not a number"},
	{"5.-7", 2, 2, "has no number before -"},
	{"5.7-", 2, 2, "has no number after -"},
	{"5.0,,6.0", 4, 1, "has nothing before it"},
	{"5.0,", 3, 1, "has nothing after it"},
	{",5.0", 0, 1, "has nothing before it"},
};

START_TEST(names_the_place_and_reason_in_a_bad_text)
{
	static struct queues before, q;

	queues_set(&before, 1, 2);
	for (size_t i = 0; i < ARRAY_SIZE(bad_texts); i++) {
		struct mask_error error = {};
		const char *text = bad_texts[i].text;

		q = before;
		ck_assert_msg(queues_parse(text, &q, &error) == -EINVAL, "\"%s\"", text);
		ck_assert_msg(error.offset == bad_texts[i].offset &&
				error.length == bad_texts[i].length &&
				strcmp(error.reason, bad_texts[i].reason) == 0,
			"\"%s\": %zu+%zu %s", text, error.offset, error.length, error.reason);
		ck_assert_msg(memcmp(&q, &before, sizeof(q)) == 0, "\"%s\"", text);
		ck_assert_int_eq(queues_parse(text, &q, NULL), -EINVAL);
	}
}
END_TEST

START_TEST(products_are_read_back)
{
	struct random random = {3};

	for (int round = 0; round < 20 * ROUNDS; round++) {
		unsigned a = random_below(&random, 256), b = a + random_below(&random, 256 - a);
		unsigned c = random_below(&random, 256), d = c + random_below(&random, 256 - c);
		struct queues q;
		char text[64];

		snprintf(text, sizeof(text), "%02x-%02x.%04x-%04x", a, b, c, d);
		ck_assert_int_eq(queues_parse(text, &q, NULL), 0);
		ck_assert_msg(queues_count(&q) == (b - a + 1) * (d - c + 1), "%s", text);
		ck_assert(queues_test(&q, a, c) && queues_test(&q, b, d));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("queues");
	TCase *sets = tcase_create("sets"), *text = tcase_create("texts");

	tcase_add_test(sets, agrees_with_a_table_of_bools);
	tcase_add_test(sets, one_common_queue_is_an_intersection);
	tcase_add_test(sets, adds_products_to_what_is_there);
	tcase_add_test(text, names_queues_as_the_bus_does);
	tcase_add_test(text, reads_queues_to_keep);
	tcase_add_test(text, names_the_place_and_reason_in_a_bad_text);
	tcase_add_test(text, products_are_read_back);
	suite_add_tcase(suite, sets);
	suite_add_tcase(suite, text);
	return unit_main(suite);
}
