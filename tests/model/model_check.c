/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What must never be, whoever writes what: a queue in two hands, or a guest that loses something
 * because of a write to somewhere else.  Looked at after every write; what control commands bring
 * about is not held against anybody.
 */
#include <stdarg.h>
#include <string.h>

#include "model_internal.h"

#define SENTENCE_SIZE 256u

/* Queues of @d that the host's driver has, or may have. */
static bool has_host_queue(
	const struct model *m, const struct mdev *d, unsigned adapter, unsigned *ret_domain)
{
	struct mask row = m->host.row[adapter];

	if (mask_test(&m->apmask, adapter)) {
		struct mask free_row = mask_andnot(&m->aqmask, &m->override.row[adapter]);

		row = mask_or(&row, &free_row);
	}
	row = mask_and(&row, &d->matrix.domains);
	*ret_domain = mask_next(&row, 0);
	return *ret_domain < MASK_BITS;
}

static bool find_shared(const struct model *m, char sentence[static SENTENCE_SIZE])
{
	_cleanup_free_ struct queues *seen = calloc(1, sizeof(*seen));
	unsigned domain;

	if (!seen)
		return false;
	MDEV_FOREACH (m, d)
		MASK_FOREACH (adapter, &d->matrix.adapters) {
			struct mask both = mask_and(&seen->row[adapter], &d->matrix.domains);

			if (!mask_is_empty(&both)) {
				snprintf(sentence, SENTENCE_SIZE,
					"queue %02x.%04x is in %s and in another mdev", adapter,
					mask_next(&both, 0), d->uuid);
				return true;
			}
			if (has_host_queue(m, d, adapter, &domain)) {
				snprintf(sentence, SENTENCE_SIZE,
					"queue %02x.%04x of %s is the host's", adapter, domain,
					d->uuid);
				return true;
			}
			seen->row[adapter] = mask_or(&seen->row[adapter], &d->matrix.domains);
		}
	return false;
}

/* A guest may lose something by a write to its own mdev only. */
static bool find_loss(const struct model *m, char sentence[static SENTENCE_SIZE])
{
	for (size_t i = 0; i < m->n_vms; i++) {
		const struct mdev *d = m->vms[i]->mdev;

		if (!d || d == m->writer || matrix_is_subset(&d->guard, &d->shadow))
			continue;
		snprintf(sentence, SENTENCE_SIZE,
			"the guest with %s lost queues by a write to something else", d->uuid);
		return true;
	}
	return false;
}

static void renew_guards(struct model *m)
{
	for (size_t i = 0; i < m->n_vms; i++)
		if (m->vms[i]->mdev)
			m->vms[i]->mdev->guard = m->vms[i]->mdev->shadow;
}

void check_after(struct model *m, bool control)
{
	char sentence[SENTENCE_SIZE];
	bool bad;

	if (m->checks) {
		bad = find_shared(m, sentence);
		if (!control && !m->violation[0] && ((bad && m->clean) || find_loss(m, sentence)))
			memcpy(m->violation, sentence, sizeof(m->violation));
		m->clean = !bad;
	}
	renew_guards(m);
}

void check_fatal(struct model *m, const char *format, ...)
{
	va_list args;

	if (m->fatal[0])
		return;
	va_start(args, format);
	vsnprintf(m->fatal, sizeof(m->fatal), format, args);
	va_end(args);
}

void model_set_checks(struct model *m, bool on)
{
	m->checks = on;
	m->clean = true;
	check_after(m, true);
}

const char *model_check(struct model *m)
{
	if (m->fatal[0])
		return m->fatal;
	return m->violation[0] ? m->violation : NULL;
}
