/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is ours.  The ledger is written before a device is made, so that a daemon that is killed
 * in between knows it afterwards, and again when what was written has been read back.
 */
#include <string.h>

#include "engine/engine_private.h"
#include "util/log.h"

void ledger_write(struct engine *e)
{
	struct ledger *copy;
	int r;

	if (e->dry_run || (e->saved_ledger && ledger_equal(e->ledger, e->saved_ledger)))
		return;
	r = ledger_save(e->root, e->ledger);
	if (r < 0) {
		log_warning(
			"run/apmatrixd/ledger cannot be written: %s; after a restart of the daemon "
			"its devices may look like somebody else's",
			strerror(-r));
		return;
	}
	copy = ledger_copy(e->ledger);
	if (!copy)
		return;
	if (e->saved_ledger)
		ledger_free(e->saved_ledger);
	e->saved_ledger = copy;
}

static struct ledger_entry *entry_for(struct engine *e, const char *uuid, const char *name)
{
	struct ledger_entry *entry = ledger_get(e->ledger, uuid);

	if (!entry) {
		log_error("out of memory");
		return NULL;
	}
	snprintf(entry->name, sizeof(entry->name), "%s", name);
	return entry;
}

/* A device that was there before us and that a drop-in (or Foreign=adopt) puts into our hands. */
static void adopt(struct engine *e, const struct verdict *v)
{
	struct ledger_entry *entry = ledger_find(e->ledger, v->uuid);

	if (entry && entry->made)
		return;
	entry = entry_for(e, v->uuid, v->config ? v->config->name : "");
	if (!entry)
		return;
	entry->made = entry->adopted = true;
	entry->set_known = v->mdev->assigned_known;
	entry->set = v->mdev->assigned;
	log_info("%s: adopted the device %s that was there already",
		v->config ? v->config->name : "foreign", v->uuid);
}

/* Forgets what is neither there nor asked for by hand. */
static void forget(struct engine *e)
{
	for (size_t i = 0; i < e->ledger->n;) {
		struct ledger_entry *entry = &e->ledger->entries[i];
		bool there = observed_find_mdev(e->observed, entry->uuid);
		bool defined = config_find_uuid(e->config, entry->uuid);

		/* Where the device should be and is not, the entry shows that someone took it. */
		if (!there && e->observed->complete && (!entry->set_known || !defined))
			entry->made = entry->adopted = entry->set_known = false;
		if (entry->made || (entry->intent != INTENT_CONFIG && (defined || there)) ||
			!e->observed->complete)
			i++;
		else
			ledger_remove(e->ledger, entry->uuid);
	}
}

/* What is as configured is what we stand for, whoever wrote it. */
static void confirm(struct engine *e, const struct verdict *v)
{
	struct ledger_entry *entry = ledger_find(e->ledger, v->uuid);

	if (!entry || !v->config || !v->mdev->assigned_known ||
		!matrix_equal(&v->mdev->assigned, &v->config->want))
		return;
	entry->set = v->mdev->assigned;
	entry->set_known = true;
}

/* The masks that are as planned are what we stand for, until the pool is over. */
static void confirm_masks(struct engine *e)
{
	const struct observed *o = e->observed;
	const struct plan *plan = e->plan;
	struct ledger *l = e->ledger;
	bool needed = plan->pool == POOL_MASKS;

	if (!l->masks_ours || !plan->pool_managed || !mask_equal(&plan->apmask, &o->apmask) ||
		!mask_equal(&plan->aqmask, &o->aqmask))
		return;
	l->masks_ours = l->masks_known = needed;
	l->apmask = needed ? o->apmask : (struct mask){};
	l->aqmask = needed ? o->aqmask : (struct mask){};
}

