/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Everything here ends the program where it fails: without a bus there is nothing to test.
 */
#include "private_bus.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_USEC (UINT64_C(20) * 1000000)

static const char config[] = "<busconfig>\n"
			     "  <type>custom</type>\n"
			     "  <listen>unix:path=%s/bus</listen>\n"
			     "  <auth>EXTERNAL</auth>\n"
			     "  <policy context='default'>\n"
			     "    <allow user='*'/>\n"
			     "    <deny own='*'/>\n"
			     "    <deny send_type='method_call'/>\n"
			     "    <allow send_type='signal'/>\n"
			     "    <allow send_requested_reply='true' send_type='method_return'/>\n"
			     "    <allow send_requested_reply='true' send_type='error'/>\n"
			     "    <allow receive_type='method_call'/>\n"
			     "    <allow receive_type='method_return'/>\n"
			     "    <allow receive_type='error'/>\n"
			     "    <allow receive_type='signal'/>\n"
			     "    <allow send_destination='org.freedesktop.DBus'/>\n"
			     "    <allow send_destination='org.freedesktop.PolicyKit1'/>\n"
			     "  </policy>\n"
			     "  <policy user='polkitd'>\n"
			     "    <allow own='org.freedesktop.PolicyKit1'/>\n"
			     "    <allow send_interface="
			     "'org.freedesktop.PolicyKit1.AuthenticationAgent'/>\n"
			     "  </policy>\n"
			     "  <include>%s/org.s390.APMatrix.conf</include>\n"
			     "  <limit name='max_replies_per_connection'>4096</limit>\n"
			     "</busconfig>\n";

static void fail(const char *what)
{
	fprintf(stderr, "private bus: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static void write_config(const struct private_bus *p)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/bus.conf", p->dir);
	f = fopen(path, "we");
	if (!f)
		fail(path);
	fprintf(f, config, p->dir, getenv("APMATRIX_DBUS_DIR"));
	fclose(f);
}

/* dbus-daemon complains where it may not raise its limits; who looks for a reason finds it. */
static void quieten(const struct private_bus *p)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/log", p->dir);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
		fail(path);
}

static void exec_daemon(const struct private_bus *p, int ready)
{
	char option[160], fd[32];

	snprintf(option, sizeof(option), "--config-file=%s/bus.conf", p->dir);
	snprintf(fd, sizeof(fd), "--print-address=%d", ready);
	fcntl(ready, F_SETFD, 0);
	quieten(p);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	execlp("dbus-daemon", "dbus-daemon", option, fd, "--nofork", "--nopidfile", "--nosyslog",
		NULL);
	_exit(127);
}

static void fail_to_start(const struct private_bus *p)
{
	char path[128], line[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/log", p->dir);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		fputs(line, stderr);
	fail("dbus-daemon did not start");
}

static bool use_broker;

static int bind_socket(const char *path, int type)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		chmod(path, 0666) < 0)
		fail(path);
	return fd;
}

/* A child that reads the journal's socket for as long as the test program lives. */
static void drain(int fd)
{
	pid_t parent = getpid();
	char buf[4096];

	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (getppid() == parent && recv(fd, buf, sizeof(buf), 0) >= 0)
			;
		_exit(0);
	}
	close(fd);
}

bool private_bus_use_broker(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tmpfs", "/run", "tmpfs", 0, "mode=0755") < 0 ||
		mkdir("/run/systemd", 0755) < 0 || mkdir("/run/systemd/journal", 0755) < 0) {
		fprintf(stderr, "skipped: no /run for dbus-broker: %s\n", strerror(errno));
		return false;
	}
	drain(bind_socket("/run/systemd/journal/socket", SOCK_DGRAM));
	use_broker = true;
	return true;
}

/* As a service manager starts it: with a socket that listens already. */
static void exec_broker(const struct private_bus *p, int listener)
{
	char option[160], pid[16];

	snprintf(option, sizeof(option), "--config-file=%s/bus.conf", p->dir);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, true);
	setenv("LISTEN_FDS", "1", true);
	setenv("DBUS_SYSTEM_BUS_ADDRESS", p->address, true);
	quieten(p);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (listener == 3)
		fcntl(listener, F_SETFD, 0);
	else if (dup2(listener, 3) < 0)
		_exit(126);
	execlp("dbus-broker-launch", "dbus-broker-launch", "--scope=system", option, NULL);
	_exit(127);
}

