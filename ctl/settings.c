/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/settings.h"

#include <string.h>

#define SEPARATORS ", \t"

static bool is_list(int key)
{
	return key == KEY_ADAPTERS || key == KEY_DOMAINS || key == KEY_CONTROL_DOMAINS;
}

static void setting_done(struct raw_setting *s)
{
	free((char *)s->key);
	free((char *)s->value);
}

void settings_done(struct settings *s)
{
	for (size_t i = 0; i < s->n; i++)
		setting_done(&s->items[i]);
	free(s->items);
	*s = (struct settings){0};
}

static struct raw_setting *find(const struct settings *s, const char *key)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->items[i].key, key) == 0)
			return &s->items[i];
	return NULL;
}

const char *settings_find(const struct settings *s, enum matrix_key key)
{
	const struct raw_setting *item = find(s, matrix_key_to_string(key));

	return item ? item->value : NULL;
}

static int append_new(struct settings *s, const char *key, const char *value)
{
	struct raw_setting *items = reallocarray(s->items, s->n + 1, sizeof(*items));
	struct raw_setting item = {.key = strdup(key), .value = strdup(value)};

	if (items)
		s->items = items;
	if (!items || !item.key || !item.value) {
		setting_done(&item);
		return -ENOMEM;
	}
	items[s->n++] = item;
	return 0;
}

static int replace(struct settings *s, const char *key, const char *value)
{
	struct raw_setting *item = find(s, key);
	char *copy;

	if (!item)
		return append_new(s, key, value);
	copy = strdup(value);
	if (!copy)
		return -ENOMEM;
	free((char *)item->value);
	item->value = copy;
	return 0;
}

int settings_set(struct settings *s, enum matrix_key key, const char *value)
{
	return replace(s, matrix_key_to_string(key), value);
}

/* One assignment after those that are there, as drop-ins merge them. */
static int add(struct settings *s, const char *key, const char *value)
{
	const struct raw_setting *item = find(s, key);
	_cleanup_free_ char *both = NULL;

	if (!item || !*item->value || !*value || !is_list(matrix_key_from_string(key)))
		return replace(s, key, value);
	if (asprintf(&both, "%s,%s", item->value, value) < 0) {
		both = NULL;
		return -ENOMEM;
	}
	return replace(s, key, both);
}

/* What is no assignment is a name too many, or a list with a blank that the shell has split. */
static int refuse_argument(const char *arg, struct problems *p)
{
	return problems_add(p, PROBLEM_ERROR, "bad-argument", NULL, NULL, 0,
		"'%s' is no KEY=VALUE; write, for example, Adapters=5,6 Domains=4 without blanks "
		"around = and commas",
		arg);
}

int settings_parse(char *const *args, struct settings *ret, struct problems *p)
{
	struct settings s = {0};
	int r = 0;

	for (char *const *arg = args; *arg && r == 0; arg++) {
		const char *equals = strchr(*arg, '=');
		_cleanup_free_ char *key = NULL;

		if (!equals || equals == *arg) {
			r = refuse_argument(*arg, p);
			continue;
		}
		key = strndup(*arg, (size_t)(equals - *arg));
		r = key ? add(&s, key, equals + 1) : -ENOMEM;
	}
	if (r < 0) {
		settings_done(&s);
		return r;
	}
	*ret = s;
	return 0;
}

bool setting_is_relative(const struct raw_setting *s)
{
	const char *value = s->value + strspn(s->value, SEPARATORS);

	return is_list(matrix_key_from_string(s->key)) && (*value == '+' || *value == '-');
}

/* "+N", "-N", "+N-M" or "-N-M".  0, or -EINVAL with a reason. */
static int apply_term(struct mask *m, const char *term, const char **ret_reason)
{
	struct mask_error e;
	struct mask numbers;

	if (*term != '+' && *term != '-') {
		*ret_reason = "has no sign";
		return -EINVAL;
	}
	if (!term[1]) {
		*ret_reason = "has no number";
		return -EINVAL;
	}
	if (mask_parse_list(term + 1, &numbers, &e) < 0) {
		*ret_reason = e.reason;
		return -EINVAL;
	}
	*m = *term == '+' ? mask_or(m, &numbers) : mask_andnot(m, &numbers);
	return 0;
}

static int apply_terms(const struct raw_setting *s, struct mask *m, struct problems *p)
{
	_cleanup_free_ char *copy = strdup(s->value);
	char *rest = copy, *term;
	const char *reason;

	if (!copy)
		return -ENOMEM;
	while ((term = strsep(&rest, SEPARATORS))) {
		if (!*term || apply_term(m, term, &reason) == 0)
			continue;
		return problems_add(p, PROBLEM_ERROR, "bad-value", NULL, NULL, 0,
			"%s=%s: %s %s; write numbers from 0 to 255 or ranges like 5-7, all of "
			"them with + or - before, or none",
			s->key, s->value, term, reason);
	}
	return 0;
}

static struct mask numbers_of(const struct matrix *m, int key)
{
	return key == KEY_ADAPTERS   ? m->adapters
		: key == KEY_DOMAINS ? m->domains
				     : m->control_domains;
}

int settings_resolve(const struct settings *s, const struct matrix *now, struct settings *ret,
	struct problems *p)
{
	struct settings whole = {0};
	int r = 0;

	for (size_t i = 0; i < s->n && r == 0; i++) {
		const struct raw_setting *item = &s->items[i];
		char list[MASK_LIST_SIZE];
		struct mask m;

		if (!setting_is_relative(item)) {
			r = append_new(&whole, item->key, item->value);
			continue;
		}
		m = numbers_of(now, matrix_key_from_string(item->key));
		r = apply_terms(item, &m, p);
		mask_format_list(&m, list);
		if (r == 0)
			r = append_new(&whole, item->key, list);
	}
	if (r < 0) {
		settings_done(&whole);
		return r;
	}
	*ret = whole;
	return 0;
}

int settings_check(const struct settings *s, const char *name, struct problems *p)
{
	_cleanup_(cleanup_fragment_free) struct fragment *f = fragment_new("");
	int r = f ? fragment_add(f, SECTION_MATRIX, name, NULL, NULL, 0) : -ENOMEM;

	for (size_t i = 0; i < s->n && r == 0; i++)
		r = fragment_add(f, SECTION_MATRIX, name, s->items[i].key, s->items[i].value, 0);
	if (r == 0)
		r = fragment_check(f, p);
	return r < 0 ? r : 0;
}

void settings_print(const struct settings *s, const char *name, FILE *out)
{
	fprintf(out, "[Matrix %s]\n", name);
	for (size_t i = 0; i < s->n; i++)
		fprintf(out, "%s=%s\n", s->items[i].key, s->items[i].value);
}
