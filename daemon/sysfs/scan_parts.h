/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What the parts of a scan share: the directories that they read below, one text buffer, and the
 * rule for what cannot be read.  Internal to sysfs/.
 */
#include <dirent.h>
#include <errno.h>

#include "core/ledger.h"
#include "core/observed.h"

/* An attribute is at most a page; one byte more shows what is longer. */
#define SCAN_TEXT_SIZE 4097u

struct scan_dir {
	int fd;
	const char *path; /* for messages */
};

struct scan {
	int root;
	const struct ledger *ours; /* may be NULL */
	struct observed *o;
	char text[SCAN_TEXT_SIZE]; /* what scan_read() read last */
};

/* Device and attribute gone: not an error, it just is not there any more. */
static inline bool scan_gone(int r)
{
	return r == -ENOENT || r == -ENODEV;
}

/* Notes that @name below @d could not be read (@r: negative errno; -EBADMSG: read, but not
 * understood): the observation is incomplete. */
void scan_fail(struct scan *s, const struct scan_dir *d, const char *name, int r);

/* Opens a directory below the root, d->path.  0 or a negative errno. */
int scan_dir_open(struct scan *s, struct scan_dir *d);
void scan_dir_done(struct scan_dir *d);
#define _cleanup_scan_dir_ _cleanup_(scan_dir_done)

/* A listing of @name below @d.  0 or a negative errno. */
int scan_list(const struct scan_dir *d, const char *name, DIR **ret);

static inline void cleanup_closedir(DIR **d)
{
	if (*d)
		closedir(*d);
}
#define _cleanup_closedir_ _cleanup_(cleanup_closedir)

/* Reads an attribute into s->text by one read(2), without its last newline: its length, -EFBIG
 * (longer than a page), -EBADMSG (holds a NUL) or a negative errno.  @d borrowed. */
ssize_t scan_read(struct scan *s, const struct scan_dir *d, const char *name);

/* The same, and understood: 0, -EBADMSG or a negative errno; *ret is then untouched. */
int scan_read_number(
	struct scan *s, const struct scan_dir *d, const char *name, uint64_t max, uint64_t *ret);
int scan_read_mask(struct scan *s, const struct scan_dir *d, const char *name, struct mask *ret);
int scan_read_flag(struct scan *s, const struct scan_dir *d, const char *name, bool *ret);

/* The parts.  Mediated devices after the queues, which they are held against. */
void scan_queues(struct scan *s); /* cards, queues, drivers, overrides */
int scan_mdevs(struct scan *s);   /* 0 or -ENOMEM */
