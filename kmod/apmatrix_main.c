// SPDX-License-Identifier: GPL-2.0-only
/*
 * apmatrix - tells which virtual machine has which vfio_ap matrix
 *
 * vfio_ap says nothing when a virtual machine opens or closes one of its mediated devices.  This
 * module does: by uevents and by attributes of the device (see
 * Documentation/ABI/testing/sysfs-devices-vfio_ap-matrix-apmatrix).  It changes nothing in what
 * vfio_ap does and does not keep it from being unloaded.
 *
 * This file knows which matrices there are.  The mdev bus tells of each one before user space
 * hears of it, and again when it goes.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/string.h>

#include "apmatrix.h"

DEFINE_MUTEX(apm_mutex);  /* which matrices are watched, and whether the probes are set */
static bool apm_watching; /* apm_mutex: the probes are set, matrices may be added */
static const struct device_driver *apm_driver; /* whose bus is that of mediated devices */

/* There are other mediated devices.  Those of vfio_ap have a parent on the matrix bus. */
static bool apm_is_matrix(const struct device *dev)
{
	return dev->parent && dev->parent->bus && strcmp(dev->parent->bus->name, "matrix") == 0;
}

/*
 * A matrix that may have been there for a while.  Where VFIO does not have it, it is about to be
 * bound, and the bus will tell; or to be removed, and then it is not begun any more.
 */
static int apm_watch_existing(struct device *dev, void *unused)
{
	struct apm_device *d;

	if (!apm_is_matrix(dev) || apm_device_find(dev))
		return 0;
	d = apm_device_add(dev);
	if (d && !apm_probe_look(d))
		apm_device_drop(d);
	return 0;
}

static int apm_bus_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	struct device *dev = data;
	struct apm_device *d;

	if (!apm_is_matrix(dev))
		return NOTIFY_DONE;
	mutex_lock(&apm_mutex);
	switch (action) {
	case BUS_NOTIFY_ADD_DEVICE:
		/* nobody can have opened it yet */
		if (apm_watching && !apm_device_find(dev))
			apm_device_add(dev);
		break;
	case BUS_NOTIFY_BOUND_DRIVER:
		/* news only if it was added before we listened */
		if (apm_watching)
			apm_watch_existing(dev, NULL);
		break;
	case BUS_NOTIFY_UNBOUND_DRIVER:
		/* its detach is told before the uevents of its end */
		apm_event_flush();
		break;
	case BUS_NOTIFY_REMOVED_DEVICE:
		d = apm_device_find(dev);
		if (d)
			apm_device_drop(d);
		break;
	}
	mutex_unlock(&apm_mutex);
	return NOTIFY_DONE;
}

static struct notifier_block apm_bus_nb = {.notifier_call = apm_bus_notify};

/* The caller holds apm_mutex.  First the probes: what they cannot have seen is looked at then. */
static int apm_start(void)
{
	int rc;

	if (apm_watching)
		return 0;
	rc = apm_probe_set();
	if (rc)
		return rc;
	apm_watching = true;
	return bus_for_each_dev(apm_driver->bus, NULL, NULL, apm_watch_existing);
}

/* The caller holds apm_mutex.  First the probes, then no event can come any more. */
static void apm_stop(void)
{
	if (!apm_watching)
		return;
	apm_watching = false;
	apm_probe_clear();
	apm_device_drop_all();
}

/* vfio_ap may come after us, go and come again.  When it goes, its matrices have gone before. */
static int apm_module_notify(struct notifier_block *nb, unsigned long state, void *data)
{
	const struct module *module = data;
	int rc;

	if (strcmp(module->name, "vfio_ap") != 0)
		return NOTIFY_DONE;
	mutex_lock(&apm_mutex);
	if (state == MODULE_STATE_COMING) {
		rc = apm_start();
		if (rc)
			pr_err("cannot probe vfio_ap, nothing will be told: error %d\n", rc);
	} else if (state == MODULE_STATE_GOING) {
		apm_stop();
	}
	mutex_unlock(&apm_mutex);
	return NOTIFY_DONE;
}

static struct notifier_block apm_module_nb = {.notifier_call = apm_module_notify};

/*
 * From here to the end of what apm_init() began, in this order: no more news of vfio_ap, no more
 * matrices, and only then the bus's notifier, which holds the devices until they are dropped.
 */
static void apm_end(void)
{
	unregister_module_notifier(&apm_module_nb);
	mutex_lock(&apm_mutex);
	apm_stop();
	mutex_unlock(&apm_mutex);
	bus_unregister_notifier(apm_driver->bus, &apm_bus_nb);
	apm_event_exit();
}

static int __init apm_init(void)
{
	int rc = apm_learn_bus(&apm_driver);

	if (rc)
		return rc;
	rc = apm_event_init();
	if (rc)
		return rc;
	rc = bus_register_notifier(apm_driver->bus, &apm_bus_nb);
	if (rc) {
		apm_event_exit();
		return rc;
	}
	rc = register_module_notifier(&apm_module_nb);
	if (rc) {
		bus_unregister_notifier(apm_driver->bus, &apm_bus_nb);
		apm_event_exit();
		return rc;
	}
	mutex_lock(&apm_mutex);
	rc = apm_start();
	mutex_unlock(&apm_mutex);
	if (rc && rc != -ENOENT) {
		pr_err("cannot probe vfio_ap: error %d\n", rc);
		apm_end();
		return rc;
	}
	return 0;
}

static void __exit apm_exit(void)
{
	apm_end();
}

module_init(apm_init);
module_exit(apm_exit);
MODULE_DESCRIPTION("Tells which virtual machine has which vfio_ap matrix");
MODULE_LICENSE("GPL");
