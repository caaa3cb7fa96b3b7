/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The libvirt hook's two requests: a guest is about to start, a guest has ended.  A refusal here
 * stops the start of a guest, so it names what is wrong; what is nobody's business here passes.
 */
#include <string.h>

#include "engine/engine_private.h"

/* The kernel gives a virtual machine one matrix; which two of them it names, drop-in or not. */
static bool names_two(
	const char *const *uuids, size_t n, const char **ret_first, const char **ret_second)
{
	char first[UUID_SIZE], other[UUID_SIZE];

	for (size_t i = 1; i < n; i++) {
		if (!uuid_normalize(uuids[0], first) || !uuid_normalize(uuids[i], other) ||
			strcmp(first, other) == 0)
			continue;
		*ret_first = uuids[0];
		*ret_second = uuids[i];
		return true;
	}
	return false;
}

static const char *object_of(const struct engine *e, const char *uuid)
{
	const struct matrix_config *c = config_find_uuid(e->config, uuid);

	return c ? c->name : uuid;
}

/* The one matrix among @uuids that a drop-in names.  1: found; 0: none; refused and answered: -1. */
static int guest_matrix(struct engine *e, const char *guest, const char *const *uuids, size_t n,
	const struct matrix_config **ret, engine_reply reply, void *userdata)
{
	const struct matrix_config *found = NULL;

	for (size_t i = 0; i < n; i++) {
		char uuid[UUID_SIZE];
		const struct matrix_config *c;

		if (!uuid_normalize(uuids[i], uuid)) {
			request_refuse(reply, userdata, ENGINE_INVALID_ARGUMENT,
				"'%s' in guest %s is not a UUID", uuids[i], guest);
			return -1;
		}
		c = config_find_uuid(e->config, uuid);
		if (c && found && c != found) {
			request_refuse(reply, userdata, ENGINE_CONFLICT,
				"guest %s names two matrices, %s and %s; the kernel gives a guest "
				"only "
				"one",
				guest, found->name, c->name);
			return -1;
		}
		if (c)
			found = c;
	}
	*ret = found;
	return found ? 1 : 0;
}

/* ---- prepare ---- */

/* True if the guest gets all queues of its matrix that the host has, and at least one.  What the host
 * does not have (over-provisioning) is given when it comes. */
static bool guest_gets_what_is_there(const struct observed *o, const struct observed_mdev *mdev)
{
	struct mask adapters = mask_and(&mdev->assigned.adapters, &o->host_adapters);
	struct mask domains = mask_and(&mdev->assigned.domains, &o->host_domains);

	return mask_equal(&adapters, &mdev->guest.adapters) &&
		mask_equal(&domains, &mdev->guest.domains) && !mask_is_empty(&adapters) &&
		!mask_is_empty(&domains);
}

/* Ready means whole: a guest that starts with less would notice too late. */
static void judge_ready(struct engine *e, const struct request *q, const struct verdict *v,
	struct engine_result *ret, char **ret_message)
{
	const struct matrix_status *m = status_find(e->status, q->uuid);

	if (v && v->mdev && v->mdev->attach == ATTACH_YES) {
		if (asprintf(ret_message, "matrix %s is attached to process %u%s%s; end that first",
			    v->config ? v->config->name : v->uuid, v->mdev->vm_pid,
			    v->mdev->vm_name[0] ? ", " : "", v->mdev->vm_name) < 0)
			*ret_message = NULL;
		ret->error = ENGINE_IN_USE;
		ret->message = *ret_message ? *ret_message : "out of memory";
		return;
	}
	request_judge_present(e, q, v, ret, ret_message);
	if (ret->error != ENGINE_OK || !m)
		return;
	if (v->kind == VERDICT_BLOCKED || v->kind == VERDICT_HELD || v->kind == VERDICT_DRIFT)
		request_fail(e, ret, request_error(v->reason), v->message);
	else if (!m->conditions[CONDITION_ASSIGNED].status)
		request_fail(
			e, ret, ENGINE_NOT_AVAILABLE, m->conditions[CONDITION_ASSIGNED].message);
	else if (v->mdev->guest_known && !guest_gets_what_is_there(e->observed, v->mdev))
		request_fail(
			e, ret, ENGINE_NOT_AVAILABLE, m->conditions[CONDITION_EFFECTIVE].message);
}

/* Only now may the guest start; before, the device may have been another's, which keeps its name. */
static void judge_prepared(struct engine *e, const struct request *q, const struct verdict *v,
	struct engine_result *ret, char **ret_message)
{
	judge_ready(e, q, v, ret, ret_message);
	if (ret->error == ENGINE_OK && v->config)
		attach_prepared(e, q->uuid, v->config->guest);
}

static enum engine_error prepare_refused(
	const char *guest, const struct matrix_config *c, char **ret_message)
{
	struct origin origin = matrix_config_origin(c, KEY_GUEST);

	if (strcmp(c->guest, guest) == 0)
		return ENGINE_OK;
	if (asprintf(ret_message, "matrix %s is for guest %s (%s:%u), not for %s", c->name,
		    c->guest, origin.file, origin.line, guest) < 0)
		*ret_message = NULL;
	return ENGINE_CONFLICT;
}

