/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A drop-in that was accepted: its text and what it means.  Shared by reference, since what was
 * good once stays in force while the file is wrong.  Internal to load/.
 */
#include "core/config.h"

struct dropin {
	unsigned n_refs;
	char *name; /* base name */
	char *text; /* @size bytes */
	size_t size;
	struct fragment *fragment;
};

struct dropins {
	struct dropin **items; /* in order of their names */
	size_t n;
};

/* A new one with one reference, which takes @text and @fragment over if (and only if) it succeeds.
 * NULL: out of memory. */
struct dropin *dropin_new(const char *name, char *text, size_t size, struct fragment *fragment);
struct dropin *dropin_ref(struct dropin *d);
void dropin_unref(struct dropin *d);
DEFINE_CLEANUP(struct dropin, dropin_unref)

/* NULL: none of that name. */
struct dropin *dropins_find(const struct dropins *set, const char *name);

/* Appends a reference of its own; @d comes after all others by name.  0 or -ENOMEM. */
int dropins_append(struct dropins *set, struct dropin *d);
void dropins_done(struct dropins *set);
