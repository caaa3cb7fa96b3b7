/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The real polkitd on the private bus, with our actions and a test's own rules, in a mount
 * namespace of the test program's; and an authentication agent that does what the test says.
 */
#include "private_bus.h"

struct private_polkit {
	const struct private_bus *bus;
	pid_t pid;
};

/* Once a program, before anything else: gives it polkit's folders for itself.  False, and says why,
 * where that cannot be. */
bool private_polkit_prepare(const char *rules);
void private_polkit_remove(void); /* what that has written */

/* Starts polkitd and waits, with @client, until it has its name. */
void private_polkit_start(struct private_polkit *p, const struct private_bus *bus, sd_bus *client);
void private_polkit_stop(struct private_polkit *p);

/* Asks for passwords on behalf of this process.  All are told by the fields. */
struct agent {
	sd_bus *connection;     /* of root, owned */
	sd_bus_message *dialog; /* BeginAuthentication, not answered; NULL: none is open */
	char cookie[128], action[128], message[256];
	bool open, cancelled;
};
void agent_start(struct agent *a, const struct private_bus *bus, sd_event *event);
void agent_stop(struct agent *a);
void agent_enter_password(struct agent *a); /* the right one, root's */
void agent_dismiss(struct agent *a);