/* Where the pool is not managed the plan leaves them as they were. */
static void confirm_overrides(struct engine *e)
{
	const struct observed *o = e->observed;
	const struct plan *plan = e->plan;
	struct ledger *l = e->ledger;
	struct mask full = mask_full();
	bool masks_stand = plan->pool == POOL_MASKS && mask_equal(&plan->apmask, &o->apmask) &&
		mask_equal(&plan->aqmask, &o->aqmask);

	l->overrides = plan->overrides_ours;
	if (plan->pool_managed && queues_is_empty(&l->overrides) &&
		(masks_stand || plan->pool == POOL_AUTO))
		l->split = false;
	/* Not for one that has gone, if somebody else has one, or masks are in use. */
	if (!queues_is_subset(&o->override, &l->overrides) ||
		!queues_is_empty(&o->override_other) || !mask_equal(&o->apmask, &full) ||
		!mask_equal(&o->aqmask, &full))
		l->masks_refused = false;
	queues_subtract(&l->overrides_begun, &e->observed->override);
	for (unsigned a = 0; a < MASK_BITS; a++)
		l->overrides_begun.row[a] =
			mask_and(&l->overrides_begun.row[a], &l->overrides.row[a]);
}

void ledger_observe(struct engine *e)
{
	if (e->dry_run || !e->observed->has_matrix_device)
		return;
	for (size_t i = 0; i < e->plan->n_verdicts; i++) {
		const struct verdict *v = &e->plan->verdicts[i];

		if (!v->ours || !v->mdev)
			continue;
		adopt(e, v);
		confirm(e, v);
	}
	if (e->n_overdue == 0)
		forget(e);
	confirm_masks(e);
	confirm_overrides(e);
	ledger_write(e);
}

void ledger_before_run(struct engine *e)
{
	for (size_t i = 0; i < e->run.n_steps; i++) {
		const struct step *s = &e->run.steps[i];
		struct ledger_entry *entry = ledger_find(e->ledger, s->uuid);

		if (s->type == STEP_APMASK || s->type == STEP_AQMASK) {
			e->ledger->masks_ours = true;
			e->ledger->masks_known = false;
			continue;
		}
		if (s->type == STEP_OVERRIDE || s->type == STEP_CLEAR_OVERRIDE) {
			unsigned a = s->number >> 8, d = s->number & 0xff;

			queues_set(&e->ledger->overrides, a, d);
			queues_set(&e->ledger->overrides_begun, a, d);
			e->ledger->split = true;
			continue;
		}
		if (s->type == STEP_CREATE)
			entry = entry_for(e, s->uuid, s->name);
		if (!entry)
			continue;
		if (s->type == STEP_CREATE) {
			entry->made = true;
			entry->adopted = entry->set_known = false;
		}
		/* Whoever is killed in between must not take his own write for somebody else's.
		 * (Without ap_config a scan needs the last known size.) */
		if (e->observed->features & FEATURE_AP_CONFIG)
			entry->set_known = false;
	}
	ledger_write(e);
}

static void ledger_set_mask(struct engine *e, const struct step *s)
{
	struct ledger *l = e->ledger;

	if (!l->masks_known) {
		l->apmask = e->observed->apmask;
		l->aqmask = e->observed->aqmask;
		l->masks_known = true;
	}
	if (s->type == STEP_APMASK)
		l->apmask = s->mask;
	else
		l->aqmask = s->mask;
}

bool ledger_masks_refused(struct engine *e, const struct step *s, int error)
{
	if ((s->type != STEP_APMASK && s->type != STEP_AQMASK) || error != EINVAL ||
		!(e->observed->features & FEATURE_DRIVER_OVERRIDE))
		return false;
	e->ledger->masks_refused = true;
	return true;
}

void ledger_after_step(struct engine *e, const struct step *s)
{
	struct ledger_entry *entry = ledger_find(e->ledger, s->uuid);

	if (s->type == STEP_APMASK || s->type == STEP_AQMASK) {
		ledger_set_mask(e, s);
		return;
	}
	if (!entry)
		return;
	if (s->type == STEP_REMOVE) {
		entry->made = entry->adopted = entry->set_known = false;
		return;
	}
	if (s->type != STEP_PROBE) {
		entry->set = s->matrix; /* of STEP_CREATE: empty */
		entry->set_known = true;
	}
}

/* What exists was made by somebody else, after we had looked. */
void ledger_after_failure(struct engine *e, const struct step *s, int error)
{
	struct ledger_entry *entry = ledger_find(e->ledger, s->uuid);

	if (s->type == STEP_CREATE && error == -EEXIST && entry)
		entry->made = false;
}
