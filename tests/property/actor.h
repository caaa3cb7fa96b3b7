/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Acts a story out in a world, command by command, and watches: what the daemon writes (rules.c),
 * and what holds whenever it rests (judge.c, oracle.c).
 */
#include "property/story.h"
#include "scenario/world.h"

#define UUIDS_MAX 64u

struct uuid_set {
	char uuid[UUIDS_MAX][UUID_SIZE];
	size_t n;
};

bool uuid_set_has(const struct uuid_set *s, const char *uuid);
void uuid_set_add(struct uuid_set *s, const char *uuid);
void uuid_set_remove(struct uuid_set *s, const char *uuid);

struct actor {
	struct world *world;
	struct uuid_set made;     /* by the daemon, as its writes show */
	struct uuid_set stopped;  /* by StopMatrix */
	struct uuid_set unsure;   /* removed by hand while nobody looked: whose is it, once back? */
	struct uuid_set removing; /* by hand, and it may block */
	bool faults, locked;      /* something outside is broken now */
	bool blind;               /* scans are not complete */
	struct queues overrides;  /* set by the daemon, as its writes show */
	bool troubled;            /* something was broken since all was calm */
	bool begun;               /* held, the daemon has begun to work */
	bool raced;               /* something happened while the daemon was at work */
	struct observed *before;  /* the daemon's writes that are in the model's log */
	unsigned n_judged, n_writes;
	char tag[32]; /* of the first property that does not hold; "" */
	char violation[1024];
};

/* A host must come first.  False if a property does not hold: @a has tag and sentence. */
bool actor_do(struct actor *a, struct line *l);
void actor_done(struct actor *a);

void actor_fail(struct actor *a, const char *tag, const char *format, ...) _printf_(3, 4);

/* rules.c: were the daemon's writes allowed, given what was there before them? */
void rules_check(struct actor *a);

/* judge.c: what holds when the daemon rests. */
void judge(struct actor *a);

/* oracle.c: what must have come true; where the masks must be. For calm worlds only. */
void oracle_check(struct actor *a, const struct observed *o);

/* Whether a guest has it, whatever the daemon can know. */
bool actor_is_attached(const struct actor *a, const char *uuid);

/* A problem with this code, or about this object; NULL: any. */
bool status_has_problem(const struct status *s, const char *code, const char *object);
