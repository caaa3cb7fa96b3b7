/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The pool queue by queue, by driver_override: with both masks untouched a queue is the host's
 * unless its own attribute says vfio_ap, so exactly those leave the host that a device is to have.
 * Writing the attribute binds nothing anew; until the queue is unbound and probed again the kernel
 * goes by the driver that it has (ap_owned_by_def_drv()).  What somebody else set is never cleared
 * or overwritten.  A queue that does not exist has no attribute: it cannot be reserved, and a
 * matrix does without it until it is there.
 */
#include "core/planner.h"

#include <string.h>

int verdict_unsplittable(const struct planner *p, const struct verdict *v)
{
	const struct observed *o = p->observed;

	if (!v->has_target)
		return -1;
	MASK_FOREACH (a, &v->target.adapters) {
		struct mask there = mask_andnot(&o->present.row[a], &o->override_other.row[a]);
		struct mask bad = mask_andnot(&v->target.domains, &there);

		if (!mask_is_empty(&bad))
			return (int)(a << 8 | mask_next(&bad, 0));
	}
	return -1;
}

/* ---- who must stand back ---- */

/* Queues come and go by whole adapters and domains: first without domains that no adapter has, then
 * without adapters that lack one. */
static struct matrix part_that_exists(const struct planner *p, const struct matrix *m)
{
	const struct queues *present = &p->observed->present;
	struct matrix part = {.control_domains = m->control_domains};

	MASK_FOREACH (a, &m->adapters)
		part.domains = mask_or(&part.domains, &present->row[a]);
	part.domains = mask_and(&part.domains, &m->domains);
	MASK_FOREACH (a, &m->adapters)
		if (mask_is_subset(&part.domains, &present->row[a]))
			mask_set(&part.adapters, a);
	return part;
}

static bool may_shrink_to(const struct verdict *v, const struct matrix *part)
{
	return !verdict_is_busy(v) || v->config->live_change == LIVE_ALL ||
		matrix_is_subset(&v->mdev->assigned, part);
}

static void block_foreign(struct planner *p, struct verdict *v, struct origin at, const char *queue)
{
	planner_block(p, v, "ForeignOverride", "driver-override", at,
		"queue %s has a driver_override that apmatrixd did not set and that names another "
		"driver than vfio_ap; clear it by writing an empty line to "
		"/sys/bus/ap/devices/%s/driver_override",
		queue, queue);
}

/* What does not exist is left out until it does. */
static void do_without(struct planner *p, struct verdict *v, struct origin at, const char *queue)
{
	struct matrix part = part_that_exists(p, &v->target);

	if (!v->config || matrix_n_queues(&part) == 0 || !may_shrink_to(v, &part)) {
		planner_block(p, v, "NotPresent", "not-present", at,
			"queue %s is not there, and only a queue that exists can be reserved by "
			"driver_override; it is done when the queue is there, or set "
			"QueuePool=masks",
			queue);
		return;
	}
	v->target = part;
	verdict_set(p, v, VERDICT_BLOCKED, "NotPresent",
		"queue %s is not there, and only a queue that exists can be reserved by "
		"driver_override; until it is there it has the rest, or set QueuePool=masks",
		queue);
	planner_problem(p, PROBLEM_WARNING, "not-present", v, at, "%s", v->message);
}

/* The kernel looks at all queues of a matrix whenever it is written (ap_config_store()), also at
 * those that it has already.  Returns how many stood back. */
static unsigned block_unsplittable(struct planner *p)
{
	unsigned n = 0;

	for (size_t i = 0; i < p->plan->n_verdicts; i++) {
		struct verdict *v = &p->plan->verdicts[i];
		int queue = verdict_unsplittable(p, v);
		unsigned a = (unsigned)queue >> 8, d = (unsigned)queue & 0xff;
		char name[QUEUE_NAME_SIZE];
		struct origin at = {};

		if (queue < 0 || (v->mdev && !v->mdev->assigned_known))
			continue;
		/* Nothing is to be written, or it has given all up before. */
		if (v->mdev && matrix_equal(&v->mdev->assigned, &v->target) && !p->pool_changes)
			continue;
		queue_format(a, d, name);
		if (v->config)
			at = matrix_config_origin_of(v->config, KEY_ADAPTERS, a);
		if (queues_test(&p->observed->override_other, a, d))
			block_foreign(p, v, at, name);
		else
			do_without(p, v, at, name);
		n++;
	}
	return n;
}

