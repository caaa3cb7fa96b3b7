/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A step is one write to one attribute: what a plan consists of, what a worker carries out, and
 * what a person is told when the kernel refuses it.
 */
#include "core/config.h"

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
	STEP_ASSIGN_ADAPTER, /* uuid, number, matrix (what the mdev has then); likewise the rest */
	STEP_ASSIGN_DOMAIN,
	STEP_ASSIGN_CONTROL_DOMAIN,
	STEP_UNASSIGN_ADAPTER,
	STEP_UNASSIGN_DOMAIN,
	STEP_UNASSIGN_CONTROL_DOMAIN,
	N_STEP_TYPES,
};
/* The attribute's name, "apmask", "create", "ap_config", ...; STEP_CLEAR_OVERRIDE, which writes to
 * the same attribute as STEP_OVERRIDE, is "clear_driver_override". */
DECLARE_STRTAB(step_type, enum step_type);

/* A stage begins when all steps of the stages before it have ended.  Within a stage the steps of
 * one object are in order; those of different objects may run at the same time.  The steps of
 * STAGE_POOL are one object. */
enum stage {
	STAGE_RELEASE, /* mdevs give up what others or the host are to get */
	STAGE_POOL,    /* overrides cleared; masks, first what only clears bits; overrides set */
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

/* The same without the object: "ap_config = adapters 5-6, domains 4,0xab". */
int step_format_action(const struct step *s, char **ret);

/* Why a step failed, as a sentence (without the object) with reason and next step, from the errno (kernel-contract:
 * EADDRINUSE, EADDRNOTAVAIL, EBUSY, ENODEV, ... mean different things for different steps). */
int step_explain(const struct step *s, int error, char **ret);
