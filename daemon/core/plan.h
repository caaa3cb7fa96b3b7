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

enum step_type {
	STEP_APMASK,         /* mask */
	STEP_AQMASK,         /* mask */
	STEP_OVERRIDE,       /* number = APQN: driver_override = vfio_ap */
	STEP_CLEAR_OVERRIDE, /* number = APQN */
	STEP_UNBIND,         /* number = APQN: from its present driver */
	STEP_PROBE,          /* number = APQN: drivers_probe */
	STEP_CREATE,         /* uuid */
	STEP_REMOVE,         /* uuid */
	STEP_AP_CONFIG,      /* uuid, matrix */
	STEP_ASSIGN_ADAPTER, /* uuid, number; likewise the others */
	STEP_ASSIGN_DOMAIN,
	STEP_ASSIGN_CONTROL_DOMAIN,
	STEP_UNASSIGN_ADAPTER,
	STEP_UNASSIGN_DOMAIN,
	STEP_UNASSIGN_CONTROL_DOMAIN,
	N_STEP_TYPES,
};
/* The attribute's name: "apmask", "driver_override", "create", "ap_config", ... */
DECLARE_STRTAB(step_type, enum step_type);

/* A stage begins when all steps of the stages before it have ended.  Within a stage the steps of
 * one object are in order; those of different objects may run at the same time.  The steps of
 * STAGE_POOL are one object. */
enum stage {
	STAGE_RELEASE, /* mdevs give up what others or the host are to get */
	STAGE_POOL,    /* masks: first what only clears bits, then what sets some; or overrides */
	STAGE_GROW,    /* mdevs are made and get the rest */
	N_STAGES,
};

struct step {
	enum step_type type;
	enum stage stage;
	char uuid[UUID_SIZE];           /* "" in STAGE_POOL */
	char name[MATRIX_NAME_MAX + 1]; /* of the matrix, for messages; "" for foreign devices */
	unsigned number;
	struct mask mask;
	struct matrix matrix;
};

#define STEP_VALUE_SIZE MATRIX_AP_CONFIG_SIZE

/* What the step acts on, for people and D-Bus: the matrix's name, else its UUID, else "host" or
 * the queue.  Writes into @buf where needed. */
const char *step_object(const struct step *s, char buf[static UUID_SIZE]);

/* The text that is written to the attribute: "0x05", "0xffff...", a UUID, ... */
void step_value(const struct step *s, char buf[static STEP_VALUE_SIZE]);

/* One line for people: "guest1: ap_config = adapters 5-6, domains 4,0xab". */
int step_format(const struct step *s, char **ret);

/* Why a step failed, as a sentence with reason and next step, from the errno (kernel-contract:
 * EADDRINUSE, EADDRNOTAVAIL, EBUSY, ENODEV, ... mean different things for different steps). */
int step_explain(const struct step *s, int error, char **ret);

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
	const struct hold *holds;
	size_t n_holds;
};

struct plan {
	struct step *steps;
	size_t n_steps;
	struct verdict *verdicts;
	size_t n_verdicts;
	struct problems problems;
	bool pool_managed; /* the masks are ours to set */
	bool pool_exact;
	enum pool_mode pool;        /* the mode in force: masks, driver-override or external */
	struct mask apmask, aqmask; /* after the plan */
};

/* Returns 0 or -ENOMEM.  The plan borrows from @in's config and observed: they must live longer. */
int plan_make(const struct plan_input *in, struct plan **ret);
void plan_free(struct plan *p);
DEFINE_CLEANUP(struct plan, plan_free)

const struct verdict *plan_find(const struct plan *p, const char *uuid);

/* The whole plan for people, a line a step under a line a stage; "nothing to do\n" if empty. */
int plan_format(const struct plan *p, char **ret);
