/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * monitor: prints what changes, when it changes, until it is interrupted.  It keeps a copy of the
 * objects, so that a change can be shown as from what to what; how a change looks is
 * monitor_print.c's.
 */
#include <signal.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "ctl/ctl.h"
#include "ctl/monitor_print.h"
#include "ctl/object_text.h"

struct monitor {
	struct ctl *ctl;
	struct monitor_output output;
	struct client_matrices matrices;
	struct client_host host;
	bool present; /* the daemon is there, and both are filled */
};

static struct client_matrix *find_path(struct monitor *m, const char *path)
{
	for (size_t i = 0; i < m->matrices.n; i++)
		if (strcmp(m->matrices.items[i].path, path) == 0)
			return &m->matrices.items[i];
	return NULL;
}

static void forget(struct monitor *m)
{
	client_matrices_done(&m->matrices);
	client_host_done(&m->host);
	m->present = false;
}

/* Fills the copies.  0, also where there is no daemon. */
static int learn(struct monitor *m)
{
	struct client *c = &m->ctl->client;
	int r;

	forget(m);
	r = client_read_host(c, &m->host);
	if (r >= 0)
		r = client_read_matrices(c, &m->matrices);
	if (r < 0 && client_is_absent(c))
		return 0;
	m->present = r >= 0;
	return r;
}

/* The object behind a PropertiesChanged: its title, its table and our copy. */
struct target {
	const char *title, *path;
	const struct object_property *table;
	size_t n;
	void *object;
};

static bool find_target(
	struct monitor *m, const char *path, const char *interface, struct target *ret)
{
	struct client_matrix *matrix;

	if (strcmp(interface, APMATRIX_MANAGER) == 0) {
		*ret = (struct target){"host", path, host_properties, N_HOST_PROPERTIES, &m->host};
		return true;
	}
	matrix = strcmp(interface, APMATRIX_MATRIX) == 0 ? find_path(m, path) : NULL;
	if (!matrix)
		return false;
	*ret = (struct target){
		client_matrix_title(matrix), path, matrix_properties, N_MATRIX_PROPERTIES, matrix};
	return true;
}

static int on_properties(struct monitor *m, sd_bus_message *message)
{
	union {
		struct client_matrix matrix;
		struct client_host host;
	} fresh = {0};
	const char *interface;
	struct target t;
	uint32_t seen = 0;
	int r = sd_bus_message_read_basic(message, 's', &interface);

	if (r < 0 || !find_target(m, sd_bus_message_get_path(message), interface, &t))
		return r;
	r = object_read(message, t.table, t.n, &fresh, &seen);
	if (r >= 0) {
		monitor_print_properties(
			&m->output, t.title, t.path, t.table, t.n, t.object, &fresh, seen);
		/* The new values, as they were just read, become the copy. */
		r = sd_bus_message_rewind(message, true);
		if (r >= 0)
			r = sd_bus_message_skip(message, "s");
		if (r >= 0)
			r = object_read(message, t.table, t.n, t.object, NULL);
	}
	object_done(t.table, t.n, &fresh);
	return r;
}

static int on_added(struct monitor *m, sd_bus_message *message)
{
	struct client_matrix matrix;
	int r = client_read_object(message, &matrix);

	if (r <= 0)
		return r;
	if (!find_path(m, matrix.path)) {
		monitor_print_matrix(&m->output, "MatrixAdded", &matrix);
		r = client_matrices_add(&m->matrices, &matrix);
	}
	client_matrix_done(&matrix);
	return r;
}

static int on_removed(struct monitor *m, sd_bus_message *message)
{
	struct client_matrix *matrix;
	const char *path;
	int r = sd_bus_message_read_basic(message, 'o', &path);

	matrix = r < 0 ? NULL : find_path(m, path);
	if (!matrix)
		return r;
	monitor_print_matrix(&m->output, "MatrixRemoved", matrix);
	client_matrix_done(matrix);
	*matrix = m->matrices.items[--m->matrices.n];
	return 0;
}

static int on_attach(struct monitor *m, sd_bus_message *message, const char *event)
{
	const char *path, *name;
	uint64_t sequence;
	uint32_t pid;
	int r = sd_bus_message_read(message, "osut", &path, &name, &pid, &sequence);

	if (r >= 0)
		monitor_print_attach(&m->output, event, name, path, pid, sequence);
	return r;
}

