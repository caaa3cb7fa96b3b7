/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All drop-ins into one config.  A reading makes a new set of accepted drop-ins out of the files
 * and, where a file is wrong, of the last set; load_read() keeps it, load_check() throws it away.
 */
#include "load/load.h"

#include <stdlib.h>
#include <string.h>
#include <uuid/uuid.h>

#include "core/stored.h"
#include "load/accepted.h"
#include "load/dropin.h"
#include "load/source.h"
#include "util/fileio.h"

struct load {
	int root;
	bool dry_run;
	struct dropins good;       /* what is in force */
	struct fragment **updates; /* behind them, until the next reading */
	size_t n_updates;
};

/* The text that load_check() is asked about, in place of a file. */
struct stand_in {
	const char *name;
	const char *text;
	size_t size;
};

struct load *load_new(int root)
{
	struct load *l = calloc(1, sizeof(*l));

	if (l)
		l->root = root;
	return l;
}

void load_set_dry_run(struct load *l)
{
	l->dry_run = true;
}

void load_drop_updates(struct load *l)
{
	for (size_t i = 0; i < l->n_updates; i++)
		fragment_free(l->updates[i]);
	free(l->updates);
	l->updates = NULL;
	l->n_updates = 0;
}

void load_free(struct load *l)
{
	if (!l)
		return;
	dropins_done(&l->good);
	load_drop_updates(l);
	free(l);
}

/* A file is not used: its last good text is, where there is one. */
static int keep_last_good(
	struct load *l, const struct source *s, struct problems *p, struct dropins *set)
{
	_cleanup_(cleanup_dropin_unref) struct dropin *d = NULL;
	struct dropin *good = dropins_find(&l->good, s->name);
	int r;

	if (good) {
		d = dropin_ref(good);
	} else {
		r = accepted_read(l->root, s->name, &d);
		if (r < 0)
			return r;
	}
	if (!d)
		return problems_add(p, PROBLEM_NOTE, "rejected-file", NULL, s->path, 0,
			"nothing of this file is in force until its errors are corrected");
	r = problems_add(p, PROBLEM_NOTE, "rejected-file", NULL, s->path, 0,
		"what was accepted last (from %s) stays in force until the file's errors are "
		"corrected",
		d->fragment->path);
	return r < 0 ? r : dropins_append(set, d);
}

/* A text is there: takes it if it is right.  @text is the caller's. */
static int take_text(struct load *l, const struct source *s, const char *text, size_t size,
	struct problems *p, struct dropins *set)
{
	_cleanup_(cleanup_fragment_free) struct fragment *fragment = NULL;
	_cleanup_(cleanup_dropin_unref) struct dropin *d = NULL;
	_cleanup_free_ char *copy = NULL;
	struct dropin *good = dropins_find(&l->good, s->name);
	int r;

	if (good && good->size == size && memcmp(good->text, text, size) == 0 &&
		strcmp(good->fragment->path, s->path) == 0)
		return dropins_append(set, good);
	r = load_text(s->path, text, size, p, &fragment);
	if (r < 0)
		return r;
	if (!fragment)
		return keep_last_good(l, s, p, set);
	copy = malloc(size);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, text, size);
	d = dropin_new(s->name, copy, size, fragment);
	if (!d)
		return -ENOMEM;
	TAKE_PTR(copy);
	TAKE_PTR(fragment);
	return dropins_append(set, d);
}

static int take_source(struct load *l, const struct source *s, const struct stand_in *in,
	struct problems *p, struct dropins *set)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	int kind;

	if (in && strcmp(in->name, s->name) == 0)
		return in->size == 0 ? 0 : take_text(l, s, in->text, in->size, p, set);
	kind = source_read(l->root, s, p, &text, &size);
	switch (kind) {
	case SOURCE_TEXT:
		return take_text(l, s, text, size, p, set);
	case SOURCE_BAD:
		return keep_last_good(l, s, p, set);
	default:
		return kind < 0 ? kind : 0;
	}
}

/* Of too many files none is read: a part of them may mean something else than all. */
static int refuse_all(
	struct load *l, const struct sources *all, struct problems *p, struct dropins *set)
{
	struct problems ignored = {};
	int r = problems_add(p, PROBLEM_ERROR, "too-many-files", NULL,
		all->items[LOAD_FILES_MAX].path, 0,
		"%zu drop-ins are more than %u; none of them is read, what was accepted last stays "
		"in force; remove some",
		all->n, LOAD_FILES_MAX);

