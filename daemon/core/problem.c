/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lists of problems, which own their strings.  It does not know who reads them, and judges
 * nothing itself.
 */
#include "core/problem.h"

#include <stdarg.h>

static const char *const problem_severity_table[] = {
	[PROBLEM_ERROR] = "error",
	[PROBLEM_WARNING] = "warning",
	[PROBLEM_NOTE] = "note",
};
DEFINE_STRTAB(problem_severity, enum problem_severity)

static void problem_done(struct problem *p)
{
	free(p->object);
	free(p->file);
	free(p->text);
}

static char *copy_or_empty(const char *text)
{
	return strdup(text ? text : "");
}

/* Moves *item, which may lack strings for want of memory, to the end of the list; it is left
 * empty on success and as it was on failure. */
static int push(struct problems *p, struct problem *item)
{
	if (!item->object || !item->file || !item->text)
		return -ENOMEM;

	/* In powers of two: the array is full whenever its number is one. */
	if ((p->n & (p->n - 1)) == 0) {
		struct problem *items = reallocarray(p->items, p->n ? 2 * p->n : 1, sizeof(*items));

		if (!items)
			return -ENOMEM;
		p->items = items;
	}
	p->items[p->n++] = *item;
	*item = (struct problem){};
	return 0;
}

int problems_add(struct problems *p, enum problem_severity severity, const char *code,
	const char *object, const char *file, unsigned line, const char *format, ...)
{
	_cleanup_(problem_done) struct problem item = {
		.severity = severity,
		.code = code,
		.object = copy_or_empty(object),
		.file = copy_or_empty(file),
		.line = line,
	};
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&item.text, format, ap) < 0)
		item.text = NULL; /* which vasprintf() leaves undefined */
	va_end(ap);
	return push(p, &item);
}

/* Drops all but the first @n. */
static void truncate_to(struct problems *p, size_t n)
{
	while (p->n > n)
		problem_done(&p->items[--p->n]);
}

int problems_append(struct problems *p, const struct problems *from)
{
	size_t before = p->n, n = from->n;

	for (size_t i = 0; i < n; i++) {
		_cleanup_(problem_done) struct problem item = from->items[i];
		int r;

		item.object = copy_or_empty(item.object);
		item.file = copy_or_empty(item.file);
		item.text = copy_or_empty(item.text);
		r = push(p, &item);
		if (r < 0) {
			truncate_to(p, before);
			return r;
		}
	}
	return 0;
}

size_t problems_n_errors(const struct problems *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += p->items[i].severity == PROBLEM_ERROR;
	return n;
}

static bool problem_equal(const struct problem *a, const struct problem *b)
{
	return a->severity == b->severity && a->line == b->line && strcmp(a->code, b->code) == 0 &&
		strcmp(a->object, b->object) == 0 && strcmp(a->file, b->file) == 0 &&
		strcmp(a->text, b->text) == 0;
}

bool problems_equal(const struct problems *a, const struct problems *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!problem_equal(&a->items[i], &b->items[i]))
			return false;
	return true;
}

int problem_format(const struct problem *p, char **ret)
{
	char line[sizeof(":4294967295")] = "";
	char *text;

	if (*p->file && p->line)
		snprintf(line, sizeof(line), ":%u", p->line);
	if (asprintf(&text, "%s%s%s%s%s%s", p->file, line, *p->file ? ": " : "", p->object,
		    *p->object ? ": " : "", p->text) < 0)
		return -ENOMEM;
	*ret = text;
	return 0;
}

void problems_done(struct problems *p)
{
	truncate_to(p, 0);
	free(p->items);
	p->items = NULL;
}
