/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Matrices as sets, and the texts of an mdev's attributes. */
#include "core/matrix.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "random.h"
#include "unit.h"
#include "util/cleanup.h"

#define ROUNDS 500

#define Z16 "0000000000000000"
#define NONE "0x" Z16 Z16 Z16 Z16

static struct mask list(const char *text)
{
	struct mask m;

	ck_assert_int_eq(mask_parse_list(text, &m, NULL), 0);
	return m;
}

static struct matrix random_matrix(struct random *random)
{
	return (struct matrix){
		.adapters = random_mask(random, random_below(random, 3)),
		.domains = random_mask(random, random_below(random, 3)),
		.control_domains = random_mask(random, random_below(random, 17)),
	};
}

START_TEST(its_queues_are_the_product)
{
	struct random random = {1};

	for (int round = 0; round < ROUNDS; round++) {
		struct matrix a = random_matrix(&random), b = random_matrix(&random);
		struct matrix both = matrix_and(&a, &b);
		struct queues queues_a = {}, queues_b = {}, queues_both = {};

		queues_add_product(&queues_a, &a.adapters, &a.domains);
		queues_add_product(&queues_b, &b.adapters, &b.domains);
		queues_add_product(&queues_both, &both.adapters, &both.domains);
		ck_assert_uint_eq(matrix_n_queues(&a), queues_count(&queues_a));
		ck_assert(matrix_overlaps(&a, &b) == queues_intersect(&queues_a, &queues_b));
		ck_assert(matrix_overlaps(&a, &b) == !queues_is_empty(&queues_both));
		ck_assert(matrix_is_subset(&both, &a) && matrix_is_subset(&both, &b));
		ck_assert(matrix_is_subset(&a, &b) == matrix_equal(&a, &both));
	}
}
END_TEST

START_TEST(control_domains_count_for_equality_but_not_for_overlap)
{
	struct matrix a = {list("5"), list("4"), list("4")};
	struct matrix b = {list("6"), list("4"), list("4")};
	struct matrix none = {};

	ck_assert(!matrix_overlaps(&a, &b));
	b.adapters = a.adapters;
	ck_assert(matrix_overlaps(&a, &b));
	ck_assert(matrix_equal(&a, &b));
	b.control_domains = none.control_domains;
	ck_assert(!matrix_equal(&a, &b));
	ck_assert(matrix_is_subset(&b, &a));
	ck_assert(!matrix_is_subset(&a, &b));
	ck_assert(matrix_is_empty(&none));
	none.control_domains = list("0");
	ck_assert(!matrix_is_empty(&none));
	ck_assert_uint_eq(matrix_n_queues(&none), 0);
}
END_TEST

START_TEST(writes_ap_config_as_the_kernel_does)
{
	struct matrix m = {list("5,6"), list("4,0xab"), list("0,255")};
	char buf[MATRIX_AP_CONFIG_SIZE];

	matrix_format_ap_config(&m, buf);
	ck_assert_str_eq(buf,
		"0x0600000000000000" Z16 Z16 Z16 ",0x0800000000000000" Z16 "0000000000100000" Z16
		",0x8000000000000000" Z16 Z16 "0000000000000001");
	ck_assert_uint_eq(strlen(buf), MATRIX_AP_CONFIG_SIZE - 1);
}
END_TEST

START_TEST(ap_config_is_read_back)
{
	struct random random = {2};

	for (int round = 0; round < ROUNDS; round++) {
		struct matrix m = random_matrix(&random), back;
		char buf[MATRIX_AP_CONFIG_SIZE + 1];

		matrix_format_ap_config(&m, buf);
		ck_assert_int_eq(matrix_parse_ap_config(buf, &back), 0);
		ck_assert(matrix_equal(&m, &back));
		strcat(buf, "\n");
		ck_assert_int_eq(matrix_parse_ap_config(buf, &back), 0);
		ck_assert(matrix_equal(&m, &back));
	}
}
END_TEST