	for (size_t i = 0; i < all->n && r == 0; i++)
		r = keep_last_good(l, &all->items[i], &ignored, set);
	problems_done(&ignored);
	return r;
}

static int take_all(struct load *l, const struct sources *all, const struct stand_in *in,
	struct problems *p, struct dropins *set)
{
	int r = 0;

	if (all->n > LOAD_FILES_MAX)
		return refuse_all(l, all, p, set);
	for (size_t i = 0; i < all->n && r == 0; i++)
		r = take_source(l, &all->items[i], in, p, set);
	return r;
}

/* A machine-id is 32 hex digits and no nil; "uninitialized" stands there before the first boot. */
static bool read_machine_id(int root, uuid_t ret)
{
	char id[64], text[UUID_STR_LEN];

	if (attr_read_at(root, "etc/machine-id", id, sizeof(id)) != 32)
		return false;
	snprintf(text, sizeof(text), "%.8s-%.4s-%.4s-%.4s-%.12s", id, id + 8, id + 12, id + 16,
		id + 20);
	return uuid_parse(text, ret) == 0 && !uuid_is_null(ret);
}

/* Gives each matrix without UUID= the version 5 UUID of its name in the machine's name space:
 * the same at every boot, another on every machine. */
static int derive_uuids(int root, struct config *c, struct problems *p)
{
	uuid_t machine, derived;
	bool known = read_machine_id(root, machine);
	int r = 0;

	for (size_t i = 0; i < c->n_matrices && r == 0; i++) {
		struct matrix_config *m = &c->matrices[i];
		char text[UUID_SIZE];

		if (!m->uuid_derived)
			continue;
		if (!known) {
			r = problems_add(p, PROBLEM_ERROR, "no-machine-id", m->name,
				m->section.file, m->section.line,
				"[Matrix %s] has no UUID=, and /etc/machine-id, from which it "
				"would be derived, holds none; write UUID= or run "
				"systemd-machine-id-setup",
				m->name);
			continue;
		}
		uuid_generate_sha1(derived, machine, m->name, strlen(m->name));
		uuid_unparse_lower(derived, text);
		config_set_uuid(m, text);
	}
	return r;
}

/* chzdev's rule: for the next boot in /etc, from the machine's own I/O configuration in /run. */
static const char *const stored_paths[] = {
	"/etc/udev/rules.d/41-ap.rules",
	"/run/udev/rules.d/41-ap.rules",
};

/* What cannot be read is said, and counts as nothing: no setting depends on it. */
static int read_stored(int root, struct problems *p, struct stored_masks *ret)
{
	*ret = stored_none();
	for (size_t i = 0; i < ARRAY_SIZE(stored_paths); i++) {
		_cleanup_free_ char *text = NULL;
		ssize_t n = file_read_at(root, stored_paths[i] + 1, LOAD_FILE_MAX, &text);

		if (n >= 0)
			return stored_parse(stored_paths[i], text, (size_t)n, p, ret);
		if (n == -ENOMEM)
			return -ENOMEM;
		if (n != -ENOENT && n != -ENOTDIR)
			return problems_add(p, PROBLEM_WARNING, "stored-masks", NULL,
				stored_paths[i], 0,
				"the masks that chzdev stored cannot be read: %s; nobody sees "
				"whether they agree with the drop-ins",
				strerror((int)-n));
	}
	return 0;
}

/* One config of the drop-ins and what comes behind them. */
static int build(int root, const struct dropins *set, struct fragment *const *updates,
	size_t n_updates, const struct fragment *last, struct problems *p, struct config **ret)
{
	_cleanup_(cleanup_config_free) struct config *c = NULL;
	_cleanup_free_ const struct fragment **fragments = NULL;
	size_t n = 0;
	int r;

	fragments = calloc(set->n + n_updates + 1, sizeof(*fragments));
	if (!fragments)
		return -ENOMEM;
	for (size_t i = 0; i < set->n; i++)
		fragments[n++] = set->items[i]->fragment;
	for (size_t i = 0; i < n_updates; i++)
		fragments[n++] = updates[i];
	if (last)
		fragments[n++] = last;
	r = config_build(fragments, n, p, &c);
	if (r == 0)
		r = derive_uuids(root, c, p);
	if (r == 0)
		r = config_check_uuids(c, p);
	if (r == 0)
		r = read_stored(root, p, &c->stored);
	if (r == 0)
		r = stored_check(c, p);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(c);
	return 0;
}

