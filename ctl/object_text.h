/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The daemon's objects as text for people: masks as lists, conditions in a line, what is wrong
 * with a matrix in a sentence, times as people read them.
 */
#include "ctl/object.h"
#include "ctl/term.h"

/* One line for people, or several joined by "; ": numbers as a list ("5,6", "4,0xab"), "yes" and
 * "no", conditions as "Valid yes", with reason and message where there are any.  0 or -ENOMEM. */
int object_format(const struct object_property *p, const void *object, char **ret);

/* True for the types whose values are lists of texts, conditions or problems; each item of them as
 * object_format() has it, in a new array that ends with NULL.  0 or -ENOMEM. */
bool object_is_list(const struct object_property *p);
int object_format_items(const struct object_property *p, const void *object, char ***ret);

/* "Key=value" lines as of systemctl show; lists have a line an item, "Key=" if empty. */
void object_print(const struct object_property *table, size_t n, const void *object, FILE *out);

/* Shorthand for the masks' list form; "-" for none. */
const char *numbers_format(const struct mask *m, char buf[static MASK_LIST_SIZE]);

/* The matrix's name, or its UUID where it has none (foreign devices). */
const char *client_matrix_title(const struct client_matrix *m);

/* The first condition that says why the matrix is not as it should be: one of Valid, Present,
 * Assigned, Effective that is false while the state is not simply defined, active or attached;
 * NULL where all is well. */
const struct condition_item *client_matrix_trouble(const struct client_matrix *m);

const struct condition_item *client_matrix_condition(
	const struct client_matrix *m, const char *type);

/* A state's mark and colour: a dot, a ring for what is not there, a cross for what failed. */
const char *state_mark(const struct term *t, const char *state);
enum style state_style(const char *state);

/* "Sun 2026-11-22 15:04:05 (3h 12min)", @since and @now in microseconds of CLOCK_REALTIME, in the
 * local time zone; "unknown" for 0. */
#define TIME_TEXT_SIZE 96u
const char *since_format(uint64_t since, uint64_t now, char buf[static TIME_TEXT_SIZE]);

/* True if the problem's text begins with that matrix's name. */
bool problem_is_about(const struct problem_item *p, const char *title);

/* The problems, a line each as compilers write it: "FILE:LINE: error: TEXT". */
void problem_list_print(const struct problem_list *l, const struct term *t, FILE *out);
