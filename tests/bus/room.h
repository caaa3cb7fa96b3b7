/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The room under test: daemon/bus with the fake engine on a private bus, and two clients, root
 * and somebody else.  One for every test.
 */
#include <check.h>

#include "bus/bus.h"
#include "fake_engine.h"
#include "private_bus.h"

struct room {
	struct private_bus bus;
	sd_event *event;
	struct bus *server;
	struct engine engine;
	sd_bus *client;   /* root */
	sd_bus *stranger; /* nobody */
};

extern struct room room;

void room_setup(void);
void room_teardown(void); /* the server may have been freed and set to NULL */

/* All that the server has sent by now has arrived when this returns. */
void room_sync(void);

/* Turns the loop until the engine has got @n requests. */
void room_wait_calls(size_t n);

/* Fails the test, and says why, unless @reply is this error. */
void expect_error(sd_bus_message *reply, const char *name, const char *message);
void expect_return(sd_bus_message *reply, const char *signature);

/* Sends a call of the Manager without waiting for its reply. */
struct call {
	sd_bus_message *reply;
	bool done;
};
void room_send(sd_bus *client, struct call *c, const char *member, const char *name);
void room_send_message(sd_bus *client, struct call *c, sd_bus_message *m); /* and frees @m */
void call_done(struct call *c);

/* What changes something, and a call of each that the room takes. */
struct room_change {
	const char *member, *types;
	const char *what;   /* as the fake engine writes it down */
	const char *reply;  /* signature */
	const char *action; /* of polkit, without its prefix */
};
#define N_ROOM_CHANGES 9
extern const struct room_change room_changes[N_ROOM_CHANGES];
sd_bus_message *room_change_message(sd_bus *client, const struct room_change *c, const char *name);
