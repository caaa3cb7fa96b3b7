/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/ctl.h"

#include <stdarg.h>
#include <string.h>

void ctl_say(const char *format, ...)
{
	va_list ap;

	/* In order, where both streams go to the same place. */
	fflush(stdout);
	fputs("apmatrixctl: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int ctl_fail(const struct ctl *ctl, int error)
{
	_cleanup_free_ char *text = client_explain(&ctl->client, error);

	ctl_say("%s", text ? text : strerror(ENOMEM));
	return EXIT_FAILURE;
}

int ctl_result(int r)
{
	if (r >= 0)
		return EXIT_SUCCESS;
	ctl_say("%s", strerror(-r));
	return EXIT_FAILURE;
}

int ctl_json(const struct ctl *ctl, struct json_object *value)
{
	return ctl_result(json_print(value, ctl->json, stdout));
}
