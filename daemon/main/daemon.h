/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * All rooms, wired: the engine's port is made of workers, lock and timer, its events go to the bus
 * and the journal, the kernel's and the file system's hints come in.
 */
#include "util/cleanup.h"

struct daemon;

enum daemon_mode {
	DAEMON_SERVE, /* until SIGTERM */
	DAEMON_ONCE,  /* reconcile, and end */
	DAEMON_PLAN,  /* print the plan, and end; changes nothing */
};

struct daemon_options {
	enum daemon_mode mode;
	const char *root; /* directory under which /sys, /etc, /run, /proc lie */
	const char *bus;  /* "system", "session" or an address; DAEMON_SERVE only */
};

/* Logs what goes wrong.  0 or a negative errno. */
int daemon_new(const struct daemon_options *options, struct daemon **ret);
void daemon_free(struct daemon *d);
DEFINE_CLEANUP(struct daemon, daemon_free)

/* Runs the loop; the exit status of the program. */
int daemon_run(struct daemon *d);
