/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Holds what is written about drop-ins against the tables of core/config.h: every key, word, default
 * and limit is in apmatrix.d(5), and conf/apmatrix.conf shows every key with its default.
 */
#include "load/load.h"

#include <fcntl.h>
#include <string.h>

#include "core/status.h"
#include "unit/unit.h"
#include "util/fileio.h"

#define TEXT_MAX (1024u * 1024u)

static const char *conf_path, *format_path, *daemon_path;

static char *read_text(const char *path)
{
	char *text = NULL;

	ck_assert_msg(file_read_at(AT_FDCWD, path, TEXT_MAX, &text) > 0, "%s", path);
	return text;
}

/* The part of @text from the line @from to the next one that begins with @until. */
static char *section_of(const char *text, const char *from, const char *until)
{
	const char *start = strstr(text, from), *end;

	ck_assert_msg(start, "there is no \"%s\"", from);
	start += strlen(from);
	end = strstr(start, until);
	return strndup(start, end ? (size_t)(end - start) : strlen(start));
}

/* ---- apmatrix.d(5) ---- */

typedef const char *(*words_fn)(int value);

#define DEFINE_WORDS(name, type)                      \
	static const char *name##_words(int value)    \
	{                                             \
		return name##_to_string((type)value); \
	}

DEFINE_WORDS(pool_mode, enum pool_mode)
DEFINE_WORDS(foreign_mode, enum foreign_mode)
DEFINE_WORDS(drift_mode, enum drift_mode)
DEFINE_WORDS(live_change, enum live_change)
DEFINE_WORDS(start_mode, enum start_mode)

/* The keys whose values are words, and the default's number; [Host]'s LiveChange= is explained in
 * the matrix's section. */
static const struct worded_key {
	const char *section, *key;
	words_fn words;
	int value;
} worded_keys[] = {
	{"\n# [HOST] SECTION\n", "QueuePool", pool_mode_words, POOL_AUTO},
	{"\n# [HOST] SECTION\n", "Foreign", foreign_mode_words, FOREIGN_KEEP},
	{"\n# [HOST] SECTION\n", "Drift", drift_mode_words, DRIFT_REPAIR},
	{"\n# [HOST] SECTION\n", "LiveChange", NULL, LIVE_GROW},
	{"\n# [MATRIX NAME] SECTION\n", "Start", start_mode_words, START_BOOT},
	{"\n# [MATRIX NAME] SECTION\n", "LiveChange", live_change_words, -1},
};

static void expect_key(const char *section, const char *key)
{
	_cleanup_free_ char *item = NULL;

	ck_assert_int_ge(asprintf(&item, "\n*%s=*", key), 0);
	ck_assert_msg(strstr(section, item), "%s= is not documented", key);
}

START_TEST(documents_every_key)
{
	_cleanup_free_ char *text = read_text(format_path);
	_cleanup_free_ char *host = section_of(text, "\n# [HOST] SECTION\n", "\n# ");
	_cleanup_free_ char *matrix = section_of(text, "\n# [MATRIX NAME] SECTION\n", "\n# ");

	for (int i = 0; i < N_HOST_KEYS; i++)
		expect_key(host, host_key_to_string((enum host_key)i));
	for (int i = 0; i < N_MATRIX_KEYS; i++)
		expect_key(matrix, matrix_key_to_string((enum matrix_key)i));
}
END_TEST

START_TEST(documents_every_word_and_default)
{
	_cleanup_free_ char *text = read_text(format_path);

	for (size_t i = 0; i < ARRAY_SIZE(worded_keys); i++) {
		const struct worded_key *k = &worded_keys[i];
		_cleanup_free_ char *section = section_of(text, k->section, "\n# ");
		_cleanup_free_ char *head = NULL, *item = NULL, *line = NULL;

		ck_assert_int_ge(asprintf(&head, "\n*%s=*", k->key), 0);
		item = section_of(section, head, "\n*");
		for (int n = 0; k->words && k->words(n); n++) {
			_cleanup_free_ char *word = NULL;

			ck_assert_int_ge(asprintf(&word, "\n\t*%s*\n", k->words(n)), 0);
			ck_assert_msg(
				strstr(item, word), "%s=%s is not documented", k->key, k->words(n));
		}
		if (k->value < 0)
			continue;
		ck_assert_int_ge(
			asprintf(&line, "Default: *%s*.",
				k->words ? k->words(k->value)
					 : live_change_to_string((enum live_change)k->value)),
			0);
		ck_assert_msg(strstr(item, line), "%s=: \"%s\" is missing", k->key, line);
	}
}
END_TEST

