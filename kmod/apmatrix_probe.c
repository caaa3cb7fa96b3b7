// SPDX-License-Identifier: GPL-2.0-only
/*
 * What vfio_ap does with its matrices.  The only part that knows a kernel's inside: the names of
 * two functions, and VFIO's and KVM's public structures.
 *
 * vfio_ap_mdev_open_device() and vfio_ap_mdev_close_device() are static, but their addresses are
 * taken (struct vfio_device_ops), so they exist and are what VFIO calls, by the group as by the
 * device file.  VFIO holds dev_set->lock around both of them.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kprobes.h>
#include <linux/kvm_host.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/string.h>
#include <linux/vfio.h>

#include "apmatrix.h"

/*
 * So many opens, and so many closes, can be in flight at a time before one is missed.  They wait
 * for vfio_ap's locks inside, so a host that goes down has as many closes in flight as guests.
 */
#define APM_IN_FLIGHT 1024

struct apm_call {
	struct vfio_device *vdev;
};

/*
 * The process that is the virtual machine: the one whose memory is the guest's, whoever opens the
 * matrix for it.  The caller holds the RCU read lock.  NULL: it is gone.
 */
static struct task_struct *apm_vm_task(const struct kvm *kvm)
{
	struct task_struct *task;

	if (current->mm == kvm->mm)
		return current;
#ifdef CONFIG_MEMCG
	task = rcu_dereference(kvm->mm->owner);
#else
	task = pid_task(find_pid_ns(kvm->userspace_pid, &init_pid_ns), PIDTYPE_PID);
	if (task && READ_ONCE(task->mm) != kvm->mm) /* the number has gone to another */
		task = NULL;
#endif
	return task;
}

/* The name is the process's, not that of a thread such as "CPU 0/KVM". */
static void apm_vm_of(const struct kvm *kvm, struct apm_vm *ret)
{
	struct task_struct *task;

	*ret = (struct apm_vm){};
	rcu_read_lock();
	task = kvm ? apm_vm_task(kvm) : current;
	if (task) {
		get_task_comm(ret->comm, task->group_leader);
		if (kvm)
			ret->pid = task_tgid_nr(task);
	}
	rcu_read_unlock();
}

static int apm_call_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct apm_call *call = (struct apm_call *)ri->data;

	call->vdev = (struct vfio_device *)regs->gprs[2]; /* the first argument on s390 */
	return 0;
}

/* VFIO keeps vdev, and the KVM in it, until dev_set->lock is released: after this. */
static int apm_open_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const struct apm_call *call = (struct apm_call *)ri->data;
	struct apm_vm vm;

	apm_vm_of(call->vdev->kvm, &vm);
	apm_device_opened(call->vdev->dev, &vm, (int)regs_return_value(regs));
	return 0;
}

static int apm_close_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const struct apm_call *call = (struct apm_call *)ri->data;

	apm_device_closed(call->vdev->dev);
	return 0;
}

static struct kretprobe apm_open_probe, apm_close_probe; /* apm_mutex */

/* A struct kretprobe cannot be registered twice without being made anew. */
static int apm_probe_add(struct kretprobe *probe, const char *name, kretprobe_handler_t handler)
{
	*probe = (struct kretprobe){
		.kp.symbol_name = name,
		.entry_handler = apm_call_entry,
		.handler = handler,
		.data_size = sizeof(struct apm_call),
		.maxactive = APM_IN_FLIGHT,
	};
	return register_kretprobe(probe);
}

/*
 * Sets the probes.  The caller holds apm_mutex.  -ENOENT: vfio_ap is not loaded, or not one that we
 * know; other negative errno.
 */
int apm_probe_set(void)
{
	int rc;

	lockdep_assert_held(&apm_mutex);
	rc = apm_probe_add(&apm_open_probe, "vfio_ap_mdev_open_device", apm_open_return);
	if (rc)
		return rc;
	rc = apm_probe_add(&apm_close_probe, "vfio_ap_mdev_close_device", apm_close_return);
	if (rc)
		unregister_kretprobe(&apm_open_probe);
	return rc;
}

/* Takes them away: when this returns, no handler runs. */
void apm_probe_clear(void)
{
	unsigned long missed;

	lockdep_assert_held(&apm_mutex);
	unregister_kretprobe(&apm_open_probe);
	unregister_kretprobe(&apm_close_probe);
	missed = apm_open_probe.nmissed + apm_open_probe.kp.nmissed + apm_close_probe.nmissed +
		apm_close_probe.kp.nmissed;
	if (missed)
		pr_warn("%lu calls of vfio_ap were missed\n", missed);
}

static int apm_look_at_child(struct device *child, void *data)
{
	struct apm_vm vm;
	struct vfio_device *vdev;

	if (!child->class || strcmp(child->class->name, "vfio-dev") != 0)
		return 0;
	vdev = container_of(child, struct vfio_device, device);
	mutex_lock(&vdev->dev_set->lock);
	if (vdev->kvm) {
		apm_vm_of(vdev->kvm, &vm);
		apm_device_found_open(data, &vm);
	}
	mutex_unlock(&vdev->dev_set->lock);
	return 1;
}

/*
 * Looks whether the matrix is open already.  The caller holds apm_mutex, and the probes are set.
 * With dev_set->lock no open and no close is half done: what was before is seen here, what comes
 * later by the probes.  False: VFIO does not have it (yet, or any more).
 */
bool apm_probe_look(struct apm_device *d)
{
	lockdep_assert_held(&apm_mutex);
	return device_for_each_child(d->dev, d, apm_look_at_child) != 0;
}
