/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attachstorm: several processes attach and detach a matrix each, as often and as fast as they can, while this one reads the
 * uevents of apmatrix.ko off the wire and holds them against what was done.
 *
 *   attachstorm COUNT UUID...      judges the events: exit 0 only if none is lost, out of order or wrong
 *   attachstorm -q COUNT UUID...   only attaches; exit 0 only if every attach succeeded
 *
 * Latency is the arrival of an event minus the return of the system call that it tells of; below zero the reader knew first.
 * The reader is a real-time process: what is measured is the module, not how long the others keep it from running.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/netlink.h>
#include <linux/vfio.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define N_MAX 16
#define SILENCE_MS 5000 /* after the last process has ended, an event that does not come is lost */

enum { ATTACH, DETACH, N_WHAT };

struct child {
	const char *uuid;
	pid_t pid;
	unsigned seen[N_WHAT];
	int64_t *done[N_WHAT];    /* shared: when the n-th call returned; 0: not yet */
	int64_t *arrived[N_WHAT]; /* when its event came */
};

static struct child children[N_MAX];
static unsigned n_children, count, strange, disorder;
static uint64_t last_seq, lost;

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int die(const char *what)
{
	fprintf(stderr, "attachstorm: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* --- one process that attaches and detaches -------------------------------------------------- */

static int open_group(const char *uuid)
{
	char path[128], target[256];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/mdev/devices/%s/iommu_group", uuid);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		die(path);
	target[n] = 0;
	snprintf(path, sizeof(path), "/dev/vfio/%s", strrchr(target, '/') + 1);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? die(path) : fd;
}

static void tell_vm(int vfio, int fd, int attribute)
{
	struct kvm_device_attr a = {
		.group = KVM_DEV_VFIO_GROUP, .attr = attribute, .addr = (unsigned long)&fd};

	if (ioctl(vfio, KVM_SET_DEVICE_ATTR, &a) < 0)
		die("KVM_SET_DEVICE_ATTR");
}

static void attach_and_detach(struct child *c, unsigned i, int vfio)
{
	int container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC), group = open_group(c->uuid), fd;

	if (container < 0 || ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) < 0 ||
		ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
		die("the container");
	tell_vm(vfio, group, KVM_DEV_VFIO_GROUP_ADD);
	fd = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, c->uuid);
	if (fd < 0)
		die("VFIO_GROUP_GET_DEVICE_FD");
	c->done[ATTACH][i] = now_us();
	close(fd);
	c->done[DETACH][i] = now_us();
	tell_vm(vfio, group, KVM_DEV_VFIO_GROUP_DEL);
	close(group);
	close(container);
}

static void child_run(struct child *c)
{
	struct kvm_create_device device = {.type = KVM_DEV_TYPE_VFIO};
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm;

	if (kvm < 0)
		die("/dev/kvm");
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0 || ioctl(vm, KVM_CREATE_DEVICE, &device) < 0)
		die("the virtual machine");
	for (unsigned i = 0; i < count; i++)
		attach_and_detach(c, i, (int)device.fd);
	exit(0);
}

/* --- the reader ------------------------------------------------------------------------------ */

static int listen_events(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	int size = 8 << 20;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? die("netlink") : fd;
}

static const char *property(const char *text, size_t length, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = text; p < text + length; p += strlen(p) + 1)
		if (strncmp(p, name, n) == 0 && p[n] == '=')
			return p + n + 1;
	return "";
}

static struct child *find_child(const char *devpath)
{
	for (unsigned i = 0; i < n_children; i++)
		if (strstr(devpath, children[i].uuid))
			return &children[i];
	return NULL;
}

static void take_seq(uint64_t seq)
{
	if (last_seq != 0 && seq <= last_seq)
		disorder++;
	else if (last_seq != 0)
		lost += seq - last_seq - 1;
	if (seq > last_seq)
		last_seq = seq;
}

