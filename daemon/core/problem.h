/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A problem is a user's mistake or a refusal, as data: what, where, why and what to do next.
 * Problems are collected, never logged here; who shows them decides how.
 */
#include <stddef.h>

#include "util/cleanup.h"
#include "util/strtab.h"

enum problem_severity {
	PROBLEM_ERROR,   /* something that was asked for is not done */
	PROBLEM_WARNING, /* done, but likely not what was meant */
	PROBLEM_NOTE,    /* worth knowing */
};
DECLARE_STRTAB(problem_severity, enum problem_severity);

struct problem {
	enum problem_severity severity;
	const char *code; /* static, lower case, for programs: "bad-value", "queue-conflict", ... */
	char *object;     /* name of the matrix, mdev UUID, queue, or "" */
	char *file;       /* path as users write it, or "" */
	unsigned line;    /* 1 is the first, 0 is the whole file or no place */
	char *text; /* one sentence or two: reason and next step; no trailing full stop needed */
};

struct problems {
	struct problem *items; /* owned; may be NULL */
	size_t n;
};

/* Adds one; NULL for @object and @file counts as "".  All strings are copied.
 * Returns 0 or -ENOMEM, the list then unchanged. */
int problems_add(struct problems *p, enum problem_severity severity, const char *code,
	const char *object, const char *file, unsigned line, const char *format, ...)
	_printf_(7, 8);

/* Appends copies of all of @from. */
int problems_append(struct problems *p, const struct problems *from);

/* Number with severity PROBLEM_ERROR. */
size_t problems_n_errors(const struct problems *p);

bool problems_equal(const struct problems *a, const struct problems *b);

/* Writes "FILE:LINE: OBJECT: TEXT" (parts that are empty are left out) as a new string. */
int problem_format(const struct problem *p, char **ret);

void problems_done(struct problems *p); /* frees the contents, leaves an empty list */
