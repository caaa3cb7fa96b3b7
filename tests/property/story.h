/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A story: commands with their bodies, in the words of tests/scenario/README.md, so that what was
 * made up at random can be read, replayed, made shorter and kept as a scenario.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "util/cleanup.h"

struct line {
	char *command;
	char *body;          /* NULL: none */
	const char *outcome; /* static: the errno or error name that it ended with, or NULL */
};

struct story {
	struct line *lines;
	size_t n;
};

/* Takes @command and @body over; aborts where memory runs out, as all of this test does. */
void story_add(struct story *s, char *command, char *body);
void story_done(struct story *s);
struct story story_copy(const struct story *s);

/* Takes the lines [from, to) out. */
void story_cut(struct story *s, size_t from, size_t to);

/* Reads a scenario file; "expect" and comments are left out.  0 or a negative errno. */
int story_read(struct story *s, const char *path);

/* Writes the first @n lines in the syntax of scenario files, with what came of them. */
void story_print(const struct story *s, size_t n, FILE *f);
