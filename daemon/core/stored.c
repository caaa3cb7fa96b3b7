/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * udev's syntax is read only as far as chzdev writes it: one token KEY="VALUE" a line.  Tokens are
 * found wherever they stand, since a person may have put several on a line.
 */
#include "core/stored.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define DROP_THEM "'chzdev --type ap --persistent --remove-all' drops them"
#define VALUE_MAX 512u /* more than the kernel takes */

struct stored_masks stored_none(void)
{
	return (struct stored_masks){.apmask = mask_full(), .aqmask = mask_full()};
}

/* ---- reading ---- */

struct span {
	const char *at, *end;
};

static void skip_blanks(struct span *s)
{
	while (s->at < s->end && isspace((unsigned char)*s->at))
		s->at++;
}

static bool skip(struct span *s, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(s->end - s->at) < n || memcmp(s->at, word, n) != 0)
		return false;
	s->at += n;
	return true;
}

/* Up to @last, which must come; @s goes on behind it. */
static bool take_until(struct span *s, char last, struct span *ret)
{
	const char *end = memchr(s->at, last, (size_t)(s->end - s->at));

	if (!end)
		return false;
	*ret = (struct span){s->at, end};
	s->at = end + 1;
	return true;
}

static bool ends_in(struct span s, const char *tail)
{
	size_t n = strlen(tail);

	return (size_t)(s.end - s.at) >= n && memcmp(s.end - n, tail, n) == 0;
}

/* The next ATTR{...}="..." or :="..." of the line; false: no more. */
static bool next_assignment(struct span *line, struct span *ret_attribute, struct span *ret_value)
{
	while (line->at < line->end) {
		if (!skip(line, "ATTR{")) {
			line->at++;
			continue;
		}
		if (!take_until(line, '}', ret_attribute))
			return false;
		skip_blanks(line);
		skip(line, ":");
		if (!skip(line, "="))
			continue;
		skip_blanks(line);
		/* "==" compares. */
		if (skip(line, "\"") && take_until(line, '"', ret_value))
			return true;
	}
	return false;
}

static int take_value(struct mask *mask, struct origin *at, struct span value, const char *path,
	unsigned line, const char *name, struct problems *p)
{
	size_t n = (size_t)(value.end - value.at);
	char text[VALUE_MAX];

	if (n > 0 && n < sizeof(text) && !memchr(value.at, '\0', n)) {
		memcpy(text, value.at, n);
		text[n] = '\0';
		if (mask_update_kernel(mask, text) == 0) {
			*at = (struct origin){path, line};
			return 0;
		}
	}
	return problems_add(p, PROBLEM_WARNING, "stored-masks", NULL, path, line,
		"the kernel would not take what is stored as %s; store it again by 'chzdev --type "
		"ap --persistent %s=...', or drop it by 'chzdev --type ap --persistent --remove "
		"%s'",
		name, name, name);
}

static int read_line(struct span line, const char *path, unsigned number, struct problems *p,
	struct stored_masks *s)
{
	struct span attribute, value;
	int r = 0;

	skip_blanks(&line);
	if (line.at < line.end && *line.at == '#')
		return 0;
	while (r == 0 && next_assignment(&line, &attribute, &value)) {
		if (ends_in(attribute, "bus/ap/apmask"))
			r = take_value(&s->apmask, &s->apmask_at, value, path, number, "apmask", p);
		else if (ends_in(attribute, "bus/ap/aqmask"))
			r = take_value(&s->aqmask, &s->aqmask_at, value, path, number, "aqmask", p);
	}
	return r;
}

int stored_parse(const char *path, const char *text, size_t size, struct problems *p,
	struct stored_masks *ret)
{
	struct stored_masks s = stored_none();
	unsigned number = 1;

	for (const char *at = text, *end = text + size; at < end; number++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		struct span line = {at, newline ? newline : end};
		int r = read_line(line, path, number, p, &s);

		if (r < 0)
			return r;
		at = newline ? newline + 1 : end;
	}
	*ret = s;
	return 0;
}

