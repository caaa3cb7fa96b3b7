/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * One writer at a time: two daemons on one host would undo each other's work and share a ledger.
 */

/* Takes run/apmatrixd/instance below @root for the life of the process.  Returns a fd that holds
 * it; -EBUSY: another process has it; another negative errno. */
int instance_take(int root);
