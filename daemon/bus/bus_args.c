/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Arguments of what changes something, out of the message.  Settings come as a D-Bus program has
 * them (numbers, lists, texts) and become the text that would stand in a drop-in; what such a text
 * means is not known here.
 */
#include <inttypes.h>
#include <string.h>

#include "bus/bus_private.h"

#define TEXT_MAX 4096u   /* bytes: no line of a drop-in may be longer either */
#define SETTINGS_MAX 32u /* more than there are keys */
#define ITEMS_MAX 1024u  /* of one list */
#define UUIDS_MAX 256u

static int refuse(sd_bus_error *error, const char *what, const char *why, unsigned limit)
{
	return bus_error_set(
		error, ENGINE_INVALID_ARGUMENT, "%s: %s than %u: give fewer", what, why, limit);
}

static int read_text(sd_bus_message *m, const char *what, const char **ret, sd_bus_error *error)
{
	const char *text;
	int r = sd_bus_message_read_basic(m, 's', &text);

	if (r < 0)
		return r;
	if (strlen(text) > TEXT_MAX)
		return refuse(error, what, "more bytes", TEXT_MAX);
	*ret = text;
	return 0;
}

/* One item of a list as text; 0 where the list is at its end. */
static int print_item(sd_bus_message *m, char type, FILE *f, const char *separator)
{
	union {
		uint8_t y;
		uint32_t u;
		int32_t i;
		const char *s;
	} item;
	int r = sd_bus_message_read_basic(m, type, &item);

	if (r <= 0)
		return r;
	if (type == 's')
		fprintf(f, "%s%s", separator, item.s);
	else if (type == 'i')
		fprintf(f, "%s%" PRId32, separator, item.i);
	else
		fprintf(f, "%s%" PRIu32, separator, type == 'y' ? item.y : item.u);
	return 1;
}

static int print_list(sd_bus_message *m, char type, FILE *f, const char *key, sd_bus_error *error)
{
	const char contents[] = {type, '\0'};
	int r = sd_bus_message_enter_container(m, 'a', contents);

	for (unsigned n = 0; r >= 0; n++) {
		if (ftell(f) > (long)TEXT_MAX)
			return refuse(error, key, "more bytes", TEXT_MAX);
		if (n > ITEMS_MAX)
			return refuse(error, key, "more items", ITEMS_MAX);
		r = print_item(m, type, f, n == 0 ? "" : ", ");
		if (r == 0)
			return sd_bus_message_exit_container(m);
	}
	return r;
}

/* "5, 6" of [5, 6], a new string. */
static int join_list(sd_bus_message *m, char type, const char *key, char **ret, sd_bus_error *error)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	int r;

	if (!f)
		return -ENOMEM;
	r = print_list(m, type, f, key, error);
	if (fclose(f) != 0 && r >= 0)
		r = -ENOMEM;
	if (r < 0)
		return r;
	*ret = TAKE_PTR(text);
	return 0;
}

static int read_value(sd_bus_message *m, struct bus_args *a, const char *key, const char *contents,
	const char **ret, sd_bus_error *error)
{
	char **value = &a->values[a->n_values];
	int r;

	if (strcmp(contents, "s") == 0)
		return read_text(m, key, ret, error);
	if (contents[0] != 'a' || !contents[1] || !strchr("syui", contents[1]) || contents[2])
		return bus_error_set(error, ENGINE_INVALID_ARGUMENT,
			"%s: a value of D-Bus type '%s' cannot stand in a drop-in: give s, as, ay, "
			"au or ai",
			key, contents);
	r = join_list(m, contents[1], key, value, error);
	if (r < 0)
		return r;
	a->n_values++;
	*ret = *value;
	return 0;
}

static bool has_key(const struct bus_args *a, const char *key)
{
	for (size_t i = 0; i < a->n_settings; i++)
		if (strcmp(a->settings[i].key, key) == 0)
			return true;
	return false;
}

/* Inside the entry of the dictionary. */
static int read_setting(sd_bus_message *m, struct bus_args *a, sd_bus_error *error)
{
	const char *contents;
	struct raw_setting s;
	int r = read_text(m, "the key of a setting", &s.key, error);

	if (r < 0)
		return r;
	if (a->n_settings == SETTINGS_MAX)
		return refuse(error, a->name, "more settings", SETTINGS_MAX);
	if (has_key(a, s.key))
		return bus_error_set(error, ENGINE_INVALID_ARGUMENT,
			"%s: it is given twice: give one value (a list may have many items)",
			s.key);
	r = sd_bus_message_peek_type(m, NULL, &contents);
	if (r < 0)
		return r;
	r = sd_bus_message_enter_container(m, 'v', contents);
	if (r < 0)
		return r;
	r = read_value(m, a, s.key, contents, &s.value, error);
	if (r < 0)
		return r;
	a->settings[a->n_settings++] = s;
	return sd_bus_message_exit_container(m);
}

static int read_settings(sd_bus_message *m, struct bus_args *a, sd_bus_error *error)
{
	int r;

	a->settings = calloc(SETTINGS_MAX, sizeof(*a->settings));
	a->values = calloc(SETTINGS_MAX, sizeof(*a->values));
	if (!a->settings || !a->values)
		return -ENOMEM;
	r = sd_bus_message_enter_container(m, 'a', "{sv}");
	while (r >= 0) {
		r = sd_bus_message_enter_container(m, 'e', "sv");
		if (r == 0)
			return sd_bus_message_exit_container(m);
		if (r > 0)
			r = read_setting(m, a, error);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r;
}

int bus_args_none(
	sd_bus_message *m _unused_, struct bus_args *a _unused_, sd_bus_error *error _unused_)
{
	return 0;
}

int bus_args_name(sd_bus_message *m, struct bus_args *a, sd_bus_error *error)
{
	return read_text(m, "the name", &a->name, error);
}

int bus_args_update(sd_bus_message *m, struct bus_args *a, sd_bus_error *error)
{
	int r = bus_args_name(m, a, error);

	return r < 0 ? r : read_settings(m, a, error);
}

int bus_args_define(sd_bus_message *m, struct bus_args *a, sd_bus_error *error)
{
	int replace, r = bus_args_update(m, a, error);

	if (r < 0)
		return r;
	r = sd_bus_message_read_basic(m, 'b', &replace);
	if (r < 0)
		return r;
	a->replace = replace;
	return 0;
}

int bus_args_guest(sd_bus_message *m, struct bus_args *a, sd_bus_error *error)
{
	int r = bus_args_name(m, a, error);

	if (r < 0)
		return r;
	a->uuids = calloc(UUIDS_MAX, sizeof(*a->uuids));
	if (!a->uuids)
		return -ENOMEM;
	r = sd_bus_message_enter_container(m, 'a', "s");
	while (r >= 0) {
		r = sd_bus_message_at_end(m, false);
		if (r > 0)
			return sd_bus_message_exit_container(m);
		if (a->n_uuids == UUIDS_MAX)
			return refuse(error, a->name, "more mediated devices", UUIDS_MAX);
		if (r == 0)
			r = read_text(m, "a UUID", &a->uuids[a->n_uuids], error);
		if (r >= 0)
			a->n_uuids++;
	}
	return r;
}

void bus_args_done(struct bus_args *a)
{
	for (size_t i = 0; i < a->n_values; i++)
		free(a->values[i]);
	free(a->values);
	free(a->settings);
	free(a->uuids);
	*a = (struct bus_args){};
}
