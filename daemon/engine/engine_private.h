/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What the engine's files share.  The wheel:
 *
 *   idle ──poke──▶ scan ──▶ plan ──nothing to do──▶ publish, idle
 *                    ▲        │
 *                    │      lock ──▶ scan ──▶ plan ──▶ publish ──▶ run, stage by stage ──▶ unlock ─┐
 *                    └────────────────────────── observe again ────────────────────────────────────┘
 *
 *   engine.c          life, hints, the clock, who is next
 *   engine_cycle.c    scan, plan, publish
 *   engine_run.c      the steps of a plan, by stages and in parallel
 *   engine_undo.c     takes back the first half of what failed half-way
 *   engine_hold.c     what failed and when it is tried again
 *   engine_ledger.c   what is ours
 *   engine_request.c  what was asked for, and when it is answered
 *   engine_control.c  plan, reconcile, reload, start, stop
 *   engine_define.c   define, undefine, update, check
 *   engine_guest.c    what the libvirt hook asks for
 *   engine_attach.c   who has which matrix: what is told of it, and the names
 */
#include <stdarg.h>

#include "core/status.h"
#include "engine/engine.h"
#include "load/ledger_file.h"
#include "load/load.h"

#define SECOND UINT64_C(1000000)
#define NEVER UINT64_MAX

#define ENGINE_WRITERS 8u                       /* steps under way at once */
#define ENGINE_SPACING (SECOND / 20)            /* between the end of a cycle and the next hint's */
#define ENGINE_PUBLISH_LATE (SECOND / 5)        /* steps that take longer are shown under way */
#define ENGINE_STEP_OVERDUE (5 * SECOND)        /* then the others go on without it */
#define ENGINE_PATIENCE (20 * SECOND)           /* then a request is answered with Busy */
#define ENGINE_GUEST_PATIENCE (17 * SECOND / 2) /* of libvirt's hook, which ends after 10 seconds */
#define ENGINE_RETRY_FIRST SECOND               /* doubled with every failure in a row, up to: */
#define ENGINE_RETRY_MAX (300 * SECOND)
#define ENGINE_ROUNDS_MAX 8u           /* runs in one cycle */
#define ENGINE_PLAN_GRACE (5 * SECOND) /* what Plan() showed is left so for that long */
#define ENGINE_FOLLOW_UPS 3u           /* looks after a hint where no module tells of attaching */
#define ENGINE_WATCH (30 * SECOND) /* the longest without a look while no module tells of guests */

enum phase {
	PHASE_IDLE,
	PHASE_SCAN,        /* looking */
	PHASE_LOCK,        /* there is something to do: waiting for s390apconfig.lock */
	PHASE_SCAN_LOCKED, /* looking again, now that nobody else changes things */
	PHASE_RUN,         /* steps under way */
};

enum step_state { STEP_WAITING, STEP_RUNNING, STEP_DONE, STEP_FAILED, STEP_SKIPPED };

struct run_step {
	enum step_state state;
	bool undo; /* takes back what stood here before: see undo_next() */
	uint64_t started;
};

/* The plan that is being carried out: its own copy of the steps, since observing goes on. */
struct run {
	struct step *steps;
	struct run_step *states;
	size_t n_steps;
	size_t cursor; /* first step of the next object that has not begun */
	enum stage stage;
	unsigned n_running; /* steps under way, without those that are overdue */
	bool troubled;      /* something in this stage failed or is overdue: end with the stage */
	uint64_t first_id;  /* id of steps[0] at the port */
};

/* A write that did not return in time; others go on, its object is left alone until a scan that
 * began after its return has shown what it did. */
struct overdue {
	uint64_t id;
	struct step step;
	bool returned;
	int error;             /* then: 0 or a negative errno */
	uint64_t scans_before; /* then: scans begun before */
};

enum request_progress { REQUEST_GOES_ON, REQUEST_CHANGED, REQUEST_ANSWERED };

struct request;

