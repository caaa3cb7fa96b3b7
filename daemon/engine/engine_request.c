/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests: each is carried out by the first cycle that begins after it, and answered once: at
 * that cycle's end, or with Busy where that takes too long.  What can be asked for is in
 * engine_control.c, engine_define.c and engine_guest.c.
 */
#include <string.h>

#include "engine/engine_private.h"

static const char *const engine_error_table[] = {
	[ENGINE_OK] = "",
	[ENGINE_NO_SUCH_MATRIX] = "NoSuchMatrix",
	[ENGINE_EXISTS] = "Exists",
	[ENGINE_INVALID_ARGUMENT] = "InvalidArgument",
	[ENGINE_CONFLICT] = "Conflict",
	[ENGINE_HOST_OWNED] = "HostOwned",
	[ENGINE_IN_USE] = "InUse",
	[ENGINE_NOT_AVAILABLE] = "NotAvailable",
	[ENGINE_BUSY] = "Busy",
	[ENGINE_KERNEL_REFUSED] = "KernelRefused",
	[ENGINE_HAZARD] = "Hazard",
};
DEFINE_STRTAB(engine_error, enum engine_error);

enum engine_error request_error(const char *reason)
{
	static const struct {
		const char *reason;
		enum engine_error error;
	} table[] = {
		{"QueueConflict", ENGINE_CONFLICT},
		{"QueueHeld", ENGINE_CONFLICT},
		{"WaitsForQueue", ENGINE_CONFLICT},
		{"DuplicateUUID", ENGINE_CONFLICT},
		{"KeptByHost", ENGINE_HOST_OWNED},
		{"HostOwned", ENGINE_HOST_OWNED},
		{"Hazard", ENGINE_HAZARD},
		{"NoUUID", ENGINE_INVALID_ARGUMENT},
		{"Incomplete", ENGINE_INVALID_ARGUMENT},
		{"BeyondMaximum", ENGINE_INVALID_ARGUMENT},
		{"WaitsForDetach", ENGINE_IN_USE},
		{"KernelRefused", ENGINE_KERNEL_REFUSED},
		{"NoEffect", ENGINE_KERNEL_REFUSED},
		{"WriteUnderWay", ENGINE_BUSY},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (strcmp(table[i].reason, reason) == 0)
			return table[i].error;
	return ENGINE_NOT_AVAILABLE;
}

void request_refuse(
	engine_reply reply, void *userdata, enum engine_error error, const char *format, ...)
{
	_cleanup_free_ char *message = NULL;
	struct engine_result result = {.error = error};
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&message, format, ap) < 0)
		message = NULL;
	va_end(ap);
	result.message = message ? message : "out of memory";
	if (reply)
		reply(userdata, &result);
}

void request_done(engine_reply reply, void *userdata)
{
	struct engine_result result = {.message = ""};

	if (reply)
		reply(userdata, &result);
}

struct request *request_add(struct engine *e, uint64_t now, const struct request_kind *kind,
	const char *uuid, engine_reply reply, void *userdata)
{
	struct request *more = realloc(e->requests, (e->n_requests + 1) * sizeof(*more));

	if (!more) {
		request_refuse(reply, userdata, ENGINE_BUSY, "out of memory");
		return NULL;
	}
	e->requests = more;
	more += e->n_requests++;
	*more = (struct request){
		.kind = kind,
		.cycle = e->cycle + 1, /* what has begun already may have looked too early */
		.asked = now,
		.reply = reply,
		.userdata = userdata,
	};
	snprintf(more->uuid, sizeof(more->uuid), "%s", uuid);
	if (!kind->only_looks)
		engine_look_at(e, now);
	else if (now < e->plan_due)
		e->plan_due = now;
	engine_arm(e);
	return more;
}

