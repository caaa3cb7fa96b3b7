/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What the lists that people write have in common: terms between commas or blanks, and in a term
 * numbers and ranges up to 255.  Internal to mask.c and queues.c; it does not know what a number
 * stands for.
 */
#include "core/mask.h"

/* A walk over the terms of @text; the others are 0 to start with. */
struct term_walk {
	const char *text;
	size_t at;           /* first byte not yet read */
	size_t comma;        /* where the last comma was */
	bool comma_is_open;  /* it still waits for its term */
	bool term_is_behind; /* a comma may follow */
};

/* A part of a text, in bytes from its start. */
struct term {
	size_t start, end;
};

/* Finds the next term.  Returns 1 with *ret set, 0 at the end, or -EINVAL with *ret_error set: a
 * comma without a term before or after it. */
int term_next(struct term_walk *w, struct term *ret, struct mask_error *ret_error);

enum term_numbers {
	TERM_DECIMAL, /* decimal, or hex with 0x; no leading zeros */
	TERM_HEX,     /* hex, 0x or not */
};

/* Reads "N" or "N-M".  Returns 0 with both ends (equal for "N"), or -EINVAL with *ret_error set. */
int term_range(const char *text, struct term t, enum term_numbers numbers, unsigned *ret_first,
	unsigned *ret_last, struct mask_error *ret_error);

/* Sets *ret_error to @t and @reason (static).  Returns -EINVAL. */
int term_refuse(struct term t, const char *reason, struct mask_error *ret_error);

/* The value of a hex digit, or -1: unlike isxdigit() the same in every locale. */
int term_hex_digit(char c);
