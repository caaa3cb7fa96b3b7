/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Virtual machines that open and close matrices (open_device, close_device), and what our kernel
 * module tells about it.
 */
#include <string.h>

#include "model_internal.h"

/* The module's change uevent on the mdev; every event takes one number of a common sequence. */
void guest_module_event(struct model *m, struct mdev *d, const char *event, uint32_t pid,
	const char *comm, int result)
{
	char seq[48], process[32], name[COMM_SIZE + 16], ret[32], what[32], driver[32];

	if (!m->module)
		return;
	d->attach_seq = ++m->attach_seq;
	snprintf(what, sizeof(what), "APMATRIX_EVENT=%s", event);
	snprintf(seq, sizeof(seq), "APMATRIX_SEQ=%llu", (unsigned long long)d->attach_seq);
	snprintf(process, sizeof(process), "APMATRIX_PID=%u", pid);
	snprintf(name, sizeof(name), "APMATRIX_COMM=%s", comm);
	snprintf(ret, sizeof(ret), "APMATRIX_RET=%d", result);
	snprintf(driver, sizeof(driver), "DRIVER=%s", mdev_driver(m));
	event_send(m, "change", "mdev",
		(const char *const[]){what, seq, process, name, ret, driver, NULL},
		"/devices/vfio_ap/matrix/%s", d->uuid);
}

static struct vm *vm_find(const struct model *m, uint32_t pid)
{
	for (size_t i = 0; i < m->n_vms; i++)
		if (m->vms[i]->pid == pid)
			return m->vms[i];
	return NULL;
}

static struct vm *vm_new(struct model *m, uint32_t pid, const char *comm)
{
	struct vm **vms = reallocarray(m->vms, m->n_vms + 1, sizeof(*vms));

	if (!vms)
		return NULL;
	m->vms = vms;

	struct vm *vm = calloc(1, sizeof(*vm));

	if (!vm)
		return NULL;
	vm->pid = pid;
	snprintf(vm->comm, sizeof(vm->comm), "%s", comm);
	m->vms[m->n_vms++] = vm;
	m->kvm_created++;
	event_kvm(m, vm, true);
	return vm;
}

static int refuse(struct model *m, struct mdev *d, uint32_t pid, const char *comm, int error)
{
	guest_module_event(m, d, "attach-failed", pid, comm, error);
	return error;
}

/* 5.10: the open succeeds, with no virtual machine or refused by the notifier. */
static int open_only(struct model *m, struct mdev *d, const struct vm *vm)
{
	d->open = true;
	d->opener = vm ? vm->pid : 0;
	if (vm)
		guest_module_event(m, d, "attach-failed", vm->pid, vm->comm, -EPERM);
	return 0;
}

static int attach(struct model *m, const char *uuid, uint32_t pid, const char *comm)
{
	struct mdev *d = mdev_find(m, uuid);
	struct vm *vm = vm_find(m, pid);

	if (!d || d->removing)
		return -ENODEV;
	if (pid != 0 && !vm) {
		vm = vm_new(m, pid, comm);
		if (!vm)
			return -ENOMEM;
	}
	/* The group's open comes first and never reaches the driver. */
	if (d->open)
		return -EBUSY;
	if (!since_6_1(m) && (!vm || vm->mdev))
		return open_only(m, d, vm);
	if (!vm)
		return refuse(m, d, pid, comm, -EINVAL);
	if (vm->mdev) {
		if (!since_7_2(m))
			m->hazard_refused_open++;
		return refuse(m, d, pid, comm, -EPERM);
	}
	vm->mdev = d;
	d->open = d->attached = true;
	d->pid = d->opener = pid;
	if (!since_6_1(m))
		d->shadow = d->matrix;
	d->guard = d->shadow;
	if (m->module) {
		d->module_attached = true;
		d->module_pid = pid;
		d->attach_count++;
		d->attached_since = m->now;
	}
	guest_module_event(m, d, "attach", pid, vm->comm, 0);
	return 0;
}

int model_attach(struct model *m, const char *uuid, uint32_t pid, const char *comm)
{
	int r = attach(m, uuid, pid, comm ? comm : "qemu-system-s39");

	check_after(m, true);
	return r;
}

static void detach(struct model *m, struct mdev *d)
{
	struct vm *vm = vm_find(m, d->pid);

	d->open = false;
	d->opener = 0;
	if (!d->attached) {
		if (d->removing)
			mdev_destroy(m, d);
		return;
	}
	vm->mdev = NULL;
	d->attached = false;
	if (!since_6_1(m))
		d->shadow = (struct matrix){0};
	d->pid = 0;
	d->module_attached = false;
	d->module_pid = 0;
	d->attached_since = 0;
	guest_module_event(m, d, "detach", vm->pid, vm->comm, 0);
	if (d->removing)
		mdev_destroy(m, d);
}

int model_detach(struct model *m, const char *uuid)
{
	struct mdev *d = mdev_find(m, uuid);

	if (!d)
		return -ENODEV;
	if (!d->open)
		return -ENOTCONN;
	detach(m, d);
	check_after(m, true);
	return 0;
}

int model_kill(struct model *m, uint32_t pid)
{
	for (size_t i = 0; i < m->n_vms; i++) {
		_cleanup_free_ struct vm *vm = NULL;

		if (m->vms[i]->pid != pid)
			continue;
		MDEV_FOREACH (m, d)
			if (d->open && d->opener == pid)
				detach(m, d);
		vm = m->vms[i];
		m->vms[i] = m->vms[--m->n_vms];
		event_kvm(m, vm, false);
		check_after(m, true);
		return 0;
	}
	return -ESRCH;
}

bool model_vm(const struct model *m, size_t i, struct model_vm *ret)
{
	if (i >= m->n_vms)
		return false;

	const struct vm *vm = m->vms[i];

	*ret = (struct model_vm){.pid = vm->pid, .vfio_group = -1};
	memcpy(ret->comm, vm->comm, sizeof(ret->comm));
	if (vm->mdev) {
		ret->uuid = vm->mdev->uuid;
		ret->vfio_group = vm->mdev->group;
	}
	return true;
}

bool model_is_removing(const struct model *m, const char *uuid)
{
	const struct mdev *d = mdev_find(m, uuid);

	return d && d->removing;
}

/* A module that is loaded late knows who is attached, but not since when. */
void model_set_module(struct model *m, bool on)
{
	if (m->module == on)
		return;
	m->module = on;
	m->attach_seq = 0;
	MDEV_FOREACH (m, d) {
		d->module_attached = on && d->attached;
		d->module_pid = on ? d->pid : 0;
		d->attach_count = d->module_attached;
		d->attach_seq = 0;
		d->attached_since = 0;
	}
	event_module(m, "apmatrix", on);
}
