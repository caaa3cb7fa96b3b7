/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Signals and properties: what a client hears of a new status, and what it reads then.
 */
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "room.h"
#include "unit/unit.h"

#define PATH(n) "/org/s390/APMatrix/matrix/62177883_f1bb_47f0_914d_32a22e3a" n
#define MANAGER "org.s390.APMatrix.Manager"
#define MATRIX "org.s390.APMatrix.Matrix"

/* What was heard, one line a signal: "PATH MEMBER ARGUMENTS". */
static char heard[64][512];
static size_t n_heard;

static void append(const char *format, ...) _printf_(1, 2);

static void append(const char *format, ...)
{
	char *line = heard[n_heard];
	size_t used = strlen(line);
	va_list args;

	va_start(args, format);
	vsnprintf(line + used, sizeof(heard[0]) - used, format, args);
	va_end(args);
}

/* The keys of a dictionary, which the message is about to enter. */
static void append_keys(sd_bus_message *m, const char *contents)
{
	char signature[16];

	snprintf(signature, sizeof(signature), "{%s}", contents);
	ck_assert_int_ge(sd_bus_message_enter_container(m, 'a', signature), 0);
	while (sd_bus_message_enter_container(m, 'e', contents) > 0) {
		const char *key;

		ck_assert_int_gt(sd_bus_message_read(m, "s", &key), 0);
		append(" %s", key);
		ck_assert_int_gt(sd_bus_message_skip(m, contents + 1), 0);
		ck_assert_int_ge(sd_bus_message_exit_container(m), 0);
	}
	ck_assert_int_ge(sd_bus_message_exit_container(m), 0);
}

static void append_names(sd_bus_message *m)
{
	const char *name;

	ck_assert_int_ge(sd_bus_message_enter_container(m, 'a', "s"), 0);
	while (sd_bus_message_read(m, "s", &name) > 0)
		append(" %s", name);
	ck_assert_int_ge(sd_bus_message_exit_container(m), 0);
}

static void append_arguments(sd_bus_message *m, const char *member)
{
	const char *text, *name;
	uint32_t a, b;
	uint64_t seq;

	if (strcmp(member, "PropertiesChanged") == 0) {
		ck_assert_int_gt(sd_bus_message_read(m, "s", &text), 0);
		append(" %s:", text);
		append_keys(m, "sv");
		append(" |");
		append_names(m);
	} else if (strcmp(member, "InterfacesAdded") == 0) {
		ck_assert_int_gt(sd_bus_message_read(m, "o", &text), 0);
		append(" %s:", text);
		append_keys(m, "sa{sv}");
	} else if (strcmp(member, "InterfacesRemoved") == 0) {
		ck_assert_int_gt(sd_bus_message_read(m, "o", &text), 0);
		append(" %s:", text);
		append_names(m);
	} else if (strcmp(member, "ReconcileFinished") == 0) {
		ck_assert_int_gt(sd_bus_message_read(m, "uu", &a, &b), 0);
		append(" %u %u", a, b);
	} else if (strcmp(member, "MatrixAttachFailed") == 0) {
		const char *message;
		int32_t error;

		ck_assert_int_gt(
			sd_bus_message_read(m, "osutis", &text, &name, &a, &seq, &error, &message),
			0);
		append(" %s '%s' %u %llu %d '%s'", text, name, a, (unsigned long long)seq, error,
			message);
	} else {
		ck_assert_int_gt(sd_bus_message_read(m, "osut", &text, &name, &a, &seq), 0);
		append(" %s '%s' %u %llu", text, name, a, (unsigned long long)seq);
	}
}

static int on_signal(sd_bus_message *m, void *userdata _unused_, sd_bus_error *error _unused_)
{
	const char *member = sd_bus_message_get_member(m);

	ck_assert_uint_lt(n_heard, ARRAY_SIZE(heard));
	heard[n_heard][0] = '\0';
	append("%s %s", sd_bus_message_get_path(m), member);
	append_arguments(m, member);
	n_heard++;
	return 0;
}

static void setup(void)
{
	room_setup();
	n_heard = 0;
	ck_assert_int_ge(sd_bus_match_signal(room.stranger, NULL, "org.s390.APMatrix", NULL, NULL,
				 NULL, on_signal, NULL),
		0);
}

