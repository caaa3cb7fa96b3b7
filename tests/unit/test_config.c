/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Judgement and merge of assignments; the drop-ins are given as rows, without any text format. */
#include "core/config.h"

#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "unit.h"

#define UUID_A "62177883-f1bb-47f0-914d-32a22e3a8804"
#define UUID_B "00000000-0000-4000-8000-00000000000b"

/* One line: "m" is [Matrix m], NULL is [Host]; no key: the header. */
struct row {
	const char *matrix, *key, *value;
};
#define HOST NULL

/* A fragment of the rows; lines count from 1. */
static struct fragment *make_fragment(const char *path, const struct row *rows, size_t n)
{
	struct fragment *f = fragment_new(path);

	ck_assert_ptr_nonnull(f);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(
			fragment_add(f, rows[i].matrix ? SECTION_MATRIX : SECTION_HOST,
				rows[i].matrix, rows[i].key, rows[i].value, (unsigned)i + 1),
			0);
	return f;
}
#define FRAGMENT(path, ...)                                    \
	make_fragment(path, (const struct row[]){__VA_ARGS__}, \
		sizeof((const struct row[]){__VA_ARGS__}) / sizeof(struct row))

/* Builds from fragments (checked first, and freed), and leaves the merge's problems in @p. */
static struct config *build(struct fragment **fragments, size_t n, struct problems *p)
{
	struct config *c = NULL;

	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(fragment_check(fragments[i], p), 0);
	ck_assert_int_eq(config_build((const struct fragment *const *)fragments, n, p, &c), 0);
	for (size_t i = 0; i < n; i++)
		fragment_free(fragments[i]);
	return c;
}
#define BUILD(p, ...)                             \
	build((struct fragment *[]){__VA_ARGS__}, \
		sizeof((struct fragment *[]){__VA_ARGS__}) / sizeof(struct fragment *), p)

static void assert_list(const struct mask *m, const char *expected)
{
	char list[MASK_LIST_SIZE];

	mask_format_list(m, list);
	ck_assert_str_eq(list, expected);
}

static void assert_origin(struct origin o, const char *file, unsigned line)
{
	ck_assert_str_eq(o.file, file);
	ck_assert_uint_eq(o.line, line);
}

