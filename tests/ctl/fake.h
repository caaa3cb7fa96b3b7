/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The fake service's matrices: a table of texts, from which the properties are made.
 */
#include <systemd/sd-bus.h>

#include "core/config.h"

#define SERVICE "org.s390.APMatrix"
#define ROOT "/org/s390/APMatrix"
#define MANAGER SERVICE ".Manager"
#define MATRIX SERVICE ".Matrix"
#define ERROR SERVICE ".Error."
#define N_CONDITIONS 6u
#define MATRICES_MAX 10u
#define TEXT_MAX 80u

struct condition {
	const char *type, *reason, *message;
	int status;
};

struct fake_matrix {
	const char *name, *uuid, *guest, *start, *state, *vm_name, *path;
	const char *adapters, *domains, *control; /* lists, as configured */
	const char *assigned_adapters, *guest_adapters, *guest_domains;
	struct mask sets[8]; /* configured, assigned: three each; guest: two */
	int attached;
	uint32_t vm_pid;
	uint64_t since, count;
	struct condition conditions[N_CONDITIONS];
	const char *origin[4];
	sd_bus_slot *slot;
	char given[N_MATRIX_KEYS][TEXT_MAX]; /* by Define and Update */
	char made_name[TEXT_MAX], made_path[TEXT_MAX];
};

#define CONDITIONS(valid, present, assigned, effective, attached) \
	{                                                         \
		valid, present, assigned, effective, attached,    \
		{                                                 \
			"Applying", "Idle", "", 0                 \
		}                                                 \
	}
#define YES(type, reason)           \
	{                           \
		type, reason, "", 1 \
	}
#define NO(type, reason, message)        \
	{                                \
		type, reason, message, 0 \
	}

extern struct fake_matrix matrices[MATRICES_MAX];

struct fake {
	sd_bus *bus;
	sd_event *event;
	bool empty, odd, problem, read;
	char *play;
	unsigned reconciled;
};
extern struct fake fake;

size_t n_matrices(void);
struct fake_matrix *find(const char *name); /* or UUID; NULL: there is none */

/* The matrix that a method names, or NULL and an error. */
struct fake_matrix *named(sd_bus_message *m, sd_bus_error *e);

int add_matrix(struct fake_matrix *m); /* to the bus */
void prepare(struct fake_matrix *m);   /* fills the sets from the lists */
void emit_state(const struct fake_matrix *m);

int fake_define(sd_bus_message *m, void *userdata, sd_bus_error *e);
int fake_undefine(sd_bus_message *m, void *userdata, sd_bus_error *e);
int fake_update(sd_bus_message *m, void *userdata, sd_bus_error *e);