/* Turns the loop until the stranger too has all that was sent: his own Ping comes back last. */
static void listen_all(void)
{
	sd_bus_message *reply = call(
		room.stranger, "/org/s390/APMatrix", "org.freedesktop.DBus.Peer", "Ping", NULL);

	expect_return(reply, "");
	sd_bus_message_unref(reply);
}

static void expect_heard(const char *const *expected, size_t n)
{
	listen_all();
	for (size_t i = 0; i < n && i < n_heard; i++)
		ck_assert_str_eq(heard[i], expected[i]);
	ck_assert_msg(n_heard == n, "heard %zu signals, expected %zu: %s", n_heard, n,
		n_heard > n ? heard[n] : expected[n_heard]);
	n_heard = 0;
}

#define EXPECT_HEARD(...)                                            \
	do {                                                         \
		static const char *const expected[] = {__VA_ARGS__}; \
		expect_heard(expected, ARRAY_SIZE(expected));        \
	} while (0)

/* As the engine does it: the new status is in force, then the difference is told. */
static void publish(const struct status *now)
{
	const struct status *old = room.engine.status;
	struct status_diff diff = {};

	ck_assert_int_eq(status_diff(old, now, &diff), 0);
	room.engine.status = now;
	bus_published(room.server, old, now, &diff);
	status_diff_done(&diff);
}

START_TEST(a_new_matrix_is_an_object_added)
{
	struct matrix_status m = fake_matrix(1, "guest1");
	struct status one = {.matrices = &m, .n_matrices = 1};

	publish(&one);
	EXPECT_HEARD("/org/s390/APMatrix InterfacesAdded " PATH(
			     "0001") ": org.freedesktop.DBus.Peer "
				     "org.freedesktop.DBus.Introspectable "
				     "org.freedesktop.DBus.Properties " MATRIX,
		"/org/s390/APMatrix PropertiesChanged " MANAGER ": Matrices |");
	publish(&fake_empty_status);
	EXPECT_HEARD("/org/s390/APMatrix InterfacesRemoved " PATH(
			     "0001") ": org.freedesktop.DBus.Peer "
				     "org.freedesktop.DBus.Introspectable "
				     "org.freedesktop.DBus.Properties " MATRIX,
		"/org/s390/APMatrix PropertiesChanged " MANAGER ": Matrices |");
}
END_TEST

START_TEST(an_object_tells_its_changes_in_one_signal)
{
	struct matrix_status before[] = {fake_matrix(1, "guest1"), fake_matrix(2, "guest2")};
	struct matrix_status after[] = {before[0], before[1]};
	struct status a = {.state = HOST_APPLYING, .matrices = before, .n_matrices = 2};
	struct status b = {.state = HOST_RUNNING, .matrices = after, .n_matrices = 2};

	room.engine.status = &a;
	after[0].state = MATRIX_ATTACHED;
	after[0].attached = true;
	after[0].vm_pid = 4711;
	b.n_attached = 1;
	publish(&b);
	EXPECT_HEARD(PATH("0001") " PropertiesChanged " MATRIX ": State Attached VMPid |",
		"/org/s390/APMatrix PropertiesChanged " MANAGER ": State Attached |");
}
END_TEST

START_TEST(nothing_is_said_where_nothing_changed)
{
	struct matrix_status m = fake_matrix(1, "guest1");
	struct status a = {.state = HOST_RUNNING, .matrices = &m, .n_matrices = 1}, b = a;

	room.engine.status = &a;
	publish(&b);
	expect_heard(NULL, 0);
}
END_TEST

