/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The model's life, and its front door: reads and writes by path, with faults, log and checks
 * around the rules.
 */
#include <string.h>
#include <sys/stat.h>

#include "model_internal.h"

static const char *const default_release[] = {
	[PROFILE_5_10] = "5.10.223",
	[PROFILE_6_1] = "6.1.176",
	[PROFILE_6_12] = "6.12.107",
	[PROFILE_7_2] = "7.2.13",
};

int model_new(
	enum model_profile profile, const char *hardware, char **ret_error, struct model **ret)
{
	_cleanup_model_ struct model *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return -ENOMEM;
	m->profile = profile;
	m->has_ap = m->has_vfio_ap = m->module = true;
	m->max_adapter = m->max_domain = MASK_BITS - 1;
	m->apmask = m->aqmask = mask_full();
	m->config_time = 30;
	m->owner = calloc(MASK_BITS * MASK_BITS, sizeof(*m->owner));
	m->override_name = calloc(MASK_BITS * MASK_BITS, sizeof(*m->override_name));
	if (!m->owner || !m->override_name)
		return -ENOMEM;
	r = hardware_parse(m, hardware, ret_error);
	if (r < 0)
		return r;
	if (!m->release[0])
		strcpy(m->release, default_release[m->profile]);
	m->has_vfio_ap = m->has_vfio_ap && m->has_ap;
	scan_bus(m);
	m->ap_domain = (int)mask_next(&m->domains, 0);
	*ret = TAKE_PTR(m);
	return 0;
}

void model_free(struct model *m)
{
	model_fault_clear(m);
	model_log_clear(m);
	for (size_t i = 0; i < m->n_slots; i++)
		free(m->mdevs[i]);
	for (size_t i = 0; i < m->n_vms; i++)
		free(m->vms[i]);
	for (size_t i = 0; m->override_name && i < MASK_BITS * MASK_BITS; i++)
		free(m->override_name[i]);
	free(m->mdevs);
	free(m->vms);
	free(m->owner);
	free(m->override_name);
	free(m);
}

enum model_profile model_profile(const struct model *m)
{
	return m->profile;
}

const char *model_release(const struct model *m)
{
	return m->release;
}

unsigned model_config_time(const struct model *m)
{
	return m->config_time;
}

void model_set_time(struct model *m, uint64_t realtime_usec)
{
	m->now = realtime_usec;
}

void model_set_events(struct model *m, model_event_fn callback, void *userdata)
{
	m->event = callback;
	m->event_userdata = userdata;
}

unsigned model_hazard_unattached_config(const struct model *m)
{
	return m->hazard_unattached_config;
}

unsigned model_hazard_refused_open(const struct model *m)
{
	return m->hazard_refused_open;
}

/* --- log ------------------------------------------------------------------------------------ */

void model_log_write(struct model *m, const char *path, const char *text, size_t size, int result)
{
	while (size > 0 && text[size - 1] == '\n')
		size--;
	if ((m->n_log & (m->n_log - 1)) == 0) {
		size_t n = m->n_log ? m->n_log * 2 : 1;
		struct model_log_entry *log = reallocarray(m->log, n, sizeof(*log));

		if (!log)
			abort();
		m->log = log;
	}

	struct model_log_entry entry = {strdup(path), strndup(text, size), result};

	if (!entry.path || !entry.text)
		abort();
	m->log[m->n_log++] = entry;
}

size_t model_log(const struct model *m, const struct model_log_entry **ret)
{
	*ret = m->log;
	return m->n_log;
}

void model_log_clear(struct model *m)
{
	for (size_t i = 0; i < m->n_log; i++) {
		free(m->log[i].path);
		free(m->log[i].text);
	}
	free(m->log);
	m->log = NULL;
	m->n_log = 0;
}

/* --- access --------------------------------------------------------------------------------- */

static int store(struct model *m, const struct node *node, const char *text, size_t size)
{
	char copy[4096];
	int r;

	if (S_ISDIR(node->mode))
		return -EISDIR;
	if (!node->entry->store)
		return -EACCES;
	if (size >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, size);
	copy[size] = 0;
	m->writer = node->object.mdev;
	r = node->entry->store(m, &node->object, copy, size);
	check_after(m, false);
	m->writer = NULL;
	return r;
}

/* A link at the end of the path is followed, as open(2) does. */
static int find_file(
	struct model *m, const char *path, struct node *ret, char ret_path[static PATH_SIZE])
{
	char slash[PATH_SIZE];
	int r = tree_find(m, path, ret, ret_path);

	if (r < 0 || !S_ISLNK(ret->mode))
		return r;
	snprintf(slash, sizeof(slash), "%s", ret->link);
	return tree_find(m, slash, ret, ret_path);
}

/* The control file is no part of the kernel: commands are not logged. */
static bool is_control(const struct node *node)
{
	return node->entry && strcmp(node->entry->name, "control") == 0;
}

int model_write_now(struct model *m, const char *path, const char *text, size_t size)
{
	struct node node;
	char resolved[PATH_SIZE];
	int r = find_file(m, path, &node, resolved);

	if (r < 0) {
		model_log_write(m, path, text, size, r);
		return r;
	}
	if (is_control(&node))
		return node.entry->store(m, &node.object, text, size);
	r = store(m, &node, text, size);
	model_log_write(m, resolved, text, size, r);
	return r;
}

int model_write(struct model *m, const char *path, const char *text, size_t size)
{
	struct model_fault fault = model_fault_take(m, path, true);
	int result = 0;

	switch (fault.kind) {
	case FAULT_NONE:
	case FAULT_DELAY:
		return model_write_now(m, path, text, size);
	case FAULT_ERRNO:
		result = -fault.error;
		break;
	case FAULT_HANG:
		result = -EINPROGRESS;
		break;
	case FAULT_LIE:
		break;
	}
	model_log_write(m, path, text, size, result);
	return result;
}

ssize_t model_read_now(struct model *m, const char *path, char **ret)
{
	struct node node;
	char resolved[PATH_SIZE];
	char *text = NULL;
	size_t size = 0;
	int r = find_file(m, path, &node, resolved);

	if (r < 0)
		return r;
	if (S_ISDIR(node.mode))
		return -EISDIR;
	if (!node.entry->show)
		return -EACCES;

	FILE *out = open_memstream(&text, &size);

	if (!out)
		return -ENOMEM;
	r = node.entry->show(m, &node.object, out);
	if (fclose(out) != 0)
		r = -ENOMEM;
	if (r < 0) {
		free(text);
		return r;
	}
	*ret = text;
	return (ssize_t)size;
}

ssize_t model_read_text(struct model *m, const char *path, char **ret)
{
	struct model_fault fault = model_fault_take(m, path, false);

	switch (fault.kind) {
	case FAULT_NONE:
	case FAULT_DELAY:
		return model_read_now(m, path, ret);
	case FAULT_ERRNO:
		return -fault.error;
	case FAULT_HANG:
		return -EINPROGRESS;
	case FAULT_LIE:
		break;
	}
	*ret = strdup("");
	return *ret ? 0 : -ENOMEM;
}

ssize_t model_read(struct model *m, const char *path, char *buf, size_t size)
{
	_cleanup_free_ char *text = NULL;
	ssize_t n = model_read_text(m, path, &text);

	if (n < 0)
		return n;
	if ((size_t)n > size)
		n = (ssize_t)size;
	memcpy(buf, text, (size_t)n);
	return n;
}
