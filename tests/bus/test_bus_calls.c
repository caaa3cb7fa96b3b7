/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls: what is read, what waits for the engine, who is let in, and what happens when one side
 * goes away.
 */
#include <string.h>
#include <unistd.h>

#include "room.h"
#include "unit/unit.h"

#define ERROR(name) "org.s390.APMatrix.Error." name
#define PATH(n) "/org/s390/APMatrix/matrix/62177883_f1bb_47f0_914d_32a22e3a" n
#define UUID(n) "62177883-f1bb-47f0-914d-32a22e3a" n

static const struct engine_result fine = {.message = "", .steps = 3};

/* guest1 (attached by process 4711), guest2, and a foreign device that process 4712 has. */
static const struct status *three_matrices(void)
{
	static struct matrix_status matrices[3];
	static struct status s;

	matrices[0] = fake_matrix(1, "guest1");
	matrices[1] = fake_matrix(2, "guest2");
	matrices[2] = fake_matrix(3, "");
	matrices[0].state = MATRIX_ATTACHED;
	matrices[0].attached = matrices[2].attached = true;
	matrices[0].vm_pid = 4711;
	matrices[1].vm_pid = 4711;
	matrices[2].vm_pid = 4712;
	matrices[2].state = MATRIX_FOREIGN;
	mask_set(&matrices[0].assigned.adapters, 5);
	mask_set(&matrices[0].assigned.domains, 4);
	mask_set(&matrices[0].assigned.domains, 0xab);
	/* A torn read: the kernel would not let two have it. */
	mask_set(&matrices[1].assigned.adapters, 5);
	mask_set(&matrices[1].assigned.domains, 4);
	mask_set(&matrices[2].assigned.adapters, 6);
	mask_set(&matrices[2].assigned.domains, 4);
	s = (struct status){.state = HOST_RUNNING, .matrices = matrices, .n_matrices = 3};
	return &s;
}

START_TEST(lists_matrices)
{
	static const char *const expected[][4] = {
		{"guest1", UUID("0001"), "attached", PATH("0001")},
		{"guest2", UUID("0002"), "active", PATH("0002")},
		{"", UUID("0003"), "foreign", PATH("0003")},
	};
	const char *got[4];
	sd_bus_message *m;

	room.engine.status = three_matrices();
	m = manager_call(room.stranger, "ListMatrices", NULL);
	expect_return(m, "a(ssso)");
	ck_assert_int_gt(sd_bus_message_enter_container(m, 'a', "(ssso)"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		ck_assert_int_gt(
			sd_bus_message_read(m, "(ssso)", &got[0], &got[1], &got[2], &got[3]), 0);
		for (size_t j = 0; j < 4; j++)
			ck_assert_str_eq(got[j], expected[i][j]);
	}
	ck_assert_int_gt(sd_bus_message_at_end(m, false), 0);
	sd_bus_message_unref(m);
}
END_TEST

START_TEST(finds_matrices_by_name_and_uuid)
{
	static const struct {
		const char *name, *path;
	} rows[] = {
		{"guest1", PATH("0001")},
		{"guest2", PATH("0002")},
		{UUID("0003"), PATH("0003")},
		{"guest", NULL},
		{"", NULL},
	};

	room.engine.status = three_matrices();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		sd_bus_message *m = manager_call(room.stranger, "GetMatrix", "s", rows[i].name);
		const char *path;

		if (rows[i].path) {
			expect_return(m, "o");
			ck_assert_int_gt(sd_bus_message_read(m, "o", &path), 0);
			ck_assert_msg(
				strcmp(path, rows[i].path) == 0, "'%s' is %s", rows[i].name, path);
		} else {
			expect_error(m, ERROR("NoSuchMatrix"), NULL);
		}
		sd_bus_message_unref(m);
	}
}
END_TEST

START_TEST(an_unknown_matrix_is_named_in_the_error)
{
	sd_bus_message *m = manager_call(room.stranger, "GetMatrix", "s", "guest9");

	expect_error(m, ERROR("NoSuchMatrix"),
		"guest9: no matrix has this name or UUID: ListMatrices names them all");
	sd_bus_message_unref(m);
}
END_TEST

