/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One step of a plan as the write that a daemon would make, and a look whether it is done.
 */
#include <stdarg.h>
#include <string.h>

#include "core/plan.h"
#include "model_internal.h"

static int write_text(struct model *m, const char *text, const char *format, ...) _printf_(3, 4);

static int write_text(struct model *m, const char *text, const char *format, ...)
{
	char path[PATH_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	return model_write(m, path, text, strlen(text));
}

/* Accepted, but was it done? */
static int verify(int result, bool done)
{
	return result == 0 && !done ? -EIO : result;
}

static int apply_mask(
	struct model *m, const char *name, const struct mask *mask, const struct mask *now)
{
	char text[MASK_KERNEL_SIZE];

	mask_format_kernel(mask, text);

	int r = write_text(m, text, "bus/ap/%s", name);

	return verify(r, mask_equal(now, mask));
}

static int apply_override(struct model *m, unsigned adapter, unsigned domain, bool set)
{
	int r = write_text(m, set ? "vfio_ap" : "\n",
		"devices/ap/card%02x/%02x.%04x/driver_override", adapter, adapter, domain);

	return verify(r, queues_test(&m->override_vfio, adapter, domain) == set);
}

/* A queue without a driver is unbound already. */
static int apply_unbind(struct model *m, unsigned adapter, unsigned domain)
{
	char name[QUEUE_NAME_SIZE];

	if (!queues_test(&m->present, adapter, domain))
		return -ENODEV;
	if (ap_driver_of(m, adapter, domain) == DRIVER_NONE)
		return 0;
	queue_format(adapter, domain, name);

	int r = write_text(
		m, name, "devices/ap/card%02x/%02x.%04x/driver/unbind", adapter, adapter, domain);

	return verify(r, ap_driver_of(m, adapter, domain) == DRIVER_NONE);
}

static int apply_probe(struct model *m, unsigned adapter, unsigned domain)
{
	char name[QUEUE_NAME_SIZE];

	queue_format(adapter, domain, name);

	int r = write_text(m, name, "bus/ap/drivers_probe");

	return verify(r, ap_driver_of(m, adapter, domain) != DRIVER_NONE);
}

static int apply_create(struct model *m, const char *uuid)
{
	int r = write_text(
		m, uuid, "devices/vfio_ap/matrix/mdev_supported_types/vfio_ap-passthrough/create");

	return verify(r, mdev_find(m, uuid) != NULL);
}

static int apply_remove(struct model *m, const char *uuid)
{
	int r = write_text(m, "1", "devices/vfio_ap/matrix/%s/remove", uuid);

	return verify(r, mdev_find(m, uuid) == NULL);
}

static int apply_ap_config(struct model *m, const struct step *step)
{
	char text[MATRIX_AP_CONFIG_SIZE];

	matrix_format_ap_config(&step->matrix, text);

	int r = write_text(m, text, "devices/vfio_ap/matrix/%s/ap_config", step->uuid);
	const struct mdev *d = mdev_find(m, step->uuid);

	return verify(r, d && matrix_equal(&d->matrix, &step->matrix));
}

static int apply_number(struct model *m, const struct step *step, const char *name,
	const struct mask *(*part)(const struct mdev *d), bool on)
{
	char text[16];

	snprintf(text, sizeof(text), "0x%02x", step->number);

	int r = write_text(m, text, "devices/vfio_ap/matrix/%s/%s", step->uuid, name);
	const struct mdev *d = mdev_find(m, step->uuid);

	return verify(r, d && mask_test(part(d), step->number) == on);
}

static const struct mask *adapters_of(const struct mdev *d)
{
	return &d->matrix.adapters;
}

static const struct mask *domains_of(const struct mdev *d)
{
	return &d->matrix.domains;
}

static const struct mask *control_domains_of(const struct mdev *d)
{
	return &d->matrix.control_domains;
}

int model_apply(struct model *m, const struct step *step)
{
	unsigned adapter = step->number >> 8 & 0xff, domain = step->number & 0xff;

	switch (step->type) {
	case STEP_APMASK:
		return apply_mask(m, "apmask", &step->mask, &m->apmask);
	case STEP_AQMASK:
		return apply_mask(m, "aqmask", &step->mask, &m->aqmask);
	case STEP_OVERRIDE:
		return apply_override(m, adapter, domain, true);
	case STEP_CLEAR_OVERRIDE:
		return apply_override(m, adapter, domain, false);
	case STEP_UNBIND:
		return apply_unbind(m, adapter, domain);
	case STEP_PROBE:
		return apply_probe(m, adapter, domain);
	case STEP_CREATE:
		return apply_create(m, step->uuid);
	case STEP_REMOVE:
		return apply_remove(m, step->uuid);
	case STEP_AP_CONFIG:
		return apply_ap_config(m, step);
	case STEP_ASSIGN_ADAPTER:
		return apply_number(m, step, "assign_adapter", adapters_of, true);
	case STEP_ASSIGN_DOMAIN:
		return apply_number(m, step, "assign_domain", domains_of, true);
	case STEP_ASSIGN_CONTROL_DOMAIN:
		return apply_number(m, step, "assign_control_domain", control_domains_of, true);
	case STEP_UNASSIGN_ADAPTER:
		return apply_number(m, step, "unassign_adapter", adapters_of, false);
	case STEP_UNASSIGN_DOMAIN:
		return apply_number(m, step, "unassign_domain", domains_of, false);
	case STEP_UNASSIGN_CONTROL_DOMAIN:
		return apply_number(m, step, "unassign_control_domain", control_domains_of, false);
	case N_STEP_TYPES:
		break;
	}
	return -EINVAL;
}
