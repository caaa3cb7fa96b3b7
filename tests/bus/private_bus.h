/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A dbus-daemon or dbus-broker of the test's own, with the defaults of a system bus and our policy file, and
 * clients of it that share one event loop with the server under test: nothing is ever waited for
 * but events.
 */
#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#define NOBODY 65534

struct private_bus {
	char dir[64];
	char address[128];
	pid_t pid;
};

/* Once a program, before anything else, where dbus-broker is to be the bus: it wants a journal to
 * write to.  False, and says why, where that cannot be. */
bool private_bus_use_broker(void);

/* Both end the test program where the daemon does not come up. */
void private_bus_start(struct private_bus *p);
void private_bus_restart(struct private_bus *p); /* same address; all connections are lost */
void private_bus_stop(struct private_bus *p);

/* A client that the bus sees as @uid (0: ourselves), attached to @event. */
sd_bus *private_bus_client(const struct private_bus *p, sd_event *event, uid_t uid);

/* Turns the loop until *flag or, after some seconds, the test program's end. */
void run_until(sd_event *event, const bool *flag);

/* Calls a method of org.s390.APMatrix; returns the reply or error, owned by the caller. */
sd_bus_message *call(sd_bus *client, const char *path, const char *interface, const char *member,
	const char *types, ...);

/* A method of the Manager, likewise. */
#define manager_call(client, ...) \
	call(client, "/org/s390/APMatrix", "org.s390.APMatrix.Manager", __VA_ARGS__)
