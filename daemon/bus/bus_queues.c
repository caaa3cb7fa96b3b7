/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ListQueues: every queue that exists or is assigned, who drives it, and whose it is.  There may
 * be 65536 of them and thousands of matrices, so one table is filled from the matrices' rows and
 * then read once.
 */
#include "bus/bus_private.h"

#define N_QUEUES (MASK_BITS * MASK_BITS)

struct holders {
	struct queues assigned;
	uint32_t matrix[N_QUEUES]; /* index in the status, where assigned */
};

/* The kernel gives no queue to two mediated devices; if a torn read says so, the first stays. */
static void add_matrix(struct holders *h, const struct matrix *m, uint32_t index)
{
	MASK_FOREACH (adapter, &m->adapters) {
		struct mask *row = &h->assigned.row[adapter];
		struct mask fresh = mask_andnot(&m->domains, row);

		MASK_FOREACH (domain, &fresh)
			h->matrix[adapter << 8 | domain] = index;
		*row = mask_or(row, &fresh);
	}
}

/* What GetMatrix takes: the name, or the UUID of a device that no drop-in names. */
static const char *holder_name(
	const struct holders *h, const struct status *s, unsigned adapter, unsigned domain)
{
	const struct matrix_status *m;

	if (!queues_test(&h->assigned, adapter, domain))
		return "";
	m = &s->matrices[h->matrix[adapter << 8 | domain]];
	return *m->name ? m->name : m->uuid;
}

static int append_row(sd_bus_message *m, const struct observed *o, const struct status *s,
	const struct holders *h, unsigned adapter)
{
	struct mask row = mask_or(&o->present.row[adapter], &h->assigned.row[adapter]);
	int r = 0;

	MASK_FOREACH (domain, &row) {
		enum queue_owner owner = observed_owner(o, adapter, domain);

		r = sd_bus_message_append(m, "(yyss)", adapter, domain,
			queue_owner_to_string(owner), holder_name(h, s, adapter, domain));
		if (r < 0)
			break;
	}
	return r;
}

int bus_queues_append(sd_bus_message *m, const struct observed *o, const struct status *s)
{
	_cleanup_free_ struct holders *h = calloc(1, sizeof(*h));
	int r;

	if (!h)
		return -ENOMEM;
	for (size_t i = 0; i < s->n_matrices; i++)
		add_matrix(h, &s->matrices[i].assigned, (uint32_t)i);
	r = sd_bus_message_open_container(m, 'a', "(yyss)");
	for (unsigned adapter = 0; o && adapter < MASK_BITS && r >= 0; adapter++)
		r = append_row(m, o, s, h, adapter);
	return r < 0 ? r : sd_bus_message_close_container(m);
}
