/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Definitions by request: Define and Undefine write drop-ins of the daemon's own, Update changes a
 * matrix until Reload or until its definition changes, Check judges a text.  All is judged before anything is
 * written or changed.
 */
#include <string.h>

#include "engine/engine_private.h"
#include "load/definition.h"

/* The first error in @p that concerns the file (NULL: any), or NULL. */
static const struct problem *first_error(const struct problems *p, const char *file)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->items[i].severity == PROBLEM_ERROR &&
			(!file || strcmp(p->items[i].file, file) == 0))
			return &p->items[i];
	return NULL;
}

/* Where the settings of an update come from, beside the files. */
static const char update_path[] = "(Update)";

/* ---- define ---- */

/* True if every setting of the matrix stands in that file. */
static bool defined_only_in(const struct matrix_config *m, const char *path)
{
	bool only = strcmp(m->section.file, path) == 0;

	for (size_t i = 0; i < m->n_settings; i++)
		only = only &&
			(strcmp(m->settings[i].origin.file, path) == 0 ||
				strcmp(m->settings[i].origin.file, update_path) == 0);
	return only;
}

/* A drop-in of that base name in a lower directory, which ours would replace unseen; NULL: none. */
static const char *shadowed(const struct config *c, const char *path)
{
	const char *name = strrchr(path, '/');

	for (size_t i = 0; i < c->n_paths; i++) {
		const char *other = strrchr(c->paths[i], '/');

		if (other && strcmp(other, name) == 0 && strcmp(c->paths[i], path) != 0)
			return c->paths[i];
	}
	return NULL;
}

/* What stands in the way in the files that there are. */
static enum engine_error define_taken(
	struct engine *e, const char *name, const char *path, bool replace, char **ret_message)
{
	const struct matrix_config *m = config_find(e->config, name);
	const char *other = shadowed(e->config, path);
	int r = 0;

	if (m && !replace)
		r = asprintf(ret_message,
			"%s is defined already at %s:%u; replace it, or choose "
			"another name",
			name, m->section.file, m->section.line);
	else if (m && !defined_only_in(m, path))
		r = asprintf(ret_message,
			"%s is defined at %s:%u, which is not apmatrixd's to "
			"change; edit that file",
			name, m->section.file, m->section.line);
	else if (other)
		r = asprintf(ret_message, "%s would take the place of %s; choose another name",
			path, other);
	return r == 0 ? ENGINE_OK : ENGINE_EXISTS;
}

/* What the text means beside all others: its own mistakes, and whether it could be carried out. */
static enum engine_error define_judge(struct engine *e, const char *name, const char *path,
	const char *text, char *ret_uuid, char **ret_message)
{
	_cleanup_(cleanup_config_free) struct config *config = NULL;
	_cleanup_(problems_done) struct problems problems = {};
	const char *file = strrchr(path, '/') + 1;
	const struct matrix_config *m;
	const struct problem *p;

	if (load_check(e->load, file, text, strlen(text), &problems, &config) < 0)
		return ENGINE_INVALID_ARGUMENT;
	p = first_error(&problems, path);
	if (p) {
		*ret_message = strdup(p->text);
		return ENGINE_INVALID_ARGUMENT;
	}
	m = config_find(config, name);
	if (!m)
		return ENGINE_INVALID_ARGUMENT;
	memcpy(ret_uuid, m->uuid, UUID_SIZE);
	/* Without the driver nothing can be carried out now, and everything may be defined. */
	if (!e->observed || !e->observed->has_matrix_device)
		return ENGINE_OK;
	return request_judge(e, config, e->ledger, m->uuid, false, ret_message);
}

static enum engine_error define_write(
	struct engine *e, const char *name, const char *path, const char *text, char **ret_message)
{
	int r = definition_write(e->root, name, text);

	if (r == 0)
		return ENGINE_OK;
	if (r == -EEXIST) {
		if (asprintf(ret_message,
			    "%s was not written by apmatrixd, or was changed by hand "
			    "since; edit or remove it yourself",
			    path) < 0)
			*ret_message = NULL;
		return ENGINE_EXISTS;
	}
	if (asprintf(ret_message, "%s cannot be written: %s", path, strerror(-r)) < 0)
		*ret_message = NULL;
	return ENGINE_NOT_AVAILABLE;
}

