/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Compare and plan: from what is wanted, what is there and what is ours, the ordered steps that
 * lead from one to the other, and for every matrix a verdict that explains what will not be
 * done and why.  Pure: the same input gives the same plan.
 */
#include "core/config.h"
#include "core/ledger.h"
#include "core/observed.h"
#include "core/pool.h"
#include "core/problem.h"
#include "core/step.h"

/* A matrix or the pool ("") that failed, and is left alone until its time comes again. */
struct hold {
	char uuid[UUID_SIZE]; /* "": the pool */
	int error;            /* errno of the step, positive */
	unsigned failures;    /* in a row */
	uint64_t until;       /* microseconds, the engine's clock */
	char *message;        /* owned by the engine */
};

enum verdict_kind {
	VERDICT_FINE,    /* is, or will be after the plan, as configured */
	VERDICT_IDLE,    /* not wanted now (Start=, stopped by hand) and not there */
	VERDICT_PENDING, /* changes when the guest detaches */
	VERDICT_BLOCKED, /* a problem stands in the way; what is there stays */
	VERDICT_HELD,    /* failed; tried again later */
	VERDICT_DRIFT,   /* changed by someone else, and Drift=report */
	VERDICT_FOREIGN, /* no drop-in names it and it is not ours */
	VERDICT_LEAVING, /* ours, no drop-in names it any more: will be removed */
};

/* One for every configured matrix, in the config's order, then one for every other mdev. */
struct verdict {
	char uuid[UUID_SIZE];
	const struct matrix_config *config; /* borrowed; NULL: no drop-in names it */
	const struct observed_mdev *mdev;   /* borrowed; NULL: does not exist */
	bool ours;                          /* in the ledger as made, or adopted by this plan */
	bool wanted;                        /* should exist */
	enum verdict_kind kind;
	bool has_target; /* exists after the plan, with: */
	struct matrix target;
	const char *reason; /* static CamelCase: "QueueConflict", "KeptByHost", "Attached", ... */
	char *message;      /* owned; "" where there is nothing to say */
};

struct plan_input {
	const struct config *config;
	const struct observed *observed;
	const struct ledger *ledger;
	const struct hold *holds; /* sorted by UUID */
	size_t n_holds;
};

struct plan {
	struct step *steps;
	size_t n_steps;
	struct verdict *verdicts;
	size_t n_verdicts;
	struct problems problems;
	bool pool_managed; /* the masks, or the overrides, are ours to set */
	bool pool_exact;
	enum pool_mode pool;        /* the mode in force: masks, driver-override or external */
	struct mask apmask, aqmask; /* after the plan */
	struct queues override;     /* queues with driver_override=vfio_ap, after the plan */
	struct queues
		overrides_ours; /* what of the ledger's overrides is still so; without new ones */
};

/* Returns 0 or -ENOMEM.  The plan borrows from @in's config and observed: they must live longer. */
int plan_make(const struct plan_input *in, struct plan **ret);
void plan_free(struct plan *p);
DEFINE_CLEANUP(struct plan, plan_free)

const struct verdict *plan_find(const struct plan *p, const char *uuid);

/* The whole plan for people, a line a step under a line a stage; "nothing to do\n" if empty. */
int plan_format(const struct plan *p, char **ret);
