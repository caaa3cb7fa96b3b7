/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One text into one fragment: which sections there are, and what to say about those that are
 * not.  The keys and values are the core's to judge.
 */
#include "load/load.h"

#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "load/lines.h"

/* Beyond this many mistakes of a file only their number is told: Check() is open to everyone, and
 * 256 KiB of rubbish would make an answer of 20 MiB. */
#define TOLD_MAX 1000u

struct reader {
	struct fragment *fragment;
	struct problems mistakes; /* of the syntax, in order of their lines */
	enum { IN_NOTHING, IN_UNKNOWN, IN_HOST, IN_MATRIX } where;
	bool told_nothing; /* that there is no section yet */
	char name[LINES_SECTION_MAX + 1];
};

static int add_mistake(void *user, const char *code, const char *message, unsigned line)
{
	struct reader *r = user;

	return problems_add(
		&r->mistakes, PROBLEM_ERROR, code, NULL, r->fragment->path, line, "%s", message);
}

static int unknown_section(struct reader *r, const char *header, const char *word, unsigned line)
{
	static const char *const words[] = {"Host", "Matrix"};
	const char *meant = text_closest(word, words, ARRAY_SIZE(words));
	const char *reason = "is not a section; write [Host] or [Matrix NAME]";
	char excerpt[TEXT_EXCERPT_SIZE];

	if (strcmp(word, "Host") == 0)
		reason = "takes no name; write [Host]";
	else if (strcmp(word, "Matrix") == 0)
		reason = "has no name; write [Matrix NAME]";
	else if (meant == words[0])
		reason = "is not a section; did you mean [Host]?";
	else if (meant == words[1])
		reason = "is not a section; did you mean [Matrix NAME]?";
	text_excerpt(header, strlen(header), excerpt);
	return problems_add(&r->mistakes, PROBLEM_ERROR, "unknown-section", NULL, r->fragment->path,
		line, "[%s] %s", excerpt, reason);
}

static int on_section(void *user, const char *header, unsigned line)
{
	struct reader *r = user;
	char word[LINES_SECTION_MAX + 1];
	const char *name;
	size_t n;

	r->where = IN_UNKNOWN;
	if (!header)
		return 0;
	n = strcspn(header, " \t");
	name = header + n + strspn(header + n, " \t");
	memcpy(word, header, n);
	word[n] = '\0';
	if (strcmp(word, "Host") == 0 && !*name) {
		r->where = IN_HOST;
		return fragment_add(r->fragment, SECTION_HOST, NULL, NULL, NULL, line);
	}
	if (strcmp(word, "Matrix") == 0 && *name) {
		r->where = IN_MATRIX;
		strcpy(r->name, name);
		return fragment_add(r->fragment, SECTION_MATRIX, r->name, NULL, NULL, line);
	}
	return unknown_section(r, header, word, line);
}

static int on_pair(void *user, const char *key, const char *value, unsigned line)
{
	struct reader *r = user;

	switch (r->where) {
	case IN_HOST:
		return fragment_add(r->fragment, SECTION_HOST, NULL, key, value, line);
	case IN_MATRIX:
		return fragment_add(r->fragment, SECTION_MATRIX, r->name, key, value, line);
	case IN_UNKNOWN:
		return 0; /* whose keys these are nobody knows */
	default:
		if (r->told_nothing)
			return 0;
		r->told_nothing = true;
		return problems_add(&r->mistakes, PROBLEM_ERROR, "no-section", NULL,
			r->fragment->path, line,
			"%s= is in no section; write [Host] or [Matrix NAME] above it", key);
	}
}

static int tell(struct problems *p, const struct problem *one)
{
	return problems_append(p, &(struct problems){.items = (struct problem *)one, .n = 1});
}

/* Appends two lists that are in order of their lines, as one in that order. */
static int tell_all(struct problems *p, const struct problems *a, const struct problems *b)
{
	size_t i = 0, j = 0;

	while (i + j < a->n + b->n && i + j < TOLD_MAX) {
		bool first = j == b->n || (i < a->n && a->items[i].line <= b->items[j].line);
		int r = tell(p, first ? &a->items[i++] : &b->items[j++]);

		if (r < 0)
			return r;
	}
	if (i + j == a->n + b->n)
		return 0;
	return problems_add(p, PROBLEM_ERROR, "too-many-errors", NULL, p->items[p->n - 1].file, 0,
		"%zu more errors in this file are not shown; correct those above first",
		a->n + b->n - i - j);
}

static int read_and_check(struct reader *r, const char *text, size_t size, struct problems *judged)
{
	const struct lines_sink sink = {
		.section = on_section,
		.pair = on_pair,
		.mistake = add_mistake,
		.user = r,
	};
	int e = lines_read(text, size, &sink);

	if (e == 0)
		e = fragment_check(r->fragment, judged);
	return e < 0 ? e : 0;
}

int load_text(const char *path, const char *text, size_t size, struct problems *p,
	struct fragment **ret_fragment)
{
	_cleanup_(cleanup_fragment_free) struct fragment *f = fragment_new(path);
	struct reader reader = {.fragment = f};
	struct problems judged = {};
	bool right = false;
	int r;

	if (!f)
		return -ENOMEM;
	r = read_and_check(&reader, text, size, &judged);
	if (r == 0) {
		right = problems_n_errors(&reader.mistakes) + problems_n_errors(&judged) == 0;
		r = tell_all(p, &reader.mistakes, &judged);
	}
	problems_done(&reader.mistakes);
	problems_done(&judged);
	if (r < 0)
		return r;
	*ret_fragment = right ? TAKE_PTR(f) : NULL;
	return 0;
}
