/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mdevctl's definitions, read and written, and settings of a command line. */
#include <string.h>

#include "../unit/unit.h"
#include "ctl/export.h"
#include "ctl/settings.h"

#define HEAD "{\"mdev_type\":\"vfio_ap-passthrough\","
#define ATTRS(list) HEAD "\"start\":\"auto\",\"attrs\":[" list "]}"
#define ONES "0x8000000000000000000000000000000000000000000000000000000000000000"

static char *format(const struct mdevctl_definition *d)
{
	const struct mask *masks[] = {
		&d->matrix.adapters, &d->matrix.domains, &d->matrix.control_domains};
	char list[MASK_LIST_SIZE], *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
		mask_format_list(masks[i], list);
		fprintf(out, "%s; ", list);
	}
	fputs(d->autostart ? "auto" : "manual", out);
	fclose(out);
	return text;
}

static int parse(const char *text, struct mdevctl_definition *ret, unsigned *line, char **reason)
{
	return mdevctl_parse(text, strlen(text), ret, line, reason);
}

START_TEST(reads_definitions)
{
	static const struct {
		const char *text, *meaning;
	} rows[] = {
		{HEAD "\"start\":\"auto\"}", "; ; ; auto"},
		{HEAD "\"start\":\"manual\",\"attrs\":[]}\n", "; ; ; manual"},
		{HEAD "\"start\":\"manual\",\"attrs\":null}", "; ; ; manual"},
		{ATTRS("{\"assign_adapter\":\"5\"}"), "5; ; ; auto"},
		{ATTRS("{\"assign_adapter\":\"0x05\"},{\"assign_adapter\":\"6\\n\"}"),
			"5,6; ; ; auto"},
		{ATTRS("{\"assign_domain\":\"0xAB\"},{\"assign_control_domain\":\"255\"}"),
			"; 0xab; 0xff; auto"},
		/* strtoul() with base 0 */
		{ATTRS("{\"assign_adapter\":\"010\"},{\"assign_domain\":\"00\"}"), "8; 0; ; auto"},
		/* lists, as libap takes them */
		{ATTRS("{\"assign_adapter\":\"5,6,0x10\"},{\"assign_domain\":\"4, 5\"}"),
			"5,6,0x10; 4,5; ; auto"},
		/* in their order */
		{ATTRS("{\"assign_adapter\":\"5\"},{\"unassign_adapter\":\"5\"},"
		       "{\"assign_adapter\":\"6\"}"),
			"6; ; ; auto"},
		{ATTRS("{\"assign_adapter\":\"5\"},{\"ap_config\":\"0x4,0x08,0x08\"}"),
			"1; 4; 4; auto"},
		{ATTRS("{\"ap_config\":\"" ONES "," ONES "," ONES "\"},"
		       "{\"assign_domain\":\"1\"}"),
			"0; 0,1; 0; auto"},
		/* What is not for us is left alone; the last of two counts, as for mdevctl. */
		{HEAD "\"start\":\"auto\",\"x\":{\"y\":[1]}}", "; ; ; auto"},
		{HEAD "\"start\":\"auto\",\"start\":\"manual\"}", "; ; ; manual"},
		{"\n\t" HEAD "\r\n\"start\" : \"auto\" } \n", "; ; ; auto"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *reason = NULL, *meaning = NULL;
		struct mdevctl_definition d;
		unsigned line;

		ck_assert_msg(
			parse(rows[i].text, &d, &line, &reason) == 0, "row %zu: %s", i, reason);
		meaning = format(&d);
		ck_assert_msg(strcmp(meaning, rows[i].meaning) == 0, "row %zu: %s", i, meaning);
	}
}
END_TEST

START_TEST(refuses_what_is_none_and_says_why)
{
	static const struct {
		const char *text, *reason;
		unsigned line;
	} rows[] = {
		{"", "torn, nothing is in it", 0},
		{" \n\n", "torn, nothing is in it", 0},
		{"{", "torn, it ends too early", 1},
		{HEAD "\n\"start\":\"auto\",\n\"attrs\":[", "torn, it ends too early", 3},
		{HEAD "\n\"start\":\"au", "torn, it ends too early", 2},
		{HEAD "\n\"start\":\"auto\"}\n}", "not JSON", 3},
		{HEAD "\"start\":\"auto\",}", "not JSON", 1},
		{"{\"mdev_type\":'x'}", "not JSON", 1},
		{"{\"a\":\"\xff\"}", "not JSON", 1},
		{"[[[[[[[[[[[[]]]]]]]]]]]]", "not JSON", 1},
		{"mdev", "not JSON", 1},
		{"[]", "not a definition", 0},
		{"null ", "not a definition", 0},
		{"\"text\"", "not a definition", 0},
		{"{}", "mdev_type is missing", 0},
		{"{\"mdev_type\":7}", "mdev_type is missing", 0},
		{"{\"mdev_type\":\"vfio_ccw-io\"}", "mdev_type is vfio_ccw-io", 0},
		{"{\"mdev_type\":\"a\\u001b[31m\"}", "mdev_type is a?[31m", 0},
		{"{\"mdev_type\":\"vfio_ap-passthrough\\u0000x\"}", "mdev_type is missing", 0},
		{HEAD "\"attrs\":[]}", "start is not", 0},
		{HEAD "\"start\":true}", "start is not", 0},
		{HEAD "\"start\":\"Auto\"}", "start is not", 0},
		{HEAD "\"start\":\"auto\",\"attrs\":{}}", "attrs is not a list", 0},
		{ATTRS("1"), "item 1 is not one", 0},
		{ATTRS("{\"assign_adapter\":\"5\"},{}"), "item 2 is not one", 0},
		{ATTRS("{\"assign_adapter\":\"5\",\"assign_domain\":\"4\"}"), "item 1 is not one",
			0},
		{ATTRS("{\"assign_adapter\":5}"), "value of item 1", 0},
		{ATTRS("{\"assign_adapter\":\"5\\u0000\"}"), "value of item 1", 0},
		{ATTRS("{\"assign_adapter\":\"\"}"), "\"\" is not a number", 0},
		{ATTRS("{\"assign_adapter\":\"5,\"}"), "\"5,\" is not a number", 0},
		{ATTRS("{\"assign_adapter\":\"-1\"}"), "\"-1\" is not a number", 0},
		{ATTRS("{\"assign_adapter\":\"+1\"}"), "\"+1\" is not a number", 0},
		{ATTRS("{\"assign_adapter\":\"256\"}"), "\"256\" is not a number", 0},
		{ATTRS("{\"assign_adapter\":\"08\"}"), "\"08\" is not a number", 0},
		{ATTRS("{\"assign_adapter\":\"0x\"}"), "\"0x\" is not a number", 0},
		{ATTRS("{\"assign_adapter\":\"5-7\"}"), "\"5-7\" is not a number", 0},
		{ATTRS("{\"assign_domain\":\"99999999999999999999\"}"), "is not a number", 0},
		{ATTRS("{\"ap_config\":\"0x4,0x8\"}"), "is not three masks", 0},
		{ATTRS("{\"ap_config\":\"\"}"), "is not three masks", 0},
		{ATTRS("{\"remove\":\"1\"}"), "attribute remove is none", 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *reason = NULL;
		struct mdevctl_definition d;
		unsigned line = 99;

		ck_assert_msg(
			parse(rows[i].text, &d, &line, &reason) == -EINVAL, "row %zu: taken", i);
		ck_assert_msg(strstr(reason, rows[i].reason), "row %zu: %s", i, reason);
		ck_assert_msg(line == rows[i].line, "row %zu: line %u", i, line);
	}
}
END_TEST

/* A prefix of a definition is never taken for one. */
START_TEST(takes_no_torn_file)
{
	static const char text[] = ATTRS("{\"assign_adapter\":\"5\"},{\"assign_domain\":\"4\"}");

	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		_cleanup_free_ char *reason = NULL;
		struct mdevctl_definition d;
		unsigned line;

		ck_assert_msg(
			mdevctl_parse(text, n, &d, &line, &reason) == -EINVAL, "%zu bytes", n);
		ck_assert_msg(strstr(reason, "torn"), "%zu bytes: %s", n, reason);
	}
}
END_TEST

/* Nor one whose blocks never came to the disk. */
START_TEST(takes_no_zeros)
{
	static const char *const texts[] = {
		"", "{", HEAD, HEAD "\"start\":\"auto\"}", HEAD "\"start\":\"auto\"}\n"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_free_ char *reason = NULL;
		struct mdevctl_definition d;
		char text[200] = "";
		unsigned line;

		memcpy(text, texts[i], strlen(texts[i]));
		ck_assert_msg(mdevctl_parse(text, sizeof(text), &d, &line, &reason) == -EINVAL,
			"row %zu", i);
		ck_assert_msg(strstr(reason, "torn"), "row %zu: %s", i, reason);
	}
}
END_TEST

static char *export_text(enum export_format format, const struct mdevctl_definition *d)
{
	char uuid[UUID_SIZE] = "62177883-f1bb-47f0-914d-32a22e3a8804", *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	export_print(format, uuid, d, out);
	fclose(out);
	return text;
}

START_TEST(reads_back_what_it_writes)
{
	static const char *const lists[][3] = {{"", "", ""}, {"5", "", ""}, {"", "4", ""},
		{"", "", "4"}, {"0,255", "0-255", "7"}, {"0-255", "0-255", "0-255"}};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct mdevctl_definition d = {.autostart = i % 2}, back;
		_cleanup_free_ char *text = NULL, *reason = NULL;
		unsigned line;

		mask_parse_list(lists[i][0], &d.matrix.adapters, NULL);
		mask_parse_list(lists[i][1], &d.matrix.domains, NULL);
		mask_parse_list(lists[i][2], &d.matrix.control_domains, NULL);
		text = export_text(EXPORT_MDEVCTL, &d);
		ck_assert_msg(parse(text, &back, &line, &reason) == 0, "row %zu: %s", i, reason);
		ck_assert(matrix_equal(&back.matrix, &d.matrix) && back.autostart == d.autostart);
	}
}
END_TEST