/* Defined is defined; what the kernel makes of it is in the matrix's state. */
static void judge_defined(struct engine *e, const struct request *q _unused_,
	const struct verdict *v _unused_, struct engine_result *ret, char **ret_message _unused_)
{
	ret->steps = e->steps;
}

static const struct request_kind define_kind = {NULL, judge_defined};

void engine_define(struct engine *e, uint64_t now, const char *name,
	const struct raw_setting *settings, size_t n_settings, bool replace, engine_reply reply,
	void *userdata)
{
	_cleanup_free_ char *text = NULL, *message = NULL, *path = definition_path(name);
	char uuid[UUID_SIZE] = "";
	enum engine_error error;
	int r = path ? definition_make(name, settings, n_settings, &text, &message) : -ENOMEM;

	if (r < 0)
		error = r == -EINVAL ? ENGINE_INVALID_ARGUMENT : ENGINE_BUSY;
	else
		error = define_taken(e, name, path, replace, &message);
	if (error == ENGINE_OK)
		error = define_judge(e, name, path, text, uuid, &message);
	if (error == ENGINE_OK)
		error = define_write(e, name, path, text, &message);
	if (error != ENGINE_OK) {
		request_refuse(reply, userdata, error, "%s is not defined: %s", name,
			message ? message : "it cannot be read back, or memory ran out");
		return;
	}
	r = engine_load(e, now);
	if (r < 0) {
		request_refuse(reply, userdata, ENGINE_NOT_AVAILABLE,
			"%s is written, but the drop-ins cannot be read: %s", path, strerror(-r));
		return;
	}
	request_add(e, now, &define_kind, uuid, reply, userdata);
}

void engine_undefine(
	struct engine *e, uint64_t now, const char *name, engine_reply reply, void *userdata)
{
	const struct matrix_config *m = config_find(e->config, name);
	_cleanup_free_ char *path = definition_path(name);
	int r;

	if (!m || !path) {
		request_refuse(reply, userdata, m ? ENGINE_BUSY : ENGINE_NO_SUCH_MATRIX,
			"no drop-in defines a matrix %s; 'apmatrixctl list' shows what there is",
			name);
		return;
	}
	r = definition_remove(e->root, name);
	if (r == -ENOENT || r == -EEXIST) {
		request_refuse(reply, userdata, ENGINE_INVALID_ARGUMENT,
			"%s is defined at %s:%u, which apmatrixd did not write or which was "
			"changed by "
			"hand; remove it there",
			name, m->section.file, m->section.line);
		return;
	}
	if (r == 0)
		r = engine_load(e, now);
	if (r < 0) {
		request_refuse(reply, userdata, ENGINE_NOT_AVAILABLE, "%s cannot be removed: %s",
			path, strerror(-r));
		return;
	}
	request_add(e, now, &define_kind, "", reply, userdata);
}

/* ---- update ---- */

static bool takes_the_place(const char *key)
{
	int k = matrix_key_from_string(key);

	return k == KEY_ADAPTERS || k == KEY_DOMAINS || k == KEY_CONTROL_DOMAINS;
}

/* The update as a drop-in behind all others. */
static struct fragment *update_fragment(
	const char *name, const struct raw_setting *settings, size_t n)
{
	_cleanup_(cleanup_fragment_free) struct fragment *f = fragment_new(update_path);
	int r = f ? fragment_add(f, SECTION_MATRIX, name, NULL, NULL, 1) : -ENOMEM;

	for (size_t i = 0; i < n && r == 0; i++) {
		/* Lists append; an update says what is to be, not what is to be added. */
		if (takes_the_place(settings[i].key))
			r = fragment_add(f, SECTION_MATRIX, name, settings[i].key, "", 1);
		if (r == 0)
			r = fragment_add(
				f, SECTION_MATRIX, name, settings[i].key, settings[i].value, 1);
	}
	return r < 0 ? NULL : TAKE_PTR(f);
}

static void judge_updated(struct engine *e, const struct request *q, const struct verdict *v,
	struct engine_result *ret, char **ret_message)
{
	const struct hold *h = hold_find(e, q->uuid);

