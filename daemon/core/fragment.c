/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One drop-in as a list of assignments, and the judgement of each by itself: is the key known, can
 * the value be read.  Nothing here knows of other files; what only the merge shows is config.c's.
 */
#include "core/config.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"

struct fragment *fragment_new(const char *path)
{
	_cleanup_free_ struct fragment *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->path = strdup(path);
	return f->path ? TAKE_PTR(f) : NULL;
}

static void assignment_done(struct assignment *a)
{
	free(a->name);
	free(a->key);
	free(a->value);
}

void fragment_free(struct fragment *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->n_items; i++)
		assignment_done(&f->items[i]);
	free(f->items);
	free(f->path);
	free(f);
}

/* The array has room for the next power of two: it is full whenever its size is one. */
static int fragment_grow(struct fragment *f)
{
	size_t n = f->n_items;
	struct assignment *bigger;

	if (n & (n - 1))
		return 0;
	bigger = reallocarray(f->items, n ? 2 * n : 1, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	f->items = bigger;
	return 0;
}

int fragment_add(struct fragment *f, enum section section, const char *name, const char *key,
	const char *value, unsigned line)
{
	struct assignment a = {.section = section, .line = line};

	if (fragment_grow(f) < 0)
		return -ENOMEM;
	a.name = name ? strdup(name) : NULL;
	a.key = key ? strdup(key) : NULL;
	a.value = key ? strdup(value) : NULL;
	if ((name && !a.name) || (key && (!a.key || !a.value))) {
		assignment_done(&a);
		return -ENOMEM;
	}
	f->items[f->n_items++] = a;
	return 0;
}

/* Where a mistake is, and the text to complain about. */
struct judge {
	const struct fragment *fragment;
	const struct assignment *item;
	struct problems *problems;
};

/* "KEY=VALUE: REASON": adds the problem; 1 (one error) or -ENOMEM. */
_printf_(2, 3) static int bad_value(const struct judge *j, const char *format, ...)
{
	const struct assignment *a = j->item;
	char value[TEXT_EXCERPT_SIZE];
	_cleanup_free_ char *reason = NULL;
	va_list ap;
	int r;

	va_start(ap, format);
	r = vasprintf(&reason, format, ap);
	va_end(ap);
	if (r < 0) {
		reason = NULL;
		return -ENOMEM;
	}
	text_excerpt(a->value, strlen(a->value), value);
	r = problems_add(j->problems, PROBLEM_ERROR, "bad-value", a->name, j->fragment->path,
		a->line, "%s=%s: %s", a->key, value, reason);
	return r < 0 ? r : 1;
}

/* The same for a part of the value; a lone comma is easier to see in quotes. */
static int bad_part(const struct judge *j, const struct mask_error *e, const char *hint)
{
	char part[TEXT_EXCERPT_SIZE];
	const char *quote;

	text_excerpt(j->item->value + e->offset, e->length, part);
	quote = isalnum((unsigned char)*part) ? "" : "\"";
	return bad_value(j, "%s%s%s %s; %s", quote, part, quote, e->reason, hint);
}

static int check_numbers(const struct judge *j)
{
	struct mask_error e;
	struct mask m;

	if (mask_parse_list(j->item->value, &m, &e) == 0)
		return 0;
	return bad_part(j, &e, "write numbers from 0 to 255 or ranges like 5-7");
}

static int check_control_domains(const struct judge *j)
{
	struct mask_error e;
	struct mask m;

	if (strcmp(j->item->value, "usage") == 0 || mask_parse_list(j->item->value, &m, &e) == 0)
		return 0;
	return bad_part(
		j, &e, "write numbers from 0 to 255 or ranges like 5-7, or only the word usage");
}

static int check_queues(const struct judge *j)
{
	struct mask_error e;
	struct queues q;

	if (queues_parse(j->item->value, &q, &e) == 0)
		return 0;
	return bad_part(j, &e, "write ADAPTER.DOMAIN in hex, such as 03.0012, 05-07.0000 or 03.*");
}

static int check_uuid(const struct judge *j)
{
	char uuid[UUID_SIZE];

	if (uuid_normalize(j->item->value, uuid))
		return 0;
	return bad_value(
		j, "this is not a UUID; write 8-4-4-4-12 hex digits, as uuidgen prints them");
}

static int check_guest(const struct judge *j)
{
	const char *value = j->item->value;

	if (strlen(value) > GUEST_NAME_MAX)
		return bad_value(j,
			"this has %zu bytes, more than %u; write the name of a libvirt domain",
			strlen(value), GUEST_NAME_MAX);
	for (const char *c = value; *c; c++)
		if (*c == '/' || iscntrl((unsigned char)*c))
			return bad_value(j,
				"this has a %s, which no libvirt domain's name has; write the name "
				"as virsh list shows it",
				*c == '/' ? "slash" : "control character");
	return 0;
}

/* The values of an enum that drop-ins may name: its table, from the first value on. */
#define WORDS_MAX 8u

static int check_word(const struct judge *j, const char *(*to_string)(int value))
{
	const char *words[WORDS_MAX] = {};
	char list[160] = "";
	size_t n = 0, used = 0;

	for (const char *w; n < WORDS_MAX && (w = to_string((int)n)); n++) {
		if (strcmp(w, j->item->value) == 0)
			return 0;
		words[n] = w;
		used += (size_t)snprintf(
			list + used, sizeof(list) - used, "%s%s", n ? ", " : "", w);
	}

	const char *meant = text_closest(j->item->value, words, n);

	if (meant)
		return bad_value(j, "this is none of %s; did you mean %s?", list, meant);
	return bad_value(j, "this is none of %s; write one of them", list);
}

#define DEFINE_WORDS(name, type)                       \
	static const char *name##_words(int value)     \
	{                                              \
		return name##_to_string((type)value);  \
	}                                              \
	static int check_##name(const struct judge *j) \
	{                                              \
		return check_word(j, name##_words);    \
	}

DEFINE_WORDS(pool_mode, enum pool_mode)
DEFINE_WORDS(foreign_mode, enum foreign_mode)
DEFINE_WORDS(drift_mode, enum drift_mode)
DEFINE_WORDS(live_change, enum live_change)
DEFINE_WORDS(start_mode, enum start_mode)

typedef int (*check_fn)(const struct judge *j);

static const check_fn matrix_checks[N_MATRIX_KEYS] = {
	[KEY_UUID] = check_uuid,
	[KEY_ADAPTERS] = check_numbers,
	[KEY_DOMAINS] = check_numbers,
	[KEY_CONTROL_DOMAINS] = check_control_domains,
	[KEY_GUEST] = check_guest,
	[KEY_START] = check_start_mode,
	[KEY_LIVE_CHANGE] = check_live_change,
};

static const check_fn host_checks[N_HOST_KEYS] = {
	[KEY_KEEP_QUEUES] = check_queues,
	[KEY_QUEUE_POOL] = check_pool_mode,
	[KEY_FOREIGN] = check_foreign_mode,
	[KEY_DRIFT] = check_drift_mode,
	[KEY_HOST_LIVE_CHANGE] = check_live_change,
};

/* The keys of a section, and as a text "UUID=, Adapters=, ...".  Returns their number. */
static size_t section_keys(bool host, const char *keys[static N_MATRIX_KEYS], char list[static 160])
{
	size_t n_keys = host ? N_HOST_KEYS : N_MATRIX_KEYS, used = 0;

	for (size_t i = 0; i < n_keys; i++) {
		keys[i] = host ? host_key_to_string((enum host_key)i)
			       : matrix_key_to_string((enum matrix_key)i);
		used += (size_t)snprintf(list + used, 160 - used, "%s%s=", i ? ", " : "", keys[i]);
	}
	return n_keys;
}

/* Adds the problem; 1 (one error) or -ENOMEM. */
static int unknown_key(const struct judge *j)
{
	const struct assignment *a = j->item;
	bool host = a->section == SECTION_HOST;
	const char *keys[N_MATRIX_KEYS];
	char list[160], key[TEXT_EXCERPT_SIZE];
	size_t n_keys = section_keys(host, keys, list);
	const char *meant = text_closest(a->key, keys, n_keys);
	const char *before = "it has ", *after = "";
	int r;

	if ((host ? matrix_key_from_string(a->key) : host_key_from_string(a->key)) >= 0) {
		before = "move it to a section ";
		meant = host ? "[Matrix NAME]" : "[Host]";
	} else if (meant) {
		before = "did you mean ";
		after = "=?";
	}
	text_excerpt(a->key, strlen(a->key), key);
	r = problems_add(j->problems, PROBLEM_ERROR, "unknown-key", a->name, j->fragment->path,
		a->line, "%s= is not a key of %s; %s%s%s", key, host ? "[Host]" : "[Matrix NAME]",
		before, meant ? meant : list, after);
	return r < 0 ? r : 1;
}

static bool matrix_name_valid(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n > MATRIX_NAME_MAX || *name == '.' || *name == '-')
		return false;
	for (const char *c = name; *c; c++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-",
			    *c))
			return false;
	return true;
}