/* Every bit of the difference is one property that sd-bus knows as emitting its changes. */
START_TEST(every_bit_has_its_property)
{
	static const char *const matrix[] = {"Name", "Guest", "StartMode", "State",
		"ConfiguredAdapters", "ConfiguredDomains", "ConfiguredControlDomains",
		"AssignedAdapters", "AssignedDomains", "AssignedControlDomains", "GuestAdapters",
		"GuestDomains", "Attached", "VMPid", "VMName", "AttachedSince", "AttachCount",
		"Conditions", "Origin", "AttachSource", "AttachConfidence"};
	static const char *const manager[] = {"State", "Features", "Hazards", "AttachSource",
		"QueuePool", "MaxAdapter", "MaxDomain", "AdapterMask", "DomainMask", "HostAdapters",
		"HostDomains", "ConfigGeneration", "Problems", "Matrices", "Attached"};
	struct matrix_status m = fake_matrix(1, "guest1");
	struct status s = {.matrices = &m, .n_matrices = 1};
	struct status_change change = {.kind = CHANGE_CHANGED};
	char line[256];

	room.engine.status = &s;
	memcpy(change.uuid, m.uuid, sizeof(change.uuid));
	for (size_t i = 0; i < ARRAY_SIZE(matrix); i++) {
		struct status_diff diff = {.items = &change, .n = 1};

		change.properties = 1u << i;
		bus_published(room.server, &s, &s, &diff);
		snprintf(line, sizeof(line), PATH("0001") " PropertiesChanged " MATRIX ": %s |",
			matrix[i]);
		expect_heard((const char *[]){line}, 1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(manager); i++) {
		struct status_diff diff = {.manager = 1u << i};

		bus_published(room.server, &s, &s, &diff);
		snprintf(line, sizeof(line),
			"/org/s390/APMatrix PropertiesChanged " MANAGER ": %s |", manager[i]);
		expect_heard((const char *[]){line}, 1);
	}
}
END_TEST

START_TEST(attach_is_told_after_the_status_that_shows_it)
{
	struct matrix_status before = fake_matrix(1, "guest1"), after = before;
	struct status a = {.matrices = &before, .n_matrices = 1}, b = a;

	room.engine.status = &a;
	after.attached = true;
	b.matrices = &after;
	publish(&b);
	bus_attach(room.server, &after, true, 4711, 12);
	bus_attach(room.server, &after, false, 4711, 13);
	bus_attach_failed(room.server, &after, 4712, 14, EPERM, "refused\xff");
	bus_finished(room.server, 5, 1);
	EXPECT_HEARD(PATH("0001") " PropertiesChanged " MATRIX ": Attached |",
		"/org/s390/APMatrix MatrixAttached " PATH("0001") " 'guest1' 4711 12",
		"/org/s390/APMatrix MatrixDetached " PATH("0001") " 'guest1' 4711 13",
		"/org/s390/APMatrix MatrixAttachFailed " PATH(
			"0001") " 'guest1' 4712 14 1 'refused\xef\xbf\xbd'",
		"/org/s390/APMatrix ReconcileFinished 5 1");
}
END_TEST

START_TEST(before_there_is_an_engine_nothing_is_said)
{
	struct matrix_status m = fake_matrix(1, "guest1");
	struct status one = {.matrices = &m, .n_matrices = 1};

	bus_set_engine(room.server, NULL);
	publish(&one);
	bus_attach(room.server, &m, true, 1, 1);
	bus_finished(room.server, 1, 0);
	bus_set_engine(room.server, &room.engine);
	expect_heard(NULL, 0);
}
END_TEST

static sd_bus_message *get(const char *path, const char *interface, const char *name)
{
	return call(room.stranger, path, "org.freedesktop.DBus.Properties", "Get", "ss", interface,
		name);
}

static void expect_numbers(const char *path, const char *interface, const char *name,
	const uint8_t *expected, size_t n)
{
	sd_bus_message *m = get(path, interface, name);
	const void *numbers;
	size_t size;

	expect_return(m, "v");
	ck_assert_int_gt(sd_bus_message_enter_container(m, 'v', "ay"), 0);
	ck_assert_int_ge(sd_bus_message_read_array(m, 'y', &numbers, &size), 0);
	ck_assert_msg(
		size == n && memcmp(numbers, expected, n) == 0, "%s is not as expected", name);
	sd_bus_message_unref(m);
}

START_TEST(masks_are_ascending_numbers)
{
	static const char *const masks[] = {"ConfiguredAdapters", "ConfiguredDomains",
		"ConfiguredControlDomains", "AssignedAdapters", "AssignedDomains",
		"AssignedControlDomains", "GuestAdapters", "GuestDomains"};
	struct matrix_status m = fake_matrix(1, "guest1");
	struct mask *fields[] = {&m.configured.adapters, &m.configured.domains,
		&m.configured.control_domains, &m.assigned.adapters, &m.assigned.domains,
		&m.assigned.control_domains, &m.guest_matrix.adapters, &m.guest_matrix.domains};
	struct status s = {.matrices = &m, .n_matrices = 1};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		mask_set(fields[i], 255);
		mask_set(fields[i], (unsigned)i);
	}
	mask_set(&s.host_adapters, 64);
	mask_set(&s.host_domains, 63);
	room.engine.status = &s;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		expect_numbers(PATH("0001"), MATRIX, masks[i], (uint8_t[]){(uint8_t)i, 255}, 2);
	expect_numbers("/org/s390/APMatrix", MANAGER, "HostAdapters", (uint8_t[]){64}, 1);
	expect_numbers("/org/s390/APMatrix", MANAGER, "HostDomains", (uint8_t[]){63}, 1);
}
END_TEST

