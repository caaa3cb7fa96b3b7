/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How much may be on its way out.  A bus that has stopped, or that keeps so much for clients which
 * do not read that it reads no more itself, must not make the daemon grow: calls are refused while
 * messages pile up, and after a while, or beyond all measure, the connection is given up and made
 * anew.  It must not know what the messages say.
 */
#include <poll.h>
#include <string.h>
#include <time.h>

#include "bus/bus_private.h"
#include "util/log.h"

static uint64_t n_queued(sd_bus *connection)
{
	uint64_t n = 0;

	return sd_bus_get_n_queued_write(connection, &n) < 0 ? 0 : n;
}

static void give_up(struct bus *b)
{
	log_error("the bus (%s) has not taken %" PRIu64 " messages; connecting anew", b->address,
		n_queued(b->connection));
	sd_event_source_set_enabled(b->stall, SD_EVENT_OFF);
	bus_reconnect(b);
}

/* True if messages pile up; whether they still do is looked at later. */
static bool check_congestion(struct bus *b)
{
	if (n_queued(b->connection) <= BUS_QUEUE_READS_MAX)
		return false;
	if (sd_event_source_get_enabled(b->stall, NULL) <= 0) {
		sd_event_source_set_time_relative(b->stall, b->stall_usec);
		sd_event_source_set_enabled(b->stall, SD_EVENT_ONESHOT);
	}
	return true;
}

static int on_stall(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata)
{
	struct bus *b = userdata;

	if (!bus_is_lost(b) && n_queued(b->connection) > BUS_QUEUE_READS_MAX)
		give_up(b);
	return 0;
}

int bus_flow_new(struct bus *b)
{
	int r;

	r = sd_event_add_time(b->event, &b->stall, CLOCK_MONOTONIC, UINT64_MAX, 0, on_stall, b);
	if (r < 0)
		return r;
	return sd_event_source_set_enabled(b->stall, SD_EVENT_OFF);
}

/* Sees every message first, also those that sd-bus answers itself. */
static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct bus *b = userdata;

	if (!sd_bus_message_is_method_call(m, NULL, NULL) || bus_is_lost(b) || !check_congestion(b))
		return 0;
	return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
		"more answers are on their way than the bus takes: call again later");
}

int bus_flow_add(struct bus *b, sd_bus *connection)
{
	return sd_bus_add_filter(connection, NULL, on_message, b);
}

bool bus_may_signal(struct bus *b)
{
	if (!b->engine || bus_is_lost(b) || sd_bus_is_open(b->connection) <= 0)
		return false;
	if (n_queued(b->connection) > BUS_QUEUE_MAX) {
		give_up(b);
		return false;
	}
	check_congestion(b);
	return true;
}

static int swallow(
	sd_bus_message *m _unused_, void *userdata _unused_, sd_bus_error *error _unused_)
{
	return 1;
}

static uint64_t now_usec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* sd_bus_flush() would wait for ever.  Processing writes first; what comes in is dropped. */
void bus_flow_flush(sd_bus *connection, uint64_t usec)
{
	uint64_t end = now_usec() + usec;

	if (sd_bus_add_filter(connection, NULL, swallow, NULL) < 0)
		return;
	while (n_queued(connection) > 0) {
		uint64_t now = now_usec();
		int r = sd_bus_process(connection, NULL);

		if (r == 0 && now < end)
			r = sd_bus_wait(connection, end - now);
		if (r < 0 || now >= end)
			return;
	}
}
