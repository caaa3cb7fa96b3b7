/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Many clients, and bad ones: on either bus the daemon goes on answering others, and what it keeps
 * for them is bounded.
 *   test_bus_load dbus-daemon|dbus-broker
 */
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bus/bus_private.h"
#include "room.h"
#include "unit/unit.h"

#define N_MATRICES 256u

static struct matrix_status matrices[N_MATRICES];
static struct status many = {.state = HOST_RUNNING, .matrices = matrices, .n_matrices = N_MATRICES};
static const struct engine_result fine = {.message = ""};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void setup(void)
{
	room_setup();
	for (unsigned i = 0; i < N_MATRICES; i++) {
		matrices[i] = fake_matrix(i, "guest");
		mask_set(&matrices[i].assigned.adapters, i & 0xff);
		mask_set(&matrices[i].assigned.domains, i & 0xff);
	}
	room.engine.status = &many;
}
static void send_without_reading(sd_bus *client, const char *interface, const char *member)
{
	sd_bus_message *m = NULL;

	ck_assert_int_ge(sd_bus_message_new_method_call(client, &m, "org.s390.APMatrix",
				 "/org/s390/APMatrix", interface, member),
		0);
	ck_assert_int_ge(sd_bus_send(client, m, NULL), 0);
	sd_bus_message_unref(m);
}

static uint64_t queued(void)
{
	uint64_t n = 0;

	ck_assert_int_ge(sd_bus_get_n_queued_write(room.server->connection, &n), 0);
	return n;
}

/* Another client's call is answered, and soon, whatever the rest does. */
static void expect_served(void)
{
	double start = now();
	sd_bus_message *reply = manager_call(room.client, "GetMatrix", "s", matrices[7].uuid);

	expect_return(reply, "o");
	sd_bus_message_unref(reply);
	ck_assert_msg(now() - start < 5, "served after %.1f s", now() - start);
	ck_assert_uint_le(queued(), BUS_QUEUE_READS_MAX + 1);
	ck_assert(!bus_is_lost(room.server));
}

START_TEST(clients_that_never_read_harm_nobody)
{
	sd_bus *bad[8];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		bad[i] = private_bus_client(&room.bus, room.event, NOBODY);
		sd_bus_detach_event(bad[i]);
	}
	for (unsigned n = 0; n < 60; n++) {
		for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
			send_without_reading(
				bad[i], "org.freedesktop.DBus.ObjectManager", "GetManagedObjects");
		if (n % 10 == 0)
			expect_served();
	}
	expect_served();
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		sd_bus_close_unref(bad[i]);
	expect_served();
}
END_TEST

START_TEST(a_listener_that_never_reads_misses_signals_alone)
{
	struct status_diff diff = {.manager = GP_STATE | GP_PROBLEMS};
	sd_bus *bad = private_bus_client(&room.bus, room.event, NOBODY);
	struct call c = {};

	ck_assert_int_ge(
		sd_bus_match_signal(bad, NULL, "org.s390.APMatrix", NULL, NULL, NULL, NULL, NULL),
		0);
	sd_bus_detach_event(bad);
	for (unsigned n = 0; n < 20; n++) {
		for (unsigned i = 0; i < 500; i++)
			bus_published(room.server, &many, &many, &diff);
		room_send(room.client, &c, "ListMatrices", NULL);
		run_until(room.event, &c.done);
		call_done(&c);
	}
	expect_served();
	sd_bus_close_unref(bad);
	expect_served();
}
END_TEST

