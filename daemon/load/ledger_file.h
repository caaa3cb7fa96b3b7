/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The ledger as a file, run/apmatrixd/ledger below the root: replaced atomically (temporary file,
 * fsync, rename), refused as a whole when it does not read back as written.
 */
#include "core/ledger.h"

/* A missing file is an empty ledger.  0; -EBADMSG: damaged (the caller goes on with an empty one
 * and says so: then nothing is ours and nothing is removed); other negative errno. */
int ledger_load(int root, struct ledger **ret);

/* Makes run/apmatrixd (0755) where it is missing.  0 or a negative errno; the old file then stays. */
int ledger_save(int root, const struct ledger *l);
