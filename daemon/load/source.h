/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Which drop-in files there are below a root, by systemd's precedence, and what one of them holds.
 * Knows files and directories, not what their texts mean.  Internal to load/.
 */
#include "core/problem.h"

struct source {
	char *name; /* base name */
	char *path; /* as users write it */
};

struct sources {
	struct source *items; /* in order of their base names, each once */
	size_t n;
};

/* Lists the drop-ins that count: names ending in ".conf" and not beginning with ".", each from the
 * highest directory that has it.  A directory that is missing is empty.  A name that cannot be
 * shown (no UTF-8, control characters) goes to @p and not to the list.
 * Returns 0, -ENOMEM, or what opening and reading the directories says (-EACCES, -ENOTDIR, ...). */
int sources_list(int root, struct problems *p, struct sources *ret);

/* Puts @name of the highest directory in its place of the list.  0 or -ENOMEM. */
int sources_add(struct sources *s, const char *name);
void sources_done(struct sources *s);

/* True for a base name that a drop-in may have. */
bool source_name_valid(const char *name);

enum source_kind {
	SOURCE_TEXT,   /* *ret_text and *ret_size are set, the caller owns the text */
	SOURCE_MASKED, /* empty, or leads to /dev/null */
	SOURCE_GONE,   /* meanwhile */
	SOURCE_BAD,    /* said in @p */
};

/* Reads one file, which cannot block on it (a fifo is a problem).  An enum source_kind or -ENOMEM. */
int source_read(
	int root, const struct source *s, struct problems *p, char **ret_text, size_t *ret_size);