/* What differs between requests. */
struct request_kind {
	/* Called once with the first observation of its cycle; may be NULL.  REQUEST_CHANGED: the
	 * ledger says something else now, so plan again.  REQUEST_ANSWERED: answer with @ret. */
	enum request_progress (*observed)(struct engine *e, struct request *q,
		struct plan **ret_plan, struct engine_result *ret);

	/* Called at the end of its cycle with the matrix's verdict (NULL: none): fills in @ret, whose
	 * message may be *ret_message, to be freed afterwards. */
	void (*judge)(struct engine *e, const struct request *q, const struct verdict *v,
		struct engine_result *ret, char **ret_message);

	bool only_looks;   /* its cycle changes nothing */
	uint64_t patience; /* then it is answered with Busy; 0: ENGINE_PATIENCE */
};

struct request {
	const struct request_kind *kind;
	char uuid[UUID_SIZE]; /* of the matrix, or "" */
	uint64_t cycle;       /* answered at the end of this cycle */
	uint64_t asked;
	bool observed;
	bool told; /* that it is done later; then there is no reply any more */
	engine_reply reply;
	void *userdata;
};

struct engine {
	int root;
	bool dry_run;
	struct ap_port port;
	struct engine_events events;

	struct load *load;
	struct config *config;
	struct problems load_problems;
	char *trouble; /* the daemon's own: the lock, a scan that failed; NULL */
	uint64_t generation;

	struct ledger *ledger;
	struct ledger *saved_ledger;

	struct observed *observed;
	struct attach *attach;
	struct plan *plan;
	struct status *status;

	enum phase phase;
	uint64_t cycle;       /* number of the current or last cycle */
	uint64_t cycle_ended; /* when */
	uint64_t n_cycles_ended;
	unsigned rounds;           /* runs in this cycle */
	unsigned steps, failures;  /* in this cycle */
	enum engine_error outcome; /* of this cycle, for those who asked for it */
	char *outcome_message;
	uint64_t look_due;  /* the next cycle begins; NEVER */
	uint64_t plan_due;  /* a cycle that only looks begins; NEVER */
	bool only_looks;    /* this cycle */
	uint64_t retry_due; /* a hold ends; NEVER */
	uint64_t
		publish_due; /* what is observed is published though steps are still under way; NEVER */
	uint64_t config_due; /* the drop-ins are read again; NEVER */
	uint64_t lock_asked;
	unsigned lock_failures;
	unsigned follow_ups; /* looks still to come where no module tells of attaching */
	unsigned scan_failures;
	uint64_t n_scans; /* begun */

	struct run run;
	uint64_t next_id;
	struct overdue *overdue;
	size_t n_overdue;

	struct hold *holds; /* sorted by UUID; those whose time has come stay for the count */
	size_t n_holds;

	struct request *requests;
	size_t n_requests;
};

/* engine.c */
void engine_arm(struct engine *e);
void engine_look_at(struct engine *e, uint64_t when); /* not later than */
int engine_load(struct engine *e, uint64_t now);
bool engine_must_watch(const struct engine *e); /* guests may come, and no module would tell */

/* Puts @config and what was to say about it in force (both taken over, on success only). */
int engine_use_config(
	struct engine *e, uint64_t now, struct config *config, struct problems *problems);

/* engine_cycle.c */
void cycle_begin(struct engine *e, uint64_t now);
void cycle_scan(struct engine *e, uint64_t now, enum phase phase);
void cycle_end(struct engine *e, uint64_t now);
int cycle_replan(struct engine *e, uint64_t now); /* from what is known; 0 or -ENOMEM */
void cycle_outcome(struct engine *e, enum engine_error error, const char *format, ...)
	_printf_(3, 4);
void cycle_trouble(struct engine *e, const char *format, ...) _printf_(2, 3); /* NULL: none */
void cycle_publish(struct engine *e);

/* engine_attach.c */
struct attach;
int attach_init(struct engine *e);
void attach_done(struct engine *e);
void attach_look(struct engine *e); /* after e->observed has changed */
bool attach_has_news(const struct engine *e);
void attach_tell(struct engine *e, const struct status *old); /* after e->status is in force */
int attach_problems(const struct engine *e, struct problems *problems); /* adds them; or -ENOMEM */
void attach_prepared(struct engine *e, const char *uuid, const char *guest);
void attach_released(struct engine *e, const char *uuid, const char *guest);

