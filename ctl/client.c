/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/client.h"

#include <stdarg.h>
#include <string.h>

#include "ctl/suggest.h"

#define USEC_PER_SEC UINT64_C(1000000)

/* The kernel may hold a write for as long as a queue's reset takes, and a password wants typing. */
#define CHANGE_TIMEOUT (300 * USEC_PER_SEC)

static int open_address(const char *address, sd_bus **ret)
{
	sd_bus *bus;
	int r = sd_bus_new(&bus);

	if (r < 0)
		return r;
	r = sd_bus_set_address(bus, address);
	if (r >= 0)
		r = sd_bus_set_bus_client(bus, true);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r < 0) {
		sd_bus_unref(bus);
		return r;
	}
	*ret = bus;
	return 0;
}

int client_open(struct client *c)
{
	if (c->bus)
		return 0;
	if (c->host)
		return sd_bus_open_system_remote(&c->bus, c->host);
	if (c->machine)
		return sd_bus_open_system_machine(&c->bus, c->machine);
	if (strcmp(c->address, "system") == 0)
		return sd_bus_open_system(&c->bus);
	if (strcmp(c->address, "session") == 0)
		return sd_bus_open_user(&c->bus);
	return open_address(c->address, &c->bus);
}

void client_done(struct client *c)
{
	sd_bus_error_free(&c->error);
	sd_bus_flush_close_unref(c->bus);
	free(c->failed_name);
	free(c->suggestion);
}

static int client_send(
	struct client *c, enum client_mode mode, sd_bus_message *m, sd_bus_message **ret_reply)
{
	bool change = mode == CLIENT_CHANGE;
	int r = sd_bus_message_set_auto_start(m, change);

	if (r >= 0 && change)
		r = sd_bus_message_set_allow_interactive_authorization(m, isatty(STDIN_FILENO));
	if (r < 0)
		return r;
	sd_bus_error_free(&c->error);
	return sd_bus_call(c->bus, m, change ? CHANGE_TIMEOUT : 0, &c->error, ret_reply);
}

static int client_call_at(struct client *c, enum client_mode mode, const char *path,
	const char *interface, const char *member, sd_bus_message **ret_reply, const char *types,
	va_list ap)
{
	sd_bus_message *m = NULL;
	int r = client_open(c);

	if (r >= 0)
		r = sd_bus_message_new_method_call(
			c->bus, &m, APMATRIX_SERVICE, path, interface, member);
	if (r >= 0 && types)
		r = sd_bus_message_appendv(m, types, ap);
	if (r >= 0)
		r = client_send(c, mode, m, ret_reply);
	sd_bus_message_unref(m);
	return r < 0 ? r : 0;
}

static int client_get(struct client *c, const char *path, const char *interface, const char *member,
	sd_bus_message **ret_reply, const char *types, ...)
{
	va_list ap;
	int r;

	va_start(ap, types);
	r = client_call_at(c, CLIENT_READ, path, interface, member, ret_reply, types, ap);
	va_end(ap);
	return r;
}

int client_call(struct client *c, enum client_mode mode, const char *member,
	sd_bus_message **ret_reply, const char *types, ...)
{
	va_list ap;
	int r;

	va_start(ap, types);
	r = client_call_at(c, mode, APMATRIX_PATH, APMATRIX_MANAGER, member, ret_reply, types, ap);
	va_end(ap);
	return r;
}

/* A method with a matrix's name and settings, to which more may be appended. */
static int new_settings_call(struct client *c, const char *member, const char *name,
	const struct raw_setting *settings, size_t n, sd_bus_message **ret)
{
	sd_bus_message *m = NULL;
	int r = client_open(c);

	if (r >= 0)
		r = sd_bus_message_new_method_call(
			c->bus, &m, APMATRIX_SERVICE, APMATRIX_PATH, APMATRIX_MANAGER, member);
	if (r >= 0)
		r = sd_bus_message_append_basic(m, 's', name);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "{sv}");
	for (size_t i = 0; i < n && r >= 0; i++)
		r = sd_bus_message_append(m, "{sv}", settings[i].key, "s", settings[i].value);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	if (r < 0) {
		sd_bus_message_unref(m);
		return r;
	}
	*ret = m;
	return 0;
}

