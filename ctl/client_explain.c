/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What went wrong on the way to the daemon or in it, in a sentence with the next step.  The
 * daemon's own errors carry their sentence and are passed on as they are.
 */
#include <string.h>

#include "ctl/client.h"
#include "ctl/term.h"

/* The bus knows nobody of that name, or could not start it. */
bool client_is_absent(const struct client *c)
{
	static const char *const names[] = {
		SD_BUS_ERROR_SERVICE_UNKNOWN,
		SD_BUS_ERROR_NAME_HAS_NO_OWNER,
		"org.freedesktop.systemd1.NoSuchUnit",
		"org.freedesktop.systemd1.LoadFailed",
		"org.freedesktop.DBus.Error.Spawn.ExecFailed",
		"org.freedesktop.DBus.Error.Spawn.ChildExited",
		"org.freedesktop.DBus.Error.Spawn.Failed",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (sd_bus_error_has_name(&c->error, names[i]))
			return true;
	return false;
}

static char *explain_absent(const struct client *c)
{
	char *text = NULL;
	int r;

	if (c->host)
		r = asprintf(&text,
			"apmatrixd is not running on %s; start it there with 'systemctl start "
			"apmatrixd', "
			"or with 'systemctl -H %s start apmatrixd'",
			c->host, c->host);
	else if (c->machine)
		r = asprintf(&text,
			"apmatrixd is not running in %s; start it with 'systemctl -M %s start "
			"apmatrixd'",
			c->machine, c->machine);
	else if (strcmp(c->address, "system") == 0)
		r = asprintf(&text,
			"apmatrixd is not running; start it with 'systemctl start apmatrixd'");
	else
		r = asprintf(&text,
			"apmatrixd is not on the bus %s; start it there with 'apmatrixd --bus=%s'",
			c->address, c->address);
	return r < 0 ? NULL : text;
}

static char *explain_name(const struct client *c)
{
	char *text = NULL;
	int r;

	if (c->suggestion)
		r = asprintf(&text, "there is no matrix '%s'; did you mean '%s'?", c->failed_name,
			c->suggestion);
	else
		r = asprintf(&text,
			"there is no matrix '%s'; 'apmatrixctl list' shows those that there are",
			c->failed_name);
	return r < 0 ? NULL : text;
}

static char *explain_connection(const struct client *c, int error)
{
	const char *to = c->host ? c->host : c->machine ? c->machine : c->address;
	char *text = NULL;
	int r;

	if (c->host)
		r = asprintf(&text,
			"cannot reach the system bus of %s: %s; try 'ssh %s systemd-stdio-bridge'",
			to, strerror(-error), to);
	else if (c->machine)
		r = asprintf(&text, "cannot reach the system bus of the container %s: %s", to,
			strerror(-error));
	else
		r = asprintf(&text,
			"cannot connect to the bus %s: %s; is a D-Bus broker running there?", to,
			strerror(-error));
	return r < 0 ? NULL : text;
}

static char *explain_message(const struct client *c)
{
	const char *message = c->error.message ? c->error.message : c->error.name;
	const char *more = "";
	char *text = NULL;

	if (sd_bus_error_has_name(&c->error, SD_BUS_ERROR_ACCESS_DENIED) ||
		sd_bus_error_has_name(&c->error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED))
		more = "; it needs root's rights: try again with sudo";
	else if (sd_bus_error_has_name(&c->error, SD_BUS_ERROR_NO_REPLY) ||
		sd_bus_error_has_name(&c->error, SD_BUS_ERROR_TIMEOUT))
		more = "; 'journalctl -u apmatrixd' may say why";
	if (asprintf(&text, "%s%s", message, more) < 0)
		return NULL;
	text_clean(text);
	return text;
}

char *client_explain(const struct client *c, int error)
{
	char *text = NULL;

	if (c->failed_name)
		return explain_name(c);
	if (client_is_absent(c))
		return explain_absent(c);
	/* libsystemd makes an error of its own out of a connection that breaks. */
	if (!c->bus || error == -ECONNRESET || error == -ENOTCONN || error == -ECONNREFUSED ||
		error == -EPIPE)
		return explain_connection(c, error);
	if (sd_bus_error_is_set(&c->error))
		return explain_message(c);
	if (error == -EBADMSG)
		text = strdup(
			"apmatrixd answered in a form that this apmatrixctl does not know; are "
			"both of the same version? (apmatrixctl --version, apmatrixd --version)");
	else if (asprintf(&text, "%s", strerror(-error)) < 0)
		return NULL;
	return text;
}
