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
 *  3. differs least from today's masks,
 *  4. clears the lowest numbers (deterministic).
 * Exact for up to POOL_EXACT_CLASSES classes of adapters (adapters with the same guest domains
 * and the same constraints are one class); beyond, the search stops after POOL_STEPS_MAX steps
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
	bool exact; /* proven best; false: the step bound ended the search */
	unsigned n_classes;
	uint64_t n_steps;
	unsigned n_host;      /* present queues left with the host */
	struct queues forced; /* present queues that leave the host though no guest wants them */
	struct queues impossible; /* guest queues (or, where kept queues clash with stuck bits, kept
	                           * queues) that no cover can satisfy; empty on success */
};

/* Returns 0; 1 if there is no cover (only @impossible is meaningful then); -ENOMEM. */
int pool_solve(const struct pool_request *request, struct pool_result *ret);
