/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The one call to apmatrixd.  Its time is bounded by the program's deadline, not here.
 */
#include <stdint.h>

/* Calls @member (PrepareGuest or ReleaseGuest).  A daemon that has just been started, or ends
 * while it is asked, is asked again for at most @patience microseconds.
 * Returns 0, or a negative errno and in *ret_reason a sentence for people, the caller's; it is
 * NULL where there was no memory for it. */
int call_guest(
	const char *member, const char *guest, char **uuids, uint64_t patience, char **ret_reason);
