/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kvmattach: makes virtual machines and opens mediated devices for them as QEMU does, without QEMU.
 * A command a line on standard input, a line of answer each: "ok", or the name of the errno (what
 * failed goes to standard error).
 *
 *   vm N           a virtual machine, N from 0 to 7     vmclose N       closes it, devices or not
 *   attach N UUID  by group and container               cdev N UUID     by device node and iommufd
 *   nokvm UUID     by group, without telling of a KVM   detach UUID     closes the device, then the rest
 *   join N UUID    tells of the KVM, after nokvm        leave UUID      tells of its end, device open
 *   reset UUID     VFIO_DEVICE_RESET                    quit            ends (so does the end of input)
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/kvm.h>
#include <linux/types.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifndef VFIO_DEVICE_BIND_IOMMUFD /* since 6.6 */
struct vfio_device_bind_iommufd {
	__u32 argsz;
	__u32 flags;
	__s32 iommufd;
	__u32 out_devid;
};
#define VFIO_DEVICE_BIND_IOMMUFD _IO(VFIO_TYPE, VFIO_BASE + 18)
#endif

#define N_VMS 8
#define N_DEVICES 64

struct vm {
	int fd;   /* the virtual machine; -1 where there is none */
	int vfio; /* its VFIO device, which is told of files */
};

struct device {
	char uuid[40]; /* empty where there is none */
	int vm;        /* -1 without one */
	int fd;
	int group, container; /* -1 when opened by its node */
	int iommufd;          /* -1 when opened by its group */
};

static struct vm vms[N_VMS];
static struct device devices[N_DEVICES];
static int kvm;

/* Says what failed; returns the negative errno. */
static int failed(const char *what)
{
	int e = errno;

	fprintf(stderr, "%s: %s\n", what, strerror(e));
	return -e;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static struct device *find_device(const char *uuid)
{
	for (size_t i = 0; i < N_DEVICES; i++)
		if (strcmp(devices[i].uuid, uuid) == 0)
			return &devices[i];
	return NULL;
}

static struct vm *find_vm(const char *number)
{
	unsigned long i = strtoul(number, NULL, 10);

	return *number >= '0' && *number <= '9' && i < N_VMS ? &vms[i] : NULL;
}

/* The virtual machine's VFIO device gets to know, or forgets, a group's or a device's file. */
static int tell_vm(const struct vm *vm, int fd, int attribute)
{
	struct kvm_device_attr a = {
		.group = KVM_DEV_VFIO_GROUP, .attr = attribute, .addr = (unsigned long)&fd};

	return ioctl(vm->vfio, KVM_SET_DEVICE_ATTR, &a) < 0 ? failed("KVM_SET_DEVICE_ATTR") : 0;
}

static int open_vm(struct vm *vm)
{
	struct kvm_create_device device = {.type = KVM_DEV_TYPE_VFIO};

	if (vm->fd >= 0)
		return -EEXIST;
	vm->fd = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm->fd < 0)
		return failed("KVM_CREATE_VM");
	if (ioctl(vm->fd, KVM_CREATE_DEVICE, &device) < 0) {
		int r = failed("KVM_CREATE_DEVICE");

		close_fd(&vm->fd);
		return r;
	}
	vm->vfio = device.fd;
	return 0;
}

static int close_vm(struct vm *vm)
{
	if (vm->fd < 0)
		return -ENODEV;
	close_fd(&vm->vfio);
	close_fd(&vm->fd);
	return 0;
}

/* --- opening a device ----------------------------------------------------------------------- */

/* Where QEMU closes first the device, then the group, we do; the VFIO device holds the file until it is told. */
static void device_done(struct device *d)
{
	struct vm *vm = d->vm >= 0 && vms[d->vm].fd >= 0 ? &vms[d->vm] : NULL;

	if (vm && d->iommufd >= 0)
		(void)tell_vm(vm, d->fd, KVM_DEV_VFIO_GROUP_DEL);
	close_fd(&d->fd);
	if (vm && d->group >= 0)
		(void)tell_vm(vm, d->group, KVM_DEV_VFIO_GROUP_DEL);
	close_fd(&d->group);
	close_fd(&d->container);
	close_fd(&d->iommufd);
	d->uuid[0] = 0;
}

static int open_group(const char *uuid)
{
	char path[128], target[256];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/mdev/devices/%s/iommu_group", uuid);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return errno == ENOENT ? -ENODEV : failed(path);
	target[n] = 0;
	snprintf(path, sizeof(path), "/dev/vfio/%s", strrchr(target, '/') + 1);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? failed(path) : fd;
}

