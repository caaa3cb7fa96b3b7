/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One cycle: look, plan, publish; where there is something to do, lock, look again and run; look
 * once more at the end.  What is published is always what a scan saw.
 */
#include <string.h>

#include "core/message_id.h"
#include "engine/engine_private.h"
#include "util/log.h"

/* Looks: what was hinted at until now is seen by this scan. */
void cycle_scan(struct engine *e, uint64_t now, enum phase phase)
{
	int r;

	/* Who only looks leaves to the next cycle what is to be done about it. */
	if (!e->only_looks)
		e->look_due = NEVER;
	e->phase = phase;
	e->n_scans++;
	r = e->port.scan(e->port.userdata);
	if (r < 0)
		engine_scanned(e, now, r, NULL);
}

void cycle_begin(struct engine *e, uint64_t now)
{
	e->cycle++;
	e->rounds = e->steps = e->failures = 0;
	e->only_looks = e->look_due > now && e->retry_due > now;
	e->retry_due = e->plan_due = NEVER;
	e->outcome = ENGINE_OK;
	cycle_scan(e, now, PHASE_SCAN);
}

/* Sets how the cycle ended for those who asked for it; the first word counts. */
void cycle_outcome(struct engine *e, enum engine_error error, const char *format, ...)
{
	va_list ap;

	if (e->outcome != ENGINE_OK)
		return;
	free(e->outcome_message);
	va_start(ap, format);
	if (vasprintf(&e->outcome_message, format, ap) < 0)
		e->outcome_message = NULL;
	va_end(ap);
	e->outcome = error;
}

/*
 * The module tells of attaching at once.  Without it a virtual machine that starts is a hint, and
 * opens its device a little later; one that takes a device or lets go of it while it runs gives
 * none at all.
 */
static void look_for_guests(struct engine *e, uint64_t now)
{
	static const uint64_t after_hint[ENGINE_FOLLOW_UPS] = {4 * SECOND, SECOND, SECOND / 4};

	if (!engine_must_watch(e)) {
		e->follow_ups = 0;
		return;
	}
	if (e->look_due != NEVER)
		return;
	if (e->follow_ups > 0)
		engine_look_at(e, now + after_hint[--e->follow_ups]);
	else
		engine_look_at(e, now + ENGINE_WATCH);
}

void cycle_end(struct engine *e, uint64_t now)
{
	bool locked = e->phase == PHASE_SCAN_LOCKED || e->phase == PHASE_RUN;

	if (locked)
		e->port.lock(e->port.userdata, false);
	e->phase = PHASE_IDLE;
	e->cycle_ended = now;
	e->n_cycles_ended++;
	if (e->rounds > 0) {
		log_with(LOG_INFO, &(const struct log_field){"MESSAGE_ID", MESSAGE_RECONCILED}, 1,
			"reconciled: %u step%s, %u failure%s", e->steps, e->steps == 1 ? "" : "s",
			e->failures, e->failures == 1 ? "" : "s");
		if (e->events.finished)
			e->events.finished(e->events.userdata, e->steps, e->failures);
	}
	request_answer_cycle(e);
	request_begin_next(e, now);
	e->retry_due = hold_next(e, now);
	look_for_guests(e, now);
}

/* ---- plan ---- */

/* True if the run just ended had written to this object without an error. */
static bool was_done(const struct run *r, const struct step *s)
{
	for (size_t i = 0; i < r->n_steps; i++)
		if (r->states[i].state == STEP_DONE && strcmp(r->steps[i].uuid, s->uuid) == 0 &&
			r->steps[i].type == s->type &&
			memcmp(&r->steps[i].matrix, &s->matrix, sizeof(s->matrix)) == 0 &&
			mask_equal(&r->steps[i].mask, &s->mask) && r->steps[i].number == s->number)
			return true;
	return false;
}

/* True if the step binds a queue anew because its override is changed in this plan: the same was
 * done before, but the other way round. */
static bool is_turned(const struct engine *e, size_t i)
{
	const struct step *s = &e->plan->steps[i];

	if (s->stage != STAGE_POOL || (s->type != STEP_UNBIND && s->type != STEP_PROBE))
		return false;
	for (; i > 0 && s[-1].stage == STAGE_POOL && s[-1].number == s->number; i--, s--)
		if (s[-1].type == STEP_OVERRIDE || s[-1].type == STEP_CLEAR_OVERRIDE)
			return !was_done(&e->run, s - 1);
	return false;
}