/* Reads one message now and then. */
START_TEST(a_slow_reader_gets_everything)
{
	static struct call calls[40];
	sd_bus *slow = private_bus_client(&room.bus, room.event, NOBODY);

	sd_bus_detach_event(slow);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		room_send(slow, &calls[i], "ListMatrices", NULL);
	for (unsigned n = 0; !calls[ARRAY_SIZE(calls) - 1].done; n++) {
		ck_assert_uint_lt(n, 10000);
		expect_served();
		ck_assert_int_ge(sd_bus_process(slow, NULL), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		expect_return(calls[i].reply, "a(ssso)");
		call_done(&calls[i]);
	}
	sd_bus_close_unref(slow);
}
END_TEST

START_TEST(two_hundred_at_once_are_answered)
{
	static struct call calls[200];
	sd_bus *clients[ARRAY_SIZE(calls)];

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		clients[i] = private_bus_client(&room.bus, room.event, i % 2 ? 0 : NOBODY);
	room.engine.answer = &fine;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		room_send(clients[i], &calls[i], i % 2 ? "StopMatrix" : "ListMatrices",
			i % 2 ? "guest" : NULL);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		run_until(room.event, &calls[i].done);
		expect_return(calls[i].reply, i % 2 ? "" : "a(ssso)");
		call_done(&calls[i]);
		sd_bus_close_unref(clients[i]);
	}
	ck_assert_uint_eq(room.engine.n_calls, ARRAY_SIZE(calls) / 2);
}
END_TEST

/* Every one of them is answered or refused, and nobody else waits for that. */
START_TEST(calls_by_the_thousand_are_answered_or_refused)
{
	static struct call calls[4000];
	size_t n_refused = 0;

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		room_send(room.stranger, &calls[i], i % 2 ? "Plan" : "GetMatrix",
			i % 2 ? NULL : "nothing");
		if (i % 1000 == 0)
			expect_served();
	}
	expect_served();
	/* The last one is refused, and by then all before it have been heard. */
	run_until(room.event, &calls[ARRAY_SIZE(calls) - 1].done);
	room.engine.answer = &fine;
	for (size_t i = 0; i < room.engine.n_calls; i++)
		fake_answer(&room.engine, i,
			&(struct engine_result){.error = ENGINE_BUSY, .message = ""});
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		run_until(room.event, &calls[i].done);
		n_refused += sd_bus_message_is_method_error(
				     calls[i].reply, SD_BUS_ERROR_LIMITS_EXCEEDED) > 0;
		call_done(&calls[i]);
	}
	ck_assert_uint_ge(n_refused, ARRAY_SIZE(calls) / 2 - BUS_READS_CALLER_MAX);
	ck_assert_uint_le(room.engine.n_calls, BUS_READS_CALLER_MAX);
}
END_TEST

/* Without polkit here: each of them is asked about and denied. */
START_TEST(strangers_who_want_to_change_do_not_keep_root_from_it)
{
	static struct call calls[1500];
	sd_bus_message *m;

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		room_send(room.stranger, &calls[i], "StopMatrix", "guest");
	room.engine.answer = &fine;
	m = manager_call(room.client, "StopMatrix", "s", "guest");
	expect_return(m, "");
	sd_bus_message_unref(m);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		run_until(room.event, &calls[i].done);
		ck_assert_ptr_nonnull(sd_bus_message_get_error(calls[i].reply));
		call_done(&calls[i]);
	}
	ck_assert_uint_eq(room.engine.n_calls, 1);
	ck_assert_ptr_null(room.server->requests);
}
END_TEST

/* More signals than the sockets hold while the bus stands still. */
static void stop_the_bus(void)
{
	struct status_diff diff = {.manager = GP_PROBLEMS};

	ck_assert_int_eq(kill(room.bus.pid, SIGSTOP), 0);
	for (unsigned i = 0; i < 60000 && queued() <= 2 * BUS_QUEUE_READS_MAX; i++)
		bus_published(room.server, &many, &many, &diff);
	ck_assert_uint_gt(queued(), BUS_QUEUE_READS_MAX);
}