static void spawn_broker(struct private_bus *p)
{
	char path[128];
	int listener;

	snprintf(path, sizeof(path), "%s/bus", p->dir);
	listener = bind_socket(path, SOCK_STREAM);
	if (listen(listener, 128) < 0)
		fail("listen");
	p->pid = fork();
	if (p->pid < 0)
		fail("fork");
	if (p->pid == 0)
		exec_broker(p, listener);
	close(listener);
}

static void spawn(struct private_bus *p)
{
	char line[256];
	int fds[2];

	if (use_broker) {
		spawn_broker(p);
		return;
	}
	if (pipe2(fds, O_CLOEXEC) < 0)
		fail("pipe");
	p->pid = fork();
	if (p->pid < 0)
		fail("fork");
	if (p->pid == 0)
		exec_daemon(p, fds[1]);
	close(fds[1]);
	if (read(fds[0], line, sizeof(line)) <= 0)
		fail_to_start(p);
	close(fds[0]);
}

void private_bus_start(struct private_bus *p)
{
	if (!getenv("APMATRIX_DBUS_DIR")) {
		errno = EINVAL;
		fail("APMATRIX_DBUS_DIR must name the folder of the policy file");
	}
	strcpy(p->dir, "/tmp/apmatrix-bus-XXXXXX");
	if (!mkdtemp(p->dir) || chmod(p->dir, 0755) < 0)
		fail(p->dir);
	snprintf(p->address, sizeof(p->address), "unix:path=%s/bus", p->dir);
	write_config(p);
	spawn(p);
}

static void reap(struct private_bus *p)
{
	kill(p->pid, SIGKILL);
	waitpid(p->pid, NULL, 0);
}

static void remove_file(const struct private_bus *p, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", p->dir, name);
	unlink(path);
}

void private_bus_restart(struct private_bus *p)
{
	reap(p);
	remove_file(p, "bus");
	spawn(p);
}

void private_bus_stop(struct private_bus *p)
{
	reap(p);
	remove_file(p, "bus");
	remove_file(p, "bus.conf");
	remove_file(p, "log");
	rmdir(p->dir);
}

sd_bus *private_bus_client(const struct private_bus *p, sd_event *event, uid_t uid)
{
	const char *name;
	sd_bus *client = NULL;

	/* The kernel notes the effective user when the socket connects, and the handshake says
	 * it again. */
	if (uid != 0 && seteuid(uid) < 0)
		fail("seteuid");
	if (sd_bus_new(&client) < 0 || sd_bus_set_address(client, p->address) < 0 ||
		sd_bus_set_bus_client(client, true) < 0 || sd_bus_start(client) < 0 ||
		sd_bus_get_unique_name(client, &name) < 0)
		fail("cannot connect a client");
	if (uid != 0 && seteuid(0) < 0)
		fail("seteuid");
	if (sd_bus_attach_event(client, event, SD_EVENT_PRIORITY_NORMAL) < 0)
		fail("cannot attach a client");
	return client;
}

void run_until(sd_event *event, const bool *flag)
{
	while (!*flag)
		if (sd_event_run(event, WAIT_USEC) <= 0)
			fail("nothing happened");
}

struct pending {
	sd_bus_message *reply;
	bool done;
};

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct pending *p = userdata;

	(void)error;
	p->reply = sd_bus_message_ref(m);
	p->done = true;
	return 0;
}

sd_bus_message *call(sd_bus *client, const char *path, const char *interface, const char *member,
	const char *types, ...)
{
	struct pending pending = {};
	sd_bus_message *m = NULL;
	va_list args;

	if (sd_bus_message_new_method_call(
		    client, &m, "org.s390.APMatrix", path, interface, member) < 0)
		fail(member);
	va_start(args, types);
	if (types && sd_bus_message_appendv(m, types, args) < 0)
		fail(member);
	va_end(args);
	if (sd_bus_call_async(client, NULL, m, on_reply, &pending, 0) < 0)
		fail(member);
	sd_bus_message_unref(m);
	run_until(sd_bus_get_event(client), &pending.done);
	return pending.reply;
}