static int by_group(struct device *d)
{
	int r;

	r = d->group = open_group(d->uuid);
	if (r < 0)
		return r;
	d->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (d->container < 0)
		return failed("/dev/vfio/vfio");
	if (ioctl(d->group, VFIO_GROUP_SET_CONTAINER, &d->container) < 0)
		return failed("VFIO_GROUP_SET_CONTAINER");
	if (ioctl(d->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
		return failed("VFIO_SET_IOMMU");
	if (d->vm >= 0) {
		r = tell_vm(&vms[d->vm], d->group, KVM_DEV_VFIO_GROUP_ADD);
		if (r < 0)
			return r;
	}
	d->fd = ioctl(d->group, VFIO_GROUP_GET_DEVICE_FD, d->uuid);
	return d->fd < 0 ? failed("VFIO_GROUP_GET_DEVICE_FD") : 0;
}

static int open_node(const char *uuid)
{
	char path[128];
	glob_t found;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/mdev/devices/%s/vfio-dev/vfio*", uuid);
	if (glob(path, 0, NULL, &found) != 0)
		return -ENODEV;
	snprintf(path, sizeof(path), "/dev/vfio/devices/%s", strrchr(found.gl_pathv[0], '/') + 1);
	globfree(&found);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? failed(path) : fd;
}

static int by_node(struct device *d)
{
	struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind)};
	int r;

	r = d->fd = open_node(d->uuid);
	if (r < 0)
		return r;
	d->iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (d->iommufd < 0)
		return failed("/dev/iommu");
	r = tell_vm(&vms[d->vm], d->fd, KVM_DEV_VFIO_GROUP_ADD);
	if (r < 0)
		return r;
	bind.iommufd = d->iommufd;
	return ioctl(d->fd, VFIO_DEVICE_BIND_IOMMUFD, &bind) < 0
		? failed("VFIO_DEVICE_BIND_IOMMUFD")
		: 0;
}

static int open_device(const char *uuid, struct vm *vm, int (*how)(struct device *d))
{
	struct device *d = find_device("");
	int r;

	if (find_device(uuid))
		return -EALREADY;
	if (!d)
		return -ENFILE;
	*d = (struct device){.vm = vm ? (int)(vm - vms) : -1,
		.fd = -1,
		.group = -1,
		.container = -1,
		.iommufd = -1};
	snprintf(d->uuid, sizeof(d->uuid), "%s", uuid);
	r = how(d);
	if (r < 0)
		device_done(d);
	return r;
}

static int join(struct device *d, struct vm *vm)
{
	int r;

	if (!d || d->group < 0 || d->vm >= 0)
		return -EINVAL;
	r = tell_vm(vm, d->group, KVM_DEV_VFIO_GROUP_ADD);
	if (r == 0)
		d->vm = (int)(vm - vms);
	return r;
}

static int leave(struct device *d)
{
	int vm = d->vm;

	if (d->group < 0 || vm < 0)
		return -EINVAL;
	d->vm = -1;
	return tell_vm(&vms[vm], d->group, KVM_DEV_VFIO_GROUP_DEL);
}

/* --- commands ------------------------------------------------------------------------------- */

static int do_device(const char *command, const char *uuid)
{
	struct device *d;

	if (strcmp(command, "nokvm") == 0)
		return open_device(uuid, NULL, by_group);
	d = *uuid ? find_device(uuid) : NULL;
	if (!d)
		return -ENODEV;
	if (strcmp(command, "detach") == 0)
		device_done(d);
	else if (strcmp(command, "leave") == 0)
		return leave(d);
	else if (strcmp(command, "reset") == 0)
		return ioctl(d->fd, VFIO_DEVICE_RESET) < 0 ? failed("VFIO_DEVICE_RESET") : 0;
	else
		return -EINVAL;
	return 0;
}

static int do_vm(const char *command, struct vm *vm, const char *uuid)
{
	if (strcmp(command, "vm") == 0)
		return open_vm(vm);
	if (strcmp(command, "vmclose") == 0)
		return close_vm(vm);
	if (vm->fd < 0)
		return -ENODEV;
	if (strcmp(command, "join") == 0)
		return join(*uuid ? find_device(uuid) : NULL, vm);
	return open_device(uuid, vm, strcmp(command, "cdev") == 0 ? by_node : by_group);
}

static int do_line(const char *line)
{
	char command[16] = "", first[48] = "", second[48] = "";

	sscanf(line, "%15s %47s %47s", command, first, second);
	if (strcmp(command, "vm") == 0 || strcmp(command, "vmclose") == 0 ||
		strcmp(command, "attach") == 0 || strcmp(command, "cdev") == 0 ||
		strcmp(command, "join") == 0)
		return find_vm(first) ? do_vm(command, find_vm(first), second) : -EINVAL;
	return do_device(command, first);
}

int main(void)
{
	char line[256];

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < N_VMS; i++)
		vms[i] = (struct vm){-1, -1};
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		return failed("/dev/kvm") < 0;
	while (fgets(line, sizeof(line), stdin) && strncmp(line, "quit", 4) != 0) {
		int r = do_line(line);

		puts(r < 0 ? strerrorname_np(-r) : "ok");
	}
	return 0;
}
