/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * By which of the kernel's two ways queues leave the host: masks, or (6.19 and later) a
 * driver_override on each queue.  The kernel has them exclude each other, so a change from one to
 * the other takes everything back to the host first: every device gives up its queues, the old way
 * is cleared, the new one set, and the devices get their queues again.  Decides whether that can
 * be done now, without touching what a guest or somebody else has; which masks or which overrides
 * is not decided here.
 */
#include "core/planner.h"

static bool masks_untouched(const struct observed *o)
{
	struct mask full = mask_full();

	return mask_equal(&o->apmask, &full) && mask_equal(&o->aqmask, &full);
}

static bool is_overridden(const struct observed *o)
{
	return !queues_is_empty(&o->override) || !queues_is_empty(&o->override_other);
}

/* POOL_AUTO: nothing has left the host yet, either way is open. */
static enum pool_mode way_in_force(const struct planner *p)
{
	if (!masks_untouched(p->observed))
		return POOL_MASKS;
	return is_overridden(p->observed) || p->ledger->split ? POOL_DRIVER_OVERRIDE : POOL_AUTO;
}

/* A queue that some device is to have and that no driver_override can reserve, or -1. */
static int unsplittable(const struct planner *p, const struct verdict **ret)
{
	for (size_t i = 0; i < p->plan->n_verdicts; i++) {
		int queue = verdict_unsplittable(p, &p->plan->verdicts[i]);

		if (queue < 0)
			continue;
		*ret = &p->plan->verdicts[i];
		return queue;
	}
	return -1;
}

/* What was begun goes on; from the beginning it is the exact way, where it can serve all. */
static enum pool_mode way_by_itself(const struct planner *p)
{
	enum pool_mode now = way_in_force(p);
	const struct verdict *v;

	if (now != POOL_AUTO)
		return now;
	if (!(p->observed->features & FEATURE_DRIVER_OVERRIDE))
		return POOL_MASKS;
	if (p->ledger->masks_refused)
		return POOL_DRIVER_OVERRIDE;
	return !p->ledger->masks_ours && unsplittable(p, &v) < 0 ? POOL_DRIVER_OVERRIDE
								 : POOL_MASKS;
}

/* ---- may it be changed now? ---- */

/* ap_driver_override_ctr is not counted down with a queue that goes away (7.2). */
#define REFUSED                                                                                   \
	"this kernel refuses mask changes until the next boot, since a queue went away with its " \
	"driver_override; set QueuePool=driver-override or auto"

static void change_waits(struct planner *p, const struct verdict *v, const char *text)
{
	planner_problem(p, PROBLEM_WARNING, "pool-waits", NULL,
		p->config->host.origin[KEY_QUEUE_POOL],
		"QueuePool=%s waits, until then the queues are split by %s: %s%s",
		pool_mode_to_string(p->config->host.pool),
		way_in_force(p) == POOL_MASKS ? "masks" : "driver_override",
		v ? verdict_name(v) : "", text);
}

/* Why a device cannot give up its queues and get them again, as the end of a sentence; NULL: it
 * can, or it has none. */
static const char *why_not_released(const struct verdict *v)
{
	if (!v->mdev || (v->mdev->assigned_known && matrix_n_queues(&v->mdev->assigned) == 0))
		return NULL;
	if (!v->has_target)
		return NULL;
	if (v->mdev->attach == ATTACH_YES)
		return " has a guest; it is done when that detaches";
	if (v->mdev->attach != ATTACH_NO)
		return " may have a guest (nobody can tell); it is done when it has none";
	if (!v->config)
		return " has queues, and no drop-in says what it should have; remove that device, "
		       "or define it";
	if (v->kind != VERDICT_FINE)
		return " has queues and stays as it is for now (its conditions say why)";
	return NULL;
}

static bool all_can_release(struct planner *p)
{
	for (size_t i = 0; i < p->plan->n_verdicts; i++) {
		const struct verdict *v = &p->plan->verdicts[i];
		const char *why = why_not_released(v);

		if (!why)
			continue;
		change_waits(p, v, why);
		return false;
	}
	return true;
}

static bool overrides_can_serve(struct planner *p)
{
	_cleanup_free_ char *text = NULL;
	const struct verdict *v = NULL;
	int queue = unsplittable(p, &v);
	char name[QUEUE_NAME_SIZE];

	if (queue < 0)
		return true;
	queue_format((unsigned)queue >> 8, (unsigned)queue & 0xff, name);
	if (asprintf(&text,
		    " wants queue %s, which is not there; only a queue that exists can be "
		    "reserved by driver_override",
		    name) < 0) {
		text = NULL;
		p->failed = true;
		return false;
	}
	change_waits(p, v, text);
	return false;
}

static bool masks_can_serve(struct planner *p)
{
	if (planner_masks_serve(p))
		return true;
	change_waits(p, NULL,
		"no masks let all that is there go and keep what KeepQueues= keeps; change one of "
		"the two");
	return false;
}

