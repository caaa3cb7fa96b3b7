/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The engine owns config, observation, status and ledger, and turns one wheel: observe, check,
 * plan, apply, observe again, publish.  It is driven by calls that carry their own time and
 * never waits; whoever owns the event loop wires it (main.c, or a test).
 */
#include "core/attach_log.h"
#include "core/status.h"
#include "engine/port.h"

struct engine;

/* The suffixes of org.s390.APMatrix.Error.*, and how a request ended. */
enum engine_error {
	ENGINE_OK,
	ENGINE_NO_SUCH_MATRIX,
	ENGINE_EXISTS,
	ENGINE_INVALID_ARGUMENT,
	ENGINE_CONFLICT,
	ENGINE_HOST_OWNED,
	ENGINE_IN_USE,
	ENGINE_NOT_AVAILABLE,
	ENGINE_BUSY,
	ENGINE_KERNEL_REFUSED,
	ENGINE_HAZARD,
};
DECLARE_STRTAB(engine_error, enum engine_error); /* "NoSuchMatrix", ...; ENGINE_OK: "" */

struct engine_result {
	enum engine_error error;
	const char *message; /* for people; valid during the call; "" on success */
	unsigned steps;      /* applied */
	unsigned failures;
	const struct plan *plan; /* engine_plan() only; valid during the call */
	const char *uuid;        /* engine_define() only: of the matrix; valid during the call */
};

/* Called exactly once for every request that was accepted, possibly before the request returns;
 * when the engine is freed, with ENGINE_BUSY. */
typedef void (*engine_reply)(void *userdata, const struct engine_result *result);

struct engine_events {
	void *userdata;

	/* A new status is in force (engine_status()); @old lives during the call, NULL at first. */
	void (*published)(void *userdata, const struct status *old, const struct status *now,
		const struct status_diff *diff);

	/* A guest attached or detached; the status that shows it is published before.  Each once,
	 * in the order in which it happened, whatever has happened since. */
	void (*attach)(void *userdata, const struct matrix_status *m, bool attached, uint32_t pid,
		uint64_t seq);

	/* The kernel refused to attach @m: a positive errno, and a sentence for people. */
	void (*attach_failed)(void *userdata, const struct matrix_status *m, uint32_t pid,
		uint64_t seq, int error, const char *message);

	/* A reconcile with at least one step ended. */
	void (*finished)(void *userdata, unsigned steps, unsigned failures);
};

struct engine_options {
	int root;     /* directory fd under which etc/, run/, ... lie; borrowed */
	bool dry_run; /* plan and publish, never apply (--plan) */
	struct ap_port port;
	struct engine_events events;
};

/* Reads ledger and drop-ins and asks for the first scan.  @now: microseconds, CLOCK_MONOTONIC.
 * Returns 0 or a negative errno; drop-ins with mistakes are problems, not errors. */
int engine_new(const struct engine_options *options, uint64_t now, struct engine **ret);
void engine_free(struct engine *e);
DEFINE_CLEANUP(struct engine, engine_free)

/* Answers of the port.  engine_scanned() takes @o over; @error < 0: there is none.
 * engine_applied(): @error is 0 or a negative errno, @detail what the worker has to add or NULL. */
void engine_scanned(struct engine *e, uint64_t now, int error, struct observed *o);
void engine_applied(struct engine *e, uint64_t now, uint64_t id, int error, const char *detail);
void engine_locked(struct engine *e, uint64_t now, int error, const char *holder);
void engine_tick(struct engine *e, uint64_t now);

/* Hints: "look again".  The kernel's tree changed; the drop-ins changed (inotify). */
void engine_poke(struct engine *e, uint64_t now);
void engine_poke_config(struct engine *e, uint64_t now);

/* The kernel module's event.  A hint like the others, and it tells of one among several that came
 * between two looks.  May be lost, doubled and late. */
void engine_attach_event(struct engine *e, uint64_t now, const struct attach_event *event);

/* True once the first cycle has ended: READY=1. */
bool engine_is_ready(const struct engine *e);

/* True if nothing is under way and nothing is due at @now; what is due later (a retry, another
 * look) comes with engine_tick(). */
bool engine_is_idle(const struct engine *e, uint64_t now);

/* What is in force; borrowed, valid until the loop turns.  engine_observed(): NULL before the
 * first scan. */
const struct status *engine_status(const struct engine *e);
const struct config *engine_config(const struct engine *e);
const struct observed *engine_observed(const struct engine *e);

/* Requests.  Each answers through @reply. */
void engine_plan(struct engine *e, uint64_t now, engine_reply reply, void *userdata);
void engine_reconcile(struct engine *e, uint64_t now, engine_reply reply, void *userdata);
void engine_reload(struct engine *e, uint64_t now, engine_reply reply, void *userdata);
void engine_start_matrix(
	struct engine *e, uint64_t now, const char *name, engine_reply reply, void *userdata);
void engine_stop_matrix(
	struct engine *e, uint64_t now, const char *name, engine_reply reply, void *userdata);

/* Defines a matrix by a drop-in of its own, /etc/apmatrix.d/NAME.conf, then reads the drop-ins
 * again and reconciles.  Refused, with nothing written, where the name or a value cannot stand in a
 * drop-in, where the definition could not be carried out (it conflicts, or wants what the host
 * keeps), where the matrix is defined already (@replace: unless by such a drop-in of ours that
 * nobody has changed).  Answered when the definition is in force, whatever the kernel says. */
void engine_define(struct engine *e, uint64_t now, const char *name,
	const struct raw_setting *settings, size_t n_settings, bool replace, engine_reply reply,
	void *userdata);

/* Removes a drop-in that engine_define() wrote; refused for every other. */
void engine_undefine(
	struct engine *e, uint64_t now, const char *name, engine_reply reply, void *userdata);

/* Changes a matrix until engine_reload(), or until its definition in the drop-ins changes: each key
 * given takes the place of what the drop-ins say.  Refused where LiveChange= (which may be among the keys) does not let all of it be
 * done now. */
void engine_update(struct engine *e, uint64_t now, const char *name,
	const struct raw_setting *settings, size_t n_settings, engine_reply reply, void *userdata);

/* For the libvirt hook.  Before a guest starts: makes its matrix (Start=guest) and refuses what the
 * guest must not have: another's matrix, an attached or degraded one, more than one.  UUIDs that no
 * drop-in names are nobody's business.  After a guest has ended: removes what Start=guest made,
 * unless it is attached or another guest's. */
void engine_prepare_guest(struct engine *e, uint64_t now, const char *guest,
	const char *const *uuids, size_t n_uuids, engine_reply reply, void *userdata);
void engine_release_guest(struct engine *e, uint64_t now, const char *guest,
	const char *const *uuids, size_t n_uuids, engine_reply reply, void *userdata);

/* Judges @text as if it were installed as /etc/apmatrix.d/@file (base name), together with the
 * other drop-ins and the last observation; changes nothing.  0, -EINVAL (bad file name),
 * -ENOMEM.  The caller owns *ret. */
int engine_check(struct engine *e, const char *file, const char *text, struct problems *ret);