static void take_event(const char *text, size_t length)
{
	const char *event = property(text, length, "APMATRIX_EVENT");
	struct child *c = find_child(text);
	int what = strcmp(event, "attach") == 0 ? ATTACH : DETACH;

	if (!*event)
		return;
	take_seq(strtoull(property(text, length, "APMATRIX_SEQ"), NULL, 10));
	if (!c || (what == DETACH && strcmp(event, "detach") != 0) || c->seen[what] >= count ||
		c->seen[ATTACH] - c->seen[DETACH] != (what == ATTACH ? 0u : 1u) ||
		strtol(property(text, length, "APMATRIX_PID"), NULL, 10) != c->pid ||
		strcmp(property(text, length, "APMATRIX_COMM"), "attachstorm") != 0 ||
		strcmp(property(text, length, "APMATRIX_RET"), "0") != 0) {
		strange++;
		return;
	}
	c->arrived[what][c->seen[what]++] = now_us();
}

static bool complete(void)
{
	for (unsigned i = 0; i < n_children; i++)
		if (children[i].seen[ATTACH] < count || children[i].seen[DETACH] < count)
			return false;
	return true;
}

static void read_events(int fd)
{
	const struct sched_param priority = {.sched_priority = 1};
	char text[8192];
	ssize_t n;

	if (sched_setscheduler(0, SCHED_FIFO, &priority) < 0)
		die("SCHED_FIFO");
	while (!complete()) {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		if (poll(&p, 1, SILENCE_MS) == 0)
			return;
		n = recv(fd, text, sizeof(text) - 1, 0);
		if (n < 0)
			die("the kernel dropped uevents before they were read");
		text[n] = 0;
		take_event(text, (size_t)n);
	}
}

/* --- the verdict ----------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void print_latency(const char *name, int what)
{
	int64_t *all = calloc((size_t)n_children * count, sizeof(*all));
	size_t n = 0;

	for (unsigned i = 0; i < n_children; i++)
		for (unsigned k = 0; k < children[i].seen[what]; k++)
			all[n++] = children[i].arrived[what][k] - children[i].done[what][k];
	if (n == 0)
		return;
	qsort(all, n, sizeof(*all), compare);
	printf("%s: p50 %lld us, p99 %lld us, max %lld us\n", name, (long long)all[n / 2],
		(long long)all[n * 99 / 100], (long long)all[n - 1]);
	free(all);
}

static int verdict(unsigned failed)
{
	unsigned seen[N_WHAT] = {0}, missing;

	for (unsigned i = 0; i < n_children; i++)
		for (int what = 0; what < N_WHAT; what++)
			seen[what] += children[i].seen[what];
	missing = 2 * count * n_children - seen[ATTACH] - seen[DETACH];
	printf("%u processes x %u: %u attach and %u detach events, %u missing, %llu numbers lost, "
	       "%u out of order, "
	       "%u wrong\n",
		n_children, count, seen[ATTACH], seen[DETACH], missing, (unsigned long long)lost,
		disorder, strange);
	print_latency("attach", ATTACH);
	print_latency("detach", DETACH);
	return failed || missing || lost || disorder || strange;
}

static void *shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

int main(int argc, char *argv[])
{
	bool quiet = argc > 1 && strcmp(argv[1], "-q") == 0;
	unsigned failed = 0;
	int fd = -1, status;

	argv += quiet;
	argc -= quiet;
	count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
	n_children = argc > 2 ? (unsigned)argc - 2 : 0;
	if (count == 0 || n_children == 0 || n_children > N_MAX) {
		fputs("attachstorm [-q] COUNT UUID...\n", stderr);
		return 2;
	}
	if (!quiet)
		fd = listen_events();
	for (unsigned i = 0; i < n_children; i++) {
		struct child *c = &children[i];

		c->uuid = argv[i + 2];
		for (int what = 0; what < N_WHAT; what++) {
			c->done[what] = shared(count * sizeof(int64_t));
			c->arrived[what] = calloc(count, sizeof(int64_t));
			if (!c->done[what] || !c->arrived[what])
				die("memory");
		}
		fflush(stdout);
		c->pid = fork();
		if (c->pid == 0)
			child_run(c);
	}
	if (!quiet)
		read_events(fd);
	while (wait(&status) > 0)
		failed += status != 0;
	if (failed)
		printf("%u processes failed\n", failed);
	return quiet ? failed > 0 : verdict(failed);
}
