/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "room.h"

#include <string.h>

struct room room;

void room_setup(void)
{
	room = (struct room){.engine.status = &fake_empty_status};
	private_bus_start(&room.bus);
	ck_assert_int_ge(sd_event_new(&room.event), 0);
	ck_assert_int_eq(bus_new(room.event, room.bus.address, &room.server), 0);
	bus_set_engine(room.server, &room.engine);
	room.client = private_bus_client(&room.bus, room.event, 0);
	room.stranger = private_bus_client(&room.bus, room.event, NOBODY);
}

void room_teardown(void)
{
	if (room.server)
		bus_free(room.server);
	sd_bus_close_unref(room.client);
	sd_bus_close_unref(room.stranger);
	sd_event_unref(room.event);
	private_bus_stop(&room.bus);
}

void room_sync(void)
{
	sd_bus_message *reply =
		call(room.client, "/org/s390/APMatrix", "org.freedesktop.DBus.Peer", "Ping", NULL);

	expect_return(reply, "");
	sd_bus_message_unref(reply);
}

void room_wait_calls(size_t n)
{
	while (room.engine.n_calls < n)
		ck_assert_int_gt(sd_event_run(room.event, UINT64_C(20000000)), 0);
}

void expect_error(sd_bus_message *reply, const char *name, const char *message)
{
	const sd_bus_error *e = sd_bus_message_get_error(reply);

	ck_assert_msg(e, "expected %s, got a reply", name);
	ck_assert_str_eq(e->name, name);
	if (message)
		ck_assert_str_eq(e->message, message);
}

void expect_return(sd_bus_message *reply, const char *signature)
{
	const sd_bus_error *e = sd_bus_message_get_error(reply);

	ck_assert_msg(!e, "got the error %s: %s", e ? e->name : "", e ? e->message : "");
	ck_assert_str_eq(sd_bus_message_get_signature(reply, true), signature);
}

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_)
{
	struct call *c = userdata;

	c->reply = sd_bus_message_ref(m);
	c->done = true;
	return 0;
}

const struct room_change room_changes[] = {
	{"Reconcile", "", "reconcile", "u", "manage-matrices"},
	{"Reload", "", "reload", "", "manage-matrices"},
	{"StartMatrix", "s", "start", "", "manage-matrices"},
	{"StopMatrix", "s", "stop", "", "manage-matrices"},
	{"Update", "sa{sv}", "update", "", "manage-matrices"},
	{"Define", "sa{sv}b", "define", "o", "manage-definitions"},
	{"Undefine", "s", "undefine", "", "manage-definitions"},
	{"PrepareGuest", "sas", "prepare", "", "attach-guest"},
	{"ReleaseGuest", "sas", "release", "", "attach-guest"},
};

sd_bus_message *room_change_message(sd_bus *client, const struct room_change *c, const char *name)
{
	sd_bus_message *m = NULL;
	int r = 0;

	ck_assert_int_ge(sd_bus_message_new_method_call(client, &m, "org.s390.APMatrix",
				 "/org/s390/APMatrix", "org.s390.APMatrix.Manager", c->member),
		0);
	if (strcmp(c->types, "s") == 0)
		r = sd_bus_message_append(m, "s", name);
	else if (strcmp(c->types, "sa{sv}") == 0)
		r = sd_bus_message_append(m, "sa{sv}", name, 1, "Adapters", "s", "5");
	else if (strcmp(c->types, "sa{sv}b") == 0)
		r = sd_bus_message_append(m, "sa{sv}b", name, 1, "Adapters", "s", "5", true);
	else if (strcmp(c->types, "sas") == 0)
		r = sd_bus_message_append(m, "sas", name, 1, "u1");
	ck_assert_int_ge(r, 0);
	return m;
}

void room_send_message(sd_bus *client, struct call *c, sd_bus_message *m)
{
	*c = (struct call){};
	ck_assert_int_ge(sd_bus_call_async(client, NULL, m, on_reply, c, 0), 0);
	sd_bus_message_unref(m);
}

void room_send(sd_bus *client, struct call *c, const char *member, const char *name)
{
	int r;

	*c = (struct call){};
	r = sd_bus_call_method_async(client, NULL, "org.s390.APMatrix", "/org/s390/APMatrix",
		"org.s390.APMatrix.Manager", member, on_reply, c, name ? "s" : NULL, name);
	ck_assert_int_ge(r, 0);
}

void call_done(struct call *c)
{
	c->reply = sd_bus_message_unref(c->reply);
	c->done = false;
}
