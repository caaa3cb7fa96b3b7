/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What every verb gets: the options, the way to the daemon and the terminal.  A verb is a
 * function in its own file, verb_NAME.c; main.c has the table of them.
 */
#include "ctl/client.h"
#include "ctl/json.h"
#include "ctl/term.h"

enum { EXIT_USAGE = 2 };

struct ctl {
	struct client client;
	struct term term;
	enum json_mode json;
	const char *root;   /* --root, "/" by default */
	const char *states; /* --state, NULL by default */
	uint64_t timeout;   /* --timeout in microseconds, UINT64_MAX by default */
	const char *name;   /* --name, NULL by default */
	const char *format; /* --format, NULL by default */
	bool replace;       /* --replace */
	bool write;         /* --write */
};

/* @args: what follows the verb, NULL at the end, as many as the verb's table row allows.
 * Returns the exit status: EXIT_SUCCESS, EXIT_FAILURE or EXIT_USAGE. */
typedef int (*verb_function)(struct ctl *ctl, char **args);

int verb_status(struct ctl *ctl, char **args);
int verb_list(struct ctl *ctl, char **args);
int verb_show(struct ctl *ctl, char **args);
int verb_grid(struct ctl *ctl, char **args);
int verb_queues(struct ctl *ctl, char **args);
int verb_plan(struct ctl *ctl, char **args);
int verb_reconcile(struct ctl *ctl, char **args);
int verb_reload(struct ctl *ctl, char **args);
int verb_check(struct ctl *ctl, char **args);
int verb_start(struct ctl *ctl, char **args);
int verb_stop(struct ctl *ctl, char **args);
int verb_monitor(struct ctl *ctl, char **args);
int verb_wait(struct ctl *ctl, char **args);
int verb_define(struct ctl *ctl, char **args);
int verb_undefine(struct ctl *ctl, char **args);
int verb_update(struct ctl *ctl, char **args);
int verb_import_mdevctl(struct ctl *ctl, char **args);
int verb_export(struct ctl *ctl, char **args);
int verb_names(struct ctl *ctl, char **args);

#define CTL_NO_QUEUES                                                                  \
	"There are no AP queues: this host has no crypto adapters, or none is online " \
	"(lszcrypt -V shows them)."

/* "apmatrixctl: MESSAGE" to standard error. */
void ctl_say(const char *format, ...) _printf_(1, 2);

/* Says why the client's last function failed and returns EXIT_FAILURE. */
int ctl_fail(const struct ctl *ctl, int error);

/* Prints and releases a JSON value in the mode of --json; returns the exit status. */
int ctl_json(const struct ctl *ctl, struct json_object *value);

/* EXIT_SUCCESS for 0, and for a negative errno its message and EXIT_FAILURE. */
int ctl_result(int r);
