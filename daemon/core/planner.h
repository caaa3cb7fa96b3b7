/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What the parts of the planner share; for plan*.c only.  A plan is made in four passes (judge,
 * conflict, pool, steps) over the same verdicts:
 *   plan_judge.c     what each matrix should become, looked at by itself
 *   plan_conflict.c  who must stand back where two want, or one has, the same queue
 *   plan_strategy.c  by masks or by driver_override, and whether that can be changed
 *   plan_pool.c      which masks the queues need; who must stand back where none will do
 *   plan_override.c  which queues need a driver_override; who must stand back
 *   plan_steps.c     the writes, in an order in which no state between does harm
 */
#include "core/plan.h"

struct planner {
	const struct config *config;
	const struct observed *observed;
	const struct ledger *ledger;
	const struct plan_input *in;
	struct plan *plan;
	const char *masks_stay; /* why the masks are not written, and what to do; NULL: they are */
	bool pool_changes;  /* from masks to overrides or back: all devices give up their queues */
	struct queues take; /* queues that are to have our override and vfio_ap's driver */
	struct queues give_back; /* queues of ours that go back to the host */
	bool failed;             /* out of memory somewhere: plan_make() says so at its end */
};

/* The verdict's name for messages: the matrix's, or the UUID of a device without one. */
const char *verdict_name(const struct verdict *v);

/* True if a guest has it, or nobody knows. */
bool verdict_is_busy(const struct verdict *v);

/* What may change under its guest: as it is configured, or nothing where the kernel lets nothing. */
enum live_change verdict_live_change(const struct planner *p, const struct verdict *v);

/* True if it exists and what it has is known. */
bool verdict_is_readable(const struct verdict *v);

/* Leaves what is there as it is: the target becomes what is assigned now, or nothing. */
void verdict_freeze(struct verdict *v);

void verdict_set(struct planner *p, struct verdict *v, enum verdict_kind kind, const char *reason,
	const char *format, ...) _printf_(5, 6);

/* Adds a problem about @v that points to @origin (file NULL: no place). */
void planner_problem(struct planner *p, enum problem_severity severity, const char *code,
	const struct verdict *v, struct origin origin, const char *format, ...) _printf_(6, 7);

/* Freezes @v as blocked, and adds the same sentence as an error at @origin. */
void planner_block(struct planner *p, struct verdict *v, const char *reason, const char *code,
	struct origin origin, const char *format, ...) _printf_(6, 7);

/* The hold on @uuid ("": the pool), or NULL. */
const struct hold *planner_hold(const struct planner *p, const char *uuid);

/* The passes; all leave p->failed set where memory ran out. */
void planner_judge(struct planner *p);
void planner_resolve_conflicts(struct planner *p);
void planner_solve_pool(struct planner *p);
void planner_emit_steps(struct planner *p);

/* Makes everyone stand back who counts on a queue that another keeps, and those who count on
 * theirs, until nothing changes: to be called after verdicts were frozen (plan_conflict.c). */
void planner_settle(struct planner *p);

/* True if the queue is the host's under the masks and overrides that the plan ends with. */
static inline bool plan_host_owns(const struct plan *p, unsigned adapter, unsigned domain)
{
	return mask_test(&p->apmask, adapter) && mask_test(&p->aqmask, domain) &&
		!queues_test(&p->override, adapter, domain);
}

/* The domains of which that is so at @adapter. */
struct mask plan_host_domains(const struct plan *p, unsigned adapter);

/* plan_strategy.c: sets plan->pool, pool_managed, pool_changes and masks_stay. */
void planner_choose_way(struct planner *p);

/* plan_pool.c: whether there are masks for all that is to be, from untouched ones. */
bool planner_masks_serve(struct planner *p);

/* plan_pool.c: says why a kept queue is not the host's. */
void planner_note_unkept(struct planner *p, unsigned adapter, unsigned domain);

/* plan_override.c: the first queue of @v's target that no override can reserve, or -1. */
int verdict_unsplittable(const struct planner *p, const struct verdict *v);
void planner_split_queues(struct planner *p);
void planner_clear_overrides(struct planner *p);
void planner_emit_clears(struct planner *p);
void planner_emit_overrides(struct planner *p);

/* plan_steps.c: a new last step, zeroed but for these; NULL: p->failed. */
struct step *planner_step(
	struct planner *p, enum step_type type, enum stage stage, const struct verdict *v);

/* What is wanted and only for the moment not there as wanted (a failed write that is tried again, a
 * drift that is to be looked at): its queues are not handed back and forth meanwhile. */
static inline bool verdict_reserves(const struct verdict *v)
{
	return v->config && v->wanted && (v->kind == VERDICT_HELD || v->kind == VERDICT_DRIFT);
}

/* "05.0001, 05.0002 and 7 more"; NULL: p->failed. */
char *planner_queues_text(struct planner *p, const struct queues *q);

/* The domains that @v's target has at @adapter and that its device does not have yet; and those
 * that it has and is to give up. */
struct mask verdict_new_domains(const struct verdict *v, unsigned adapter);
struct mask verdict_shed_domains(const struct verdict *v, unsigned adapter);
