/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A service with the daemon's names and types and nothing behind them, so that the command line
 * can be held against interfaces.md alone:
 *   fake [--empty] [--odd] [--play=EVENT,...]
 * --empty: a host without anything; --odd: ListQueues answers in another type than it should.
 * --play: what happens, all at once, after a client has read the objects for the first time:
 *   attach:NAME detach:NAME state:NAME:STATE remove:NAME add:NAME problem finish quit
 * It prints "ready" when it has the name, and ends on SIGTERM.
 */
#include "fake.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-event.h>

#define UUID_PATH(u) ROOT "/matrix/" u

struct fake_matrix matrices[MATRICES_MAX] = {
	{
		.name = "guest1",
		.uuid = "62177883-f1bb-47f0-914d-32a22e3a8804",
		.path = UUID_PATH("62177883_f1bb_47f0_914d_32a22e3a8804"),
		.guest = "guest1",
		.start = "boot",
		.state = "attached",
		.vm_name = "guest1",
		.adapters = "5,6",
		.domains = "4,0xab",
		.control = "4,0xab",
		.attached = 1,
		.vm_pid = 4711,
		.since = UINT64_C(1795363445000000),
		.count = 2,
		.conditions = CONDITIONS(YES("Valid", "Valid"), YES("Present", "Exists"),
			YES("Assigned", "AsConfigured"), YES("Effective", "Complete"),
			YES("Attached", "SeenByModule")),
		.origin = {"/etc/apmatrix.d/guest1.conf:2", "/etc/apmatrix.d/guest1.conf:3",
			"/etc/apmatrix.d/90-local.conf:7"},
	},
	{
		.name = "guest2",
		.uuid = "cef03c3c-903d-4ecc-9a83-40694cb8aee4",
		.path = UUID_PATH("cef03c3c_903d_4ecc_9a83_40694cb8aee4"),
		.guest = "guest2",
		.start = "boot",
		.state = "degraded",
		.vm_name = "",
		.adapters = "5,6",
		.domains = "0x47,0xff",
		.control = "",
		.assigned_adapters = "5-7",
		.guest_adapters = "5",
		.conditions = CONDITIONS(YES("Valid", "Valid"), YES("Present", "Exists"),
			NO("Assigned", "Drift",
				"someone else added adapter 7; Drift=report leaves it"),
			NO("Effective", "Filtered",
				"the guest lacks adapters of which vfio_ap does not drive every "
				"queue: 6; adapters not in the host's AP configuration: 7"),
			NO("Attached", "Detached", "")),
		.origin = {"/etc/apmatrix.d/guest2.conf:1", "/etc/apmatrix.d/guest2.conf:2"},
	},
	{
		.name = "guest3",
		.uuid = "96ebe3fb-0a88-4c62-b4a5-e07a2b0d9a53",
		.path = UUID_PATH("96ebe3fb_0a88_4c62_b4a5_e07a2b0d9a53"),
		.guest = "web",
		.start = "guest",
		.state = "defined",
		.vm_name = "",
		.adapters = "3",
		.domains = "4",
		.control = "",
		.conditions = CONDITIONS(YES("Valid", "Valid"),
			NO("Present", "NoGuest", "it is made when its guest starts"),
			NO("Assigned", "NoDevice", ""), NO("Effective", "NoDevice", ""),
			NO("Attached", "NoDevice", "")),
		.origin = {"/etc/apmatrix.d/guest3.conf:1"},
	},
	{
		.name = "guest4",
		.uuid = "0b0ca2e6-9d5d-4d2c-8f52-7a1c64a6b3d7",
		.path = UUID_PATH("0b0ca2e6_9d5d_4d2c_8f52_7a1c64a6b3d7"),
		.guest = "guest4",
		.start = "boot",
		.state = "failed",
		.vm_name = "",
		.adapters = "5",
		.domains = "4",
		.control = "",
		.conditions = CONDITIONS(
			NO("Valid", "QueueConflict",
				"queue 05.0004 is also wanted by guest1 "
				"(/etc/apmatrix.d/guest1.conf:2); this one is not started until "
				"one of them gives it up"),
			NO("Present", "QueueConflict", ""), NO("Assigned", "NoDevice", ""),
			NO("Effective", "NoDevice", ""), NO("Attached", "NoDevice", "")),
		.origin = {"/etc/apmatrix.d/guest4.conf:1"},
	},
	{
		.name = "",
		.uuid = "11111111-2222-4333-8444-555555555555",
		.path = UUID_PATH("11111111_2222_4333_8444_555555555555"),
		.guest = "",
		.start = "manual",
		.state = "foreign",
		.vm_name = "",
		.adapters = "",
		.domains = "",
		.control = "",
		.assigned_adapters = "9",
		.conditions = CONDITIONS(YES("Valid", "Valid"), YES("Present", "Exists"),
			NO("Assigned", "NotConfigured", "no drop-in names it"),
			NO("Effective", "Filtered", ""), NO("Attached", "Detached", "")),
	},
};