/* What a reading makes; all of it is owned. */
struct reading {
	struct sources sources;
	struct problems problems;
	struct dropins set;
	struct config *config;
};

static void reading_done(struct reading *r)
{
	sources_done(&r->sources);
	problems_done(&r->problems);
	dropins_done(&r->set);
	config_free(r->config);
}

/* Reads the files; what they mean together is build()'s. */
static int read_all(struct load *l, const struct stand_in *in, struct reading *ret)
{
	int r = sources_list(l->root, &ret->problems, &ret->sources);

	if (r == 0 && in)
		r = sources_add(&ret->sources, in->name);
	if (r == 0)
		r = take_all(l, &ret->sources, in, &ret->problems, &ret->set);
	return r;
}

/* Hands problems and config out. */
static void hand_out(struct reading *r, struct problems *ret_problems, struct config **ret_config)
{
	*ret_problems = r->problems;
	r->problems = (struct problems){};
	*ret_config = TAKE_PTR(r->config);
}

/* The next assignment to that matrix, from file @i and item @k on. */
static const struct assignment *next_assignment(
	const struct dropins *set, const char *name, size_t *i, size_t *k)
{
	for (; *i < set->n; (*i)++, *k = 0) {
		const struct fragment *f = set->items[*i]->fragment;

		while (*k < f->n_items) {
			const struct assignment *a = &f->items[(*k)++];

			if (a->section == SECTION_MATRIX && a->key && strcmp(a->name, name) == 0)
				return a;
		}
	}
	return NULL;
}

/* True if both sets say the same of a matrix, whatever the files and lines. */
static bool same_definition(const struct dropins *x, const struct dropins *y, const char *name)
{
	size_t xi = 0, xk = 0, yi = 0, yk = 0;

	for (;;) {
		const struct assignment *a = next_assignment(x, name, &xi, &xk);
		const struct assignment *b = next_assignment(y, name, &yi, &yk);

		if (!a || !b)
			return !a && !b;
		if (strcmp(a->key, b->key) != 0 || strcmp(a->value, b->value) != 0)
			return false;
	}
}

/* An update lasts until the definition that it changed is another: editing that is the newer
 * word.  The updates that go are moved behind those that stay; returns the number of these. */
static size_t sort_updates(struct load *l, const struct dropins *now)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n_updates; i++) {
		struct fragment *f = l->updates[i];

		if (!same_definition(&l->good, now, f->items[0].name))
			continue;
		l->updates[i] = l->updates[n];
		l->updates[n++] = f;
	}
	return n;
}

int load_read(struct load *l, struct problems *ret_problems, struct config **ret_config)
{
	_cleanup_(reading_done) struct reading reading = {};
	struct dropins old = l->good;
	size_t n_kept = 0;
	int r = read_all(l, NULL, &reading);

	if (r == 0) {
		n_kept = sort_updates(l, &reading.set);
		r = build(l->root, &reading.set, l->updates, n_kept, NULL, &reading.problems,
			&reading.config);
	}
	if (r == 0 && !l->dry_run)
		r = accepted_write(l->root, &reading.set, &reading.problems);
	if (r < 0)
		return r;
	l->good = reading.set;
	reading.set = old;
	while (l->n_updates > n_kept)
		fragment_free(l->updates[--l->n_updates]);
	hand_out(&reading, ret_problems, ret_config);
	return 0;
}

int load_check(struct load *l, const char *file, const char *text, size_t size,
	struct problems *ret_problems, struct config **ret_config)
{
	_cleanup_(reading_done) struct reading reading = {};
	const struct stand_in in = {.name = file, .text = text, .size = size};
	int r;

	if (!source_name_valid(file))
		return -EINVAL;
	r = read_all(l, &in, &reading);
	if (r == 0)
		r = build(l->root, &reading.set, NULL, 0, NULL, &reading.problems, &reading.config);
	if (r < 0)
		return r;
	hand_out(&reading, ret_problems, ret_config);
	return 0;
}

int load_try_update(struct load *l, const struct fragment *update, struct problems *ret_problems,
	struct config **ret_config)
{
	_cleanup_(problems_done) struct problems problems = {};
	int r = build(l->root, &l->good, l->updates, l->n_updates, update, &problems, ret_config);

	if (r < 0)
		return r;
	*ret_problems = problems;
	problems = (struct problems){};
	return 0;
}

int load_keep_update(struct load *l, struct fragment *update)
{
	struct fragment **more = reallocarray(l->updates, l->n_updates + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	l->updates = more;
	more[l->n_updates++] = update;
	return 0;
}