START_TEST(finds_matrices_by_process)
{
	static const struct {
		uint32_t pid;
		const char *path, *error;
	} rows[] = {
		{4711, PATH("0001"), NULL},
		{4712, PATH("0003"), NULL},
		{1, NULL, ERROR("NoSuchMatrix")},
		{0, NULL, ERROR("InvalidArgument")},
	};

	room.engine.status = three_matrices();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		sd_bus_message *m = manager_call(room.stranger, "GetMatrixByPID", "u", rows[i].pid);
		const char *path;

		if (rows[i].path) {
			expect_return(m, "o");
			ck_assert_int_gt(sd_bus_message_read(m, "o", &path), 0);
			ck_assert_msg(strcmp(path, rows[i].path) == 0, "process %u has %s",
				rows[i].pid, path);
		} else {
			expect_error(m, rows[i].error, NULL);
		}
		sd_bus_message_unref(m);
	}
}
END_TEST

START_TEST(lists_queues_with_owner_and_matrix)
{
	static const struct {
		uint8_t adapter, domain;
		const char *owner, *matrix;
	} expected[] = {
		{3, 0, "host", ""},
		{5, 4, "vfio", "guest1"},
		{5, 0xab, "gone", "guest1"},
		{6, 4, "unbound", UUID("0003")},
	};
	struct observed *o = observed_new();
	sd_bus_message *m;

	queues_set(&o->present, 3, 0);
	queues_set(&o->host, 3, 0);
	queues_set(&o->present, 5, 4);
	queues_set(&o->vfio, 5, 4);
	queues_set(&o->present, 6, 4);
	room.engine.status = three_matrices();
	room.engine.observed = o;
	m = manager_call(room.stranger, "ListQueues", NULL);
	expect_return(m, "a(yyss)");
	ck_assert_int_gt(sd_bus_message_enter_container(m, 'a', "(yyss)"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		const char *owner, *matrix;
		uint8_t adapter, domain;

		ck_assert_int_gt(
			sd_bus_message_read(m, "(yyss)", &adapter, &domain, &owner, &matrix), 0);
		ck_assert_msg(adapter == expected[i].adapter && domain == expected[i].domain &&
				strcmp(owner, expected[i].owner) == 0 &&
				strcmp(matrix, expected[i].matrix) == 0,
			"row %zu: %u.%u %s '%s'", i, adapter, domain, owner, matrix);
	}
	ck_assert_int_gt(sd_bus_message_at_end(m, false), 0);
	sd_bus_message_unref(m);
	observed_free(o);
}
END_TEST

START_TEST(there_are_no_queues_before_the_first_scan)
{
	sd_bus_message *m;

	room.engine.status = three_matrices();
	m = manager_call(room.stranger, "ListQueues", NULL);
	expect_return(m, "a(yyss)");
	ck_assert_int_eq(sd_bus_message_enter_container(m, 'a', "(yyss)"), 1);
	ck_assert_int_gt(sd_bus_message_at_end(m, false), 0);
	sd_bus_message_unref(m);
}
END_TEST

START_TEST(a_plan_is_answered_when_the_engine_has_it)
{
	struct step steps[2] = {
		{.type = STEP_APMASK, .stage = STAGE_POOL},
		{.type = STEP_CREATE, .stage = STAGE_GROW, .uuid = UUID("0001"), .name = "guest1"},
	};
	struct plan plan = {.steps = steps, .n_steps = 2};
	struct engine_result result = {.message = "", .plan = &plan};
	const char *step, *object, *value;
	struct call c;

	room_send(room.stranger, &c, "Plan", NULL);
	room_wait_calls(1);
	room_sync();
	ck_assert(!c.done);
	fake_answer(&room.engine, 0, &result);
	run_until(room.event, &c.done);
	expect_return(c.reply, "a(sss)");
	ck_assert_int_gt(sd_bus_message_enter_container(c.reply, 'a', "(sss)"), 0);
	ck_assert_int_gt(sd_bus_message_read(c.reply, "(sss)", &step, &object, &value), 0);
	ck_assert_str_eq(step, "apmask");
	ck_assert_str_eq(object, "host");
	ck_assert_int_gt(sd_bus_message_read(c.reply, "(sss)", &step, &object, &value), 0);
	ck_assert_str_eq(step, "create");
	ck_assert_str_eq(object, "guest1");
	ck_assert_str_eq(value, UUID("0001"));
	ck_assert_int_gt(sd_bus_message_at_end(c.reply, false), 0);
	call_done(&c);
}
END_TEST

START_TEST(check_hands_over_the_text_and_answers_with_problems)
{
	const char *severity, *file, *text;
	uint32_t line;
	sd_bus_message *m;

	m = manager_call(room.stranger, "Check", "ss", "10-db.conf", "[Matrix guest1]\n");
	expect_return(m, "a(ssus)");
	ck_assert_str_eq(room.engine.check_file, "10-db.conf");
	ck_assert_str_eq(room.engine.check_text, "[Matrix guest1]\n");
	ck_assert_int_gt(sd_bus_message_enter_container(m, 'a', "(ssus)"), 0);
	ck_assert_int_gt(sd_bus_message_read(m, "(ssus)", &severity, &file, &line, &text), 0);
	ck_assert_str_eq(severity, "error");
	ck_assert_str_eq(file, "10-db.conf");
	ck_assert_uint_eq(line, 7);
	ck_assert_str_eq(text, "guest1: adapter 300 is above 255");
	ck_assert_int_gt(sd_bus_message_at_end(m, false), 0);
	sd_bus_message_unref(m);
}
END_TEST

START_TEST(check_refuses_what_is_no_drop_in_name)
{
	sd_bus_message *m;

	room.engine.check_result = -EINVAL;
	m = manager_call(room.stranger, "Check", "ss", "../passwd", "");
	expect_error(m, ERROR("InvalidArgument"),
		"../passwd: not the name of a drop-in: give a file name without folder that ends "
		"in \".conf\"");
	sd_bus_message_unref(m);
}
END_TEST

static const struct engine_result defined = {.message = "", .uuid = UUID("0001")};

START_TEST(root_may_change_and_is_answered_late)
{
	for (size_t i = 0; i < N_ROOM_CHANGES; i++) {
		const struct room_change *change = &room_changes[i];
		struct fake_call *asked = &room.engine.calls[i];
		struct call c;

		room_send_message(
			room.client, &c, room_change_message(room.client, change, "guest1"));
		room_wait_calls(i + 1);
		ck_assert_str_eq(asked->what, change->what);
		ck_assert_str_eq(asked->name, *change->types ? "guest1" : "");
		room_sync();
		ck_assert(!c.done);
		fake_answer(&room.engine, i, &defined);
		run_until(room.event, &c.done);
		expect_return(c.reply, change->reply);
		call_done(&c);
	}
}
END_TEST

/* Whoever hints may have gone before it is read, and need not be anybody. */
START_TEST(look_is_a_hint_and_returns_at_once)
{
	sd_bus_message *m = manager_call(room.stranger, "Look", NULL);

	expect_return(m, "");
	sd_bus_message_unref(m);
	ck_assert_uint_eq(room.engine.n_calls, 1);
	ck_assert_str_eq(room.engine.calls[0].what, "poke");
}
END_TEST

START_TEST(reconcile_tells_the_number_of_steps)
{
	uint32_t steps;
	sd_bus_message *m;

	room.engine.answer = &fine;
	m = manager_call(room.client, "Reconcile", NULL);
	expect_return(m, "u");
	ck_assert_int_gt(sd_bus_message_read(m, "u", &steps), 0);
	ck_assert_uint_eq(steps, 3);
	sd_bus_message_unref(m);
}
END_TEST

START_TEST(every_error_of_the_engine_has_its_name)
{
	for (int e = ENGINE_OK + 1; e <= ENGINE_HAZARD; e++) {
		struct engine_result result = {
			.error = (enum engine_error)e, .message = "guest1: no luck"};
		char name[64];
		sd_bus_message *m;

		snprintf(name, sizeof(name), ERROR("%s"), engine_error_to_string(result.error));
		room.engine.answer = &result;
		m = manager_call(room.client, "StartMatrix", "s", "guest1");
		expect_error(m, name, "guest1: no luck");
		sd_bus_message_unref(m);
	}
}
END_TEST

START_TEST(an_odd_byte_in_a_message_costs_that_byte_only)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"caf\xc3\xa9", "caf\xc3\xa9"},
		{"caf\xe9", "caf\xef\xbf\xbd"},
		{"\xc3(\xc3", "\xef\xbf\xbd(\xef\xbf\xbd"},
		{"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xe2\x82\xac \xe2\x82", "\xe2\x82\xac \xef\xbf\xbd\xef\xbf\xbd"},
		{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xef\xbf\xbe!", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd!"},
		{"\xf0\x9f\x94\x91", "\xf0\x9f\x94\x91"},
		{"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xff", "\xef\xbf\xbd"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct engine_result result = {.error = ENGINE_BUSY, .message = rows[i].in};
		sd_bus_message *m;

		room.engine.answer = &result;
		m = manager_call(room.client, "StopMatrix", "s", "guest1");
		ck_assert_msg(strcmp(sd_bus_message_get_error(m)->message, rows[i].out) == 0,
			"row %zu", i);
		sd_bus_message_unref(m);
	}
}
END_TEST

