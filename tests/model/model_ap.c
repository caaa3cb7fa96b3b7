/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The AP bus (ap_bus.c): which queues are the host's, by masks and overrides; drivers bound and
 * unbound; the count of bindings.  It calls vfio_ap's probe and remove and knows no more of it.
 */
#include <string.h>

#include "model_internal.h"

const char *ap_driver_name(enum ap_driver driver)
{
	switch (driver) {
	case DRIVER_CEX4:
		return "cex4queue";
	case DRIVER_VFIO_AP:
		return "vfio_ap";
	case DRIVER_NONE:
		break;
	}
	return NULL;
}

const char *adapter_mode_name(enum adapter_mode mode)
{
	static const char *const table[] = {
		[MODE_ACCELERATOR] = "accel",
		[MODE_CCA] = "cca",
		[MODE_EP11] = "ep11",
	};

	return table[mode];
}

enum ap_driver ap_driver_of(const struct model *m, unsigned adapter, unsigned domain)
{
	if (queues_test(&m->host, adapter, domain))
		return DRIVER_CEX4;
	return queues_test(&m->vfio, adapter, domain) ? DRIVER_VFIO_AP : DRIVER_NONE;
}

static bool reserved_for_host(const struct model *m, unsigned adapter, unsigned domain)
{
	return mask_test(&m->apmask, adapter) && mask_test(&m->aqmask, domain);
}

/* ap_apqn_in_matrix_owned_by_def_drv(): the masks decide, but a queue device with an override is
 * judged by its present driver. */
bool ap_matrix_owned_by_host(const struct model *m, const struct matrix *matrix)
{
	MASK_FOREACH (adapter, &matrix->adapters) {
		struct mask row = {0}, overridden;

		if (mask_test(&m->apmask, adapter))
			row = mask_andnot(&m->aqmask, &m->override.row[adapter]);
		overridden = mask_and(&m->override.row[adapter], &m->host.row[adapter]);
		row = mask_or(&row, &overridden);
		if (mask_intersects(&row, &matrix->domains))
			return true;
	}
	return false;
}

/* ap_device_probe(): may this driver have the queue? */
static bool may_probe(
	const struct model *m, enum ap_driver driver, unsigned adapter, unsigned domain)
{
	if (driver == DRIVER_VFIO_AP && !m->has_vfio_ap)
		return false;
	if (queues_test(&m->override, adapter, domain))
		return strcmp(m->override_name[APQN(adapter, domain)], ap_driver_name(driver)) == 0;
	return reserved_for_host(m, adapter, domain) == (driver == DRIVER_CEX4);
}

/* device_driver_attach(): -EBUSY bound already (5.10: -ENODEV), -ENODEV the driver's probe refuses. */
int ap_bind(struct model *m, enum ap_driver driver, unsigned adapter, unsigned domain)
{
	if (ap_driver_of(m, adapter, domain) != DRIVER_NONE)
		return since_6_1(m) ? -EBUSY : -ENODEV;
	if (!may_probe(m, driver, adapter, domain))
		return -ENODEV;
	if (driver == DRIVER_VFIO_AP) {
		queues_set(&m->vfio, adapter, domain);
		mdev_queue_probed(m, adapter, domain);
	} else {
		queues_set(&m->host, adapter, domain);
		queues_clear(&m->offline, adapter, domain);
	}
	m->bindings_armed = true;
	if (!since_6_12(m))
		ap_check_bindings(m);
	event_queue(m, "bind", adapter, domain, NULL);
	return 0;
}

void ap_unbind(struct model *m, unsigned adapter, unsigned domain)
{
	enum ap_driver driver = ap_driver_of(m, adapter, domain);

	if (driver == DRIVER_NONE)
		return;
	if (driver == DRIVER_VFIO_AP) {
		mdev_queue_removed(m, adapter, domain);
		queues_clear(&m->vfio, adapter, domain);
	} else {
		queues_clear(&m->host, adapter, domain);
	}
	m->bindings_armed = true;
	event_queue(m, "unbind", adapter, domain, NULL);
}

/* device_attach(): the first driver that takes it. */
void ap_attach_driver(struct model *m, unsigned adapter, unsigned domain)
{
	if (ap_bind(m, DRIVER_CEX4, adapter, domain) == -ENODEV)
		ap_bind(m, DRIVER_VFIO_AP, adapter, domain);
}

/* __ap_revise_reserved() for a row.  What an unbound queue does there is not defined in the
 * kernel (a driver is looked at through NULL); here it goes to the host's driver if it may. */
