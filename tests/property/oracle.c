/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What must have come true, said by somebody else than the planner: a definition that clashes
 * with nothing and nobody is as configured; and the masks are where the pool solver would put
 * them, or the overrides where they must be, for exactly the devices that are there.
 */
#include <string.h>

#include "property/actor.h"

/* ---- definitions that clash with nothing ---- */

static bool is_overridden_by_others(const struct matrix *m, const struct observed *o)
{
	MASK_FOREACH (a, &m->adapters)
		if (mask_intersects(&o->override_other.row[a], &m->domains))
			return true;
	return false;
}

static bool is_alone(
	const struct matrix_config *c, const struct config *config, const struct observed *o)
{
	for (size_t i = 0; i < config->n_matrices; i++) {
		const struct matrix_config *other = &config->matrices[i];

		if (other != c &&
			(matrix_overlaps(&other->want, &c->want) ||
				strcmp(other->uuid, c->uuid) == 0))
			return false;
	}
	for (size_t i = 0; i < o->n_mdevs; i++)
		if (strcmp(o->mdevs[i].uuid, c->uuid) != 0 &&
			(!o->mdevs[i].assigned_known ||
				matrix_overlaps(&o->mdevs[i].assigned, &c->want)))
			return false;
	return true;
}

/* Masks that let its queues go and keep what is to be kept. */
static bool can_leave(const struct matrix_config *c, const struct queues *keep)
{
	struct mask adapters = queues_adapters(keep), domains = queues_domains(keep);

	return !mask_intersects(&adapters, &c->want.adapters) ||
		!mask_intersects(&domains, &c->want.domains);
}

static bool is_possible(const struct matrix_config *c, const struct observed *o)
{
	struct mask adapters = mask_up_to(o->max_adapter), domains = mask_up_to(o->max_domain);
	unsigned n = matrix_n_queues(&c->want);

	return n > 0 && (n <= MATRIX_SAFE_QUEUES || !(o->hazards & HAZARD_MATRIX_OVERRUN)) &&
		mask_is_subset(&c->want.adapters, &adapters) &&
		mask_is_subset(&c->want.domains, &domains) &&
		mask_is_subset(&c->want.control_domains, &domains);
}

static bool may_change(
	const struct actor *a, const struct matrix_config *c, const struct observed_mdev *d)
{
	if (!d)
		return c->start == START_BOOT && !uuid_set_has(&a->stopped, c->uuid);
	if (uuid_set_has(&a->stopped, c->uuid) || !d->assigned_known)
		return false;
	return d->attach == ATTACH_NO || c->live_change == LIVE_ALL ||
		(c->live_change == LIVE_GROW && matrix_is_subset(&d->assigned, &c->want) &&
			(mask_equal(&d->assigned.adapters, &c->want.adapters) ||
				mask_equal(&d->assigned.domains, &c->want.domains)));
}

/* All kept queues are the host's, so that the masks can be managed at all. */
static bool keeps_are_kept(const struct observed *o, const struct queues *keep)
{
	for (unsigned a = 0; a < MASK_BITS; a++)
		if (!mask_is_empty(&keep->row[a]) &&
			(!mask_test(&o->apmask, a) || !mask_is_subset(&keep->row[a], &o->aqmask)))
			return false;
	for (size_t i = 0; i < o->n_mdevs; i++)
		MASK_FOREACH (a, &o->mdevs[i].assigned.adapters)
			if (mask_intersects(&keep->row[a], &o->mdevs[i].assigned.domains))
				return false;
	return true;
}

static bool masks_are_ours(const struct config *config, const struct observed *o)
{
	const struct host_config *h = &config->host;

	return (h->pool == POOL_AUTO || h->pool == POOL_MASKS) && h->drift == DRIFT_REPAIR &&
		queues_is_empty(&o->override_other) && queues_is_empty(&o->override) &&
		keeps_are_kept(o, &h->keep);
}

static bool has_kept(const struct matrix *m, const struct queues *keep)
{
	MASK_FOREACH (a, &m->adapters)
		if (mask_intersects(&keep->row[a], &m->domains))
			return true;
	return false;
}

/* Queue by queue everything is possible but what is not there. */
static void check_fulfilled_split(
	struct actor *a, const struct matrix_config *c, const struct observed *o)
{
	const struct config *config = engine_config(world_engine(a->world));
	const struct observed_mdev *d = observed_find_mdev(o, c->uuid);
	struct matrix there = c->want;

