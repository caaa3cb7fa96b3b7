/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The gate with the real polkitd: who is let in, who is asked, and what happens when polkit or the
 * caller goes away in between.  Whatever the answer, nothing is changed before it.
 *   test_bus_polkit dbus-daemon|dbus-broker
 */
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "bus/bus_private.h"
#include "private_polkit.h"
#include "room.h"
#include "unit/unit.h"

#define ACTION(name) "org.s390.APMatrix." name
#define UUID "62177883-f1bb-47f0-914d-32a22e3a0001"

/* games: everything; daemon: nothing; bin: what depends on the details; nobody: a password. */
static const char rules[] =
	"polkit.addRule(function(action, subject) {\n"
	"  if (action.id.indexOf('org.s390.APMatrix.') != 0)\n"
	"    return polkit.Result.NO;\n"
	"  if (subject.user == 'games')\n"
	"    return polkit.Result.YES;\n"
	"  if (subject.user == 'daemon')\n"
	"    return polkit.Result.NO;\n"
	"  if (subject.user == 'bin')\n"
	"    return ['reconcile undefined undefined', 'start guest1 undefined',\n"
	"      'update guest1 undefined', 'define new undefined',\n"
	"      'prepare undefined guest1'].indexOf(action.lookup('verb') + ' ' +\n"
	"      action.lookup('matrix') + ' ' + action.lookup('guest')) >= 0 ?\n"
	"      polkit.Result.YES : polkit.Result.NO;\n"
	"});\n";

static struct private_polkit polkit;
static struct agent agent;
static sd_bus *other; /* of another user than root and nobody */

static const struct engine_result done = {.message = "", .uuid = UUID};

static void setup(void)
{
	room_setup();
	private_polkit_start(&polkit, &room.bus, room.client);
}

static void teardown(void)
{
	other = sd_bus_close_unref(other);
	agent_stop(&agent);
	private_polkit_stop(&polkit);
	room_teardown();
}

static sd_bus *client_of(const char *user)
{
	const struct passwd *p = getpwnam(user);

	ck_assert_msg(p, "there is no user %s", user);
	sd_bus_close_unref(other);
	other = private_bus_client(&room.bus, room.event, p->pw_uid);
	return other;
}

static sd_bus_message *change(sd_bus *client, const struct room_change *c, const char *name)
{
	struct call call;

	room_send_message(client, &call, room_change_message(client, c, name));
	run_until(room.event, &call.done);
	return call.reply;
}

static void expect_denied(sd_bus_message *reply, const char *error, const char *action)
{
	char id[128];

	expect_error(reply, error, NULL);
	snprintf(id, sizeof(id), ACTION("%s"), action);
	ck_assert_msg(strstr(sd_bus_message_get_error(reply)->message, id), "'%s' does not name %s",
		sd_bus_message_get_error(reply)->message, id);
	sd_bus_message_unref(reply);
}

/* All methods, none of which may reach the engine. */
static void expect_all_denied(sd_bus *client, const char *error)
{
	for (size_t i = 0; i < N_ROOM_CHANGES; i++)
		expect_denied(
			change(client, &room_changes[i], "guest1"), error, room_changes[i].action);
	ck_assert_uint_eq(room.engine.n_calls, 0);
	ck_assert_uint_eq(room.server->n_asked, 0);
}

static void expect_all_done(sd_bus *client)
{
	room.engine.answer = &done;
	for (size_t i = 0; i < N_ROOM_CHANGES; i++) {
		sd_bus_message *reply = change(client, &room_changes[i], "guest1");

		expect_return(reply, room_changes[i].reply);
		ck_assert_str_eq(room.engine.calls[i].what, room_changes[i].what);
		sd_bus_message_unref(reply);
	}
	ck_assert_uint_eq(room.engine.n_calls, N_ROOM_CHANGES);
}

