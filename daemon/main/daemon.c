/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "main/daemon.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "attach/attach.h"
#include "bus/bus.h"
#include "core/message_id.h"
#include "engine/engine.h"
#include "event/event.h"
#include "load/ledger_file.h"
#include "load/load.h"
#include "main/instance.h"
#include "sysfs/lock.h"
#include "sysfs/scan.h"
#include "sysfs/worker.h"
#include "util/log.h"

struct daemon {
	enum daemon_mode mode;
	int root;
	int instance;
	sd_event *loop;
	sd_event_source *timer;
	struct workers *workers;
	struct lock *lock;
	struct event *hints;
	struct bus *bus;
	struct engine *engine;
	bool ready;
	int status;
};

static uint64_t now_of(struct daemon *d)
{
	uint64_t now = 0;

	sd_event_now(d->loop, CLOCK_MONOTONIC, &now);
	return now;
}

/* ---- the port ---- */

/* In a worker process.  Kernels without ap_config need to know how large our own devices are. */
static int observe(int root, struct observed **ret)
{
	_cleanup_(cleanup_observed_free) struct observed *o = NULL;
	_cleanup_(cleanup_ledger_free) struct ledger *ours = NULL;
	int r = sysfs_scan(root, NULL, &o);

	if (r < 0)
		return r;
	if (o->n_mdevs > 0 && !(o->features & FEATURE_AP_CONFIG) && ledger_load(root, &ours) == 0) {
		cleanup_observed_free(&o);
		o = NULL;
		r = sysfs_scan(root, ours, &o);
		if (r < 0)
			return r;
	}
	r = attach_scan(root, o);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(o);
	return 0;
}

static int port_scan(void *userdata)
{
	struct daemon *d = userdata;

	return workers_scan(d->workers);
}

static int port_apply(void *userdata, uint64_t id, const struct step *step)
{
	struct daemon *d = userdata;
	_cleanup_free_ char *text = NULL;

	if (step_format(step, &text) == 0)
		log_info("%s", text);
	return workers_apply(d->workers, id, step);
}

static int port_lock(void *userdata, bool take)
{
	struct daemon *d = userdata;

	if (take)
		return lock_take(d->lock);
	lock_drop(d->lock);
	return 0;
}

static void port_arm(void *userdata, uint64_t when)
{
	struct daemon *d = userdata;

	if (when == UINT64_MAX) {
		sd_event_source_set_enabled(d->timer, SD_EVENT_OFF);
		return;
	}
	sd_event_source_set_time(d->timer, when);
	sd_event_source_set_enabled(d->timer, SD_EVENT_ONESHOT);
}

static void on_scanned(void *userdata, int error, struct observed *o)
{
	struct daemon *d = userdata;

	engine_scanned(d->engine, now_of(d), error, o);
}

static void on_applied(void *userdata, uint64_t id, int error, const char *detail)
{
	struct daemon *d = userdata;

	engine_applied(d->engine, now_of(d), id, error, detail);
}

static void on_locked(void *userdata, int error, const char *holder)
{
	struct daemon *d = userdata;

	engine_locked(d->engine, now_of(d), error, error < 0 && *holder ? holder : NULL);
}

static int on_timer(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata)
{
	struct daemon *d = userdata;

	engine_tick(d->engine, now_of(d));
	return 0;
}

static void on_poke(void *userdata)
{
	struct daemon *d = userdata;

	engine_poke(d->engine, now_of(d));
}

static void on_attach_event(void *userdata, const struct event_attach *a)
{
	struct daemon *d = userdata;
	struct attach_event e = {.seq = a->seq, .pid = a->pid, .error = a->result};
	int type = attach_event_type_from_string(a->event);

	if (type < 0 || !uuid_normalize(a->device, e.uuid))
		return;
	e.type = (enum attach_event_type)type;
	snprintf(e.comm, sizeof(e.comm), "%s", a->comm);
	engine_attach_event(d->engine, now_of(d), &e);
}

static void on_poke_config(void *userdata)
{
	struct daemon *d = userdata;

	engine_poke_config(d->engine, now_of(d));
}

/* ---- events of the engine ---- */

