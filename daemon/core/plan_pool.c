/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Third pass of the planner: how the queues leave the host.  Asks the pool solver where that is by
 * masks and these are the daemon's to set; where they are not, or where no masks will do, those who
 * would need other ones stand back.
 */
#include "core/planner.h"

#include <string.h>

#include "core/stored.h"

/* Bits that the kernel would refuse to set.  Since 6.19 that is every number that a mediated
 * device has; before, only queues count, which the cover takes care of.  While not everything
 * could be read, nothing is given back at all. */
static void stuck_bits(const struct planner *p, struct pool_request *r)
{
	const struct observed *o = p->observed;
	struct mask full = mask_full();
	bool all = !o->complete;

	for (size_t i = 0; i < p->plan->n_verdicts && !all; i++) {
		const struct verdict *v = &p->plan->verdicts[i];
		struct matrix rest;

		if (!v->mdev || !v->has_target)
			continue;
		if (!v->mdev->assigned_known) {
			all = true;
			break;
		}
		rest = matrix_and(&v->mdev->assigned, &v->target);
		if (!(o->features & FEATURE_STRICT_MASKS) || matrix_n_queues(&rest) == 0)
			continue;
		r->stuck_adapters = mask_or(&r->stuck_adapters, &rest.adapters);
		r->stuck_domains = mask_or(&r->stuck_domains, &rest.domains);
	}
	if (all)
		r->stuck_adapters = r->stuck_domains = full;
	r->stuck_adapters = mask_andnot(&r->stuck_adapters, &o->apmask);
	r->stuck_domains = mask_andnot(&r->stuck_domains, &o->aqmask);
}

static void pool_request_make(
	const struct planner *p, struct pool_request *r, const struct queues *unkept, bool reserve)
{
	const struct observed *o = p->observed;

	memset(r, 0, sizeof(*r));
	for (unsigned a = 0; a < MASK_BITS; a++)
		r->keep.row[a] = mask_andnot(&p->config->host.keep.row[a], &unkept->row[a]);
	r->present = o->present;
	r->apmask = o->apmask;
	r->aqmask = o->aqmask;
	for (size_t i = 0; i < p->plan->n_verdicts; i++) {
		const struct verdict *v = &p->plan->verdicts[i];

		if (v->has_target)
			queues_add_product(&r->guest, &v->target.adapters, &v->target.domains);
		if (reserve && verdict_reserves(v))
			queues_add_product(
				&r->guest, &v->config->want.adapters, &v->config->want.domains);
	}
	stuck_bits(p, r);
}

/* ---- no masks will do ---- */

/* Names the KeepQueues= lines that force a queue's adapter and domain to stay with the host. */
static void block_uncovered(struct planner *p, struct verdict *v, unsigned a, unsigned d)
{
	const struct host_config *h = &p->config->host;
	unsigned by_adapter = mask_next(&h->keep.row[a], 0), by_domain = 0;
	struct origin at =
		v->config ? matrix_config_origin_of(v->config, KEY_ADAPTERS, a) : (struct origin){};
	char queue[QUEUE_NAME_SIZE], one[QUEUE_NAME_SIZE], two[QUEUE_NAME_SIZE];

	while (by_domain < MASK_BITS && !queues_test(&h->keep, by_domain, d))
		by_domain++;
	queue_format(a, d, queue);
	if (by_adapter == MASK_BITS || by_domain == MASK_BITS) {
		planner_block(p, v, "KeptByHost", "kept-by-host", at,
			"queue %s cannot leave the host: KeepQueues= and the devices that exist "
			"fix "
			"the masks of its adapter and its domain",
			queue);
		return;
	}
	queue_format(a, by_adapter, one);
	queue_format(by_domain, d, two);

	struct origin first = host_config_keep_origin(h, a, by_adapter);
	struct origin second = host_config_keep_origin(h, by_domain, d);

	planner_block(p, v, "KeptByHost", "kept-by-host", at,
		"queue %s cannot leave the host: masks cut whole adapters and domains, and "
		"KeepQueues= keeps %s (%s:%u) and %s (%s:%u); drop one of them, or choose another "
		"domain",
		queue, one, first.file, first.line, two, second.file, second.line);
}

/* The first queue of @v's new ones that is in @set, or -1. */
static int first_new_in(const struct verdict *v, const struct queues *set)
{
	if (!v->has_target)
		return -1;
	MASK_FOREACH (a, &v->target.adapters) {
		struct mask fresh = verdict_new_domains(v, a);
		struct mask hit = mask_and(&fresh, &set->row[a]);

		if (!mask_is_empty(&hit))
			return (int)(a << 8 | mask_next(&hit, 0));
	}
	return -1;
}

/* Returns how many stood back. */
static unsigned block_impossible(struct planner *p, const struct queues *impossible)
{
	unsigned n = 0;

	for (size_t i = 0; i < p->plan->n_verdicts; i++) {
		struct verdict *v = &p->plan->verdicts[i];
		int queue = first_new_in(v, impossible);

		if (queue < 0)
			continue;
		block_uncovered(p, v, (unsigned)queue >> 8, (unsigned)queue & 0xff);
		n++;
	}
	return n;
}