/* The call is at the daemon's socket already, and its answer would only make it worse. */
START_TEST(calls_are_refused_while_the_bus_stands_still)
{
	struct call c;

	room_send(room.client, &c, "ListMatrices", NULL);
	ck_assert_int_ge(sd_bus_flush(room.client), 0);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_ge(sd_bus_call_method(room.client, "org.freedesktop.DBus",
					 "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetId",
					 NULL, NULL, NULL),
			0);
	stop_the_bus();
	for (unsigned i = 0; i < 5; i++)
		ck_assert_int_ge(sd_event_run(room.event, 0), 0);
	ck_assert_int_eq(kill(room.bus.pid, SIGCONT), 0);
	run_until(room.event, &c.done);
	expect_error(c.reply, SD_BUS_ERROR_LIMITS_EXCEEDED, NULL);
	call_done(&c);
	while (queued() > 0)
		ck_assert_int_gt(sd_event_run(room.event, UINT64_C(20000000)), 0);
	expect_served();
}
END_TEST

START_TEST(a_bus_that_stands_still_does_not_keep_the_daemon_from_ending)
{
	double start;

	stop_the_bus();
	room.server->flush_usec = 200000;
	start = now();
	bus_free(room.server);
	room.server = NULL;
	ck_assert_msg(now() - start < 2, "ended after %.1f s", now() - start);
	ck_assert_int_eq(kill(room.bus.pid, SIGCONT), 0);
}
END_TEST

START_TEST(what_the_bus_takes_in_time_is_sent_before_the_end)
{
	static struct call calls[60];

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		room_send(room.client, &calls[i], "Plan", NULL);
	room_wait_calls(ARRAY_SIZE(calls));
	bus_free(room.server);
	room.server = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		run_until(room.event, &calls[i].done);
		expect_error(calls[i].reply, "org.s390.APMatrix.Error.Busy", NULL);
		call_done(&calls[i]);
	}

	/* The engine is freed after the bus and answers what it still has. */
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		fake_answer(&room.engine, i, &fine);
}
END_TEST

static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_)
{
	const char *name, *old, *new;

	if (sd_bus_message_read(m, "sss", &name, &old, &new) >= 0 &&
		strcmp(name, "org.s390.APMatrix") == 0 && *new)
		*(bool *)userdata = true;
	return 0;
}

START_TEST(a_bus_that_stood_still_too_long_is_joined_anew)
{
	bool back = false;

	ck_assert_int_ge(sd_bus_match_signal(room.client, NULL, "org.freedesktop.DBus", NULL,
				 "org.freedesktop.DBus", "NameOwnerChanged", on_owner, &back),
		0);
	room_sync();
	room.server->stall_usec = 10000;
	stop_the_bus();
	while (!bus_is_lost(room.server))
		ck_assert_int_gt(sd_event_run(room.event, UINT64_C(20000000)), 0);
	ck_assert_int_eq(kill(room.bus.pid, SIGCONT), 0);
	run_until(room.event, &back);
	expect_served();
}
END_TEST

int main(int argc, char **argv)
{
	Suite *suite = suite_create("bus load");
	TCase *tc = tcase_create("load");
	bool is_broker = argc > 1 && strcmp(argv[1], "dbus-broker") == 0;

	if (geteuid() != 0) {
		fprintf(stderr, "skipped: root is needed to be two users on one bus\n");
		return 77;
	}
	if (is_broker && !private_bus_use_broker())
		return 77;
	tcase_add_checked_fixture(tc, setup, room_teardown);
	tcase_add_test(tc, clients_that_never_read_harm_nobody);
	tcase_add_test(tc, a_listener_that_never_reads_misses_signals_alone);
	tcase_add_test(tc, a_slow_reader_gets_everything);
	tcase_add_test(tc, two_hundred_at_once_are_answered);
	tcase_add_test(tc, calls_by_the_thousand_are_answered_or_refused);
	tcase_add_test(tc, strangers_who_want_to_change_do_not_keep_root_from_it);
	tcase_add_test(tc, what_the_bus_takes_in_time_is_sent_before_the_end);
	/* What is stopped here is the bus itself, which for dbus-broker is the launcher's child. */
	if (!is_broker) {
		tcase_add_test(tc, calls_are_refused_while_the_bus_stands_still);
		tcase_add_test(tc, a_bus_that_stands_still_does_not_keep_the_daemon_from_ending);
		tcase_add_test(tc, a_bus_that_stood_still_too_long_is_joined_anew);
	}
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
