/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The engine on D-Bus: org.s390.APMatrix with its Manager and Matrix objects.  This room
 * translates between messages and the engine's calls and decides nothing but who may call.
 *
 * Wiring: bus_new() first (it claims the name, so a second daemon ends before it touches
 * anything), then engine_new() with the three functions below as its events, then
 * bus_set_engine(), all before the loop turns.
 */
#include <systemd/sd-event.h>

#include "engine/engine.h"

struct bus;

/* Connects to @address ("system", "session" or a D-Bus address), registers the objects and claims
 * org.s390.APMatrix; waits for the bus's answer to that.  A connection that is lost later is
 * made again without waiting.  The event loop is referenced.
 * Returns 0, -EEXIST (another daemon has the name), -ENOMEM, or what connecting says. */
int bus_new(sd_event *event, const char *address, struct bus **ret);

/* Answers what is still open with Error.Busy, sends what is queued (for a second, if the bus does
 * not take it) and closes.  The engine may be
 * freed before or after; its answers to requests of a bus that has gone are harmless.  If it is
 * freed before, the loop must not turn in between. */
void bus_free(struct bus *b);
DEFINE_CLEANUP(struct bus, bus_free)

/* The engine that answers; borrowed. */
void bus_set_engine(struct bus *b, struct engine *e);

/* Members of struct engine_events, with the bus as their userdata: InterfacesAdded and -Removed
 * and one PropertiesChanged for every object that changed; MatrixAttached, -Detached
 * and -AttachFailed; ReconcileFinished.  Before bus_set_engine() they do nothing. */
void bus_published(void *bus, const struct status *old, const struct status *now,
	const struct status_diff *diff);
void bus_attach(
	void *bus, const struct matrix_status *m, bool attached, uint32_t pid, uint64_t seq);
void bus_attach_failed(void *bus, const struct matrix_status *m, uint32_t pid, uint64_t seq,
	int error, const char *message);
void bus_finished(void *bus, unsigned steps, unsigned failures);