static void note_forced(struct planner *p, const struct pool_result *r)
{
	_cleanup_free_ char *text = NULL;
	unsigned n = queues_count(&r->forced);

	if (!r->exact)
		planner_problem(p, PROBLEM_NOTE, "pool-inexact", NULL, (struct origin){},
			"%u groups of adapters are too many for an exact search; the pool is the "
			"best found in %llu steps and may cost the host more queues than needed",
			r->n_classes, (unsigned long long)r->n_steps);
	if (n == 0)
		return;
	text = planner_queues_text(p, &r->forced);
	if (!text)
		return;
	planner_problem(p, PROBLEM_NOTE, "forced-queues", NULL, (struct origin){},
		"queue%s %s leave%s the host although no device gets %s, since masks cut whole "
		"adapters and domains",
		n == 1 ? "" : "s", text, n == 1 ? "s" : "", n == 1 ? "it" : "them");
}

/* What chzdev stored takes queues from the host at each boot, and this plan gives them back: if
 * another tool counts on them, such as mdevctl, a drop-in should say so. */
static void note_stored(struct planner *p)
{
	const struct stored_masks *s = &p->config->stored;
	struct origin at = s->apmask_at.file ? s->apmask_at : s->aqmask_at;
	_cleanup_free_ struct queues *back = calloc(1, sizeof(*back));
	_cleanup_free_ char *text = NULL;
	unsigned n;

	for (unsigned a = 0; a < MASK_BITS && back; a++)
		MASK_FOREACH (d, &p->observed->present.row[a])
			if (stored_takes(s, a, d) && plan_host_owns(p->plan, a, d))
				queues_set(back, a, d);
	n = back ? queues_count(back) : 0;
	if (n > 0)
		text = planner_queues_text(p, back);
	if (!back || (n > 0 && !text)) {
		p->failed = true;
		return;
	}
	if (n > 0)
		planner_problem(p, PROBLEM_WARNING, "stored-masks", NULL, at,
			"the masks that chzdev stored take queue%s %s from the host at each boot, "
			"and since no [Matrix] wants %s, apmatrixd gives %s back; for a device of "
			"mdevctl write a drop-in ('apmatrixctl import-mdevctl'), or set "
			"QueuePool=external; else drop the masks by 'chzdev --type ap "
			"--persistent --remove-all'",
			n == 1 ? "" : "s", text, n == 1 ? "it" : "them", n == 1 ? "it" : "them");
}

/* ---- kept queues that cannot be given back ---- */

/* The device that has the queue, or (since 6.19 enough to keep the bit from being set) its adapter
 * or domain; NULL: none. */
static const struct verdict *keeper_of(const struct planner *p, unsigned a, unsigned d)
{
	const struct verdict *near = NULL;

	for (size_t i = 0; i < p->plan->n_verdicts; i++) {
		const struct verdict *v = &p->plan->verdicts[i];
		bool adapter = v->has_target && mask_test(&v->target.adapters, a);
		bool domain = v->has_target && mask_test(&v->target.domains, d);

		if (adapter && domain)
			return v;
		if (!near && (adapter || domain))
			near = v;
	}
	return near;
}

void planner_note_unkept(struct planner *p, unsigned a, unsigned d)
{
	const struct verdict *v = keeper_of(p, a, d);
	struct origin at = host_config_keep_origin(&p->config->host, a, d);
	char name[QUEUE_NAME_SIZE];

	queue_format(a, d, name);
	if (v && mask_test(&v->target.adapters, a) && mask_test(&v->target.domains, d))
		planner_problem(p, PROBLEM_ERROR, "keep-impossible", NULL, at,
			"queue %s is to stay with the host, but %s has it; stop that one, or take "
			"the queue from KeepQueues=",
			name, verdict_name(v));
	else if (v)
		planner_problem(p, PROBLEM_ERROR, "keep-impossible", NULL, at,
			"queue %s is to stay with the host, but its bit cannot be set: kernel %s "
			"refuses that for each adapter and domain that a device has, and %s has "
			"one of them; stop that one and start it again",
			name, p->observed->release, verdict_name(v));
	else
		planner_problem(p, PROBLEM_ERROR, "keep-impossible", NULL, at,
			"queue %s is to stay with the host, but is not given back while the host "
			"cannot be read completely",
			name);
}

/* What cannot be given back is said once for each adapter, and no longer asked for: it is not the
 * host's now, and everybody else's masks need not wait for it.  Returns how many queues. */
static unsigned give_up_kept(
	struct planner *p, const struct queues *impossible, struct queues *unkept)
{
	unsigned n = 0;

	for (unsigned a = 0; a < MASK_BITS; a++) {
		struct mask lost = mask_and(&impossible->row[a], &p->config->host.keep.row[a]);

		lost = mask_andnot(&lost, &unkept->row[a]);
		if (mask_is_empty(&lost))
			continue;
		planner_note_unkept(p, a, mask_next(&lost, 0));
		unkept->row[a] = mask_or(&unkept->row[a], &lost);
		n += mask_count(&lost);
	}
	return n;
}

