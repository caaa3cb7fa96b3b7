/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ROOT/proc: the kernel's release, and for every simulated virtual machine what a scan of /proc
 * looks at.  These are plain files, since nothing is ever written there.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "simfs.h"
#include "util/cleanup.h"

#define FD_KVM 11
#define FD_VM 12
#define FD_GROUP 20
#define FD_DEVICE 21

struct process {
	uint32_t pid;
	int vfio_group; /* as written, -1: none */
	bool seen;
};

struct processes {
	struct process *items;
	size_t n;
};

static int write_file(int dir, const char *name, const char *text, size_t size)
{
	_cleanup_close_ int fd =
		openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0)
		return -errno;
	return write(fd, text, size) == (ssize_t)size ? 0 : -EIO;
}

static int make_dir(int dir, const char *name)
{
	return mkdirat(dir, name, 0755) == 0 || errno == EEXIST ? 0 : -errno;
}

static int write_fdinfo(int dir, int fd, const char *more)
{
	char name[32], text[256];

	snprintf(name, sizeof(name), "fdinfo/%d", fd);
	snprintf(text, sizeof(text), "pos:\t0\nflags:\t02000002\nmnt_id:\t15\nino:\t1\n%s", more);
	return write_file(dir, name, text, strlen(text));
}

static int write_fd(int dir, int fd, const char *target, const char *more)
{
	char name[32];

	snprintf(name, sizeof(name), "fd/%d", fd);
	unlinkat(dir, name, 0);
	if (symlinkat(target, dir, name) < 0)
		return -errno;
	return write_fdinfo(dir, fd, more);
}

/* QEMU's open files: the group, and the device behind it (whose fdinfo tells since 6.18). */
static int write_vfio(const struct simfs *s, int dir, const struct model_vm *vm)
{
	char target[64], more[160] = "";
	int r;

	for (int fd = FD_GROUP; fd <= FD_DEVICE; fd++) {
		char name[32];

		snprintf(name, sizeof(name), "fd/%d", fd);
		unlinkat(dir, name, 0);
		snprintf(name, sizeof(name), "fdinfo/%d", fd);
		unlinkat(dir, name, 0);
	}
	if (!vm->uuid)
		return 0;
	snprintf(target, sizeof(target), "/dev/vfio/%d", vm->vfio_group);
	r = write_fd(dir, FD_GROUP, target, "");
	if (r < 0)
		return r;
	if (model_profile(s->model) >= PROFILE_7_2)
		snprintf(more, sizeof(more),
			"vfio-device-syspath: /sys/devices/vfio_ap/matrix/%s\n", vm->uuid);
	return write_fd(dir, FD_DEVICE, "anon_inode:[vfio-device]", more);
}

static int write_process(const struct simfs *s, const struct model_vm *vm)
{
	char name[32], text[128];
	_cleanup_close_ int dir = -1;
	int r;

	snprintf(name, sizeof(name), "proc/%u", vm->pid);
	r = make_dir(s->root, name);
	if (r < 0)
		return r;
	dir = openat(s->root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	snprintf(text, sizeof(text), "%s\n", vm->comm);
	r = write_file(dir, "comm", text, strlen(text));
	if (r == 0) {
		static const char cmdline[] = "/usr/bin/qemu-system-s390x\0-accel\0kvm";

		r = write_file(dir, "cmdline", cmdline, sizeof(cmdline));
	}
	if (r == 0)
		r = make_dir(dir, "fd");
	if (r == 0)
		r = make_dir(dir, "fdinfo");
	if (r == 0)
		r = write_fd(dir, FD_KVM, "/dev/kvm", "");
	if (r == 0)
		r = write_fd(dir, FD_VM, "anon_inode:kvm-vm", "");
	return r == 0 ? write_vfio(s, dir, vm) : r;
}

static void remove_process(const struct simfs *s, uint32_t pid)
{
	static const char *const files[] = {"comm", "cmdline", "fd/11", "fd/12", "fd/20", "fd/21",
		"fdinfo/11", "fdinfo/12", "fdinfo/20", "fdinfo/21"};
	char name[64];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(name, sizeof(name), "proc/%u/%s", pid, files[i]);
		unlinkat(s->root, name, 0);
	}
	snprintf(name, sizeof(name), "proc/%u/fd", pid);
	unlinkat(s->root, name, AT_REMOVEDIR);
	snprintf(name, sizeof(name), "proc/%u/fdinfo", pid);
	unlinkat(s->root, name, AT_REMOVEDIR);
	snprintf(name, sizeof(name), "proc/%u", pid);
	unlinkat(s->root, name, AT_REMOVEDIR);
}

static struct process *find_process(struct processes *p, uint32_t pid)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->items[i].pid == pid)
			return &p->items[i];

	struct process *items = reallocarray(p->items, p->n + 1, sizeof(*items));

	if (!items)
		return NULL;
	p->items = items;
	p->items[p->n] = (struct process){.pid = pid, .vfio_group = -2};
	return &p->items[p->n++];
}

int proc_init(struct simfs *s)
{
	static const char *const dirs[] = {"proc", "proc/sys", "proc/sys/kernel"};
	char release[72];

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		int r = make_dir(s->root, dirs[i]);

		if (r < 0)
			return r;
	}
	s->processes = calloc(1, sizeof(*s->processes));
	if (!s->processes)
		return -ENOMEM;
	snprintf(release, sizeof(release), "%s\n", model_release(s->model));
	return write_file(s->root, "proc/sys/kernel/osrelease", release, strlen(release));
}

void proc_settle(struct simfs *s)
{
	struct processes *p = s->processes;
	struct model_vm vm;

	for (size_t i = 0; i < p->n; i++)
		p->items[i].seen = false;
	for (size_t i = 0; model_vm(s->model, i, &vm); i++) {
		struct process *process = find_process(p, vm.pid);
		int r = 0;

		if (!process)
			return;
		process->seen = true;
		if (process->vfio_group != vm.vfio_group)
			r = write_process(s, &vm);
		if (r < 0)
			fprintf(stderr, "simfs: proc/%u: %s\n", vm.pid, strerror(-r));
		process->vfio_group = vm.vfio_group;
	}
	for (size_t i = p->n; i > 0; i--)
		if (!p->items[i - 1].seen) {
			remove_process(s, p->items[i - 1].pid);
			p->items[i - 1] = p->items[--p->n];
		}
}

void proc_done(struct simfs *s)
{
	if (!s->processes)
		return;
	for (size_t i = 0; i < s->processes->n; i++)
		remove_process(s, s->processes->items[i].pid);
	free(s->processes->items);
	free(s->processes);
	s->processes = NULL;
}
