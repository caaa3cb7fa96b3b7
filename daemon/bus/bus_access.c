/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The gate: every method that changes something passes here, and nowhere else is decided who may.
 * Root may, by the bus's word and without polkit, so that a rescue system can be worked in; for
 * everybody else polkit decides.  Questions come back through the loop, so that nobody waits; no
 * answer, a strange one, or a caller that has left is a no.
 *
 * It must not know what is asked for beyond its row in the table of changes.
 */
#include <string.h>

#include "bus/bus_private.h"

static int deny(sd_bus_error *error, const struct bus_change *c, const char *why)
{
	_cleanup_free_ char *copy = NULL;
	const char *text = bus_text_mend(why, &copy);

	return sd_bus_error_setf(error, SD_BUS_ERROR_ACCESS_DENIED,
		"%s needs the authorization %s: %s: call it as root, or have a polkit rule allow "
		"it",
		c->member, c->action, text ?: "");
}

static int challenge(sd_bus_error *error, const struct bus_change *c, bool interactive)
{
	if (interactive)
		return deny(error, c, "a password would do, but there is no agent to ask for it");
	return sd_bus_error_setf(error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
		"%s needs the authorization %s, for which somebody must authenticate: allow "
		"interactive authorization, or call it as root",
		c->member, c->action);
}

/* Past the gate.  The request may be answered and freed before this returns, and what the engine
 * is handed points into the message. */
static void enter(struct bus_request *r)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m _unused_ =
		sd_bus_message_ref(r->message);
	struct bus_args args = r->args;

	r->args = (struct bus_args){};
	r->question = sd_bus_slot_unref(r->question);
	r->change->run(r, &args);
	bus_args_done(&args);
}

static void on_verdict(struct bus_request *r, enum bus_verdict verdict, const char *detail)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int k = -EACCES;

	switch (verdict) {
	case BUS_ALLOWED:
		enter(r);
		return;
	case BUS_CHALLENGE:
		k = challenge(&error, r->change,
			sd_bus_message_get_allow_interactive_authorization(r->message) > 0);
		break;
	case BUS_DENIED:
		k = deny(&error, r->change, detail);
		break;
	}
	bus_request_fail(r, k, &error);
}

/* How many of its questions polkit is to have at one time. */
static int check_room(const struct bus_request *r, sd_bus_error *error)
{
	unsigned n_user = 0;

	for (const struct bus_request *other = r->bus->requests; other; other = other->next)
		n_user += other->asked != 0 && other->uid == r->uid;
	if (r->bus->n_asked < BUS_ASKED_MAX && n_user < BUS_ASKED_USER_MAX)
		return 0;
	return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
		"%u calls (%u of this user) wait to be authorized already: wait for them before "
		"calling again",
		r->bus->n_asked, n_user);
}

static int ask_polkit(struct bus_request *r, sd_bus_error *error)
{
	int k = check_room(r, error);

	return k < 0 ? k : bus_polkit_ask(r, on_verdict);
}

/* sd-bus matches replies by their number alone; the answer must be the bus's own. */
static bool is_from_bus(sd_bus_message *reply)
{
	const char *sender = sd_bus_message_get_sender(reply);

	return !sd_bus_message_is_method_error(reply, NULL) && sender &&
		strcmp(sender, "org.freedesktop.DBus") == 0;
}

/* The user that the bus saw when the caller connected. */
static int on_user(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error _unused_)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	struct bus_request *r = userdata;
	int k;

	r->question = sd_bus_slot_unref(r->question);
	if (!is_from_bus(reply) || sd_bus_message_read(reply, "u", &r->uid) < 0) {
		k = deny(&error, r->change, "the bus does not tell who calls");
	} else if (r->uid == 0) {
		enter(r);
		return 0;
	} else {
		k = ask_polkit(r, &error);
	}
	if (k < 0)
		bus_request_fail(r, k, &error);
	return 0;
}

int bus_access_pass(struct bus *b, sd_bus_message *m, const struct bus_change *change,
	struct bus_args *args, sd_bus_error *error)
{
	const char *sender = sd_bus_message_get_sender(m);
	struct bus_request *r;
	int k;

	k = bus_request_new(b, m, change, &r, error);
	if (k < 0)
		return k;
	if (sender)
		k = sd_bus_call_method_async(sd_bus_message_get_bus(m), &r->question,
			"org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
			"GetConnectionUnixUser", on_user, r, "s", sender);
	else
		k = deny(error, change, "the bus does not tell who calls");
	if (k < 0) {
		bus_request_free(r);
		return k;
	}
	r->args = *args;
	*args = (struct bus_args){};
	return 1;
}
