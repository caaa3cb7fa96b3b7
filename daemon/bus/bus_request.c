/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls that are answered later.  A request keeps its message until the gate or the engine has
 * spoken; how many one caller and all callers may have open is bounded.  A caller that has left
 * is no special case: the bus drops the answer.  When the bus goes first, every caller is told,
 * and requests that the engine still has stay behind, empty, until it answers.
 */
#include <string.h>

#include "bus/bus_private.h"
#include "util/log.h"

/* Calls that read and calls that change are counted apart: everybody may make the former, and must
 * not take the latter's places. */
static const struct {
	unsigned caller, all;
} limits[] = {
	[false] = {BUS_READS_CALLER_MAX, BUS_READS_MAX},
	[true] = {BUS_CHANGES_CALLER_MAX, BUS_CHANGES_MAX},
};

static int check_limits(const struct bus *b, const char *sender, bool changes, sd_bus_error *error)
{
	unsigned n = 0, n_sender = 0;

	for (const struct bus_request *r = b->requests; r; r = r->next) {
		const char *other = sd_bus_message_get_sender(r->message);

		if ((r->change != NULL) != changes)
			continue;
		n++;
		n_sender += sender && other && strcmp(sender, other) == 0;
	}
	if (n >= limits[changes].all || n_sender >= limits[changes].caller)
		return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
			"%u calls like this (%u of this caller) wait for their answer already: "
			"wait for them before calling again",
			n, n_sender);
	return 0;
}

int bus_request_new(struct bus *b, sd_bus_message *m, const struct bus_change *change,
	struct bus_request **ret, sd_bus_error *error)
{
	struct bus_request *r;
	int k;

	k = check_limits(b, sd_bus_message_get_sender(m), change != NULL, error);
	if (k < 0)
		return k;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->bus = b;
	r->message = sd_bus_message_ref(m);
	r->change = change;
	r->next = b->requests;
	if (r->next)
		r->next->prev = r;
	b->requests = r;
	*ret = r;
	return 0;
}

/* Takes the request from its bus: nobody can be answered any more. */
static void part(struct bus_request *r)
{
	if (!r->bus)
		return;
	bus_polkit_cancel(r);
	if (r->prev)
		r->prev->next = r->next;
	else
		r->bus->requests = r->next;
	if (r->next)
		r->next->prev = r->prev;
	r->prev = r->next = NULL;
	r->bus = NULL;
	bus_args_done(&r->args);
	r->message = sd_bus_message_unref(r->message);
	r->question = sd_bus_slot_unref(r->question);
}

void bus_request_free(struct bus_request *r)
{
	part(r);
	free(r);
}

static int send_result(
	sd_bus_message *m, const struct engine_result *result, bus_request_append append)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int r;

	if (result->error != ENGINE_OK) {
		r = bus_error_from_result(&error, result);
		return sd_bus_reply_method_errno(m, r, &error);
	}
	r = sd_bus_message_new_method_return(m, &reply);
	if (r < 0)
		return r;
	r = append ? append(reply, result) : 0;
	if (r < 0)
		return sd_bus_reply_method_errno(m, r, NULL);
	return sd_bus_send(NULL, reply, NULL);
}

void bus_request_finish(
	struct bus_request *r, const struct engine_result *result, bus_request_append append)
{
	if (r->message) {
		int k = send_result(r->message, result, append);

		if (k < 0)
			log_debug("cannot answer %s: %s", sd_bus_message_get_member(r->message),
				strerror(-k));
	}
	bus_request_free(r);
}

void bus_request_fail(struct bus_request *r, int r_errno, const sd_bus_error *error)
{
	int k = sd_bus_reply_method_errno(r->message, r_errno, error);

	if (k < 0)
		log_debug("cannot answer %s: %s", sd_bus_message_get_member(r->message),
			strerror(-k));
	bus_request_free(r);
}

static void abandon(struct bus_request *r)
{
	bool in_engine = !r->question;
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int k = bus_error_set(&error, ENGINE_BUSY,
		in_engine ? "%s: the daemon is ending, and whether it was done is not known: look "
			    "at the state when the daemon is back"
			  : "%s: the daemon is ending, and it was not done: call again when the "
			    "daemon is back",
		sd_bus_message_get_member(r->message));

	sd_bus_reply_method_errno(r->message, k, &error);
	part(r);
	if (!in_engine)
		free(r);
}

void bus_request_abandon_all(struct bus *b)
{
	while (b->requests)
		abandon(b->requests);
}
