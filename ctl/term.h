/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The terminal: how wide it is, whether it takes colours and UTF-8, and how wide a text is on it.
 * Rendering functions get a struct term and never ask the environment themselves, so that tests
 * can say what kind of terminal they want.
 */
#include <stdbool.h>
#include <stddef.h>

struct term {
	bool colour;
	bool utf8;
	unsigned columns;
};

enum style {
	STYLE_NONE,
	STYLE_BOLD,
	STYLE_DIM,
	STYLE_GOOD, /* green */
	STYLE_WARN, /* yellow */
	STYLE_BAD,  /* red */
	N_STYLES,
};

/* What standard output is: colours only on a terminal that is not "dumb" and without NO_COLOR
 * (no-color.org); COLUMNS overrides the terminal's width; 80 columns where nobody knows. */
struct term term_of_stdout(void);

/* The escape sequence that begins a style, "" without colours; and the one that ends it. */
const char *term_style(const struct term *t, enum style style);
const char *term_reset(const struct term *t, enum style style);

/* @text in UTF-8 where the terminal has it, else @ascii. */
const char *term_pick(const struct term *t, const char *text, const char *ascii);

/* Columns that a UTF-8 text takes: 0 for combining marks, 2 for wide East Asian characters, 1 for
 * everything else and for every byte that is not UTF-8. */
size_t text_width(const char *text);

/* Replaces control characters (C0, DEL, C1) by '?', in place: a name from the bus must not be
 * able to drive a terminal. */
void text_clean(char *text);

/* A cleaned copy; NULL: out of memory. */
char *text_clean_copy(const char *text);
