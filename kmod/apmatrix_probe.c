// SPDX-License-Identifier: GPL-2.0-only
/*
 * The probes, and who a virtual machine is.  Which functions of vfio_ap are probed, and what a call
 * of them means, the kernel's age decides: apmatrix_open.c or apmatrix_notify.c.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kprobes.h>
#include <linux/kvm_host.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>

#include "apmatrix.h"

/*
 * So many opens, and so many closes, can be in flight at a time before one is missed.  They wait
 * for vfio_ap's locks inside, so a host that goes down has as many closes in flight as guests.
 */
#define APM_IN_FLIGHT 1024

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
void apm_vm_of(const struct kvm *kvm, struct apm_vm *ret)
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

static struct kretprobe apm_probes[APM_N_POINTS]; /* apm_mutex */

/* A struct kretprobe cannot be registered twice without being made anew. */
static int apm_probe_add(struct kretprobe *probe, const struct apm_point *point)
{
	*probe = (struct kretprobe){
		.kp.symbol_name = point->function,
		.entry_handler = point->entry,
		.handler = point->returned,
		.data_size = sizeof(union apm_call),
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
	unsigned int i;
	int rc;

	lockdep_assert_held(&apm_mutex);
	for (i = 0; i < APM_N_POINTS; i++) {
		rc = apm_probe_add(&apm_probes[i], &apm_points[i]);
		if (rc)
			break;
	}
	if (i == APM_N_POINTS)
		return 0;
	while (i-- > 0)
		unregister_kretprobe(&apm_probes[i]);
	return rc;
}

/* Takes them away: when this returns, no handler runs. */
void apm_probe_clear(void)
{
	unsigned long missed = 0;
	unsigned int i;

	lockdep_assert_held(&apm_mutex);
	for (i = 0; i < APM_N_POINTS; i++) {
		unregister_kretprobe(&apm_probes[i]);
		missed += apm_probes[i].nmissed + apm_probes[i].kp.nmissed;
	}
	if (missed)
		pr_warn("%lu calls of vfio_ap were missed\n", missed);
}
