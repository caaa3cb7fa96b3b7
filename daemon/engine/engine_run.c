/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Carries out a plan: stage after stage, the steps of one object in order, those of different
 * objects side by side.  A stage with a failure, or with a write that does not return, ends the
 * run: what follows may have counted on it, so it is observed and planned anew.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/message_id.h"
#include "engine/engine_private.h"
#include "util/log.h"

static bool same_object(const struct step *a, const struct step *b)
{
	return a->stage == b->stage && strcmp(a->uuid, b->uuid) == 0;
}

/* The first step of @i's object in this stage. */
static size_t object_begin(const struct run *r, size_t i)
{
	while (i > 0 && same_object(&r->steps[i - 1], &r->steps[i]))
		i--;
	return i;
}

/* The first step behind @i that belongs to another object or stage. */
static size_t object_end(const struct run *r, size_t i)
{
	size_t k = i + 1;

	while (k < r->n_steps && same_object(&r->steps[i], &r->steps[k]))
		k++;
	return k;
}

void run_done(struct run *r)
{
	free(r->steps);
	free(r->states);
	*r = (struct run){};
}

void run_log(const char *message_id, const struct step *s, int error, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	char number[16] = "";
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	if (error != 0)
		snprintf(number, sizeof(number), "%d", abs(error));
	log_with(LOG_WARNING,
		(const struct log_field[]){
			{"MESSAGE_ID", message_id},
			{"APMATRIX_NAME", s->name},
			{"APMATRIX_UUID", s->uuid},
			{"APMATRIX_STEP", step_type_to_string(s->type)},
			{"ERRNO", number},
		},
		5, "%s", text ? text : format);
}

static void fail_step(struct engine *e, uint64_t now, size_t i, int error, const char *detail)
{
	struct run *r = &e->run;
	_cleanup_free_ char *why = NULL, *message = NULL;
	size_t end = object_end(r, i);
	char object[UUID_SIZE];

	if (step_explain(&r->steps[i], error, &why) < 0 ||
		asprintf(&message, "%s%s%s; it is tried again", why, detail && *detail ? ": " : "",
			detail ? detail : "") < 0) {
		message = NULL;
		log_error("out of memory");
	} else {
		run_log(MESSAGE_STEP_FAILED, &r->steps[i], error, "%s: %s",
			step_object(&r->steps[i], object), message);
	}
	e->failures++;
	if (!ledger_masks_refused(e, &r->steps[i], error))
		hold_add(e, now, r->steps[i].uuid, error, message ? message : "out of memory");
	r->states[i].state = STEP_FAILED;
	for (size_t k = i + 1; k < end; k++)
		r->states[k].state = STEP_SKIPPED;
	r->troubled = true;
}

static void start_step(struct engine *e, uint64_t now, size_t i)
{
	struct run *r = &e->run;
	int error;

	r->states[i].state = STEP_RUNNING;
	r->states[i].started = now;
	error = e->port.apply(e->port.userdata, r->first_id + i, &r->steps[i]);
	if (error < 0)
		fail_step(e, now, i, -error, "no worker took it");
	else
		r->n_running++;
}

/* Goes on with taking back; what cannot be taken back stays, and is observed like all else. */
static void undo_more(struct engine *e, uint64_t now, size_t i)
{
	size_t next = undo_next(&e->run, object_begin(&e->run, i), i);

	if (next != SIZE_MAX)
		start_step(e, now, next);
}

/* A worker that died leaves open what it did: then nothing is taken back on suspicion. */
static bool may_undo(int error)
{
	return error != -EPIPE && error != -ECONNRESET;
}

static void step_failed(struct engine *e, uint64_t now, size_t i, int error, const char *detail)
{
	struct run *r = &e->run;

	if (r->states[i].undo) {
		char object[UUID_SIZE];

		log_warning("%s: what was half done cannot be taken back: %s",
			step_object(&r->steps[i], object), strerror(-error));
		r->states[i].state = STEP_FAILED;
		return;
	}
	fail_step(e, now, i, -error, detail);
	ledger_after_failure(e, &r->steps[i], error);
	if (!may_undo(error) || r->steps[i].uuid[0] == '\0')
		return;
	undo_prepare(r, object_begin(r, i), i);
	undo_more(e, now, i);
}

static void step_done(struct engine *e, uint64_t now, size_t i)
{
	struct run *r = &e->run;

	r->states[i].state = STEP_DONE;
	ledger_after_step(e, &r->steps[i]);
	if (r->states[i].undo) {
		undo_more(e, now, i);
		return;
	}
	e->steps++;
	if (i + 1 < object_end(r, i))
		start_step(e, now, i + 1);
	else
		hold_drop(e, r->steps[i].uuid);
}

