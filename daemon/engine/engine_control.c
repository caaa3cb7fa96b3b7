/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Plan, reconcile, reload, start and stop.
 */
#include <string.h>

#include "engine/engine_private.h"

/* ---- plan ---- */

/* What Reconcile would do: without the holds, since asking by hand tries those again. */
static enum request_progress plan_observed(struct engine *e, struct request *q _unused_,
	struct plan **ret_plan, struct engine_result *ret _unused_)
{
	struct plan_input in = {
		.config = e->config,
		.observed = e->observed,
		.ledger = e->ledger,
	};

	return plan_make(&in, ret_plan) < 0 ? REQUEST_GOES_ON : REQUEST_ANSWERED;
}

static bool plan_at_once(struct engine *e, engine_reply reply, void *userdata)
{
	_cleanup_(cleanup_plan_free) struct plan *plan = NULL;
	struct engine_result result = {.message = ""};

	if (plan_observed(e, NULL, &plan, &result) != REQUEST_ANSWERED)
		return false;
	result.plan = plan;
	reply(userdata, &result);
	return true;
}

/* Still here at the end: the scan failed, or there was no memory. */
static void judge_plan(struct engine *e, const struct request *q _unused_,
	const struct verdict *v _unused_, struct engine_result *ret, char **ret_message _unused_)
{
	request_fail(e, ret, ENGINE_BUSY, "out of memory");
}

void engine_plan(struct engine *e, uint64_t now, engine_reply reply, void *userdata)
{
	static const struct request_kind plan = {
		.only_looks = true, .observed = plan_observed, .judge = judge_plan};

	/* Who waits for the lock has just looked, and may wait for long. */
	if (e->phase == PHASE_LOCK && plan_at_once(e, reply, userdata))
		return;
	request_add(e, now, &plan, "", reply, userdata);
}

/* ---- reconcile, reload ---- */

/* One of the steps that failed in this cycle tells why; the others are among the Problems. */
static void judge_reconcile(struct engine *e, const struct request *q _unused_,
	const struct verdict *v _unused_, struct engine_result *ret, char **ret_message)
{
	const struct hold *h = NULL;

	if (e->outcome != ENGINE_OK) {
		request_fail(e, ret, ENGINE_BUSY, NULL);
		return;
	}
	if (e->failures == 0)
		return;
	for (size_t i = 0; i < e->n_holds && !h; i++)
		if (e->holds[i].until > e->cycle_ended)
			h = &e->holds[i];
	ret->error = ENGINE_KERNEL_REFUSED;
	if (asprintf(ret_message, "%u of %u steps failed; %s: %s", e->failures,
		    e->steps + e->failures, h ? request_object(e, h->uuid) : "apmatrixd",
		    h ? h->message : "see the Problems") < 0)
		*ret_message = NULL;
	ret->message = *ret_message ? *ret_message : "some steps failed";
}

void engine_reconcile(struct engine *e, uint64_t now, engine_reply reply, void *userdata)
{
	static const struct request_kind reconcile = {.judge = judge_reconcile};

	hold_release_all(e);
	request_add(e, now, &reconcile, "", reply, userdata);
}

void engine_reload(struct engine *e, uint64_t now, engine_reply reply, void *userdata)
{
	int r;

	load_drop_updates(e->load);
	r = engine_load(e, now);
	if (r < 0) {
		request_refuse(reply, userdata, ENGINE_NOT_AVAILABLE,
			"the drop-ins cannot be read: %s; the last good configuration stays in "
			"force",
			strerror(-r));
		return;
	}
	engine_reconcile(e, now, reply, userdata);
}

/* ---- start ---- */

/* The kernel gives a guest one matrix.  One that does not exist is not made for a guest that runs
 * with another: it could only be refused, and on some kernels harm the other. */
static enum engine_error start_refused(
	struct engine *e, const struct matrix_config *c, char **ret_message)
{
	struct origin at = matrix_config_origin(c, KEY_GUEST);

	if (!e->observed || observed_find_mdev(e->observed, c->uuid))
		return ENGINE_OK;
	for (size_t i = 0; i < e->config->n_matrices; i++) {
		const struct matrix_config *other = &e->config->matrices[i];
		const struct observed_mdev *mdev = other == c || strcmp(other->guest, c->guest) != 0
			? NULL
			: observed_find_mdev(e->observed, other->uuid);

		if (!mdev || mdev->attach != ATTACH_YES)
			continue;
		if (asprintf(ret_message,
			    "its guest %s has %s already (process %u), and the kernel gives a "
			    "guest only one matrix; shut that guest down first, or write another "
			    "Guest= at %s:%u",
			    c->guest, other->name, mdev->vm_pid, at.file, at.line) < 0)
			*ret_message = NULL;
		return ENGINE_CONFLICT;
	}
	return ENGINE_OK;
}