START_TEST(a_caller_that_left_is_harmless)
{
	struct call c;

	room_send(room.client, &c, "StartMatrix", "guest1");
	room_wait_calls(1);
	sd_bus_close_unref(room.client);
	room.client = private_bus_client(&room.bus, room.event, 0);
	room_sync();
	fake_answer(&room.engine, 0, &fine);
	room_sync();
}
END_TEST

START_TEST(a_caller_that_leaves_at_the_gate_is_harmless)
{
	sd_bus *other = private_bus_client(&room.bus, room.event, 0);
	struct call c;

	room_send(other, &c, "StartMatrix", "guest1");
	sd_bus_flush(other);
	sd_bus_close_unref(other);
	room_sync();
	room_sync();

	/* Whether the bus still knew him is a race that either side may win. */
	if (room.engine.n_calls > 0)
		fake_answer(&room.engine, 0, &fine);
	room_sync();
}
END_TEST

static const struct engine_result busy = {.error = ENGINE_BUSY, .message = ""};

static void answer_all(void)
{
	for (size_t i = 0; i < room.engine.n_calls; i++)
		if (room.engine.calls[i].reply)
			fake_answer(&room.engine, i, &busy);
}

static void wait_all(struct call *calls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		run_until(room.event, &calls[i].done);
		call_done(&calls[i]);
	}
}

