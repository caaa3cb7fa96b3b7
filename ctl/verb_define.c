/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * define, undefine and update: what a matrix is to be, by the daemon's own drop-in or until the
 * next reload.  Arguments are judged here as drop-ins are, all mistakes at once and before the
 * daemon is asked; whether it can be done is the daemon's to say.
 */
#include <string.h>

#include "ctl/change.h"
#include "ctl/define.h"
#include "ctl/object_text.h"

/* Says the mistakes, if there are any: EXIT_SUCCESS, EXIT_USAGE, or EXIT_FAILURE for @r < 0. */
static int say_problems(const char *verb, int r, const struct problems *p)
{
	if (r < 0)
		return ctl_result(r);
	for (size_t i = 0; i < p->n; i++)
		ctl_say("%s: %s", verb, p->items[i].text);
	return problems_n_errors(p) ? EXIT_USAGE : EXIT_SUCCESS;
}

/* Relative lists are tried out on an empty matrix.  EXIT_SUCCESS, or what is wrong was said. */
static int read_settings(const char *verb, const char *name, char **args, struct settings *ret)
{
	static const struct matrix nothing;
	_cleanup_(settings_done) struct settings s = {0}, whole = {0};
	_cleanup_(problems_done) struct problems p = {0};
	bool update = strcmp(verb, "update") == 0;
	int status, r = settings_parse(args, &s, &p);

	if (r >= 0 && update)
		r = settings_resolve(&s, &nothing, &whole, &p);
	/* A UUID is a name, too, but not for a drop-in. */
	if (r >= 0)
		r = settings_check(update ? &whole : &s, update ? "matrix" : name, &p);
	status = say_problems(verb, r, &p);
	for (size_t i = 0; i < s.n && status == EXIT_USAGE && !update; i++)
		if (setting_is_relative(&s.items[i]))
			ctl_say("%s: a list with signs is for 'apmatrixctl update'", verb);
	if (status == EXIT_SUCCESS) {
		*ret = s;
		s = (struct settings){0};
	}
	return status;
}

/* 1: *ret is the matrix.  0: there is none.  Or a negative errno. */
static int look(struct ctl *ctl, const char *name, struct client_matrix *ret)
{
	_cleanup_free_ char *path = NULL;
	int r = client_find_matrix(&ctl->client, name, &path);

	if (r >= 0)
		r = client_read_matrix_at(&ctl->client, path, ret);
	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

static int show(struct ctl *ctl, const char *done, const struct client_matrix *before,
	const struct client_matrix *after)
{
	if (ctl->json != JSON_OFF)
		return ctl_json(ctl, change_json(before, after));
	change_print(done, before, after, &ctl->term, stdout);
	return EXIT_SUCCESS;
}

/* What became of it. */
static int show_after(
	struct ctl *ctl, const char *done, const char *name, const struct client_matrix *before)
{
	struct client_matrix after;
	int status, r = look(ctl, name, &after);

	if (r < 0)
		return ctl_fail(ctl, r);
	if (r == 0) {
		ctl_say("%s was %s, and is gone again", name, done);
		return EXIT_FAILURE;
	}
	status = show(ctl, done, before, &after);
	client_matrix_done(&after);
	return status;
}

int define_matrix(struct ctl *ctl, const char *name, const struct settings *s, bool replace)
{
	struct client_matrix before;
	bool known = false;
	int status, r = look(ctl, name, &before);

	/* Reading does not start the daemon, defining does. */
	if (r < 0 && !client_is_absent(&ctl->client))
		return ctl_fail(ctl, r);
	known = r > 0;
	r = client_define(&ctl->client, name, s->items, s->n, replace);
	if (r < 0)
		status = ctl_fail(ctl, r);
	else
		status = show_after(
			ctl, known ? "defined anew" : "defined", name, known ? &before : NULL);
	if (known)
		client_matrix_done(&before);
	return status;
}

int verb_define(struct ctl *ctl, char **args)
{
	_cleanup_(settings_done) struct settings s = {0};
	int status = read_settings("define", args[0], args + 1, &s);

	return status == EXIT_SUCCESS ? define_matrix(ctl, args[0], &s, ctl->replace) : status;
}

/* A guest may still have its device. */
static int undefine(struct ctl *ctl, const struct client_matrix *before)
{
	const struct condition_item *present = client_matrix_condition(before, "Present");
	const char *name = client_matrix_title(before);
	struct client_matrix after;
	int status, r = client_call(&ctl->client, CLIENT_CHANGE, "Undefine", NULL, "s", name);

	if (r < 0)
		return ctl_fail(ctl, r);
	r = look(ctl, before->uuid, &after);
	if (r < 0)
		return ctl_fail(ctl, r);
	if (r == 0)
		return show(ctl,
			present && present->status ? "no longer defined, and its device is gone"
						   : "no longer defined",
			before, NULL);
	status = show(ctl, "no longer defined, but its device is still there", before, &after);
	client_matrix_done(&after);
	return status;
}

int verb_undefine(struct ctl *ctl, char **args)
{
	struct client_matrix before;
	int status, r = client_read_matrix(&ctl->client, args[0], &before);

	if (r < 0)
		return ctl_fail(ctl, r);
	status = undefine(ctl, &before);
	client_matrix_done(&before);
	return status;
}

static int update(struct ctl *ctl, const struct client_matrix *before, const struct settings *s)
{
	const struct matrix now = {
		.adapters = before->configured_adapters,
		.domains = before->configured_domains,
		.control_domains = before->configured_control_domains,
	};
	const char *name = client_matrix_title(before);
	_cleanup_(settings_done) struct settings whole = {0};
	_cleanup_(problems_done) struct problems p = {0};
	int status, r = settings_resolve(s, &now, &whole, &p);

	status = say_problems("update", r, &p);
	if (status != EXIT_SUCCESS)
		return status;
	r = client_update(&ctl->client, name, whole.items, whole.n);
	if (r < 0)
		return ctl_fail(ctl, r);
	return show_after(ctl, "changed until the next reload", name, before);
}

int verb_update(struct ctl *ctl, char **args)
{
	_cleanup_(settings_done) struct settings s = {0};
	struct client_matrix before;
	int r, status = read_settings("update", args[0], args + 1, &s);

	if (status != EXIT_SUCCESS)
		return status;
	r = client_read_matrix(&ctl->client, args[0], &before);
	if (r < 0)
		return ctl_fail(ctl, r);
	status = update(ctl, &before, &s);
	client_matrix_done(&before);
	return status;
}