/* ---- holding against the drop-ins ---- */

/* "FILE:9", "FILE:9 and FILE:10": the lines that speak of the queue, whichever there are. */
static void format_place(const struct stored_masks *s, char *buf, size_t size)
{
	const struct origin *one = s->apmask_at.file ? &s->apmask_at : &s->aqmask_at;
	const struct origin *two = s->apmask_at.file ? &s->aqmask_at : NULL;

	if (two && two->file)
		snprintf(buf, size, "%s:%u and %s:%u", one->file, one->line, two->file, two->line);
	else
		snprintf(buf, size, "%s:%u", one->file, one->line);
}

/* What holds between the boot's masks and the drop-ins coming true. */
static const char *until(const struct config *c)
{
	return c->host.pool == POOL_EXTERNAL ? "QueuePool=external leaves it so"
					     : "apmatrixd changes that when it starts";
}

static int check_matrix(const struct stored_masks *s, const struct config *c,
	const struct matrix_config *m, struct problems *p)
{
	struct mask adapters = mask_and(&m->want.adapters, &s->apmask);
	struct mask domains = mask_and(&m->want.domains, &s->aqmask);
	unsigned n = mask_count(&adapters) * mask_count(&domains);
	char queue[QUEUE_NAME_SIZE], more[32] = "", place[512];
	struct origin at;

	if (n == 0)
		return 0;
	at = matrix_config_origin_of(m, KEY_ADAPTERS, mask_next(&adapters, 0));
	queue_format(mask_next(&adapters, 0), mask_next(&domains, 0), queue);
	if (n > 1)
		snprintf(more, sizeof(more), " (and %u more)", n - 1);
	format_place(s, place, sizeof(place));
	return problems_add(p, PROBLEM_WARNING, "stored-masks", m->name, at.file, at.line,
		"queue %s%s is wanted here, but the masks that chzdev stored (%s) leave it to the "
		"host at each boot; %s; store masks that give it away, or " DROP_THEM,
		queue, more, place, until(c));
}

/* The first queue of @q that the masks take from the host; false: none. */
static bool first_taken(const struct stored_masks *s, const struct queues *q, unsigned *ret_adapter,
	unsigned *ret_domain)
{
	for (unsigned a = 0; a < MASK_BITS; a++) {
		MASK_FOREACH (d, &q->row[a]) {
			if (!stored_takes(s, a, d))
				continue;
			*ret_adapter = a;
			*ret_domain = d;
			return true;
		}
	}
	return false;
}

static int check_keep(const struct stored_masks *s, const struct config *c, const struct keep *k,
	struct problems *p)
{
	char queue[QUEUE_NAME_SIZE];
	struct origin by;
	unsigned a, d;

	if (!first_taken(s, &k->queues, &a, &d))
		return 0;
	by = mask_test(&s->apmask, a) ? s->aqmask_at : s->apmask_at;
	queue_format(a, d, queue);
	return problems_add(p, PROBLEM_WARNING, "stored-masks", NULL, k->origin.file,
		k->origin.line,
		"queue %s is to stay with the host, but the masks that chzdev stored (%s:%u) take "
		"it from the host at each boot; %s; store masks that keep it, or " DROP_THEM,
		queue, by.file, by.line, until(c));
}

int stored_check(const struct config *c, struct problems *p)
{
	const struct stored_masks *s = &c->stored;
	int r = 0;

	if (!s->apmask_at.file && !s->aqmask_at.file)
		return 0;
	for (size_t i = 0; i < c->n_matrices && r == 0; i++)
		r = check_matrix(s, c, &c->matrices[i], p);
	for (size_t i = 0; i < c->host.n_keeps && r == 0; i++)
		r = check_keep(s, c, &c->host.keeps[i], p);
	return r;
}
