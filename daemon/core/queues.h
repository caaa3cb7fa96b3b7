/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A set of queues (APQNs): for every adapter, the domains.  8 KiB, flat, copied by assignment.
 * An APQN as a number is adapter << 8 | domain, as the kernel's AP_MKQID() makes it.
 */
#include "core/mask.h"

struct queues {
	struct mask row[MASK_BITS]; /* row[adapter]: its domains */
};

/* Room for the text of one queue, "05.00ab", and its NUL. */
#define QUEUE_NAME_SIZE 8u

static inline bool queues_test(const struct queues *q, unsigned adapter, unsigned domain)
{
	return adapter < MASK_BITS && mask_test(&q->row[adapter], domain);
}

static inline void queues_set(struct queues *q, unsigned adapter, unsigned domain)
{
	mask_set(&q->row[adapter], domain);
}

static inline void queues_clear(struct queues *q, unsigned adapter, unsigned domain)
{
	mask_clear(&q->row[adapter], domain);
}

/* Adds every queue of adapters x domains. */
void queues_add_product(struct queues *q, const struct mask *adapters, const struct mask *domains);

/* The adapters (domains) that occur in @q. */
struct mask queues_adapters(const struct queues *q);
struct mask queues_domains(const struct queues *q);

unsigned queues_count(const struct queues *q);
bool queues_is_empty(const struct queues *q);
bool queues_intersect(const struct queues *a, const struct queues *b);
bool queues_equal(const struct queues *a, const struct queues *b);
bool queues_is_subset(const struct queues *a, const struct queues *b); /* of @b */

/* Adds, or takes away, every queue of @b. */
void queues_add_all(struct queues *q, const struct queues *b);
void queues_subtract(struct queues *q, const struct queues *b);

/* Writes "AA.DDDD" in the digits of the AP bus ("%02x.%04x"). */
void queue_format(unsigned adapter, unsigned domain, char buf[static QUEUE_NAME_SIZE]);

/* Reads what KeepQueues= takes: terms ADAPTER.DOMAIN separated by commas or blanks, each side a
 * number or range in hex without 0x (as the AP bus prints it; 0x is accepted) or "*": "03.*,
 * 05-07.0000".  "*" is every number from 0 to 255.
 * Returns 0, or -EINVAL with *ret_error set (may be NULL); *ret is untouched on failure. */
int queues_parse(const char *text, struct queues *ret, struct mask_error *ret_error);