/* Compares a property that is a number, a text or a list of texts ("a b"). */
static void expect_value(
	const char *path, const char *interface, const char *name, const char *expected)
{
	sd_bus_message *m = get(path, interface, name);
	const char *contents, *text;
	char got[256] = "";
	char type;

	expect_return(m, "v");
	ck_assert_int_gt(sd_bus_message_peek_type(m, &type, &contents), 0);
	ck_assert_int_gt(sd_bus_message_enter_container(m, 'v', contents), 0);
	if (strcmp(contents, "as") == 0) {
		ck_assert_int_ge(sd_bus_message_enter_container(m, 'a', "s"), 0);
		while (sd_bus_message_read(m, "s", &text) > 0)
			snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s",
				*got ? " " : "", text);
	} else if (strcmp(contents, "s") == 0) {
		ck_assert_int_gt(sd_bus_message_read(m, "s", &text), 0);
		snprintf(got, sizeof(got), "%s", text);
	} else {
		union {
			uint64_t t;
			uint32_t u;
			int b;
		} value = {};

		ck_assert_int_gt(sd_bus_message_read_basic(m, *contents, &value), 0);
		snprintf(got, sizeof(got), "%llu",
			*contents == 't' ? (unsigned long long)value.t : value.u);
	}
	ck_assert_msg(strcmp(got, expected) == 0, "%s is '%s', not '%s'", name, got, expected);
	sd_bus_message_unref(m);
}

START_TEST(the_manager_tells_the_status)
{
	static const char *const rows[][2] = {
		{"Version", APMATRIX_VERSION},
		{"State", "degraded"},
		{"KernelRelease", "6.12.1"},
		{"Features", "ap_config module"},
		{"Hazards", "unattached-config-change"},
		{"AttachSource", "module"},
		{"QueuePool", "masks"},
		{"MaxAdapter", "254"},
		{"MaxDomain", "84"},
		{"AdapterMask",
			"0x8000000000000000000000000000000000000000000000000000000000000001"},
		{"DomainMask",
			"0x0000000000000000000000000000000000000000000000000000000000000000"},
		{"ConfigGeneration", "4294967297"},
		{"Matrices", "1"},
		{"Attached", "1"},
	};
	struct matrix_status m = fake_matrix(1, "guest1");
	struct status s = {
		.state = HOST_DEGRADED,
		.release = "6.12.1",
		.features = FEATURE_AP_CONFIG | FEATURE_MODULE,
		.hazards = HAZARD_UNATTACHED_CONFIG,
		.attach_source = ATTACH_FROM_MODULE,
		.pool = POOL_MASKS,
		.max_adapter = 254,
		.max_domain = 84,
		.config_generation = UINT64_C(4294967297),
		.matrices = &m,
		.n_matrices = 1,
		.n_attached = 1,
	};

	mask_set(&s.apmask, 0);
	mask_set(&s.apmask, 255);
	room.engine.status = &s;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect_value("/org/s390/APMatrix", MANAGER, rows[i][0], rows[i][1]);
}
END_TEST