static const struct {
	const char *text;
	const char *adapters, *domains, *control_domains; /* lists; NULL: EINVAL */
} ap_configs[] = {
	{NONE "," NONE "," NONE "\n", "", "", ""},
	{"0x06,0x08,0x08", "5,6", "4", "4"},
	{"06,08,0x\n", "5,6", "4", ""},
	{"0x06,0x08,0xffff", "5,6", "4", "0-15"},
	{"", NULL, NULL, NULL},
	{"\n", NULL, NULL, NULL},
	{"0x06", NULL, NULL, NULL},
	{"0x06,0x08", NULL, NULL, NULL},
	{"0x06,0x08,", NULL, NULL, NULL},
	{"0x06,,0x08", NULL, NULL, NULL},
	{"0x06\n,0x08,0x08", NULL, NULL, NULL},
	{"0x06\n0x08\n0x08", NULL, NULL, NULL},
	{"0x06,0x08,0x08,0x08", NULL, NULL, NULL},
	{"0x06,0x08,0x08\n\n", NULL, NULL, NULL},
	{"0x06,0x08,0x08\njunk", NULL, NULL, NULL},
	{"0x06, 0x08,0x08", NULL, NULL, NULL},
	{"0x06,0xzz,0x08", NULL, NULL, NULL},
	{NONE "0,0x08,0x08", NULL, NULL, NULL},
	{"0x06,0x08," NONE "0", NULL, NULL, NULL},
	{"0x06,0x08," NONE "000000000000000000", NULL, NULL, NULL},
};

START_TEST(reads_ap_config)
{
	for (size_t i = 0; i < ARRAY_SIZE(ap_configs); i++) {
		struct matrix m = {list("1"), list("2"), list("3")}, expected = m;
		int r = matrix_parse_ap_config(ap_configs[i].text, &m);
		bool good = ap_configs[i].adapters;

		ck_assert_msg(r == (good ? 0 : -EINVAL), "\"%s\"", ap_configs[i].text);
		if (good)
			expected = (struct matrix){list(ap_configs[i].adapters),
				list(ap_configs[i].domains), list(ap_configs[i].control_domains)};
		ck_assert_msg(matrix_equal(&m, &expected), "\"%s\"", ap_configs[i].text);
	}
}
END_TEST

static const struct {
	const char *text;
	const char *adapters, *domains; /* lists; NULL: EINVAL */
} queue_texts[] = {
	{"", "", ""},
	{"05.0004\n", "5", "4"},
	{"05.0004", "5", "4"},
	{"05.0004\n05.00ab\n06.0004\n06.00ab\n", "5,6", "4,0xab"},
	{"05.\n06.\n", "5,6", ""},
	{".0004\n.00ab\n", "", "4,0xab"},
	{"ff.00ff\n", "0xff", "0xff"},
	{"05.0004\n05.00ab\n06.0004\n", NULL, NULL}, /* cut off: not a product */
	{"05.0004\n05.00", NULL, NULL},
	{"05.0004\n05", NULL, NULL},
	{"05.0004\n06.\n", NULL, NULL},
	{"5.0004\n", NULL, NULL},
	{"005.0004\n", NULL, NULL},
	{"05.00004\n", NULL, NULL},
	{"05.0100\n", NULL, NULL},
	{"05.0004 \n", NULL, NULL},
	{"05.0004\n\n", NULL, NULL},
	{"\n", NULL, NULL},
	{".\n", NULL, NULL},
	{".", NULL, NULL},
	{"05", NULL, NULL},
	{"05-0004\n", NULL, NULL},
	{"0x.0004\n", NULL, NULL},
};

START_TEST(reads_the_queues_of_a_matrix)
{
	for (size_t i = 0; i < ARRAY_SIZE(queue_texts); i++) {
		struct mask adapters = list("1"), domains = list("2");
		struct mask expected_adapters = adapters, expected_domains = domains;
		int r = matrix_parse_queues(queue_texts[i].text, &adapters, &domains);
		bool good = queue_texts[i].adapters;

		ck_assert_msg(r == (good ? 0 : -EINVAL), "\"%s\"", queue_texts[i].text);
		if (good) {
			expected_adapters = list(queue_texts[i].adapters);
			expected_domains = list(queue_texts[i].domains);
		}
		ck_assert_msg(mask_equal(&adapters, &expected_adapters) &&
				mask_equal(&domains, &expected_domains),
			"\"%s\"", queue_texts[i].text);
	}
}
END_TEST