	if (v && v->mdev && v->config && matrix_equal(&v->mdev->assigned, &v->config->want))
		return;
	/* A matrix that is not started takes its change when it is. */
	if (v && v->kind == VERDICT_IDLE)
		return;
	request_judge_present(e, q, v, ret, ret_message);
	if (ret->error == ENGINE_OK && h) {
		ret->error = ENGINE_KERNEL_REFUSED;
		ret->message = h->message;
	} else if (ret->error == ENGINE_OK) {
		request_fail(e, ret, request_error(v->reason), v->message);
	}
	if (asprintf(ret_message, "%s is not changed: %s",
		    v && v->config ? v->config->name : q->uuid, ret->message) < 0)
		*ret_message = NULL;
	else
		ret->message = *ret_message;
}

/* Refuses what an update cannot mean.  True: refused and answered. */
static bool update_refused(const char *name, const struct raw_setting *settings, size_t n,
	const struct fragment *f, engine_reply reply, void *userdata)
{
	_cleanup_(problems_done) struct problems problems = {};

	if (n == 0) {
		request_refuse(reply, userdata, ENGINE_INVALID_ARGUMENT,
			"nothing to update of %s was given; give Adapters, Domains, ...", name);
		return true;
	}
	for (size_t i = 0; i < n; i++) {
		if (strcmp(settings[i].key, "UUID") != 0)
			continue;
		request_refuse(reply, userdata, ENGINE_INVALID_ARGUMENT,
			"the UUID of %s cannot be changed while it lives; change its drop-in",
			name);
		return true;
	}
	if (fragment_check(f, &problems) == 0)
		return false;
	request_refuse(reply, userdata, ENGINE_INVALID_ARGUMENT, "%s",
		first_error(&problems, NULL) ? first_error(&problems, NULL)->text
					     : "out of memory");
	return true;
}

void engine_update(struct engine *e, uint64_t now, const char *name,
	const struct raw_setting *settings, size_t n_settings, engine_reply reply, void *userdata)
{
	static const struct request_kind update = {NULL, judge_updated};
	const struct matrix_status *m = request_find(e, name, reply, userdata);
	const struct matrix_config *c = m ? config_find_uuid(e->config, m->uuid) : NULL;
	_cleanup_(cleanup_fragment_free) struct fragment *f = NULL;
	_cleanup_(cleanup_config_free) struct config *config = NULL;
	_cleanup_(problems_done) struct problems problems = {};
	_cleanup_free_ char *message = NULL;
	enum engine_error error;
	char uuid[UUID_SIZE];

	if (!m)
		return;
	if (!c) {
		request_refuse(reply, userdata, ENGINE_INVALID_ARGUMENT,
			"%s is not apmatrixd's to change: no drop-in defines it", m->uuid);
		return;
	}
	memcpy(uuid, c->uuid, UUID_SIZE);
	f = update_fragment(c->name, settings, n_settings);
	if (f && update_refused(c->name, settings, n_settings, f, reply, userdata))
		return;
	if (!f || load_try_update(e->load, f, &problems, &config) < 0) {
		request_refuse(reply, userdata, ENGINE_BUSY, "out of memory");
		return;
	}
	error = request_judge(e, config, e->ledger, uuid, true, &message);
	if (error != ENGINE_OK) {
		request_refuse(reply, userdata, error, "%s is not changed: %s%s", c->name,
			message ? message : "out of memory",
			error == ENGINE_IN_USE && e->observed->features & FEATURE_GUEST_MATRIX
				? "; LiveChange=all among the changes does it at once"
				: "");
		return;
	}
	if (load_keep_update(e->load, f) < 0 || engine_use_config(e, now, config, &problems) < 0) {
		request_refuse(reply, userdata, ENGINE_BUSY, "out of memory");
		return;
	}
	TAKE_PTR(f);
	TAKE_PTR(config);
	hold_release(e, uuid);
	request_add(e, now, &update, uuid, reply, userdata);
}

/* ---- check ---- */

int engine_check(struct engine *e, const char *file, const char *text, struct problems *ret)
{
	_cleanup_(cleanup_config_free) struct config *config = NULL;
	_cleanup_(cleanup_plan_free) struct plan *plan = NULL;
	_cleanup_(problems_done) struct problems problems = {};
	struct plan_input in = {.observed = e->observed, .ledger = e->ledger};
	int r = load_check(e->load, file, text, strlen(text), &problems, &config);

	if (r < 0)
		return r;
	if (e->observed) {
		in.config = config;
		r = plan_make(&in, &plan);
		if (r == 0)
			r = problems_append(&problems, &plan->problems);
		if (r < 0)
			return r;
	}
	*ret = problems;
	problems = (struct problems){};
	return 0;
}