static void revise_adapter(struct model *m, unsigned adapter)
{
	struct mask host = {0}, wrong;

	if (mask_test(&m->apmask, adapter))
		host = m->aqmask;

	struct mask to_vfio = mask_andnot(&m->host.row[adapter], &host);
	struct mask not_host = mask_andnot(&m->present.row[adapter], &m->host.row[adapter]);
	struct mask to_host = mask_and(&not_host, &host);

	wrong = mask_or(&to_vfio, &to_host);
	wrong = mask_andnot(&wrong, &m->override.row[adapter]);
	MASK_FOREACH (domain, &wrong) {
		ap_unbind(m, adapter, domain);
		ap_attach_driver(m, adapter, domain);
	}
}

/* apmask_commit(), aqmask_commit(): bits that are newly set must not hit an mdev.  Since 6.19 the
 * other mask does not count. */
static bool mask_hits_mdev(
	const struct model *m, bool adapters, const struct mask *set, const struct mask *other)
{
	struct mask full = mask_full();

	if (!m->has_vfio_ap)
		return false;
	if (since_7_2(m))
		other = &full;

	const struct mask *rows = adapters ? set : other, *columns = adapters ? other : set;

	MASK_FOREACH (adapter, rows)
		if (mask_intersects(&m->assigned.row[adapter], columns))
			return true;
	return false;
}

/* apmask_store(), aqmask_store() */
int ap_store_mask(struct model *m, bool adapters, const char *text)
{
	struct mask *mask = adapters ? &m->apmask : &m->aqmask;
	const struct mask *other = adapters ? &m->aqmask : &m->apmask;
	struct mask now = *mask, set, full = mask_full();
	int r;

	if (since_7_2(m) && m->n_overrides > 0)
		return -EINVAL;
	r = text_mask_update(text, &now);
	if (r < 0)
		return r;
	if (mask_equal(&now, mask))
		return 0;
	set = mask_andnot(&now, mask);
	if (since_6_1(m) && mask_hits_mdev(m, adapters, &set, other))
		return -EBUSY;
	*mask = now;
	m->masks_in_use = !mask_equal(&m->apmask, &full) || !mask_equal(&m->aqmask, &full);
	MASK_FOREACH (adapter, &m->cards)
		revise_adapter(m, adapter);

	if (!since_6_1(m))
		return 0;

	char hex[MASK_KERNEL_SIZE], property[MASK_KERNEL_SIZE + 16];

	mask_format_kernel(&now, hex);
	snprintf(property, sizeof(property), "%s=%s\n", adapters ? "APMASK" : "AQMASK", hex);
	event_send(m, "change", "ap", (const char *const[]){property, NULL}, "/devices/ap");
	return 0;
}

/* driver_override_store(): any name; an empty line clears it; nothing is bound anew. */
int ap_store_override(struct model *m, unsigned adapter, unsigned domain, const char *text)
{
	char **slot = &m->override_name[APQN(adapter, domain)];
	size_t length = strcspn(text, "\n");
	char *name = NULL;

	if (m->masks_in_use)
		return -EINVAL;
	if (length > 0) {
		name = strndup(text, length);
		if (!name)
			return -ENOMEM;
	}
	if (*slot && !name)
		m->n_overrides--;
	else if (!*slot && name)
		m->n_overrides++;
	free(*slot);
	*slot = name;
	queues_clear(&m->override, adapter, domain);
	queues_clear(&m->override_vfio, adapter, domain);
	if (name)
		queues_set(&m->override, adapter, domain);
	if (name && strcmp(name, "vfio_ap") == 0)
		queues_set(&m->override_vfio, adapter, domain);
	return 0;
}

unsigned model_lost_overrides(const struct model *m)
{
	return m->n_overrides - queues_count(&m->override);
}

void ap_count_bindings(const struct model *m, unsigned *ret_bound, unsigned *ret_all)
{
	*ret_bound = queues_count(&m->host) + queues_count(&m->vfio);
	*ret_all = queues_count(&m->present);
}

/* ap_check_bindings_complete(): told once after something was bound anew; before 6.12 by every probe
 * that finds it so (ap_device_probe()), and by the first scan. */
void ap_check_bindings(struct model *m)
{
	unsigned bound, all;
	char count[40];

	if (!since_6_1(m) || m->scans == 0 || (since_6_12(m) && !m->bindings_armed))
		return;
	ap_count_bindings(m, &bound, &all);
	if (bound != all)
		return;
	m->bindings_armed = false;
	m->complete_count++;
	snprintf(count, sizeof(count), "COMPLETECOUNT=%llu", (unsigned long long)m->complete_count);
	event_send(m, "change", "ap", (const char *const[]){"BINDINGS=complete", count, NULL},
		"/devices/ap");
}
