/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ledger as a value, its entries in order of their UUIDs.  It does not know where it is kept,
 * nor whether the devices that it names still exist.
 */
#include "core/ledger.h"

#include <assert.h>

static const char *const intent_table[] = {
	[INTENT_CONFIG] = "config",
	[INTENT_STARTED] = "started",
	[INTENT_STOPPED] = "stopped",
};
DEFINE_STRTAB(intent, enum intent)

struct ledger *ledger_new(void)
{
	return calloc(1, sizeof(struct ledger));
}

void ledger_free(struct ledger *l)
{
	if (!l)
		return;
	free(l->entries);
	free(l);
}

/* Where the entry is, or else would have to be inserted. */
static size_t position(const struct ledger *l, const char *uuid, bool *ret_found)
{
	size_t low = 0, high = l->n;

	*ret_found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(l->entries[middle].uuid, uuid);

		if (order == 0) {
			*ret_found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct ledger_entry *ledger_find(const struct ledger *l, const char *uuid)
{
	bool found;
	size_t at = position(l, uuid, &found);

	return found ? &l->entries[at] : NULL;
}

struct ledger_entry *ledger_get(struct ledger *l, const char *uuid)
{
	size_t length = strlen(uuid);
	bool found;
	size_t at = position(l, uuid, &found);

	if (found)
		return &l->entries[at];
	assert(length < UUID_SIZE);

	struct ledger_entry *entries = reallocarray(l->entries, l->n + 1, sizeof(*entries));

	if (!entries)
		return NULL;
	l->entries = entries;
	memmove(entries + at + 1, entries + at, (l->n - at) * sizeof(*entries));
	l->n++;
	entries[at] = (struct ledger_entry){.intent = INTENT_CONFIG};
	memcpy(entries[at].uuid, uuid, length);
	return &entries[at];
}

void ledger_remove(struct ledger *l, const char *uuid)
{
	bool found;
	size_t at = position(l, uuid, &found);

	if (!found)
		return;
	l->n--;
	memmove(l->entries + at, l->entries + at + 1, (l->n - at) * sizeof(*l->entries));
}

struct ledger *ledger_copy(const struct ledger *l)
{
	_cleanup_(cleanup_ledger_free) struct ledger *copy = ledger_new();

	if (!copy)
		return NULL;
	*copy = *l;
	copy->entries = NULL;
	if (l->n > 0) {
		copy->entries = reallocarray(NULL, l->n, sizeof(*l->entries));
		if (!copy->entries)
			return NULL;
		memcpy(copy->entries, l->entries, l->n * sizeof(*l->entries));
	}
	return TAKE_PTR(copy);
}

static bool entry_equal(const struct ledger_entry *a, const struct ledger_entry *b)
{
	return strcmp(a->uuid, b->uuid) == 0 && strcmp(a->name, b->name) == 0 &&
		a->intent == b->intent && a->made == b->made && a->adopted == b->adopted &&
		a->set_known == b->set_known && matrix_equal(&a->set, &b->set);
}

bool ledger_equal(const struct ledger *a, const struct ledger *b)
{
	bool a_ours = a->masks_ours || a->masks_known, b_ours = b->masks_ours || b->masks_known;

	if (a->n != b->n || a_ours != b_ours || a->split != b->split ||
		a->masks_refused != b->masks_refused || a->masks_known != b->masks_known ||
		!mask_equal(&a->apmask, &b->apmask) || !mask_equal(&a->aqmask, &b->aqmask) ||
		!queues_equal(&a->overrides, &b->overrides) ||
		!queues_equal(&a->overrides_begun, &b->overrides_begun))
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!entry_equal(&a->entries[i], &b->entries[i]))
			return false;
	return true;
}