START_TEST(one_caller_cannot_take_all_places)
{
	static struct call calls[65], again;

	for (size_t i = 0; i < 65; i++)
		room_send(room.stranger, &calls[i], "Plan", NULL);
	run_until(room.event, &calls[64].done);
	expect_error(calls[64].reply, SD_BUS_ERROR_LIMITS_EXCEEDED, NULL);
	ck_assert_uint_eq(room.engine.n_calls, 64);
	call_done(&calls[64]);

	/* Others still can, and so can he when one is answered. */
	room_send(room.client, &calls[64], "Plan", NULL);
	room_wait_calls(65);
	fake_answer(&room.engine, 0, &busy);
	room_send(room.stranger, &again, "Plan", NULL);
	room_wait_calls(66);
	answer_all();
	wait_all(calls, 65);
	wait_all(&again, 1);
}
END_TEST

START_TEST(many_readers_do_not_keep_root_from_changing)
{
	static struct call calls[256], last;
	sd_bus *others[4];

	for (size_t i = 0; i < 256; i++) {
		if (i % 64 == 0)
			others[i / 64] = private_bus_client(&room.bus, room.event, NOBODY);
		room_send(others[i / 64], &calls[i], "Plan", NULL);
	}
	room_wait_calls(256);
	room_send(room.client, &last, "Plan", NULL);
	run_until(room.event, &last.done);
	expect_error(last.reply, SD_BUS_ERROR_LIMITS_EXCEEDED, NULL);
	call_done(&last);
	room_send(room.client, &last, "StopMatrix", "guest1");
	room_wait_calls(257);
	ck_assert_str_eq(room.engine.calls[256].what, "stop");
	answer_all();
	wait_all(calls, 256);
	wait_all(&last, 1);
	for (size_t i = 0; i < 4; i++)
		sd_bus_close_unref(others[i]);
}
END_TEST

START_TEST(the_end_of_the_daemon_answers_who_waits)
{
	struct call plan, start;

	room_send(room.stranger, &plan, "Plan", NULL);
	room_send(room.client, &start, "StartMatrix", "guest1");
	room_wait_calls(2);
	bus_free(room.server);
	room.server = NULL;
	run_until(room.event, &plan.done);
	run_until(room.event, &start.done);
	expect_error(plan.reply, ERROR("Busy"), NULL);
	expect_error(start.reply, ERROR("Busy"), NULL);
	call_done(&plan);
	call_done(&start);

	/* The engine is freed after the bus and answers what it still has. */
	for (size_t i = 0; i < 2; i++)
		fake_answer(&room.engine, i,
			&(struct engine_result){.error = ENGINE_BUSY, .message = "ending"});
}
END_TEST