START_TEST(states_every_limit)
{
	static const struct limit {
		const char *what;
		unsigned value;
		const char *unit;
	} limits[] = {
		{"numbers of adapters and domains", MASK_BITS - 1, ""},
		{"size of a file", LOAD_FILE_MAX / 1024, " KiB"},
		{"length of a line", LOAD_LINE_MAX, " bytes"},
		{"name of a matrix", MATRIX_NAME_MAX, " characters"},
		{"name of a guest", GUEST_NAME_MAX, " bytes"},
		{"files", LOAD_FILES_MAX, ""},
		{"matrices", CONFIG_MATRICES_MAX, ""},
		{"*KeepQueues=* assignments in force", CONFIG_KEEPS_MAX, ""},
		{"queues of a matrix before Linux 7.2", MATRIX_SAFE_QUEUES, ""},
	};
	_cleanup_free_ char *text = read_text(format_path);
	_cleanup_free_ char *section = section_of(text, "\n# LIMITS\n", "\n# ");

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		_cleanup_free_ char *row = NULL;

		ck_assert_int_ge(asprintf(&row, "\n|  %s\n:  %u%s\n", limits[i].what,
					 limits[i].value, limits[i].unit),
			0);
		ck_assert_msg(strstr(section, row), "missing: %s", row);
	}
}
END_TEST

/* ---- apmatrixd(8) ---- */

static void expect_row(const char *section, const char *word)
{
	_cleanup_free_ char *row = NULL;

	ck_assert_int_ge(asprintf(&row, "\n|  %s\n", word), 0);
	ck_assert_msg(strstr(section, row), "%s is not documented", word);
}

START_TEST(documents_every_state_condition_and_hazard)
{
	_cleanup_free_ char *text = read_text(daemon_path);
	_cleanup_free_ char *host = section_of(text, "\n## Of the host\n", "\n## ");
	_cleanup_free_ char *matrix = section_of(text, "\n## Of a matrix\n", "\n# ");
	_cleanup_free_ char *conditions = section_of(text, "\n# CONDITIONS\n", "\n# ");
	_cleanup_free_ char *hazards = section_of(text, "\n# KERNEL HAZARDS\n", "\n# ");

	for (int i = 0; host_state_to_string((enum host_state)i); i++)
		expect_row(host, host_state_to_string((enum host_state)i));
	for (int i = 0; matrix_state_to_string((enum matrix_state)i); i++)
		expect_row(matrix, matrix_state_to_string((enum matrix_state)i));
	for (int i = 0; i < N_CONDITIONS; i++)
		expect_row(conditions, condition_type_to_string((enum condition_type)i));
	for (unsigned i = 0; i < N_KERNEL_HAZARDS; i++) {
		_cleanup_free_ char *item = NULL;

		ck_assert_int_ge(asprintf(&item, "\n*%s* (", kernel_hazard_name(1u << i)), 0);
		ck_assert_msg(
			strstr(hazards, item), "%s is not documented", kernel_hazard_name(1u << i));
	}
}
END_TEST

/* ---- conf/apmatrix.conf ---- */

/* Its text with every setting in force: "#Key=" and "#[" without the #. */
static char *uncomment(const char *text)
{
	char *out = malloc(strlen(text) + 1), *at = out;
	bool start = true;

	ck_assert_ptr_nonnull(out);
	for (const char *c = text; *c; c++) {
		bool setting = start && *c == '#' && c[1] != ' ' && c[1] != '\n';

		start = *c == '\n';
		if (!setting)
			*at++ = *c;
	}
	*at = '\0';
	return out;
}

static struct fragment *load_right(const char *text)
{
	struct fragment *f = NULL;
	struct problems p = {0};

