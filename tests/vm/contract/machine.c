/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "machine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "holder.h"
#include "util/cleanup.h"
#include "util/fileio.h"

/* A writer that has not come back after this long waits for good.  The machine is an emulated one. */
#define BLOCKED_MSEC 3000
#define PATIENCE_MSEC 10000
#define N_WRITERS 8u
#define ALL "0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define SIM "/sys/kernel/debug/apsim"

static int sys = -1;
static pid_t waiting[N_WRITERS]; /* writers that have not come back */
static unsigned adapters[256], n_adapters, domains[256], n_domains;

static void nap(unsigned msec)
{
	nanosleep(&(struct timespec){msec / 1000, msec % 1000 * 1000000L}, NULL);
}

/* --- reading and writing -------------------------------------------------------------------- */

/* 0, or -EINPROGRESS where it has not ended after @msec. */
static int wait_for(pid_t pid, int msec, int *ret_status)
{
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd ended = {fd, POLLIN, 0};

	if (poll(&ended, 1, msec) == 0)
		return -EINPROGRESS;
	return waitpid(pid, ret_status, 0) == pid ? 0 : -errno;
}

static void keep_writer(pid_t pid)
{
	for (unsigned i = 0; i < N_WRITERS; i++)
		if (!waiting[i]) {
			waiting[i] = pid;
			return;
		}
}

/* What they waited for has happened. */
static void settle(void)
{
	int status;

	for (unsigned i = 0; i < N_WRITERS; i++)
		if (waiting[i] && wait_for(waiting[i], PATIENCE_MSEC, &status) == 0)
			waiting[i] = 0;
}

/* In a child, since a writer may have to wait, and then cannot even be killed. */
static int write_attribute(_unused_ void *userdata, const char *path, const char *text)
{
	int status = 0, r;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		_exit(-attr_write_at(sys, path, text));
	r = wait_for(pid, BLOCKED_MSEC, &status);
	if (r == -EINPROGRESS)
		keep_writer(pid);
	if (r < 0)
		return r;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

static ssize_t read_attribute(_unused_ void *userdata, const char *path, char *buf, size_t size)
{
	_cleanup_close_ int fd = openat(sys, path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, size);
	return n < 0 ? -errno : n;
}

static long read_number(const char *path)
{
	char text[32];

	return attr_read_at(sys, path, text, sizeof(text)) > 0 ? strtol(text, NULL, 10) : -1;
}

/* --- the outside world ---------------------------------------------------------------------- */

/* A write asks for a scan; after two more, one has begun and ended since.  Kernels before 5.12 have
 * no such attribute: what asks then waits for the scan's end (apmods/apbus_module.c). */
static int scan_bus(void)
{
	long before = read_number("bus/ap/scans");

	if (before < 0)
		return attr_write_at(sys, "module/apbus/parameters/scan", "1");
	for (long more = 1; more <= 2; more++) {
		int r = attr_write_at(sys, "bus/ap/scans", "1");

		for (int left = PATIENCE_MSEC; read_number("bus/ap/scans") < before + more;
			left -= 20) {
			if (r < 0 || left <= 0)
				return r < 0 ? r : -ETIMEDOUT;
			nap(20);
		}
	}
	return 0;
}

static int simulate(const char *what, unsigned number, bool on)
{
	char text[64];

	snprintf(text, sizeof(text), "%s %u %d", what, number, on);
	return attr_write_at(AT_FDCWD, SIM, text);
}

static int change(const char *what, const char *number, bool on)
{
	char *end;
	unsigned long n = strtoul(number, &end, 0);
	int r = *end || end == number || n > 255 ? -EINVAL : simulate(what, (unsigned)n, on);

	return r < 0 ? r : scan_bus();
}

static int run_program(const char *program, const char *argument)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execlp(program, program, argument, NULL);
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0
		? 0
		: -EIO;
}

static int set_vfio_ap(bool on)
{
	if (on)
		return run_program("modprobe", "vfio_ap");
	return syscall(SYS_delete_module, "vfio_ap", O_NONBLOCK) < 0 ? -errno : 0;
}

static int unbind(const char *queue)
{
	char path[128];

	snprintf(path, sizeof(path), "bus/ap/devices/%s/driver/unbind", queue);
	return attr_write_at(sys, path, queue);
}

static uint32_t number(const char *word)
{
	return (uint32_t)strtoul(word, NULL, 10);
}

static int obey(char **word, unsigned n)
{
	const char *verb = word[0];
	int r;

	if (n == 3 && strcmp(verb, "attach") == 0)
		return holder_attach(number(word[2]), word[1]);
	if (n == 3 && strcmp(verb, "card") == 0)
		return change("present", word[1], strcmp(word[2], "back") == 0);
	if (n == 3 && strcmp(verb, "domain") == 0)
		return change("domain", word[1], strcmp(word[2], "back") == 0);
	if (n == 3 && (strcmp(verb, "config") == 0 || strcmp(verb, "chkstop") == 0))
		return change(verb, word[1], word[2][0] == '1');
	if (n != 2)
		return -EOPNOTSUPP;
	if (strcmp(verb, "unbind") == 0)
		return unbind(word[1]);
	if (strcmp(verb, "bind") == 0)
		return attr_write_at(sys, "bus/ap/drivers_probe", word[1]);
	if (strcmp(verb, "vfio_ap") == 0)
		return set_vfio_ap(strcmp(word[1], "on") == 0);
	if (strcmp(verb, "kill") == 0)
		r = holder_kill(number(word[1]));
	else if (strcmp(verb, "detach") == 0)
		r = holder_detach(word[1]);
	else
		return -EOPNOTSUPP;
	settle();
	return r;
}