START_TEST(writes_a_node_device_and_a_host_device)
{
	struct mdevctl_definition d = {.autostart = true};
	_cleanup_free_ char *nodedev = NULL, *hostdev = NULL;

	mask_set(&d.matrix.adapters, 5);
	mask_set(&d.matrix.domains, 0xab);
	nodedev = export_text(EXPORT_NODEDEV, &d);
	hostdev = export_text(EXPORT_HOSTDEV, &d);
	ck_assert_str_eq(nodedev,
		"<device>\n"
		"  <name>mdev_62177883_f1bb_47f0_914d_32a22e3a8804_matrix</name>\n"
		"  <parent>ap_matrix</parent>\n"
		"  <capability type='mdev'>\n"
		"    <type id='vfio_ap-passthrough'/>\n"
		"    <uuid>62177883-f1bb-47f0-914d-32a22e3a8804</uuid>\n"
		"    <attr name='assign_adapter' value='0x05'/>\n"
		"    <attr name='assign_domain' value='0x00ab'/>\n"
		"  </capability>\n"
		"</device>\n");
	ck_assert_str_eq(hostdev,
		"<hostdev mode='subsystem' type='mdev' model='vfio-ap'>\n"
		"  <source>\n"
		"    <address uuid='62177883-f1bb-47f0-914d-32a22e3a8804'/>\n"
		"  </source>\n"
		"</hostdev>\n");
}
END_TEST