static bool knows(const struct status *s, const struct problem *p)
{
	for (size_t i = 0; s && i < s->problems.n; i++) {
		const struct problem *q = &s->problems.items[i];

		if (p->severity == q->severity && p->line == q->line &&
			strcmp(p->file, q->file) == 0 && strcmp(p->object, q->object) == 0 &&
			strcmp(p->text, q->text) == 0)
			return true;
	}
	return false;
}

static void log_problem(int level, const struct problem *p, const char *text)
{
	char line[16] = "";

	if (p->line > 0)
		snprintf(line, sizeof(line), "%u", p->line);
	log_with(level,
		(const struct log_field[]){
			{"MESSAGE_ID", MESSAGE_PROBLEM},
			{"APMATRIX_PROBLEM", p->code},
			{"APMATRIX_NAME", p->object},
			{"APMATRIX_FILE", p->file},
			{"APMATRIX_LINE", line},
		},
		5, "%s", text);
}

static void log_new_problems(const struct status *old, const struct status *now)
{
	static const int level[] = {
		[PROBLEM_ERROR] = LOG_ERR,
		[PROBLEM_WARNING] = LOG_WARNING,
		[PROBLEM_NOTE] = LOG_INFO,
	};

	for (size_t i = 0; i < now->problems.n; i++) {
		const struct problem *p = &now->problems.items[i];
		_cleanup_free_ char *text = NULL;

		if (!knows(old, p) && problem_format(p, &text) == 0)
			log_problem(level[p->severity], p, text);
	}
}

static void on_published(void *userdata, const struct status *old, const struct status *now,
	const struct status_diff *diff)
{
	struct daemon *d = userdata;

	log_new_problems(old, now);
	if (d->bus)
		bus_published(d->bus, old, now, diff);
	if (d->mode == DAEMON_SERVE)
		sd_notifyf(false, "STATUS=%s: %zu matrices, %u attached, %zu problems",
			host_state_to_string(now->state), now->n_matrices, now->n_attached,
			problems_n_errors(&now->problems));
}

/* What the journal's entry of an attach, a refused one or a detach says beside its text. */
struct attach_fields {
	char pid[16], seq[24];
	struct log_field fields[6];
};

static const struct log_field *attach_fields(struct attach_fields *f, const char *message_id,
	const struct matrix_status *m, uint32_t pid, uint64_t seq)
{
	snprintf(f->pid, sizeof(f->pid), "%" PRIu32, pid);
	snprintf(f->seq, sizeof(f->seq), "%" PRIu64, seq);
	f->fields[0] = (struct log_field){"MESSAGE_ID", message_id};
	f->fields[1] = (struct log_field){"APMATRIX_NAME", m->name};
	f->fields[2] = (struct log_field){"APMATRIX_UUID", m->uuid};
	f->fields[3] = (struct log_field){"APMATRIX_VM_PID", f->pid};
	f->fields[4] = (struct log_field){"APMATRIX_VM_NAME", m->vm_name};
	f->fields[5] = (struct log_field){"APMATRIX_SEQ", f->seq};
	return f->fields;
}

static void on_attach(
	void *userdata, const struct matrix_status *m, bool attached, uint32_t pid, uint64_t seq)
{
	struct daemon *d = userdata;
	const char *who = m->name[0] ? m->name : m->uuid;
	struct attach_fields f;

	if (attached)
		log_with(LOG_INFO, attach_fields(&f, MESSAGE_ATTACHED, m, pid, seq), 6,
			"%s: attached to the guest of process %" PRIu32 "%s%s", who, pid,
			*m->vm_name ? ", " : "", m->vm_name);
	else
		log_with(LOG_INFO, attach_fields(&f, MESSAGE_DETACHED, m, pid, seq), 6,
			"%s: detached from the guest of process %" PRIu32, who, pid);
	if (d->bus)
		bus_attach(d->bus, m, attached, pid, seq);
}

static void on_attach_failed(void *userdata, const struct matrix_status *m, uint32_t pid,
	uint64_t seq, int error, const char *message)
{
	struct daemon *d = userdata;
	struct attach_fields f;

	log_with(LOG_WARNING, attach_fields(&f, MESSAGE_ATTACH_REFUSED, m, pid, seq), 6, "%s: %s",
		m->name[0] ? m->name : m->uuid, message);
	if (d->bus)
		bus_attach_failed(d->bus, m, pid, seq, error, message);
}

