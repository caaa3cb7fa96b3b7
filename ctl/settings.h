/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * "KEY=VALUE..." of a command line as settings of one matrix, with a drop-in's rules: a list key
 * given again appends, an empty value resets, any other key given again overrides.  Beyond
 * drop-ins, a list may be relative ("+4,-6"), to what is configured now.  Knows no bus; mistakes
 * are collected as problems, all of them at once.
 */
#include "core/config.h"

struct settings {
	struct raw_setting *items; /* each key once; keys and values are owned */
	size_t n;
};

/* Splits the arguments (NULL at the end).  0, with mistakes in @p; or -ENOMEM. */
int settings_parse(char *const *args, struct settings *ret, struct problems *p);
void settings_done(struct settings *s);

/* The value of a key, or NULL. */
const char *settings_find(const struct settings *s, enum matrix_key key);

/* Sets a key, replacing what it had.  0 or -ENOMEM. */
int settings_set(struct settings *s, enum matrix_key key, const char *value);

/* True for a value of a list key that begins with a sign. */
bool setting_is_relative(const struct raw_setting *s);

/* A copy in which relative lists are whole ones: @now with the changes.  0, with mistakes in @p; or
 * -ENOMEM. */
int settings_resolve(const struct settings *s, const struct matrix *now, struct settings *ret,
	struct problems *p);

/* Judges them as the drop-in of the matrix @name.  0, with mistakes in @p; or -ENOMEM. */
int settings_check(const struct settings *s, const char *name, struct problems *p);

/* As a section of a drop-in. */
void settings_print(const struct settings *s, const char *name, FILE *out);
