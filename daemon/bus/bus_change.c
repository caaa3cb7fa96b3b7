/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What changes something, in one table: what each method takes, what it needs, what it asks of the
 * engine.  There is one handler for all of them, and it leads through the gate; a method that is
 * not in the table is not done.
 */
#include <string.h>

#include "bus/bus_private.h"

#define MANAGE_MATRICES BUS_NAME ".manage-matrices"
#define MANAGE_DEFINITIONS BUS_NAME ".manage-definitions"
#define ATTACH_GUEST BUS_NAME ".attach-guest"

static int append_steps(sd_bus_message *reply, const struct engine_result *result)
{
	return sd_bus_message_append(reply, "u", result->steps);
}

static int append_path(sd_bus_message *reply, const struct engine_result *result)
{
	char path[BUS_MATRIX_PATH_SIZE];

	bus_matrix_path(result->uuid, path);
	return sd_bus_message_append(reply, "o", path);
}

static void on_steps(void *userdata, const struct engine_result *result)
{
	bus_request_finish(userdata, result, append_steps);
}

static void on_defined(void *userdata, const struct engine_result *result)
{
	bus_request_finish(userdata, result, append_path);
}

static void on_done(void *userdata, const struct engine_result *result)
{
	bus_request_finish(userdata, result, NULL);
}

static void run_reconcile(struct bus_request *r, const struct bus_args *a _unused_)
{
	engine_reconcile(r->bus->engine, bus_now(r->bus), on_steps, r);
}

static void run_reload(struct bus_request *r, const struct bus_args *a _unused_)
{
	engine_reload(r->bus->engine, bus_now(r->bus), on_done, r);
}

static void run_start(struct bus_request *r, const struct bus_args *a)
{
	engine_start_matrix(r->bus->engine, bus_now(r->bus), a->name, on_done, r);
}

static void run_stop(struct bus_request *r, const struct bus_args *a)
{
	engine_stop_matrix(r->bus->engine, bus_now(r->bus), a->name, on_done, r);
}

static void run_update(struct bus_request *r, const struct bus_args *a)
{
	engine_update(
		r->bus->engine, bus_now(r->bus), a->name, a->settings, a->n_settings, on_done, r);
}

static void run_define(struct bus_request *r, const struct bus_args *a)
{
	engine_define(r->bus->engine, bus_now(r->bus), a->name, a->settings, a->n_settings,
		a->replace, on_defined, r);
}

static void run_undefine(struct bus_request *r, const struct bus_args *a)
{
	engine_undefine(r->bus->engine, bus_now(r->bus), a->name, on_done, r);
}

static void run_prepare(struct bus_request *r, const struct bus_args *a)
{
	engine_prepare_guest(
		r->bus->engine, bus_now(r->bus), a->name, a->uuids, a->n_uuids, on_done, r);
}

static void run_release(struct bus_request *r, const struct bus_args *a)
{
	engine_release_guest(
		r->bus->engine, bus_now(r->bus), a->name, a->uuids, a->n_uuids, on_done, r);
}

/* clang-format off */
static const struct bus_change changes[] = {
	{"Reconcile",    "reconcile", NULL,     false, MANAGE_MATRICES,    bus_args_none,   run_reconcile},
	{"Reload",       "reload",    NULL,     false, MANAGE_MATRICES,    bus_args_none,   run_reload},
	{"StartMatrix",  "start",     "matrix", true,  MANAGE_MATRICES,    bus_args_name,   run_start},
	{"StopMatrix",   "stop",      "matrix", true,  MANAGE_MATRICES,    bus_args_name,   run_stop},
	{"Update",       "update",    "matrix", true,  MANAGE_MATRICES,    bus_args_update, run_update},
	{"Define",       "define",    "matrix", false, MANAGE_DEFINITIONS, bus_args_define, run_define},
	{"Undefine",     "undefine",  "matrix", false, MANAGE_DEFINITIONS, bus_args_name,   run_undefine},
	{"PrepareGuest", "prepare",   "guest",  false, ATTACH_GUEST,       bus_args_guest,  run_prepare},
	{"ReleaseGuest", "release",   "guest",  false, ATTACH_GUEST,       bus_args_guest,  run_release},
};
/* clang-format on */

static const struct bus_change *find_change(const char *member)
{
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
		if (strcmp(changes[i].member, member) == 0)
			return &changes[i];
	return NULL;
}

int bus_change_method(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *member = sd_bus_message_get_member(m);
	const struct bus_change *change = find_change(member);
	struct bus_args args = {};
	int r;

	if (!change)
		return sd_bus_error_setf(
			error, SD_BUS_ERROR_ACCESS_DENIED, "%s has no rule", member);
	r = change->read(m, &args, error);
	if (r >= 0)
		r = bus_access_pass(userdata, m, change, &args, error);
	bus_args_done(&args);
	return r;
}