/* A step that was done and is due again has no effect that lasts: the kernel keeps something out
 * of a guest's matrix, or another tool undoes it.  Not to be tried in a circle. */
static bool hold_ineffective(struct engine *e, uint64_t now)
{
	bool any = false;

	if (e->rounds == 0)
		return false;
	for (size_t i = 0; i < e->plan->n_steps; i++) {
		const struct step *s = &e->plan->steps[i];
		_cleanup_free_ char *what = NULL, *message = NULL;
		struct hold *h = hold_find(e, s->uuid);
		char object[UUID_SIZE];

		if ((h && h->until > now) || !was_done(&e->run, s) || is_turned(e, i))
			continue;
		if (step_format_action(s, &what) < 0 ||
			asprintf(&message,
				"%s was written and read back, but has no lasting effect; "
				"another tool may be changing it too; it is tried again",
				what) < 0)
			return any;
		run_log(MESSAGE_NO_EFFECT, s, 0, "%s: %s", step_object(s, object), message);
		if (hold_add(e, now, s->uuid, 0, message) < 0)
			return any;
		any = true;
	}
	return any;
}

int cycle_replan(struct engine *e, uint64_t now)
{
	_cleanup_free_ struct hold *active = NULL;
	struct plan_input in = {
		.config = e->config,
		.observed = e->observed,
		.ledger = e->ledger,
	};
	struct plan *plan;
	int r;

	in.n_holds = hold_active(e, now, &active);
	in.holds = active;
	r = plan_make(&in, &plan);
	if (r < 0)
		return r;
	if (e->plan)
		plan_free(e->plan);
	e->plan = plan;
	return 0;
}

static int cycle_plan(struct engine *e, uint64_t now)
{
	int r = cycle_replan(e, now);

	if (r < 0)
		return r;
	return hold_ineffective(e, now) ? cycle_replan(e, now) : 0;
}

/* ---- publish ---- */

static int make_status(struct engine *e, struct status **ret)
{
	_cleanup_free_ const char **applying = calloc(e->n_overdue + 1, sizeof(*applying));
	_cleanup_(problems_done) struct problems problems = {};
	struct status_input in = {
		.config = e->config,
		.observed = e->observed,
		.plan = e->plan,
		.load_problems = &problems,
		.config_generation = e->generation,
		.applying = applying,
		.n_applying = e->n_overdue,
	};
	int r;

	if (!applying)
		return -ENOMEM;
	for (size_t i = 0; i < e->n_overdue; i++)
		applying[i] = e->overdue[i].step.uuid;
	r = problems_append(&problems, &e->load_problems);
	if (r == 0 && e->trouble)
		r = problems_add(
			&problems, PROBLEM_ERROR, "daemon", NULL, NULL, 0, "%s", e->trouble);
	if (r == 0)
		r = attach_problems(e, &problems);
	return r < 0 ? r : status_make(&in, ret);
}

void cycle_publish(struct engine *e)
{
	struct status *old = e->status, *now;
	struct status_diff diff;
	int r = make_status(e, &now);

	e->publish_due = NEVER;

	if (r < 0) {
		log_error("the status cannot be made: %s", strerror(-r));
		return;
	}
	r = status_diff(old, now, &diff);
	if (r < 0) {
		log_error("the status cannot be compared: %s", strerror(-r));
		status_free(now);
		return;
	}
	if (old && status_diff_is_empty(&diff)) {
		status_free(now);
		old = NULL;
	} else {
		e->status = now;
		if (e->events.published)
			e->events.published(e->events.userdata, old, now, &diff);
	}
	attach_tell(e, old);
	if (old)
		status_free(old);
	status_diff_done(&diff);
}

/* ---- what the port answers ---- */

void cycle_trouble(struct engine *e, const char *format, ...)
{
	va_list ap;

	free(e->trouble);
	e->trouble = NULL;
	if (!format)
		return;
	va_start(ap, format);
	if (vasprintf(&e->trouble, format, ap) < 0)
		e->trouble = NULL;
	va_end(ap);
	if (e->trouble)
		log_warning("%s", e->trouble);
}

static uint64_t backoff(unsigned failures)
{
	uint64_t delay = ENGINE_RETRY_FIRST << (failures < 6 ? failures : 6);

	return delay < ENGINE_RETRY_MAX ? delay : ENGINE_RETRY_MAX;
}

