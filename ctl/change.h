/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What a change made of a matrix: its properties before and after, for people only those that
 * differ, and what is still to come.
 */
#include "ctl/json.h"
#include "ctl/object.h"
#include "ctl/term.h"

/* @before and @after: NULL where there was, or is, no such matrix; not both.  @done: what was
 * asked for, in a word, such as "defined". */
void change_print(const char *done, const struct client_matrix *before,
	const struct client_matrix *after, const struct term *t, FILE *out);

/* {"Name", "UUID", "Before", "After"}, the latter two null or all properties. */
struct json_object *change_json(
	const struct client_matrix *before, const struct client_matrix *after);
