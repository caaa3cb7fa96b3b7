/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What the files of this room share: the connection, the requests that wait for an answer, and
 * how things are written into messages.
 */
#include <systemd/sd-bus.h>

#include "bus/bus.h"

#define BUS_NAME "org.s390.APMatrix"
#define BUS_PATH "/org/s390/APMatrix"
#define BUS_MATRIX_PREFIX BUS_PATH "/matrix"
#define BUS_MANAGER_INTERFACE BUS_NAME ".Manager"
#define BUS_MATRIX_INTERFACE BUS_NAME ".Matrix"
#define BUS_ERROR_PREFIX BUS_NAME ".Error."

#define BUS_MATRIX_PATH_SIZE (sizeof(BUS_MATRIX_PREFIX "/") - 1 + UUID_SIZE)

/* Bounds.  One caller can take part of each, all callers together no more than the other. */
#define BUS_READS_MAX 256u       /* calls that wait for the engine and change nothing */
#define BUS_READS_CALLER_MAX 64u /* connections, not users: everybody may make them */
#define BUS_CHANGES_MAX 1024u    /* calls that change something */
#define BUS_CHANGES_CALLER_MAX 256u
#define BUS_ASKED_MAX 64u       /* of these, that wait for polkit (a bus lets one ask 128 things) */
#define BUS_ASKED_USER_MAX 16u  /* a password may be typed for minutes: users, not connections */
#define BUS_QUEUE_READS_MAX 64u /* messages on the way out before calls are refused */
#define BUS_QUEUE_MAX 65536u    /* messages; one turn of 4096 matrices makes some 10000 */
#define BUS_STALL_USEC UINT64_C(10000000)
#define BUS_FLUSH_USEC UINT64_C(1000000)
#define BUS_POLKIT_USEC UINT64_C(20000000)         /* less than the 25 s that callers wait */
#define BUS_POLKIT_DIALOG_USEC UINT64_C(120000000) /* somebody types a password */

struct bus_request;

struct bus {
	sd_event *event;
	sd_event_source *retry; /* armed while the connection is lost or given up */
	uint64_t retry_usec;    /* the next time, after */
	sd_event_source *stall; /* armed while the connection takes nothing */
	sd_bus *connection;     /* NULL only while it is lost */
	char *address;
	struct engine *engine;
	struct bus_request *requests; /* those whose caller still waits */
	unsigned n_asked;             /* of these, those that polkit has */
	uint64_t asked_last;          /* the last number that bus_request.asked was given */
	sd_bus_slot *leaving;         /* tells of callers that leave; while n_asked > 0 */
	uint64_t stall_usec, flush_usec, polkit_usec, polkit_dialog_usec; /* BUS_..._USEC */
};

/* Now, for the engine: microseconds, CLOCK_MONOTONIC. */
uint64_t bus_now(const struct bus *b);

/* bus.c: closes the connection and makes it again, later and later while that fails.  A new owner of
 * the name tells every client to read anew, which lost signals would not. */
void bus_reconnect(struct bus *b);
bool bus_is_lost(const struct bus *b);

/* bus_flow.c: how much may be on its way out.  A bus that does not take what is sent (it has
 * stopped, or keeps too much for clients that do not read) costs calls an error, then itself the
 * connection. */
int bus_flow_new(struct bus *b);                        /* prepares b->stall */
int bus_flow_add(struct bus *b, sd_bus *connection);    /* a new connection, before others */
void bus_flow_flush(sd_bus *connection, uint64_t usec); /* sends what is queued; takes no calls */

/* True if a signal may be sent: there is an engine and a connection, and it takes what is sent. */
bool bus_may_signal(struct bus *b);

/* bus_manager.c, bus_matrix.c: the objects. */
extern const sd_bus_vtable bus_manager_vtable[];
extern const sd_bus_vtable bus_matrix_vtable[];
int bus_matrix_find(sd_bus *connection, const char *path, const char *interface, void *userdata,
	void **ret_found, sd_bus_error *error);
int bus_matrix_enumerate(sd_bus *connection, const char *prefix, void *userdata, char ***ret_nodes,
	sd_bus_error *error);
void bus_matrix_path(const char *uuid, char buf[static BUS_MATRIX_PATH_SIZE]);

/* bus_queues.c: appends the a(yyss) of ListQueues.  @o may be NULL (nothing observed yet).
 * Returns 0 or a negative errno. */
int bus_queues_append(sd_bus_message *m, const struct observed *o, const struct status *s);

/* bus_append.c: values as they stand in messages.  Texts that are not UTF-8 (a process's name, a
 * file's) have their odd bytes replaced, since one of them would cost the whole connection.
 * All return 0 or more, or a negative errno. */
int bus_append_text(sd_bus_message *m, const char *text);
int bus_append_mask(sd_bus_message *m, const struct mask *mask);                  /* ay */
int bus_append_texts(sd_bus_message *m, const char *const *texts, size_t n);      /* as */
int bus_append_problems(sd_bus_message *m, const struct problems *p);             /* a(ssus) */
int bus_append_plan(sd_bus_message *m, const struct plan *p);                     /* a(sss) */
int bus_append_conditions(sd_bus_message *m, const struct condition *conditions); /* a(sbss) */

