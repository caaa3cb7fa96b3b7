/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * s390apconfig.lock: who holds it may change the AP configuration; ap-check (for mdevctl) and
 * chzdev keep to the same protocol (util_lockfile.c of s390-tools' libutil), which is not flock()
 * but the existence of a file that holds its owner's pid.  A daemon's lock never looks stale: it
 * must be dropped on every path, and never be held while mdevctl is run.
 */
#include <systemd/sd-event.h>

#include "util/cleanup.h"

#define LOCK_HOLDER_SIZE 64u

/* Tries once.  0: held by us.  -EBUSY: held by another, *holder is "1234 (mdevctl)", or "an
 * unknown process".  Other negative errno: the file system's.  Waits for nothing; makes
 * run/lock where it is missing. */
int lock_try(int root, char holder[static LOCK_HOLDER_SIZE]);

/* Drops what is ours; what is not, or is not there, stays as it is.  0 or a negative errno. */
int lock_release(int root);

/* The same protocol over time. */
struct lock;

/* 0: the lock is ours.  -EBUSY: not ours after the whole patience, @holder says whose.  Other
 * negative errno: the file system's.  @holder is "" but for -EBUSY. */
typedef void (*lock_reply)(void *userdata, int error, const char *holder);

/* Also clears what a dead predecessor left behind.  @event and @root must outlive the
 * lock.  @retry_usec and @patience_usec: 0 is the default, libap's own 30 ms and 100 s.
 * 0 or -ENOMEM. */
int lock_new(sd_event *event, int root, lock_reply reply, void *userdata, uint64_t retry_usec,
	uint64_t patience_usec, struct lock **ret);

/* Drops it if it is held. */
void lock_free(struct lock *lock);
DEFINE_CLEANUP(struct lock, lock_free)

/* Asks for the lock: one reply, never before this returns.  While asking or holding: -EALREADY.
 * 0 or another negative errno, and no reply. */
int lock_take(struct lock *lock);

/* Drops it, or stops asking (no reply then). */
void lock_drop(struct lock *lock);
