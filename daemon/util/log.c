/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/log.h"

#include <stdarg.h>
#include <string.h>

#include "util/strtab.h"

static int max_level = LOG_INFO;

static const char *const level_table[] = {
	[LOG_ERR] = "err",
	[LOG_WARNING] = "warning",
	[LOG_NOTICE] = "notice",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};

int log_level_from_string(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(level_table); i++)
		if (level_table[i] && strcmp(level_table[i], name) == 0)
			return (int)i;
	return -EINVAL;
}

void log_set_level(int level)
{
	max_level = level;
}

void log_line(int level, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	int saved = errno;
	va_list ap;

	if (level > max_level)
		return;
	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	/* JOURNAL_STREAM: the service manager connected stderr to the journal (systemd.exec(5)). */
	if (getenv("JOURNAL_STREAM"))
		fprintf(stderr, "<%d>%s\n", level, text ? text : format);
	else
		fprintf(stderr, "apmatrixd: %s\n", text ? text : format);
	errno = saved;
}
