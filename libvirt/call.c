/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Asks apmatrixd on the system bus, which starts it if need be, and turns what goes wrong on the
 * way into a sentence with a next step.  What apmatrixd itself says is passed on as it is.
 */
#include "libvirt/call.h"

#include <errno.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "util/cleanup.h"

#define SERVICE "org.s390.APMatrix"
#define SERVICE_PATH "/org/s390/APMatrix"
#define MANAGER SERVICE ".Manager"
#define BUSY SERVICE ".Error.Busy"

#define PAUSE_NSEC 200000000L

/* Errors of the bus and the service manager that mean: it does not run. */
static const char *const not_started[] = {
	"org.freedesktop.DBus.Error.Spawn.",
	"org.freedesktop.DBus.Error.NameHasNoOwner", /* dbus-broker */
	"org.freedesktop.DBus.Error.TimedOut",
	"org.freedesktop.systemd1.",
};

static uint64_t now_usec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static bool is_not_started(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(not_started); i++)
		if (strncmp(name, not_started[i], strlen(not_started[i])) == 0)
			return true;
	return false;
}

static int explain(char **ret_reason, int r, const char *format, ...) _printf_(3, 4);

static int explain(char **ret_reason, int r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (vasprintf(ret_reason, format, ap) < 0)
		*ret_reason = NULL;
	va_end(ap);
	return r;
}

static int explain_error(char **ret_reason, int r, const sd_bus_error *error)
{
	const char *name = error->name ?: "", *message = error->message ?: strerror(-r);

	if (strcmp(name, SD_BUS_ERROR_SERVICE_UNKNOWN) == 0)
		return explain(ret_reason, r,
			"apmatrixd does not run, and D-Bus does not know how to start it: run "
			"'systemctl start apmatrixd'; if it has been removed from this host, "
			"remove " HOOK_PATH " too");
	if (is_not_started(name))
		return explain(ret_reason, r,
			"apmatrixd cannot be started (%s): see 'systemctl status apmatrixd'; if "
			"this host is to do without it, remove " HOOK_PATH,
			message);
	if (strcmp(name, SD_BUS_ERROR_NO_REPLY) == 0)
		return explain(ret_reason, r,
			"apmatrixd ended while it was asked: see 'systemctl status apmatrixd'");
	if (r == -ECONNRESET || r == -ENOTCONN)
		return explain(ret_reason, r,
			"the connection to the system bus, on which apmatrixd was asked, was lost: "
			"see 'systemctl status dbus'");
	return explain(ret_reason, r, "%s", message);
}

static int call_once(
	sd_bus *bus, const char *member, const char *guest, char **uuids, sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	int r = sd_bus_message_new_method_call(bus, &m, SERVICE, SERVICE_PATH, MANAGER, member);

	if (r >= 0)
		r = sd_bus_message_append_basic(m, 's', guest);
	if (r >= 0)
		r = sd_bus_message_append_strv(m, uuids);
	if (r < 0)
		return r;
	return sd_bus_call(bus, m, UINT64_MAX, error, NULL);
}

/* A daemon that D-Bus has just started has the name before it has read the host, and one that is
 * about to end says that it is busy: both are another daemon, or a wiser one, a moment later. */
static bool may_change(const sd_bus_error *error)
{
	return sd_bus_error_has_name(error, BUSY) ||
		sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY);
}

int call_guest(
	const char *member, const char *guest, char **uuids, uint64_t patience, char **ret_reason)
{
	_cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
	uint64_t until = now_usec() + patience;
	int r = sd_bus_open_system(&bus);

	if (r < 0)
		return explain(ret_reason, r,
			"the system bus, on which apmatrixd is to be asked, cannot be reached "
			"(%s): see 'systemctl status dbus'",
			strerror(-r));
	for (;;) {
		_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

		r = call_once(bus, member, guest, uuids, &error);
		if (r >= 0)
			return 0;
		if (!may_change(&error) || now_usec() >= until)
			return explain_error(ret_reason, r, &error);
		clock_nanosleep(
			CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = PAUSE_NSEC}, NULL);
	}
}
