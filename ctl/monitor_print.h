/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * How changes look: for people a line each, with the time, the object and old and new value; as
 * JSON an object a line, with D-Bus names.
 */
#include "ctl/object.h"
#include "ctl/term.h"

struct monitor_output {
	const struct term *term;
	bool json;
};

/* What of @seen (bits of the table's rows) differs between the two structs. */
void monitor_print_properties(const struct monitor_output *o, const char *title, const char *path,
	const struct object_property *table, size_t n, const void *before, const void *after,
	uint32_t seen);

/* @event: "MatrixAdded" or "MatrixRemoved". */
void monitor_print_matrix(
	const struct monitor_output *o, const char *event, const struct client_matrix *m);

/* @event: "MatrixAttached" or "MatrixDetached". */
void monitor_print_attach(const struct monitor_output *o, const char *event, const char *name,
	const char *path, uint32_t pid, uint64_t sequence);
void monitor_print_refused(const struct monitor_output *o, const char *name, const char *path,
	uint32_t pid, uint64_t sequence, int error, const char *message);
void monitor_print_finished(const struct monitor_output *o, uint32_t steps, uint32_t failures);

/* @event: "DaemonStarted" or "DaemonStopped". */
void monitor_print_daemon(const struct monitor_output *o, const char *event);