int client_define(struct client *c, const char *name, const struct raw_setting *settings, size_t n,
	bool replace)
{
	sd_bus_message *m = NULL;
	int r = new_settings_call(c, "Define", name, settings, n, &m);

	if (r >= 0)
		r = sd_bus_message_append(m, "b", (int)replace);
	if (r >= 0)
		r = client_send(c, CLIENT_CHANGE, m, NULL);
	sd_bus_message_unref(m);
	return r < 0 ? r : 0;
}

int client_update(struct client *c, const char *name, const struct raw_setting *settings, size_t n)
{
	sd_bus_message *m = NULL;
	int r = new_settings_call(c, "Update", name, settings, n, &m);

	if (r >= 0)
		r = client_send(c, CLIENT_CHANGE, m, NULL);
	sd_bus_message_unref(m);
	return r < 0 ? r : 0;
}

int client_read_host(struct client *c, struct client_host *ret)
{
	struct client_host host = {0};
	sd_bus_message *reply = NULL;
	int r;

	r = client_get(c, APMATRIX_PATH, "org.freedesktop.DBus.Properties", "GetAll", &reply, "s",
		APMATRIX_MANAGER);
	if (r >= 0)
		r = object_read(reply, host_properties, N_HOST_PROPERTIES, &host, NULL);
	sd_bus_message_unref(reply);
	if (r < 0) {
		client_host_done(&host);
		return r;
	}
	*ret = host;
	return 0;
}

int client_read_matrix_at(struct client *c, const char *path, struct client_matrix *ret)
{
	struct client_matrix matrix = {.path = strdup(path)};
	sd_bus_message *reply = NULL;
	int r = matrix.path ? 0 : -ENOMEM;

	if (r >= 0)
		r = client_get(c, path, "org.freedesktop.DBus.Properties", "GetAll", &reply, "s",
			APMATRIX_MATRIX);
	if (r >= 0)
		r = object_read(reply, matrix_properties, N_MATRIX_PROPERTIES, &matrix, NULL);
	else if (sd_bus_error_has_name(&c->error, SD_BUS_ERROR_UNKNOWN_OBJECT))
		r = -ENOENT;
	sd_bus_message_unref(reply);
	if (r < 0) {
		client_matrix_done(&matrix);
		return r;
	}
	*ret = matrix;
	return 0;
}

/* Remembers the name and what it might have been meant to be. */
static int set_suggestion(struct client *c, const char *name, const struct client_entries *known)
{
	_cleanup_free_ const char **names = calloc(known->n + 1, sizeof(*names));
	const char *best;

	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < known->n; i++)
		names[i] = known->items[i].name;
	best = suggest(name, names, known->n);
	free(c->suggestion);
	c->suggestion = best ? strdup(best) : NULL;
	free(c->failed_name);
	c->failed_name = strdup(name);
	return 0;
}

void client_note_name(struct client *c, const char *name)
{
	struct client_entries known;
	sd_bus_error error = c->error;

	if (!sd_bus_error_has_name(&error, APMATRIX_ERROR "NoSuchMatrix"))
		return;
	c->error = SD_BUS_ERROR_NULL; /* the first error is what client_explain() is to see */
	if (client_list(c, &known) >= 0) {
		set_suggestion(c, name, &known);
		client_entries_done(&known);
	}
	sd_bus_error_free(&c->error);
	c->error = error;
}

int client_find_matrix(struct client *c, const char *name, char **ret_path)
{
	sd_bus_message *reply = NULL;
	const char *path;
	char *copy = NULL;
	int r = client_call(c, CLIENT_READ, "GetMatrix", &reply, "s", name);

	if (r >= 0)
		r = sd_bus_message_read_basic(reply, 'o', &path);
	else if (sd_bus_error_has_name(&c->error, APMATRIX_ERROR "NoSuchMatrix"))
		r = -ENOENT;
	if (r >= 0) {
		copy = strdup(path);
		r = copy ? 0 : -ENOMEM;
	}
	sd_bus_message_unref(reply);
	if (r >= 0)
		*ret_path = copy;
	return r;
}

