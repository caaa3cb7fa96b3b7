/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The daemon's objects as this program sees them: one struct each for the manager and a matrix,
 * and one table each that names the D-Bus properties, their types and where they go.  Everything
 * that comes over the bus is read through these tables; properties that a newer daemon may add
 * are skipped.  Names are those of org.s390.APMatrix.  How they look is object_text.h's.
 */
#include <stdint.h>
#include <stdio.h>
#include <systemd/sd-bus.h>

#include "core/mask.h"
#include "util/cleanup.h"

#define APMATRIX_SERVICE "org.s390.APMatrix"
#define APMATRIX_PATH "/org/s390/APMatrix"
#define APMATRIX_MANAGER "org.s390.APMatrix.Manager"
#define APMATRIX_MATRIX "org.s390.APMatrix.Matrix"
#define APMATRIX_ERROR "org.s390.APMatrix.Error."

enum object_type {
	OBJECT_STRING,     /* s: char * */
	OBJECT_BOOL,       /* b: bool */
	OBJECT_U32,        /* u: uint32_t */
	OBJECT_U64,        /* t: uint64_t */
	OBJECT_NUMBERS,    /* ay: struct mask */
	OBJECT_STRINGS,    /* as: char **, NULL at the end */
	OBJECT_CONDITIONS, /* a(sbss): struct condition_list */
	OBJECT_PROBLEMS,   /* a(ssus): struct problem_list */
};

struct object_property {
	const char *name;
	enum object_type type;
	size_t offset; /* in the struct */
};

struct condition_item {
	char *type, *reason, *message;
	bool status;
};

struct condition_list {
	struct condition_item *items;
	size_t n;
};

struct problem_item {
	char *severity, *file, *text;
	uint32_t line;
};

struct problem_list {
	struct problem_item *items;
	size_t n;
};

struct client_matrix {
	char *path;
	char *name, *uuid, *guest, *start_mode, *state;
	struct mask configured_adapters, configured_domains, configured_control_domains;
	struct mask assigned_adapters, assigned_domains, assigned_control_domains;
	struct mask guest_adapters, guest_domains;
	bool attached;
	uint32_t vm_pid;
	char *vm_name;
	uint64_t attached_since, attach_count;
	char *attach_source, *attach_confidence;
	struct condition_list conditions;
	char **origin;
};

struct client_host {
	char *version, *state, *kernel_release, *attach_source, *queue_pool;
	char **features, **hazards;
	uint32_t max_adapter, max_domain, matrices, attached;
	char *adapter_mask, *domain_mask;
	struct mask host_adapters, host_domains;
	uint64_t config_generation;
	struct problem_list problems;
};

/* The D-Bus signature of a type. */
const char *object_signature(enum object_type type);

#define N_MATRIX_PROPERTIES 22u
#define N_HOST_PROPERTIES 17u
extern const struct object_property matrix_properties[N_MATRIX_PROPERTIES];
extern const struct object_property host_properties[N_HOST_PROPERTIES];

/* Reads an a{sv} into @object, a struct that @table describes; what it already holds is replaced.
 * *ret_seen (may be NULL) gets a bit for every row of the table that was there.  Texts are
 * cleaned of control characters; texts that never came are "".  0; -EBADMSG: a property has another type than
 * interfaces say; -ENOMEM; @object may then be changed in part, and is safe to free. */
int object_read(sd_bus_message *m, const struct object_property *table, size_t n, void *object,
	uint32_t *ret_seen);

/* Releases what the tables' rows own, and leaves zeros. */
void object_done(const struct object_property *table, size_t n, void *object);

/* Reads a(ssus), cleaned likewise. */
int problem_list_read(sd_bus_message *m, struct problem_list *ret);
int problem_list_add(struct problem_list *l, const char *severity, const char *file, uint32_t line,
	const char *text); /* copies; 0 or -ENOMEM */
void problem_list_done(struct problem_list *l);

void client_matrix_done(struct client_matrix *m);
void client_host_done(struct client_host *h);
