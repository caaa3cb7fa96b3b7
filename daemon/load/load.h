/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Drop-in files into fragments and a config, with systemd's precedence: /etc/apmatrix.d over
 * /run/apmatrix.d over /usr/lib/apmatrix.d, ordered by base name over all of them; an empty file
 * or a link to /dev/null masks.  Every mistake of every file is collected in one go.
 */
#include "core/config.h"

#define LOAD_FILE_MAX (256u * 1024u) /* bytes; larger is an error, never cut */
#define LOAD_LINE_MAX 4096u          /* bytes without the newline; longer is an error */
#define LOAD_FILES_MAX 4096u

/* Splits one text (@size bytes, not NUL-terminated) into a new fragment named @path and judges
 * it with fragment_check().  Mistakes of either kind go to @p.
 * Returns 0 with *ret_fragment NULL if there was an error in it, or -ENOMEM. */
int load_text(const char *path, const char *text, size_t size, struct problems *p,
	struct fragment **ret_fragment);

/* All drop-ins as read last: the state that makes "last good" possible. */
struct load;

struct load *load_new(int root); /* root: directory fd, borrowed.  NULL: out of memory */

/* From now on load_read() writes nothing to run/apmatrixd/accepted. */
void load_set_dry_run(struct load *l);
void load_free(struct load *l);
DEFINE_CLEANUP(struct load, load_free)

/* Reads all drop-ins.  A file with an error keeps its last good fragment of this struct load (or
 * of run/apmatrixd/accepted/, where accepted texts are kept over a restart) in force; a file that
 * is gone or masked drops it.  *ret_config is what is now in force (with derived UUIDs set from
 * etc/machine-id), *ret_problems everything to say about it; both are overwritten, not added to, and
 * then the caller's.
 * Returns 0, -ENOMEM, or another negative errno only where the directories as such cannot be
 * read; then nothing is changed. */
int load_read(struct load *l, struct problems *ret_problems, struct config **ret_config);

/* As load_read() with @text in place of /etc/apmatrix.d/@file; changes nothing, keeps nothing.
 * @file must be a base name that ends in ".conf": -EINVAL otherwise. */
int load_check(struct load *l, const char *file, const char *text, size_t size,
	struct problems *ret_problems, struct config **ret_config);

/* What load_read() read last, with @update behind it (and behind the updates that are kept), as one
 * config; reads no drop-in.  @update has passed fragment_check() and stays the caller's.  0 or
 * -ENOMEM. */
int load_try_update(struct load *l, const struct fragment *update, struct problems *ret_problems,
	struct config **ret_config);

/* Keeps @update (taken over; of one matrix) until load_drop_updates(), or until load_read() finds
 * another definition of that matrix in the files.  0 or -ENOMEM, @update then untouched. */
int load_keep_update(struct load *l, struct fragment *update);
void load_drop_updates(struct load *l);

/* The drop-ins' directories, highest first, relative to the root: "etc/apmatrix.d", ... */
extern const char *const load_directories[3];

/* These, and where chzdev's rule is: what to watch. */
extern const char *const load_watched[5];
