/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The way to the daemon: one connection, calls on the manager object, and answers as structs.
 * Functions return 0 or a negative errno and keep what the bus said; client_explain() makes the
 * sentence of it.  Reading never starts the daemon: who only asks must not cause queues to be
 * taken from the host.
 */
#include "core/config.h"
#include "ctl/object.h"

struct client {
	const char *address; /* of --bus: "system", "session" or an address */
	const char *host;    /* -H, or NULL */
	const char *machine; /* -M, or NULL */
	sd_bus *bus;         /* NULL until client_open() */
	sd_bus_error error;  /* of the last call that failed */
	char *failed_name;   /* matrix that the daemon does not know, else NULL */
	char *suggestion;    /* one that it knows and that looks alike, else NULL */
};

struct client_matrices {
	struct client_matrix *items; /* sorted by title, those without a name last */
	size_t n;
};

struct client_entry { /* of ListMatrices */
	char *name, *uuid, *state, *path;
};

struct client_entries {
	struct client_entry *items; /* sorted by name, those without a name last */
	size_t n;
};

struct client_queue {
	uint8_t adapter, domain;
	char *owner, *matrix;
};

struct client_queues {
	struct client_queue *items;
	size_t n;
};

/* Connects where that has not happened yet.  Every other function calls it. */
int client_open(struct client *c);
void client_done(struct client *c);

enum client_mode {
	CLIENT_READ,   /* the daemon is not started for it */
	CLIENT_CHANGE, /* may start it, may ask for a password, may take its time */
};

/* Calls a method of the manager.  *ret_reply may not be wanted (NULL). */
int client_call(struct client *c, enum client_mode mode, const char *member,
	sd_bus_message **ret_reply, const char *types, ...);

int client_read_host(struct client *c, struct client_host *ret);

/* All matrices with all their properties, in one call. */
int client_read_matrices(struct client *c, struct client_matrices *ret);

/* Takes *@m over (it is empty then), at the end of the list.  0 or -ENOMEM. */
int client_matrices_add(struct client_matrices *l, struct client_matrix *m);
void client_matrices_done(struct client_matrices *l);

/* One matrix by name or UUID; client_explain() knows names that look alike. */
int client_read_matrix(struct client *c, const char *name, struct client_matrix *ret);

/* Its object path; -ENOENT: there is none. */
int client_find_matrix(struct client *c, const char *name, char **ret_path);

/* All properties of the matrix object @path; -ENOENT: it has gone. */
int client_read_matrix_at(struct client *c, const char *path, struct client_matrix *ret);

int client_list(struct client *c, struct client_entries *ret);
void client_entries_done(struct client_entries *l);

int client_read_queues(struct client *c, struct client_queues *ret);
void client_queues_done(struct client_queues *l);

/* The order of all lists: names first, then UUIDs of what has no name. */
int client_compare_titles(
	const char *name_a, const char *uuid_a, const char *name_b, const char *uuid_b);

/* If the last error was that there is no matrix of that name, finds one that looks alike. */
void client_note_name(struct client *c, const char *name);

/* Defines a matrix by settings of a drop-in, or changes one until the next reload. */
int client_define(struct client *c, const char *name, const struct raw_setting *settings, size_t n,
	bool replace);
int client_update(struct client *c, const char *name, const struct raw_setting *settings, size_t n);

/* True if the last call failed because nobody has the daemon's name. */
bool client_is_absent(const struct client *c);

/* The match rule for the daemon's coming and going. */
#define CLIENT_OWNER_MATCH                                                          \
	"type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus'," \
	"interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" APMATRIX_SERVICE "'"

/* One object of GetManagedObjects or InterfacesAdded (o and a{sa{sv}}) as a matrix: 1; 0 if it is
 * something else, or a negative errno, *ret then untouched. */
int client_read_object(sd_bus_message *m, struct client_matrix *ret);

/* Why the last function failed with @error, with the next step, as a new string (NULL: out of
 * memory). */
char *client_explain(const struct client *c, int error);
