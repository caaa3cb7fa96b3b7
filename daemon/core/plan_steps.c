/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Last pass of the planner: the writes.  Their order is such that in no state between two of them
 * a mediated device loses a queue that it keeps, a kept queue leaves the host, or one queue has
 * two owners; the kernel's own refusals (apmask_store(), assign_adapter_store() and the rest) are
 * never provoked.
 */
#include "core/planner.h"

#include <string.h>

/* What no drop-in names any more goes by the name under which it was made. */
static void name_step(const struct planner *p, struct step *s, const struct verdict *v)
{
	const struct ledger_entry *e = ledger_find(p->ledger, v->uuid);
	const char *name = v->config ? v->config->name : e ? e->name : "";

	snprintf(s->name, sizeof(s->name), "%s", name);
}

struct step *planner_step(
	struct planner *p, enum step_type type, enum stage stage, const struct verdict *v)
{
	struct plan *plan = p->plan;
	struct step *s;

	/* The capacity is the next power of two: no field is needed to remember it. */
	if ((plan->n_steps & (plan->n_steps - 1)) == 0) {
		size_t room = plan->n_steps ? 2 * plan->n_steps : 1;
		struct step *bigger = realloc(plan->steps, room * sizeof(*bigger));

		if (!bigger) {
			p->failed = true;
			return NULL;
		}
		plan->steps = bigger;
	}
	s = &plan->steps[plan->n_steps++];
	memset(s, 0, sizeof(*s));
	s->type = type;
	s->stage = stage;
	if (v) {
		memcpy(s->uuid, v->uuid, UUID_SIZE);
		name_step(p, s, v);
	}
	return s;
}

static void emit_probe(struct planner *p, const struct verdict *v, unsigned queue)
{
	struct step *s = planner_step(p, STEP_PROBE, STAGE_GROW, v);

	if (s)
		s->number = queue;
}

/* The three masks of a matrix, and how one number enters or leaves them. */
static const struct part {
	enum step_type unassign, assign;
	size_t offset;
} parts[] = {
	{STEP_UNASSIGN_ADAPTER, STEP_ASSIGN_ADAPTER, offsetof(struct matrix, adapters)},
	{STEP_UNASSIGN_DOMAIN, STEP_ASSIGN_DOMAIN, offsetof(struct matrix, domains)},
	{STEP_UNASSIGN_CONTROL_DOMAIN, STEP_ASSIGN_CONTROL_DOMAIN,
		offsetof(struct matrix, control_domains)},
};

static struct mask *part_of(struct matrix *m, const struct part *part)
{
	return (struct mask *)((char *)m + part->offset);
}

/* One write a number; @now follows, and each step carries what the device has after it. */
static void emit_numbers(struct planner *p, const struct part *part, bool assign, enum stage stage,
	const struct verdict *v, const struct mask *numbers, struct matrix *now)
{
	MASK_FOREACH (n, numbers) {
		struct step *s = planner_step(p, assign ? part->assign : part->unassign, stage, v);

		if (assign)
			mask_set(part_of(now, part), n);
		else
			mask_clear(part_of(now, part), n);
		if (s) {
			s->number = n;
			s->matrix = *now;
		}
	}
}

/* The writes that lead from @from to @to, where one of them contains the other's adapters and
 * domains: with ap_config one, without it one a number.  Since products then only grow, or only
 * shrink, no order of these passes through a queue that is in neither. */
static void emit_change(struct planner *p, enum stage stage, const struct verdict *v,
	const struct matrix *from, const struct matrix *to)
{
	struct matrix now = *from, then = *to;

	if (matrix_equal(from, to))
		return;
	if (p->observed->features & FEATURE_AP_CONFIG) {
		struct step *s = planner_step(p, STEP_AP_CONFIG, stage, v);

		if (s)
			s->matrix = *to;
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		const struct mask *a = part_of(&now, &parts[i]), *b = part_of(&then, &parts[i]);
		struct mask gone = mask_andnot(a, b), fresh = mask_andnot(b, a);

		emit_numbers(p, &parts[i], false, stage, v, &gone, &now);
		emit_numbers(p, &parts[i], true, stage, v, &fresh, &now);
	}
}

/* ---- release ---- */

/* What an mdev has once it gave up all that it is to give up; control domains are nobody's gain. */
static struct matrix rest_of(const struct planner *p, const struct verdict *v)
{
	struct matrix rest = {};

	if (!p->pool_changes || matrix_n_queues(&v->mdev->assigned) == 0)
		rest = matrix_and(&v->mdev->assigned, &v->target);

	rest.control_domains = v->mdev->assigned.control_domains;
	return rest;
}

