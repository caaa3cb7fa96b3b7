/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The matrix objects: one for every matrix of the status in force, found by path when somebody
 * asks, so that there is nothing to keep in step.  Properties only; what is done to a matrix is
 * the manager's.
 */
#include <string.h>

#include "bus/bus_private.h"

void bus_matrix_path(const char *uuid, char buf[static BUS_MATRIX_PATH_SIZE])
{
	snprintf(buf, BUS_MATRIX_PATH_SIZE, "%s/%s", BUS_MATRIX_PREFIX, uuid);
	for (char *p = buf + sizeof(BUS_MATRIX_PREFIX); *p; p++)
		if (*p == '-')
			*p = '_';
}

static int compare_uuid(const void *uuid, const void *matrix)
{
	return strcmp(uuid, ((const struct matrix_status *)matrix)->uuid);
}

/* Not status_find(): a matrix may be named like another's UUID. */
static struct matrix_status *find_uuid(const struct status *s, const char *uuid)
{
	if (s->n_matrices == 0)
		return NULL;
	return bsearch(uuid, s->matrices, s->n_matrices, sizeof(*s->matrices), compare_uuid);
}

int bus_matrix_find(sd_bus *connection _unused_, const char *path, const char *interface _unused_,
	void *userdata, void **ret_found, sd_bus_error *error _unused_)
{
	const struct bus *b = userdata;
	const char *encoded = path + sizeof(BUS_MATRIX_PREFIX);
	char uuid[UUID_SIZE];
	void *found;

	if (strncmp(path, BUS_MATRIX_PREFIX "/", sizeof(BUS_MATRIX_PREFIX)) != 0 ||
		strlen(encoded) != UUID_SIZE - 1)
		return 0;
	for (unsigned i = 0; i < UUID_SIZE; i++)
		uuid[i] = encoded[i] == '_' ? '-' : encoded[i];
	found = find_uuid(engine_status(b->engine), uuid);
	if (!found)
		return 0;
	*ret_found = found;
	return 1;
}

int bus_matrix_enumerate(sd_bus *connection _unused_, const char *prefix _unused_, void *userdata,
	char ***ret_nodes, sd_bus_error *error _unused_)
{
	const struct bus *b = userdata;
	const struct status *s = engine_status(b->engine);
	char **nodes = calloc(s->n_matrices + 1, sizeof(*nodes));

	if (!nodes)
		return -ENOMEM;
	for (size_t i = 0; i < s->n_matrices; i++) {
		char path[BUS_MATRIX_PATH_SIZE];

		bus_matrix_path(s->matrices[i].uuid, path);
		nodes[i] = strdup(path);
		if (!nodes[i]) {
			while (i > 0)
				free(nodes[--i]);
			free(nodes);
			return -ENOMEM;
		}
	}
	*ret_nodes = nodes;
	return 0;
}

/* A getter that appends what @append says of the matrix_status @matrix to @reply. */
#define MATRIX_PROPERTY(name, append)                                                 \
	static int get_##name(sd_bus *connection _unused_, const char *path _unused_, \
		const char *interface _unused_, const char *property _unused_,        \
		sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_)  \
	{                                                                             \
		const struct matrix_status *matrix = userdata;                        \
                                                                                      \
		return append;                                                        \
	}

MATRIX_PROPERTY(name, bus_append_text(reply, matrix->name))
MATRIX_PROPERTY(uuid, bus_append_text(reply, matrix->uuid))
MATRIX_PROPERTY(guest, bus_append_text(reply, matrix->guest))
MATRIX_PROPERTY(start_mode, bus_append_text(reply, start_mode_to_string(matrix->start)))
MATRIX_PROPERTY(state, bus_append_text(reply, matrix_state_to_string(matrix->state)))
MATRIX_PROPERTY(attached, sd_bus_message_append(reply, "b", (int)matrix->attached))
MATRIX_PROPERTY(
	attach_source, bus_append_text(reply, attach_source_to_string(matrix->attach_source)))
MATRIX_PROPERTY(attach_confidence,
	bus_append_text(reply, attach_confidence_to_string(matrix->attach_confidence)))
MATRIX_PROPERTY(vm_name, bus_append_text(reply, matrix->vm_name))
MATRIX_PROPERTY(conditions, bus_append_conditions(reply, matrix->conditions))
MATRIX_PROPERTY(
	origin, bus_append_texts(reply, (const char *const *)matrix->origin, matrix->n_origin))

static int get_mask(sd_bus *connection _unused_, const char *path _unused_,
	const char *interface _unused_, const char *property _unused_, sd_bus_message *reply,
	void *userdata, sd_bus_error *error _unused_)
{
	return bus_append_mask(reply, userdata);
}

#define PROPERTY(name, type, get) \
	SD_BUS_PROPERTY(name, type, get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)
#define FIELD(name, type, get, field)                                           \
	SD_BUS_PROPERTY(name, type, get, offsetof(struct matrix_status, field), \
		SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)

const sd_bus_vtable bus_matrix_vtable[] = {
	SD_BUS_VTABLE_START(0),
	PROPERTY("Name", "s", get_name),
	SD_BUS_PROPERTY("UUID", "s", get_uuid, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	PROPERTY("Guest", "s", get_guest),
	PROPERTY("StartMode", "s", get_start_mode),
	PROPERTY("State", "s", get_state),
	FIELD("ConfiguredAdapters", "ay", get_mask, configured.adapters),
	FIELD("ConfiguredDomains", "ay", get_mask, configured.domains),
	FIELD("ConfiguredControlDomains", "ay", get_mask, configured.control_domains),
	FIELD("AssignedAdapters", "ay", get_mask, assigned.adapters),
	FIELD("AssignedDomains", "ay", get_mask, assigned.domains),
	FIELD("AssignedControlDomains", "ay", get_mask, assigned.control_domains),
	FIELD("GuestAdapters", "ay", get_mask, guest_matrix.adapters),
	FIELD("GuestDomains", "ay", get_mask, guest_matrix.domains),
	PROPERTY("Attached", "b", get_attached),
	FIELD("VMPid", "u", NULL, vm_pid),
	PROPERTY("VMName", "s", get_vm_name),
	FIELD("AttachedSince", "t", NULL, attached_since),
	FIELD("AttachCount", "t", NULL, attach_count),
	PROPERTY("AttachSource", "s", get_attach_source),
	PROPERTY("AttachConfidence", "s", get_attach_confidence),
	PROPERTY("Conditions", "a(sbss)", get_conditions),
	PROPERTY("Origin", "as", get_origin),
	SD_BUS_VTABLE_END,
};