static int on_refused(struct monitor *m, sd_bus_message *message)
{
	const char *path, *name, *text;
	uint64_t sequence;
	uint32_t pid;
	int32_t error;
	int r = sd_bus_message_read(
		message, "osutis", &path, &name, &pid, &sequence, &error, &text);

	if (r >= 0)
		monitor_print_refused(&m->output, name, path, pid, sequence, error, text);
	return r;
}

static int on_finished(struct monitor *m, sd_bus_message *message)
{
	uint32_t steps, failures;
	int r = sd_bus_message_read(message, "uu", &steps, &failures);

	if (r >= 0)
		monitor_print_finished(&m->output, steps, failures);
	return r;
}

static int on_owner(struct monitor *m, sd_bus_message *message)
{
	const char *owner;
	int r = sd_bus_message_skip(message, "ss");

	if (r >= 0)
		r = sd_bus_message_read_basic(message, 's', &owner);
	if (r < 0)
		return r;
	monitor_print_daemon(&m->output, *owner ? "DaemonStarted" : "DaemonStopped");
	if (*owner)
		return learn(m);
	forget(m);
	return 0;
}

static int dispatch(struct monitor *m, sd_bus_message *message)
{
	const char *member = sd_bus_message_get_member(message);

	if (strcmp(member, "NameOwnerChanged") == 0)
		return on_owner(m, message);
	if (!m->present)
		return 0;
	if (strcmp(member, "PropertiesChanged") == 0)
		return on_properties(m, message);
	if (strcmp(member, "InterfacesAdded") == 0)
		return on_added(m, message);
	if (strcmp(member, "InterfacesRemoved") == 0)
		return on_removed(m, message);
	if (strcmp(member, "MatrixAttached") == 0 || strcmp(member, "MatrixDetached") == 0)
		return on_attach(m, message, member);
	if (strcmp(member, "MatrixAttachFailed") == 0)
		return on_refused(m, message);
	if (strcmp(member, "ReconcileFinished") == 0)
		return on_finished(m, message);
	return 0;
}

/* A signal that cannot be read is said and skipped: the next one may be fine. */
static int on_signal(sd_bus_message *message, void *userdata, sd_bus_error *error _unused_)
{
	struct monitor *m = userdata;
	int r = dispatch(m, message);

	if (r < 0)
		ctl_say("cannot make sense of %s: %s", sd_bus_message_get_member(message),
			strerror(-r));
	return 0;
}

static int on_interrupt(
	sd_event_source *s, const struct signalfd_siginfo *i _unused_, void *userdata _unused_)
{
	return sd_event_exit(sd_event_source_get_event(s), 0);
}

static int listen_for_end(sd_event *event)
{
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	r = sd_event_add_signal(event, NULL, SIGINT, on_interrupt, NULL);
	if (r < 0)
		return r;
	return sd_event_add_signal(event, NULL, SIGTERM, on_interrupt, NULL);
}

/* Subscribes, and learns what there is after that: what changes between is seen twice, not never. */
static int prepare(struct monitor *m, sd_event *event)
{
	struct client *c = &m->ctl->client;
	int r = client_open(c);

	if (r >= 0)
		r = sd_bus_match_signal(
			c->bus, NULL, APMATRIX_SERVICE, NULL, NULL, NULL, on_signal, m);
	if (r >= 0)
		r = sd_bus_add_match(c->bus, NULL, CLIENT_OWNER_MATCH, on_signal, m);
	if (r >= 0)
		r = learn(m);
	if (r >= 0)
		r = sd_bus_set_exit_on_disconnect(c->bus, true);
	if (r >= 0)
		r = sd_bus_attach_event(c->bus, event, 0);
	if (r >= 0)
		r = listen_for_end(event);
	return r;
}

int verb_monitor(struct ctl *ctl, char **args _unused_)
{
	struct monitor m = {
		.ctl = ctl, .output = {.term = &ctl->term, .json = ctl->json != JSON_OFF}};
	sd_event *event = NULL;
	int status = EXIT_SUCCESS, r = sd_event_new(&event);

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (r >= 0)
		r = prepare(&m, event);
	if (r >= 0 && !m.present)
		ctl_say("apmatrixd is not running; waiting for it");
	if (r < 0) {
		status = ctl_fail(ctl, r);
	} else {
		r = sd_event_loop(event);
		if (r != 0) {
			ctl_say("the connection to the bus was lost");
			status = EXIT_FAILURE;
		}
	}
	sd_bus_detach_event(ctl->client.bus);
	sd_event_unref(event);
	forget(&m);
	return status;
}