START_TEST(a_matrix_tells_its_status)
{
	static const char *const rows[][2] = {
		{"Name", "db"},
		{"UUID", "62177883-f1bb-47f0-914d-32a22e3a0001"},
		{"Guest", "guest1"},
		{"StartMode", "manual"},
		{"State", "attached"},
		{"Attached", "1"},
		{"VMPid", "4711"},
		{"VMName", "qemu\xef\xbf\xbd"},
		{"AttachedSince", "1700000000000000"},
		{"AttachCount", "7"},
		{"AttachSource", "fdinfo"},
		{"AttachConfidence", "certain"},
		{"Origin", "/etc/apmatrix.d/a.conf:2 /etc/apmatrix.d/\xef\xbf\xbd.conf:3"},
	};
	char *origin[] = {
		(char *)"/etc/apmatrix.d/a.conf:2", (char *)"/etc/apmatrix.d/\xff.conf:3"};
	struct matrix_status m = fake_matrix(1, "db");
	struct status s = {.matrices = &m, .n_matrices = 1};

	m.guest = (char *)"guest1";
	m.start = START_MANUAL;
	m.state = MATRIX_ATTACHED;
	m.attached = true;
	m.vm_pid = 4711;
	m.attach_source = ATTACH_FROM_FDINFO;
	m.attach_confidence = CONFIDENCE_CERTAIN;
	m.vm_name = (char *)"qemu\xc3";
	m.attached_since = UINT64_C(1700000000000000);
	m.attach_count = 7;
	m.origin = origin;
	m.n_origin = 2;
	room.engine.status = &s;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect_value(PATH("0001"), MATRIX, rows[i][0], rows[i][1]);
}
END_TEST

START_TEST(a_matrix_tells_its_conditions)
{
	struct matrix_status m = fake_matrix(1, "guest1");
	struct status s = {.matrices = &m, .n_matrices = 1};
	sd_bus_message *reply;

	m.conditions[CONDITION_EFFECTIVE] = (struct condition){
		.reason = "CardGone", .message = (char *)"adapter 5 is deconfigured"};
	m.conditions[CONDITION_APPLYING].status = true;
	room.engine.status = &s;
	reply = get(PATH("0001"), MATRIX, "Conditions");
	expect_return(reply, "v");
	ck_assert_int_gt(sd_bus_message_enter_container(reply, 'v', "a(sbss)"), 0);
	ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "(sbss)"), 0);
	for (unsigned i = 0; i < N_CONDITIONS; i++) {
		const char *type, *reason, *message;
		int status;

		ck_assert_int_gt(
			sd_bus_message_read(reply, "(sbss)", &type, &status, &reason, &message), 0);
		ck_assert_str_eq(type, condition_type_to_string((enum condition_type)i));
		ck_assert_int_eq(status, m.conditions[i].status);
		ck_assert_str_eq(reason, m.conditions[i].reason);
		ck_assert_str_eq(message, m.conditions[i].message);
	}
	ck_assert_int_gt(sd_bus_message_at_end(reply, false), 0);
	sd_bus_message_unref(reply);
}
END_TEST

START_TEST(problems_name_file_line_and_object)
{
	struct status s = {};
	const char *severity, *file, *text;
	sd_bus_message *reply;
	uint32_t line;

	ck_assert_int_eq(problems_add(&s.problems, PROBLEM_WARNING, "queue-conflict", "guest1",
				 "/etc/apmatrix.d/a.conf", 3, "guest2 wants %s too", "05.0004"),
		0);
	room.engine.status = &s;
	reply = get("/org/s390/APMatrix", MANAGER, "Problems");
	expect_return(reply, "v");
	ck_assert_int_gt(sd_bus_message_enter_container(reply, 'v', "a(ssus)"), 0);
	ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "(ssus)"), 0);
	ck_assert_int_gt(sd_bus_message_read(reply, "(ssus)", &severity, &file, &line, &text), 0);
	ck_assert_str_eq(severity, "warning");
	ck_assert_str_eq(file, "/etc/apmatrix.d/a.conf");
	ck_assert_uint_eq(line, 3);
	ck_assert_str_eq(text, "guest1: guest2 wants 05.0004 too");
	sd_bus_message_unref(reply);
	room.engine.status = &fake_empty_status;
	problems_done(&s.problems);
}
END_TEST

