/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon itself over D-Bus, on a simulated machine, with the real polkitd: every method once at
 * least, by root and by others, and what the kernel has afterwards.
 *   test_bus_daemon APMATRIXD SIMFS
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "introspection.h"
#include "private_polkit.h"
#include "room.h"
#include "unit/unit.h"

#define ERROR(name) "org.s390.APMatrix.Error." name
#define A "62177883-f1bb-47f0-914d-32a22e3a8804"
#define PATH_A "/org/s390/APMatrix/matrix/62177883_f1bb_47f0_914d_32a22e3a8804"

static const char rules[] = "polkit.addRule(function(action, subject) {\n"
			    "  if (subject.user == 'games')\n"
			    "    return polkit.Result.YES;\n"
			    "});\n";
static const char hardware[] = "kernel 6.12\nadapter 4-6 cex8 cca\ndomains 4, 0x47, 0xab, 0xff\n";

static const char *apmatrixd, *simfs;
static struct private_bus bus;
static struct private_polkit polkit;
static sd_event *event;
static sd_bus *root, *games, *nobody;
static pid_t simfs_pid, daemon_pid;
static char top[128];

/* ---- the machine and the daemon ---- */

static const char *below_top(const char *name, char buf[static 512])
{
	snprintf(buf, 512, "%s/%s", top, name);
	return buf;
}