struct fake fake;

size_t n_matrices(void)
{
	size_t n = 0;

	while (n < MATRICES_MAX && matrices[n].path)
		n++;
	return n;
}

struct fake_matrix *find(const char *name)
{
	for (size_t i = 0; i < n_matrices(); i++)
		if (strcmp(matrices[i].name, name) == 0 || strcmp(matrices[i].uuid, name) == 0)
			return &matrices[i];
	return NULL;
}

static int append_mask(sd_bus_message *m, const struct mask *set)
{
	uint8_t numbers[MASK_BITS];
	size_t n = 0;

	MASK_FOREACH (i, set)
		numbers[n++] = (uint8_t)i;
	return sd_bus_message_append_array(m, 'y', numbers, n);
}

/* ---- a matrix ---- */

#define GETTER(name)                                                                     \
	static int name(sd_bus *bus _unused_, const char *path _unused_,                 \
		const char *interface _unused_, const char *property, sd_bus_message *m, \
		void *userdata, sd_bus_error *error _unused_)

GETTER(get_set)
{
	(void)property;
	return append_mask(m, userdata);
}

GETTER(get_conditions)
{
	const struct condition *c = userdata;
	int r = sd_bus_message_open_container(m, 'a', "(sbss)");

	(void)property;
	for (size_t i = 0; i < N_CONDITIONS && r >= 0; i++)
		r = sd_bus_message_append(
			m, "(sbss)", c[i].type, c[i].status, c[i].reason, c[i].message);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

/* All by the module. */
GETTER(get_source)
{
	(void)userdata;
	return sd_bus_message_append(
		m, "s", strcmp(property, "AttachSource") == 0 ? "module" : "certain");
}

GETTER(get_origin)
{
	(void)property;
	return sd_bus_message_append_strv(m, userdata);
}

#define EMITS SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define FIELD(name, type, get, field) \
	SD_BUS_PROPERTY(name, type, get, offsetof(struct fake_matrix, field), EMITS)

static const sd_bus_vtable matrix_vtable[] = {
	SD_BUS_VTABLE_START(0),
	FIELD("Name", "s", NULL, name),
	FIELD("UUID", "s", NULL, uuid),
	FIELD("Guest", "s", NULL, guest),
	FIELD("StartMode", "s", NULL, start),
	FIELD("State", "s", NULL, state),
	FIELD("ConfiguredAdapters", "ay", get_set, sets[0]),
	FIELD("ConfiguredDomains", "ay", get_set, sets[1]),
	FIELD("ConfiguredControlDomains", "ay", get_set, sets[2]),
	FIELD("AssignedAdapters", "ay", get_set, sets[3]),
	FIELD("AssignedDomains", "ay", get_set, sets[4]),
	FIELD("AssignedControlDomains", "ay", get_set, sets[5]),
	FIELD("GuestAdapters", "ay", get_set, sets[6]),
	FIELD("GuestDomains", "ay", get_set, sets[7]),
	FIELD("Attached", "b", NULL, attached),
	FIELD("VMPid", "u", NULL, vm_pid),
	FIELD("VMName", "s", NULL, vm_name),
	FIELD("AttachedSince", "t", NULL, since),
	FIELD("AttachCount", "t", NULL, count),
	FIELD("AttachSource", "s", get_source, attached),
	FIELD("AttachConfidence", "s", get_source, attached),
	FIELD("Conditions", "a(sbss)", get_conditions, conditions),
	FIELD("Origin", "as", get_origin, origin),
	/* One that this apmatrixctl cannot know. */
	FIELD("Colour", "s", NULL, state),
	SD_BUS_VTABLE_END,
};

int add_matrix(struct fake_matrix *m)
{
	return sd_bus_add_object_vtable(fake.bus, &m->slot, m->path, MATRIX, matrix_vtable, m);
}

void prepare(struct fake_matrix *m)
{
	bool there = strcmp(m->state, "defined") != 0 && strcmp(m->state, "failed") != 0;
	const char *domains = *m->domains ? m->domains : "0xc";
	const char *lists[8] = {m->adapters, m->domains, m->control};

	if (there) {
		lists[3] = m->assigned_adapters ? m->assigned_adapters : m->adapters;
		lists[4] = domains;
		lists[5] = m->control;
		lists[6] = m->guest_adapters ? m->guest_adapters : *m->name ? m->adapters : "";
		lists[7] = *m->name ? domains : "";
	}
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		mask_parse_list(lists[i] ? lists[i] : "", &m->sets[i], NULL);
}

/* ---- the manager ---- */

GETTER(get_text)
{
	static const char *const texts[][3] = {
		{"Version", "0.1.0", "0.1.0"},
		{"State", "degraded", "waiting"},
		{"KernelRelease", "6.12.94", "6.1.176"},
		{"AttachSource", "module", "none"},
		{"QueuePool", "masks", "auto"},
	};

	(void)userdata;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (strcmp(texts[i][0], property) == 0)
			return sd_bus_message_append(m, "s", texts[i][fake.empty ? 2 : 1]);
	return -EINVAL;
}

GETTER(get_flags)
{
	(void)userdata;
	if (fake.empty)
		return sd_bus_message_append(m, "as", 0);
	if (strcmp(property, "Features") == 0)
		return sd_bus_message_append(
			m, "as", 4, "ap_config", "guest_matrix", "module", "telepathy");
	return sd_bus_message_append(m, "as", 1, "unattached-config-change");
}

GETTER(get_number)
{
	uint32_t value = strncmp(property, "Max", 3) == 0 ? 255u
		: strcmp(property, "Matrices") == 0       ? (uint32_t)n_matrices()
							  : 0;

	(void)userdata;
	if (strcmp(property, "Attached") == 0)
		for (size_t i = 0; i < n_matrices(); i++)
			value += matrices[i].attached != 0;
	return sd_bus_message_append(m, "u", value);
}

GETTER(get_kernel_mask)
{
	char text[MASK_KERNEL_SIZE];
	struct mask set = mask_full();

	(void)userdata;
	if (!fake.empty && strcmp(property, "AdapterMask") == 0) {
		mask_clear(&set, 5);
		mask_clear(&set, 6);
	}
	mask_format_kernel(&set, text);
	return sd_bus_message_append(m, "s", text);
}

GETTER(get_host_set)
{
	struct mask set = {0};

	(void)userdata;
	if (!fake.empty)
		mask_parse_list(
			strcmp(property, "HostAdapters") == 0 ? "3,5,6,9" : "4,0xc,0x47,0xab,0xff",
			&set, NULL);
	return append_mask(m, &set);
}

GETTER(get_generation)
{
	(void)property;
	(void)userdata;
	return sd_bus_message_append(m, "t", UINT64_C(3));
}

GETTER(get_problems)
{
	(void)property;
	(void)userdata;
	if (fake.empty)
		return sd_bus_message_append(m, "a(ssus)", 0);
	return sd_bus_message_append(m, "a(ssus)", fake.problem ? 3 : 2, "error",
		"/etc/apmatrix.d/guest4.conf", 2,
		"guest4: queue 05.0004 is also wanted by guest1 (/etc/apmatrix.d/guest1.conf:2)",
		"warning", "/etc/apmatrix.d/guest2.conf", 2,
		"guest2: adapter 7 was added by someone else\x1b[31m", "error",
		"/etc/apmatrix.d/new.conf", 0, "the file is not UTF-8; it is ignored");
}

static int list_matrices(sd_bus_message *m, void *userdata _unused_, sd_bus_error *e _unused_)
{
	sd_bus_message *reply = NULL;
	int r = sd_bus_message_new_method_return(m, &reply);

	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', "(ssso)");
	for (size_t i = 0; i < n_matrices() && r >= 0; i++)
		if (matrices[i].slot)
			r = sd_bus_message_append(reply, "(ssso)", matrices[i].name,
				matrices[i].uuid, matrices[i].state, matrices[i].path);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	sd_bus_message_unref(reply);
	return r;
}

/* The matrix that a method names, or NULL and an error. */
struct fake_matrix *named(sd_bus_message *m, sd_bus_error *e)
{
	struct fake_matrix *found = NULL;
	const char *name;

	if (sd_bus_message_read(m, "s", &name) >= 0)
		found = find(name);
	if (found && found->slot)
		return found;
	sd_bus_error_setf(e, ERROR "NoSuchMatrix",
		"no matrix has the name or UUID %s; ListMatrices names them all", name);
	return NULL;
}

static int get_matrix(sd_bus_message *m, void *userdata _unused_, sd_bus_error *e)
{
	const struct fake_matrix *found = named(m, e);

	return found ? sd_bus_reply_method_return(m, "o", found->path) : -EINVAL;
}

static int list_queues(sd_bus_message *m, void *userdata _unused_, sd_bus_error *e _unused_)
{
	if (fake.odd)
		return sd_bus_reply_method_return(m, "a(ys)", 1, 5, "vfio");
	if (fake.empty)
		return sd_bus_reply_method_return(m, "a(yyss)", 0);
	return sd_bus_reply_method_return(m, "a(yyss)", 14, 3, 0x04, "host", "", 3, 0x47, "host",
		"", 5, 0x04, "vfio", "guest1", 5, 0x47, "vfio", "guest2", 5, 0xab, "vfio", "guest1",
		5, 0xff, "vfio", "guest2", 6, 0x04, "vfio", "guest1", 6, 0x0c, "vfio", "", 6, 0x47,
		"unbound", "guest2", 6, 0xab, "vfio", "guest1", 6, 0xff, "vfio", "guest2", 7, 0x47,
		"gone", "guest2", 7, 0xff, "gone", "guest2", 9, 0x0c, "vfio",
		"11111111-2222-4333-8444-555555555555");
}

#define ZEROS "00000000000000000000000000000000000000000000000000000000"

static int plan(sd_bus_message *m, void *userdata _unused_, sd_bus_error *e _unused_)
{
	if (fake.empty)
		return sd_bus_reply_method_return(m, "a(sss)", 0);
	return sd_bus_reply_method_return(m, "a(sss)", 4, "apmask", "host", "0xf9ffffff" ZEROS,
		"create", "guest2", "cef03c3c-903d-4ecc-9a83-40694cb8aee4", "ap_config", "guest2",
		"0x06000000" ZEROS ",0x08000000" ZEROS ",0x00000000" ZEROS, "assign_adapter",
		"guest3", "0x03");
}

static int reconcile(sd_bus_message *m, void *userdata _unused_, sd_bus_error *e _unused_)
{
	return sd_bus_reply_method_return(m, "u", fake.reconciled++ ? 0 : 4);
}

static int reload(sd_bus_message *m, void *userdata _unused_, sd_bus_error *e _unused_)
{
	return sd_bus_reply_method_return(m, NULL);
}

void emit_state(const struct fake_matrix *m)
{
	sd_bus_emit_properties_changed(fake.bus, m->path, MATRIX, "State", NULL);
}

static int start_matrix(sd_bus_message *m, void *userdata _unused_, sd_bus_error *e)
{
	struct fake_matrix *found = named(m, e);

	if (!found)
		return -EINVAL;
	if (strcmp(found->state, "failed") == 0)
		return sd_bus_error_setf(
			e, ERROR "Conflict", "%s: %s", found->name, found->conditions[0].message);
	found->state = "active";
	emit_state(found);
	return sd_bus_reply_method_return(m, NULL);
}

static int stop_matrix(sd_bus_message *m, void *userdata _unused_, sd_bus_error *e)
{
	struct fake_matrix *found = named(m, e);

	if (!found)
		return -EINVAL;
	if (found->attached)
		return sd_bus_error_setf(
			e, SD_BUS_ERROR_ACCESS_DENIED, "StopMatrix is root's alone");
	found->state = "defined";
	emit_state(found);
	return sd_bus_reply_method_return(m, NULL);
}

#define PUBLIC SD_BUS_VTABLE_UNPRIVILEGED
#define HOST(name, type, get) SD_BUS_PROPERTY(name, type, get, 0, EMITS)

/* Not constant: --odd changes one of them. */
static sd_bus_vtable manager_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("ListMatrices", "", "a(ssso)", list_matrices, PUBLIC),
	SD_BUS_METHOD("GetMatrix", "s", "o", get_matrix, PUBLIC),
	SD_BUS_METHOD("ListQueues", "", "a(yyss)", list_queues, PUBLIC),
	SD_BUS_METHOD("Plan", "", "a(sss)", plan, PUBLIC),
	SD_BUS_METHOD("Reconcile", "", "u", reconcile, PUBLIC),
	SD_BUS_METHOD("Reload", "", "", reload, PUBLIC),
	SD_BUS_METHOD("StartMatrix", "s", "", start_matrix, PUBLIC),
	SD_BUS_METHOD("StopMatrix", "s", "", stop_matrix, PUBLIC),
	SD_BUS_METHOD("Define", "sa{sv}b", "o", fake_define, PUBLIC),
	SD_BUS_METHOD("Undefine", "s", "", fake_undefine, PUBLIC),
	SD_BUS_METHOD("Update", "sa{sv}", "", fake_update, PUBLIC),
	HOST("Version", "s", get_text),
	HOST("State", "s", get_text),
	HOST("KernelRelease", "s", get_text),
	HOST("Features", "as", get_flags),
	HOST("Hazards", "as", get_flags),
	HOST("AttachSource", "s", get_text),
	HOST("QueuePool", "s", get_text),
	HOST("MaxAdapter", "u", get_number),
	HOST("MaxDomain", "u", get_number),
	HOST("AdapterMask", "s", get_kernel_mask),
	HOST("DomainMask", "s", get_kernel_mask),
	HOST("HostAdapters", "ay", get_host_set),
	HOST("HostDomains", "ay", get_host_set),
	HOST("ConfigGeneration", "t", get_generation),
	HOST("Problems", "a(ssus)", get_problems),
	HOST("Matrices", "u", get_number),
	HOST("Attached", "u", get_number),
	SD_BUS_SIGNAL("MatrixAttached", "osut", 0),
	SD_BUS_SIGNAL("MatrixDetached", "osut", 0),
	SD_BUS_SIGNAL("MatrixAttachFailed", "osutis", 0),
	SD_BUS_SIGNAL("ReconcileFinished", "uu", 0),
	SD_BUS_VTABLE_END,
};