/* True if what the mdev is to give up must be gone before the masks change or another grows; if
 * not, one write in STAGE_GROW does all. */
static bool needs_release(
	const struct planner *p, const struct verdict *v, const struct queues *fresh)
{
	const struct observed *o = p->observed;
	const struct matrix *now = &v->mdev->assigned;
	struct matrix rest = rest_of(p, v);
	struct mask set_adapters = mask_andnot(&p->plan->apmask, &o->apmask);
	struct mask set_domains = mask_andnot(&p->plan->aqmask, &o->aqmask);

	if (matrix_equal(&rest, now))
		return false;
	if (p->pool_changes)
		return true;
	/* Without ap_config, adding before removing would pass through the product of both. */
	if (!(o->features & FEATURE_AP_CONFIG))
		return true;
	if ((o->features & FEATURE_STRICT_MASKS) &&
		(mask_intersects(&set_adapters, &now->adapters) ||
			mask_intersects(&set_domains, &now->domains)))
		return true;
	MASK_FOREACH (a, &now->adapters) {
		struct mask shed = verdict_shed_domains(v, a);
		struct mask host = plan_host_domains(p->plan, a);

		if (mask_intersects(&shed, &fresh->row[a]) || mask_intersects(&shed, &host))
			return true;
	}
	return false;
}

/* ---- masks ---- */

/* True if (apmask, aqmask) leaves the host no queue that a device has at that time. */
static bool masks_spare(
	const struct queues *held, const struct mask *apmask, const struct mask *aqmask)
{
	MASK_FOREACH (a, apmask)
		if (mask_intersects(&held->row[a], aqmask))
			return false;
	return true;
}

static void emit_mask(
	struct planner *p, enum step_type type, const struct mask *from, const struct mask *to)
{
	struct step *s;

	if (mask_equal(from, to))
		return;
	s = planner_step(p, type, STAGE_POOL, NULL);
	if (s)
		s->mask = *to;
}

/* There is no write for both masks at once.  Two writes where one of the two orders spares what
 * devices hold; otherwise first what only clears bits, which the kernel never refuses and which
 * takes nothing from a device, then the rest. */
static void emit_masks(struct planner *p, const struct queues *held)
{
	const struct mask *ap = &p->observed->apmask, *aq = &p->observed->aqmask;
	const struct mask *new_ap = &p->plan->apmask, *new_aq = &p->plan->aqmask;
	struct mask clear_ap = mask_and(ap, new_ap), clear_aq = mask_and(aq, new_aq);

	if (masks_spare(held, new_ap, aq)) {
		emit_mask(p, STEP_APMASK, ap, new_ap);
		emit_mask(p, STEP_AQMASK, aq, new_aq);
	} else if (masks_spare(held, ap, new_aq)) {
		emit_mask(p, STEP_AQMASK, aq, new_aq);
		emit_mask(p, STEP_APMASK, ap, new_ap);
	} else {
		emit_mask(p, STEP_APMASK, ap, &clear_ap);
		emit_mask(p, STEP_AQMASK, aq, &clear_aq);
		emit_mask(p, STEP_APMASK, &clear_ap, new_ap);
		emit_mask(p, STEP_AQMASK, &clear_aq, new_aq);
	}
}

/* ---- grow, and repair ---- */

static bool may_touch_guest(const struct planner *p, const struct verdict *v)
{
	return !verdict_is_busy(v) || verdict_live_change(p, v) != LIVE_NONE;
}

/* Queues that the masks or overrides leave to vfio_ap and that someone unbound: their whole adapter is out of
 * the guest until they are bound again (vfio_ap_mdev_remove_queue()). */
static bool emit_probes(struct planner *p, const struct verdict *v)
{
	const struct observed *o = p->observed;
	bool any = false;

	MASK_FOREACH (a, &v->target.adapters) {
		struct mask lost = mask_and(&v->target.domains, &o->present.row[a]);

		lost = mask_andnot(&lost, &o->vfio.row[a]);
		lost = mask_andnot(&lost, &o->host.row[a]);
		MASK_FOREACH (d, &lost) {
			if (observed_reserved_for_vfio(o, a, d) && !plan_host_owns(p->plan, a, d)) {
				emit_probe(p, v, a << 8 | d);
				any = true;
			}
		}
	}
	return any;
}

/* What the kernel's filter lets through of what is assigned now (vfio_ap_mdev_filter_matrix()):
 * what the host has, and of that only adapters all of whose queues vfio_ap drives. */
