/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * import-mdevctl: shows mdevctl's definitions as drop-ins, without daemon; with --write the daemon
 * defines them.  A definition that cannot be read is said, and the others go on.  mdevctl's files
 * are never changed, so that who tries this may still go back; that two then start the device is
 * said, too.
 */
#include <string.h>

#include "ctl/define.h"
#include "ctl/import.h"

static void say(const struct imports *l, const struct import *i, const char *text)
{
	char file[sizeof(i->file)];

	memcpy(file, i->file, sizeof(file));
	text_clean(file);
	if (i->line)
		ctl_say("%s/%s:%u: %s", l->directory, file, i->line, text);
	else
		ctl_say("%s/%s: %s", l->directory, file, text);
}

static int say_autostart(const struct imports *l, const struct import *i)
{
	_cleanup_free_ char *text = NULL;

	if (!i->definition.autostart)
		return 0;
	if (asprintf(&text,
		    "mdevctl starts it at boot, too; leave that to apmatrixd with 'mdevctl modify "
		    "--uuid %s --manual'",
		    i->uuid) < 0) {
		text = NULL;
		return -ENOMEM;
	}
	say(l, i, text);
	return 0;
}

/* What else there is to know, once for all of them. */
static void say_next(const struct ctl *ctl, size_t n)
{
	if (n == 0)
		return;
	if (!ctl->name)
		ctl_say("only a guest that has the matrix's name may use it; name a matrix after "
			"its guest with 'apmatrixctl import-mdevctl UUID --name=GUEST'");
	if (!ctl->write)
		ctl_say("nothing is defined yet; do that with --write");
}

static void print(const struct imports *l, const struct import *i)
{
	printf("# %s/%s\n", l->directory, i->file);
	settings_print(&i->settings, i->name, stdout);
}

static int define(struct ctl *ctl, const struct import *i)
{
	int r;

	if (ctl->json == JSON_OFF)
		return define_matrix(ctl, i->name, &i->settings, false);
	r = client_define(&ctl->client, i->name, i->settings.items, i->settings.n, false);
	return r < 0 ? ctl_fail(ctl, r) : EXIT_SUCCESS;
}

/* True where asking for the next one is of no use: only the daemon's own errors are about one. */
static bool is_hopeless(const struct client *c)
{
	return !c->bus || !c->error.name ||
		strncmp(c->error.name, APMATRIX_ERROR, strlen(APMATRIX_ERROR)) != 0;
}

static int import_all(struct ctl *ctl, const struct imports *l)
{
	int status = EXIT_SUCCESS;
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct import *item = &l->items[i];

		if (item->mistake) {
			say(l, item, item->mistake);
			if (*item->uuid)
				status = EXIT_FAILURE;
			continue;
		}
		if (ctl->write && define(ctl, item) != EXIT_SUCCESS) {
			status = EXIT_FAILURE;
			if (is_hopeless(&ctl->client))
				return status;
			continue;
		}
		item->defined = ctl->write;
		if (!ctl->write && ctl->json == JSON_OFF)
			print(l, item);
		if (say_autostart(l, item) < 0)
			return ctl_result(-ENOMEM);
		n++;
	}
	if (l->n == 0 && ctl->json == JSON_OFF)
		printf("There is no definition in %s.\n", l->directory);
	say_next(ctl, n);
	return status;
}

static struct json_object *json_of_import(const struct import *i)
{
	struct json_object *value = json_object_new_object();
	const struct matrix *m = &i->definition.matrix;

	json_put_string(value, "UUID", i->uuid);
	if (i->mistake) {
		json_put_string(value, "Error", i->mistake);
		json_put_number(value, "Line", i->line);
		return value;
	}
	json_put_string(value, "Name", i->name);
	json_put(value, "Adapters", json_of_numbers(&m->adapters));
	json_put(value, "Domains", json_of_numbers(&m->domains));
	json_put(value, "ControlDomains", json_of_numbers(&m->control_domains));
	json_put_string(value, "Start", settings_find(&i->settings, KEY_START));
	json_put(value, "Defined", json_object_new_boolean(i->defined));
	return value;
}

static int print_json(const struct ctl *ctl, const struct imports *l)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < l->n; i++)
		if (*l->items[i].uuid)
			json_object_array_add(array, json_of_import(&l->items[i]));
	return ctl_json(ctl, array);
}

/* Makes the UUIDs lower case, in place; EXIT_USAGE where one is none, or --name does not fit. */
static int check_arguments(const struct ctl *ctl, char **uuids)
{
	_cleanup_(problems_done) struct problems p = {0};
	const struct settings none = {0};
	char uuid[UUID_SIZE];
	int r;

	for (char **u = uuids; *u; u++) {
		if (!uuid_normalize(*u, uuid)) {
			ctl_say("import-mdevctl: '%s' is not a UUID; 'mdevctl list --defined' "
				"shows "
				"them",
				*u);
			return EXIT_USAGE;
		}
		memcpy(*u, uuid, UUID_SIZE);
	}
	if (!ctl->name)
		return EXIT_SUCCESS;
	if (!uuids[0] || uuids[1]) {
		ctl_say("import-mdevctl: --name=%s is for one matrix; name its UUID", ctl->name);
		return EXIT_USAGE;
	}
	r = settings_check(&none, ctl->name, &p);
	if (r < 0)
		return ctl_result(r);
	if (p.n)
		ctl_say("import-mdevctl: --name=%s: %s", ctl->name, p.items[0].text);
	return p.n ? EXIT_USAGE : EXIT_SUCCESS;
}

int verb_import_mdevctl(struct ctl *ctl, char **args)
{
	struct imports l = {0};
	int r, status = check_arguments(ctl, args);

	if (status != EXIT_SUCCESS)
		return status;
	r = imports_read(ctl->root ? ctl->root : "/", args, &l);
	if (r < 0) {
		ctl_say("%s: %s", ctl->root ? ctl->root : "/etc/mdevctl.d", strerror(-r));
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < l.n && ctl->name; i++)
		snprintf(l.items[i].name, sizeof(l.items[i].name), "%s", ctl->name);
	status = import_all(ctl, &l);
	if (ctl->json != JSON_OFF && print_json(ctl, &l) != EXIT_SUCCESS)
		status = EXIT_FAILURE;
	imports_done(&l);
	return status;
}
