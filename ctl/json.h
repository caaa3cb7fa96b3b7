/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The daemon's objects as JSON: the keys are the D-Bus names, the values the D-Bus types (numbers
 * as arrays, conditions and problems as arrays of objects).  That is the whole promise, and the
 * man page states it.
 */
#include <json-c/json.h>

#include "ctl/object.h"

enum json_mode { JSON_OFF, JSON_SHORT, JSON_PRETTY };

/* One property; NULL: out of memory. */
struct json_object *json_of_property(const struct object_property *p, const void *object);

/* All properties of @table whose bit is in @mask. */
struct json_object *json_of_object(
	const struct object_property *table, size_t n, const void *object, uint32_t mask);

struct json_object *json_of_numbers(const struct mask *m);
struct json_object *json_of_problems(const struct problem_list *l);

/* Adds to @parent, which takes @value over. */
void json_put(struct json_object *parent, const char *key, struct json_object *value);
void json_put_string(struct json_object *parent, const char *key, const char *value);
void json_put_number(struct json_object *parent, const char *key, uint64_t value);

/* Prints and releases @value: in one line or indented, with a newline at the end.  0 or -ENOMEM
 * (@value is NULL, too). */
int json_print(struct json_object *value, enum json_mode mode, FILE *out);
