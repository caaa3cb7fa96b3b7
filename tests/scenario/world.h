/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A world for the engine to live in: the model as its kernel, a temporary directory as its root,
 * a clock that stands still until it is told.  Nothing here sleeps, and every answer of the port
 * is delivered in the order of its questions.
 */
#include "engine/engine.h"
#include "model/model.h"

struct world;

/* @hardware as in tests/simfs/README.md.  NULL with *ret_error (owned by the caller) set. */
struct world *world_new(const char *hardware, char **ret_error);
void world_free(struct world *w);

struct model *world_model(struct world *w);
struct engine *world_engine(struct world *w); /* NULL before world_start() */
uint64_t world_now(const struct world *w);
int world_root(const struct world *w);

/* Starts (or, after a crash or stop, starts again) the daemon's engine and lets it work until it
 * rests.  0 or a negative errno. */
int world_start(struct world *w);

/* Ends the engine: at once, with whatever it had under way done or not done. */
void world_stop(struct world *w);

/* Delivers answers and hints until nothing is due at this time; nothing while held. */
void world_settle(struct world *w);

/* While held, what happens is not yet looked at: for what comes in the middle of something. */
void world_hold(struct world *w, bool held);
bool world_is_held(const struct world *w);

/* A hint that says nothing. */
void world_poke(struct world *w);

/* Delivers at most @n answers, then returns: for a daemon that is killed in between.  The number
 * delivered. */
unsigned world_settle_some(struct world *w, unsigned n);

/* Lets time pass, settling whenever something is due. */
void world_wait(struct world *w, uint64_t usec);

/* Writes, removes or links a file below the root; then hints at it as inotify would. */
int world_write_file(struct world *w, const char *path, const char *text);
int world_remove_file(struct world *w, const char *path);
int world_link_file(struct world *w, const char *path, const char *target);

/* While deaf, the kernel's events are lost. */
void world_set_deaf(struct world *w, bool deaf);

/* While early, a scan shows what was there when it was asked for; else what is there at its end. */
void world_set_early(struct world *w, bool early);

/* Scans are not complete, for this reason; NULL: they are. */
void world_set_blind(struct world *w, const char *reason);

/* Whom s390apconfig.lock belongs to; NULL: nobody. */
void world_set_lock_holder(struct world *w, const char *holder);

/* As world_stop(), but the writes that were asked for are done by the kernel; nobody hears of it. */
void world_stop_amid_writes(struct world *w);

/* Writes to an attribute below /sys as somebody else's hand would; world_was_by_hand() is true for
 * the entries of the model's log that came about so, until world_forget_hands(). */
int world_write_by_hand(struct world *w, const char *path, const char *text);
bool world_was_by_hand(const struct world *w, size_t log_index);
void world_forget_hands(struct world *w);

/* Lets writes that hung go on (after model_fault_clear()). */
void world_release_hung(struct world *w);

/* What the engine announced since the last call, a line each (owned by the caller). */
char *world_take_signals(struct world *w);

/* The name that the matrix of that UUID had last, or NULL. */
const char *world_name(const struct world *w, const char *uuid);

/* Replaces {NAME} by the UUID of that matrix; a new string. */
char *world_expand(struct world *w, const char *text);
