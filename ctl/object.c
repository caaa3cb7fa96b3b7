/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/object.h"

#include <string.h>

#include "ctl/term.h"

#define MATRIX(n, t, field)                                          \
	{                                                            \
		n, OBJECT_##t, offsetof(struct client_matrix, field) \
	}
#define HOST(n, t, field)                                          \
	{                                                          \
		n, OBJECT_##t, offsetof(struct client_host, field) \
	}

const struct object_property matrix_properties[N_MATRIX_PROPERTIES] = {
	MATRIX("Name", STRING, name),
	MATRIX("UUID", STRING, uuid),
	MATRIX("Guest", STRING, guest),
	MATRIX("StartMode", STRING, start_mode),
	MATRIX("State", STRING, state),
	MATRIX("ConfiguredAdapters", NUMBERS, configured_adapters),
	MATRIX("ConfiguredDomains", NUMBERS, configured_domains),
	MATRIX("ConfiguredControlDomains", NUMBERS, configured_control_domains),
	MATRIX("AssignedAdapters", NUMBERS, assigned_adapters),
	MATRIX("AssignedDomains", NUMBERS, assigned_domains),
	MATRIX("AssignedControlDomains", NUMBERS, assigned_control_domains),
	MATRIX("GuestAdapters", NUMBERS, guest_adapters),
	MATRIX("GuestDomains", NUMBERS, guest_domains),
	MATRIX("Attached", BOOL, attached),
	MATRIX("VMPid", U32, vm_pid),
	MATRIX("VMName", STRING, vm_name),
	MATRIX("AttachedSince", U64, attached_since),
	MATRIX("AttachCount", U64, attach_count),
	MATRIX("AttachSource", STRING, attach_source),
	MATRIX("AttachConfidence", STRING, attach_confidence),
	MATRIX("Conditions", CONDITIONS, conditions),
	MATRIX("Origin", STRINGS, origin),
};

const struct object_property host_properties[N_HOST_PROPERTIES] = {
	HOST("Version", STRING, version),
	HOST("State", STRING, state),
	HOST("KernelRelease", STRING, kernel_release),
	HOST("Features", STRINGS, features),
	HOST("Hazards", STRINGS, hazards),
	HOST("AttachSource", STRING, attach_source),
	HOST("QueuePool", STRING, queue_pool),
	HOST("MaxAdapter", U32, max_adapter),
	HOST("MaxDomain", U32, max_domain),
	HOST("AdapterMask", STRING, adapter_mask),
	HOST("DomainMask", STRING, domain_mask),
	HOST("HostAdapters", NUMBERS, host_adapters),
	HOST("HostDomains", NUMBERS, host_domains),
	HOST("ConfigGeneration", U64, config_generation),
	HOST("Problems", PROBLEMS, problems),
	HOST("Matrices", U32, matrices),
	HOST("Attached", U32, attached),
};

/* Texts that the daemon did not send are empty, so that nobody else has to ask. */
static int fill_strings(const struct object_property *table, size_t n, void *object)
{
	for (size_t i = 0; i < n; i++) {
		char **field = (char **)((char *)object + table[i].offset);

		if (table[i].type != OBJECT_STRING || *field)
			continue;
		*field = strdup("");
		if (!*field)
			return -ENOMEM;
	}
	return 0;
}

/* What libsystemd says when a message holds another type than was asked for. */
static int type_error(int r)
{
	return r == -ENXIO || r == -EINVAL ? -EBADMSG : r;
}

static int read_string(sd_bus_message *m, char **field)
{
	const char *text;
	char *copy;
	int r = sd_bus_message_read_basic(m, 's', &text);

	if (r < 0)
		return r;
	copy = text_clean_copy(text);
	if (!copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

static int read_numbers(sd_bus_message *m, struct mask *field)
{
	const uint8_t *numbers;
	struct mask set = {0};
	size_t n;
	int r = sd_bus_message_read_array(m, 'y', (const void **)&numbers, &n);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		mask_set(&set, numbers[i]);
	*field = set;
	return 0;
}

static void strings_free(char **list)
{
	for (char **s = list; s && *s; s++)
		free(*s);
	free(list);
}

static int read_strings(sd_bus_message *m, char ***field)
{
	char **list = NULL;
	int r = sd_bus_message_read_strv(m, &list);

	if (r < 0)
		return r;
	for (char **s = list; s && *s; s++)
		text_clean(*s);
	strings_free(*field);
	*field = list;
	return 0;
}

static void condition_list_done(struct condition_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->items[i].type);
		free(l->items[i].reason);
		free(l->items[i].message);
	}
	free(l->items);
	*l = (struct condition_list){0};
}

static int condition_list_add(struct condition_list *l, const char *type, int status,
	const char *reason, const char *message)
{
	struct condition_item *items = reallocarray(l->items, l->n + 1, sizeof(*items));
	struct condition_item *item;

	if (!items)
		return -ENOMEM;
	l->items = items;
	item = &items[l->n++];
	*item = (struct condition_item){
		.type = text_clean_copy(type),
		.reason = text_clean_copy(reason),
		.message = text_clean_copy(message),
		.status = status != 0,
	};
	return item->type && item->reason && item->message ? 0 : -ENOMEM;
}

static int read_conditions(sd_bus_message *m, struct condition_list *field)
{
	struct condition_list list = {0};
	const char *type, *reason, *message;
	int r, status;

	r = sd_bus_message_enter_container(m, 'a', "(sbss)");
	while (r >= 0) {
		r = sd_bus_message_read(m, "(sbss)", &type, &status, &reason, &message);
		if (r <= 0)
			break;
		r = condition_list_add(&list, type, status, reason, message);
	}
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	if (r < 0) {
		condition_list_done(&list);
		return r;
	}
	condition_list_done(field);
	*field = list;
	return 0;
}