static const struct request_kind start_kind = {.judge = request_judge_present};

void engine_start_matrix(
	struct engine *e, uint64_t now, const char *name, engine_reply reply, void *userdata)
{
	const struct matrix_status *m = request_find(e, name, reply, userdata);
	const struct matrix_config *c = m ? config_find_uuid(e->config, m->uuid) : NULL;
	_cleanup_(cleanup_ledger_free) struct ledger *l = ledger_copy(e->ledger);
	struct ledger_entry *entry = l && c ? ledger_get(l, c->uuid) : NULL;
	_cleanup_free_ char *message = NULL;
	enum engine_error error;

	if (!m)
		return;
	if (!c) {
		request_refuse(reply, userdata, ENGINE_INVALID_ARGUMENT,
			"%s exists, and no drop-in defines it; write a [Matrix NAME] section with "
			"this UUID= to manage it",
			m->uuid);
		return;
	}
	if (!entry) {
		request_refuse(reply, userdata, ENGINE_BUSY, "out of memory");
		return;
	}
	snprintf(entry->name, sizeof(entry->name), "%s", c->name);
	entry->intent = c->start == START_BOOT ? INTENT_CONFIG : INTENT_STARTED;
	entry->set_known = false; /* what someone else made of it is not kept */
	error = start_refused(e, c, &message);
	if (error == ENGINE_OK)
		error = request_judge(e, e->config, l, c->uuid, false, &message);
	if (error != ENGINE_OK) {
		request_refuse(reply, userdata, error, "%s is not started: %s", c->name,
			message ? message : "out of memory");
		return;
	}
	request_commit_intent(e, TAKE_PTR(l), c->uuid);
	request_add(e, now, &start_kind, c->uuid, reply, userdata);
}

/* ---- stop ---- */

static void judge_stop(struct engine *e, const struct request *q, const struct verdict *v,
	struct engine_result *ret, char **ret_message)
{
	if (v && v->mdev)
		request_judge_undone(e, q, v, ret, ret_message);
}

/* Why a matrix cannot be stopped now, or ENGINE_OK. */
static enum engine_error stop_refused(
	struct engine *e, const struct matrix_status *m, char **ret_message)
{
	const struct ledger_entry *entry = ledger_find(e->ledger, m->uuid);
	const struct observed_mdev *mdev = observed_find_mdev(e->observed, m->uuid);
	const char *who = m->name[0] ? m->name : m->uuid;
	int r = 0;

	if (mdev && mdev->attach == ATTACH_YES)
		r = asprintf(ret_message,
			"%s is attached to the guest of process %u; shut that guest down, or "
			"detach the device from it first",
			who, mdev->vm_pid);
	else if (mdev && mdev->attach == ATTACH_UNKNOWN)
		r = asprintf(ret_message,
			"nobody can tell whether a guest has %s (no kernel module, and /proc "
			"cannot be read); it is left alone",
			who);
	if (r != 0)
		return ENGINE_IN_USE;
	if (m->name[0] || (entry && entry->made))
		return ENGINE_OK;
	if (asprintf(ret_message,
		    "%s is not apmatrixd's; stop it with 'mdevctl stop -u %s', or set "
		    "Foreign=adopt",
		    who, m->uuid) < 0)
		*ret_message = NULL;
	return ENGINE_INVALID_ARGUMENT;
}

void engine_stop_matrix(
	struct engine *e, uint64_t now, const char *name, engine_reply reply, void *userdata)
{
	static const struct request_kind stop = {.judge = judge_stop};
	const struct matrix_status *m = request_find(e, name, reply, userdata);
	_cleanup_(cleanup_ledger_free) struct ledger *l = ledger_copy(e->ledger);
	struct ledger_entry *entry = l && m ? ledger_get(l, m->uuid) : NULL;
	_cleanup_free_ char *message = NULL;
	enum engine_error error;

	if (!m)
		return;
	error = stop_refused(e, m, &message);
	if (error != ENGINE_OK || !entry) {
		request_refuse(reply, userdata, error != ENGINE_OK ? error : ENGINE_BUSY, "%s",
			message ? message : "out of memory");
		return;
	}
	if (m->name[0])
		snprintf(entry->name, sizeof(entry->name), "%s", m->name);
	entry->intent = INTENT_STOPPED;
	request_commit_intent(e, TAKE_PTR(l), m->uuid);
	request_add(e, now, &stop, m->uuid, reply, userdata);
}