static const struct room_change *change_named(const char *member)
{
	for (size_t i = 0; i < N_ROOM_CHANGES; i++)
		if (strcmp(room_changes[i].member, member) == 0)
			return &room_changes[i];
	ck_abort_msg("%s changes nothing", member);
}

/* nobody, who lets polkit ask for a password. */
static void send_interactive(struct call *c, const char *member)
{
	sd_bus_message *m = room_change_message(room.stranger, change_named(member), "guest1");

	ck_assert_int_ge(sd_bus_message_set_allow_interactive_authorization(m, true), 0);
	room_send_message(room.stranger, c, m);
}

START_TEST(root_is_let_in)
{
	expect_all_done(room.client);
}
END_TEST

START_TEST(root_is_let_in_where_polkit_is_gone)
{
	private_polkit_stop(&polkit);
	expect_all_done(room.client);
}
END_TEST

START_TEST(whom_a_rule_allows_is_let_in)
{
	expect_all_done(client_of("games"));
}
END_TEST

START_TEST(whom_a_rule_denies_is_not)
{
	expect_all_denied(client_of("daemon"), SD_BUS_ERROR_ACCESS_DENIED);
}
END_TEST

START_TEST(nobody_is_let_in_where_polkit_is_gone)
{
	private_polkit_stop(&polkit);
	expect_all_denied(room.stranger, SD_BUS_ERROR_ACCESS_DENIED);
}
END_TEST

START_TEST(who_does_not_want_to_be_asked_is_told_that_it_would_help)
{
	agent_start(&agent, &room.bus, room.event);
	expect_all_denied(room.stranger, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED);
	ck_assert(!agent.open);
}
END_TEST

START_TEST(without_an_agent_nobody_can_be_asked)
{
	struct call c;

	send_interactive(&c, "StartMatrix");
	run_until(room.event, &c.done);
	expect_denied(c.reply, SD_BUS_ERROR_ACCESS_DENIED, "manage-matrices");
	ck_assert_uint_eq(room.engine.n_calls, 0);
}
END_TEST

START_TEST(the_right_password_lets_in_and_not_before)
{
	struct call c;

	agent_start(&agent, &room.bus, room.event);
	room.engine.answer = &done;
	send_interactive(&c, "Undefine");
	run_until(room.event, &agent.open);
	ck_assert_str_eq(agent.action, ACTION("manage-definitions"));
	ck_assert_ptr_nonnull(strstr(agent.message, "matrix guest1"));
	room_sync();
	ck_assert_uint_eq(room.engine.n_calls, 0);
	ck_assert(!c.done);

	agent_enter_password(&agent);
	run_until(room.event, &c.done);
	expect_return(c.reply, "");
	ck_assert_uint_eq(room.engine.n_calls, 1);
	ck_assert_uint_eq(room.server->n_asked, 0);
	ck_assert_ptr_null(room.server->leaving);
	call_done(&c);
}
END_TEST

START_TEST(who_dismisses_the_dialog_is_denied)
{
	struct call c;

	agent_start(&agent, &room.bus, room.event);
	send_interactive(&c, "PrepareGuest");
	run_until(room.event, &agent.open);
	ck_assert_ptr_nonnull(strstr(agent.message, "guest guest1"));
	agent_dismiss(&agent);
	run_until(room.event, &c.done);
	expect_denied(c.reply, SD_BUS_ERROR_ACCESS_DENIED, "attach-guest");
	ck_assert_uint_eq(room.engine.n_calls, 0);
}
END_TEST

START_TEST(a_caller_that_leaves_takes_its_dialog_along)
{
	struct call c;

	agent_start(&agent, &room.bus, room.event);
	room.engine.answer = &done;
	send_interactive(&c, "StartMatrix");
	run_until(room.event, &agent.open);
	sd_bus_close_unref(room.stranger);
	room.stranger = private_bus_client(&room.bus, room.event, NOBODY);
	run_until(room.event, &agent.cancelled);
	room_sync();
	ck_assert_uint_eq(room.server->n_asked, 0);
	ck_assert_ptr_null(room.server->requests);
	ck_assert_uint_eq(room.engine.n_calls, 0);
}
END_TEST

