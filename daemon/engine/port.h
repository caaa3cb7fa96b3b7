/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The four calls that the engine speaks to the outside.  None of them waits: each starts
 * something whose answer comes back through one of engine.h's calls, soon, much later or never, but
 * not before the call has returned.  The daemon's port drives worker processes; the tests' port drives the model.
 */
#include "core/plan.h"

struct ap_port {
	void *userdata;

	/* Start a scan; answered by engine_scanned().  0 or a negative errno (then no answer). */
	int (*scan)(void *userdata);

	/* Start one step; answered by engine_applied() with the same @id. */
	int (*apply)(void *userdata, uint64_t id, const struct step *step);

	/* Take (true) or drop (false) s390apconfig.lock; taking is answered by engine_locked(). */
	int (*lock)(void *userdata, bool take);

	/* Call engine_tick() at @when (microseconds, CLOCK_MONOTONIC); UINT64_MAX: never.  Replaces
	 * the previous time. */
	void (*arm)(void *userdata, uint64_t when);
};