static int control(_unused_ void *userdata, const char *command)
{
	_cleanup_free_ char *copy = strdup(command);
	char *words[4], *rest = copy, *word;
	unsigned n = 0;

	if (!copy)
		return -ENOMEM;
	while ((word = strsep(&rest, " ")) && n < ARRAY_SIZE(words))
		words[n++] = word;
	return obey(words, n);
}

/* --- uevents -------------------------------------------------------------------------------- */

static int uevents = -1;

static int listen_for_uevents(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
	int size = 16 << 20;

	uevents = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	if (uevents < 0 || bind(uevents, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	(void)setsockopt(uevents, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return 0;
}

/* "add@/devices/...", NUL, then the properties. */
static ssize_t next_uevent(_unused_ void *userdata, int msec, char *buf, size_t size)
{
	struct pollfd some = {uevents, POLLIN, 0};
	char message[8192];
	size_t head;
	ssize_t n;

	if (poll(&some, 1, msec) <= 0)
		return -EAGAIN;
	n = recv(uevents, message, sizeof(message) - 1, 0);
	if (n <= 0)
		return -EAGAIN;
	message[n] = 0;
	head = strlen(message) + 1;
	if (head >= (size_t)n || (size_t)n - head > size)
		return -EAGAIN;
	memcpy(buf, message + head, (size_t)n - head);
	return n - (ssize_t)head;
}

const struct rules_target machine_target = {
	NULL, write_attribute, read_attribute, control, NULL, NULL, next_uevent};

/* --- fresh ---------------------------------------------------------------------------------- */

/* "4,71,171-173" */
static void learn_domains(const char *list)
{
	while (*list) {
		char *end;
		unsigned long first = strtoul(list, &end, 10), last = first;

		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		for (; first <= last && n_domains < ARRAY_SIZE(domains); first++)
			domains[n_domains++] = (unsigned)first;
		if (*end != ',')
			break;
		list = end + 1;
	}
}

int machine_init(void)
{
	_cleanup_free_ char *text = NULL;
	char *rest, *line;
	unsigned id;
	ssize_t n;

	sys = open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (sys < 0)
		return -errno;
	if (listen_for_uevents() < 0)
		return -errno;
	n = file_read_at(AT_FDCWD, SIM, 1u << 20, &text);
	if (n < 0)
		return (int)n;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		if (strncmp(line, "domains ", 8) == 0)
			learn_domains(line + 8);
		if (sscanf(line, "card %x ", &id) == 1 && n_adapters < ARRAY_SIZE(adapters))
			adapters[n_adapters++] = id;
	}
	return n_adapters && n_domains ? 0 : -ENODEV;
}

static void remove_mdevs(void)
{
	DIR *dir = opendir("/sys/bus/mdev/devices");
	struct dirent *entry;
	char path[300];

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.') {
			snprintf(path, sizeof(path), "bus/mdev/devices/%s/remove", entry->d_name);
			(void)attr_write_at(sys, path, "1");
		}
	if (dir)
		closedir(dir);
}

static void restore_hardware(void)
{
	for (unsigned i = 0; i < n_adapters; i++) {
		(void)simulate("present", adapters[i], true);
		(void)simulate("config", adapters[i], true);
		(void)simulate("chkstop", adapters[i], false);
	}
	for (unsigned i = 0; i < n_domains; i++)
		(void)simulate("domain", domains[i], true);
}

/* Calls @each for every queue. */
static void for_queues(void (*each)(const char *queue))
{
	char queue[16];

	for (unsigned i = 0; i < n_adapters; i++)
		for (unsigned j = 0; j < n_domains; j++) {
			snprintf(queue, sizeof(queue), "%02x.%04x", adapters[i], domains[j]);
			each(queue);
		}
}

static void clear_override(const char *queue)
{
	char path[128], text[64];

	snprintf(path, sizeof(path), "bus/ap/devices/%s/driver_override", queue);
	if (attr_read_at(sys, path, text, sizeof(text)) > 0 && strcmp(text, "(null)") != 0)
		(void)attr_write_at(sys, path, "\n");
}

static bool has_default_driver(const char *queue)
{
	char path[128];

	snprintf(path, sizeof(path), "bus/ap/drivers/cex4queue/%s", queue);
	return faccessat(sys, path, F_OK, 0) == 0;
}

static void give_to_default_driver(const char *queue)
{
	if (has_default_driver(queue))
		return;
	(void)unbind(queue);
	(void)attr_write_at(sys, "bus/ap/drivers_probe", queue);
}

static unsigned n_strays;

static void count_strays(const char *queue)
{
	if (!has_default_driver(queue))
		n_strays++;
}

const char *machine_refresh(void)
{
	holder_kill_all();
	settle();
	if (faccessat(sys, "devices/vfio_ap/matrix", F_OK, 0) < 0 && set_vfio_ap(true) < 0)
		return "vfio_ap does not load again";
	remove_mdevs();
	restore_hardware();
	for_queues(clear_override);
	if (attr_write_at(sys, "bus/ap/apmask", ALL) < 0 ||
		attr_write_at(sys, "bus/ap/aqmask", ALL) < 0)
		return "the masks do not open again";
	(void)attr_write_at(sys, "bus/ap/config_time", "30");
	if (scan_bus() < 0)
		return "the bus does not scan";
	for_queues(give_to_default_driver);
	n_strays = 0;
	for_queues(count_strays);
	return n_strays ? "not every queue is with the default driver again" : NULL;
}
