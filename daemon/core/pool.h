/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The pool solver: which bits of apmask and aqmask must be cleared so that the guests' queues
 * leave the host and as few others as possible.
 *
 * A queue is the host's while both its adapter's bit and its domain's bit are set
 * (ap_parse_mask_str() and __ap_revise_reserved() in ap_bus.c).  So for every guest queue one of
 * the two must be clear: a vertex cover of the bipartite graph of guest queues.  The cover chosen
 *  1. leaves every kept queue with the host and sets no bit that the kernel would refuse to set,
 *  2. leaves the host the most present queues,
 *  3. differs in the fewest bits from today's masks, both masks together,
 *  4. has the greater apmask by mask_compare(), then the greater aqmask: among equals the host keeps
 *     the lowest adapters, then the lowest domains.
 * These four leave exactly one cover, whatever the order in which the guests are named.
 *
 * Exact for up to POOL_EXACT_CLASSES classes of adapters (adapters with the same guest domains and
 * the same constraints are one class), or of domains where these are fewer.  Beyond, parts of the
 * machine that share no guest queue are solved apart; the search ends after POOL_STEPS_MAX steps
 * with the best cover found, and says so.
 */
#include "core/queues.h"

#define POOL_EXACT_CLASSES 20u
#define POOL_STEPS_MAX (UINT64_C(1) << 22)

struct pool_request {
	struct queues guest;        /* queues that must not be the host's */
	struct queues keep;         /* queues that must stay the host's */
	struct queues present;      /* queues that exist; only these count in 2. */
	struct mask apmask, aqmask; /* today's */
	struct mask stuck_adapters; /* clear bits of apmask (aqmask) that the kernel would refuse */
	struct mask stuck_domains;  /*   to set (EBUSY of apmask_store(), stricter since 6.19) */
};

struct pool_result {
	struct mask apmask, aqmask;
	bool exact;         /* proven best; false: the step bound ended the search */
	unsigned n_classes; /* of adapters or of domains, whichever are fewer */
	uint64_t n_steps;
	unsigned n_host;      /* present queues left with the host */
	struct queues forced; /* present queues that leave the host though no guest wants them */
	struct queues impossible; /* guest queues (or, where kept queues clash with stuck bits, kept
	                           * queues) that no cover can satisfy; empty on success */
};

/* Returns 0; 1 if there is no cover (only @impossible is meaningful then, the rest is empty);
 * -ENOMEM, *ret is then untouched. */
int pool_solve(const struct pool_request *request, struct pool_result *ret);
