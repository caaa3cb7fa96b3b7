/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * mdevctl's definitions of matrices below a root, each with the settings of a drop-in that says
 * the same.  A file that cannot be read is in the list with what is wrong with it.  Reads only,
 * and says nothing.
 */
#include <limits.h>

#include "ctl/mdevctl.h"
#include "ctl/settings.h"

struct import {
	char file[NAME_MAX + 1]; /* base name */
	char uuid[UUID_SIZE];    /* lower case; "": the name is none, mdevctl ignores such a file */
	char name[MATRIX_NAME_MAX + 1]; /* of the matrix: "matrix-" and the UUID's first part */
	struct mdevctl_definition definition;
	struct settings settings;
	char *mistake; /* NULL: it can be imported */
	unsigned line; /* of the mistake, 0: none in particular */
	bool defined;  /* for the caller */
};

struct imports {
	struct import *items; /* by UUID */
	size_t n;
	char *directory; /* as users write it */
};

/* All definitions, or those that the UUIDs (lower case, NULL at the end) name; a file that is
 * missing is in the list, too.  No directory is an empty one.
 * Returns 0, -ENOMEM, or what opening the root and reading the directory says. */
int imports_read(const char *root, char *const *uuids, struct imports *ret);
void imports_done(struct imports *l);
