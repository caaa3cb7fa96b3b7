/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel's uevents as they are seen on the wire (real-driver.md), device by device.  Whoever
 * listens gets them at once, in the kernel's order.
 */
#include <stdarg.h>
#include <string.h>

#include "model_internal.h"

#define MAX_PROPERTIES 16u

void event_send(struct model *m, const char *action, const char *subsystem,
	const char *const *properties, const char *devpath, ...)
{
	char path[PATH_SIZE];
	va_list args;
	struct model_event event = {
		.action = action,
		.devpath = path,
		.subsystem = subsystem,
		.properties = properties,
	};

	if (!m->event)
		return;
	va_start(args, devpath);
	vsnprintf(path, sizeof(path), devpath, args);
	va_end(args);
	while (properties && properties[event.n_properties])
		event.n_properties++;
	m->event(m->event_userdata, &event);
}

void event_card(struct model *m, const char *action, unsigned adapter, const char *extra)
{
	const struct adapter *a = &m->adapter[adapter];
	const char *properties[MAX_PROPERTIES];
	char type[20], alias[20], mode[20];
	size_t n = 0;

	if (!m->event)
		return;
	snprintf(type, sizeof(type), "DEV_TYPE=%04X", a->hwtype);
	snprintf(alias, sizeof(alias), "MODALIAS=ap:t%02X", a->hwtype);
	snprintf(mode, sizeof(mode), "MODE=%s", adapter_mode_name(a->mode));
	if (extra)
		properties[n++] = extra;
	properties[n++] = "DEVTYPE=ap_card";
	if (strcmp(action, "unbind") != 0 && mask_test(&m->cards, adapter))
		properties[n++] = "DRIVER=cex4card";
	properties[n++] = type;
	properties[n++] = alias;
	if (since_6_1(m))
		properties[n++] = mode;
	properties[n] = NULL;
	event_send(m, action, "ap", properties, "/devices/ap/card%02x", adapter);
}

void event_queue(
	struct model *m, const char *action, unsigned adapter, unsigned domain, const char *extra)
{
	const char *driver = ap_driver_name(ap_driver_of(m, adapter, domain));
	const char *properties[MAX_PROPERTIES];
	char mode[20], bound[20], type[20], alias[20];
	size_t n = 0;

	if (!m->event)
		return;
	snprintf(mode, sizeof(mode), "MODE=%s", adapter_mode_name(m->adapter[adapter].mode));
	snprintf(bound, sizeof(bound), "DRIVER=%s", driver ? driver : "");
	snprintf(type, sizeof(type), "DEV_TYPE=%04X", m->adapter[adapter].hwtype);
	snprintf(alias, sizeof(alias), "MODALIAS=ap:t%02X", m->adapter[adapter].hwtype);
	if (extra)
		properties[n++] = extra;
	properties[n++] = "DEVTYPE=ap_queue";
	if (driver)
		properties[n++] = bound;
	if (since_6_1(m)) {
		properties[n++] = mode;
	} else {
		properties[n++] = type;
		properties[n++] = alias;
	}
	properties[n] = NULL;
	event_send(m, action, "ap", properties, "/devices/ap/card%02x/%02x.%04x", adapter, adapter,
		domain);
}

void event_matrix_device(struct model *m, bool on)
{
	static const char path[] = "/devices/vfio_ap/matrix";
	const char *driver[] = {"DRIVER=vfio_ap", NULL};
	const char *state[] = {
		on ? "MDEV_STATE=registered" : "MDEV_STATE=unregistered", "DRIVER=vfio_ap", NULL};

	if (on) {
		event_send(m, "add", "matrix", NULL, path);
		event_send(m, "bind", "matrix", driver, path);
		event_send(m, "change", "matrix", state, path);
	} else {
		event_send(m, "change", "matrix", state, path);
		event_send(m, "unbind", "matrix", NULL, path);
		event_send(m, "remove", "matrix", NULL, path);
	}
}

/* do_init_module() and mod_sysfs_teardown(): last of all, both of them */
void event_module(struct model *m, const char *name, bool on)
{
	event_send(m, on ? "add" : "remove", "module", NULL, "/module/%s", name);
}

/* The character device of vfio-dev came with 6.6; before, it is a directory only. */
static void event_vfio(struct model *m, const struct mdev *d, const char *action)
{
	char group[32], cdev[40];

	snprintf(group, sizeof(group), "DEVNAME=vfio/%d", d->group);
	snprintf(cdev, sizeof(cdev), "DEVNAME=vfio/devices/vfio%d", d->group);

	const char *group_name[] = {group, NULL}, *cdev_name[] = {cdev, NULL};
	bool add = strcmp(action, "add") == 0;

	if (add)
		event_send(m, action, "vfio", group_name, "/devices/virtual/vfio/%d", d->group);
	if (since_6_1(m) && (add || !d->removing))
		event_send(m, action, "vfio-dev", since_6_12(m) ? cdev_name : NULL,
			"/devices/vfio_ap/matrix/%s/vfio-dev/vfio%d", d->uuid, d->group);
	if (!add)
		event_send(m, action, "vfio", group_name, "/devices/virtual/vfio/%d", d->group);
}

void event_mdev(struct model *m, const struct mdev *d, bool added)
{
	static const char path[] = "/devices/vfio_ap/matrix/%s";
	char name[32];
	const char *driver[] = {name, NULL};

	snprintf(name, sizeof(name), "DRIVER=%s", mdev_driver(m));
	if (added) {
		event_send(m, "add", "mdev", NULL, path, d->uuid);
		event_vfio(m, d, "add");
		event_send(m, "bind", "mdev", driver, path, d->uuid);
	} else {
		event_vfio(m, d, "remove");
		event_send(m, "unbind", "mdev", NULL, path, d->uuid);
		event_send(m, "remove", "mdev", NULL, path, d->uuid);
	}
}

/* kvm_uevent_notify_change() */
void event_kvm(struct model *m, const struct vm *vm, bool created)
{
	char count[3][48];

	snprintf(count[0], sizeof(count[0]), "CREATED=%u", m->kvm_created);
	snprintf(count[1], sizeof(count[1]), "COUNT=%zu", m->n_vms);
	snprintf(count[2], sizeof(count[2]), "PID=%u", vm->pid);

	char stats[48];

	snprintf(stats, sizeof(stats), "STATS_PATH=/kvm/%u-11", vm->pid);

	const char *properties[] = {count[0], count[1], created ? "EVENT=create" : "EVENT=destroy",
		count[2], stats, "MAJOR=10", "MINOR=232", "DEVNAME=kvm", NULL};

	event_send(m, "change", "misc", properties, "/devices/virtual/misc/kvm");
}