static int check_header(const struct judge *j)
{
	const struct assignment *a = j->item;
	char name[TEXT_EXCERPT_SIZE];
	int r;

	if (a->section == SECTION_HOST || matrix_name_valid(a->name))
		return 0;
	text_excerpt(a->name, strlen(a->name), name);
	r = problems_add(j->problems, PROBLEM_ERROR, "bad-name", NULL, j->fragment->path, a->line,
		"[Matrix %s]: this is not a matrix's name; write 1 to %u of A-Z a-z 0-9 . _ - and "
		"no . or - first",
		name, MATRIX_NAME_MAX);
	return r < 0 ? r : 1;
}

/* Number of errors in the item (0 or 1), or -ENOMEM. */
static int check_item(const struct judge *j)
{
	const struct assignment *a = j->item;
	bool host = a->section == SECTION_HOST;
	int key;

	if (!a->key)
		return check_header(j);
	key = host ? host_key_from_string(a->key) : matrix_key_from_string(a->key);
	if (key < 0)
		return unknown_key(j);
	/* Nothing resets a list, and sets every other key back to its default. */
	if (!*a->value)
		return 0;
	return host ? host_checks[key](j) : matrix_checks[key](j);
}

int fragment_check(const struct fragment *f, struct problems *p)
{
	int n_errors = 0;

	for (size_t i = 0; i < f->n_items; i++) {
		struct judge j = {.fragment = f, .item = &f->items[i], .problems = p};
		int r = check_item(&j);

		if (r < 0)
			return r;
		n_errors += r;
	}
	return n_errors;
}
