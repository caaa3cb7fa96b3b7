/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Tables for people: columns as wide as their widest cell, two blanks between them, the last one
 * open-ended, so that nothing is ever cut.  Knows texts and styles, nothing of what they mean.
 */
#include <stdio.h>

#include "ctl/term.h"
#include "util/cleanup.h"

struct table;

/* @headers: one text a column, borrowed until table_free().  NULL: out of memory. */
struct table *table_new(const char *const *headers, size_t n_columns);
void table_free(struct table *t);
DEFINE_CLEANUP(struct table, table_free)

/* Numbers are aligned right. */
void table_align_right(struct table *t, size_t column);

/* The next cell; after the last column's a new row begins.  Out of memory is remembered and
 * reported by table_print(), so that rows can be written without a check a cell. */
void table_cell(struct table *t, enum style style, const char *format, ...) _printf_(3, 4);

/* Gives the cell just written a colour of its own: parameters of SGR ("32", "7;34"), borrowed. */
void table_paint(struct table *t, const char *sgr);

/* A line of its own below the row just ended, indented to column @column and wrapped at blanks to
 * the terminal's width. */
void table_note(struct table *t, size_t column, enum style style, const char *format, ...)
	_printf_(4, 5);

/* Returns 0, or -ENOMEM if any cell was lost (then nothing is printed). */
int table_print(const struct table *t, const struct term *term, FILE *out);

/* @text wrapped at blanks to the terminal's width; the first line is taken to begin at column
 * @used, the others are indented to @indent.  Ends without a newline. */
void text_wrap(const char *text, size_t used, size_t indent, const struct term *term, FILE *out);