START_TEST(a_dialog_that_nobody_answers_ends)
{
	struct call c;

	agent_start(&agent, &room.bus, room.event);
	room.server->polkit_dialog_usec = 300000;
	send_interactive(&c, "StartMatrix");
	run_until(room.event, &agent.open);
	run_until(room.event, &agent.cancelled);
	run_until(room.event, &c.done);
	expect_denied(c.reply, SD_BUS_ERROR_ACCESS_DENIED, "manage-matrices");
	ck_assert_uint_eq(room.engine.n_calls, 0);
}
END_TEST

START_TEST(the_end_of_the_daemon_takes_the_dialog_away)
{
	struct call c;

	agent_start(&agent, &room.bus, room.event);
	send_interactive(&c, "StartMatrix");
	run_until(room.event, &agent.open);
	bus_free(room.server);
	room.server = NULL;
	run_until(room.event, &agent.cancelled);
	run_until(room.event, &c.done);
	expect_error(c.reply, "org.s390.APMatrix.Error.Busy",
		"StartMatrix: the daemon is ending, and it was not done: call again when the "
		"daemon is back");
	call_done(&c);
}
END_TEST

START_TEST(a_polkit_that_hangs_is_a_no)
{
	room.server->polkit_usec = 50000;
	ck_assert_int_eq(kill(polkit.pid, SIGSTOP), 0);
	expect_denied(change(client_of("games"), change_named("Reload"), ""),
		SD_BUS_ERROR_ACCESS_DENIED, "manage-matrices");
	ck_assert_uint_eq(room.engine.n_calls, 0);
	ck_assert_uint_eq(room.server->n_asked, 0);

	/* When it wakes up, its answer comes too late; the next question is answered as ever. */
	room.server->polkit_usec = BUS_POLKIT_USEC;
	ck_assert_int_eq(kill(polkit.pid, SIGCONT), 0);
	expect_all_done(client_of("games"));
}
END_TEST

START_TEST(a_polkit_that_dies_meanwhile_is_a_no)
{
	struct call c;

	agent_start(&agent, &room.bus, room.event);
	send_interactive(&c, "StartMatrix");
	run_until(room.event, &agent.open);
	private_polkit_stop(&polkit);
	run_until(room.event, &c.done);
	expect_denied(c.reply, SD_BUS_ERROR_ACCESS_DENIED, "manage-matrices");
	ck_assert_uint_eq(room.engine.n_calls, 0);
	ck_assert_uint_eq(room.server->n_asked, 0);
}
END_TEST

START_TEST(rules_see_verb_and_name)
{
	static const struct {
		const char *member, *name;
		bool allowed;
	} rows[] = {
		{"Reconcile", "", true},
		{"Reload", "", false},
		{"StartMatrix", "guest1", true},
		{"StartMatrix", UUID, true}, /* is guest1's */
		{"StartMatrix", "guest2", false},
		{"StopMatrix", "guest1", false},
		{"Update", "guest1", true},
		{"Define", "new", true},
		{"Define", UUID, false}, /* a name like another's UUID is a name */
		{"Define", "guest1", false},
		{"Undefine", "new", false},
		{"PrepareGuest", "guest1", true},
		{"PrepareGuest", "guest2", false},
		{"ReleaseGuest", "guest1", false},
	};
	struct matrix_status m = fake_matrix(1, "guest1");
	struct status s = {.matrices = &m, .n_matrices = 1};
	sd_bus *bin = client_of("bin");

	room.engine.status = &s;
	room.engine.answer = &done;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		sd_bus_message *reply = change(bin, change_named(rows[i].member), rows[i].name);

		ck_assert_msg(!sd_bus_message_is_method_error(reply, NULL) == rows[i].allowed,
			"%s '%s' is %s", rows[i].member, rows[i].name,
			rows[i].allowed ? "denied" : "allowed");
		sd_bus_message_unref(reply);
	}
}
END_TEST

