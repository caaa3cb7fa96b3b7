/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A config as a value: the words of its enums, its defaults, and the questions that others ask it.
 * How it comes about is fragment.c's and config_build.c's.
 */
#include "core/config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const pool_mode_table[] = {
	[POOL_AUTO] = "auto",
	[POOL_MASKS] = "masks",
	[POOL_DRIVER_OVERRIDE] = "driver-override",
	[POOL_EXTERNAL] = "external",
};
DEFINE_STRTAB(pool_mode, enum pool_mode)

static const char *const foreign_mode_table[] = {
	[FOREIGN_KEEP] = "keep",
	[FOREIGN_ADOPT] = "adopt",
	[FOREIGN_REMOVE] = "remove",
};
DEFINE_STRTAB(foreign_mode, enum foreign_mode)

static const char *const drift_mode_table[] = {
	[DRIFT_REPAIR] = "repair",
	[DRIFT_REPORT] = "report",
};
DEFINE_STRTAB(drift_mode, enum drift_mode)

static const char *const live_change_table[] = {
	[LIVE_NONE] = "none",
	[LIVE_GROW] = "grow",
	[LIVE_ALL] = "all",
};
DEFINE_STRTAB(live_change, enum live_change)

static const char *const start_mode_table[] = {
	[START_BOOT] = "boot",
	[START_GUEST] = "guest",
	[START_MANUAL] = "manual",
};
DEFINE_STRTAB(start_mode, enum start_mode)

static const char *const matrix_key_table[N_MATRIX_KEYS] = {
	[KEY_UUID] = "UUID",
	[KEY_ADAPTERS] = "Adapters",
	[KEY_DOMAINS] = "Domains",
	[KEY_CONTROL_DOMAINS] = "ControlDomains",
	[KEY_GUEST] = "Guest",
	[KEY_START] = "Start",
	[KEY_LIVE_CHANGE] = "LiveChange",
};
DEFINE_STRTAB(matrix_key, enum matrix_key)

static const char *const host_key_table[N_HOST_KEYS] = {
	[KEY_KEEP_QUEUES] = "KeepQueues",
	[KEY_QUEUE_POOL] = "QueuePool",
	[KEY_FOREIGN] = "Foreign",
	[KEY_DRIFT] = "Drift",
	[KEY_HOST_LIVE_CHANGE] = "LiveChange",
};
DEFINE_STRTAB(host_key, enum host_key)

static void host_defaults(struct host_config *h)
{
	*h = (struct host_config){
		.pool = POOL_AUTO,
		.foreign = FOREIGN_KEEP,
		.drift = DRIFT_REPAIR,
		.live_change = LIVE_GROW,
	};
}

struct config *config_new(void)
{
	struct config *c = calloc(1, sizeof(*c));

	if (c)
		host_defaults(&c->host);
	return c;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_matrices; i++) {
		free(c->matrices[i].name);
		free(c->matrices[i].guest);
		free(c->matrices[i].settings);
	}
	for (size_t i = 0; i < c->n_paths; i++)
		free(c->paths[i]);
	free(c->matrices);
	free(c->paths);
	free(c->host.keeps);
	free(c);
}

void config_set_uuid(struct matrix_config *m, const char uuid[static UUID_SIZE])
{
	memcpy(m->uuid, uuid, UUID_SIZE);
}

static int compare_uuid(const void *a, const void *b)
{
	const struct matrix_config *const *x = a, *const *y = b;
	int r = strcmp((*x)->uuid, (*y)->uuid);

	return r ? r : strcmp((*x)->name, (*y)->name);
}

static int add_duplicate(
	struct problems *p, const struct matrix_config *m, const struct matrix_config *other)
{
	struct origin here = matrix_config_origin(m, KEY_UUID);
	struct origin there = matrix_config_origin(other, KEY_UUID);

	return problems_add(p, PROBLEM_ERROR, "duplicate-uuid", m->name, here.file, here.line,
		"the UUID %s is also that of [Matrix %s] (%s:%u); neither is made until one of "
		"them "
		"gets another UUID=",
		m->uuid, other->name, there.file, there.line);
}

int config_check_uuids(const struct config *c, struct problems *p)
{
	_cleanup_free_ const struct matrix_config **sorted = NULL;
	size_t n = 0;
	int r = 0;

	sorted = calloc(c->n_matrices + 1, sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < c->n_matrices; i++)
		if (c->matrices[i].uuid[0])
			sorted[n++] = &c->matrices[i];
	qsort(sorted, n, sizeof(*sorted), compare_uuid);
	for (size_t i = 0; i < n && r == 0; i++) {
		/* Each names a neighbour: the one before it, the first of a group the one after. */
		if (i > 0 && strcmp(sorted[i]->uuid, sorted[i - 1]->uuid) == 0)
			r = add_duplicate(p, sorted[i], sorted[i - 1]);
		else if (i + 1 < n && strcmp(sorted[i]->uuid, sorted[i + 1]->uuid) == 0)
			r = add_duplicate(p, sorted[i], sorted[i + 1]);
	}
	return r;
}

static int compare_name(const void *key, const void *item)
{
	const struct matrix_config *m = item;

	return strcmp(key, m->name);
}

const struct matrix_config *config_find(const struct config *c, const char *name)
{
	if (c->n_matrices == 0)
		return NULL;
	return bsearch(name, c->matrices, c->n_matrices, sizeof(*c->matrices), compare_name);
}

const struct matrix_config *config_find_uuid(const struct config *c, const char *uuid)
{
	char wanted[UUID_SIZE];

	if (!uuid_normalize(uuid, wanted))
		return NULL;
	for (size_t i = 0; i < c->n_matrices; i++)
		if (strcmp(c->matrices[i].uuid, wanted) == 0)
			return &c->matrices[i];
	return NULL;
}

static const struct setting *last_setting(const struct matrix_config *m, enum matrix_key key)
{
	for (size_t i = m->n_settings; i > 0; i--)
		if (m->settings[i - 1].key == key)
			return &m->settings[i - 1];
	return NULL;
}

struct origin matrix_config_origin(const struct matrix_config *m, enum matrix_key key)
{
	const struct setting *s = last_setting(m, key);

	return s ? s->origin : m->section;
}

struct origin matrix_config_origin_of(
	const struct matrix_config *m, enum matrix_key key, unsigned bit)
{
	for (size_t i = 0; i < m->n_settings; i++)
		if (m->settings[i].key == key && mask_test(&m->settings[i].bits, bit))
			return m->settings[i].origin;
	return m->section;
}

struct origin host_config_keep_origin(
	const struct host_config *h, unsigned adapter, unsigned domain)
{
	for (size_t i = 0; i < h->n_keeps; i++)
		if (queues_test(&h->keeps[i].queues, adapter, domain))
			return h->keeps[i].origin;
	return (struct origin){};
}

bool uuid_normalize(const char *text, char ret[static UUID_SIZE])
{
	if (strlen(text) != UUID_SIZE - 1)
		return false;
	for (unsigned i = 0; i < UUID_SIZE - 1; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return false;
	}
	for (unsigned i = 0; i < UUID_SIZE; i++)
		ret[i] = (char)tolower((unsigned char)text[i]);
	return true;
}
