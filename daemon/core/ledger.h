/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What the daemon made, adopted or was told by hand, and therefore may change and remove.  Kept
 * in /run (gone after a reboot, as the devices are); read and written by load/.
 */
#include "core/config.h"

/* What was asked for by hand (StartMatrix, StopMatrix); holds until the next boot. */
enum intent { INTENT_CONFIG, INTENT_STARTED, INTENT_STOPPED };
DECLARE_STRTAB(intent, enum intent); /* "config", "started", "stopped" */

struct ledger_entry {
	char uuid[UUID_SIZE];
	char name[MATRIX_NAME_MAX + 1]; /* of the matrix; "" for an adopted foreign device */
	enum intent intent;
	bool made;      /* the mdev is ours: made by us, or adopted */
	bool adopted;   /* it existed before us */
	bool set_known; /* we wrote, or adopted, the following */
	struct matrix set;
};

struct ledger {
	struct ledger_entry *entries; /* sorted by UUID */
	size_t n;
	bool masks_ours;  /* we wrote the masks, or began to */
	bool masks_known; /* and they are: */
	struct mask apmask, aqmask;
	bool masks_refused; /* the kernel takes none until the next boot: a queue went away with its override */
	bool split;                    /* the pool is split by driver_override, or that was begun */
	struct queues overrides;       /* driver_override of these is ours: set by us, or begun */
	struct queues overrides_begun; /* of these, written or about to be, and not seen since */
};

struct ledger *ledger_new(void);
void ledger_free(struct ledger *l);
DEFINE_CLEANUP(struct ledger, ledger_free)

struct ledger_entry *ledger_find(const struct ledger *l, const char *uuid);

/* The entry of @uuid, made where there is none.  Valid until the next call.  NULL: no memory. */
struct ledger_entry *ledger_get(struct ledger *l, const char *uuid);
void ledger_remove(struct ledger *l, const char *uuid);

struct ledger *ledger_copy(const struct ledger *l); /* NULL: out of memory */
bool ledger_equal(const struct ledger *a, const struct ledger *b);