int client_read_matrix(struct client *c, const char *name, struct client_matrix *ret)
{
	_cleanup_free_ char *path = NULL;
	int r = client_find_matrix(c, name, &path);

	if (r == -ENOENT)
		client_note_name(c, name);
	return r < 0 ? r : client_read_matrix_at(c, path, ret);
}

int client_compare_titles(
	const char *name_a, const char *uuid_a, const char *name_b, const char *uuid_b)
{
	if (!*name_a != !*name_b)
		return *name_a ? -1 : 1;
	return *name_a ? strcmp(name_a, name_b) : strcmp(uuid_a, uuid_b);
}

static int compare_matrices(const void *a, const void *b)
{
	const struct client_matrix *x = a, *y = b;

	return client_compare_titles(x->name, x->uuid, y->name, y->uuid);
}

/* One a{sa{sv}} of an object; *ret_is_matrix says whether it has our interface. */
static int read_interfaces(sd_bus_message *m, struct client_matrix *matrix, bool *ret_is_matrix)
{
	const char *interface;
	int r = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");

	*ret_is_matrix = false;
	while (r >= 0) {
		r = sd_bus_message_enter_container(m, 'e', "sa{sv}");
		if (r <= 0)
			break;
		r = sd_bus_message_read_basic(m, 's', &interface);
		if (r < 0)
			break;
		if (strcmp(interface, APMATRIX_MATRIX) == 0) {
			*ret_is_matrix = true;
			r = object_read(m, matrix_properties, N_MATRIX_PROPERTIES, matrix, NULL);
		} else
			r = sd_bus_message_skip(m, "a{sv}");
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

int client_read_object(sd_bus_message *m, struct client_matrix *ret)
{
	struct client_matrix matrix = {0};
	bool is_matrix = false;
	const char *path;
	int r = sd_bus_message_read_basic(m, 'o', &path);

	if (r >= 0)
		matrix.path = strdup(path);
	if (r >= 0)
		r = matrix.path ? read_interfaces(m, &matrix, &is_matrix) : -ENOMEM;
	if (r < 0 || !is_matrix) {
		client_matrix_done(&matrix);
		return r < 0 ? r : 0;
	}
	*ret = matrix;
	return 1;
}

int client_matrices_add(struct client_matrices *l, struct client_matrix *m)
{
	struct client_matrix *items = reallocarray(l->items, l->n + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	l->items = items;
	items[l->n++] = *m;
	*m = (struct client_matrix){0};
	return 0;
}

/* Reads one {oa{sa{sv}}} that was entered. */
static int read_managed(sd_bus_message *m, struct client_matrices *list)
{
	struct client_matrix matrix;
	int r = client_read_object(m, &matrix);

	if (r <= 0)
		return r;
	r = client_matrices_add(list, &matrix);
	client_matrix_done(&matrix);
	return r;
}

int client_read_matrices(struct client *c, struct client_matrices *ret)
{
	struct client_matrices list = {0};
	sd_bus_message *reply = NULL;
	int r;

	r = client_get(c, APMATRIX_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects",
		&reply, NULL);
	if (r >= 0)
		r = sd_bus_message_enter_container(reply, 'a', "{oa{sa{sv}}}");
	while (r >= 0) {
		r = sd_bus_message_enter_container(reply, 'e', "oa{sa{sv}}");
		if (r <= 0)
			break;
		r = read_managed(reply, &list);
		if (r >= 0)
			r = sd_bus_message_exit_container(reply);
	}
	sd_bus_message_unref(reply);
	if (r < 0) {
		client_matrices_done(&list);
		return r == -ENXIO ? -EBADMSG : r;
	}
	if (list.n)
		qsort(list.items, list.n, sizeof(*list.items), compare_matrices);
	*ret = list;
	return 0;
}

void client_matrices_done(struct client_matrices *l)
{
	for (size_t i = 0; i < l->n; i++)
		client_matrix_done(&l->items[i]);
	free(l->items);
	*l = (struct client_matrices){0};
}