void problem_list_done(struct problem_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->items[i].severity);
		free(l->items[i].file);
		free(l->items[i].text);
	}
	free(l->items);
	*l = (struct problem_list){0};
}

int problem_list_add(struct problem_list *l, const char *severity, const char *file, uint32_t line,
	const char *text)
{
	struct problem_item *items = reallocarray(l->items, l->n + 1, sizeof(*items));
	struct problem_item *item;

	if (!items)
		return -ENOMEM;
	l->items = items;
	item = &items[l->n++];
	*item = (struct problem_item){
		.severity = text_clean_copy(severity),
		.file = text_clean_copy(file),
		.line = line,
		.text = text_clean_copy(text),
	};
	return item->severity && item->file && item->text ? 0 : -ENOMEM;
}

int problem_list_read(sd_bus_message *m, struct problem_list *ret)
{
	struct problem_list list = {0};
	const char *severity, *file, *text;
	uint32_t line;
	int r;

	r = sd_bus_message_enter_container(m, 'a', "(ssus)");
	while (r >= 0) {
		r = sd_bus_message_read(m, "(ssus)", &severity, &file, &line, &text);
		if (r <= 0)
			break;
		r = problem_list_add(&list, severity, file, line, text);
	}
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	if (r < 0) {
		problem_list_done(&list);
		return type_error(r);
	}
	*ret = list;
	return 0;
}

static int read_problems(sd_bus_message *m, struct problem_list *field)
{
	struct problem_list list;
	int r = problem_list_read(m, &list);

	if (r < 0)
		return r;
	problem_list_done(field);
	*field = list;
	return 0;
}

static int read_bool(sd_bus_message *m, bool *field)
{
	int value, r = sd_bus_message_read_basic(m, 'b', &value);

	if (r >= 0)
		*field = value != 0;
	return r;
}

static const char *const signature_table[] = {
	[OBJECT_STRING] = "s",
	[OBJECT_BOOL] = "b",
	[OBJECT_U32] = "u",
	[OBJECT_U64] = "t",
	[OBJECT_NUMBERS] = "ay",
	[OBJECT_STRINGS] = "as",
	[OBJECT_CONDITIONS] = "a(sbss)",
	[OBJECT_PROBLEMS] = "a(ssus)",
};

const char *object_signature(enum object_type type)
{
	return signature_table[type];
}

static int read_value(sd_bus_message *m, enum object_type type, void *field)
{
	switch (type) {
	case OBJECT_STRING:
		return read_string(m, field);
	case OBJECT_BOOL:
		return read_bool(m, field);
	case OBJECT_U32:
		return sd_bus_message_read_basic(m, 'u', field);
	case OBJECT_U64:
		return sd_bus_message_read_basic(m, 't', field);
	case OBJECT_NUMBERS:
		return read_numbers(m, field);
	case OBJECT_STRINGS:
		return read_strings(m, field);
	case OBJECT_CONDITIONS:
		return read_conditions(m, field);
	case OBJECT_PROBLEMS:
		return read_problems(m, field);
	}
	return -EINVAL;
}

/* One {sv} that was entered. */
static int read_entry(sd_bus_message *m, const struct object_property *table, size_t n,
	void *object, uint32_t *seen)
{
	const char *name;
	int r = sd_bus_message_read_basic(m, 's', &name);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(table[i].name, name) != 0)
			continue;
		r = sd_bus_message_enter_container(m, 'v', object_signature(table[i].type));
		if (r >= 0)
			r = read_value(m, table[i].type, (char *)object + table[i].offset);
		if (r < 0)
			return r;
		*seen |= UINT32_C(1) << i;
		return sd_bus_message_exit_container(m);
	}
	return sd_bus_message_skip(m, "v");
}

int object_read(sd_bus_message *m, const struct object_property *table, size_t n, void *object,
	uint32_t *ret_seen)
{
	uint32_t seen = 0;
	int r = sd_bus_message_enter_container(m, 'a', "{sv}");

	while (r >= 0) {
		r = sd_bus_message_enter_container(m, 'e', "sv");
		if (r <= 0)
			break;
		r = read_entry(m, table, n, object, &seen);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	if (r < 0)
		return type_error(r);
	if (ret_seen)
		*ret_seen = seen;
	return fill_strings(table, n, object);
}

void object_done(const struct object_property *table, size_t n, void *object)
{
	for (size_t i = 0; i < n; i++) {
		void *field = (char *)object + table[i].offset;

		switch (table[i].type) {
		case OBJECT_STRING:
			free(*(char **)field);
			*(char **)field = NULL;
			break;
		case OBJECT_STRINGS:
			strings_free(*(char ***)field);
			*(char ***)field = NULL;
			break;
		case OBJECT_CONDITIONS:
			condition_list_done(field);
			break;
		case OBJECT_PROBLEMS:
			problem_list_done(field);
			break;
		default:
			break;
		}
	}
}

void client_matrix_done(struct client_matrix *m)
{
	object_done(matrix_properties, N_MATRIX_PROPERTIES, m);
	free(m->path);
	*m = (struct client_matrix){0};
}

void client_host_done(struct client_host *h)
{
	object_done(host_properties, N_HOST_PROPERTIES, h);
	*h = (struct client_host){0};
}
