/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "property/story.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define INDENT "    "

void story_add(struct story *s, char *command, char *body)
{
	s->lines = realloc(s->lines, (s->n + 1) * sizeof(*s->lines));
	if (!s->lines || !command)
		abort();
	s->lines[s->n++] = (struct line){command, body, NULL};
}

void story_done(struct story *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->lines[i].command);
		free(s->lines[i].body);
	}
	free(s->lines);
	*s = (struct story){};
}

struct story story_copy(const struct story *s)
{
	struct story copy = {};

	for (size_t i = 0; i < s->n; i++)
		story_add(&copy, strdup(s->lines[i].command),
			s->lines[i].body ? strdup(s->lines[i].body) : NULL);
	return copy;
}

void story_cut(struct story *s, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		free(s->lines[i].command);
		free(s->lines[i].body);
	}
	memmove(&s->lines[from], &s->lines[to], (s->n - to) * sizeof(*s->lines));
	s->n -= to - from;
}

static void body_add(struct line *l, const char *text)
{
	char *joined;

	if (asprintf(&joined, "%s%s\n", l->body ? l->body : "", text) < 0)
		abort();
	free(l->body);
	l->body = joined;
}

int story_read(struct story *s, const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	bool skip = false;
	size_t size = 0;

	if (!f)
		return -errno;
	while (getline(&line, &size, f) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, INDENT, strlen(INDENT)) == 0) {
			if (!skip && s->n > 0)
				body_add(&s->lines[s->n - 1], line + strlen(INDENT));
			continue;
		}
		skip = *line == '\0' || *line == '#' || strncmp(line, "expect ", 7) == 0;
		if (skip)
			continue;

		char *arrow = strstr(line, " -> ");

		if (arrow)
			*arrow = '\0';
		story_add(s, strdup(line), NULL);
	}
	return 0;
}

void story_print(const struct story *s, size_t n, FILE *f)
{
	for (size_t i = 0; i < n && i < s->n; i++) {
		const struct line *l = &s->lines[i];

		fprintf(f, "%s%s%s\n", l->command, l->outcome ? " -> " : "",
			l->outcome ? l->outcome : "");
		for (const char *p = l->body ? l->body : ""; *p;) {
			size_t length = strcspn(p, "\n");

			fprintf(f, INDENT "%.*s\n", (int)length, p);
			p += length + (p[length] == '\n');
		}
	}
}
