/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a scenario shows of a world, as text that a person can read: new strings. */
#include "scenario/world.h"

char *print_status(struct world *w);   /* a line per matrix, by name */
char *print_host(struct world *w);     /* state, pool, masks */
char *print_problems(struct world *w); /* a line each */
char *print_plan(struct world *w);     /* what Reconcile would do */
char *print_writes(struct world *w);   /* since the last call */
