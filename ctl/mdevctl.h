/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * mdevctl's definitions of matrices, as text: reading one (import-mdevctl), and writing one
 * (export), the same bytes as mdevctl itself writes.  Knows no files and no bus.
 *
 * A definition is a list of attribute writes.  They are applied here as the kernel would, so that
 * the outcome is what the device would have.  As s390-tools' libap does, a value may be a list
 * with commas, and ap_config replaces all before it.
 */
#include <stdio.h>

#include "core/config.h"

#define MDEVCTL_TYPE "vfio_ap-passthrough"
#define MDEVCTL_PARENT "matrix"
#define MDEVCTL_FILE_MAX (256u * 1024u)

struct mdevctl_definition {
	struct matrix matrix;
	bool autostart; /* "start": "auto" */
};

/* Reads one, @size bytes of at most MDEVCTL_FILE_MAX.
 * Returns 0; -EINVAL with *ret_reason a new sentence (what is wrong and what to do next) and
 * *ret_line the line it is in (0: none in particular); -ENOMEM. */
int mdevctl_parse(const char *text, size_t size, struct mdevctl_definition *ret, unsigned *ret_line,
	char **ret_reason);

/* The attributes that make a device have @m, in the order in which mdevctl is to write them. */
typedef void (*mdevctl_attribute)(void *userdata, const char *name, const char *value);
void mdevctl_foreach(const struct matrix *m, mdevctl_attribute function, void *userdata);

/* As mdevctl writes /etc/mdevctl.d/matrix/UUID, and a newline. */
void mdevctl_print(const struct mdevctl_definition *d, FILE *out);