static void on_finished(void *userdata, unsigned steps, unsigned failures)
{
	struct daemon *d = userdata;

	if (d->bus)
		bus_finished(d->bus, steps, failures);
}

/* ---- --plan and --once ---- */

static void end_plan(void *userdata, const struct engine_result *result)
{
	struct daemon *d = userdata;
	_cleanup_free_ char *text = NULL;

	d->status = EXIT_FAILURE;
	if (result->error != ENGINE_OK) {
		log_error("%s", result->message);
	} else if (plan_format(result->plan, &text) == 0) {
		fputs(text, stdout);
		d->status = EXIT_SUCCESS;
	}
	sd_event_exit(d->loop, 0);
}

/* What waits for a guest is not as configured either. */
static const struct matrix_status *first_waiting(const struct status *s)
{
	for (size_t i = 0; i < s->n_matrices; i++)
		if (s->matrices[i].state == MATRIX_PENDING)
			return &s->matrices[i];
	return NULL;
}

static void end_once(void *userdata, const struct engine_result *result)
{
	struct daemon *d = userdata;
	const struct status *s = engine_status(d->engine);
	const struct matrix_status *waiting = first_waiting(s);

	d->status = EXIT_FAILURE;
	if (result->error != ENGINE_OK)
		log_error("%s", result->message);
	else if (s->state != HOST_RUNNING)
		log_error("not everything is as configured: the host is %s",
			host_state_to_string(s->state));
	else if (waiting)
		log_error("not everything is as configured: %s waits: %s",
			waiting->name[0] ? waiting->name : waiting->uuid,
			waiting->conditions[CONDITION_ASSIGNED].message);
	else
		d->status = EXIT_SUCCESS;
	sd_event_exit(d->loop, 0);
}

/* ---- signals ---- */

static int on_terminate(sd_event_source *source, const struct signalfd_siginfo *info _unused_,
	void *userdata _unused_)
{
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static void end_reload(void *userdata _unused_, const struct engine_result *result)
{
	if (result->error != ENGINE_OK)
		log_error("reload: %s", result->message);
	sd_notify(false, "READY=1");
}

static int on_hangup(sd_event_source *source _unused_, const struct signalfd_siginfo *info _unused_,
	void *userdata)
{
	struct daemon *d = userdata;

	sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, now_of(d));
	engine_reload(d->engine, now_of(d), end_reload, d);
	return 0;
}

static int watch_signals(struct daemon *d)
{
	static const int stop[] = {SIGTERM, SIGINT};
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(stop); i++) {
		r = sd_event_add_signal(d->loop, NULL, stop[i], on_terminate, d);
		if (r < 0)
			return r;
	}
	return sd_event_add_signal(d->loop, NULL, SIGHUP, on_hangup, d);
}

/* ---- wiring ---- */

/* Runs after every turn of the loop: the first cycle's end makes the service ready. */
static int on_turn(sd_event_source *source _unused_, void *userdata)
{
	struct daemon *d = userdata;

	if (!d->ready && engine_is_ready(d->engine)) {
		d->ready = true;
		sd_notify(false, "READY=1");
	}
	return 0;
}

static int make_loop(struct daemon *d)
{
	_cleanup_(sd_event_source_unrefp) sd_event_source *turn = NULL;
	int r = sd_event_new(&d->loop);

	if (r < 0)
		return r;
	r = watch_signals(d);
	if (r < 0)
		return r;
	r = sd_event_add_time(d->loop, &d->timer, CLOCK_MONOTONIC, UINT64_MAX, 1000, on_timer, d);
	if (r < 0)
		return r;
	if (d->mode != DAEMON_SERVE)
		return 0;
	r = sd_event_set_watchdog(d->loop, true);
	if (r < 0)
		return r;
	r = sd_event_add_post(d->loop, &turn, on_turn, d);
	return r < 0 ? r : sd_event_source_set_floating(turn, true);
}

