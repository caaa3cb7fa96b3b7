/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One walk over /proc.  A process's descriptor is looked at by its link alone; only one that is a
 * vfio device has its fdinfo read.  What a process is called is name.c's.
 */
#include "attach/attach.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach/name.h"
#include "util/cleanup.h"
#include "util/fileio.h"

#define FDINFO_MAX 4097u
#define DEVICE_LINK "anon_inode:[vfio-device]"
#define DEVICE_KEY "vfio-device-syspath:"
#define VM_LINK "anon_inode:kvm-vm"
#define HELD_MAX 64u /* vfio devices that one process has open: a guest has one matrix */

/* What a process has open. */
struct holder {
	unsigned pid;
	bool is_vm; /* a virtual machine is its, too */
	struct {
		struct observed_mdev *mdev;
		enum attach_source source;
	} held[HELD_MAX];
	size_t n;
};

struct known {
	bool in_use; /* the kernel's word, by a queue's status */
	bool by_vm;  /* the process that is known has a virtual machine */
};

struct walk {
	struct observed *o;
	int root, proc;
	struct known *known; /* for each mdev */
	size_t wanted;       /* mdevs without such a process */
	bool partial;        /* some process could not be looked at */
};

static void cleanup_closedir(DIR **d)
{
	if (*d)
		closedir(*d);
}

static int open_listing(int dir, const char *path, DIR **ret)
{
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	*ret = fdopendir(fd);
	if (!*ret) {
		close(fd);
		return -ENOMEM;
	}
	return 0;
}

/*
 * Who has a virtual machine counts before who has not: a device may be held by the one who handed
 * it on.  The device itself tells more than its group's or its own node does.
 */
static void found(
	struct walk *w, const struct holder *h, struct observed_mdev *m, enum attach_source source)
{
	struct known *known = &w->known[m - w->o->mdevs];

	if (m->attach_source == ATTACH_FROM_MODULE)
		return;
	if (m->vm_pid != 0 &&
		(known->by_vm > h->is_vm ||
			(known->by_vm == h->is_vm && m->attach_source <= source)))
		return;
	if (h->is_vm && !known->by_vm)
		w->wanted--;
	m->attach = ATTACH_YES;
	m->attach_source = (uint8_t)source;
	m->attach_confidence = source == ATTACH_FROM_FDINFO || known->in_use ? CONFIDENCE_CERTAIN
									     : CONFIDENCE_LIKELY;
	m->vm_pid = h->pid;
	known->by_vm = h->is_vm;
}

static struct observed_mdev *find_group(const struct observed *o, long group)
{
	for (size_t i = 0; i < o->n_mdevs; i++)
		if (o->mdevs[i].vfio_group == group)
			return &o->mdevs[i];
	return NULL;
}

static struct observed_mdev *find_cdev(const struct observed *o, const char *name, size_t length)
{
	for (size_t i = 0; length > 0 && i < o->n_mdevs; i++)
		if (strncmp(o->mdevs[i].vfio_cdev, name, length) == 0 &&
			strlen(o->mdevs[i].vfio_cdev) == length)
			return &o->mdevs[i];
	return NULL;
}

/*
 * "/dev/vfio/N" or "/dev/vfio/devices/vfioN", in whatever mount namespace that /dev is; NULL:
 * another file.  " (deleted)" counts: the node is gone when the removal of the mdev waits for
 * this very process, and its number is not given away before that.
 */
static struct observed_mdev *mdev_of_node(const struct observed *o, const char *target)
{
	const char *node = strstr(target, "/vfio/");
	char *end;
	long group;

	if (!node)
		return NULL;
	node += strlen("/vfio/");
	if (strncmp(node, "devices/", strlen("devices/")) == 0) {
		node += strlen("devices/");
		return find_cdev(o, node, strcspn(node, " "));
	}
	if (*node < '0' || *node > '9')
		return NULL;
	group = strtol(node, &end, 10);
	return *end == '\0' || *end == ' ' ? find_group(o, group) : NULL;
}

/* The mdev that an open vfio device's fdinfo names; NULL: another device, or an older kernel. */
static struct observed_mdev *mdev_of_device(struct walk *w, const char *pid, const char *fd)
{
	char path[64], text[FDINFO_MAX], uuid[UUID_SIZE];
	const char *line, *name;
	size_t length;

