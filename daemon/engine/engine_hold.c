/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Back-off: an object whose step failed is left alone for a while, twice as long after every
 * failure in a row; the others are not affected.
 */
#include <string.h>

#include "engine/engine_private.h"

static size_t hold_position(const struct engine *e, const char *uuid)
{
	size_t i = 0;

	while (i < e->n_holds && strcmp(e->holds[i].uuid, uuid) < 0)
		i++;
	return i;
}

struct hold *hold_find(struct engine *e, const char *uuid)
{
	size_t i = hold_position(e, uuid);

	return i < e->n_holds && strcmp(e->holds[i].uuid, uuid) == 0 ? &e->holds[i] : NULL;
}

static struct hold *hold_get(struct engine *e, const char *uuid)
{
	struct hold *h = hold_find(e, uuid);
	size_t i = hold_position(e, uuid);

	if (h)
		return h;
	h = realloc(e->holds, (e->n_holds + 1) * sizeof(*h));
	if (!h)
		return NULL;
	e->holds = h;
	memmove(&h[i + 1], &h[i], (e->n_holds - i) * sizeof(*h));
	e->n_holds++;
	h[i] = (struct hold){};
	memcpy(h[i].uuid, uuid, strlen(uuid) + 1);
	return &h[i];
}

/* Holds @uuid ("": the pool) after one more failure.  @error positive, 0 where the kernel accepted
 * a write that had no effect.  0 or -ENOMEM. */
int hold_add(struct engine *e, uint64_t now, const char *uuid, int error, const char *message)
{
	_cleanup_free_ char *copy = strdup(message);
	struct hold *h = copy ? hold_get(e, uuid) : NULL;
	uint64_t delay = ENGINE_RETRY_FIRST;

	if (!h)
		return -ENOMEM;
	for (unsigned i = 0; i < h->failures && delay < ENGINE_RETRY_MAX; i++)
		delay *= 2;
	free(h->message);
	h->message = TAKE_PTR(copy);
	h->error = error;
	h->failures++;
	h->until = now + (delay < ENGINE_RETRY_MAX ? delay : ENGINE_RETRY_MAX);
	return 0;
}

void hold_drop(struct engine *e, const char *uuid)
{
	struct hold *h = hold_find(e, uuid);

	if (!h)
		return;
	free(h->message);
	memmove(h, h + 1, (size_t)(e->holds + e->n_holds - (h + 1)) * sizeof(*h));
	e->n_holds--;
}

/* Lets @uuid be tried again at once, unless a write to it has still not returned. */
void hold_release(struct engine *e, const char *uuid)
{
	struct hold *h = hold_find(e, uuid);

	if (h && h->until != NEVER)
		hold_drop(e, uuid);
}

void hold_release_all(struct engine *e)
{
	size_t n = 0;

	for (size_t i = 0; i < e->n_holds; i++) {
		if (e->holds[i].until == NEVER)
			e->holds[n++] = e->holds[i];
		else
			free(e->holds[i].message);
	}
	e->n_holds = n;
}

/* Who could not make a device because another tool was quicker (mdevctl at boot) has not failed:
 * the device is there, and is taken over. */
void hold_release_lost_races(struct engine *e)
{
	for (size_t i = e->n_holds; i > 0; i--) {
		const struct hold *h = &e->holds[i - 1];

		if (h->error == EEXIST && observed_find_mdev(e->observed, h->uuid))
			hold_release(e, h->uuid);
	}
}

void hold_free_all(struct engine *e)
{
	for (size_t i = 0; i < e->n_holds; i++)
		free(e->holds[i].message);
	free(e->holds);
}

/* Those in force at @now (until NEVER: a write that has not returned) as a new array that borrows the
 * messages.  Returns their number; *ret is NULL where there are none or memory ran out. */
size_t hold_active(const struct engine *e, uint64_t now, struct hold **ret)
{
	struct hold *active = calloc(e->n_holds + 1, sizeof(*active));
	size_t n = 0;

	for (size_t i = 0; active && i < e->n_holds; i++)
		if (e->holds[i].until > now)
			active[n++] = e->holds[i];
	*ret = active;
	return n;
}

/* When the next hold ends; NEVER. */
uint64_t hold_next(const struct engine *e, uint64_t now)
{
	uint64_t next = NEVER;

	for (size_t i = 0; i < e->n_holds; i++)
		if (e->holds[i].until > now && e->holds[i].until < next)
			next = e->holds[i].until;
	return next;
}