START_TEST(the_engine_may_end_first)
{
	struct call c;

	room_send(room.client, &c, "Reload", NULL);
	room_wait_calls(1);
	fake_answer(&room.engine, 0,
		&(struct engine_result){.error = ENGINE_BUSY, .message = "the daemon ends"});
	bus_free(room.server);
	room.server = NULL;
	run_until(room.event, &c.done);
	expect_error(c.reply, ERROR("Busy"), "the daemon ends");
	call_done(&c);
}
END_TEST

START_TEST(a_second_daemon_does_not_get_the_name)
{
	struct bus *second = NULL;

	ck_assert_int_eq(bus_new(room.event, room.bus.address, &second), -EEXIST);
	ck_assert_ptr_null(second);
	room_sync();
}
END_TEST

START_TEST(a_bus_that_cannot_be_reached_is_an_error)
{
	struct bus *other = NULL;

	ck_assert_int_lt(bus_new(room.event, "unix:path=/nonexistent/bus", &other), 0);
	ck_assert_ptr_null(other);
}
END_TEST

static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_)
{
	const char *name, *old, *now;

	if (sd_bus_message_read(m, "sss", &name, &old, &now) >= 0 && *now)
		*(bool *)userdata = true;
	return 0;
}

START_TEST(a_lost_bus_is_joined_again)
{
	bool back = false;
	struct call c;

	room_send(room.client, &c, "StartMatrix", "guest1");
	room_wait_calls(1);
	private_bus_restart(&room.bus);
	run_until(room.event, &c.done);
	call_done(&c);
	sd_bus_close_unref(room.client);
	room.client = private_bus_client(&room.bus, room.event, 0);
	ck_assert_int_ge(sd_bus_match_signal(room.client, NULL, "org.freedesktop.DBus", NULL,
				 "org.freedesktop.DBus", "NameOwnerChanged", on_owner, &back),
		0);
	run_until(room.event, &back);
	room_sync();

	/* What was asked for on the old connection ends without harm. */
	fake_answer(&room.engine, 0, &fine);
	room.engine.answer = &fine;
	room_send(room.client, &c, "StartMatrix", "guest1");
	run_until(room.event, &c.done);
	expect_return(c.reply, "");
	call_done(&c);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bus calls");
	TCase *tc = tcase_create("calls");

	if (geteuid() != 0) {
		fprintf(stderr, "skipped: root is needed to be two users on one bus\n");
		return 77;
	}
	tcase_add_checked_fixture(tc, room_setup, room_teardown);
	tcase_add_test(tc, lists_matrices);
	tcase_add_test(tc, finds_matrices_by_name_and_uuid);
	tcase_add_test(tc, an_unknown_matrix_is_named_in_the_error);
	tcase_add_test(tc, finds_matrices_by_process);
	tcase_add_test(tc, lists_queues_with_owner_and_matrix);
	tcase_add_test(tc, there_are_no_queues_before_the_first_scan);
	tcase_add_test(tc, a_plan_is_answered_when_the_engine_has_it);
	tcase_add_test(tc, check_hands_over_the_text_and_answers_with_problems);
	tcase_add_test(tc, check_refuses_what_is_no_drop_in_name);
	tcase_add_test(tc, root_may_change_and_is_answered_late);
	tcase_add_test(tc, look_is_a_hint_and_returns_at_once);
	tcase_add_test(tc, reconcile_tells_the_number_of_steps);
	tcase_add_test(tc, every_error_of_the_engine_has_its_name);
	tcase_add_test(tc, an_odd_byte_in_a_message_costs_that_byte_only);
	tcase_add_test(tc, a_caller_that_left_is_harmless);
	tcase_add_test(tc, a_caller_that_leaves_at_the_gate_is_harmless);
	tcase_add_test(tc, one_caller_cannot_take_all_places);
	tcase_add_test(tc, many_readers_do_not_keep_root_from_changing);
	tcase_add_test(tc, the_end_of_the_daemon_answers_who_waits);
	tcase_add_test(tc, the_engine_may_end_first);
	tcase_add_test(tc, a_second_daemon_does_not_get_the_name);
	tcase_add_test(tc, a_bus_that_cannot_be_reached_is_an_error);
	tcase_add_test(tc, a_lost_bus_is_joined_again);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
