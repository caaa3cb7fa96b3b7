/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Attributes as people write them in scenarios, both ways: "{guest1}/ap_config = 5,6 x 4,0xab",
 * "apmask = all but 5", "create = {guest1}".  Whatever has no such short form stays as it is.
 */
#include <stdio.h>

#include "scenario/world.h"

/* "5,6 x 4,0xab control 4" */
void attribute_print_matrix(FILE *f, const struct matrix *m);

/* A write as the model logged it, with its errno where it failed, and a newline. */
void attribute_print_write(FILE *f, struct world *w, const struct model_log_entry *e);

/* The path below /sys that the short @name stands for, and the text to be written for @value;
 * new strings. */
char *attribute_path(const char *name);
char *attribute_value(const char *name, const char *value);