START_TEST(the_object_manager_lists_every_matrix)
{
	struct matrix_status m[] = {fake_matrix(1, "guest1"), fake_matrix(2, "guest2")};
	struct status s = {.matrices = m, .n_matrices = 2};
	sd_bus_message *reply;
	unsigned n = 0;

	room.engine.status = &s;
	reply = call(room.stranger, "/org/s390/APMatrix", "org.freedesktop.DBus.ObjectManager",
		"GetManagedObjects", NULL);
	expect_return(reply, "a{oa{sa{sv}}}");
	ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "{oa{sa{sv}}}"), 0);
	while (sd_bus_message_enter_container(reply, 'e', "oa{sa{sv}}") > 0) {
		const char *path;

		ck_assert_int_gt(sd_bus_message_read(reply, "o", &path), 0);
		n += strcmp(path, PATH("0001")) == 0 || strcmp(path, PATH("0002")) == 0;
		ck_assert_int_gt(sd_bus_message_skip(reply, "a{sa{sv}}"), 0);
		ck_assert_int_ge(sd_bus_message_exit_container(reply), 0);
	}
	ck_assert_uint_eq(n, 2);
	sd_bus_message_unref(reply);
}
END_TEST

START_TEST(only_the_exact_path_is_a_matrix)
{
	static const char *const paths[] = {PATH("0002"), PATH("000"), PATH("00011"),
		PATH("0001") "/x", "/org/s390/APMatrix/matrix", "/org/s390/APMatrix/matrix/guest1"};
	struct matrix_status m = fake_matrix(1, "guest1");
	struct status s = {.matrices = &m, .n_matrices = 1};

	room.engine.status = &s;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		sd_bus_message *reply = get(paths[i], MATRIX, "Name");

		ck_assert_msg(sd_bus_message_get_error(reply), "%s is a matrix", paths[i]);
		sd_bus_message_unref(reply);
	}
}
END_TEST

static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_)
{
	const char *name, *old, *now;

	if (sd_bus_message_read(m, "sss", &name, &old, &now) >= 0 &&
		strcmp(name, "org.s390.APMatrix") == 0 && *now)
		*(bool *)userdata = true;
	return 0;
}

/* A bus that takes nothing must not let the daemon grow for ever; when it is back, every client
 * is told by a new owner of the name. */
START_TEST(a_bus_that_takes_nothing_is_given_up)
{
	struct status_diff diff = {.manager = GP_STATE};
	bool back = false;

	sd_bus_close_unref(room.stranger);
	room.stranger = private_bus_client(&room.bus, room.event, NOBODY);
	ck_assert_int_ge(sd_bus_match_signal(room.client, NULL, "org.freedesktop.DBus", NULL,
				 "org.freedesktop.DBus", "NameOwnerChanged", on_owner, &back),
		0);
	ck_assert_int_eq(kill(room.bus.pid, SIGSTOP), 0);
	for (unsigned i = 0; i < 80000; i++)
		bus_published(room.server, &fake_empty_status, &fake_empty_status, &diff);
	ck_assert_int_eq(kill(room.bus.pid, SIGCONT), 0);
	run_until(room.event, &back);
	room_sync();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bus signals");
	TCase *tc = tcase_create("signals");

	if (geteuid() != 0) {
		fprintf(stderr, "skipped: root is needed to be two users on one bus\n");
		return 77;
	}
	tcase_add_checked_fixture(tc, setup, room_teardown);
	tcase_add_test(tc, a_new_matrix_is_an_object_added);
	tcase_add_test(tc, an_object_tells_its_changes_in_one_signal);
	tcase_add_test(tc, nothing_is_said_where_nothing_changed);
	tcase_add_test(tc, every_bit_has_its_property);
	tcase_add_test(tc, attach_is_told_after_the_status_that_shows_it);
	tcase_add_test(tc, before_there_is_an_engine_nothing_is_said);
	tcase_add_test(tc, masks_are_ascending_numbers);
	tcase_add_test(tc, the_manager_tells_the_status);
	tcase_add_test(tc, a_matrix_tells_its_status);
	tcase_add_test(tc, a_matrix_tells_its_conditions);
	tcase_add_test(tc, problems_name_file_line_and_object);
	tcase_add_test(tc, the_object_manager_lists_every_matrix);
	tcase_add_test(tc, only_the_exact_path_is_a_matrix);
	tcase_add_test(tc, a_bus_that_takes_nothing_is_given_up);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
