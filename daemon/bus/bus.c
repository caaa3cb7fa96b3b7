/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection: made, named, bounded, and made again when it is lost.  Knows which objects there
 * are, not what they say.
 */
#include "bus/bus.h"

#include <string.h>
#include <time.h>

#include "bus/bus_private.h"
#include "util/log.h"

#define RETRY_FIRST_USEC UINT64_C(100000) /* doubled with every failure, up to: */
#define RETRY_LAST_USEC UINT64_C(10000000)

uint64_t bus_now(const struct bus *b)
{
	uint64_t now = 0;

	sd_event_now(b->event, CLOCK_MONOTONIC, &now);
	return now;
}

static int open_address(const char *address, sd_bus **ret)
{
	_cleanup_(sd_bus_unrefp) sd_bus *connection = NULL;
	int r;

	r = sd_bus_new(&connection);
	if (r < 0)
		return r;
	r = sd_bus_set_address(connection, address);
	if (r < 0)
		return r;
	r = sd_bus_set_bus_client(connection, true);
	if (r < 0)
		return r;
	r = sd_bus_start(connection);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(connection);
	return 0;
}

static int open_connection(const char *address, sd_bus **ret)
{
	if (strcmp(address, "system") == 0)
		return sd_bus_open_system(ret);
	if (strcmp(address, "session") == 0)
		return sd_bus_open_user(ret);
	return open_address(address, ret);
}

void bus_reconnect(struct bus *b)
{
	sd_event_source_set_time_relative(b->retry, b->retry_usec);
	sd_event_source_set_enabled(b->retry, SD_EVENT_ONESHOT);
	b->retry_usec *= 2;
	if (b->retry_usec > RETRY_LAST_USEC)
		b->retry_usec = RETRY_LAST_USEC;
}

bool bus_is_lost(const struct bus *b)
{
	return !b->connection || sd_event_source_get_enabled(b->retry, NULL) > 0;
}

static int on_disconnected(sd_bus_message *m _unused_, void *userdata, sd_bus_error *error _unused_)
{
	struct bus *b = userdata;

	log_warning("the connection to the bus (%s) is lost; connecting anew", b->address);
	bus_reconnect(b);
	return 0;
}

static int add_objects(struct bus *b, sd_bus *connection)
{
	int r;

	r = bus_flow_add(b, connection);
	if (r < 0)
		return r;
	r = sd_bus_add_object_vtable(
		connection, NULL, BUS_PATH, BUS_MANAGER_INTERFACE, bus_manager_vtable, b);
	if (r < 0)
		return r;
	r = sd_bus_add_fallback_vtable(connection, NULL, BUS_MATRIX_PREFIX, BUS_MATRIX_INTERFACE,
		bus_matrix_vtable, bus_matrix_find, b);
	if (r < 0)
		return r;
	r = sd_bus_add_node_enumerator(
		connection, NULL, BUS_MATRIX_PREFIX, bus_matrix_enumerate, b);
	if (r < 0)
		return r;
	r = sd_bus_add_object_manager(connection, NULL, BUS_PATH);
	if (r < 0)
		return r;
	return sd_bus_match_signal(connection, NULL, "org.freedesktop.DBus.Local",
		"/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local", "Disconnected",
		on_disconnected, b);
}

/* A connection with all objects, attached to the loop, without its name yet. */
static int connect_bus(struct bus *b)
{
	_cleanup_(sd_bus_close_unrefp) sd_bus *connection = NULL;
	int r;

	r = open_connection(b->address, &connection);
	if (r < 0)
		return r;
	r = add_objects(b, connection);
	if (r < 0)
		return r;
	r = sd_bus_attach_event(connection, b->event, SD_EVENT_PRIORITY_NORMAL);
	if (r < 0)
		return r;
	b->connection = TAKE_PTR(connection);
	return 0;
}

/* Calls that came through the connection cannot be answered after it. */
static void disconnect_bus(struct bus *b)
{
	bus_request_abandon_all(b);
	if (b->connection)
		sd_bus_detach_event(b->connection);
	b->connection = sd_bus_close_unref(b->connection);
}

static int on_name(sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_)
{
	struct bus *b = userdata;
	const sd_bus_error *e = sd_bus_message_get_error(reply);
	uint32_t result = 0;

	if (!e && sd_bus_message_read(reply, "u", &result) >= 0 && result == 1) {
		log_info("connected to the bus (%s) again", b->address);
		b->retry_usec = RETRY_FIRST_USEC;
		return 0;
	}
	log_error("cannot have the name %s on the bus (%s): %s; trying again", BUS_NAME, b->address,
		e ? e->message : "another program has it");
	bus_reconnect(b);
	return 0;
}

/* Runs off the loop, so it asks for the name without waiting. */
static int on_retry(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata)
{
	struct bus *b = userdata;
	int r;

	disconnect_bus(b);
	r = connect_bus(b);
	if (r >= 0)
		r = sd_bus_request_name_async(b->connection, NULL, BUS_NAME, 0, on_name, b);
	if (r < 0) {
		log_debug("cannot connect to the bus (%s): %s", b->address, strerror(-r));
		disconnect_bus(b);
		bus_reconnect(b);
	}
	return 0;
}

static int prepare_timers(struct bus *b)
{
	int r;

	r = sd_event_add_time(b->event, &b->retry, CLOCK_MONOTONIC, UINT64_MAX, 0, on_retry, b);
	if (r < 0)
		return r;
	r = sd_event_source_set_enabled(b->retry, SD_EVENT_OFF);
	if (r < 0)
		return r;
	return bus_flow_new(b);
}

int bus_new(sd_event *event, const char *address, struct bus **ret)
{
	_cleanup_(cleanup_bus_free) struct bus *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return -ENOMEM;
	b->event = sd_event_ref(event);
	b->retry_usec = RETRY_FIRST_USEC;
	b->stall_usec = BUS_STALL_USEC;
	b->flush_usec = BUS_FLUSH_USEC;
	b->polkit_usec = BUS_POLKIT_USEC;
	b->polkit_dialog_usec = BUS_POLKIT_DIALOG_USEC;
	b->address = strdup(address);
	if (!b->address)
		return -ENOMEM;
	r = prepare_timers(b);
	if (r < 0)
		return r;
	r = connect_bus(b);
	if (r < 0)
		return r;
	r = sd_bus_request_name(b->connection, BUS_NAME, 0);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(b);
	return 0;
}

void bus_free(struct bus *b)
{
	bus_request_abandon_all(b);
	if (b->connection)
		sd_bus_detach_event(b->connection);
	if (b->connection && sd_bus_is_ready(b->connection) > 0)
		bus_flow_flush(b->connection, b->flush_usec);
	disconnect_bus(b);
	sd_event_source_disable_unref(b->retry);
	sd_event_source_disable_unref(b->stall);
	sd_event_unref(b->event);
	free(b->address);
	free(b);
}

void bus_set_engine(struct bus *b, struct engine *e)
{
	b->engine = e;
}
