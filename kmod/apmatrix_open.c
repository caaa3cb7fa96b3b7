// SPDX-License-Identifier: GPL-2.0-only
/*
 * What vfio_ap does with its matrices, since 6.1: VFIO gives a virtual machine to a device when it
 * opens it, or the open fails.
 *
 * vfio_ap_mdev_open_device() and vfio_ap_mdev_close_device() are static, but their addresses are
 * taken (struct vfio_device_ops), so they exist and are what VFIO calls, by the group as by the
 * device file.  VFIO holds dev_set->lock around both of them.
 */
#include <linux/kprobes.h>
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/vfio.h>

#include "apmatrix.h"

static int apm_call_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	union apm_call *call = (union apm_call *)ri->data;

	call->vdev = (struct vfio_device *)regs->gprs[2]; /* the first argument on s390 */
	return 0;
}

/* VFIO keeps vdev, and the KVM in it, until dev_set->lock is released: after this. */
static int apm_open_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const union apm_call *call = (union apm_call *)ri->data;
	struct apm_vm vm;

	apm_vm_of(call->vdev->kvm, &vm);
	apm_device_opened(call->vdev->dev, &vm, (int)regs_return_value(regs));
	return 0;
}

static int apm_close_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const union apm_call *call = (union apm_call *)ri->data;

	apm_device_closed(call->vdev->dev);
	return 0;
}

const struct apm_point apm_points[APM_N_POINTS] = {
	{"vfio_ap_mdev_open_device", apm_call_entry, apm_open_return},
	{"vfio_ap_mdev_close_device", apm_call_entry, apm_close_return},
};

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

/* The bus is not exported, but a driver learns it: this one is registered for that moment only. */
static struct mdev_driver apm_driver = {
	.device_api = KBUILD_MODNAME,
	.driver.name = KBUILD_MODNAME,
	.driver.owner = THIS_MODULE,
	.driver.suppress_bind_attrs = true,
};

int apm_learn_bus(const struct device_driver **ret)
{
	int rc = mdev_register_driver(&apm_driver);

	if (rc)
		return rc;
	mdev_unregister_driver(&apm_driver);
	*ret = &apm_driver.driver;
	return 0;
}
