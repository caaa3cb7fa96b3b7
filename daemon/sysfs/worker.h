/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A pool of worker processes for whatever the kernel may let wait: one for scans, several for
 * steps.  The daemon never waits for them: a worker whose write does not return stays away, and
 * the others go on.  Steps are carried out as they come; order is the caller's matter.
 */
#include <systemd/sd-event.h>

#include "core/observed.h"
#include "core/step.h"
#include "util/cleanup.h"

struct workers;

/* 0 stands for the default. */
struct workers_limits {
	unsigned parallel;   /* writers that work at the same time; 8 */
	unsigned total;      /* writers, with those that are stuck; 64 */
	uint64_t stuck_usec; /* busy for so long: another one may start in its place; 10 s */
};

struct workers_ops {
	void *userdata;

	/* Runs in the worker process: the scan.  0 or a negative errno.  @ret goes to the caller. */
	int (*observe)(int root, struct observed **ret);

	/* Run in the caller's event loop.  @o is the callee's; @error < 0: there is none. */
	void (*scanned)(void *userdata, int error, struct observed *o);
	/* @error: 0, a negative errno of the step, -ECONNRESET: the worker died over it (then the
	 * step may or may not have been carried out).  @detail: what there is to add, or "". */
	void (*applied)(void *userdata, uint64_t id, int error, const char *detail);
};

/* No process is started yet.  @event, @root and what @ops points to must outlive the workers;
 * @limits may be NULL.  0, -ENOMEM or another negative errno. */
int workers_new(sd_event *event, int root, const struct workers_ops *ops,
	const struct workers_limits *limits, struct workers **ret);

/* Ends all workers, without an answer to what is under way.  One that is blocked in the kernel
 * ends when the kernel lets it; it is not waited for. */
void workers_free(struct workers *w);
DEFINE_CLEANUP(struct workers, workers_free)

/* Starts a scan; answered by one scanned().  -EBUSY: one is under way; a negative errno where no
 * process could be started.  No answer then. */
int workers_scan(struct workers *w);

/* Starts a step, now or when a writer is free; answered by one applied() with the same @id, never
 * before this returns.  No other step of the same uuid may be under way.  0, or a negative errno
 * and no answer. */
int workers_apply(struct workers *w, uint64_t id, const struct step *step);

/* How many processes there are, and how many steps wait for one. */
unsigned workers_count(const struct workers *w);
unsigned workers_waiting(const struct workers *w);
