/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Defining a matrix by the daemon and saying what came of it: for define and import-mdevctl.
 */
#include "ctl/ctl.h"
#include "ctl/settings.h"

/* EXIT_SUCCESS or EXIT_FAILURE; the latter was said. */
int define_matrix(struct ctl *ctl, const char *name, const struct settings *s, bool replace);
