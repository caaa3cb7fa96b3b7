/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/json.h"

void json_put(struct json_object *parent, const char *key, struct json_object *value)
{
	json_object_object_add(parent, key, value);
}

void json_put_string(struct json_object *parent, const char *key, const char *value)
{
	json_put(parent, key, json_object_new_string(value));
}

void json_put_number(struct json_object *parent, const char *key, uint64_t value)
{
	json_put(parent, key, json_object_new_uint64(value));
}

struct json_object *json_of_numbers(const struct mask *m)
{
	struct json_object *array = json_object_new_array();

	MASK_FOREACH (n, m)
		json_object_array_add(array, json_object_new_int((int)n));
	return array;
}

static struct json_object *json_of_strings(char *const *list)
{
	struct json_object *array = json_object_new_array();

	for (char *const *s = list; s && *s; s++)
		json_object_array_add(array, json_object_new_string(*s));
	return array;
}

static struct json_object *json_of_conditions(const struct condition_list *l)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < l->n; i++) {
		struct json_object *item = json_object_new_object();

		json_put_string(item, "Type", l->items[i].type);
		json_put(item, "Status", json_object_new_boolean(l->items[i].status));
		json_put_string(item, "Reason", l->items[i].reason);
		json_put_string(item, "Message", l->items[i].message);
		json_object_array_add(array, item);
	}
	return array;
}

struct json_object *json_of_problems(const struct problem_list *l)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < l->n; i++) {
		struct json_object *item = json_object_new_object();

		json_put_string(item, "Severity", l->items[i].severity);
		json_put_string(item, "File", l->items[i].file);
		json_put_number(item, "Line", l->items[i].line);
		json_put_string(item, "Text", l->items[i].text);
		json_object_array_add(array, item);
	}
	return array;
}

struct json_object *json_of_property(const struct object_property *p, const void *object)
{
	const void *field = (const char *)object + p->offset;

	switch (p->type) {
	case OBJECT_STRING:
		return json_object_new_string(*(char *const *)field);
	case OBJECT_BOOL:
		return json_object_new_boolean(*(const bool *)field);
	case OBJECT_U32:
		return json_object_new_int64(*(const uint32_t *)field);
	case OBJECT_U64:
		return json_object_new_uint64(*(const uint64_t *)field);
	case OBJECT_NUMBERS:
		return json_of_numbers(field);
	case OBJECT_STRINGS:
		return json_of_strings(*(char **const *)field);
	case OBJECT_CONDITIONS:
		return json_of_conditions(field);
	case OBJECT_PROBLEMS:
		return json_of_problems(field);
	}
	return NULL;
}

struct json_object *json_of_object(
	const struct object_property *table, size_t n, const void *object, uint32_t mask)
{
	struct json_object *value = json_object_new_object();

	for (size_t i = 0; i < n; i++)
		if (mask >> i & 1)
			json_put(value, table[i].name, json_of_property(&table[i], object));
	return value;
}

int json_print(struct json_object *value, enum json_mode mode, FILE *out)
{
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE |
		(mode == JSON_PRETTY ? JSON_C_TO_STRING_PRETTY : JSON_C_TO_STRING_PLAIN);
	const char *text = value ? json_object_to_json_string_ext(value, flags) : NULL;

	if (text)
		fprintf(out, "%s\n", text);
	json_object_put(value);
	return text ? 0 : -ENOMEM;
}