	snprintf(path, sizeof(path), "%.20s/fdinfo/%.20s", pid, fd);
	if (attr_read_at(w->proc, path, text, sizeof(text)) < 0)
		return NULL;
	line = strstr(text, DEVICE_KEY);
	if (!line)
		return NULL;
	length = strcspn(line, "\n");
	name = memrchr(line, '/', length);
	if (!name || (size_t)(line + length - ++name) != UUID_SIZE - 1)
		return NULL;
	memcpy(uuid, name, UUID_SIZE - 1);
	uuid[UUID_SIZE - 1] = '\0';
	return observed_find_mdev(w->o, uuid);
}

/* Anybody may have a file of such a name.  A link that leads nowhere is believed. */
static bool is_device(DIR *files, const char *fd)
{
	struct stat st;

	return fstatat(dirfd(files), fd, &st, 0) < 0 || S_ISCHR(st.st_mode);
}

static void look_at_file(
	struct walk *w, struct holder *h, DIR *files, const char *pid, const char *fd)
{
	enum attach_source source = ATTACH_FROM_PROC;
	struct observed_mdev *m;
	char target[128];
	ssize_t n = readlinkat(dirfd(files), fd, target, sizeof(target) - 1);

	if (n <= 0)
		return;
	target[n] = '\0';
	if (strcmp(target, VM_LINK) == 0) {
		h->is_vm = true;
		return;
	}
	if (strcmp(target, DEVICE_LINK) == 0) {
		m = mdev_of_device(w, pid, fd);
		source = ATTACH_FROM_FDINFO;
	} else {
		m = mdev_of_node(w->o, target);
		if (m && !is_device(files, fd))
			return;
	}
	if (!m || h->n == HELD_MAX)
		return;
	h->held[h->n].mdev = m;
	h->held[h->n++].source = source;
}

/* A kernel thread has no files: its listing is empty, which costs no more than to find out
 * otherwise that it is one. */
static int look_at_process(struct walk *w, const char *pid)
{
	_cleanup_(cleanup_closedir) DIR *files = NULL;
	struct holder h = {.pid = (unsigned)strtoul(pid, NULL, 10)};
	struct dirent *e;
	char path[32];
	int r;

	snprintf(path, sizeof(path), "%.20s/fd", pid);
	r = open_listing(w->proc, path, &files);
	if (r == -ENOMEM)
		return r;
	if (r == -ENOENT || r == -ESRCH)
		return 0;
	if (r < 0) {
		w->partial = true;
		return 0;
	}
	while ((errno = 0, e = readdir(files)))
		if (e->d_name[0] != '.')
			look_at_file(w, &h, files, pid, e->d_name);
	/* ESRCH, ENOENT: it ended meanwhile. */
	if (errno != 0 && errno != ESRCH && errno != ENOENT)
		w->partial = true;
	for (size_t i = 0; i < h.n; i++)
		found(w, &h, h.held[i].mdev, h.held[i].source);
	return 0;
}

static int look_at_all(struct walk *w)
{
	_cleanup_(cleanup_closedir) DIR *processes = NULL;
	struct dirent *e;
	int r = open_listing(w->proc, ".", &processes);

	while (r == 0 && w->wanted > 0 && (errno = 0, e = readdir(processes)))
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9')
			r = look_at_process(w, e->d_name);
	return r;
}

static void conclude(struct walk *w, struct observed_mdev *m)
{
	if (m->attach == ATTACH_UNKNOWN && !w->partial) {
		m->attach = ATTACH_NO;
		m->attach_source = ATTACH_FROM_PROC;
		m->attach_confidence = CONFIDENCE_LIKELY;
	}
	if (m->vm_pid != 0 && w->proc >= 0)
		attach_read_name(w->root, m->vm_pid, m->vm_name);
}

int attach_scan(int root, struct observed *o)
{
	_cleanup_close_ int proc = openat(root, "proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ struct known *known = calloc(o->n_mdevs + 1, sizeof(*known));
	struct walk w = {.o = o, .root = root, .proc = proc, .known = known, .partial = proc < 0};
	int r = 0;

	if (!known)
		return -ENOMEM;
	for (size_t i = 0; i < o->n_mdevs; i++) {
		known[i].in_use = o->mdevs[i].attach == ATTACH_YES;
		if (o->mdevs[i].attach_source != ATTACH_FROM_MODULE)
			w.wanted++;
	}
	if (proc >= 0 && w.wanted > 0)
		r = look_at_all(&w);
	if (r < 0)
		return r;
	for (size_t i = 0; i < o->n_mdevs; i++)
		conclude(&w, &o->mdevs[i]);
	return 0;
}
