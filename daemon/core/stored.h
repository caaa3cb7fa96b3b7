/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The masks that chzdev stored for the next boot: two lines of a udev rule, which are in force
 * from the AP bus's first scan until somebody writes other ones.  Here such a text is read, and held
 * against the drop-ins: they come true one after the other on the same host, and where they say
 * different things a person should know before a boot shows it.
 *
 * Nothing is decided by these masks.  It must not know where the text comes from.
 */
#include "core/config.h"

/* What is in force without any rule. */
struct stored_masks stored_none(void);

/* Reads @text (@size bytes, any) of the rule file @path (static; it is borrowed).  A value that the
 * kernel would refuse is a problem, and counts as not stored.  0 or -ENOMEM. */
int stored_parse(const char *path, const char *text, size_t size, struct problems *p,
	struct stored_masks *ret);

/* Adds a problem "stored-masks" for each matrix of @c that c->stored leaves without a queue, and each
 * KeepQueues= line of which it takes a queue.  (What it takes from the host for nobody is the
 * planner's, who knows what there is.)  0 or -ENOMEM. */
int stored_check(const struct config *c, struct problems *p);

/* True if the masks take the queue from the host. */
static inline bool stored_takes(const struct stored_masks *s, unsigned adapter, unsigned domain)
{
	return (s->apmask_at.file || s->aqmask_at.file) &&
		!(mask_test(&s->apmask, adapter) && mask_test(&s->aqmask, domain));
}