/* Who has been told that it is done later (request_answer_late()) is not told again. */
static uint64_t deadline_of(const struct request *q)
{
	if (q->told)
		return NEVER;
	return q->asked + (q->kind->patience ? q->kind->patience : ENGINE_PATIENCE);
}

/* Takes request @i out of the list before it is answered, so that a reply may ask again. */
static void request_answer(struct engine *e, size_t i, const struct engine_result *result)
{
	struct request q = e->requests[i];

	e->n_requests--;
	memmove(&e->requests[i], &e->requests[i + 1], (e->n_requests - i) * sizeof(q));
	if (q.reply)
		q.reply(q.userdata, result);
}

void request_fail(const struct engine *e, struct engine_result *r, enum engine_error error,
	const char *message)
{
	if (e->outcome != ENGINE_OK) {
		error = e->outcome;
		message = e->outcome_message;
	}
	r->error = error;
	r->message = message && *message ? message : "it could not be done; see the Problems";
}

/* ---- answers ---- */

bool request_observed(struct engine *e)
{
	bool changed = false;

	for (size_t i = 0; i < e->n_requests;) {
		struct request *q = &e->requests[i];
		_cleanup_(cleanup_plan_free) struct plan *plan = NULL;
		struct engine_result result = {.message = ""};

		if (q->cycle > e->cycle || !q->kind->observed || q->observed) {
			i++;
			continue;
		}
		q->observed = true;
		switch (q->kind->observed(e, q, &plan, &result)) {
		case REQUEST_ANSWERED:
			result.plan = plan;
			request_answer(e, i, &result);
			break;
		case REQUEST_CHANGED:
			changed = true;
			i++;
			break;
		default:
			i++;
			break;
		}
	}
	return changed;
}

/* Those that came while a cycle ran: the next begins at once. */
void request_begin_next(struct engine *e, uint64_t now)
{
	for (size_t i = 0; i < e->n_requests; i++) {
		if (!e->requests[i].kind->only_looks)
			engine_look_at(e, now);
		else
			e->plan_due = now;
	}
}

void request_answer_cycle(struct engine *e)
{
	for (size_t i = 0; i < e->n_requests;) {
		const struct request *q = &e->requests[i];
		_cleanup_free_ char *message = NULL;
		struct engine_result result = {
			.message = "", .steps = e->steps, .failures = e->failures, .uuid = q->uuid};
		const struct verdict *v =
			e->plan && q->uuid[0] ? plan_find(e->plan, q->uuid) : NULL;
		char uuid[UUID_SIZE];

		if (q->cycle > e->cycle) {
			i++;
			continue;
		}
		q->kind->judge(e, q, v, &result, &message);
		/* The request is gone when it is answered. */
		memcpy(uuid, q->uuid, sizeof(uuid));
		result.uuid = uuid;
		request_answer(e, i, &result);
	}
}

static const char *const phase_text[] = {
	[PHASE_IDLE] = "its turn",
	[PHASE_SCAN] = "the kernel to let the host's AP devices be read",
	[PHASE_LOCK] = "/run/lock/s390apconfig.lock, which another tool holds",
	[PHASE_SCAN_LOCKED] = "the kernel to let the host's AP devices be read",
	[PHASE_RUN] = "writes that the kernel has not let return",
};

/* What a request does at its first observation is still to be done; what it has written to the ledger
 * is done without it. */
static void request_tell(struct engine *e, size_t i, const struct engine_result *result)
{
	struct request q = e->requests[i];

	if (!q.kind->observed || q.kind->only_looks || q.observed) {
		request_answer(e, i, result);
		return;
	}
	e->requests[i].told = true;
	e->requests[i].reply = NULL;
	if (q.reply)
		q.reply(q.userdata, result);
}