static int make_port(struct daemon *d, struct ap_port *ret)
{
	static const struct workers_limits *const default_limits;
	static struct workers_ops ops;
	int r;

	ops = (struct workers_ops){d, observe, on_scanned, on_applied};
	r = workers_new(d->loop, d->root, &ops, default_limits, &d->workers);
	if (r < 0)
		return r;
	r = lock_new(d->loop, d->root, on_locked, d, 0, 0, &d->lock);
	if (r < 0)
		return r;
	*ret = (struct ap_port){d, port_scan, port_apply, port_lock, port_arm};
	return 0;
}

static int make_hints(struct daemon *d)
{
	const struct event_options options = {
		.root = d->root,
		.directories = load_watched,
		.n_directories = ARRAY_SIZE(load_watched),
	};
	const struct event_ops ops = {d, on_poke, on_poke_config, on_attach_event};

	return event_new(d->loop, &options, &ops, &d->hints);
}

static int claim(struct daemon *d, const struct daemon_options *options)
{
	int r;

	if (d->mode != DAEMON_PLAN) {
		d->instance = instance_take(d->root);
		if (d->instance == -EBUSY)
			log_error("another apmatrixd runs on this host; ask it with 'apmatrixctl "
				  "reconcile'");
		else if (d->instance < 0)
			log_error("run/apmatrixd/instance cannot be taken: %s",
				strerror(-d->instance));
		if (d->instance < 0)
			return d->instance;
	}
	if (d->mode != DAEMON_SERVE)
		return 0;
	r = bus_new(d->loop, options->bus, &d->bus);
	if (r == -EEXIST)
		log_error("another program owns org.s390.APMatrix on the bus");
	else if (r < 0)
		log_error("the bus '%s' cannot be used: %s", options->bus, strerror(-r));
	return r;
}

static int make_engine(struct daemon *d, const struct daemon_options *options)
{
	struct engine_options engine = {
		.root = d->root,
		.dry_run = d->mode == DAEMON_PLAN,
		.events = {d, on_published, on_attach, on_attach_failed, on_finished},
	};
	int r = make_port(d, &engine.port);

	if (r < 0)
		return r;
	r = claim(d, options);
	if (r < 0)
		return r;
	r = engine_new(&engine, now_of(d), &d->engine);
	if (r < 0)
		return r;
	if (d->bus)
		bus_set_engine(d->bus, d->engine);
	return d->mode == DAEMON_SERVE ? make_hints(d) : 0;
}

int daemon_new(const struct daemon_options *options, struct daemon **ret)
{
	_cleanup_(cleanup_daemon_free) struct daemon *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return -ENOMEM;
	d->mode = options->mode;
	d->status = EXIT_SUCCESS;
	d->instance = -1;
	d->root = open(options->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->root < 0) {
		r = -errno;
		log_error("%s cannot be opened: %s", options->root, strerror(-r));
		return r;
	}
	r = make_loop(d);
	if (r >= 0)
		r = make_engine(d, options);
	if (r < 0) {
		log_error("apmatrixd cannot start: %s", strerror(-r));
		return r;
	}
	*ret = TAKE_PTR(d);
	return 0;
}

void daemon_free(struct daemon *d)
{
	if (d->hints)
		event_free(d->hints);
	if (d->engine)
		engine_free(d->engine);
	if (d->bus)
		bus_free(d->bus);
	if (d->lock)
		lock_free(d->lock);
	if (d->workers)
		workers_free(d->workers);
	sd_event_source_disable_unref(d->timer);
	sd_event_unref(d->loop);
	if (d->instance >= 0)
		close(d->instance);
	if (d->root >= 0)
		close(d->root);
	free(d);
}

int daemon_run(struct daemon *d)
{
	int r;

	if (d->mode == DAEMON_PLAN)
		engine_plan(d->engine, now_of(d), end_plan, d);
	else if (d->mode == DAEMON_ONCE)
		engine_reconcile(d->engine, now_of(d), end_once, d);
	r = sd_event_loop(d->loop);
	if (r < 0) {
		log_error("the event loop failed: %s", strerror(-r));
		return EXIT_FAILURE;
	}
	sd_notify(false, "STOPPING=1");
	return d->status;
}
