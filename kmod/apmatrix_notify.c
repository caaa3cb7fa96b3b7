// SPDX-License-Identifier: GPL-2.0-only
/*
 * What vfio_ap does with its matrices in 5.10: whoever opens one may do so without a virtual
 * machine, and the group tells vfio_ap of a KVM by a notifier, at the open or afterwards; of its
 * end likewise (NULL), or the release of the device is the end of it.
 *
 * vfio_ap_mdev_group_notifier() and vfio_ap_mdev_release() are static, but their addresses are
 * taken (struct notifier_block, struct mdev_parent_ops), so they exist and are what is called.  The
 * notifier's block lies in the driver's own data of a matrix, of which nothing else is known here.
 */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kprobes.h>
#include <linux/kvm_host.h>
#include <linux/magic.h>
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vfio.h>

#include "apmatrix.h"

/* ---- which matrix ---------------------------------------------------------------------------- */

/*
 * Is @p in what vfio_ap keeps of the matrix?  It is allocated before the matrix is told of by the
 * bus, and freed after that.
 */
static bool apm_is_of(struct device *dev, const void *p)
{
	const void *data = mdev_get_drvdata(mdev_from_dev(dev));

	return data && p >= data && p < data + ksize(data);
}

/* ---- probes ---------------------------------------------------------------------------------- */

/* A matrix of which a call has begun is not looked at any more: the return will tell. */
static int apm_notify_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	union apm_call *call = (union apm_call *)ri->data;
	struct apm_device *d;

	if (regs->gprs[3] != VFIO_GROUP_NOTIFY_SET_KVM)
		return 1;
	call->notify.nb = (const struct notifier_block *)regs->gprs[2];
	call->notify.kvm = (const struct kvm *)regs->gprs[4];
	spin_lock(&apm_lock);
	d = apm_device_search(apm_is_of, call->notify.nb);
	if (d)
		d->touched = true;
	spin_unlock(&apm_lock);
	return 0;
}

/*
 * The only refusal is that the virtual machine has another matrix; nobody is told of it.  Where a
 * machine has no crypto control block, the matrix is the machine's all the same.
 */
static int apm_notify_result(const struct kvm *kvm, unsigned long returned)
{
	return returned == NOTIFY_OK || !kvm->arch.crypto.crycbd ? 0 : -EPERM;
}

/* The group's chain is locked, so the matrix stays; and its caller has the KVM. */
static int apm_notify_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const union apm_call *call = (union apm_call *)ri->data;
	const struct kvm *kvm = call->notify.kvm;
	struct apm_device *d;
	struct device *dev;
	struct apm_vm vm;

	spin_lock(&apm_lock);
	d = apm_device_search(apm_is_of, call->notify.nb);
	dev = d ? d->dev : NULL;
	spin_unlock(&apm_lock);
	if (!dev)
		return 0;
	if (kvm) {
		apm_vm_of(kvm, &vm);
		apm_device_opened(dev, &vm, apm_notify_result(kvm, regs_return_value(regs)));
	} else {
		apm_device_closed(dev);
	}
	return 0;
}

static int apm_release_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	union apm_call *call = (union apm_call *)ri->data;
	struct apm_device *d;

	call->mdev = (struct mdev_device *)regs->gprs[2];
	spin_lock(&apm_lock);
	d = apm_device_find(mdev_dev(call->mdev));
	if (d)
		d->touched = true;
	spin_unlock(&apm_lock);
	return 0;
}

/* VFIO lets go of the matrix after this. */
static int apm_release_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const union apm_call *call = (union apm_call *)ri->data;

	apm_device_closed(mdev_dev(call->mdev));
	return 0;
}

const struct apm_point apm_points[APM_N_POINTS] = {
	{"vfio_ap_mdev_group_notifier", apm_notify_entry, apm_notify_return},
	{"vfio_ap_mdev_release", apm_release_entry, apm_release_return},
};

/* ---- what is open already -------------------------------------------------------------------- */

/* For iterate_fd(): the next file that is a virtual machine; its number plus one, or 0. */
static int apm_is_vm_file(const void *p, struct file *file, unsigned int fd)
{
	struct file **ret = (struct file **)p;
	const char *owner = module_name(file->f_op->owner);

	/* other files may have that name */
	if (file_inode(file)->i_sb->s_magic != ANON_INODE_FS_MAGIC)
		return 0;
	if (strcmp(owner, IS_BUILTIN(CONFIG_KVM) ? "kernel" : "kvm") != 0)
		return 0;
	if (strcmp(file->f_path.dentry->d_name.name, "kvm-vm") != 0)
		return 0;
	*ret = get_file(file);
	return fd + 1;
}

static struct file *apm_next_vm_file(struct task_struct *task, unsigned int *next)
{
	struct file *file = NULL;

	task_lock(task);
	*next = task->files ? iterate_fd(task->files, *next, apm_is_vm_file, &file) : 0;
	task_unlock(task);
	return file;
}

static void apm_look_at_vm(struct apm_device *d, const struct kvm *kvm)
{
	struct apm_vm vm;

	if (!apm_is_of(d->dev, READ_ONCE(kvm->arch.crypto.pqap_hook)))
		return;
	apm_vm_of(kvm, &vm);
	apm_device_found_open(d, &vm);
}

/*
 * Looks whether the matrix is open already: which virtual machine, of those that a process has,
 * has been given its hook by vfio_ap.  The caller holds apm_mutex, and the probes are set: a call
 * that begins meanwhile makes what is found here void.  False: it has no driver (yet, or any more).
 */
bool apm_probe_look(struct apm_device *d)
{
	struct task_struct *task;
	unsigned int next;
	struct file *file;

	lockdep_assert_held(&apm_mutex);
	if (!READ_ONCE(d->dev->driver))
		return false;
	rcu_read_lock();
	for_each_process(task) {
		next = 0;
		while ((file = apm_next_vm_file(task, &next))) {
			apm_look_at_vm(d, file->private_data);
			fput(file);
		}
	}
	rcu_read_unlock();
	return true;
}

/* Its name for those who want to know the bus. */
static const struct device_driver apm_driver = {.name = KBUILD_MODNAME, .bus = &mdev_bus_type};

int apm_learn_bus(const struct device_driver **ret)
{
	*ret = &apm_driver;
	return 0;
}
