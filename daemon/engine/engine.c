/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine's life, its hints and its clock: who is next.  See engine_private.h for the wheel.
 */
#include <string.h>

#include "engine/engine_private.h"
#include "util/log.h"

void engine_look_at(struct engine *e, uint64_t when)
{
	if (when < e->look_due)
		e->look_due = when;
}

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Asks the port to be called at the next time that something is due. */
void engine_arm(struct engine *e)
{
	uint64_t next = min(e->config_due, request_next_deadline(e));

	if (e->phase == PHASE_IDLE)
		next = min(next, min(e->plan_due, min(e->look_due, e->retry_due)));
	next = min(next, min(e->publish_due, run_next_deadline(e)));
	e->port.arm(e->port.userdata, next);
}

int engine_use_config(
	struct engine *e, uint64_t now, struct config *config, struct problems *problems)
{
	struct config *old = e->config;
	int r;

	/* Plan first: it is what may fail.  The old plan borrows from the config that goes. */
	e->config = config;
	r = e->observed ? cycle_replan(e, now) : 0;
	if (r < 0) {
		e->config = old;
		return r;
	}
	if (old)
		config_free(old);
	problems_done(&e->load_problems);
	e->load_problems = *problems;
	*problems = (struct problems){};
	e->generation++;
	hold_release_all(e);
	return 0;
}

/* Reads the drop-ins.  0, or a negative errno with the last configuration still in force. */
int engine_load(struct engine *e, uint64_t now)
{
	struct problems problems = {};
	struct config *config;
	int r = load_read(e->load, &problems, &config);

	if (r < 0) {
		problems_done(&problems);
		return r;
	}
	r = engine_use_config(e, now, config, &problems);
	if (r < 0) {
		problems_done(&problems);
		config_free(config);
	}
	return r;
}

static int load_ledger(struct engine *e)
{
	int r = ledger_load(e->root, &e->ledger);

	if (r == 0)
		return 0;
	/* Then nothing is ours, and nothing is removed: the safe side. */
	log_warning(
		"run/apmatrixd/ledger cannot be used (%s); no device counts as made by this daemon",
		strerror(-r));
	e->ledger = ledger_new();
	return e->ledger ? 0 : -ENOMEM;
}

int engine_new(const struct engine_options *options, uint64_t now, struct engine **ret)
{
	_cleanup_(cleanup_engine_free) struct engine *e = calloc(1, sizeof(*e));
	int r;

	if (!e)
		return -ENOMEM;
	e->root = options->root;
	e->dry_run = options->dry_run;
	e->port = options->port;
	e->events = options->events;
	e->config_due = e->retry_due = e->plan_due = e->publish_due = NEVER;
	e->look_due = now;
	e->next_id = 1;
	e->load = load_new(e->root);
	if (!e->load)
		return -ENOMEM;
	if (e->dry_run)
		load_set_dry_run(e->load);
	r = load_ledger(e);
	if (r == 0)
		r = attach_init(e);
	if (r < 0)
		return r;
	r = engine_load(e, now);
	if (r < 0) {
		log_error("the drop-ins cannot be read: %s; going on without any", strerror(-r));
		e->config = config_new();
		if (!e->config)
			return -ENOMEM;
	}
	/* Before the first scan: what is known is published, so that there is always a status. */
	cycle_publish(e);
	if (!e->status)
		return -ENOMEM;
	engine_arm(e);
	*ret = TAKE_PTR(e);
	return 0;
}

void engine_free(struct engine *e)
{
	request_answer_all(e, ENGINE_BUSY, "apmatrixd is going down");
	run_done(&e->run);
	hold_free_all(e);
	attach_done(e);
	free(e->overdue);
	free(e->requests);
	free(e->trouble);
	free(e->outcome_message);
	if (e->plan)
		plan_free(e->plan);
	if (e->status)
		status_free(e->status);
	if (e->observed)
		observed_free(e->observed);
	if (e->ledger)
		ledger_free(e->ledger);
	if (e->saved_ledger)
		ledger_free(e->saved_ledger);
	if (e->config)
		config_free(e->config);
	if (e->load)
		load_free(e->load);
	problems_done(&e->load_problems);
	free(e);
}

void engine_tick(struct engine *e, uint64_t now)
{
	int r;

	if (e->publish_due <= now)
		cycle_publish(e);
	request_answer_late(e, now);
	run_check_overdue(e, now);
	if (e->config_due <= now) {
		e->config_due = NEVER;
		r = engine_load(e, now);
		if (r < 0)
			log_error("the drop-ins cannot be read: %s", strerror(-r));
		engine_look_at(e, now);
	}
	if (e->phase == PHASE_IDLE &&
		(e->look_due <= now || e->retry_due <= now || e->plan_due <= now))
		cycle_begin(e, now);
	engine_arm(e);
}

bool engine_must_watch(const struct engine *e)
{
	return e->observed && !(e->observed->features & FEATURE_MODULE) && e->observed->n_mdevs > 0;
}

void engine_poke(struct engine *e, uint64_t now)
{
	uint64_t when = e->n_cycles_ended ? e->cycle_ended + ENGINE_SPACING : now;

	/* The first of a burst is looked at now, the rest together a little later. */
	engine_look_at(e, when > now ? when : now);
	if (engine_must_watch(e))
		e->follow_ups = ENGINE_FOLLOW_UPS;
	engine_arm(e);
}

void engine_poke_config(struct engine *e, uint64_t now)
{
	if (e->config_due > now)
		e->config_due = now;
	engine_arm(e);
}

bool engine_is_ready(const struct engine *e)
{
	return e->n_cycles_ended > 0;
}

bool engine_is_idle(const struct engine *e, uint64_t now)
{
	return e->phase == PHASE_IDLE && e->look_due > now && e->retry_due > now &&
		e->plan_due > now && e->config_due > now;
}

const struct status *engine_status(const struct engine *e)
{
	return e->status;
}

const struct config *engine_config(const struct engine *e)
{
	return e->config;
}

const struct observed *engine_observed(const struct engine *e)
{
	return e->observed;
}
