/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is said unasked: the difference between two statuses as InterfacesAdded, InterfacesRemoved
 * and one PropertiesChanged for every object, then attach, detach and the end of a reconcile.
 * sd-bus reads the values through the getters, so a signal says what a Get would answer now.
 */
#include <string.h>

#include "bus/bus_private.h"
#include "util/log.h"

struct property_name {
	uint32_t bit;
	const char *name;
};

static const struct property_name matrix_names[] = {
	{MP_NAME, "Name"},
	{MP_GUEST, "Guest"},
	{MP_START_MODE, "StartMode"},
	{MP_STATE, "State"},
	{MP_CONFIGURED_ADAPTERS, "ConfiguredAdapters"},
	{MP_CONFIGURED_DOMAINS, "ConfiguredDomains"},
	{MP_CONFIGURED_CONTROL_DOMAINS, "ConfiguredControlDomains"},
	{MP_ASSIGNED_ADAPTERS, "AssignedAdapters"},
	{MP_ASSIGNED_DOMAINS, "AssignedDomains"},
	{MP_ASSIGNED_CONTROL_DOMAINS, "AssignedControlDomains"},
	{MP_GUEST_ADAPTERS, "GuestAdapters"},
	{MP_GUEST_DOMAINS, "GuestDomains"},
	{MP_ATTACHED, "Attached"},
	{MP_VM_PID, "VMPid"},
	{MP_VM_NAME, "VMName"},
	{MP_ATTACHED_SINCE, "AttachedSince"},
	{MP_ATTACH_COUNT, "AttachCount"},
	{MP_ATTACH_SOURCE, "AttachSource"},
	{MP_ATTACH_CONFIDENCE, "AttachConfidence"},
	{MP_CONDITIONS, "Conditions"},
	{MP_ORIGIN, "Origin"},
};

static const struct property_name manager_names[] = {
	{GP_STATE, "State"},
	{GP_FEATURES, "Features"},
	{GP_HAZARDS, "Hazards"},
	{GP_ATTACH_SOURCE, "AttachSource"},
	{GP_QUEUE_POOL, "QueuePool"},
	{GP_MAX_ADAPTER, "MaxAdapter"},
	{GP_MAX_DOMAIN, "MaxDomain"},
	{GP_ADAPTER_MASK, "AdapterMask"},
	{GP_DOMAIN_MASK, "DomainMask"},
	{GP_HOST_ADAPTERS, "HostAdapters"},
	{GP_HOST_DOMAINS, "HostDomains"},
	{GP_CONFIG_GENERATION, "ConfigGeneration"},
	{GP_PROBLEMS, "Problems"},
	{GP_MATRICES, "Matrices"},
	{GP_ATTACHED, "Attached"},
};

/* All interfaces that a matrix object had, as InterfacesAdded named them. */
static const char *const matrix_interfaces[] = {
	"org.freedesktop.DBus.Peer",
	"org.freedesktop.DBus.Introspectable",
	"org.freedesktop.DBus.Properties",
	BUS_MATRIX_INTERFACE,
	NULL,
};

static void complain(const char *path, int r)
{
	if (r < 0)
		log_warning("cannot send a signal of %s: %s", path, strerror(-r));
}

static int emit_properties(struct bus *b, const char *path, const char *interface, uint32_t bits,
	const struct property_name *names, size_t n_names)
{
	char *changed[33];
	size_t n = 0;

	for (size_t i = 0; i < n_names; i++)
		if (bits & names[i].bit)
			changed[n++] = (char *)names[i].name;
	changed[n] = NULL;
	if (n == 0)
		return 0;
	return sd_bus_emit_properties_changed_strv(b->connection, path, interface, changed);
}

static int emit_matrix(struct bus *b, const char *path, const struct status_change *c)
{
	switch (c->kind) {
	case CHANGE_ADDED:
		return sd_bus_emit_object_added(b->connection, path);
	case CHANGE_REMOVED:
		return sd_bus_emit_interfaces_removed_strv(
			b->connection, path, (char **)matrix_interfaces);
	case CHANGE_CHANGED:
		return emit_properties(b, path, BUS_MATRIX_INTERFACE, c->properties, matrix_names,
			ARRAY_SIZE(matrix_names));
	}
	return -EINVAL;
}

void bus_published(void *bus, const struct status *old _unused_, const struct status *now _unused_,
	const struct status_diff *diff)
{
	struct bus *b = bus;
	int r;

	if (!bus_may_signal(b))
		return;
	for (size_t i = 0; i < diff->n; i++) {
		char path[BUS_MATRIX_PATH_SIZE];

		bus_matrix_path(diff->items[i].uuid, path);
		complain(path, emit_matrix(b, path, &diff->items[i]));
	}
	r = emit_properties(b, BUS_PATH, BUS_MANAGER_INTERFACE, diff->manager, manager_names,
		ARRAY_SIZE(manager_names));
	complain(BUS_PATH, r);
}

void bus_attach(void *bus, const struct matrix_status *m, bool attached, uint32_t pid, uint64_t seq)
{
	struct bus *b = bus;
	char path[BUS_MATRIX_PATH_SIZE];
	int r;

	if (!bus_may_signal(b))
		return;
	bus_matrix_path(m->uuid, path);
	r = sd_bus_emit_signal(b->connection, BUS_PATH, BUS_MANAGER_INTERFACE,
		attached ? "MatrixAttached" : "MatrixDetached", "osut", path, m->name, pid, seq);
	complain(BUS_PATH, r);
}

void bus_attach_failed(void *bus, const struct matrix_status *m, uint32_t pid, uint64_t seq,
	int error, const char *message)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *signal = NULL;
	struct bus *b = bus;
	char path[BUS_MATRIX_PATH_SIZE];
	int r;

	if (!bus_may_signal(b))
		return;
	bus_matrix_path(m->uuid, path);
	r = sd_bus_message_new_signal(
		b->connection, &signal, BUS_PATH, BUS_MANAGER_INTERFACE, "MatrixAttachFailed");
	if (r >= 0)
		r = sd_bus_message_append(signal, "osuti", path, m->name, pid, seq, error);
	if (r >= 0)
		r = bus_append_text(signal, message);
	if (r >= 0)
		r = sd_bus_send(b->connection, signal, NULL);
	complain(BUS_PATH, r);
}

void bus_finished(void *bus, unsigned steps, unsigned failures)
{
	struct bus *b = bus;
	int r;

	if (!bus_may_signal(b))
		return;
	r = sd_bus_emit_signal(b->connection, BUS_PATH, BUS_MANAGER_INTERFACE, "ReconcileFinished",
		"uu", steps, failures);
	complain(BUS_PATH, r);
}
