/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine's errors as D-Bus error names.  One prefix and the engine's own words: there is no
 * second table to keep in step.
 */
#include <stdarg.h>

#include "bus/bus_private.h"

static int set(sd_bus_error *error, enum engine_error code, const char *message)
{
	char name[sizeof(BUS_ERROR_PREFIX) + 64];
	_cleanup_free_ char *copy = NULL;
	const char *text = bus_text_mend(message, &copy);

	if (!text)
		return -ENOMEM;
	snprintf(name, sizeof(name), BUS_ERROR_PREFIX "%s", engine_error_to_string(code));
	return sd_bus_error_set(error, name, text);
}

int bus_error_set(sd_bus_error *error, enum engine_error code, const char *format, ...)
{
	_cleanup_free_ char *message = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&message, format, args);
	va_end(args);
	if (n < 0)
		return -ENOMEM;
	return set(error, code, message);
}

int bus_error_from_result(sd_bus_error *error, const struct engine_result *result)
{
	return set(error, result->error, result->message);
}
