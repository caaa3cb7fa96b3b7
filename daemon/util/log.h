/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Log lines to standard error, with the "<N>" priorities that the journal understands when a
 * service manager reads them, and plain on a terminal.  Levels are syslog's.
 */
#include <stdbool.h>
#include <syslog.h>

#include "util/cleanup.h"

void log_set_level(int level); /* lines above it are dropped; LOG_INFO at first */
int log_level_from_string(
	const char *name); /* "err", "warning", "notice", "info", "debug"; -EINVAL */

void log_line(int level, const char *format, ...) _printf_(2, 3);

#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_notice(...) log_line(LOG_NOTICE, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERR, __VA_ARGS__)