/* A matrix that a guest had when the host was last looked at may be free by now: that is judged
 * by the next look (judge_prepared()). */
static bool was_attached(const struct engine *e, const char *uuid)
{
	const struct observed_mdev *mdev = observed_find_mdev(e->observed, uuid);

	return mdev && mdev->attach == ATTACH_YES;
}

/* Devices that no drop-in names: whose they are is remembered, no more.  Who has one keeps its name,
 * since libvirt refuses the other. */
static void prepare_foreign(
	struct engine *e, const char *guest, const char *const *uuids, size_t n_uuids)
{
	char uuid[UUID_SIZE];

	if (n_uuids > 0 && uuid_normalize(uuids[0], uuid) && !was_attached(e, uuid))
		attach_prepared(e, uuid, guest);
}

void engine_prepare_guest(struct engine *e, uint64_t now, const char *guest,
	const char *const *uuids, size_t n_uuids, engine_reply reply, void *userdata)
{
	static const struct request_kind prepare = {
		.judge = judge_prepared, .patience = ENGINE_GUEST_PATIENCE};
	const struct matrix_config *c = NULL;
	_cleanup_(cleanup_ledger_free) struct ledger *l = NULL;
	_cleanup_free_ char *message = NULL;
	struct ledger_entry *entry;
	const char *first, *second;
	enum engine_error error;
	int found = guest_matrix(e, guest, uuids, n_uuids, &c, reply, userdata);

	if (found < 0)
		return;
	if (names_two(uuids, n_uuids, &first, &second)) {
		request_refuse(reply, userdata, ENGINE_CONFLICT,
			"guest %s names two matrices, %s and %s; the kernel gives a guest only one",
			guest, object_of(e, first), object_of(e, second));
		return;
	}
	if (!e->observed) {
		request_refuse(
			reply, userdata, ENGINE_BUSY, "the host has not been read yet; try again");
		return;
	}
	if (found == 0) {
		prepare_foreign(e, guest, uuids, n_uuids);
		request_done(reply, userdata);
		return;
	}
	l = ledger_copy(e->ledger);
	entry = l ? ledger_get(l, c->uuid) : NULL;
	error = entry ? prepare_refused(guest, c, &message) : ENGINE_BUSY;
	if (error == ENGINE_OK) {
		snprintf(entry->name, sizeof(entry->name), "%s", c->name);
		entry->intent = c->start == START_BOOT ? INTENT_CONFIG : INTENT_STARTED;
		if (!was_attached(e, c->uuid))
			error = request_judge(e, e->config, l, c->uuid, true, &message);
	}
	if (error != ENGINE_OK) {
		request_refuse(reply, userdata, error, "%s", message ? message : "out of memory");
		return;
	}
	request_commit_intent(e, TAKE_PTR(l), c->uuid);
	request_add(e, now, &prepare, c->uuid, reply, userdata);
}

/* ---- release ---- */

/* libvirt says "release" after a refused start too, while another guest may run with that very
 * matrix: so the kernel is asked first, and an attached matrix stays. */
static enum request_progress release_observed(struct engine *e, struct request *q,
	struct plan **ret_plan _unused_, struct engine_result *ret _unused_)
{
	const struct observed_mdev *mdev = observed_find_mdev(e->observed, q->uuid);
	struct ledger_entry *entry = ledger_find(e->ledger, q->uuid);

	if (!entry || (mdev && mdev->attach != ATTACH_NO))
		return REQUEST_ANSWERED;
	entry->intent = INTENT_STOPPED;
	ledger_write(e);
	hold_release(e, q->uuid);
	return REQUEST_CHANGED;
}

static void judge_released(struct engine *e _unused_, const struct request *q _unused_,
	const struct verdict *v _unused_, struct engine_result *ret _unused_,
	char **ret_message _unused_)
{
	/* A guest that has ended cannot be helped by a refusal; the matrix's state says the rest. */
}

void engine_release_guest(struct engine *e, uint64_t now, const char *guest,
	const char *const *uuids, size_t n_uuids, engine_reply reply, void *userdata)
{
	static const struct request_kind release = {.observed = release_observed,
		.judge = judge_released,
		.patience = ENGINE_GUEST_PATIENCE};
	const struct matrix_config *c = NULL;
	int found = guest_matrix(e, guest, uuids, n_uuids, &c, reply, userdata);

	if (found < 0)
		return;
	for (size_t i = 0; i < n_uuids; i++) {
		char uuid[UUID_SIZE];

		if (uuid_normalize(uuids[i], uuid))
			attach_released(e, uuid, guest);
	}
	if (found == 0 || c->start != START_GUEST || strcmp(c->guest, guest) != 0)
		request_done(reply, userdata);
	else
		request_add(e, now, &release, c->uuid, reply, userdata);
}
