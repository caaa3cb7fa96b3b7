/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Accepted drop-ins, counted by reference, in sets ordered by name. */
#include "load/dropin.h"

#include <stdlib.h>
#include <string.h>

struct dropin *dropin_new(const char *name, char *text, size_t size, struct fragment *fragment)
{
	_cleanup_free_ struct dropin *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->name = strdup(name);
	if (!d->name)
		return NULL;
	d->n_refs = 1;
	d->text = text;
	d->size = size;
	d->fragment = fragment;
	return TAKE_PTR(d);
}

struct dropin *dropin_ref(struct dropin *d)
{
	d->n_refs++;
	return d;
}

void dropin_unref(struct dropin *d)
{
	if (!d || --d->n_refs > 0)
		return;
	fragment_free(d->fragment);
	free(d->text);
	free(d->name);
	free(d);
}

static int compare_name(const void *key, const void *item)
{
	struct dropin *const *d = item;

	return strcmp(key, (*d)->name);
}

struct dropin *dropins_find(const struct dropins *set, const char *name)
{
	struct dropin **found = NULL;

	if (set->n > 0)
		found = bsearch(name, set->items, set->n, sizeof(*set->items), compare_name);
	return found ? *found : NULL;
}

int dropins_append(struct dropins *set, struct dropin *d)
{
	/* Powers of two are taken as full. */
	if ((set->n & (set->n - 1)) == 0) {
		struct dropin **bigger =
			reallocarray(set->items, set->n ? 2 * set->n : 1, sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		set->items = bigger;
	}
	set->items[set->n++] = dropin_ref(d);
	return 0;
}

void dropins_done(struct dropins *set)
{
	for (size_t i = 0; i < set->n; i++)
		dropin_unref(set->items[i]);
	free(set->items);
	*set = (struct dropins){};
}
