/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The texts that were accepted last, run/apmatrixd/accepted/BASENAME below the root, so that a
 * restart of the daemon does not forget what was good before a file went wrong.  Internal to load/.
 */
#include "load/dropin.h"

/* Reads the last good text of @name.  0 and *ret (one reference, the caller's); *ret NULL where
 * there is none that can still be used; -ENOMEM. */
int accepted_read(int root, const char *name, struct dropin **ret);

/* Makes the store hold just @set.  What fails there is one warning in @p: it matters only after
 * the next restart.  0 or -ENOMEM. */
int accepted_write(int root, const struct dropins *set, struct problems *p);