/* The kernel refuses masks as long as any override is left, also one that is not ours to clear. */
static bool overrides_are_ours(struct planner *p)
{
	_cleanup_free_ struct queues *foreign = malloc(sizeof(*foreign));
	_cleanup_free_ char *text = NULL;

	if (!foreign) {
		p->failed = true;
		return false;
	}
	*foreign = p->observed->override;
	queues_subtract(foreign, &p->ledger->overrides);
	queues_add_all(foreign, &p->observed->override_other);
	if (queues_is_empty(foreign))
		return true;
	text = planner_queues_text(p, foreign);
	planner_problem(p, PROBLEM_ERROR, "driver-override", NULL,
		p->config->host.origin[KEY_QUEUE_POOL],
		"queues have a driver_override that apmatrixd did not set (%s), under which the "
		"kernel refuses mask changes; clear it, or set QueuePool=driver-override or "
		"external",
		text ? text : "");
	return false;
}

static bool may_change(struct planner *p, enum pool_mode to)
{
	if (!p->observed->complete || !p->observed->has_matrix_device)
		return false;
	if (to == POOL_MASKS && p->ledger->masks_refused) {
		change_waits(p, NULL, REFUSED);
		return false;
	}
	if (to == POOL_MASKS)
		return overrides_are_ours(p) && all_can_release(p) && masks_can_serve(p);
	return all_can_release(p) && overrides_can_serve(p);
}

/* ---- may it be written at all? ---- */

/* Says why not as a problem, and in p->masks_stay for those who would need it. */
static bool may_write(struct planner *p)
{
	const struct observed *o = p->observed;
	const struct hold *hold = planner_hold(p, "");
	struct origin at = p->config->host.origin[KEY_QUEUE_POOL], none = {};

	/* Overrides of others where masks are wanted or in force: masks from the kernel's command
	 * line do not keep it from taking both. */
	if (is_overridden(o) && p->plan->pool == POOL_MASKS && !p->pool_changes) {
		p->masks_stay = "which the kernel does not let change while any queue has a "
				"driver_override; clear the overrides";
		planner_problem(p, PROBLEM_ERROR, "driver-override", NULL, at,
			"some queues have a driver_override, under which the kernel refuses mask "
			"changes; clear the overrides, or set QueuePool=external");
		return false;
	}
	if (p->ledger->masks_refused && p->plan->pool == POOL_MASKS) {
		p->masks_stay = "which this kernel does not let change until the next boot; set "
				"QueuePool=auto";
		planner_problem(p, PROBLEM_ERROR, "masks-refused", NULL, at, "%s", REFUSED);
		return false;
	}
	if (hold) {
		p->masks_stay = "which could not be written; that is tried again";
		planner_problem(
			p, PROBLEM_ERROR, "kernel-refused", NULL, none, "%s", hold->message);
		return false;
	}
	if (p->ledger->masks_known && p->config->host.drift == DRIFT_REPORT &&
		(!mask_equal(&p->ledger->apmask, &o->apmask) ||
			!mask_equal(&p->ledger->aqmask, &o->aqmask))) {
		p->masks_stay = "which someone else changed, and Drift=report leaves them so; set "
				"Drift=repair";
		planner_problem(p, PROBLEM_WARNING, "drift", NULL, none,
			"someone else changed apmask or aqmask, and Drift=report leaves them so; "
			"set Drift=repair to have them set again");
		return false;
	}
	return true;
}

static bool is_available(struct planner *p, enum pool_mode way)
{
	if (way != POOL_DRIVER_OVERRIDE || p->observed->features & FEATURE_DRIVER_OVERRIDE)
		return true;
	p->masks_stay = "which QueuePool=driver-override does not use; set QueuePool=auto";
	planner_problem(p, PROBLEM_ERROR, "not-available", NULL,
		p->config->host.origin[KEY_QUEUE_POOL],
		"QueuePool=driver-override needs Linux 6.19 or later, and this is %s; set "
		"QueuePool=auto or masks",
		p->observed->release);
	return false;
}

void planner_choose_way(struct planner *p)
{
	enum pool_mode way = p->config->host.pool, now = way_in_force(p);

	p->plan->pool = way == POOL_EXTERNAL ? POOL_EXTERNAL : POOL_AUTO;
	if (way == POOL_EXTERNAL)
		p->masks_stay = "which QueuePool=external leaves alone; clear its adapter's or its "
				"domain's bit, or use QueuePool=auto";
	/* Without any definition the pool is somebody else's, until we have set it once. */
	if (way == POOL_EXTERNAL ||
		(p->config->n_matrices == 0 && !p->ledger->masks_ours && !p->ledger->split))
		return;
	if (way == POOL_AUTO)
		way = way_by_itself(p);
	if (!is_available(p, way))
		return;
	p->plan->pool = way;
	/* Where only others have overrides there is nothing of ours to go on with. */
	if (now != POOL_AUTO && now != way && (now == POOL_MASKS || p->ledger->split)) {
		p->pool_changes = !planner_hold(p, "") && may_change(p, way);
		if (!p->pool_changes)
			p->plan->pool = now;
	}
	p->plan->pool_managed = may_write(p);
	/* While vfio_ap is away, perhaps to come back at once, queues do not change hands. */
	p->plan->pool_managed = p->plan->pool_managed && p->observed->has_matrix_device;
	p->pool_changes = p->pool_changes && p->plan->pool_managed;
}