/* ---- events ---- */

static void attach(struct fake_matrix *m, bool attached)
{
	m->attached = attached;
	m->state = attached ? "attached" : "active";
	m->vm_pid = attached ? 5000 : 0;
	m->vm_name = attached ? m->guest : "";
	m->conditions[4] = attached ? (struct condition)YES("Attached", "SeenByModule")
				    : (struct condition)NO("Attached", "Detached", "");
	sd_bus_emit_properties_changed(fake.bus, m->path, MATRIX, "State", "Attached", "VMPid",
		"VMName", "Conditions", NULL);
	sd_bus_emit_signal(fake.bus, ROOT, MANAGER, attached ? "MatrixAttached" : "MatrixDetached",
		"osut", m->path, m->name, 5000, UINT64_C(8));
}

static void play_matrix(const char *event, struct fake_matrix *m, char *more)
{
	if (strcmp(event, "attach") == 0 || strcmp(event, "detach") == 0)
		attach(m, *event == 'a');
	else if (strcmp(event, "refuse") == 0)
		sd_bus_emit_signal(fake.bus, ROOT, MANAGER, "MatrixAttachFailed", "osutis", m->path,
			m->name, 5000, UINT64_C(9), 1,
			"guest web (process 5000) was refused it\033[31m");
	else if (strcmp(event, "state") == 0) {
		m->state = more; /* stays in fake.play */
		emit_state(m);
	} else if (strcmp(event, "remove") == 0) {
		sd_bus_emit_object_removed(fake.bus, m->path);
		m->slot = sd_bus_slot_unref(m->slot);
	} else if (strcmp(event, "add") == 0) {
		add_matrix(m);
		sd_bus_emit_object_added(fake.bus, m->path);
	}
}