	ck_assert_int_eq(load_text(conf_path, text, strlen(text), &p, &f), 0);
	ck_assert_msg(f, "%s", p.n ? p.items[0].text : "no reason");
	ck_assert_uint_eq(p.n, 0);
	return f;
}

START_TEST(sets_nothing_as_it_is_shipped)
{
	_cleanup_free_ char *text = read_text(conf_path);
	_cleanup_(cleanup_fragment_free) struct fragment *f = load_right(text);

	for (size_t i = 0; i < f->n_items; i++)
		ck_assert_msg(!f->items[i].key && f->items[i].section == SECTION_HOST,
			"line %u is in force", f->items[i].line);
}
END_TEST

static bool shows(const struct fragment *f, enum section section, const char *key)
{
	for (size_t i = 0; i < f->n_items; i++)
		if (f->items[i].section == section && f->items[i].key &&
			strcmp(f->items[i].key, key) == 0)
			return true;
	return false;
}

START_TEST(shows_every_key)
{
	_cleanup_free_ char *shipped = read_text(conf_path), *text = uncomment(shipped);
	_cleanup_(cleanup_fragment_free) struct fragment *f = NULL;
	char *name = strstr(text, "[Matrix NAME]");

	ck_assert_ptr_nonnull(name);
	f = load_right(text);
	for (int i = 0; i < N_HOST_KEYS; i++)
		ck_assert_msg(shows(f, SECTION_HOST, host_key_to_string((enum host_key)i)), "%s",
			host_key_to_string((enum host_key)i));
	for (int i = 0; i < N_MATRIX_KEYS; i++)
		ck_assert_msg(shows(f, SECTION_MATRIX, matrix_key_to_string((enum matrix_key)i)),
			"%s", matrix_key_to_string((enum matrix_key)i));
}
END_TEST

static struct config *build(const struct fragment *f)
{
	struct problems p = {0};
	struct config *c = NULL;

	ck_assert_int_eq(config_build(&f, 1, &p, &c), 0);
	ck_assert_msg(p.n == 0, "%s", p.n ? p.items[0].text : "");
	return c;
}

START_TEST(shows_the_defaults)
{
	_cleanup_free_ char *shipped = read_text(conf_path), *text = uncomment(shipped);
	_cleanup_(cleanup_fragment_free) struct fragment *shown = load_right(text);
	_cleanup_(cleanup_fragment_free) struct fragment *plain =
		load_right("[Matrix NAME]\nAdapters=5,6\nDomains=4,0xab\n");
	_cleanup_(cleanup_config_free) struct config *a = build(shown), *b = build(plain);
	const struct matrix_config *m = &a->matrices[0], *n = &b->matrices[0];

	ck_assert_int_eq(a->host.pool, b->host.pool);
	ck_assert_int_eq(a->host.foreign, b->host.foreign);
	ck_assert_int_eq(a->host.drift, b->host.drift);
	ck_assert_int_eq(a->host.live_change, b->host.live_change);
	ck_assert(queues_is_empty(&a->host.keep));
	ck_assert_uint_eq(a->n_matrices, 1);
	ck_assert_str_eq(m->name, n->name);
	ck_assert(m->uuid_derived);
	ck_assert(matrix_equal(&m->want, &n->want));
	ck_assert_str_eq(m->guest, n->guest);
	ck_assert_int_eq(m->start, n->start);
	ck_assert_int_eq(m->live_change, n->live_change);
}
END_TEST

/* test_settings CONF APMATRIX.D.SCD APMATRIXD.SCD */
int main(int argc, char **argv)
{
	Suite *s = suite_create("settings");
	TCase *c = tcase_create("settings");

	if (argc != 4)
		return EXIT_FAILURE;
	conf_path = argv[1];
	format_path = argv[2];
	daemon_path = argv[3];
	tcase_add_test(c, documents_every_key);
	tcase_add_test(c, documents_every_word_and_default);
	tcase_add_test(c, states_every_limit);
	tcase_add_test(c, documents_every_state_condition_and_hazard);
	tcase_add_test(c, sets_nothing_as_it_is_shipped);
	tcase_add_test(c, shows_every_key);
	tcase_add_test(c, shows_the_defaults);
	suite_add_tcase(s, c);
	return unit_main(s);
}