	there.adapters = mask_and(&there.adapters, &o->host_adapters);
	there.domains = mask_and(&there.domains, &o->host_domains);
	if (!is_possible(c, o) || !is_alone(c, config, o) ||
		has_kept(&c->want, &config->host.keep) || is_overridden_by_others(&c->want, o) ||
		!may_change(a, c, d) || matrix_n_queues(&there) == 0)
		return;
	if (d && d->attach != ATTACH_NO && !matrix_equal(&there, &c->want))
		return;
	if (!d || (!matrix_equal(&d->assigned, &c->want) && !matrix_equal(&d->assigned, &there)))
		actor_fail(a, "fulfilled",
			"%s clashes with nothing, and has not what is there of what it wants",
			c->name);
}

static void check_fulfilled(
	struct actor *a, const struct matrix_config *c, const struct observed *o)
{
	const struct config *config = engine_config(world_engine(a->world));
	const struct observed_mdev *d = observed_find_mdev(o, c->uuid);

	if (!is_possible(c, o) || !is_alone(c, config, o) || !can_leave(c, &config->host.keep) ||
		!may_change(a, c, d))
		return;
	if (!d || !matrix_equal(&d->assigned, &c->want))
		actor_fail(a, "fulfilled", "%s clashes with nothing, and is not as configured",
			c->name);
}

/* ---- devices that are to go, and guests that are to be whole ---- */

static void check_gone(struct actor *a, const struct observed_mdev *d)
{
	const struct config *config = engine_config(world_engine(a->world));

	if (d->attach != ATTACH_NO || config_find_uuid(config, d->uuid))
		return;
	if ((uuid_set_has(&a->made, d->uuid) && !uuid_set_has(&a->unsure, d->uuid)) ||
		config->host.foreign == FOREIGN_REMOVE)
		actor_fail(a, "gone", "%s is named by no drop-in, and is still there", d->uuid);
}

static void check_whole(struct actor *a, const struct observed_mdev *d, const struct observed *o)
{
	const struct config *config = engine_config(world_engine(a->world));
	const struct matrix_config *c = config_find_uuid(config, d->uuid);
	struct mask adapters = mask_and(&d->assigned.adapters, &o->host_adapters);
	struct mask domains = mask_and(&d->assigned.domains, &o->host_domains);

	if (!c || is_overridden_by_others(&d->assigned, o) || !(o->features & FEATURE_AP_CONFIG) ||
		d->attach != ATTACH_NO || !d->guest_known || config->host.drift != DRIFT_REPAIR ||
		!matrix_equal(&d->assigned, &c->want) || mask_is_empty(&domains))
		return;
	/* Overrides that went with their queues: these came back as the host's. */
	MASK_FOREACH (n, &adapters)
		if (config->host.pool == POOL_EXTERNAL &&
			mask_intersects(&d->assigned.domains, &o->host.row[n]))
			return;
	if (!mask_equal(&adapters, &d->guest.adapters) || !mask_equal(&domains, &d->guest.domains))
		actor_fail(a, "whole", "%s has less for its guest than there is", c->name);
}

/* ---- the masks ---- */

/* What is wanted and, for a drift that is to be looked at, not there keeps its queues. */
static void add_reserved(const struct status *s, struct pool_request *r)
{
	for (size_t i = 0; i < s->n_matrices; i++) {
		const struct matrix_status *m = &s->matrices[i];

		if (strcmp(m->conditions[CONDITION_PRESENT].reason, "Drift") == 0 ||
			strcmp(m->conditions[CONDITION_ASSIGNED].reason, "Drift") == 0)
			queues_add_product(
				&r->guest, &m->configured.adapters, &m->configured.domains);
	}
}

static void ask_for_masks(
	const struct observed *o, const struct queues *keep, struct pool_request *r)
{
	memset(r, 0, sizeof(*r));
	r->keep = *keep;
	r->present = o->present;
	r->apmask = o->apmask;
	r->aqmask = o->aqmask;
	for (size_t i = 0; i < o->n_mdevs; i++) {
		const struct matrix *m = &o->mdevs[i].assigned;

		queues_add_product(&r->guest, &m->adapters, &m->domains);
		if (!(o->features & FEATURE_STRICT_MASKS) || matrix_n_queues(m) == 0)
			continue;
		r->stuck_adapters = mask_or(&r->stuck_adapters, &m->adapters);
		r->stuck_domains = mask_or(&r->stuck_domains, &m->domains);
	}
	r->stuck_adapters = mask_andnot(&r->stuck_adapters, &o->apmask);
	r->stuck_domains = mask_andnot(&r->stuck_domains, &o->aqmask);
}