static void play(char *word)
{
	char *event = strsep(&word, ":"), *name = strsep(&word, ":");

	if (name)
		play_matrix(event, find(name), word);
	else if (strcmp(event, "finish") == 0)
		sd_bus_emit_signal(fake.bus, ROOT, MANAGER, "ReconcileFinished", "uu", 4, 1);
	else if (strcmp(event, "problem") == 0) {
		fake.problem = true;
		sd_bus_emit_properties_changed(fake.bus, ROOT, MANAGER, "Problems", NULL);
	} else if (strcmp(event, "quit") == 0)
		sd_event_exit(fake.event, 0);
}

static int on_play(sd_event_source *s _unused_, void *userdata _unused_)
{
	char *rest = fake.play, *word;

	while ((word = strsep(&rest, ",")))
		play(word);
	return 0;
}

/* Sees every message before its object does; the events come after the reply. */
static int on_message(sd_bus_message *m, void *userdata _unused_, sd_bus_error *e _unused_)
{
	const char *path = sd_bus_message_get_path(m);
	bool reads = sd_bus_message_is_method_call(m, NULL, "GetManagedObjects") ||
		(sd_bus_message_is_method_call(m, NULL, "GetAll") && strcmp(path, ROOT) != 0);

	if (!reads || !fake.play || fake.read)
		return 0;
	fake.read = true;
	return sd_event_add_defer(fake.event, NULL, on_play, NULL);
}

