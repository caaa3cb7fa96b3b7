/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Second pass of the planner: no queue may belong to two.  Of two definitions that want the same
 * queue neither is guessed right; what is there stays, what is not there is not started.  And who
 * counts on a queue that another keeps (a guest's, a foreign device's) stands back too.
 */
#include "core/planner.h"

#include <string.h>

#define N_QUEUES (MASK_BITS * MASK_BITS)
#define NOBODY 0u

static unsigned apqn(unsigned adapter, unsigned domain)
{
	return adapter << 8 | domain;
}

/* ---- two definitions want the same queue ---- */

struct conflict {
	uint32_t other; /* 1 + index of the verdict; NOBODY */
	uint16_t queue;
};

/* A definition takes part if it is to exist and can be carried out. */
static bool takes_part(const struct verdict *v)
{
	return v->config && v->wanted && v->kind != VERDICT_BLOCKED;
}

static void claim(struct conflict *conflicts, uint32_t *wanter, const struct plan *plan, size_t i)
{
	const struct matrix *want = &plan->verdicts[i].config->want;

	MASK_FOREACH (a, &want->adapters) {
		MASK_FOREACH (d, &want->domains) {
			uint32_t *w = &wanter[apqn(a, d)];

			if (*w == NOBODY) {
				*w = (uint32_t)i + 1;
				continue;
			}
			if (conflicts[i].other == NOBODY)
				conflicts[i] = (struct conflict){*w, (uint16_t)apqn(a, d)};
			if (conflicts[*w - 1].other == NOBODY)
				conflicts[*w - 1] =
					(struct conflict){(uint32_t)i + 1, (uint16_t)apqn(a, d)};
		}
	}
}

static void block_conflict(struct planner *p, struct verdict *v, const struct conflict *c)
{
	const struct matrix_config *other = p->plan->verdicts[c->other - 1].config;
	unsigned a = c->queue >> 8, d = c->queue & 0xff;
	struct origin here = matrix_config_origin_of(v->config, KEY_ADAPTERS, a);
	struct origin there = matrix_config_origin_of(other, KEY_ADAPTERS, a);
	char queue[QUEUE_NAME_SIZE];

	queue_format(a, d, queue);
	planner_block(p, v, "QueueConflict", "queue-conflict", here,
		"queue %s is also wanted by %s (%s:%u); %s until one of them gives it up", queue,
		other->name, there.file, there.line,
		v->mdev ? "this one stays as it is" : "this one is not started");
}

static void block_conflicts(struct planner *p)
{
	struct plan *plan = p->plan;
	_cleanup_free_ uint32_t *wanter = calloc(N_QUEUES, sizeof(*wanter));
	_cleanup_free_ struct conflict *conflicts =
		calloc(plan->n_verdicts + 1, sizeof(*conflicts));

	if (!wanter || !conflicts) {
		p->failed = true;
		return;
	}
	for (size_t i = 0; i < plan->n_verdicts; i++)
		if (takes_part(&plan->verdicts[i]))
			claim(conflicts, wanter, plan, i);
	for (size_t i = 0; i < plan->n_verdicts; i++)
		if (conflicts[i].other != NOBODY)
			block_conflict(p, &plan->verdicts[i], &conflicts[i]);
}

/* ---- someone counts on a queue that another keeps ---- */

struct claims {
	uint32_t *holder;  /* has the queue now and after the plan */
	uint32_t *wanter;  /* is to get it by the plan */
	uint32_t *blocked; /* worklist of verdicts that must stand back */
	size_t n_blocked;
	bool *done;
};

/* Why @by has not given the queue up yet although it will, as the end of a sentence; NULL: it does
 * not mean to. */
static const char *why_later(const struct verdict *by)
{
	if (by->kind == VERDICT_HELD)
		return "which could not be changed; it is taken when that has been done";
	if (by->kind != VERDICT_PENDING)
		return NULL;
	if (!verdict_is_busy(by))
		return "which waits itself; it is taken when that one has given it up";
	return by->mdev->attach == ATTACH_YES
		? "which a guest has; it is taken when that guest detaches"
		: "which a guest may have (nobody can tell); it is taken when none has it";
}

static void block_held(
	struct planner *p, struct verdict *v, const struct verdict *by, unsigned queue)
{
	struct origin origin = v->config
		? matrix_config_origin_of(v->config, KEY_ADAPTERS, queue >> 8)
		: (struct origin){};
	const char *later = why_later(by);
	char name[QUEUE_NAME_SIZE];

	queue_format(queue >> 8, queue & 0xff, name);
	if (later) {
		verdict_freeze(v);
		verdict_set(p, v, VERDICT_PENDING, "WaitsForQueue", "queue %s is held by %s, %s",
			name, verdict_name(by), later);
		planner_problem(p, PROBLEM_WARNING, "queue-held", v, origin, "%s", v->message);
		return;
	}
	planner_block(p, v, "QueueHeld", "queue-held", origin,
		"queue %s is held by %s%s, which stays as it is; remove that device, or change one "
		"of the two",
		name, by->config ? "" : "the device ", verdict_name(by));
}

/* @by keeps the queue: whoever was to get it goes on the worklist. */
static void hold_queue(struct planner *p, struct claims *c, size_t by, unsigned queue)
{
	uint32_t wanter = c->wanter[queue];

	c->holder[queue] = (uint32_t)by + 1;
	if (wanter == NOBODY || wanter == by + 1 || c->done[wanter - 1])
		return;
	c->done[wanter - 1] = true;
	block_held(p, &p->plan->verdicts[wanter - 1], &p->plan->verdicts[by], queue);
	c->blocked[c->n_blocked++] = wanter - 1;
}

static void hold_kept(struct planner *p, struct claims *c, size_t i)
{
	const struct verdict *v = &p->plan->verdicts[i];

	if (!v->has_target || !verdict_is_readable(v))
		return;
	MASK_FOREACH (a, &v->mdev->assigned.adapters) {
		struct mask shed = verdict_shed_domains(v, a);
		struct mask kept = mask_andnot(&v->mdev->assigned.domains, &shed);

		MASK_FOREACH (d, &kept)
			hold_queue(p, c, i, apqn(a, d));
	}
}

static void want_new(struct claims *c, const struct verdict *v, size_t i)
{
	if (!v->has_target)
		return;
	MASK_FOREACH (a, &v->target.adapters) {
		struct mask fresh = verdict_new_domains(v, a);

		MASK_FOREACH (d, &fresh)
			c->wanter[apqn(a, d)] = (uint32_t)i + 1;
	}
}

void planner_settle(struct planner *p)
{
	size_t n = p->plan->n_verdicts;
	_cleanup_free_ uint32_t *maps = calloc(2 * N_QUEUES + n + 1, sizeof(*maps));
	_cleanup_free_ bool *done = calloc(n + 1, sizeof(*done));
	struct claims c = {maps, maps + N_QUEUES, maps + 2 * N_QUEUES, 0, done};

	if (!maps || !done) {
		p->failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		want_new(&c, &p->plan->verdicts[i], i);
	for (size_t i = 0; i < n; i++)
		hold_kept(p, &c, i);
	/* Who stands back keeps what it has, which others may have counted on. */
	while (c.n_blocked > 0)
		hold_kept(p, &c, c.blocked[--c.n_blocked]);
}

void planner_resolve_conflicts(struct planner *p)
{
	block_conflicts(p);
	if (!p->failed)
		planner_settle(p);
}