/* ---- which queues ---- */

struct needs {
	struct queues wanted; /* are to have an override: what our devices have and are to get */
	struct queues kept;   /* do not lose it: also what others have, or may have */
	bool all_kept;        /* nobody knows what some device has */
};

static void collect_needs(const struct planner *p, struct needs *n)
{
	const struct observed *o = p->observed;

	n->all_kept = !o->complete;
	for (size_t i = 0; i < p->plan->n_verdicts; i++) {
		const struct verdict *v = &p->plan->verdicts[i];

		if (v->has_target) {
			n->all_kept = n->all_kept || (v->mdev && !v->mdev->assigned_known);
			queues_add_product(&n->kept, &v->target.adapters, &v->target.domains);
			if (v->config || v->ours)
				queues_add_product(
					&n->wanted, &v->target.adapters, &v->target.domains);
		}
		if (verdict_reserves(v))
			queues_add_product(
				&n->kept, &v->config->want.adapters, &v->config->want.domains);
	}
	for (unsigned a = 0; a < MASK_BITS; a++)
		n->wanted.row[a] = mask_and(&n->wanted.row[a], &o->present.row[a]);
	queues_subtract(&n->wanted, &o->override_other);
}

/* Those that we had set and that someone cleared: with Drift=report they stay so. */
static void leave_drifted(struct planner *p, struct needs *n)
{
	_cleanup_free_ struct queues *drifted = malloc(sizeof(*drifted));
	_cleanup_free_ char *text = NULL;

	if (p->config->host.drift != DRIFT_REPORT)
		return;
	if (!drifted) {
		p->failed = true;
		return;
	}
	*drifted = p->ledger->overrides;
	queues_subtract(drifted, &p->ledger->overrides_begun);
	queues_subtract(drifted, &p->observed->override);
	for (unsigned a = 0; a < MASK_BITS; a++)
		drifted->row[a] = mask_and(&drifted->row[a], &n->wanted.row[a]);
	if (queues_is_empty(drifted))
		return;
	queues_subtract(&n->wanted, drifted);
	text = planner_queues_text(p, drifted);
	planner_problem(p, PROBLEM_WARNING, "drift", NULL, (struct origin){},
		"someone else cleared the driver_override of %s, and Drift=report leaves it so; "
		"set Drift=repair to have it set again",
		text ? text : "");
}

/* Which of the ledger's queues are still ours to give back: they have our override, or are to have
 * it, or lost it and wait to be bound to the host's driver again. */
static void update_ours(struct planner *p, const struct needs *n)
{
	const struct observed *o = p->observed;

	if (!o->complete)
		return;
	for (unsigned a = 0; a < MASK_BITS; a++) {
		struct mask *ours = &p->plan->overrides_ours.row[a];
		struct mask unbound = mask_andnot(ours, &o->host.row[a]);
		struct mask still = mask_or(&o->override.row[a], &unbound);

		still = mask_or(&still, &n->kept.row[a]);
		still = mask_and(&still, &o->present.row[a]);
		still = mask_andnot(&still, &o->override_other.row[a]);
		*ours = mask_and(ours, &still);
	}
}

static void note_foreign(struct planner *p, const struct needs *n)
{
	_cleanup_free_ struct queues *foreign = malloc(sizeof(*foreign));
	_cleanup_free_ char *text = NULL;

	if (!foreign) {
		p->failed = true;
		return;
	}
	*foreign = p->observed->override;
	queues_subtract(foreign, &p->ledger->overrides);
	queues_add_all(foreign, &p->observed->override_other);
	queues_subtract(foreign, &n->kept);
	if (queues_is_empty(foreign))
		return;
	text = planner_queues_text(p, foreign);
	planner_problem(p, PROBLEM_WARNING, "driver-override", NULL, (struct origin){},
		"a driver_override that apmatrixd did not set, and no matrix needs, is left alone: "
		"%s; who has no use for it clears it by writing an empty line to "
		"/sys/bus/ap/devices/QUEUE/driver_override, then unbinds and probes the queue",
		text ? text : "");
}