static int on_end(sd_event_source *s _unused_, const struct signalfd_siginfo *i _unused_,
	void *userdata _unused_)
{
	return sd_event_exit(fake.event, 0);
}

static int set_up(void)
{
	int r = sd_event_default(&fake.event);

	for (sd_bus_vtable *v = manager_vtable; fake.odd && v->type != _SD_BUS_VTABLE_END; v++)
		if (v->type == _SD_BUS_VTABLE_METHOD &&
			strcmp(v->x.method.member, "ListQueues") == 0)
			v->x.method.result = "a(ys)";

	if (r >= 0)
		r = sd_bus_open_system(&fake.bus);
	if (r >= 0)
		r = sd_bus_add_object_manager(fake.bus, NULL, ROOT);
	if (r >= 0)
		r = sd_bus_add_object_vtable(fake.bus, NULL, ROOT, MANAGER, manager_vtable, NULL);
	for (size_t i = 0; i < n_matrices() && r >= 0; i++) {
		prepare(&matrices[i]);
		r = add_matrix(&matrices[i]);
	}
	if (r >= 0)
		r = sd_bus_add_filter(fake.bus, NULL, on_message, NULL);
	if (r >= 0)
		r = sd_bus_attach_event(fake.bus, fake.event, 0);
	if (r >= 0)
		r = sd_event_add_signal(fake.event, NULL, SIGTERM, on_end, NULL);
	return r < 0 ? r : sd_bus_request_name(fake.bus, SERVICE, 0);
}

int main(int argc, char **argv)
{
	sigset_t set;
	int r;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--empty") == 0)
			fake.empty = true;
		else if (strcmp(argv[i], "--odd") == 0)
			fake.odd = true;
		else if (strncmp(argv[i], "--play=", 7) == 0)
			fake.play = argv[i] + 7;
	}
	if (fake.empty)
		memset(matrices, 0, sizeof(matrices));
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	r = set_up();
	if (r >= 0) {
		puts("ready");
		fflush(stdout);
		r = sd_event_loop(fake.event);
		/* Whoever waited for our end finds the name free. */
		sd_bus_release_name(fake.bus, SERVICE);
	}
	if (r < 0)
		fprintf(stderr, "fake: %s\n", strerror(-r));
	for (size_t i = 0; i < ARRAY_SIZE(matrices); i++)
		sd_bus_slot_unref(matrices[i].slot);
	sd_bus_flush_close_unref(fake.bus);
	sd_event_unref(fake.event);
	return r < 0;
}