/* Solves; makes those stand back for whom there is no cover; solves again. */
static void solve(struct planner *p)
{
	_cleanup_free_ struct pool_request *request = malloc(sizeof(*request));
	_cleanup_free_ struct pool_result *result = malloc(sizeof(*result));
	_cleanup_free_ struct queues *unkept = calloc(1, sizeof(*unkept));
	bool reserve = true;
	int r = 1;

	if (!request || !result || !unkept) {
		p->failed = true;
		return;
	}
	while (r > 0 && !p->failed) {
		pool_request_make(p, request, unkept, reserve);
		r = pool_solve(request, result);
		if (r <= 0)
			break;
		if (block_impossible(p, &result->impossible) > 0) {
			planner_settle(p);
		} else if (reserve) {
			reserve = false;
		} else if (give_up_kept(p, &result->impossible, unkept) == 0) {
			/* Devices that have queues of the host: nothing that masks could mend. */
			p->plan->pool_managed = false;
			return;
		}
	}
	if (r < 0)
		p->failed = true;
	if (p->failed)
		return;
	p->plan->apmask = result->apmask;
	p->plan->aqmask = result->aqmask;
	p->plan->pool_exact = result->exact;
	note_forced(p, result);
}

/* Masks that are not touched now, for all that is to be. */
bool planner_masks_serve(struct planner *p)
{
	_cleanup_free_ struct pool_request *request = malloc(sizeof(*request));
	_cleanup_free_ struct pool_result *result = malloc(sizeof(*result));
	_cleanup_free_ struct queues *unkept = calloc(1, sizeof(*unkept));
	int r = -ENOMEM;

	if (request && result && unkept) {
		pool_request_make(p, request, unkept, true);
		r = pool_solve(request, result);
	}
	if (r < 0)
		p->failed = true;
	return r == 0;
}

/* Where the masks stay as they are, nobody may count on a queue that they leave to the host. */
static void block_host_owned(struct planner *p)
{
	_cleanup_free_ struct queues *host = calloc(1, sizeof(*host));
	unsigned n = 0;

	if (!host) {
		p->failed = true;
		return;
	}
	/* A queue with a driver_override is whose driver it has (ap_owned_by_def_drv()) until it is
	 * bound anew. */
	for (unsigned a = 0; a < MASK_BITS; a++) {
		host->row[a] = plan_host_domains(p->plan, a);
		if (!p->plan->pool_managed) {
			struct mask unmoved =
				mask_and(&p->plan->override.row[a], &p->observed->host.row[a]);

			host->row[a] = mask_or(&host->row[a], &unmoved);
		}
	}
	for (size_t i = 0; i < p->plan->n_verdicts; i++) {
		struct verdict *v = &p->plan->verdicts[i];
		int queue = first_new_in(v, host);
		char name[QUEUE_NAME_SIZE];

		if (queue < 0)
			continue;
		queue_format((unsigned)queue >> 8, (unsigned)queue & 0xff, name);
		planner_block(p, v, "HostOwned", "host-owned",
			v->config ? matrix_config_origin_of(
					    v->config, KEY_ADAPTERS, (unsigned)queue >> 8)
				  : (struct origin){},
			"queue %s is the host's by apmask and aqmask%s%s", name,
			p->masks_stay ? ", " : "", p->masks_stay ? p->masks_stay : "");
		n++;
	}
	if (n > 0)
		planner_settle(p);
}

/* Nothing of ours is wanted or left, and the host has its queues back: from now on the pool is
 * anybody's again, an administrator's or chzdev's. */
static bool pool_is_over(const struct planner *p)
{
	const struct plan *plan = p->plan;

	if (p->config->n_matrices > 0 || !mask_equal(&plan->apmask, &p->observed->apmask) ||
		!mask_equal(&plan->aqmask, &p->observed->aqmask) ||
		!queues_is_empty(&plan->overrides_ours))
		return false;
	for (size_t i = 0; i < plan->n_verdicts; i++)
		if (plan->verdicts[i].ours && plan->verdicts[i].mdev)
			return false;
	return true;
}

void planner_solve_pool(struct planner *p)
{
	struct plan *plan = p->plan;

	plan->apmask = p->observed->apmask;
	plan->aqmask = p->observed->aqmask;
	plan->override = p->observed->override;
	plan->overrides_ours = p->ledger->overrides;
	plan->pool_exact = true;
	plan->pool = p->config->host.pool == POOL_EXTERNAL ? POOL_EXTERNAL : POOL_AUTO;
	if (!p->observed->has_ap_bus)
		return;
	planner_choose_way(p);
	if (plan->pool_managed && plan->pool == POOL_DRIVER_OVERRIDE) {
		planner_split_queues(p);
	} else if (plan->pool_managed) {
		planner_clear_overrides(p);
		solve(p);
	}
	if (plan->pool_managed && p->config->n_matrices > 0 && !p->failed)
		note_stored(p);
	if (plan->pool_managed && pool_is_over(p))
		plan->pool = POOL_AUTO;
	if (!p->failed)
		block_host_owned(p);
}
