/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Drop-ins that the daemon writes itself when it is asked to define a matrix:
 * etc/apmatrix.d/NAME.conf with one [Matrix NAME] section.  A sum in its first line tells such a
 * file from one that a person wrote or changed; the latter is never touched.
 */
#include "core/config.h"

/* The whole text of the file, new.  What it says is judged like any drop-in (load_check()); here
 * only what cannot stand in one is refused: a bad name, an unknown key, a value that would not read
 * back as given.
 * Returns 0; -EINVAL with *ret_reason a new sentence; -ENOMEM. */
int definition_make(const char *name, const struct raw_setting *settings, size_t n_settings,
	char **ret_text, char **ret_reason);

/* Writes it atomically: 0; -EEXIST: the file is there and is not the daemon's own; or another
 * negative errno, the old file then untouched. */
int definition_write(int root, const char *name, const char *text);

/* Removes it: 0; -ENOENT: there is none; -EEXIST: it is not the daemon's own. */
int definition_remove(int root, const char *name);

/* "/etc/apmatrix.d/NAME.conf" as a new string; NULL: out of memory. */
char *definition_path(const char *name);