static void check_masks(struct actor *a, const struct config *config, const struct observed *o)
{
	_cleanup_free_ struct pool_request *request = calloc(1, sizeof(*request));
	_cleanup_free_ struct pool_result *result = calloc(1, sizeof(*result));
	const struct status *s = engine_status(world_engine(a->world));

	if (!request || !result)
		abort();
	for (size_t i = 0; i < o->n_mdevs; i++)
		if (!o->mdevs[i].assigned_known)
			return;
	if (s->pool != POOL_MASKS || status_has_problem(s, "drift", "") ||
		status_has_problem(s, "driver-override", "") ||
		status_has_problem(s, "keep-impossible", NULL) ||
		status_has_problem(s, "pool-inexact", NULL))
		return;
	ask_for_masks(o, &config->host.keep, request);
	add_reserved(s, request);
	if (pool_solve(request, result) != 0)
		return;
	if (!mask_equal(&result->apmask, &o->apmask) || !mask_equal(&result->aqmask, &o->aqmask))
		actor_fail(a, "masks", "the masks are not the best for the devices that are there");
}

/* ---- the overrides ---- */

/* Those that the daemon set are those that its devices have, and nobody else's queue is away. */
static void check_split(struct actor *a, const struct config *config, const struct observed *o)
{
	_cleanup_free_ struct pool_request *r = calloc(1, sizeof(*r));
	const struct status *s = engine_status(world_engine(a->world));

	if (!r)
		abort();
	if (status_has_problem(s, "drift", ""))
		return;
	for (size_t i = 0; i < o->n_mdevs; i++)
		queues_add_product(
			&r->guest, &o->mdevs[i].assigned.adapters, &o->mdevs[i].assigned.domains);
	for (size_t i = 0; i < o->n_mdevs; i++) {
		const struct observed_mdev *d = &o->mdevs[i];

		if (!config_find_uuid(config, d->uuid) && !uuid_set_has(&a->made, d->uuid))
			continue;
		MASK_FOREACH (n, &d->assigned.adapters) {
			struct mask lost = mask_and(&d->assigned.domains, &o->present.row[n]);

			lost = mask_andnot(&lost, &o->override.row[n]);
			lost = mask_andnot(&lost, &o->override_other.row[n]);
			if (!mask_is_empty(&lost))
				actor_fail(a, "split", "%s has %02x.%04x without an override",
					d->uuid, n, mask_next(&lost, 0));
		}
	}
	add_reserved(s, r);
	for (unsigned n = 0; n < MASK_BITS; n++) {
		struct mask ours = mask_and(&a->overrides.row[n], &o->override.row[n]);
		struct mask idle = mask_andnot(&ours, &r->guest.row[n]);

		if (!mask_is_empty(&idle))
			actor_fail(a, "split", "%02x.%04x is away, and no device has it", n,
				mask_next(&idle, 0));
		a->overrides.row[n] = mask_and(&a->overrides.row[n], &o->present.row[n]);
	}
}

void oracle_check(struct actor *a, const struct observed *o)
{
	const struct config *config = engine_config(world_engine(a->world));

	if (!o->has_ap_bus || !o->has_matrix_device)
		return;
	check_masks(a, config, o);
	for (size_t i = 0; i < o->n_mdevs; i++) {
		check_gone(a, &o->mdevs[i]);
		check_whole(a, &o->mdevs[i], o);
	}
	if (engine_status(world_engine(a->world))->pool == POOL_DRIVER_OVERRIDE &&
		config->host.drift == DRIFT_REPAIR) {
		check_split(a, config, o);
		for (size_t i = 0; i < config->n_matrices; i++)
			check_fulfilled_split(a, &config->matrices[i], o);
	} else if (masks_are_ours(config, o) &&
		!status_has_problem(engine_status(world_engine(a->world)), "masks-refused", NULL))
		for (size_t i = 0; i < config->n_matrices; i++)
			check_fulfilled(a, &config->matrices[i], o);
}
