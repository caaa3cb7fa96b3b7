/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a change is told: values of many types as the text of a drop-in, and how much of it. */
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "room.h"
#include "unit/unit.h"

#define ERROR(name) "org.s390.APMatrix.Error." name

static const struct engine_result fine = {.message = ""};

START_TEST(define_answers_with_the_path)
{
	static const struct engine_result defined = {
		.message = "", .uuid = "62177883-f1bb-47f0-914d-32a22e3a0001"};
	const char *path;
	sd_bus_message *m;

	room.engine.answer = &defined;
	m = manager_call(room.client, "Define", "sa{sv}b", "guest1", 0, true);
	expect_return(m, "o");
	ck_assert_int_gt(sd_bus_message_read(m, "o", &path), 0);
	ck_assert_str_eq(path, "/org/s390/APMatrix/matrix/62177883_f1bb_47f0_914d_32a22e3a0001");
	ck_assert(room.engine.calls[0].replace);
	sd_bus_message_unref(m);
}
END_TEST

/* Update with one setting Adapters= of the type. */
static sd_bus_message *update_with(const char *types, ...)
{
	sd_bus_message *m = NULL;
	struct call c;
	va_list args;

	ck_assert_int_ge(sd_bus_message_new_method_call(room.client, &m, "org.s390.APMatrix",
				 "/org/s390/APMatrix", "org.s390.APMatrix.Manager", "Update"),
		0);
	sd_bus_message_append(m, "s", "guest1");
	sd_bus_message_open_container(m, 'a', "{sv}");
	sd_bus_message_open_container(m, 'e', "sv");
	sd_bus_message_append(m, "s", "Adapters");
	sd_bus_message_open_container(m, 'v', types);
	va_start(args, types);
	ck_assert_int_ge(sd_bus_message_appendv(m, types, args), 0);
	va_end(args);
	sd_bus_message_close_container(m);
	sd_bus_message_close_container(m);
	ck_assert_int_ge(sd_bus_message_close_container(m), 0);
	room_send_message(room.client, &c, m);
	run_until(room.event, &c.done);
	return c.reply;
}

START_TEST(values_become_the_text_of_a_drop_in)
{
	room.engine.answer = &fine;
	sd_bus_message_unref(update_with("s", "5-7, 0x10"));
	sd_bus_message_unref(update_with("s", ""));
	sd_bus_message_unref(update_with("as", 2, "5", "0xab"));
	sd_bus_message_unref(update_with("as", 0));
	sd_bus_message_unref(update_with("ay", 2, 0, 255));
	sd_bus_message_unref(update_with("au", 1, 4000000000u));
	sd_bus_message_unref(update_with("ai", 3, -1, 0, 7));

	static const char *const expected[] = {"Adapters=5-7, 0x10|", "Adapters=|",
		"Adapters=5, 0xab|", "Adapters=|", "Adapters=0, 255|", "Adapters=4000000000|",
		"Adapters=-1, 0, 7|"};
	ck_assert_uint_eq(room.engine.n_calls, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		ck_assert_str_eq(room.engine.calls[i].rest, expected[i]);
		ck_assert_str_eq(room.engine.calls[i].name, "guest1");
	}
}
END_TEST

static void expect_refused(sd_bus_message *reply, const char *message)
{
	expect_error(reply, ERROR("InvalidArgument"), message);
	sd_bus_message_unref(reply);
}

START_TEST(other_types_are_named_in_the_error)
{
#define REFUSED(type)                                                   \
	"Adapters: a value of D-Bus type '" type "' cannot stand in a " \
	"drop-in: give s, as, ay, au or ai"
	expect_refused(update_with("b", true), REFUSED("b"));
	expect_refused(update_with("u", 5), REFUSED("u"));
	expect_refused(update_with("ab", 1, true), REFUSED("ab"));
	expect_refused(update_with("aas", 0), REFUSED("aas"));
	expect_refused(update_with("v", "s", "5"), REFUSED("v"));
	expect_refused(update_with("a{ss}", 0), REFUSED("a{ss}"));
	ck_assert_uint_eq(room.engine.n_calls, 0);
}
END_TEST