START_TEST(merges_settings_as_drop_ins_do)
{
	static struct {
		char args[3][16];
		const char *text;
	} rows[] = {
		{{"Adapters=5"}, "Adapters=5\n"},
		{{"Adapters=5", "Adapters=6-7"}, "Adapters=5,6-7\n"},
		{{"Adapters=5", "Adapters=", "Adapters=7"}, "Adapters=7\n"},
		{{"Adapters=5", "Adapters="}, "Adapters=\n"},
		{{"Start=boot", "Adapters=5", "Start=guest"}, "Start=guest\nAdapters=5\n"},
		{{"Guest=a=b"}, "Guest=a=b\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(settings_done) struct settings s = {0};
		struct problems p = {0};
		char *args[4] = {NULL};
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		for (size_t n = 0; n < 3 && *rows[i].args[n]; n++)
			args[n] = rows[i].args[n];
		ck_assert_int_eq(settings_parse(args, &s, &p), 0);
		ck_assert_uint_eq(p.n, 0);
		settings_print(&s, "x", out);
		fclose(out);
		ck_assert_msg(strcmp(text + strlen("[Matrix x]\n"), rows[i].text) == 0,
			"row %zu: %s", i, text);
		free(text);
	}
}
END_TEST

/* Against adapters 5 and 6. */
START_TEST(computes_relative_lists)
{
	static const struct {
		const char *value;
		const char *list; /* NULL: refused */
	} rows[] = {
		{"+4", "4-6"},
		{"-6", "5"},
		{"+4,-6", "4,5"},
		{"-6 +6", "5,6"},
		{"-5-6", ""},
		{"+0x10-0x12", "5,6,0x10-0x12"},
		{"-7", "5,6"},
		{"+5", "5,6"},
		{", +7,,", "5-7"},
		{"7", "7"},
		{"", ""},
		{"+", NULL},
		{"+4,5", NULL},
		{"+300", NULL},
		{"--5", NULL},
		{"+usage", NULL},
		{"+6-5", NULL},
	};
	struct matrix now = {0};

	mask_parse_list("5,6", &now.adapters, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct raw_setting item = {"Adapters", rows[i].value};
		_cleanup_(settings_done) struct settings whole = {0};
		_cleanup_(problems_done) struct problems p = {0};
		const struct settings s = {&item, 1};

		ck_assert_int_eq(settings_resolve(&s, &now, &whole, &p), 0);
		ck_assert_msg((p.n == 0) == (rows[i].list != NULL), "row %zu", i);
		if (!rows[i].list)
			continue;
		ck_assert_str_eq(settings_find(&whole, KEY_ADAPTERS), rows[i].list);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mdevctl");
	TCase *tc = tcase_create("mdevctl");

	tcase_add_test(tc, reads_definitions);
	tcase_add_test(tc, refuses_what_is_none_and_says_why);
	tcase_add_test(tc, takes_no_torn_file);
	tcase_add_test(tc, takes_no_zeros);
	tcase_add_test(tc, reads_back_what_it_writes);
	tcase_add_test(tc, writes_a_node_device_and_a_host_device);
	tcase_add_test(tc, merges_settings_as_drop_ins_do);
	tcase_add_test(tc, computes_relative_lists);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