/* @text itself where it is valid UTF-8, else a mended copy in *ret_copy (for the caller to free),
 * or NULL: out of memory. */
const char *bus_text_mend(const char *text, char **ret_copy);

/* bus_error.c: sets org.s390.APMatrix.Error.* and returns the negative number that sd-bus wants
 * of a handler that failed. */
int bus_error_set(sd_bus_error *error, enum engine_error code, const char *format, ...)
	_printf_(3, 4);
int bus_error_from_result(sd_bus_error *error, const struct engine_result *result);

/* bus_args.c: the arguments of what changes something, as the engine takes them.  Read before
 * anything is decided, so that a mistake is told before a password is asked for, and a huge message
 * is not kept. */
struct bus_args {
	const char *name; /* of matrix or guest; the strings live as long as the message */
	struct raw_setting *settings;
	size_t n_settings;
	char **values; /* of settings that were not text: owned */
	size_t n_values;
	const char **uuids;
	size_t n_uuids;
	bool replace;
};
/* Each reads one signature: 0, or a negative errno with @error set where it is the caller's fault. */
typedef int (*bus_args_read)(sd_bus_message *m, struct bus_args *a, sd_bus_error *error);
int bus_args_none(sd_bus_message *m, struct bus_args *a, sd_bus_error *error);
int bus_args_name(sd_bus_message *m, struct bus_args *a, sd_bus_error *error);
int bus_args_define(sd_bus_message *m, struct bus_args *a, sd_bus_error *error);
int bus_args_update(sd_bus_message *m, struct bus_args *a, sd_bus_error *error);
int bus_args_guest(sd_bus_message *m, struct bus_args *a, sd_bus_error *error);
void bus_args_done(struct bus_args *a);

/* bus_change.c: the methods that change something, and the only handler of all of them. */
struct bus_change {
	const char *member;
	const char *verb;    /* for polkit's rules, as apmatrixctl calls it */
	const char *subject; /* what the name is to these rules: "matrix", "guest"; NULL: no name */
	bool by_uuid;        /* the name may also be a UUID */
	const char *action;  /* of polkit */
	bus_args_read read;
	void (*run)(struct bus_request *r, const struct bus_args *a);
};
int bus_change_method(sd_bus_message *m, void *userdata, sd_bus_error *error);

/* What polkit says; @detail: why it is denied, for people. */
enum bus_verdict {
	BUS_ALLOWED,
	BUS_DENIED,    /* by a rule, a failed dialog, or since nobody answered */
	BUS_CHALLENGE, /* a password would do, but nobody was asked for it */
};
typedef void (*bus_polkit_answer)(
	struct bus_request *r, enum bus_verdict verdict, const char *detail);

/* bus_request.c: a call that is answered later. */
typedef int (*bus_request_append)(sd_bus_message *reply, const struct engine_result *result);

struct bus_request {
	struct bus *bus;                 /* NULL: the bus has gone, only the engine still knows */
	sd_bus_message *message;         /* NULL with it */
	sd_bus_slot *question;           /* what the gate is waiting for; NULL: past the gate */
	const struct bus_change *change; /* NULL: changes nothing, anybody may */
	struct bus_args args;            /* the gate keeps them until then */
	uint32_t uid;                    /* of the caller, once the bus has said it */
	uint64_t asked;                  /* number of the question that polkit has; 0: none */
	bus_polkit_answer answer;        /* who wants to know */
	struct bus_request *prev, *next;
};

/* Keeps @m; @change is NULL for what changes nothing.  Returns 0, -ENOMEM, or (limits of one
 * caller and of all) with @error set. */
int bus_request_new(struct bus *b, sd_bus_message *m, const struct bus_change *change,
	struct bus_request **ret, sd_bus_error *error);

/* Answers with what @append (may be NULL) adds, or with the result's error, and frees @r. */
void bus_request_finish(
	struct bus_request *r, const struct engine_result *result, bus_request_append append);

/* Frees it without an answer, for a handler that returns the error itself, or a caller that has
 * left. */
void bus_request_free(struct bus_request *r);

/* Answers with @error, or with @r_errno (negative) where it is not set, and frees the request. */
void bus_request_fail(struct bus_request *r, int r_errno, const sd_bus_error *error);

/* Answers all with Busy; those that are in the engine stay alive for it, without a bus. */
void bus_request_abandon_all(struct bus *b);

/* bus_access.c: the gate.  Runs @change at once or later, if the sender may do it; otherwise answers
 * with AccessDenied or InteractiveAuthorizationRequired.  What cannot be found out counts as no.
 * Takes over what is in @args.  Returns what a method handler returns. */
int bus_access_pass(struct bus *b, sd_bus_message *m, const struct bus_change *change,
	struct bus_args *args, sd_bus_error *error);

/* bus_polkit.c: the question to polkit.  Returns 0, and @answer is called later with @r unless that is
 * freed before; or a negative errno. */
int bus_polkit_ask(struct bus_request *r, bus_polkit_answer answer);
void bus_polkit_cancel(struct bus_request *r); /* nothing if @r has not been asked about */