static void scan_failed(struct engine *e, uint64_t now, int error)
{
	cycle_trouble(
		e, "the host's AP devices cannot be read: %s; it is tried again", strerror(-error));
	cycle_outcome(e, ENGINE_NOT_AVAILABLE, "%s", e->trouble ? e->trouble : "");
	cycle_publish(e);
	engine_look_at(e, now + backoff(e->scan_failures++));
	cycle_end(e, now);
}

/* True if the steps of the plan follow at once. */
static bool will_run(const struct engine *e)
{
	return e->plan->n_steps > 0 && !e->dry_run && !e->only_looks &&
		e->rounds < ENGINE_ROUNDS_MAX;
}

/* What is about to be changed is not announced first as it was: nobody wants to see every change
 * as trouble that lasts a moment.  Unless it takes longer than a moment, or there is news of a
 * guest, which is told at once. */
static void publish_soon(struct engine *e, uint64_t now)
{
	if (!will_run(e) || attach_has_news(e))
		cycle_publish(e);
	else if (e->publish_due == NEVER)
		e->publish_due = now + ENGINE_PUBLISH_LATE;
}

/* After an observation: run, lock or rest. */
static void cycle_go_on(struct engine *e, uint64_t now)
{
	int r;

	if (e->plan->n_steps == 0 || e->dry_run || e->only_looks) {
		if (e->plan->n_steps > 0 && e->only_looks)
			engine_look_at(e, now + ENGINE_PLAN_GRACE);
		cycle_end(e, now);
		return;
	}
	if (e->rounds >= ENGINE_ROUNDS_MAX) {
		engine_look_at(e, now + backoff(1));
		cycle_end(e, now);
		return;
	}
	if (e->phase == PHASE_SCAN) {
		e->phase = PHASE_LOCK;
		e->lock_asked = now;
		r = e->port.lock(e->port.userdata, true);
		if (r < 0)
			engine_locked(e, now, r, NULL);
		return;
	}
	r = run_begin(e, now);
	if (r < 0) {
		cycle_trouble(e, "out of memory");
		cycle_publish(e);
		cycle_end(e, now);
	}
}

void engine_scanned(struct engine *e, uint64_t now, int error, struct observed *o)
{
	int r;

	if (e->phase != PHASE_SCAN && e->phase != PHASE_SCAN_LOCKED) {
		if (o)
			observed_free(o);
		return;
	}
	if (error < 0) {
		scan_failed(e, now, error);
		engine_arm(e);
		return;
	}
	e->scan_failures = 0;
	/* The plan borrows from the observation that goes. */
	if (e->plan)
		plan_free(e->plan);
	e->plan = NULL;
	if (e->observed)
		observed_free(e->observed);
	e->observed = o;
	attach_look(e);
	run_settle_overdue(e);
	if (!o->complete)
		engine_look_at(e, now + SECOND);
	hold_release_lost_races(e);
	r = cycle_plan(e, now);
	if (r < 0) {
		cycle_trouble(e, "the plan cannot be made: %s", strerror(-r));
		cycle_end(e, now);
		engine_arm(e);
		return;
	}
	/* Who has nothing to write does not need the lock that could not be had. */
	if (e->plan->n_steps == 0)
		e->lock_failures = 0;
	if (e->lock_failures == 0)
		cycle_trouble(e, NULL);
	ledger_observe(e);
	if (request_observed(e)) {
		r = cycle_replan(e, now);
		if (r < 0)
			cycle_trouble(e, "the plan cannot be made: %s", strerror(-r));
	}
	publish_soon(e, now);
	cycle_go_on(e, now);
	engine_arm(e);
}

void engine_locked(struct engine *e, uint64_t now, int error, const char *holder)
{
	if (e->phase != PHASE_LOCK) {
		if (error == 0)
			e->port.lock(e->port.userdata, false);
		return;
	}
	if (error < 0) {
		cycle_trouble(e,
			"/run/lock/s390apconfig.lock is held by %s; nothing is changed until it is "
			"free",
			holder ? holder : strerror(-error));
		cycle_outcome(e, ENGINE_BUSY, "%s", e->trouble ? e->trouble : "");
		cycle_publish(e);
		engine_look_at(e, now + backoff(e->lock_failures++));
		cycle_end(e, now);
		engine_arm(e);
		return;
	}
	e->lock_failures = 0;
	cycle_trouble(e, NULL);
	cycle_scan(e, now, PHASE_SCAN_LOCKED);
	engine_arm(e);
}
