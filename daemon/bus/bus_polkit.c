/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The question to polkit: may this caller do that?  Its dialog is shown only if the caller lets it,
 * and taken away when the caller leaves or has waited too long.  What the answer means for the call
 * is the gate's.
 *
 * The reply is not checked for its sender: the bus lets nobody answer what was asked of another.
 */
#include <inttypes.h>
#include <string.h>

#include "bus/bus_private.h"
#include "util/log.h"

#define FLAG_ALLOW_INTERACTION 1u

#define AUTHORITY                                                              \
	"org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority", \
		"org.freedesktop.PolicyKit1.Authority"

static void format_number(const struct bus_request *r, char buf[static 32])
{
	snprintf(buf, 32, "apmatrix-%" PRIu64, r->asked);
}

static void forget(struct bus_request *r)
{
	struct bus *b = r->bus;

	r->asked = 0;
	if (--b->n_asked == 0)
		b->leaving = sd_bus_slot_unref(b->leaving);
}

static void send_cancel(const struct bus_request *r)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	char number[32];

	format_number(r, number);
	if (sd_bus_message_new_method_call(
		    r->bus->connection, &m, AUTHORITY, "CancelCheckAuthorization") < 0 ||
		sd_bus_message_set_expect_reply(m, false) < 0 ||
		sd_bus_message_set_auto_start(m, false) < 0 ||
		sd_bus_message_append(m, "s", number) < 0 || sd_bus_send(NULL, m, NULL) < 0)
		log_debug("cannot cancel the question %s to polkit", number);
}

void bus_polkit_cancel(struct bus_request *r)
{
	if (r->asked == 0)
		return;
	send_cancel(r);
	forget(r);
}

/* A name has gone: nobody waits for what it asked for. */
static int on_left(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_)
{
	struct bus *b = userdata;
	const char *name, *old, *now;

	if (sd_bus_message_read(m, "sss", &name, &old, &now) < 0 || *now)
		return 0;
	for (struct bus_request *r = b->requests, *next; r; r = next) {
		next = r->next;
		if (r->asked != 0 && strcmp(sd_bus_message_get_sender(r->message), name) == 0)
			bus_request_free(r);
	}
	return 0;
}

/* Without it a caller that leaves is only noticed when polkit answers; that is harmless too. */
static int on_watched(sd_bus_message *m, void *userdata _unused_, sd_bus_error *error _unused_)
{
	if (sd_bus_message_is_method_error(m, NULL))
		log_debug("the bus does not tell who leaves: %s",
			sd_bus_message_get_error(m)->message);
	return 0;
}

static int watch_leaving(struct bus *b)
{
	if (b->leaving)
		return 0;
	return sd_bus_match_signal_async(b->connection, &b->leaving, "org.freedesktop.DBus",
		"/org/freedesktop/DBus", "org.freedesktop.DBus", "NameOwnerChanged", on_left,
		on_watched, b);
}

static enum bus_verdict read_verdict(sd_bus_message *reply, const char **ret_detail)
{
	const sd_bus_error *e = sd_bus_message_get_error(reply);
	int authorized, needs_challenge;

	*ret_detail = "polkit denied it";
	if (e) {
		*ret_detail = e->message && *e->message ? e->message : "polkit does not answer";
		return BUS_DENIED;
	}
	if (sd_bus_message_enter_container(reply, 'r', "bba{ss}") <= 0 ||
		sd_bus_message_read(reply, "bb", &authorized, &needs_challenge) <= 0) {
		*ret_detail = "polkit's answer is not understood";
		return BUS_DENIED;
	}
	if (authorized)
		return BUS_ALLOWED;
	return needs_challenge ? BUS_CHALLENGE : BUS_DENIED;
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_)
{
	struct bus_request *r = userdata;
	const char *detail;
	enum bus_verdict verdict = read_verdict(reply, &detail);

	/* Too late: the dialog must not stay. */
	if (sd_bus_message_is_method_error(reply, SD_BUS_ERROR_NO_REPLY))
		send_cancel(r);
	forget(r);
	r->question = sd_bus_slot_unref(r->question);
	r->answer(r, verdict, detail);
	return 0;
}

/* A matrix is called by its name in rules, also where the caller gave its UUID. */
static const char *subject_name(const struct bus_request *r)
{
	const struct matrix_status *m = NULL;

	if (r->change->by_uuid)
		m = status_find(engine_status(r->bus->engine), r->args.name);
	return m && *m->name ? m->name : r->args.name;
}

static int append_details(sd_bus_message *q, const struct bus_request *r)
{
	const struct bus_change *c = r->change;

	if (!c->subject)
		return sd_bus_message_append(q, "a{ss}", 1, "verb", c->verb);
	return sd_bus_message_append(q, "a{ss}", 2, "verb", c->verb, c->subject, subject_name(r));
}

static int append_question(sd_bus_message *q, const struct bus_request *r, bool interactive)
{
	char number[32];
	int k;

	k = sd_bus_message_append(q, "(sa{sv})s", "system-bus-name", 1, "name", "s",
		sd_bus_message_get_sender(r->message), r->change->action);
	if (k < 0)
		return k;
	k = append_details(q, r);
	if (k < 0)
		return k;
	format_number(r, number);
	return sd_bus_message_append(q, "us", interactive ? FLAG_ALLOW_INTERACTION : 0, number);
}

static int send_question(struct bus_request *r)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *q = NULL;
	bool interactive = sd_bus_message_get_allow_interactive_authorization(r->message) > 0;
	struct bus *b = r->bus;
	int k;

	k = watch_leaving(b);
	if (k < 0)
		return k;
	k = sd_bus_message_new_method_call(b->connection, &q, AUTHORITY, "CheckAuthorization");
	if (k < 0)
		return k;
	k = append_question(q, r, interactive);
	if (k < 0)
		return k;
	return sd_bus_call_async(b->connection, &r->question, q, on_reply, r,
		interactive ? b->polkit_dialog_usec : b->polkit_usec);
}

int bus_polkit_ask(struct bus_request *r, bus_polkit_answer answer)
{
	int k;

	r->answer = answer;
	r->asked = ++r->bus->asked_last;
	r->bus->n_asked++;
	k = send_question(r);
	if (k < 0)
		forget(r);
	return k;
}