static void write_text(const char *name, const char *text)
{
	char path[512];
	int fd = open(below_top(name, path), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ssize_t n;

	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	n = write(fd, text, strlen(text));
	ck_assert_msg(n == (ssize_t)strlen(text), "%s > %s: %s", text, path, strerror(errno));
	close(fd);
}

static void make_machine(void)
{
	static const char *const folders[] = {
		"root", "root/etc", "root/etc/apmatrix.d", "root/run", "root/usr", "root/usr/lib"};
	char path[512];

	snprintf(top, sizeof(top), "%s/machine", bus.dir);
	ck_assert_int_eq(mkdir(top, 0755), 0);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		ck_assert_int_eq(mkdir(below_top(folders[i], path), 0755), 0);
	write_text("root/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
	write_text("hardware", hardware);
}

static void start_simfs(void)
{
	char option[600], path[512], ready[8], fd[32];
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	simfs_pid = fork();
	if (simfs_pid == 0) {
		char path_root[512];

		snprintf(option, sizeof(option), "--hardware=%s", below_top("hardware", path));
		snprintf(fd, sizeof(fd), "--ready-fd=%d", fds[1]);
		close(fds[0]);
		execl(simfs, simfs, "--foreground", option, fd, below_top("root", path_root), NULL);
		_exit(127);
	}
	close(fds[1]);
	ck_assert_int_gt(read(fds[0], ready, sizeof(ready)), 0);
	close(fds[0]);
}

static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_)
{
	const char *name, *old, *now;

	if (sd_bus_message_read(m, "sss", &name, &old, &now) >= 0 &&
		strcmp(name, "org.s390.APMatrix") == 0 && *now)
		*(bool *)userdata = true;
	return 0;
}

static void start_daemon(void)
{
	sd_bus_slot *slot = NULL;
	bool there = false;

	ck_assert_int_ge(sd_bus_match_signal(root, &slot, "org.freedesktop.DBus", NULL,
				 "org.freedesktop.DBus", "NameOwnerChanged", on_owner, &there),
		0);
	daemon_pid = fork();
	if (daemon_pid == 0) {
		char root_option[600], bus_option[200], path[512];

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		snprintf(root_option, sizeof(root_option), "--root=%s", below_top("root", path));
		snprintf(bus_option, sizeof(bus_option), "--bus=%s", bus.address);
		execl(apmatrixd, apmatrixd, root_option, bus_option, "--log-level=err", NULL);
		_exit(127);
	}
	run_until(event, &there);
	sd_bus_slot_unref(slot);
}

static void setup(void)
{
	private_bus_start(&bus);
	ck_assert_int_ge(sd_event_new(&event), 0);
	root = private_bus_client(&bus, event, 0);
	games = private_bus_client(&bus, event, getpwnam("games")->pw_uid);
	nobody = private_bus_client(&bus, event, NOBODY);
	private_polkit_start(&polkit, &bus, root);
	make_machine();
	start_simfs();
	start_daemon();
}

static int end(pid_t *pid)
{
	int status = -1;

	if (*pid > 0) {
		kill(*pid, SIGTERM);
		waitpid(*pid, &status, 0);
	}
	*pid = 0;
	return status;
}

static void teardown(void)
{
	char command[160];

	ck_assert_int_eq(end(&daemon_pid), 0);
	ck_assert_int_eq(end(&simfs_pid), 0);
	private_polkit_stop(&polkit);
	sd_bus_close_unref(root);
	sd_bus_close_unref(games);
	sd_bus_close_unref(nobody);
	sd_event_unref(event);
	snprintf(command, sizeof(command), "rm -rf --one-file-system %s", top);
	ck_assert_int_eq(system(command), 0);
	private_bus_stop(&bus);
}

/* ---- what is asked for and what is seen ---- */

static void expect_fine(sd_bus_message *reply)
{
	expect_return(reply, sd_bus_message_get_signature(reply, true));
	sd_bus_message_unref(reply);
}

static void expect_refused(sd_bus_message *reply, const char *error)
{
	expect_error(reply, error, NULL);
	sd_bus_message_unref(reply);
}

/* What the kernel says that the device has, "-" where there is none. */
static void expect_queues(const char *expected)
{
	char path[512], text[1024] = "-";
	FILE *f = fopen(below_top("root/sys/devices/vfio_ap/matrix/" A "/matrix", path), "re");

	if (f) {
		size_t n = fread(text, 1, sizeof(text) - 1, f);

		text[n] = '\0';
		for (char *p = text; *p; p++)
			if (*p == '\n')
				*p = p[1] ? ' ' : '\0';
		fclose(f);
	}
	ck_assert_str_eq(text, expected);
}

static void control(const char *command)
{
	write_text("root/sys/kernel/debug/apmatrix-sim/control", command);
}

/* Waits until GetMatrixByPID says that the process has the matrix (or not). */
static void wait_attached(uint32_t pid, bool attached)
{
	for (unsigned i = 0; i < 1000; i++) {
		sd_bus_message *m = manager_call(nobody, "GetMatrixByPID", "u", pid);
		bool is = !sd_bus_message_is_method_error(m, NULL);

		sd_bus_message_unref(m);
		if (is == attached)
			return;
		ck_assert_int_ge(sd_event_run(event, 10000), 0);
		usleep(10000);
	}
	ck_abort_msg("process %u is still %sattached", pid, attached ? "not " : "");
}

static size_t n_drop_ins(void)
{
	char path[512];
	DIR *d = opendir(below_top("root/etc/apmatrix.d", path));
	size_t n = 0;

	ck_assert_ptr_nonnull(d);
	for (struct dirent *e = readdir(d); e; e = readdir(d))
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

#define DEFINE_GUEST1(client, adapters, replace)                                                \
	manager_call(client, "Define", "sa{sv}b", "guest1", 3, "UUID", "s", A, "Adapters", "s", \
		adapters, "Domains", "ay", 2, 4, 0xab, replace)

/* ---- tests ---- */

START_TEST(it_says_of_itself_what_the_files_say)
{
	expect_fine(DEFINE_GUEST1(root, "5, 6", false));
	introspection_compare(nobody, "/org/s390/APMatrix", "org.s390.APMatrix.Manager");
	introspection_compare(nobody, PATH_A, "org.s390.APMatrix.Matrix");
}
END_TEST

START_TEST(everybody_may_read)
{
	static const struct {
		const char *path, *interface, *member, *types, *argument;
	} rows[] = {
		{"", "org.s390.APMatrix.Manager", "ListMatrices", NULL, NULL},
		{"", "org.s390.APMatrix.Manager", "GetMatrix", "s", "guest1"},
		{"", "org.s390.APMatrix.Manager", "ListQueues", NULL, NULL},
		{"", "org.s390.APMatrix.Manager", "Plan", NULL, NULL},
		{"", "org.s390.APMatrix.Manager", "Look", NULL, NULL},
		{"", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", NULL, NULL},
		{"", "org.freedesktop.DBus.Properties", "GetAll", "s", "org.s390.APMatrix.Manager"},
		{"", "org.freedesktop.DBus.Peer", "Ping", NULL, NULL},
		{"/matrix/62177883_f1bb_47f0_914d_32a22e3a8804", "org.freedesktop.DBus.Properties",
			"GetAll", "s", "org.s390.APMatrix.Matrix"},
	};

	expect_fine(DEFINE_GUEST1(root, "5, 6", false));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char path[256];

		snprintf(path, sizeof(path), "/org/s390/APMatrix%s", rows[i].path);
		expect_fine(call(nobody, path, rows[i].interface, rows[i].member, rows[i].types,
			rows[i].argument));
	}
	expect_fine(manager_call(nobody, "Check", "ss", "x.conf", "[Matrix x]\n"));
	expect_refused(manager_call(nobody, "GetMatrix", "s", "guest9"), ERROR("NoSuchMatrix"));
	expect_refused(manager_call(nobody, "GetMatrixByPID", "u", 1), ERROR("NoSuchMatrix"));
	expect_refused(manager_call(nobody, "Check", "ss", "../x", ""), ERROR("InvalidArgument"));
	ck_assert_uint_eq(n_drop_ins(), 1);
}
END_TEST

START_TEST(who_may_not_change_anything_does_not)
{
	expect_fine(DEFINE_GUEST1(root, "5, 6", false));
	for (size_t i = 0; i < N_ROOM_CHANGES; i++) {
		struct call c;

		room_send_message(
			nobody, &c, room_change_message(nobody, &room_changes[i], "guest1"));
		run_until(event, &c.done);
		expect_refused(c.reply, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED);
	}
	private_polkit_stop(&polkit);
	expect_refused(
		manager_call(games, "StopMatrix", "s", "guest1"), SD_BUS_ERROR_ACCESS_DENIED);
	expect_queues("05.0004 05.00ab 06.0004 06.00ab");
	ck_assert_uint_eq(n_drop_ins(), 1);
	expect_fine(manager_call(root, "StopMatrix", "s", "guest1"));
	expect_queues("-");
}
END_TEST

START_TEST(a_matrix_is_defined_changed_and_undefined)
{
	/* Whom a rule allows need not be root. */
	expect_fine(DEFINE_GUEST1(games, "5", false));
	expect_queues("05.0004 05.00ab");
	ck_assert_uint_eq(n_drop_ins(), 1);
	expect_refused(DEFINE_GUEST1(games, "6", false), ERROR("Exists"));
	expect_fine(DEFINE_GUEST1(games, "6", true));
	expect_queues("06.0004 06.00ab");

	expect_fine(
		manager_call(games, "Update", "sa{sv}", "guest1", 1, "Adapters", "ay", 2, 5, 6));
	expect_queues("05.0004 05.00ab 06.0004 06.00ab");
	expect_fine(manager_call(games, "Reload", NULL));
	expect_queues("06.0004 06.00ab");
	expect_fine(manager_call(games, "StopMatrix", "s", A));
	expect_queues("-");
	expect_fine(manager_call(games, "StartMatrix", "s", "guest1"));
	expect_queues("06.0004 06.00ab");
	expect_fine(manager_call(games, "Reconcile", NULL));
	expect_fine(manager_call(games, "Undefine", "s", "guest1"));
	expect_queues("-");
	ck_assert_uint_eq(n_drop_ins(), 0);
	expect_refused(manager_call(games, "Undefine", "s", "guest1"), ERROR("NoSuchMatrix"));
}
END_TEST

START_TEST(what_cannot_stand_in_a_drop_in_is_refused)
{
	static const char *const names[] = {
		"", "..", "../guest1", "a/b", ".hidden", "-x", "a b", "a\nb", "gu\xc3\xa4st"};
	static const char *const values[] = {
		"5\n[Host]\nForeign=remove", "5\r6", "256", "7-5", "x"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		expect_refused(manager_call(root, "Define", "sa{sv}b", names[i], 2, "Adapters", "s",
				       "5", "Domains", "s", "4", false),
			ERROR("InvalidArgument"));
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		expect_refused(DEFINE_GUEST1(root, values[i], false), ERROR("InvalidArgument"));
	expect_refused(manager_call(root, "Define", "sa{sv}b", "guest1", 1, "Foreign", "s",
			       "remove", false),
		ERROR("InvalidArgument"));
	ck_assert_uint_eq(n_drop_ins(), 0);
}
END_TEST

START_TEST(a_guest_gets_its_matrix_and_gives_it_back)
{
	expect_fine(manager_call(root, "Define", "sa{sv}b", "guest1", 4, "UUID", "s", A, "Adapters",
		"as", 1, "5", "Domains", "ai", 1, 4, "Start", "s", "guest", false));
	expect_queues("-");
	expect_refused(
		manager_call(root, "PrepareGuest", "sas", "guest2", 1, A), ERROR("Conflict"));
	expect_refused(manager_call(root, "PrepareGuest", "sas", "guest1", 1, "x"),
		ERROR("InvalidArgument"));
	expect_queues("-");
	expect_fine(manager_call(root, "PrepareGuest", "sas", "guest1", 1, A));
	expect_queues("05.0004");

	control("attach " A " 4711 qemu-system-s39");
	wait_attached(4711, true);
	expect_refused(manager_call(root, "StopMatrix", "s", "guest1"), ERROR("InUse"));
	expect_refused(manager_call(root, "PrepareGuest", "sas", "guest1", 1, A), ERROR("InUse"));
	expect_fine(manager_call(root, "ReleaseGuest", "sas", "guest1", 1, A));
	expect_queues("05.0004");
	control("kill 4711");
	wait_attached(4711, false);
	expect_fine(manager_call(root, "ReleaseGuest", "sas", "guest2", 1, A));
	expect_queues("05.0004");
	expect_fine(manager_call(root, "ReleaseGuest", "sas", "guest1", 1, A));
	expect_queues("-");
}
END_TEST

/* Between them: many readers while things change. */
START_TEST(changes_are_made_among_many_readers)
{
	static struct call calls[600];

	expect_fine(DEFINE_GUEST1(root, "5", false));
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		room_send(nobody, &calls[i], i % 20 ? "ListQueues" : "Plan", NULL);
	expect_fine(manager_call(root, "StopMatrix", "s", "guest1"));
	expect_queues("-");
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		run_until(event, &calls[i].done);
		expect_return(calls[i].reply, i % 20 ? "a(yyss)" : "a(sss)");
		call_done(&calls[i]);
	}
}
END_TEST

int main(int argc, char **argv)
{
	Suite *suite = suite_create("bus daemon");
	TCase *tc = tcase_create("daemon");
	int status;

	if (argc != 3) {
		fprintf(stderr, "usage: %s APMATRIXD SIMFS\n", argv[0]);
		return 2;
	}
	if (geteuid() != 0) {
		fprintf(stderr, "skipped: root is needed to be several users on one bus\n");
		return 77;
	}
	apmatrixd = argv[1];
	simfs = argv[2];
	/* Simulated events of the kernel must not reach this machine's listeners. */
	if (unshare(CLONE_NEWNET) < 0) {
		fprintf(stderr, "skipped: no network namespace: %s\n", strerror(errno));
		return 77;
	}
	if (!private_polkit_prepare(rules))
		return 77;
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, it_says_of_itself_what_the_files_say);
	tcase_add_test(tc, everybody_may_read);
	tcase_add_test(tc, who_may_not_change_anything_does_not);
	tcase_add_test(tc, a_matrix_is_defined_changed_and_undefined);
	tcase_add_test(tc, what_cannot_stand_in_a_drop_in_is_refused);
	tcase_add_test(tc, a_guest_gets_its_matrix_and_gives_it_back);
	tcase_add_test(tc, changes_are_made_among_many_readers);
	suite_add_tcase(suite, tc);
	status = unit_main(suite);
	private_polkit_remove();
	return status;
}
