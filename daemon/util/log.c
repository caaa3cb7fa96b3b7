/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/log.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
/* Where in this file a line comes from tells nobody anything. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "util/strtab.h"

#define FIELDS_MAX 8u

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

/* The service manager connected standard error to the journal (systemd.exec(5)), and it still is:
 * a child that somebody redirected has the variable, too. */
static bool have_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
		fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

static bool send_to_journal(
	int level, const char *text, const struct log_field *fields, size_t n_fields)
{
	char *lines[FIELDS_MAX + 3] = {NULL};
	struct iovec entry[ARRAY_SIZE(lines)];
	size_t n = 0;
	bool sent = false;

	assert(n_fields <= FIELDS_MAX);
	if (asprintf(&lines[n], "MESSAGE=%s", text) < 0)
		return false;
	n++;
	if (asprintf(&lines[n], "PRIORITY=%d", level) < 0)
		goto out;
	n++;
	if (asprintf(&lines[n], "SYSLOG_IDENTIFIER=%s", program_invocation_short_name) < 0)
		goto out;
	n++;
	for (size_t i = 0; i < n_fields; i++) {
		if (!fields[i].value || !*fields[i].value)
			continue;
		if (asprintf(&lines[n], "%s=%s", fields[i].name, fields[i].value) < 0)
			goto out;
		n++;
	}
	for (size_t i = 0; i < n; i++)
		entry[i] = (struct iovec){lines[i], strlen(lines[i])};
	sent = sd_journal_sendv(entry, (int)n) >= 0;
out:
	while (n > 0)
		free(lines[--n]);
	return sent;
}

static void _printf_(4, 0) log_valist(
	int level, const struct log_field *fields, size_t n_fields, const char *format, va_list ap)
{
	_cleanup_free_ char *text = NULL;
	bool journal;

	if (level > max_level)
		return;
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	journal = have_journal();
	if (journal && send_to_journal(level, text ? text : format, fields, n_fields))
		return;
	if (journal)
		fprintf(stderr, "<%d>%s\n", level, text ? text : format);
	else
		fprintf(stderr, "apmatrixd: %s\n", text ? text : format);
}

void log_line(int level, const char *format, ...)
{
	int saved = errno;
	va_list ap;

	va_start(ap, format);
	log_valist(level, NULL, 0, format, ap);
	va_end(ap);
	errno = saved;
}

void log_with(int level, const struct log_field *fields, size_t n_fields, const char *format, ...)
{
	int saved = errno;
	va_list ap;

	va_start(ap, format);
	log_valist(level, fields, n_fields, format, ap);
	va_end(ap);
	errno = saved;
}
