/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What the parts of the planner share; for plan*.c only.  A plan is made in four passes over the
 * same verdicts:
 *   plan_judge.c     what each matrix should become, looked at by itself
 *   plan_conflict.c  who must stand back where two want, or one has, the same queue
 *   plan_pool.c      which masks the queues need; who must stand back where none will do
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
	bool failed;            /* out of memory somewhere: plan_make() says so at its end */
};

/* The verdict's name for messages: the matrix's, or the UUID of a device without one. */
const char *verdict_name(const struct verdict *v);

/* True if a guest has it, or nobody knows. */
bool verdict_is_busy(const struct verdict *v);

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

/* True if the queue is the host's under the masks that the plan ends with. */
static inline bool plan_host_owns(const struct plan *p, unsigned adapter, unsigned domain)
{
	return mask_test(&p->apmask, adapter) && mask_test(&p->aqmask, domain);
}

/* The domains that @v's target has at @adapter and that its device does not have yet; and those
 * that it has and is to give up. */
struct mask verdict_new_domains(const struct verdict *v, unsigned adapter);
struct mask verdict_shed_domains(const struct verdict *v, unsigned adapter);
