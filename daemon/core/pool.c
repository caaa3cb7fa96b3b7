/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The pool solver's face: from a request to forced bits, to what is left to decide, and from the
 * best cover back to masks and queues.  The decision itself is pool_search's.
 */
#include "core/pool.h"

#include <errno.h>

#include "core/pool_search.h"
#include "util/cleanup.h"

/* The bits that every cover has in common.  A stuck bit that is set today may stay: the kernel
 * judges newly set bits only (apmask_store() in ap_bus.c). */
static void pool_force_bits(const struct pool_request *q, struct cover_problem *p)
{
	struct mask *on = p->on, *off = p->off;

	p->today[COVER_ADAPTERS] = q->apmask;
	p->today[COVER_DOMAINS] = q->aqmask;
	on[COVER_ADAPTERS] = queues_adapters(&q->keep);
	on[COVER_DOMAINS] = queues_domains(&q->keep);
	off[COVER_ADAPTERS] = mask_andnot(&q->stuck_adapters, &q->apmask);
	off[COVER_DOMAINS] = mask_andnot(&q->stuck_domains, &q->aqmask);
	for (unsigned n = 0; n < MASK_BITS; n++) {
		if (mask_test(&on[COVER_ADAPTERS], n))
			off[COVER_DOMAINS] = mask_or(&off[COVER_DOMAINS], &q->guest.row[n]);
		if (mask_intersects(&q->guest.row[n], &on[COVER_DOMAINS]))
			mask_set(&off[COVER_ADAPTERS], n);
	}
}

/* A guest queue is impossible if both its bits are kept queues', a kept queue if one bit is stuck.
 * If there is none of either, clearing all bits that are not kept is a cover. */
static void pool_find_impossible(
	const struct pool_request *q, const struct cover_problem *p, struct queues *ret)
{
	const struct mask stuck = mask_andnot(&q->stuck_domains, &q->aqmask);

	for (unsigned n = 0; n < MASK_BITS; n++) {
		struct mask clash = mask_and(&q->keep.row[n], &stuck);

		if (mask_test(&q->stuck_adapters, n) && !mask_test(&q->apmask, n))
			clash = q->keep.row[n];
		ret->row[n] = clash;
		if (!mask_test(&p->on[COVER_ADAPTERS], n))
			continue;
		clash = mask_and(&q->guest.row[n], &p->on[COVER_DOMAINS]);
		ret->row[n] = mask_or(&ret->row[n], &clash);
	}
}

static void pool_describe(const struct pool_request *q, struct pool_result *r)
{
	for (unsigned n = 0; n < MASK_BITS; n++) {
		struct mask host = {0};

		if (mask_test(&r->apmask, n))
			host = mask_and(&q->present.row[n], &r->aqmask);
		r->n_host += mask_count(&host);
		r->forced.row[n] = mask_andnot(&q->present.row[n], &host);
		r->forced.row[n] = mask_andnot(&r->forced.row[n], &q->guest.row[n]);
	}
}

int pool_solve(const struct pool_request *request, struct pool_result *ret)
{
	_cleanup_free_ struct cover_problem *p = calloc(1, sizeof(*p));
	struct search_result found;
	struct queues impossible = {0};
	int r;

	if (!p)
		return -ENOMEM;
	pool_force_bits(request, p);
	pool_find_impossible(request, p, &impossible);
	if (!queues_is_empty(&impossible)) {
		*ret = (struct pool_result){.impossible = impossible};
		return 1;
	}

	cover_init(p, &request->guest, &request->present);
	r = search_run(p, POOL_STEPS_MAX, &found);
	if (r < 0)
		return r;

	*ret = (struct pool_result){
		.apmask = found.cover.bits[COVER_ADAPTERS],
		.aqmask = found.cover.bits[COVER_DOMAINS],
		.exact = found.exact,
		.n_classes = p->n_classes,
		.n_steps = found.n_steps,
	};
	pool_describe(request, ret);
	return 0;
}