static void expected_guest(
	const struct observed *o, const struct matrix *assigned, struct matrix *ret)
{
	ret->adapters = mask_and(&assigned->adapters, &o->host_adapters);
	ret->domains = mask_and(&assigned->domains, &o->host_domains);
	MASK_FOREACH (a, &assigned->adapters)
		if (!mask_is_subset(&ret->domains, &o->vfio.row[a]))
			mask_clear(&ret->adapters, a);
}

/* The filter does not run on unassign: an adapter that it once took out stays out although
 * nothing speaks against it any more.  Writing ap_config again runs it. */
static bool needs_refilter(const struct planner *p, const struct verdict *v)
{
	struct matrix expected = {};

	if (!v->mdev->guest_known || !(p->observed->features & FEATURE_AP_CONFIG))
		return false;
	/* Refused for a queue that has gone and took its override with it. */
	MASK_FOREACH (a, &v->target.adapters) {
		struct mask host = plan_host_domains(p->plan, a);

		if (mask_intersects(&host, &v->target.domains))
			return false;
	}
	expected_guest(p->observed, &v->mdev->assigned, &expected);
	return !mask_is_subset(&expected.adapters, &v->mdev->guest.adapters) &&
		!mask_is_empty(&expected.domains);
}

static void emit_repair(struct planner *p, const struct verdict *v)
{
	struct step *s;

	/* What stands back, or waits, keeps what it has, and that whole.  (An adopted device without
	 * a definition may still be being filled by whoever made it.) */
	if (!v->ours || !v->config || v->kind == VERDICT_HELD || v->kind == VERDICT_DRIFT ||
		p->config->host.drift != DRIFT_REPAIR || !may_touch_guest(p, v))
		return;
	if (emit_probes(p, v) || !needs_refilter(p, v))
		return;
	s = planner_step(p, STEP_AP_CONFIG, STAGE_GROW, v);
	if (s)
		s->matrix = v->target;
}

static void emit_grow(struct planner *p, const struct verdict *v, bool released)
{
	struct matrix from = {};

	if (!v->mdev) {
		planner_step(p, STEP_CREATE, STAGE_GROW, v);
		emit_change(p, STAGE_GROW, v, &from, &v->target);
		return;
	}
	from = released ? rest_of(p, v) : v->mdev->assigned;
	if (matrix_equal(&from, &v->target) && !released)
		emit_repair(p, v);
	else
		emit_change(p, STAGE_GROW, v, &from, &v->target);
}

/* ---- all of it ---- */

/* Every queue that some device is to get, and (second) that some device has after STAGE_RELEASE. */
struct moves {
	struct queues fresh, held;
	bool *released; /* per verdict */
};

static void collect_fresh(const struct planner *p, struct moves *m)
{
	for (size_t i = 0; i < p->plan->n_verdicts; i++) {
		const struct verdict *v = &p->plan->verdicts[i];

		if (!v->has_target)
			continue;
		MASK_FOREACH (a, &v->target.adapters) {
			struct mask fresh = verdict_new_domains(v, a);

			m->fresh.row[a] = mask_or(&m->fresh.row[a], &fresh);
		}
	}
}

static void emit_release(struct planner *p, struct moves *m, size_t i)
{
	const struct verdict *v = &p->plan->verdicts[i];
	struct matrix rest;

	if (!v->mdev)
		return;
	if (!v->has_target) {
		planner_step(p, STEP_REMOVE, STAGE_RELEASE, v);
		return;
	}
	if (!v->mdev->assigned_known)
		return;
	rest = v->mdev->assigned;
	m->released[i] = needs_release(p, v, &m->fresh);
	if (m->released[i]) {
		rest = rest_of(p, v);
		emit_change(p, STAGE_RELEASE, v, &v->mdev->assigned, &rest);
	}
	queues_add_product(&m->held, &rest.adapters, &rest.domains);
}

void planner_emit_steps(struct planner *p)
{
	size_t n = p->plan->n_verdicts;
	_cleanup_free_ struct moves *m = calloc(1, sizeof(*m));
	_cleanup_free_ bool *released = calloc(n + 1, sizeof(*released));

	if (!m || !released) {
		p->failed = true;
		return;
	}
	m->released = released;
	collect_fresh(p, m);
	for (size_t i = 0; i < n; i++)
		emit_release(p, m, i);
	/* The kernel refuses masks while there is an override, and an override under masks. */
	planner_emit_clears(p);
	emit_masks(p, &m->held);
	planner_emit_overrides(p);
	for (size_t i = 0; i < n; i++) {
		const struct verdict *v = &p->plan->verdicts[i];

		if (v->has_target && (!v->mdev || v->mdev->assigned_known))
			emit_grow(p, v, released[i]);
	}
}