void request_answer_late(struct engine *e, uint64_t now)
{
	for (size_t i = 0; i < e->n_requests;) {
		_cleanup_free_ char *message = NULL;
		struct engine_result result = {.error = ENGINE_BUSY};
		const char *uuid = e->requests[i].uuid;

		if (now < deadline_of(&e->requests[i])) {
			i++;
			continue;
		}
		if (asprintf(&message, "%s%sit still waits for %s, and will be done then",
			    *uuid ? request_object(e, uuid) : "", *uuid ? ": " : "",
			    phase_text[e->phase]) < 0)
			message = NULL;
		result.message = message ? message : "";
		request_tell(e, i, &result);
	}
}

void request_answer_all(struct engine *e, enum engine_error error, const char *message)
{
	struct engine_result result = {.error = error, .message = message};

	while (e->n_requests > 0)
		request_answer(e, 0, &result);
}

uint64_t request_next_deadline(const struct engine *e)
{
	uint64_t next = NEVER;

	for (size_t i = 0; i < e->n_requests; i++)
		if (deadline_of(&e->requests[i]) < next)
			next = deadline_of(&e->requests[i]);
	return next;
}

/* ---- judging before anything is changed ---- */

const struct matrix_status *request_find(
	struct engine *e, const char *name, engine_reply reply, void *userdata)
{
	const struct matrix_status *m;

	if (e->publish_due != NEVER)
		cycle_publish(e);
	m = e->observed && e->status ? status_find(e->status, name) : NULL;

	if (!e->observed || !e->status)
		request_refuse(
			reply, userdata, ENGINE_BUSY, "the host has not been read yet; try again");
	else if (!m)
		request_refuse(reply, userdata, ENGINE_NO_SUCH_MATRIX,
			"there is no matrix %s; 'apmatrixctl list' shows what there is", name);
	return m;
}

enum engine_error request_judge(struct engine *e, const struct config *c, const struct ledger *l,
	const char *uuid, bool all_at_once, char **ret_message)
{
	struct plan_input in = {.config = c, .observed = e->observed, .ledger = l};
	_cleanup_(cleanup_plan_free) struct plan *plan = NULL;
	const struct verdict *v;

	if (plan_make(&in, &plan) < 0)
		return ENGINE_BUSY;
	v = plan_find(plan, uuid);
	if (!v || (v->kind != VERDICT_BLOCKED && v->kind != VERDICT_PENDING))
		return ENGINE_OK;
	/* What exists may stay as it is, unless the whole of the change is asked for. */
	if (v->has_target && !all_at_once)
		return ENGINE_OK;
	*ret_message = strdup(v->message);
	return request_error(v->reason);
}

void request_commit_intent(struct engine *e, struct ledger *l, const char *uuid)
{
	ledger_free(e->ledger);
	e->ledger = l;
	ledger_write(e);
	hold_release(e, uuid);
}

const char *request_object(const struct engine *e, const char *uuid)
{
	const struct matrix_config *c = *uuid ? config_find_uuid(e->config, uuid) : NULL;

	return !*uuid ? "host" : c ? c->name : uuid;
}

void request_judge_undone(struct engine *e, const struct request *q, const struct verdict *v,
	struct engine_result *ret, char **ret_message)
{
	const struct hold *h = hold_find(e, q->uuid);

	if (h) {
		ret->error = h->error == EINPROGRESS ? ENGINE_BUSY : ENGINE_KERNEL_REFUSED;
		ret->message = h->message;
	} else {
		request_fail(e, ret, v ? request_error(v->reason) : ENGINE_NO_SUCH_MATRIX,
			v ? v->message : NULL);
	}
	if (asprintf(ret_message, "%s: %s", request_object(e, q->uuid), ret->message) < 0)
		*ret_message = NULL;
	else
		ret->message = *ret_message;
}

void request_judge_present(struct engine *e, const struct request *q, const struct verdict *v,
	struct engine_result *ret, char **ret_message)
{
	/* What was made but could not be filled is not what was asked for. */
	if (!v || !v->mdev || v->kind == VERDICT_HELD)
		request_judge_undone(e, q, v, ret, ret_message);
}