START_TEST(accepts_every_key_and_word)
{
	static const struct row rows[] = {
		{HOST, NULL, NULL},
		{HOST, "KeepQueues", "03.*, 05.0000"},
		{HOST, "KeepQueues", ""},
		{HOST, "QueuePool", "auto"},
		{HOST, "QueuePool", "masks"},
		{HOST, "QueuePool", "driver-override"},
		{HOST, "QueuePool", "external"},
		{HOST, "Foreign", "keep"},
		{HOST, "Foreign", "adopt"},
		{HOST, "Foreign", "remove"},
		{HOST, "Drift", "repair"},
		{HOST, "Drift", "report"},
		{HOST, "LiveChange", "none"},
		{HOST, "LiveChange", "grow"},
		{HOST, "LiveChange", "all"},
		{HOST, "LiveChange", ""},
		{"A.b_c-9", NULL, NULL},
		{"A.b_c-9", "UUID", UUID_A},
		{"A.b_c-9", "UUID", "62177883-F1BB-47F0-914D-32A22E3A8804"},
		{"A.b_c-9", "UUID", ""},
		{"A.b_c-9", "Adapters", "5, 0x06-7"},
		{"A.b_c-9", "Domains", "4 0xab"},
		{"A.b_c-9", "ControlDomains", "usage"},
		{"A.b_c-9", "ControlDomains", "0-255"},
		{"A.b_c-9", "ControlDomains", ""},
		{"A.b_c-9", "Guest", "my guest \xc3\xbc"},
		{"A.b_c-9", "Guest", ""},
		{"A.b_c-9", "Start", "boot"},
		{"A.b_c-9", "Start", "guest"},
		{"A.b_c-9", "Start", "manual"},
		{"A.b_c-9", "LiveChange", "all"},
		{"0123456789012345678901234567890123456789012345678901234567890123", NULL, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fragment *f = make_fragment("/f", &rows[i], 1);
		struct problems p = {};

		ck_assert_msg(fragment_check(f, &p) == 0 && p.n == 0, "row %zu: %s=%s: %s", i,
			rows[i].key, rows[i].value, p.n ? p.items[0].text : "");
		fragment_free(f);
	}
}
END_TEST

#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

START_TEST(names_what_is_wrong_and_what_to_write)
{
	static const struct {
		struct row row;
		const char *code, *text;
	} rows[] = {
		{{"m", "Adapters", "300"}, "bad-value",
			"Adapters=300: 300 is above 255; write numbers from 0 to 255 or ranges "
			"like "
			"5-7"},
		{{"m", "Adapters", "5, x"}, "bad-value", "Adapters=5, x: x is not a number"},
		{{"m", "Adapters", "5,"}, "bad-value", "Adapters=5,: \",\" has nothing after it; "},
		{{"m", "Domains", "7-5"}, "bad-value", "Domains=7-5: 7-5 is a reversed range"},
		{{"m", "Domains", "010"}, "bad-value", "Domains=010: 010 "},
		{{"m", "ControlDomains", "usages"}, "bad-value", "or only the word usage"},
		{{"m", "ControlDomains", "usage, 5"}, "bad-value", "or only the word usage"},
		{{"m", "UUID", "62177883"}, "bad-value",
			"UUID=62177883: this is not a UUID; write 8-4-4-4-12 hex digits"},
		{{"m", "UUID", "62177883-f1bb-47f0-914d-32a22e3a880g"}, "bad-value",
			"is not a UUID"},
		{{"m", "UUID", "{62177883-f1bb-47f0-914d-32a22e3a8804}"}, "bad-value",
			"is not a UUID"},
		{{"m", "UUID", "62177883f1bb-47f0--914d-32a22e3a8804"}, "bad-value",
			"is not a UUID"},
		{{"m", "Guest", "a/b"}, "bad-value", "Guest=a/b: this has a slash"},
		{{"m", "Guest", "a\tb"}, "bad-value", "has a control character"},
		{{"m", "Guest", X64 X64 X64 X64}, "bad-value", "this has 256 bytes, more than 255"},
		{{"m", "Start", "always"}, "bad-value",
			"Start=always: this is none of boot, guest, manual; write one of them"},
		{{"m", "Start", "Boot"}, "bad-value",
			"this is none of boot, guest, manual; did you mean boot?"},
		{{"m", "LiveChange", "grown"}, "bad-value",
			"this is none of none, grow, all; did you mean grow?"},
		{{HOST, "QueuePool", "override"}, "bad-value",
			"this is none of auto, masks, driver-override, external; write one of "
			"them"},
		{{HOST, "Foreign", "delete"}, "bad-value",
			"this is none of keep, adopt, remove; write one of them"},
		{{HOST, "Drift", "repiar"}, "bad-value", "did you mean repair?"},
		{{HOST, "LiveChange", "yes"}, "bad-value",
			"this is none of none, grow, all; write one of them"},
		{{HOST, "KeepQueues", "03"}, "bad-value", "write ADAPTER.DOMAIN in hex"},
		{{HOST, "KeepQueues", "05.0000, 03.x"}, "bad-value", "KeepQueues=05.0000, 03.x: "},
		{{"m", "Adaptors", "5"}, "unknown-key",
			"Adaptors= is not a key of [Matrix NAME]; did you mean Adapters=?"},
		{{"m", "adapters", "5"}, "unknown-key", "did you mean Adapters=?"},
		{{"m", "Uuid", "5"}, "unknown-key", "did you mean UUID=?"},
		{{"m", "Colour", "5"}, "unknown-key",
			"it has UUID=, Adapters=, Domains=, ControlDomains=, Guest=, Start=, "
			"LiveChange="},
		{{"m", "KeepQueues", "5"}, "unknown-key",
			"KeepQueues= is not a key of [Matrix NAME]; move it to a section [Host]"},
		{{HOST, "Adapters", "5"}, "unknown-key",
			"Adapters= is not a key of [Host]; move it to a section [Matrix NAME]"},
		{{HOST, "KeepQueue", "5"}, "unknown-key", "did you mean KeepQueues=?"},
		{{HOST, X64, "5"}, "unknown-key",
			"it has KeepQueues=, QueuePool=, Foreign=, Drift=, LiveChange="},
		{{".m", NULL, NULL}, "bad-name", "[Matrix .m]: this is not a matrix's name"},
		{{"-m", NULL, NULL}, "bad-name", "write 1 to 64 of A-Z a-z 0-9 . _ -"},
		{{"a b", NULL, NULL}, "bad-name", "[Matrix a b]"},
		{{"a/b", NULL, NULL}, "bad-name", "[Matrix a/b]"},
		{{"\xc3\xbc", NULL, NULL}, "bad-name", "[Matrix \xc3\xbc]"},
		{{"", NULL, NULL}, "bad-name", "this is not a matrix's name"},
		{{X64 "x", NULL, NULL}, "bad-name", "xxxx...]: this is not a matrix's name"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fragment *f = make_fragment("/etc/apmatrix.d/f.conf", &rows[i].row, 1);
		struct problems p = {};
		int r = fragment_check(f, &p);

		ck_assert_msg(r == 1 && p.n == 1, "row %zu: %d errors, %zu problems", i, r, p.n);
		ck_assert_msg(strcmp(p.items[0].code, rows[i].code) == 0 &&
				strstr(p.items[0].text, rows[i].text),
			"row %zu: %s: %s", i, p.items[0].code, p.items[0].text);
		ck_assert_int_eq(p.items[0].severity, PROBLEM_ERROR);
		ck_assert_str_eq(p.items[0].file, "/etc/apmatrix.d/f.conf");
		ck_assert_uint_eq(p.items[0].line, 1);
		problems_done(&p);
		fragment_free(f);
	}
}
END_TEST

START_TEST(counts_every_mistake_of_a_fragment)
{
	struct fragment *f = FRAGMENT("/f", {HOST, NULL, NULL}, {HOST, "Drift", "x"},
		{"a b", NULL, NULL}, {"a b", "Adapters", "256"}, {"a b", "Domains", "1"},
		{"a b", "Nothing", ""});
	struct problems p = {};
	static const unsigned lines[] = {2, 3, 4, 6};

	ck_assert_int_eq(fragment_check(f, &p), 4);
	ck_assert_uint_eq(p.n, 4);
	for (size_t i = 0; i < p.n; i++)
		ck_assert_uint_eq(p.items[i].line, lines[i]);
	problems_done(&p);
	fragment_free(f);
}
END_TEST

START_TEST(cuts_long_values_in_messages_between_characters)
{
	char value[301], excerpt[TEXT_EXCERPT_SIZE];

	for (size_t i = 0; i < 300; i += 2)
		memcpy(value + i, "\xc3\xbc", 2);
	value[300] = '\0';
	ck_assert_str_eq(text_excerpt("abc", 3, excerpt), "abc");
	ck_assert_str_eq(text_excerpt("abc", 2, excerpt), "ab");
	ck_assert_uint_eq(strlen(text_excerpt(value, 300, excerpt)), 48 + 3);
	ck_assert_uint_eq(strlen(text_excerpt(value + 1, 299, excerpt)), 47 + 3);
	ck_assert_uint_eq(strlen(text_excerpt(value, 48, excerpt)), 48);
}
END_TEST

START_TEST(guesses_the_word_that_was_meant)
{
	static const char *const words[] = {"keep", NULL, "adopt", "Adapters", "Domains"};
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{"Adapter", "Adapters"},
		{"ADAPTERS", "Adapters"},
		{"Adpaters", "Adapters"},
		{"Domain", "Domains"},
		{"kep", "keep"},
		{"adapt", "adopt"},
		{"xxep", NULL},
		{"", NULL},
		{"Dxxxins", NULL},
		{X64, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *found = text_closest(rows[i].text, words, ARRAY_SIZE(words));

		ck_assert_msg(found == rows[i].expected ||
				(found && rows[i].expected && strcmp(found, rows[i].expected) == 0),
			"row %zu: %s: %s", i, rows[i].text, found ? found : "none");
	}
}
END_TEST

START_TEST(has_the_documented_defaults)
{
	struct problems p = {};
	struct config *c = BUILD(&p,
		FRAGMENT("/f", {"m", NULL, NULL}, {"m", "Adapters", "1"}, {"m", "Domains", "2"}));
	const struct matrix_config *m = config_find(c, "m");

	ck_assert_uint_eq(p.n, 0);
	ck_assert_int_eq(c->host.pool, POOL_AUTO);
	ck_assert_int_eq(c->host.foreign, FOREIGN_KEEP);
	ck_assert_int_eq(c->host.drift, DRIFT_REPAIR);
	ck_assert_int_eq(c->host.live_change, LIVE_GROW);
	ck_assert(queues_is_empty(&c->host.keep));
	ck_assert_ptr_null(c->host.origin[KEY_DRIFT].file);
	ck_assert_str_eq(m->guest, "m");
	ck_assert_str_eq(m->uuid, "");
	ck_assert(m->uuid_derived);
	ck_assert_int_eq(m->start, START_BOOT);
	ck_assert_int_eq(m->live_change, LIVE_GROW);
	ck_assert(mask_is_empty(&m->want.control_domains));
	config_free(c);

	c = config_new();
	ck_assert_int_eq(c->host.live_change, LIVE_GROW);
	ck_assert_ptr_null(config_find(c, "m"));
	config_free(c);
}
END_TEST

START_TEST(merges_in_order_of_the_fragments)
{
	struct problems p = {};
	struct config *c = BUILD(&p,
		FRAGMENT("/1", {"m", NULL, NULL}, {"m", "UUID", UUID_B}, {"m", "Adapters", "5"},
			{"m", "Domains", "1"}, {"m", "Start", "manual"}, {"m", "Guest", "g1"}),
		FRAGMENT("/2", {"b", NULL, NULL}, {"b", "Adapters", "9"}, {"b", "Domains", "9"}),
		FRAGMENT("/3", {"m", NULL, NULL},
			{"m", "UUID", "62177883-F1BB-47F0-914D-32A22E3A8804"},
			{"m", "Adapters", "5,6"}, {"m", "Domains", ""}, {"m", "Domains", "4, 0xab"},
			{"m", "Guest", ""}));
	const struct matrix_config *m = config_find(c, "m");

	ck_assert_uint_eq(p.n, 0);
	ck_assert_uint_eq(c->n_matrices, 2);
	ck_assert_str_eq(c->matrices[0].name, "b");
	ck_assert_str_eq(m->uuid, UUID_A);
	ck_assert(!m->uuid_derived);
	assert_list(&m->want.adapters, "5,6");
	assert_list(&m->want.domains, "4,0xab");
	ck_assert_str_eq(m->guest, "m");
	ck_assert_int_eq(m->start, START_MANUAL);
	assert_origin(m->section, "/1", 1);
	assert_origin(matrix_config_origin(m, KEY_UUID), "/3", 2);
	assert_origin(matrix_config_origin(m, KEY_START), "/1", 5);
	assert_origin(matrix_config_origin(m, KEY_ADAPTERS), "/3", 3);
	assert_origin(matrix_config_origin(m, KEY_GUEST), "/1", 1);
	assert_origin(matrix_config_origin_of(m, KEY_ADAPTERS, 5), "/1", 3);
	assert_origin(matrix_config_origin_of(m, KEY_ADAPTERS, 6), "/3", 3);
	assert_origin(matrix_config_origin_of(m, KEY_ADAPTERS, 7), "/1", 1);
	assert_origin(matrix_config_origin_of(m, KEY_DOMAINS, 1), "/1", 1);
	/* In force: Adapters and Start of 1, UUID, Adapters and the second Domains of 3. */
	ck_assert_uint_eq(m->n_settings, 5);
	config_free(c);
}
END_TEST

START_TEST(resolves_usage_at_the_end)
{
	static const struct {
		const char *first, *second, *expected;
	} rows[] = {
		{"usage", NULL, "4,7"},
		{"usage", "9", "4,7,9"},
		{"9", "usage", "4,7,9"},
		{"usage", "", ""},
		{"usage", "usage", "4,7"},
		{"4,8", NULL, "4,8"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct problems p = {};
		struct config *c = BUILD(&p,
			FRAGMENT("/1", {"m", NULL, NULL}, {"m", "Adapters", "1"},
				{"m", "ControlDomains", rows[i].first},
				{"m", rows[i].second ? "ControlDomains" : "Adapters",
					rows[i].second ? rows[i].second : "1"},
				{"m", "Domains", "4"}),
			FRAGMENT("/2", {"m", NULL, NULL}, {"m", "Domains", "7"}));
		char list[MASK_LIST_SIZE];

		mask_format_list(&c->matrices[0].want.control_domains, list);
		ck_assert_msg(strcmp(list, rows[i].expected) == 0, "row %zu: %s", i, list);
		if (i == 1)
			assert_origin(
				matrix_config_origin_of(&c->matrices[0], KEY_CONTROL_DOMAINS, 7),
				"/1", 3);
		ck_assert_uint_eq(p.n, 0);
		config_free(c);
	}
}
END_TEST

START_TEST(gives_matrices_the_hosts_live_change)
{
	struct problems p = {};
	struct config *c = BUILD(&p,
		FRAGMENT("/1", {"a", NULL, NULL}, {"a", "Adapters", "1"}, {"a", "Domains", "1"},
			{"b", NULL, NULL}, {"b", "Adapters", "1"}, {"b", "Domains", "2"},
			{"b", "LiveChange", "all"}),
		FRAGMENT("/2", {HOST, NULL, NULL}, {HOST, "LiveChange", "none"}));

	ck_assert_int_eq(config_find(c, "a")->live_change, LIVE_NONE);
	ck_assert_int_eq(config_find(c, "b")->live_change, LIVE_ALL);
	assert_origin(c->host.origin[KEY_HOST_LIVE_CHANGE], "/2", 2);
	config_free(c);
}
END_TEST

START_TEST(merges_the_hosts_settings)
{
	struct problems p = {};
	struct config *c = BUILD(&p,
		FRAGMENT("/1", {HOST, NULL, NULL}, {HOST, "KeepQueues", "01.*"},
			{HOST, "KeepQueues", ""}, {HOST, "KeepQueues", "03.*"},
			{HOST, "Drift", "report"}, {HOST, "Foreign", "remove"}),
		FRAGMENT("/2", {HOST, NULL, NULL}, {HOST, "KeepQueues", "03-05.0000"},
			{HOST, "Drift", ""}, {HOST, "QueuePool", "masks"}));
	const struct host_config *h = &c->host;

	ck_assert_uint_eq(h->n_keeps, 2);
	ck_assert_uint_eq(queues_count(&h->keep), 256 + 2);
	assert_origin(host_config_keep_origin(h, 3, 0), "/1", 4);
	assert_origin(host_config_keep_origin(h, 5, 0), "/2", 2);
	ck_assert_ptr_null(host_config_keep_origin(h, 1, 0).file);
	ck_assert_int_eq(h->drift, DRIFT_REPAIR);
	ck_assert_ptr_null(h->origin[KEY_DRIFT].file);
	ck_assert_int_eq(h->foreign, FOREIGN_REMOVE);
	ck_assert_int_eq(h->pool, POOL_MASKS);
	assert_origin(h->origin[KEY_QUEUE_POOL], "/2", 4);
	config_free(c);
}
END_TEST

START_TEST(keeps_all_queues_even_of_too_many_lines)
{
	struct fragment *f = FRAGMENT("/1", {HOST, NULL, NULL});
	struct problems p = {};
	struct config *c;

	for (unsigned i = 0; i < CONFIG_KEEPS_MAX + 2; i++) {
		char queue[QUEUE_NAME_SIZE];

		queue_format(i / 256, i % 256, queue);
		ck_assert_int_eq(
			fragment_add(f, SECTION_HOST, NULL, "KeepQueues", queue, i + 2), 0);
	}
	c = BUILD(&p, f);
	ck_assert_uint_eq(c->host.n_keeps, CONFIG_KEEPS_MAX);
	ck_assert_uint_eq(queues_count(&c->host.keep), CONFIG_KEEPS_MAX + 2);
	ck_assert_uint_eq(p.n, 1);
	ck_assert_str_eq(p.items[0].code, "too-many-keeps");
	ck_assert_uint_eq(p.items[0].line, CONFIG_KEEPS_MAX + 2);
	problems_done(&p);
	config_free(c);
}
END_TEST

START_TEST(reports_matrices_without_queues_and_keeps_them)
{
	struct problems p = {};
	struct config *c = BUILD(&p,
		FRAGMENT("/1", {"a", NULL, NULL}, {"b", NULL, NULL}, {"b", "Adapters", "1"},
			{"c", NULL, NULL}, {"c", "Domains", "1"}, {"c", "Adapters", "1"},
			{"c", "Adapters", ""}));
	static const struct {
		unsigned line;
		const char *object, *text;
	} rows[] = {
		{1, "a", "lacks Adapters= and Domains= and"},
		{2, "b", "lacks Domains= and"},
		{4, "c", "lacks Adapters= and"},
	};

	ck_assert_uint_eq(c->n_matrices, 3);
	ck_assert_uint_eq(p.n, ARRAY_SIZE(rows));
	for (size_t i = 0; i < p.n; i++) {
		ck_assert_str_eq(p.items[i].code, "incomplete-matrix");
		ck_assert_str_eq(p.items[i].object, rows[i].object);
		ck_assert_uint_eq(p.items[i].line, rows[i].line);
		ck_assert_ptr_nonnull(strstr(p.items[i].text, rows[i].text));
	}
	problems_done(&p);
	config_free(c);
}
END_TEST

START_TEST(reports_equal_uuids_at_every_place)
{
	struct problems p = {};
	struct config *c = BUILD(&p,
		FRAGMENT("/1", {"a", NULL, NULL}, {"a", "UUID", UUID_A}, {"a", "Adapters", "1"},
			{"a", "Domains", "1"}, {"d", NULL, NULL}, {"d", "Adapters", "1"},
			{"d", "Domains", "4"}, {"e", NULL, NULL}, {"e", "Adapters", "1"},
			{"e", "Domains", "5"}),
		FRAGMENT("/2", {"b", NULL, NULL}, {"b", "UUID", UUID_B}, {"b", "Adapters", "1"},
			{"b", "Domains", "2"}, {"c", NULL, NULL},
			{"c", "UUID", "62177883-F1BB-47F0-914D-32A22E3A8804"},
			{"c", "Adapters", "1"}, {"c", "Domains", "3"}));

	ck_assert_uint_eq(p.n, 0);
	/* d and e have no UUID yet: that is no duplicate. */
	ck_assert_int_eq(config_check_uuids(c, &p), 0);
	ck_assert_uint_eq(p.n, 2);
	ck_assert_str_eq(p.items[0].code, "duplicate-uuid");
	ck_assert_str_eq(p.items[0].object, "a");
	ck_assert_str_eq(p.items[0].file, "/1");
	ck_assert_uint_eq(p.items[0].line, 2);
	ck_assert_ptr_nonnull(strstr(p.items[0].text, "[Matrix c] (/2:6)"));
	ck_assert_str_eq(p.items[1].object, "c");
	ck_assert_uint_eq(p.items[1].line, 6);
	ck_assert_ptr_nonnull(strstr(p.items[1].text, "[Matrix a] (/1:2)"));
	ck_assert_uint_eq(c->n_matrices, 5);
	problems_done(&p);
	config_free(c);
}
END_TEST

/* What takes time with the square of the lines would be seen here. */
START_TEST(merges_many_overriding_lines)
{
	struct fragment *f = FRAGMENT("/1", {"m", NULL, NULL}, {"m", "Domains", "1"});
	struct problems p = {};
	struct config *c;

	for (unsigned i = 0; i < 100000; i++) {
		ck_assert_int_eq(
			fragment_add(f, SECTION_MATRIX, "m", "Adapters", "1", 2 * i + 3), 0);
		ck_assert_int_eq(fragment_add(f, SECTION_MATRIX, "m", "Start",
					 i % 2 ? "manual" : "", 2 * i + 4),
			0);
	}
	c = BUILD(&p, f);
	ck_assert_uint_eq(c->matrices[0].n_settings, 100002);
	ck_assert_int_eq(c->matrices[0].start, START_MANUAL);
	assert_origin(matrix_config_origin(&c->matrices[0], KEY_START), "/1", 200002);
	config_free(c);
}
END_TEST

START_TEST(finds_by_name_and_uuid)
{
	struct problems p = {};
	struct config *c = BUILD(&p, FRAGMENT("/1", {"m", NULL, NULL}, {"m", "UUID", UUID_A}));

	ck_assert_ptr_eq(config_find(c, "m"), &c->matrices[0]);
	ck_assert_ptr_null(config_find(c, "M"));
	ck_assert_ptr_eq(config_find_uuid(c, UUID_A), &c->matrices[0]);
	ck_assert_ptr_eq(
		config_find_uuid(c, "62177883-F1BB-47F0-914D-32A22E3A8804"), &c->matrices[0]);
	ck_assert_ptr_null(config_find_uuid(c, UUID_B));
	ck_assert_ptr_null(config_find_uuid(c, ""));
	problems_done(&p);
	config_free(c);
}
END_TEST

START_TEST(defines_the_first_matrices_of_too_many)
{
	struct fragment *f = fragment_new("/1");
	struct problems p = {};
	struct config *c;
	char name[16];

	/* Names fall while lines rise: what counts is the order of the lines. */
	for (unsigned i = 0; i < CONFIG_MATRICES_MAX + 2; i++) {
		snprintf(name, sizeof(name), "m%06u", 100000 - i);
		ck_assert_int_eq(fragment_add(f, SECTION_MATRIX, name, NULL, NULL, 3 * i + 1), 0);
		ck_assert_int_eq(
			fragment_add(f, SECTION_MATRIX, name, "Adapters", "1", 3 * i + 2), 0);
		ck_assert_int_eq(
			fragment_add(f, SECTION_MATRIX, name, "Domains", "1", 3 * i + 3), 0);
	}
	c = BUILD(&p, f);
	ck_assert_uint_eq(c->n_matrices, CONFIG_MATRICES_MAX);
	ck_assert_uint_eq(p.n, 1);
	ck_assert_str_eq(p.items[0].code, "too-many-matrices");
	ck_assert_uint_eq(p.items[0].line, 3 * CONFIG_MATRICES_MAX + 1);
	ck_assert_ptr_nonnull(config_find(c, "m100000"));
	ck_assert_ptr_null(config_find(c, p.items[0].object));
	for (size_t i = 1; i < c->n_matrices; i++)
		ck_assert_int_lt(strcmp(c->matrices[i - 1].name, c->matrices[i].name), 0);
	problems_done(&p);
	config_free(c);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config");
	TCase *tc = tcase_create("config");

	tcase_add_test(tc, accepts_every_key_and_word);
	tcase_add_test(tc, names_what_is_wrong_and_what_to_write);
	tcase_add_test(tc, counts_every_mistake_of_a_fragment);
	tcase_add_test(tc, cuts_long_values_in_messages_between_characters);
	tcase_add_test(tc, guesses_the_word_that_was_meant);
	tcase_add_test(tc, has_the_documented_defaults);
	tcase_add_test(tc, merges_in_order_of_the_fragments);
	tcase_add_test(tc, resolves_usage_at_the_end);
	tcase_add_test(tc, gives_matrices_the_hosts_live_change);
	tcase_add_test(tc, merges_the_hosts_settings);
	tcase_add_test(tc, keeps_all_queues_even_of_too_many_lines);
	tcase_add_test(tc, reports_matrices_without_queues_and_keeps_them);
	tcase_add_test(tc, reports_equal_uuids_at_every_place);
	tcase_add_test(tc, merges_many_overriding_lines);
	tcase_add_test(tc, finds_by_name_and_uuid);
	tcase_add_test(tc, defines_the_first_matrices_of_too_many);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
