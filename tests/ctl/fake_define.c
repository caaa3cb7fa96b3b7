/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Define, Undefine and Update of the fake service: settings are texts, and are believed.
 */
#include "fake.h"

#include <stdio.h>
#include <string.h>

/* An a{sv} of texts by key.  0, -EINVAL for another key, or what the bus says. */
static int read_settings(sd_bus_message *m, const char *ret[static N_MATRIX_KEYS])
{
	int r = sd_bus_message_enter_container(m, 'a', "{sv}");

	while (r >= 0) {
		const char *key, *value;
		int k;

		r = sd_bus_message_read(m, "{sv}", &key, "s", &value);
		if (r <= 0)
			break;
		k = matrix_key_from_string(key);
		if (k < 0)
			return -EINVAL;
		ret[k] = value;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static const char **field_of(struct fake_matrix *m, enum matrix_key key)
{
	static const char *ignored;

	switch (key) {
	case KEY_UUID:
		return &m->uuid;
	case KEY_ADAPTERS:
		return &m->adapters;
	case KEY_DOMAINS:
		return &m->domains;
	case KEY_CONTROL_DOMAINS:
		return &m->control;
	case KEY_GUEST:
		return &m->guest;
	case KEY_START:
		return &m->start;
	default:
		return &ignored;
	}
}

static void set(struct fake_matrix *m, const char *const settings[static N_MATRIX_KEYS])
{
	for (int k = 0; k < (int)N_MATRIX_KEYS; k++) {
		if (!settings[k])
			continue;
		snprintf(m->given[k], TEXT_MAX, "%s", settings[k]);
		*field_of(m, (enum matrix_key)k) = m->given[k];
	}
	if (strcmp(m->control, "usage") == 0)
		m->control = m->domains;
	prepare(m);
}

static void make(struct fake_matrix *m, const char *name)
{
	*m = (struct fake_matrix){
		.name = m->made_name,
		.uuid = "00000000-0000-5000-8000-000000000001",
		.path = m->made_path,
		.guest = m->made_name,
		.start = "boot",
		.vm_name = "",
		.adapters = "",
		.domains = "",
		.control = "",
		.conditions = CONDITIONS(YES("Valid", "Valid"), YES("Present", "Exists"),
			YES("Assigned", "AsConfigured"), YES("Effective", "Complete"),
			NO("Attached", "Detached", "")),
	};
	snprintf(m->made_name, TEXT_MAX, "%s", name);
}

/* As its start mode wants it. */
static void start(struct fake_matrix *m)
{
	bool boot = strcmp(m->start, "boot") == 0;

	m->state = boot ? "active" : "defined";
	if (!boot)
		m->conditions[1] = (struct condition)NO(
			"Present", "NotStarted", "it is started when its guest starts");
}

static int add_new(const char *name, const char *const settings[static N_MATRIX_KEYS])
{
	struct fake_matrix *m = &matrices[n_matrices()];

	if (n_matrices() == MATRICES_MAX - 1)
		return -ENOSPC;
	make(m, name);
	m->state = "active";
	set(m, settings);
	start(m);
	prepare(m);
	snprintf(m->made_path, TEXT_MAX, ROOT "/matrix/%s", m->uuid);
	for (char *c = m->made_path; *c; c++)
		if (*c == '-')
			*c = '_';
	return add_matrix(m);
}

int fake_define(sd_bus_message *m, void *userdata _unused_, sd_bus_error *e)
{
	const char *settings[N_MATRIX_KEYS] = {}, *name;
	struct fake_matrix *known;
	int replace, r = sd_bus_message_read_basic(m, 's', &name);

	if (r >= 0)
		r = read_settings(m, settings);
	if (r >= 0)
		r = sd_bus_message_read_basic(m, 'b', &replace);
	if (r < 0)
		return r;
	known = find(name);
	if (strcmp(name, "root") == 0)
		return sd_bus_error_setf(e, SD_BUS_ERROR_ACCESS_DENIED, "Define is root's alone");
	if (known && !replace)
		return sd_bus_error_setf(e, ERROR "Exists",
			"%s is not defined: it is defined already at /etc/apmatrix.d/%s.conf:2; "
			"replace it, or choose another name",
			name, name);
	if (known) {
		known->adapters = known->domains = known->control = "";
		known->start = "boot";
		set(known, settings);
	} else
		r = add_new(name, settings);
	return r < 0 ? r : sd_bus_reply_method_return(m, "o", find(name)->path);
}

/* One that is attached stays until its guest detaches. */
int fake_undefine(sd_bus_message *m, void *userdata _unused_, sd_bus_error *e)
{
	struct fake_matrix *found = named(m, e);

	if (!found)
		return -EINVAL;
	if (strcmp(found->name, "guest2") == 0)
		return sd_bus_error_setf(e, ERROR "InvalidArgument",
			"guest2 is defined at /etc/apmatrix.d/guest2.conf:1, which apmatrixd did "
			"not write or which was changed by hand; remove it there");
	if (!found->attached) {
		found->slot = sd_bus_slot_unref(found->slot);
		found->name = found->uuid = "gone";
		return sd_bus_reply_method_return(m, NULL);
	}
	found->name = found->guest = found->adapters = found->domains = found->control = "";
	found->start = "manual";
	found->state = "pending";
	found->conditions[2] = (struct condition)NO("Assigned", "NotConfigured",
		"no drop-in names it any more; it is removed when its guest detaches");
	prepare(found);
	return sd_bus_reply_method_return(m, NULL);
}

int fake_update(sd_bus_message *m, void *userdata _unused_, sd_bus_error *e)
{
	const char *settings[N_MATRIX_KEYS] = {};
	struct fake_matrix *found = named(m, e);
	int r;

	if (!found)
		return -EINVAL;
	r = read_settings(m, settings);
	if (r < 0)
		return r;
	if (strcmp(found->name, "guest4") == 0)
		return sd_bus_error_setf(e, ERROR "InUse",
			"guest4 is not changed: a guest has it; LiveChange=grow leaves what "
			"differs until its guest detaches; LiveChange=all among the changes does "
			"it at once");
	set(found, settings);
	emit_state(found);
	return sd_bus_reply_method_return(m, NULL);
}
