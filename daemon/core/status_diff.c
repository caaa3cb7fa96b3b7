/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What changed between two statuses, property by property: what a PropertiesChanged signal says,
 * and no more.
 */
#include "core/status.h"

#include <string.h>

static bool conditions_equal(const struct matrix_status *a, const struct matrix_status *b)
{
	for (size_t i = 0; i < N_CONDITIONS; i++) {
		const struct condition *x = &a->conditions[i], *y = &b->conditions[i];

		if (x->status != y->status || strcmp(x->reason, y->reason) != 0 ||
			strcmp(x->message, y->message) != 0)
			return false;
	}
	return true;
}

static bool origins_equal(const struct matrix_status *a, const struct matrix_status *b)
{
	if (a->n_origin != b->n_origin)
		return false;
	for (size_t i = 0; i < a->n_origin; i++)
		if (strcmp(a->origin[i], b->origin[i]) != 0)
			return false;
	return true;
}

static uint32_t matrices_differ(const struct matrix *a, const struct matrix *b, uint32_t adapters,
	uint32_t domains, uint32_t control_domains)
{
	return (mask_equal(&a->adapters, &b->adapters) ? 0 : adapters) |
		(mask_equal(&a->domains, &b->domains) ? 0 : domains) |
		(mask_equal(&a->control_domains, &b->control_domains) ? 0 : control_domains);
}

static uint32_t matrix_status_diff(const struct matrix_status *a, const struct matrix_status *b)
{
	uint32_t d = 0;

	d |= strcmp(a->name, b->name) ? MP_NAME : 0;
	d |= strcmp(a->guest, b->guest) ? MP_GUEST : 0;
	d |= a->start != b->start ? MP_START_MODE : 0;
	d |= a->state != b->state ? MP_STATE : 0;
	d |= matrices_differ(&a->configured, &b->configured, MP_CONFIGURED_ADAPTERS,
		MP_CONFIGURED_DOMAINS, MP_CONFIGURED_CONTROL_DOMAINS);
	d |= matrices_differ(&a->assigned, &b->assigned, MP_ASSIGNED_ADAPTERS, MP_ASSIGNED_DOMAINS,
		MP_ASSIGNED_CONTROL_DOMAINS);
	d |= matrices_differ(
		&a->guest_matrix, &b->guest_matrix, MP_GUEST_ADAPTERS, MP_GUEST_DOMAINS, 0);
	d |= a->attached != b->attached ? MP_ATTACHED : 0;
	d |= a->vm_pid != b->vm_pid ? MP_VM_PID : 0;
	d |= strcmp(a->vm_name, b->vm_name) ? MP_VM_NAME : 0;
	d |= a->attached_since != b->attached_since ? MP_ATTACHED_SINCE : 0;
	d |= a->attach_count != b->attach_count ? MP_ATTACH_COUNT : 0;
	d |= conditions_equal(a, b) ? 0 : MP_CONDITIONS;
	d |= origins_equal(a, b) ? 0 : MP_ORIGIN;
	d |= a->attach_source != b->attach_source ? MP_ATTACH_SOURCE : 0;
	d |= a->attach_confidence != b->attach_confidence ? MP_ATTACH_CONFIDENCE : 0;
	return d;
}

static uint32_t manager_diff(const struct status *a, const struct status *b)
{
	uint32_t d = 0;

	d |= a->state != b->state ? GP_STATE : 0;
	d |= a->features != b->features ? GP_FEATURES : 0;
	d |= a->hazards != b->hazards ? GP_HAZARDS : 0;
	d |= a->attach_source != b->attach_source ? GP_ATTACH_SOURCE : 0;
	d |= a->pool != b->pool ? GP_QUEUE_POOL : 0;
	d |= a->max_adapter != b->max_adapter ? GP_MAX_ADAPTER : 0;
	d |= a->max_domain != b->max_domain ? GP_MAX_DOMAIN : 0;
	d |= mask_equal(&a->apmask, &b->apmask) ? 0 : GP_ADAPTER_MASK;
	d |= mask_equal(&a->aqmask, &b->aqmask) ? 0 : GP_DOMAIN_MASK;
	d |= mask_equal(&a->host_adapters, &b->host_adapters) ? 0 : GP_HOST_ADAPTERS;
	d |= mask_equal(&a->host_domains, &b->host_domains) ? 0 : GP_HOST_DOMAINS;
	d |= a->config_generation != b->config_generation ? GP_CONFIG_GENERATION : 0;
	d |= problems_equal(&a->problems, &b->problems) ? 0 : GP_PROBLEMS;
	d |= a->n_matrices != b->n_matrices ? GP_MATRICES : 0;
	d |= a->n_attached != b->n_attached ? GP_ATTACHED : 0;
	return d;
}

static void diff_add(
	struct status_diff *d, enum change_kind kind, const char *uuid, uint32_t properties)
{
	struct status_change *c = &d->items[d->n++];

	c->kind = kind;
	memcpy(c->uuid, uuid, UUID_SIZE);
	c->properties = properties;
}

int status_diff(const struct status *a, const struct status *b, struct status_diff *ret)
{
	static const struct status nothing;
	struct status_diff d = {};
	size_t i = 0, k = 0;

	if (!a)
		a = &nothing;
	d.manager = manager_diff(a, b);
	d.items = calloc(a->n_matrices + b->n_matrices + 1, sizeof(*d.items));
	if (!d.items)
		return -ENOMEM;
	while (i < a->n_matrices || k < b->n_matrices) {
		const struct matrix_status *x = i < a->n_matrices ? &a->matrices[i] : NULL;
		const struct matrix_status *y = k < b->n_matrices ? &b->matrices[k] : NULL;
		int order = !x ? 1 : !y ? -1 : strcmp(x->uuid, y->uuid);
		uint32_t properties;

		if (order < 0) {
			diff_add(&d, CHANGE_REMOVED, x->uuid, 0);
			i++;
		} else if (order > 0) {
			diff_add(&d, CHANGE_ADDED, y->uuid, 0);
			k++;
		} else {
			properties = matrix_status_diff(x, y);
			if (properties)
				diff_add(&d, CHANGE_CHANGED, x->uuid, properties);
			i++;
			k++;
		}
	}
	*ret = d;
	return 0;
}

void status_diff_done(struct status_diff *d)
{
	free(d->items);
	*d = (struct status_diff){};
}

bool status_diff_is_empty(const struct status_diff *d)
{
	return d->manager == 0 && d->n == 0;
}
