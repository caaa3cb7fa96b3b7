// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is known of each matrix, and the group "apmatrix" below the mediated device that shows it.
 * It must not know where the news comes from.
 */
#define dev_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/hashtable.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/timekeeping.h>

#include "apmatrix.h"

DEFINE_SPINLOCK(apm_lock);
static DEFINE_HASHTABLE(apm_devices, 8); /* both locks to change, either to look */

/* The caller holds one of the locks.  NULL: not watched. */
struct apm_device *apm_device_find(const struct device *dev)
{
	struct apm_device *d;

	hash_for_each_possible(apm_devices, d, node, (unsigned long)dev) {
		if (d->dev == dev)
			return d;
	}
	return NULL;
}

/* The one of which @match says so.  The caller holds one of the locks.  NULL: none is. */
struct apm_device *apm_device_search(apm_match_fn match, const void *p)
{
	struct apm_device *d;
	int bucket;

	hash_for_each(apm_devices, bucket, d, node) {
		if (match(d->dev, p))
			return d;
	}
	return NULL;
}

/* ---- attributes ------------------------------------------------------------------------------ */

static int apm_state_read(const struct device *dev, struct apm_state *ret)
{
	struct apm_device *d;

	spin_lock(&apm_lock);
	d = apm_device_find(dev);
	if (d)
		*ret = d->state;
	spin_unlock(&apm_lock);
	return d ? 0 : -ENODEV;
}

static ssize_t attached_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct apm_state state;
	int rc = apm_state_read(dev, &state);

	return rc < 0 ? rc : sysfs_emit(buf, "%d\n", state.attached);
}

static ssize_t vm_pid_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct apm_state state;
	int rc = apm_state_read(dev, &state);

	return rc < 0 ? rc : sysfs_emit(buf, "%d\n", state.vm.pid);
}

static ssize_t attach_count_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct apm_state state;
	int rc = apm_state_read(dev, &state);

	return rc < 0 ? rc : sysfs_emit(buf, "%llu\n", state.attach_count);
}

static ssize_t attach_seq_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct apm_state state;
	int rc = apm_state_read(dev, &state);

	return rc < 0 ? rc : sysfs_emit(buf, "%llu\n", state.attach_seq);
}

static ssize_t attached_since_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct apm_state state;
	int rc = apm_state_read(dev, &state);

	return rc < 0 ? rc : sysfs_emit(buf, "%llu\n", state.attached_since);
}

static DEVICE_ATTR_RO(attached);
static DEVICE_ATTR_RO(vm_pid);
static DEVICE_ATTR_RO(attach_count);
static DEVICE_ATTR_RO(attach_seq);
static DEVICE_ATTR_RO(attached_since);

static struct attribute *apm_attrs[] = {
	&dev_attr_attached.attr,
	&dev_attr_vm_pid.attr,
	&dev_attr_attach_count.attr,
	&dev_attr_attach_seq.attr,
	&dev_attr_attached_since.attr,
	NULL,
};

static const struct attribute_group apm_group = {.name = KBUILD_MODNAME, .attrs = apm_attrs};

/* ---- which matrices -------------------------------------------------------------------------- */

/*
 * Watches a matrix.  The caller holds apm_mutex, and the device is not watched yet.  NULL: it
 * cannot be, and the log says why.
 */
struct apm_device *apm_device_add(struct device *dev)
{
	struct apm_device *d = kzalloc(sizeof(*d), GFP_KERNEL);
	int rc;

	lockdep_assert_held(&apm_mutex);
	if (!d)
		return NULL;
	d->dev = dev;
	spin_lock(&apm_lock);
	hash_add(apm_devices, &d->node, (unsigned long)dev);
	spin_unlock(&apm_lock);
	rc = sysfs_create_group(&dev->kobj, &apm_group);
	if (rc) {
		dev_warn(dev, "no attributes and no events: error %d\n", rc);
		spin_lock(&apm_lock);
		hash_del(&d->node);
		spin_unlock(&apm_lock);
		apm_event_flush();
		kfree(d);
		return NULL;
	}
	return d;
}

/*
 * The opposite.  The caller holds apm_mutex.  The attributes go first, and readers are waited for;
 * then no probe finds it any more; then what is queued for it is sent.
 */
void apm_device_drop(struct apm_device *d)
{
	lockdep_assert_held(&apm_mutex);
	sysfs_remove_group(&d->dev->kobj, &apm_group);
	spin_lock(&apm_lock);
	hash_del(&d->node);
	spin_unlock(&apm_lock);
	apm_event_flush();
	kfree(d);
}

void apm_device_drop_all(void)
{
	struct hlist_node *next;
	struct apm_device *d;
	int bucket;

	hash_for_each_safe(apm_devices, bucket, next, d, node)
		apm_device_drop(d);
}

/* ---- what happens to them -------------------------------------------------------------------- */

/* The driver's open ended with ret, a virtual machine's if owner has a pid. */
void apm_device_opened(const struct device *dev, const struct apm_vm *vm, int ret)
{
	struct apm_device *d;

	spin_lock(&apm_lock);
	d = apm_device_find(dev);
	if (d)
		d->touched = true;
	if (d && ret == 0) {
		d->state.attached = true;
		d->state.vm = *vm;
		d->state.attach_count++;
		d->state.attached_since = ktime_to_us(ktime_get_real());
		apm_event_post(d, APM_ATTACH, vm, 0);
	} else if (d) {
		apm_event_post(d, APM_ATTACH_FAILED, vm, ret);
	}
	spin_unlock(&apm_lock);
}

/* The driver's close is through.  The virtual machine may be gone, so what it was is in store. */
void apm_device_closed(const struct device *dev)
{
	struct apm_device *d;

	spin_lock(&apm_lock);
	d = apm_device_find(dev);
	if (d)
		d->touched = true;
	if (d && d->state.attached) {
		struct apm_vm vm = d->state.vm;

		d->state.attached = false;
		d->state.vm = (struct apm_vm){};
		d->state.attached_since = 0;
		apm_event_post(d, APM_DETACH, &vm, 0);
	}
	spin_unlock(&apm_lock);
}

/*
 * It was open before it was watched: that is no news, and nobody knows since when.  Void if there
 * has been news in between.
 */
void apm_device_found_open(struct apm_device *d, const struct apm_vm *vm)
{
	spin_lock(&apm_lock);
	if (!d->touched && !d->state.attached) {
		d->state.attached = true;
		d->state.vm = *vm;
		d->state.attach_count++;
	}
	spin_unlock(&apm_lock);
}