/* engine_run.c */
int run_begin(struct engine *e, uint64_t now);
void run_check_overdue(struct engine *e, uint64_t now);
void run_settle_overdue(struct engine *e); /* after a scan: those that it shows */
uint64_t run_next_deadline(const struct engine *e);
void run_done(struct run *r);
/* A warning about a step, with the journal's fields; @error 0: none. */
void run_log(const char *message_id, const struct step *s, int error, const char *format, ...)
	_printf_(4, 5);

/* engine_undo.c */
void undo_prepare(struct run *r, size_t first, size_t failed);
size_t undo_next(const struct run *r, size_t first, size_t i);

/* engine_hold.c */
struct hold *hold_find(struct engine *e, const char *uuid);
int hold_add(struct engine *e, uint64_t now, const char *uuid, int error, const char *message);
void hold_drop(struct engine *e, const char *uuid);
void hold_release(struct engine *e, const char *uuid);
void hold_release_all(struct engine *e);
void hold_release_lost_races(struct engine *e);
void hold_free_all(struct engine *e);
size_t hold_active(const struct engine *e, uint64_t now, struct hold **ret); /* a new array */
uint64_t hold_next(const struct engine *e, uint64_t now);

/* engine_ledger.c */
void ledger_observe(struct engine *e); /* after a plan was made */
void ledger_before_run(struct engine *e);
void ledger_after_step(struct engine *e, const struct step *s);

/* Whether the failed step @s says that the kernel takes no masks until the next boot; then the ledger
 * knows it from now on, and waiting does not help. */
bool ledger_masks_refused(struct engine *e, const struct step *s, int error);
void ledger_after_failure(struct engine *e, const struct step *s, int error);
void ledger_write(struct engine *e);

/* engine_request.c: the list */
struct request *request_add(struct engine *e, uint64_t now, const struct request_kind *kind,
	const char *uuid, engine_reply reply, void *userdata);
bool request_observed(struct engine *e); /* true: plan again */
void request_answer_cycle(struct engine *e);
void request_begin_next(struct engine *e, uint64_t now);
void request_answer_late(struct engine *e, uint64_t now);
void request_answer_all(struct engine *e, enum engine_error error, const char *message);
uint64_t request_next_deadline(const struct engine *e);

/* engine_request.c: what the requests share */
void request_refuse(engine_reply reply, void *userdata, enum engine_error error, const char *format,
	...) _printf_(4, 5);
void request_done(engine_reply reply, void *userdata);

/* Sets @r to the cycle's own trouble, or where it had none to @error and @message. */
void request_fail(const struct engine *e, struct engine_result *r, enum engine_error error,
	const char *message);

/* What a verdict's reason means to one who asked for the matrix. */
enum engine_error request_error(const char *reason);

/* The matrix, or NULL with the refusal sent. */
const struct matrix_status *request_find(
	struct engine *e, const char *name, engine_reply reply, void *userdata);

/* Whether the planner would carry @uuid out with that config and ledger.  @all_at_once: what exists
 * and only stays as it is counts as refused.  *ret_message (new) where it is not ENGINE_OK. */
enum engine_error request_judge(struct engine *e, const struct config *c, const struct ledger *l,
	const char *uuid, bool all_at_once, char **ret_message);

/* Puts @l (taken over) in force. */
void request_commit_intent(struct engine *e, struct ledger *l, const char *uuid);

/* What messages call @uuid ("": the pool). */
const char *request_object(const struct engine *e, const char *uuid);

/* Fills the answer for one whose matrix did not become what was asked for. */
void request_judge_undone(struct engine *e, const struct request *q, const struct verdict *v,
	struct engine_result *ret, char **ret_message);

/* A request_kind's judge: the device must be there, with what it is to have. */
void request_judge_present(struct engine *e, const struct request *q, const struct verdict *v,
	struct engine_result *ret, char **ret_message);
