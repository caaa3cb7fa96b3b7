/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What is to be told of guests that come and go: every attach, detach and refused attach once,
 * device by device in the order in which it happened.  Two witnesses are heard.  The kernel
 * module's events say each by itself, with number and process, but may be lost, doubled, or ahead
 * of the last look.  A look at the host is the truth, but knows no more than who has what now, and
 * how often that changed.  So what a look confirms is told as the events said it, and what they
 * missed is filled in by the look's count.
 *
 * It must not know where events come from, nor who is told.
 */
#include "core/observed.h"

enum attach_event_type { EVENT_ATTACH, EVENT_ATTACH_FAILED, EVENT_DETACH };
DECLARE_STRTAB(attach_event_type, enum attach_event_type); /* as APMATRIX_EVENT says it */

#define ATTACH_COMM_SIZE 16u

struct attach_event {
	char uuid[UUID_SIZE];
	enum attach_event_type type;
	uint64_t seq; /* the module's number, one sequence for all devices; 0: none */
	uint32_t pid; /* of the virtual machine; 0: unknown */
	int error;    /* EVENT_ATTACH_FAILED: negative errno */
	char comm[ATTACH_COMM_SIZE]; /* the process's name, or "" */
};

/* The last that was told of a device. */
struct attach_told {
	char uuid[UUID_SIZE];
	bool attached;
	bool by_module; /* count and seq are the module's */
	uint32_t pid;   /* 0: none, or unknown */
	uint64_t count, seq;
};

struct attach_log;

struct attach_log *attach_log_new(void); /* NULL: out of memory */
void attach_log_free(struct attach_log *l);
DEFINE_CLEANUP(struct attach_log, attach_log_free)

/* What an earlier daemon told last.  Only before the first look.  0 or -ENOMEM. */
int attach_log_restore(struct attach_log *l, const struct attach_told *told);

/* That was all: of other devices it told nothing, so that there was nothing. */
void attach_log_restored(struct attach_log *l);

/* An event of the module has arrived.  0 or -ENOMEM (then it counts as lost). */
int attach_log_hear(struct attach_log *l, const struct attach_event *e);

/*
 * A look has seen @o.  *ret is a new array of what is to be told now, in order (*ret_n may be 0).
 * A lost event has its number and process where they can be told; otherwise the number of the next
 * one that is known of its device, and process 0.  The first look tells nothing, or what changed since an earlier daemon's last.  Devices of which nothing is known (ATTACH_UNKNOWN, or not found by an
 * incomplete look) are left for the next look.
 * 0 or -ENOMEM, then nothing is told and the next look makes up for it.
 */
int attach_log_look(
	struct attach_log *l, const struct observed *o, struct attach_event **ret, size_t *ret_n);

/* The last that was told, by UUID; valid until the next look. */
const struct attach_told *attach_log_told(const struct attach_log *l, size_t *ret_n);