/* Writes what matrix_show() does, at most @max lines of it.  Returns the number of lines. */
static unsigned write_queues(const struct matrix *m, unsigned max, char *buf)
{
	unsigned n = 0;

	*buf = '\0';
	MASK_FOREACH (a, &m->adapters)
		MASK_FOREACH (d, &m->domains)
			if (n < max) {
				queue_format(a, d, buf + 8 * n);
				strcpy(buf + 8 * ++n - 1, "\n");
			}
	return n;
}

/* 511 lines that are a product by themselves, 7 x 73 or 73 x 7, cannot be told from a smaller matrix. */
START_TEST(refuses_a_matrix_that_the_page_cut_off)
{
	static char buf[8 * 65536 + 1];
	struct matrix m = {.adapters = list("0-15")};

	for (unsigned n = 1; n <= 255; n++) {
		struct mask adapters, domains;
		bool fits = 16 * n <= 511;
		int r;

		if (n == 73)
			continue;
		m.domains = mask_up_to(n - 1);
		write_queues(&m, 511, buf);
		r = matrix_parse_queues(buf, &adapters, &domains);
		ck_assert_msg(r == (fits ? 0 : -EINVAL), "16 x %u", n);
		if (fits)
			ck_assert(mask_equal(&adapters, &m.adapters) &&
				mask_equal(&domains, &m.domains));
	}
}
END_TEST

START_TEST(matrices_of_any_size_are_read_back)
{
	static char buf[8 * 65536 + 1];
	struct random random = {3};

	for (int round = 0; round < ROUNDS; round++) {
		struct matrix m = random_matrix(&random);
		struct mask adapters, domains;

		if (write_queues(&m, ~0u, buf) == 0)
			continue;
		ck_assert_int_eq(matrix_parse_queues(buf, &adapters, &domains), 0);
		ck_assert(mask_equal(&adapters, &m.adapters) && mask_equal(&domains, &m.domains));
	}
}
END_TEST

static const struct {
	const char *text, *list; /* NULL: EINVAL */
} control_texts[] = {
	{"", ""},
	{"0004\n00ab\n", "4,0xab"},
	{"00ff", "0xff"},
	{"0004\n00a", NULL},
	{"4\n", NULL},
	{"0100\n", NULL},
	{"00004\n", NULL},
	{"0004\n\n", NULL},
	{"05.0004\n", NULL},
};

START_TEST(reads_control_domains)
{
	for (size_t i = 0; i < ARRAY_SIZE(control_texts); i++) {
		struct mask m = list("9"), expected = m;
		int r = matrix_parse_control_domains(control_texts[i].text, &m);

		ck_assert_msg(r == (control_texts[i].list ? 0 : -EINVAL), "\"%s\"",
			control_texts[i].text);
		if (control_texts[i].list)
			expected = list(control_texts[i].list);
		ck_assert_msg(mask_equal(&m, &expected), "\"%s\"", control_texts[i].text);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("matrix");
	TCase *sets = tcase_create("sets"), *text = tcase_create("texts");

	tcase_add_test(sets, its_queues_are_the_product);
	tcase_add_test(sets, control_domains_count_for_equality_but_not_for_overlap);
	tcase_add_test(text, writes_ap_config_as_the_kernel_does);
	tcase_add_test(text, ap_config_is_read_back);
	tcase_add_test(text, reads_ap_config);
	tcase_add_test(text, reads_the_queues_of_a_matrix);
	tcase_add_test(text, refuses_a_matrix_that_the_page_cut_off);
	tcase_add_test(text, matrices_of_any_size_are_read_back);
	tcase_add_test(text, reads_control_domains);
	suite_add_tcase(suite, sets);
	suite_add_tcase(suite, text);
	return unit_main(suite);
}
