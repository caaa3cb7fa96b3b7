/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What is published: for every matrix what is configured, what is assigned and what the guest
 * has, never merged; conditions with reason and message, and one word for people.  Self-contained
 * (borrows nothing), so that two of them can be compared after the rest has gone.
 */
#include "core/plan.h"

enum matrix_state {
	MATRIX_DEFINED,  /* configured, does not exist */
	MATRIX_ACTIVE,   /* exists as configured, no guest */
	MATRIX_ATTACHED, /* a guest has it */
	MATRIX_DEGRADED, /* exists, but something of it is missing or differs */
	MATRIX_PENDING,  /* a change waits for detach */
	MATRIX_FAILED,   /* wanted, and not there */
	MATRIX_FOREIGN,  /* no drop-in names it */
};
DECLARE_STRTAB(matrix_state, enum matrix_state);

enum condition_type {
	CONDITION_VALID,     /* its definition can be carried out */
	CONDITION_PRESENT,   /* the mediated device exists */
	CONDITION_ASSIGNED,  /* assigned is what is configured */
	CONDITION_EFFECTIVE, /* the guest's matrix is all of the assigned one */
	CONDITION_ATTACHED,  /* a guest has it open */
	CONDITION_APPLYING,  /* a write is under way */
	N_CONDITIONS,
};
DECLARE_STRTAB(condition_type, enum condition_type); /* "Valid", "Present", ... */

struct condition {
	bool status;
	const char *reason; /* static, CamelCase */
	char *message;      /* owned, "" where there is nothing to add */
};

/* Properties that can change, as bits: what status_diff() reports for a matrix. */
enum matrix_property {
	MP_NAME = 1 << 0,
	MP_GUEST = 1 << 1,
	MP_START_MODE = 1 << 2,
	MP_STATE = 1 << 3,
	MP_CONFIGURED_ADAPTERS = 1 << 4,
	MP_CONFIGURED_DOMAINS = 1 << 5,
	MP_CONFIGURED_CONTROL_DOMAINS = 1 << 6,
	MP_ASSIGNED_ADAPTERS = 1 << 7,
	MP_ASSIGNED_DOMAINS = 1 << 8,
	MP_ASSIGNED_CONTROL_DOMAINS = 1 << 9,
	MP_GUEST_ADAPTERS = 1 << 10,
	MP_GUEST_DOMAINS = 1 << 11,
	MP_ATTACHED = 1 << 12,
	MP_VM_PID = 1 << 13,
	MP_VM_NAME = 1 << 14,
	MP_ATTACHED_SINCE = 1 << 15,
	MP_ATTACH_COUNT = 1 << 16,
	MP_CONDITIONS = 1 << 17,
	MP_ORIGIN = 1 << 18,
	MP_ATTACH_SOURCE = 1 << 19,
	MP_ATTACH_CONFIDENCE = 1 << 20,
};

struct matrix_status {
	char uuid[UUID_SIZE];
	char *name;  /* "" for foreign devices */
	char *guest; /* "" for foreign devices */
	enum start_mode start;
	enum matrix_state state;
	struct matrix configured, assigned, guest_matrix; /* empty where there is none */
	bool attached;
	enum attach_source attach_source;
	enum attach_confidence attach_confidence;
	uint32_t vm_pid;
	char *vm_name;
	uint64_t attached_since, attach_count, attach_seq;
	struct condition conditions[N_CONDITIONS];
	char **origin; /* "FILE:LINE" */
	size_t n_origin;
};

enum manager_property {
	GP_STATE = 1 << 0,
	GP_FEATURES = 1 << 1,
	GP_HAZARDS = 1 << 2,
	GP_ATTACH_SOURCE = 1 << 3,
	GP_QUEUE_POOL = 1 << 4,
	GP_MAX_ADAPTER = 1 << 5,
	GP_MAX_DOMAIN = 1 << 6,
	GP_ADAPTER_MASK = 1 << 7,
	GP_DOMAIN_MASK = 1 << 8,
	GP_HOST_ADAPTERS = 1 << 9,
	GP_HOST_DOMAINS = 1 << 10,
	GP_CONFIG_GENERATION = 1 << 11,
	GP_PROBLEMS = 1 << 12,
	GP_MATRICES = 1 << 13,
	GP_ATTACHED = 1 << 14,
};

/* One word for the whole host. */
enum host_state {
	HOST_STARTING, /* nothing observed yet */
	HOST_WAITING,  /* no AP bus or no vfio_ap here (yet) */
	HOST_APPLYING, /* steps are under way */
	HOST_RUNNING,  /* everything is as configured */
	HOST_DEGRADED, /* something is not: see Problems */
};
DECLARE_STRTAB(host_state, enum host_state);

struct status {
	enum host_state state;
	char release[65];
	uint32_t features, hazards;
	enum attach_source attach_source;
	enum pool_mode pool; /* in force: masks, driver-override or external; auto: not managed */
	unsigned max_adapter, max_domain;
	struct mask apmask, aqmask, host_adapters, host_domains;
	uint64_t config_generation;
	struct problems problems;
	struct matrix_status *matrices; /* sorted by UUID */
	size_t n_matrices;
	unsigned n_attached;
};

struct status_input {
	const struct config *config;
	const struct observed *observed; /* NULL: nothing yet */
	const struct plan *plan;         /* of this observation; NULL with it */
	const struct problems *load_problems;
	const struct hold *holds;
	size_t n_holds;
	uint64_t config_generation;
	const char *const *applying; /* UUIDs with a write under way; "" is the pool */
	size_t n_applying;
};

int status_make(const struct status_input *in, struct status **ret); /* 0 or -ENOMEM */
void status_free(struct status *s);
DEFINE_CLEANUP(struct status, status_free)

const struct matrix_status *status_find(const struct status *s, const char *name_or_uuid);

enum change_kind { CHANGE_ADDED, CHANGE_REMOVED, CHANGE_CHANGED };

struct status_change {
	enum change_kind kind;
	char uuid[UUID_SIZE];
	uint32_t properties; /* enum matrix_property; CHANGE_CHANGED only */
};

struct status_diff {
	uint32_t manager;            /* enum manager_property */
	struct status_change *items; /* by UUID */
	size_t n;
};

/* What is different in @b; @a may be NULL (then every matrix is added).  0 or -ENOMEM. */
int status_diff(const struct status *a, const struct status *b, struct status_diff *ret);
void status_diff_done(struct status_diff *d);
bool status_diff_is_empty(const struct status_diff *d);