/* Begins objects until all writers are busy; ends the stage, or the run. */
static void run_next(struct engine *e, uint64_t now)
{
	struct run *r = &e->run;

	for (;;) {
		while (r->cursor < r->n_steps && r->steps[r->cursor].stage == r->stage &&
			r->n_running + e->n_overdue < ENGINE_WRITERS) {
			size_t i = r->cursor;

			r->cursor = object_end(r, i);
			start_step(e, now, i);
		}
		if (r->n_running > 0)
			return;
		/* No writer is free because all hang: nothing more can be done now. */
		if (r->cursor >= r->n_steps || r->troubled || r->steps[r->cursor].stage == r->stage)
			break;
		r->stage = r->steps[r->cursor].stage;
	}
	ledger_write(e);
	e->rounds++;
	cycle_scan(e, now, PHASE_SCAN_LOCKED);
}

/* Starts the engine's plan; 0 or -ENOMEM. */
int run_begin(struct engine *e, uint64_t now)
{
	struct run *r = &e->run;
	size_t n = e->plan->n_steps;

	run_done(r);
	r->steps = calloc(n, sizeof(*r->steps));
	r->states = calloc(n, sizeof(*r->states));
	if (!r->steps || !r->states) {
		run_done(r);
		return -ENOMEM;
	}
	memcpy(r->steps, e->plan->steps, n * sizeof(*r->steps));
	r->n_steps = n;
	r->stage = r->steps[0].stage;
	r->first_id = e->next_id;
	e->next_id += n;
	e->phase = PHASE_RUN;
	ledger_before_run(e);
	run_next(e, now);
	return 0;
}

/* A write that had been given up on came back after all.  What it did is not known yet to a scan
 * that is under way, so nothing is judged by it before the next one. */
static bool overdue_returned(struct engine *e, uint64_t now, uint64_t id, int error)
{
	for (size_t i = 0; i < e->n_overdue; i++) {
		struct overdue *o = &e->overdue[i];

		if (o->id != id || o->returned)
			continue;
		log_info("%s: the write to %s returned after all: %s",
			o->step.name[0] ? o->step.name : o->step.uuid,
			step_type_to_string(o->step.type), error < 0 ? strerror(-error) : "done");
		o->returned = true;
		o->error = error;
		o->scans_before = e->n_scans;
		engine_look_at(e, now);
		return true;
	}
	return false;
}

void run_settle_overdue(struct engine *e)
{
	for (size_t i = e->n_overdue; i-- > 0;) {
		struct overdue *o = &e->overdue[i];

		if (!o->returned || o->scans_before >= e->n_scans)
			continue;
		hold_drop(e, o->step.uuid);
		if (o->error == 0)
			ledger_after_step(e, &o->step);
		e->overdue[i] = e->overdue[--e->n_overdue];
	}
}

void engine_applied(struct engine *e, uint64_t now, uint64_t id, int error, const char *detail)
{
	struct run *r = &e->run;
	size_t i = (size_t)(id - r->first_id);

	if (overdue_returned(e, now, id, error)) {
		engine_arm(e);
		return;
	}
	if (e->phase != PHASE_RUN || id < r->first_id || i >= r->n_steps ||
		r->states[i].state != STEP_RUNNING)
		return;
	r->n_running--;
	if (error < 0)
		step_failed(e, now, i, error, detail);
	else
		step_done(e, now, i);
	run_next(e, now);
	engine_arm(e);
}

static void give_up_on(struct engine *e, uint64_t now, size_t i)
{
	struct run *r = &e->run;
	struct overdue *more = realloc(e->overdue, (e->n_overdue + 1) * sizeof(*more));
	_cleanup_free_ char *what = NULL, *message = NULL;
	struct hold *h;

	if (!more || step_format_action(&r->steps[i], &what) < 0 ||
		asprintf(&message,
			"%s: the kernel has not let this write return yet; nothing else is "
			"done with it until then",
			what) < 0)
		return;
	run_log(MESSAGE_WRITE_HANGS, &r->steps[i], 0, "%s", message);
	e->overdue = more;
	e->overdue[e->n_overdue++] = (struct overdue){.id = r->first_id + i, .step = r->steps[i]};
	r->n_running--;
	fail_step(e, now, i, EINPROGRESS, NULL);
	h = hold_find(e, r->steps[i].uuid);
	if (!h)
		return;
	h->until = NEVER;
	free(h->message);
	h->message = TAKE_PTR(message);
}

void run_check_overdue(struct engine *e, uint64_t now)
{
	struct run *r = &e->run;
	bool any = false;

	if (e->phase != PHASE_RUN)
		return;
	for (size_t i = 0; i < r->n_steps; i++) {
		if (r->states[i].state != STEP_RUNNING ||
			now < r->states[i].started + ENGINE_STEP_OVERDUE)
			continue;
		give_up_on(e, now, i);
		any = true;
	}
	if (any)
		run_next(e, now);
}

uint64_t run_next_deadline(const struct engine *e)
{
	uint64_t next = NEVER;

	if (e->phase != PHASE_RUN)
		return NEVER;
	for (size_t i = 0; i < e->run.n_steps; i++)
		if (e->run.states[i].state == STEP_RUNNING &&
			e->run.states[i].started + ENGINE_STEP_OVERDUE < next)
			next = e->run.states[i].started + ENGINE_STEP_OVERDUE;
	return next;
}
