/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The texts of a step: the value that is written, the line that a person reads, and what a
 * refusal means.  Nothing here knows why a step is in a plan.
 */
#include "core/step.h"

#include <stdio.h>
#include <string.h>

static const char *const step_type_table[] = {
	[STEP_APMASK] = "apmask",
	[STEP_AQMASK] = "aqmask",
	[STEP_OVERRIDE] = "driver_override",
	[STEP_CLEAR_OVERRIDE] = "clear_driver_override",
	[STEP_UNBIND] = "unbind",
	[STEP_PROBE] = "drivers_probe",
	[STEP_CREATE] = "create",
	[STEP_REMOVE] = "remove",
	[STEP_AP_CONFIG] = "ap_config",
	[STEP_ASSIGN_ADAPTER] = "assign_adapter",
	[STEP_ASSIGN_DOMAIN] = "assign_domain",
	[STEP_ASSIGN_CONTROL_DOMAIN] = "assign_control_domain",
	[STEP_UNASSIGN_ADAPTER] = "unassign_adapter",
	[STEP_UNASSIGN_DOMAIN] = "unassign_domain",
	[STEP_UNASSIGN_CONTROL_DOMAIN] = "unassign_control_domain",
};
DEFINE_STRTAB(step_type, enum step_type);

static void queue_of(const struct step *s, char buf[static QUEUE_NAME_SIZE])
{
	queue_format(s->number >> 8, s->number & 0xff, buf);
}

const char *step_object(const struct step *s, char buf[static UUID_SIZE])
{
	switch (s->type) {
	case STEP_APMASK:
	case STEP_AQMASK:
		return "host";
	case STEP_OVERRIDE:
	case STEP_CLEAR_OVERRIDE:
	case STEP_UNBIND:
		queue_of(s, buf);
		return buf;
	case STEP_PROBE:
		if (s->name[0] || s->uuid[0])
			return s->name[0] ? s->name : s->uuid;
		queue_of(s, buf);
		return buf;
	default:
		return s->name[0] ? s->name : s->uuid;
	}
}

void step_value(const struct step *s, char buf[static STEP_VALUE_SIZE])
{
	switch (s->type) {
	case STEP_APMASK:
	case STEP_AQMASK:
		mask_format_kernel(&s->mask, buf);
		break;
	case STEP_OVERRIDE:
		snprintf(buf, STEP_VALUE_SIZE, "vfio_ap");
		break;
	case STEP_CLEAR_OVERRIDE:
		snprintf(buf, STEP_VALUE_SIZE, "\n");
		break;
	case STEP_UNBIND:
	case STEP_PROBE:
		queue_of(s, buf);
		break;
	case STEP_CREATE:
		snprintf(buf, STEP_VALUE_SIZE, "%s", s->uuid);
		break;
	case STEP_REMOVE:
		snprintf(buf, STEP_VALUE_SIZE, "1");
		break;
	case STEP_AP_CONFIG:
		matrix_format_ap_config(&s->matrix, buf);
		break;
	default:
		snprintf(buf, STEP_VALUE_SIZE, "0x%02x", s->number);
		break;
	}
}

/* "all but 5,6"; "only 3" where that is shorter. */
static int mask_text(const struct mask *m, char **ret)
{
	struct mask full = mask_full(), cleared = mask_andnot(&full, m);
	bool few = mask_count(m) < mask_count(&cleared);
	char list[MASK_LIST_SIZE];

	mask_format_list(few ? m : &cleared, list);
	if (!list[0])
		*ret = strdup(few ? "none" : "all");
	else if (asprintf(ret, "%s %s", few ? "only" : "all but", list) < 0)
		*ret = NULL;
	return *ret ? 0 : -ENOMEM;
}

/* "adapters 5-6, domains 4,0xab" */
static int matrix_text(const struct matrix *m, char **ret)
{
	char adapters[MASK_LIST_SIZE], domains[MASK_LIST_SIZE], control[MASK_LIST_SIZE];

	mask_format_list(&m->adapters, adapters);
	mask_format_list(&m->domains, domains);
	mask_format_list(&m->control_domains, control);
	if (asprintf(ret, "adapters %s, domains %s%s%s", adapters[0] ? adapters : "none",
		    domains[0] ? domains : "none", control[0] ? ", control domains " : "",
		    control) < 0)
		return -ENOMEM;
	return 0;
}

int step_format_action(const struct step *s, char **ret)
{
	_cleanup_free_ char *text = NULL;
	char value[STEP_VALUE_SIZE];
	int r;

	step_value(s, value);
	switch (s->type) {
	case STEP_CREATE:
		r = asprintf(ret, "create %s", s->uuid);
		break;
	case STEP_REMOVE:
		r = asprintf(ret, "remove %s", s->uuid);
		break;
	case STEP_CLEAR_OVERRIDE:
		r = asprintf(ret, "driver_override cleared");
		break;
	case STEP_AP_CONFIG:
		r = matrix_text(&s->matrix, &text);
		if (r < 0)
			return r;
		r = asprintf(ret, "ap_config = %s", text);
		break;
	case STEP_APMASK:
	case STEP_AQMASK:
		r = mask_text(&s->mask, &text);
		if (r < 0)
			return r;
		r = asprintf(ret, "%s = %s", step_type_to_string(s->type), text);
		break;
	default:
		r = asprintf(ret, "%s = %s", step_type_to_string(s->type), value);
		break;
	}
	return r < 0 ? -ENOMEM : 0;
}

