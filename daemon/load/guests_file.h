/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What a daemon knew of guests when it ended, in /run: what it told last of each device, and the
 * names that libvirt's hook gave.  Without it nothing goes wrong, but what happened in between is
 * not told, and names are those of processes.
 */
#include "core/attach_log.h"
#include "core/config.h"

struct guest_record {
	struct attach_told told;
	char guest[GUEST_NAME_MAX + 1]; /* the libvirt domain, or "" */
};

/* Reads them all: *ret is a new array, also of none.  -ENOENT: there is no file, -EBADMSG: it is not
 * whole, or another negative errno. */
int guests_load(int root, struct guest_record **ret, size_t *ret_n);

/* Replaces the file.  0 or a negative errno. */
int guests_save(int root, const struct guest_record *records, size_t n);
