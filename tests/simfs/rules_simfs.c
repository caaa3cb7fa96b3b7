/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rules of tests/model/kernel.rules against the mounted tree: for every rule and kernel a
 * fresh simfs in this process's own mount and network namespace.  What the model says in memory,
 * open(2), read(2) and write(2) must say too.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "rules.h"
#include "util/cleanup.h"
#include "util/fileio.h"

/* A writer that has not come back after this long waits for good. */
#define BLOCKED_MSEC 1000

struct machine {
	int sys;     /* directory fd of ROOT/sys */
	int uevents; /* what simfs sends in udev's name */
	pid_t simfs;
};

/* --- the target ----------------------------------------------------------------------------- */

/* In a child, since a writer may have to wait, and then cannot even be killed. */
static int write_tree(void *userdata, const char *path, const char *text)
{
	const struct machine *machine = userdata;
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -errno;
	if (pid == 0)
		_exit(-attr_write_at(machine->sys, path, text));

	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd ended = {fd, POLLIN, 0};

	if (poll(&ended, 1, BLOCKED_MSEC) == 0)
		return -EINPROGRESS;
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -EIO;
	return -WEXITSTATUS(status);
}

static ssize_t read_tree(void *userdata, const char *path, char *buf, size_t size)
{
	const struct machine *machine = userdata;
	_cleanup_close_ int fd = openat(machine->sys, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;

	ssize_t n = read(fd, buf, size);

	return n < 0 ? -errno : n;
}

static int control_tree(void *userdata, const char *command)
{
	const struct machine *machine = userdata;

	return attr_write_at(machine->sys, "kernel/debug/apmatrix-sim/control", command);
}

static void check_tree(void *userdata, char *buf, size_t size)
{
	const struct machine *machine = userdata;

	if (attr_read_at(machine->sys, "kernel/debug/apmatrix-sim/check", buf, size) < 0)
		snprintf(buf, size, "cannot be read");
}

/* udev's group, since none but a kernel sends to the kernel's. */
static int listen_for_uevents(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 2};
	_cleanup_close_ int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static ssize_t next_uevent(void *userdata, int msec, char *buf, size_t size)
{
	const struct machine *machine = userdata;
	struct pollfd some = {machine->uevents, POLLIN, 0};
	char message[8192];
	uint32_t offset;
	ssize_t n;

	if (poll(&some, 1, msec) <= 0)
		return -EAGAIN;
	n = recv(machine->uevents, message, sizeof(message), 0);
	/* struct udev_monitor_netlink_header: prefix, magic, header_size, properties_off */
	if (n < 40 || memcmp(message, "libudev", 8) != 0)
		return -EAGAIN;
	memcpy(&offset, message + 16, sizeof(offset));
	n -= (ssize_t)offset;
	if (n <= 0 || (size_t)n > size)
		return -EAGAIN;
	memcpy(buf, message + offset, (size_t)n);
	return n;
}

/* --- machines ------------------------------------------------------------------------------- */

static int write_hardware(const struct rules *rules, enum model_profile profile)
{
	_cleanup_fclose_ FILE *file = fopen("hardware", "we");

	if (!file)
		return -errno;
	fprintf(file, "kernel %s\n%s", rules_profile_name(profile), rules->hardware);
	return 0;
}

/* Returns when the tree is mounted. */
static int machine_start(const char *simfs, struct machine *ret)
{
	int ready[2], r;
	char option[32], text[16];

	if (pipe(ready) < 0)
		return -errno;
	snprintf(option, sizeof(option), "--ready-fd=%d", ready[1]);

	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, STDOUT_FILENO);
		close(ready[0]);
		execl(simfs, simfs, "--hardware=hardware", "--foreground", option, "root", NULL);
		_exit(127);
	}
	close(ready[1]);
	r = read(ready[0], text, sizeof(text)) > 0 ? 0 : -EIO;
	close(ready[0]);
	if (r == 0)
		r = attr_write_at(
			AT_FDCWD, "root/sys/kernel/debug/apmatrix-sim/control", "checks on");
	*ret = (struct machine){
		open("root/sys", O_PATH | O_DIRECTORY | O_CLOEXEC), listen_for_uevents(), pid};
	return r < 0 ? r : ret->uevents < 0 ? ret->uevents : 0;
}

static int machine_stop(struct machine *machine)
{
	int status;

	close(machine->sys);
	close(machine->uevents);
	kill(machine->simfs, SIGTERM);
	if (waitpid(machine->simfs, &status, 0) != machine->simfs)
		return -errno;
	while (waitpid(-1, NULL, 0) > 0)
		; /* the writers that waited */
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

static int run_rule(const char *simfs, const struct rules *rules, const struct rule *rule,
	enum model_profile profile)
{
	struct machine machine;
	struct rules_target target = {
		&machine, write_tree, read_tree, control_tree, check_tree, NULL, next_uevent};
	_cleanup_free_ char *error = NULL;
	int r = write_hardware(rules, profile);

	if (r == 0)
		r = machine_start(simfs, &machine);
	if (r < 0) {
		fprintf(stderr, "simfs did not start: %s\n", strerror(-r));
		return r;
	}
	r = rule_run(&target, rule, &error);
	if (r < 0)
		fprintf(stderr, "%s on %s: %s\n", rule->name, rules_profile_name(profile), error);
	if (machine_stop(&machine) < 0) {
		fprintf(stderr, "%s: simfs did not end well\n", rule->name);
		r = -EIO;
	}
	return r;
}

/* A private place: nothing of it is seen, or left, outside. */
static int enter_namespaces(void)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0 ||
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tmpfs", "/mnt", "tmpfs", 0, NULL) < 0 || chdir("/mnt") < 0 ||
		mkdir("root", 0755) < 0)
		return -errno;
	return 0;
}

int main(int argc, char **argv)
{
	_cleanup_free_ char *simfs = argc == 2 ? realpath(argv[1], NULL) : NULL;
	struct rules rules;
	unsigned n = 0, failed = 0;
	int r;

	if (!simfs) {
		fprintf(stderr, "rules_simfs SIMFS\n");
		return 2;
	}
	r = rules_load(KERNEL_RULES, &rules);
	if (r == 0)
		r = enter_namespaces();
	if (r < 0) {
		fprintf(stderr, "rules_simfs: %s (this test mounts FUSE and needs root)\n",
			strerror(-r));
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < rules.n; i++)
		for (unsigned p = 0; p < N_PROFILES; p++)
			if (rules.items[i].profiles & 1u << p) {
				n++;
				if (run_rule(simfs, &rules, &rules.items[i],
					    (enum model_profile)p) < 0)
					failed++;
			}
	rules_done(&rules);
	printf("%u rules, %u failed\n", n, failed);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
