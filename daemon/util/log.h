/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Log lines to the journal where standard error leads there, and otherwise to standard error.
 * Levels are syslog's.
 */
#include <stdbool.h>
#include <stddef.h>
#include <syslog.h>

#include "util/cleanup.h"

void log_set_level(int level); /* lines above it are dropped; LOG_INFO at first */
int log_level_from_string(
	const char *name); /* "err", "warning", "notice", "info", "debug"; -EINVAL */

void log_line(int level, const char *format, ...) _printf_(2, 3);

/* A field of the journal's entry; one whose value is NULL or "" is left out. */
struct log_field {
	const char *name;
	const char *value;
};

/* The same, with fields for those who search the journal; standard error does not show them. */
void log_with(int level, const struct log_field *fields, size_t n_fields, const char *format, ...)
	_printf_(4, 5);

#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_notice(...) log_line(LOG_NOTICE, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERR, __VA_ARGS__)