START_TEST(a_mistake_is_told_before_anybody_is_asked)
{
	sd_bus_message *reply;

	agent_start(&agent, &room.bus, room.event);
	reply = manager_call(
		room.stranger, "Define", "sa{sv}b", "guest1", 1, "Adapters", "b", true, false);
	expect_error(reply, "org.s390.APMatrix.Error.InvalidArgument", NULL);
	ck_assert(!agent.open);
	sd_bus_message_unref(reply);
}
END_TEST

/* With more connections than one, so that nobody keeps others from being asked. */
START_TEST(one_user_cannot_take_all_places)
{
	static struct call calls[BUS_ASKED_USER_MAX + 1];
	sd_bus *second = private_bus_client(&room.bus, room.event, NOBODY);

	ck_assert_int_eq(kill(polkit.pid, SIGSTOP), 0);
	for (size_t i = 0; i <= BUS_ASKED_USER_MAX; i++)
		room_send(i % 2 ? second : room.stranger, &calls[i], "StopMatrix", "guest1");
	for (size_t i = 0;; i = (i + 1) % ARRAY_SIZE(calls)) {
		if (calls[i].done) {
			expect_error(calls[i].reply, SD_BUS_ERROR_LIMITS_EXCEEDED, NULL);
			break;
		}
		ck_assert_int_ge(sd_event_run(room.event, 1000), 0);
	}
	ck_assert_uint_eq(room.server->n_asked, BUS_ASKED_USER_MAX);
	room.engine.answer = &done;
	sd_bus_message_unref(change(room.client, change_named("StopMatrix"), "guest1"));
	ck_assert_uint_eq(room.engine.n_calls, 1);

	ck_assert_int_eq(kill(polkit.pid, SIGCONT), 0);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		run_until(room.event, &calls[i].done);
		call_done(&calls[i]);
	}
	ck_assert_uint_eq(room.engine.n_calls, 1);
	sd_bus_close_unref(second);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *suite = suite_create("bus polkit");
	TCase *tc = tcase_create("polkit");
	int status;

	if (geteuid() != 0) {
		fprintf(stderr, "skipped: root is needed to run polkitd\n");
		return 77;
	}
	if (argc > 1 && strcmp(argv[1], "dbus-broker") == 0 && !private_bus_use_broker())
		return 77;
	if (!private_polkit_prepare(rules))
		return 77;
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, root_is_let_in);
	tcase_add_test(tc, root_is_let_in_where_polkit_is_gone);
	tcase_add_test(tc, whom_a_rule_allows_is_let_in);
	tcase_add_test(tc, whom_a_rule_denies_is_not);
	tcase_add_test(tc, nobody_is_let_in_where_polkit_is_gone);
	tcase_add_test(tc, who_does_not_want_to_be_asked_is_told_that_it_would_help);
	tcase_add_test(tc, without_an_agent_nobody_can_be_asked);
	tcase_add_test(tc, the_right_password_lets_in_and_not_before);
	tcase_add_test(tc, who_dismisses_the_dialog_is_denied);
	tcase_add_test(tc, a_caller_that_leaves_takes_its_dialog_along);
	tcase_add_test(tc, a_dialog_that_nobody_answers_ends);
	tcase_add_test(tc, the_end_of_the_daemon_takes_the_dialog_away);
	tcase_add_test(tc, a_polkit_that_hangs_is_a_no);
	tcase_add_test(tc, a_polkit_that_dies_meanwhile_is_a_no);
	tcase_add_test(tc, rules_see_verb_and_name);
	tcase_add_test(tc, a_mistake_is_told_before_anybody_is_asked);
	tcase_add_test(tc, one_user_cannot_take_all_places);
	suite_add_tcase(suite, tc);
	status = unit_main(suite);
	private_polkit_remove();
	return status;
}
