/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Directories watched by inotify whether they exist or not: for one that does not, its nearest
 * existing ancestor is watched until it does.  Internal to event/.
 */
#include <stddef.h>
#include <systemd/sd-event.h>

#include "util/cleanup.h"

struct watch;

/* @changed is called once for a burst of changes, @quiet_usec after its last one, but no later
 * than ten times that after its first one.  Paths are relative to @root; all borrowed.
 * 0 or a negative errno. */
int watch_new(sd_event *loop, int root, const char *const *directories, size_t n_directories,
	uint64_t quiet_usec, void (*changed)(void *userdata), void *userdata, struct watch **ret);
void watch_free(struct watch *w);
DEFINE_CLEANUP(struct watch, watch_free)
