/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Injected faults: which access of which attribute fails, waits, or is not done.  The first fault
 * that matches and is not used up is taken.
 */
#include <fnmatch.h>
#include <string.h>

#include "model_internal.h"

int model_fault_add(
	struct model *m, const char *glob, bool write, struct model_fault fault, unsigned count)
{
	if (fault.kind == FAULT_NONE || (fault.kind == FAULT_ERRNO && fault.error <= 0))
		return -EINVAL;

	struct fault *faults = reallocarray(m->faults, m->n_faults + 1, sizeof(*faults));

	if (!faults)
		return -ENOMEM;
	m->faults = faults;

	char *copy = strdup(glob);

	if (!copy)
		return -ENOMEM;
	m->faults[m->n_faults++] = (struct fault){
		.glob = copy,
		.write = write,
		.fault = fault,
		.left = count,
		.endless = count == 0,
	};
	return 0;
}

void model_fault_clear(struct model *m)
{
	for (size_t i = 0; i < m->n_faults; i++)
		free(m->faults[i].glob);
	free(m->faults);
	m->faults = NULL;
	m->n_faults = 0;
	m->fault_clears++;
}

unsigned model_fault_clears(const struct model *m)
{
	return m->fault_clears;
}

static struct model_fault take(struct model *m, const char *path, bool write)
{
	for (size_t i = 0; i < m->n_faults; i++) {
		struct fault *f = &m->faults[i];

		if (f->write != write || (!f->endless && f->left == 0) ||
			fnmatch(f->glob, path, 0) != 0)
			continue;
		if (!f->endless)
			f->left--;
		return f->fault;
	}
	return (struct model_fault){FAULT_NONE, 0, 0};
}

struct model_fault model_fault_take(struct model *m, const char *path, bool write)
{
	struct node node;
	char resolved[PATH_SIZE];

	if (m->n_faults == 0 || tree_find(m, path, &node, resolved) < 0)
		return (struct model_fault){FAULT_NONE, 0, 0};
	return take(m, resolved, write);
}