int step_format(const struct step *s, char **ret)
{
	_cleanup_free_ char *action = NULL;
	char object[UUID_SIZE];
	int r = step_format_action(s, &action);

	if (r < 0)
		return r;
	return asprintf(ret, "%s: %s", step_object(s, object), action) < 0 ? -ENOMEM : 0;
}

struct explanation {
	int error;
	const char *text;
};

/* apmask_store(), aqmask_store() in ap_bus.c */
static const struct explanation on_mask[] = {
	{EBUSY,
		"a queue that would go back to the host is still in a mediated device; stop that "
		"matrix first ('apmatrixctl queues' shows which)"},
	{EINVAL,
		"this kernel refuses mask changes while any queue has a driver_override, and until "
		"the next boot if one had it when it went away; clear the overrides, or set "
		"QueuePool=driver-override"},
};

/* assign_adapter_store(), ap_config_store(), ... in vfio_ap_ops.c */
static const struct explanation on_matrix[] = {
	{EADDRINUSE,
		"a queue of it is in another mediated device; 'apmatrixctl queues' shows "
		"which"},
	{EADDRNOTAVAIL,
		"a queue of it is reserved for the host's drivers by apmask and aqmask, or not "
		"there, which before Linux 6.0 is refused as well; "
		"let apmatrixd manage the pool (QueuePool=auto), or clear the bits"},
	{ENODEV,
		"an adapter or domain of it is above the highest that this machine can have, or "
		"the device has gone"},
	{ENOENT, "the mediated device has gone; it is looked for again"},
	{EBUSY, "a guest has it, under which this kernel changes nothing"},
	{EINVAL, "the kernel cannot read it, which is a defect; please report it"},
	{ERANGE, "the kernel cannot read it, which is a defect; please report it"},
};

/* create_store() in mdev_sysfs.c, mdev_device_create() */
static const struct explanation on_create[] = {
	{EEXIST,
		"the UUID is in use already, possibly below another parent; 'mdevctl list' shows "
		"where"},
	{EUSERS, "no more mediated devices can be made on this host"},
	{ENODEV, "vfio_ap is going away"},
	{ENOENT, "vfio_ap is not loaded; load it with 'modprobe vfio_ap'"},
};

static const struct explanation on_remove[] = {
	{ENODEV, "the device has gone already"},
	{ENOENT, "the device has gone already"},
	{EAGAIN, "the device is being removed by someone else"},
	{EBUSY, "a guest has it"},
};

static const struct explanation on_queue[] = {
	{ENODEV, "the queue is reserved for another driver, or has gone"},
	{ENOENT, "the queue has gone"},
};

/* driver_override_store() in ap_queue.c */
static const struct explanation on_override[] = {
	{EINVAL, "this kernel refuses a driver_override while apmask or aqmask is not all ones"},
	{ENOENT, "the queue has gone"},
};

static const struct explanation on_any[] = {
	{EACCES, "permission was denied; apmatrixd needs to run as root on the host"},
	{EPERM, "permission was denied; apmatrixd needs to run as root on the host"},
	{EROFS, "the kernel's tree is read-only here; apmatrixd needs a writable /sys"},
	{ENOMEM, "the kernel is out of memory"},
	{EINTR, "the write was interrupted"},
	{EIO, "the write was accepted but does not read back"},
	{EPIPE, "the worker process that wrote it died"},
	{ECONNRESET, "the worker process that wrote it died"},
};

static const char *explanation_find(const struct explanation *table, size_t n, int error)
{
	for (size_t i = 0; i < n; i++)
		if (table[i].error == error)
			return table[i].text;
	return NULL;
}

static const char *explain(const struct step *s, int error)
{
	const char *text = NULL;

	switch (s->type) {
	case STEP_APMASK:
	case STEP_AQMASK:
		text = explanation_find(on_mask, ARRAY_SIZE(on_mask), error);
		break;
	case STEP_OVERRIDE:
	case STEP_CLEAR_OVERRIDE:
		text = explanation_find(on_override, ARRAY_SIZE(on_override), error);
		break;
	case STEP_UNBIND:
	case STEP_PROBE:
		text = explanation_find(on_queue, ARRAY_SIZE(on_queue), error);
		break;
	case STEP_CREATE:
		text = explanation_find(on_create, ARRAY_SIZE(on_create), error);
		break;
	case STEP_REMOVE:
		text = explanation_find(on_remove, ARRAY_SIZE(on_remove), error);
		break;
	default:
		text = explanation_find(on_matrix, ARRAY_SIZE(on_matrix), error);
		break;
	}
	if (!text)
		text = explanation_find(on_any, ARRAY_SIZE(on_any), error);
	return text ? text : "the kernel refused it";
}

int step_explain(const struct step *s, int error, char **ret)
{
	const char *name = strerrorname_np(error);
	_cleanup_free_ char *what = NULL;
	int r = step_format_action(s, &what);

	if (r < 0)
		return r;
	r = asprintf(ret, "%s failed: %s (%s)", what, explain(s, error), name ? name : "?");
	return r < 0 ? -ENOMEM : 0;
}
