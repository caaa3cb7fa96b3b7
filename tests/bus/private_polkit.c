/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * polkit's folders are compiled in, so ours are put over them in a mount namespace.  The agent is
 * the half of one that talks to polkitd: it says that a password was right without having seen any,
 * which root may.
 */
#include "private_polkit.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define POLKITD "/usr/lib/polkit-1/polkitd"
#define AUTHORITY                                                              \
	"org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority", \
		"org.freedesktop.PolicyKit1.Authority"
#define AGENT_PATH "/org/s390/APMatrix/TestAgent"

static char dir[] = "/tmp/apmatrix-polkit-XXXXXX";

static void fail(const char *what)
{
	fprintf(stderr, "private polkit: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	if (!f || fputs(text, f) < 0 || fclose(f) != 0 || chmod(path, 0644) < 0)
		fail(path);
}

static void make_folder(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (mkdir(path, 0755) < 0)
		fail(path);
}

static bool put_over(const char *name, const char *target)
{
	char path[256];

	snprintf(path, sizeof(path), "%s%s%s", *name == '/' ? "" : dir, *name == '/' ? "" : "/",
		name);
	if (mount(path, target, NULL, MS_BIND, NULL) == 0)
		return true;
	fprintf(stderr, "skipped: %s cannot be put over %s: %s\n", path, target, strerror(errno));
	return false;
}

bool private_polkit_prepare(const char *rules)
{
	if (access(POLKITD, X_OK) < 0) {
		fprintf(stderr, "skipped: no " POLKITD "\n");
		return false;
	}
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		fprintf(stderr, "skipped: no mount namespace: %s\n", strerror(errno));
		return false;
	}
	if (!mkdtemp(dir) || chmod(dir, 0755) < 0)
		fail(dir);
	make_folder("rules.d");
	make_folder("none");
	write_file("rules.d/50-test.rules", rules);
	return put_over(getenv("APMATRIX_DBUS_DIR"), "/usr/share/polkit-1/actions") &&
		put_over("rules.d", "/etc/polkit-1/rules.d") &&
		put_over("none", "/usr/share/polkit-1/rules.d");
}

void private_polkit_remove(void)
{
	static const char *const names[] = {"rules.d/50-test.rules", "rules.d", "none", "."};
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		if (unlink(path) < 0)
			rmdir(path);
	}
	rmdir(dir);
}

static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *name, *old, *now;

	(void)error;
	if (sd_bus_message_read(m, "sss", &name, &old, &now) >= 0 &&
		strcmp(name, "org.freedesktop.PolicyKit1") == 0 && *now)
		*(bool *)userdata = true;
	return 0;
}

void private_polkit_start(struct private_polkit *p, const struct private_bus *bus, sd_bus *client)
{
	sd_bus_slot *slot = NULL;
	bool there = false;

	p->bus = bus;
	if (sd_bus_match_signal(client, &slot, "org.freedesktop.DBus", NULL, "org.freedesktop.DBus",
		    "NameOwnerChanged", on_owner, &there) < 0)
		fail("match");
	p->pid = fork();
	if (p->pid < 0)
		fail("fork");
	if (p->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setenv("DBUS_SYSTEM_BUS_ADDRESS", bus->address, true);
		if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
			_exit(126);
		execl(POLKITD, "polkitd", "--no-debug", NULL);
		_exit(127);
	}
	run_until(sd_bus_get_event(client), &there);
	sd_bus_slot_unref(slot);
}

void private_polkit_stop(struct private_polkit *p)
{
	if (p->pid <= 0)
		return;
	kill(p->pid, SIGKILL);
	waitpid(p->pid, NULL, 0);
	p->pid = 0;
}

static int begin(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *action, *message, *icon, *cookie;
	struct agent *a = userdata;
	int r;

	(void)error;
	r = sd_bus_message_read(m, "sss", &action, &message, &icon);
	if (r >= 0)
		r = sd_bus_message_skip(m, "a{ss}");
	if (r >= 0)
		r = sd_bus_message_read(m, "s", &cookie);
	if (r < 0)
		return r;
	snprintf(a->action, sizeof(a->action), "%s", action);
	snprintf(a->message, sizeof(a->message), "%s", message);
	snprintf(a->cookie, sizeof(a->cookie), "%s", cookie);
	a->dialog = sd_bus_message_ref(m);
	a->open = true;
	return 1;
}

static void close_dialog(struct agent *a)
{
	a->dialog = sd_bus_message_unref(a->dialog);
	a->open = false;
}

static int cancel(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct agent *a = userdata;

	(void)error;
	a->cancelled = true;
	close_dialog(a);
	return sd_bus_reply_method_return(m, NULL);
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("BeginAuthentication", "sssa{ss}sa(sa{sv})", NULL, begin,
		SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("CancelAuthentication", "s", NULL, cancel, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

/* Field 22 of /proc/self/stat. */
static uint64_t start_time(void)
{
	unsigned long long time = 0;
	FILE *f = fopen("/proc/self/stat", "re");

	if (!f ||
		fscanf(f,
			"%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d "
			"%*d %*d %*d %*d %*d %llu",
			&time) != 1)
		fail("/proc/self/stat");
	fclose(f);
	return time;
}

struct waiting {
	bool done;
};

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	(void)error;
	if (sd_bus_message_is_method_error(m, NULL)) {
		errno = sd_bus_message_get_errno(m);
		fail(sd_bus_message_get_error(m)->message);
	}
	((struct waiting *)userdata)->done = true;
	return 0;
}

void agent_start(struct agent *a, const struct private_bus *bus, sd_event *event)
{
	struct waiting w = {};

	*a = (struct agent){.connection = private_bus_client(bus, event, 0)};
	if (sd_bus_add_object_vtable(a->connection, NULL, AGENT_PATH,
		    "org.freedesktop.PolicyKit1.AuthenticationAgent", vtable, a) < 0 ||
		sd_bus_call_method_async(a->connection, NULL, AUTHORITY,
			"RegisterAuthenticationAgent", on_reply, &w, "(sa{sv})ss", "unix-process",
			2, "pid", "u", (uint32_t)getpid(), "start-time", "t", start_time(), "C",
			AGENT_PATH) < 0)
		fail("agent");
	run_until(event, &w.done);
}

void agent_stop(struct agent *a)
{
	if (a->dialog)
		close_dialog(a);
	a->connection = sd_bus_close_unref(a->connection);
}

void agent_enter_password(struct agent *a)
{
	struct waiting w = {};

	if (sd_bus_call_method_async(a->connection, NULL, AUTHORITY, "AuthenticationAgentResponse2",
		    on_reply, &w, "us(sa{sv})", 0, a->cookie, "unix-user", 1, "uid", "u", 0) < 0)
		fail("response");
	run_until(sd_bus_get_event(a->connection), &w.done);
	sd_bus_reply_method_return(a->dialog, NULL);
	close_dialog(a);
}

void agent_dismiss(struct agent *a)
{
	sd_bus_reply_method_errorf(
		a->dialog, "org.freedesktop.PolicyKit1.Error.Cancelled", "not now");
	close_dialog(a);
}
