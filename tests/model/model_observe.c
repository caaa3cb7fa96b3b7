/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The model as a scan of its tree would see it, but read from the state itself: the truth that
 * scenarios start from and that a scanner is held against.
 */
#include <string.h>

#include "core/observed.h"
#include "model_internal.h"

static uint32_t features(const struct model *m)
{
	uint32_t flags = since_6_1(m) ? FEATURE_GUEST_MATRIX : 0;

	if (since_6_12(m))
		flags |= FEATURE_AP_CONFIG;
	if (since_7_2(m))
		flags |= FEATURE_DRIVER_OVERRIDE | FEATURE_STRICT_MASKS;
	if (m->module)
		flags |= FEATURE_MODULE;
	return flags;
}

static uint32_t hazards(const struct model *m)
{
	if (since_7_2(m))
		return 0;
	if (!since_6_1(m))
		return HAZARD_MATRIX_OVERRUN;
	return HAZARD_MATRIX_OVERRUN | HAZARD_UNATTACHED_CONFIG | HAZARD_REFUSED_OPEN;
}

static void observe_bus(const struct model *m, struct observed *o)
{
	static const uint8_t modes[] = {[MODE_ACCELERATOR] = CARD_ACCELERATOR,
		[MODE_CCA] = CARD_CCA,
		[MODE_EP11] = CARD_EP11};

	o->max_adapter = m->max_adapter;
	o->max_domain = m->max_domain;
	o->apmask = m->apmask;
	o->aqmask = m->aqmask;
	o->host_adapters = m->qci.adapters;
	o->host_domains = m->qci.domains;
	o->host_control_domains = m->qci.control_domains;
	o->cards = m->cards;
	MASK_FOREACH (adapter, &m->cards) {
		const struct card *c = &m->card[adapter];

		o->card[adapter] = (struct observed_card){
			.hwtype = m->adapter[adapter].hwtype,
			.mode = modes[m->adapter[adapter].mode],
			.config = c->config,
			.chkstop = c->chkstop,
			.online = c->config && !c->chkstop && c->online,
		};
		o->override_other.row[adapter] =
			mask_andnot(&m->override.row[adapter], &m->override_vfio.row[adapter]);
	}
	o->present = m->present;
	o->vfio = m->vfio;
	o->host = m->host;
	o->override = m->override_vfio;
}

/* Queue status tells only where the guest's matrix has a queue. */
static void observe_attach(const struct model *m, const struct mdev *d, struct observed_mdev *ret)
{
	if (m->module) {
		ret->attach = d->module_attached ? ATTACH_YES : ATTACH_NO;
		ret->attach_source = ATTACH_FROM_MODULE;
		ret->attach_confidence = CONFIDENCE_CERTAIN;
		ret->vm_pid = d->module_pid;
		ret->attached_since = d->attached_since;
		ret->attach_count = d->attach_count;
		ret->attach_seq = d->attach_seq;
		return;
	}
	if (!since_6_1(m) || matrix_n_queues(&d->shadow) == 0) {
		ret->attach = ATTACH_UNKNOWN;
		ret->attach_source = ATTACH_FROM_NOTHING;
		return;
	}
	ret->attach = d->attached ? ATTACH_YES : ATTACH_NO;
	ret->attach_source = ATTACH_FROM_STATUS;
	ret->attach_confidence = CONFIDENCE_CERTAIN;
}

static int observe_mdev(const struct model *m, const struct mdev *d, struct observed *o)
{
	struct observed_mdev *ret = observed_add_mdev(o, d->uuid);
	unsigned n_queues = matrix_n_queues(&d->matrix);

	if (!ret)
		return -ENOMEM;
	ret->vfio_group = d->group;
	/* Its attributes have gone; only its directory waits for the guest, with our module's. */
	if (d->removing) {
		if (m->module)
			observe_attach(m, d, ret);
		return 0;
	}
	/* A scan must not read a text that does not fit a page, and ap_config is none. */
	ret->assigned_known = since_6_12(m) || n_queues <= MATRIX_SAFE_QUEUES;
	if (ret->assigned_known)
		ret->assigned = d->matrix;
	ret->guest_known = since_6_1(m) && n_queues <= MATRIX_SAFE_QUEUES;
	if (ret->guest_known) {
		ret->guest = d->shadow;
		ret->guest.control_domains = (struct mask){0};
	}
	if (since_6_12(m))
		snprintf(ret->vfio_cdev, sizeof(ret->vfio_cdev), "vfio%d", d->group);
	observe_attach(m, d, ret);
	if (d->attached && since_6_1(m))
		queues_add_product(&o->in_use, &d->shadow.adapters, &d->shadow.domains);
	return 0;
}

int model_observe(struct model *m, struct observed **ret)
{
	_cleanup_(cleanup_observed_free) struct observed *o = observed_new();

	if (!o)
		return -ENOMEM;
	o->complete = true;
	o->has_ap_bus = m->has_ap;
	o->has_matrix_device = m->has_vfio_ap;
	snprintf(o->release, sizeof(o->release), "%s", m->release);
	o->features = features(m);
	o->hazards = hazards(m);
	if (m->has_ap)
		observe_bus(m, o);
	MDEV_FOREACH (m, d) {
		int r = observe_mdev(m, d, o);

		if (r < 0)
			return r;
	}
	*ret = TAKE_PTR(o);
	return 0;
}