START_TEST(a_key_that_is_given_twice_is_refused)
{
	expect_refused(manager_call(room.client, "Update", "sa{sv}", "guest1", 2, "Adapters", "s",
			       "5", "Adapters", "s", "6"),
		"Adapters: it is given twice: give one value (a list may have many items)");
	ck_assert_uint_eq(room.engine.n_calls, 0);
}
END_TEST

static sd_bus_message *prepare_with(size_t n_uuids, const char *uuid)
{
	sd_bus_message *m =
		room_change_message(room.client, &(struct room_change){"PrepareGuest", ""}, "");
	struct call c;

	sd_bus_message_append(m, "s", "guest1");
	sd_bus_message_open_container(m, 'a', "s");
	for (size_t i = 0; i < n_uuids; i++)
		sd_bus_message_append(m, "s", uuid);
	ck_assert_int_ge(sd_bus_message_close_container(m), 0);
	room_send_message(room.client, &c, m);
	run_until(room.event, &c.done);
	return c.reply;
}

START_TEST(a_guest_may_have_many_devices)
{
	static const size_t rows[] = {0, 1, 2, 256};

	room.engine.answer = &fine;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		sd_bus_message *m = prepare_with(rows[i], "u");

		expect_return(m, "");
		sd_bus_message_unref(m);
		ck_assert_uint_eq(room.engine.calls[i].n, rows[i]);
	}
	ck_assert_str_eq(room.engine.calls[2].rest, "u|u|");
}
END_TEST

/* What is larger than any drop-in may be is not kept until somebody has decided. */
START_TEST(what_is_too_large_is_refused)
{
	static char text[4098];
	sd_bus_message *m =
		room_change_message(room.client, &(struct room_change){"Update", ""}, "");
	struct call c;

	memset(text, 'x', sizeof(text) - 1);
	expect_refused(manager_call(room.client, "StartMatrix", "s", text),
		"the name: more bytes than 4096: give fewer");
	expect_refused(update_with("s", text), "Adapters: more bytes than 4096: give fewer");
	expect_refused(
		update_with("as", 2, "5", text), "Adapters: more bytes than 4096: give fewer");
	expect_refused(prepare_with(1, text), "a UUID: more bytes than 4096: give fewer");
	expect_refused(
		prepare_with(257, "u"), "guest1: more mediated devices than 256: give fewer");

	sd_bus_message_append(m, "s", "guest1");
	sd_bus_message_open_container(m, 'a', "{sv}");
	for (unsigned i = 0; i < 33; i++) {
		snprintf(text, sizeof(text), "Key%u", i);
		sd_bus_message_append(m, "{sv}", text, "s", "");
	}
	ck_assert_int_ge(sd_bus_message_close_container(m), 0);
	room_send_message(room.client, &c, m);
	run_until(room.event, &c.done);
	expect_refused(c.reply, "guest1: more settings than 32: give fewer");
	ck_assert_uint_eq(room.engine.n_calls, 0);
}
END_TEST

START_TEST(wrong_arguments_do_not_reach_the_engine)
{
	static const char *const members[] = {"StartMatrix", "StopMatrix", "Define", "Undefine",
		"Update", "PrepareGuest", "ReleaseGuest"};

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		sd_bus_message *m = manager_call(room.client, members[i], "u", 1);

		expect_error(m, SD_BUS_ERROR_INVALID_ARGS, NULL);
		sd_bus_message_unref(m);
	}
	ck_assert_uint_eq(room.engine.n_calls, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bus arguments");
	TCase *tc = tcase_create("arguments");

	if (geteuid() != 0) {
		fprintf(stderr, "skipped: root is needed to be two users on one bus\n");
		return 77;
	}
	tcase_add_checked_fixture(tc, room_setup, room_teardown);
	tcase_add_test(tc, define_answers_with_the_path);
	tcase_add_test(tc, values_become_the_text_of_a_drop_in);
	tcase_add_test(tc, other_types_are_named_in_the_error);
	tcase_add_test(tc, a_key_that_is_given_twice_is_refused);
	tcase_add_test(tc, a_guest_may_have_many_devices);
	tcase_add_test(tc, what_is_too_large_is_refused);
	tcase_add_test(tc, wrong_arguments_do_not_reach_the_engine);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