/* Nothing is lost before the queue is bound anew; then it would be. */
static void note_estranged(struct planner *p, const struct needs *n)
{
	_cleanup_free_ struct queues *other = malloc(sizeof(*other));
	_cleanup_free_ char *text = NULL;

	if (!other) {
		p->failed = true;
		return;
	}
	for (unsigned a = 0; a < MASK_BITS; a++)
		other->row[a] = mask_and(&p->observed->override_other.row[a], &n->kept.row[a]);
	if (queues_is_empty(other))
		return;
	text = planner_queues_text(p, other);
	planner_problem(p, PROBLEM_WARNING, "driver-override", NULL, (struct origin){},
		"someone gave queues that a matrix has a driver_override that names another driver "
		"than vfio_ap (%s); they are lost to it when they are bound anew; clear it by "
		"writing an empty line to /sys/bus/ap/devices/QUEUE/driver_override",
		text ? text : "");
}

static void note_kept(struct planner *p, const struct needs *n)
{
	for (unsigned a = 0; a < MASK_BITS; a++) {
		struct mask lost = mask_and(&n->kept.row[a], &p->config->host.keep.row[a]);

		if (!mask_is_empty(&lost))
			planner_note_unkept(p, a, mask_next(&lost, 0));
	}
}

void planner_split_queues(struct planner *p)
{
	_cleanup_free_ struct needs *n = calloc(1, sizeof(*n));
	struct plan *plan = p->plan;
	struct mask full = mask_full();

	if (!n) {
		p->failed = true;
		return;
	}
	while (!p->failed && block_unsplittable(p) > 0)
		planner_settle(p);
	if (p->failed)
		return;
	plan->apmask = plan->aqmask = full;
	collect_needs(p, n);
	if (p->config->n_matrices > 0) {
		note_foreign(p, n);
		note_estranged(p, n);
		note_kept(p, n);
	}
	leave_drifted(p, n);
	update_ours(p, n);
	p->take = n->wanted;
	if (!n->all_kept) {
		p->give_back = plan->overrides_ours;
		queues_subtract(&p->give_back, &n->kept);
	}
	queues_subtract(&plan->override, &p->give_back);
	queues_add_all(&plan->override, &p->take);
}

/* On the way to masks. */
void planner_clear_overrides(struct planner *p)
{
	_cleanup_free_ struct needs *n = calloc(1, sizeof(*n));

	if (!n) {
		p->failed = true;
		return;
	}
	update_ours(p, n);
	if (p->pool_changes) {
		p->give_back = p->plan->overrides_ours;
		queues_subtract(&p->plan->override, &p->give_back);
	}
}

/* ---- the writes ---- */

static void step(struct planner *p, enum step_type type, unsigned queue)
{
	struct step *s = planner_step(p, type, STAGE_POOL, NULL);

	if (s)
		s->number = queue;
}

/* The override goes first: from then on the kernel lets nobody assign the queue. */
void planner_emit_clears(struct planner *p)
{
	const struct observed *o = p->observed;

	for (unsigned a = 0; a < MASK_BITS; a++) {
		MASK_FOREACH (d, &p->give_back.row[a]) {
			unsigned queue = a << 8 | d;

			if (queues_test(&o->override, a, d))
				step(p, STEP_CLEAR_OVERRIDE, queue);
			if (queues_test(&o->host, a, d))
				continue;
			if (queues_test(&o->vfio, a, d))
				step(p, STEP_UNBIND, queue);
			step(p, STEP_PROBE, queue);
		}
	}
}

static bool is_assigned(const struct observed *o, unsigned a, unsigned d)
{
	for (size_t i = 0; i < o->n_mdevs; i++)
		if (mask_test(&o->mdevs[i].assigned.adapters, a) &&
			mask_test(&o->mdevs[i].assigned.domains, d))
			return true;
	return false;
}

static void emit_take(struct planner *p, unsigned a, unsigned d)
{
	const struct observed *o = p->observed;
	bool has = queues_test(&o->override, a, d), vfio = queues_test(&o->vfio, a, d);
	unsigned queue = a << 8 | d;

	if (!has)
		step(p, STEP_OVERRIDE, queue);
	/* Masks that are untouched again have given everything to the host's drivers. */
	if (p->pool_changes || queues_test(&o->host, a, d)) {
		step(p, STEP_UNBIND, queue);
		step(p, STEP_PROBE, queue);
		return;
	}
	/* What was unbound under a device is a matter of Drift= and LiveChange=. */
	if (!vfio && (!has || !is_assigned(o, a, d)))
		step(p, STEP_PROBE, queue);
}

void planner_emit_overrides(struct planner *p)
{
	for (unsigned a = 0; a < MASK_BITS; a++)
		MASK_FOREACH (d, &p->take.row[a])
			emit_take(p, a, d);
}
