/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A device takes several writes to be made, and on kernels without ap_config to be changed.  If one
 * of them is refused, those before it are taken back, the last first: what cannot be done whole is
 * not left half done.  Decides only; engine_run.c carries it out, in the places of the steps that
 * are taken back.
 */
#include <string.h>

#include "engine/engine_private.h"

/* What takes @s back, or false where nothing does (or nothing needs to). */
static bool step_invert(const struct step *s, struct step *ret)
{
	static const struct {
		enum step_type type, inverse;
		size_t offset;
		bool set;
	} table[] = {
		{STEP_ASSIGN_ADAPTER, STEP_UNASSIGN_ADAPTER, offsetof(struct matrix, adapters),
			false},
		{STEP_ASSIGN_DOMAIN, STEP_UNASSIGN_DOMAIN, offsetof(struct matrix, domains), false},
		{STEP_ASSIGN_CONTROL_DOMAIN, STEP_UNASSIGN_CONTROL_DOMAIN,
			offsetof(struct matrix, control_domains), false},
		{STEP_UNASSIGN_ADAPTER, STEP_ASSIGN_ADAPTER, offsetof(struct matrix, adapters),
			true},
		{STEP_UNASSIGN_DOMAIN, STEP_ASSIGN_DOMAIN, offsetof(struct matrix, domains), true},
		{STEP_UNASSIGN_CONTROL_DOMAIN, STEP_ASSIGN_CONTROL_DOMAIN,
			offsetof(struct matrix, control_domains), true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct mask *mask;

		if (table[i].type != s->type)
			continue;
		*ret = *s;
		ret->type = table[i].inverse;
		/* A step carries what the device has after it. */
		mask = (struct mask *)((char *)&ret->matrix + table[i].offset);
		if (table[i].set)
			mask_set(mask, s->number);
		else
			mask_clear(mask, s->number);
		return true;
	}
	return false;
}

/* Puts what takes the steps @first to @failed - 1 (one object's, done) back in their places, to be
 * carried out from the last to the first.  Of a device that was made by them, removing it is all. */
void undo_prepare(struct run *r, size_t first, size_t failed)
{
	for (size_t i = first; i < failed; i++) {
		struct step *s = &r->steps[i];

		if (s->type == STEP_CREATE) {
			s->type = STEP_REMOVE;
			r->states[i] = (struct run_step){.state = STEP_WAITING, .undo = true};
			return;
		}
	}
	for (size_t i = first; i < failed; i++) {
		struct step inverse;

		if (!step_invert(&r->steps[i], &inverse))
			continue;
		r->steps[i] = inverse;
		r->states[i] = (struct run_step){.state = STEP_WAITING, .undo = true};
	}
}

/* The next step to take back below @i, not before @first; SIZE_MAX: none. */
size_t undo_next(const struct run *r, size_t first, size_t i)
{
	while (i > first) {
		i--;
		if (r->states[i].undo && r->states[i].state == STEP_WAITING)
			return i;
	}
	return SIZE_MAX;
}
