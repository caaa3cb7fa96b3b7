/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scenario/world.h"

#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/fileio.h"

enum answer_kind { ANSWER_SCAN, ANSWER_APPLY, ANSWER_LOCK };

struct answer {
	enum answer_kind kind;
	uint64_t id;
	struct step step;
	struct observed *seen; /* by a scan, at its beginning; NULL: at its end */
};

struct name {
	char uuid[UUID_SIZE];
	char *name;
};

struct world {
	char *path;
	int root;
	struct model *model;
	struct engine *engine;
	uint64_t now, armed;
	struct answer *queue;
	size_t n_queue;
	struct answer *hung;
	size_t n_hung;
	bool poked, held, deaf, early;
	size_t *by_hand; /* entries of the model's log */
	size_t n_by_hand;
	struct name *names; /* all that any matrix ever had */
	size_t n_names;
	char *holder, *blind;
	char *signals;
	size_t signals_size;
	FILE *signal_stream;
};

/* ---- signals ---- */

static const char *const property_name[] = {"Name", "Guest", "StartMode", "State",
	"ConfiguredAdapters", "ConfiguredDomains", "ConfiguredControlDomains", "AssignedAdapters",
	"AssignedDomains", "AssignedControlDomains", "GuestAdapters", "GuestDomains", "Attached",
	"VMPid", "VMName", "AttachedSince", "AttachCount", "Conditions", "Origin", "AttachSource",
	"AttachConfidence"};

static const char *const manager_name[] = {"State", "Features", "Hazards", "AttachSource",
	"QueuePool", "MaxAdapter", "MaxDomain", "AdapterMask", "DomainMask", "HostAdapters",
	"HostDomains", "ConfigGeneration", "Problems", "Matrices", "Attached"};

static void print_bits(FILE *f, uint32_t bits, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bits & 1u << i)
			fprintf(f, " %s", names[i]);
	fputc('\n', f);
}

/* ---- names ---- */

static void learn_name(struct world *w, const char *uuid, const char *name)
{
	struct name *more;

	for (size_t i = 0; i < w->n_names; i++) {
		if (strcmp(w->names[i].uuid, uuid) != 0)
			continue;
		if (strcmp(w->names[i].name, name) != 0) {
			free(w->names[i].name);
			w->names[i].name = strdup(name);
		}
		return;
	}
	more = realloc(w->names, (w->n_names + 1) * sizeof(*more));
	if (!more)
		return;
	w->names = more;
	more += w->n_names++;
	memcpy(more->uuid, uuid, UUID_SIZE);
	more->name = strdup(name);
}

const char *world_name(const struct world *w, const char *uuid)
{
	for (size_t i = 0; i < w->n_names; i++)
		if (strcmp(w->names[i].uuid, uuid) == 0)
			return w->names[i].name;
	return NULL;
}

/* A name may be given anew: what is in force now comes first. */
static const char *uuid_of(const struct world *w, const char *name)
{
	const struct matrix_config *c =
		w->engine ? config_find(engine_config(w->engine), name) : NULL;

	if (c)
		return c->uuid;
	for (size_t i = w->n_names; i > 0; i--)
		if (strcmp(w->names[i - 1].name, name) == 0)
			return w->names[i - 1].uuid;
	return NULL;
}

static const char *label(const struct world *w, const char *uuid)
{
	const char *name = world_name(w, uuid);

	return name ? name : uuid;
}

static void on_published(void *userdata, const struct status *old, const struct status *now,
	const struct status_diff *diff)
{
	struct world *w = userdata;

	for (size_t i = 0; i < now->n_matrices; i++)
		if (now->matrices[i].name[0])
			learn_name(w, now->matrices[i].uuid, now->matrices[i].name);
	/* Before the first scan there is nobody on the bus yet. */
	if (!old)
		return;
	if (diff->manager) {
		fputs("Manager:", w->signal_stream);
		print_bits(w->signal_stream, diff->manager, manager_name, ARRAY_SIZE(manager_name));
	}
	for (size_t i = 0; i < diff->n; i++) {
		const struct status_change *c = &diff->items[i];

		if (c->kind == CHANGE_ADDED) {
			fprintf(w->signal_stream, "added %s\n", label(w, c->uuid));
		} else if (c->kind == CHANGE_REMOVED) {
			fprintf(w->signal_stream, "removed %s\n", label(w, c->uuid));
		} else {
			fprintf(w->signal_stream, "%s:", label(w, c->uuid));
			print_bits(w->signal_stream, c->properties, property_name,
				ARRAY_SIZE(property_name));
		}
	}
}

static void on_attach(
	void *userdata, const struct matrix_status *m, bool attached, uint32_t pid, uint64_t seq)
{
	struct world *w = userdata;

	fprintf(w->signal_stream, "%s %s pid %u seq %llu\n",
		attached ? "MatrixAttached" : "MatrixDetached", label(w, m->uuid), pid,
		(unsigned long long)seq);
}

static void on_attach_failed(void *userdata, const struct matrix_status *m, uint32_t pid,
	uint64_t seq, int error, const char *message)
{
	struct world *w = userdata;

	fprintf(w->signal_stream, "MatrixAttachFailed %s pid %u seq %llu %s: %s\n",
		label(w, m->uuid), pid, (unsigned long long)seq, strerrorname_np(error), message);
}

static void on_finished(void *userdata, unsigned steps, unsigned failures)
{
	struct world *w = userdata;

	fprintf(w->signal_stream, "ReconcileFinished %u steps, %u failures\n", steps, failures);
}

char *world_take_signals(struct world *w)
{
	char *text;

	fclose(w->signal_stream);
	text = w->signals;
	w->signals = NULL;
	w->signal_stream = open_memstream(&w->signals, &w->signals_size);
	return text;
}

/* ---- the port ---- */

static int queue_add(struct answer **queue, size_t *n, const struct answer *a)
{
	struct answer *more = realloc(*queue, (*n + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	*queue = more;
	more[(*n)++] = *a;
	return 0;
}

static int observe(struct world *w, struct observed **ret)
{
	int r = model_observe(w->model, ret);

	if (r == 0 && w->blind) {
		(*ret)->complete = false;
		snprintf((*ret)->incomplete, sizeof((*ret)->incomplete), "%s", w->blind);
	}
	return r;
}

static int port_scan(void *userdata)
{
	struct world *w = userdata;
	struct answer a = {.kind = ANSWER_SCAN};
	int r = w->early ? observe(w, &a.seen) : 0;

	if (r == 0)
		r = queue_add(&w->queue, &w->n_queue, &a);
	if (r < 0 && a.seen)
		observed_free(a.seen);
	return r;
}

static int port_apply(void *userdata, uint64_t id, const struct step *step)
{
	struct world *w = userdata;

	return queue_add(&w->queue, &w->n_queue,
		&(struct answer){.kind = ANSWER_APPLY, .id = id, .step = *step});
}

static int port_lock(void *userdata, bool take)
{
	struct world *w = userdata;

	if (!take)
		return 0;
	return queue_add(&w->queue, &w->n_queue, &(struct answer){.kind = ANSWER_LOCK});
}

static void port_arm(void *userdata, uint64_t when)
{
	struct world *w = userdata;

	w->armed = when;
}

static void answer_apply(struct world *w, const struct answer *a)
{
	int r = model_apply(w->model, &a->step);

	if (r == -EINPROGRESS)
		queue_add(&w->hung, &w->n_hung, a);
	else
		engine_applied(w->engine, w->now, a->id, r, NULL);
}

static void answer_one(struct world *w)
{
	struct answer a = w->queue[0];
	struct observed *o = a.seen;
	int r = 0;

	w->n_queue--;
	memmove(w->queue, w->queue + 1, w->n_queue * sizeof(*w->queue));
	switch (a.kind) {
	case ANSWER_SCAN:
		if (!o)
			r = observe(w, &o);
		engine_scanned(w->engine, w->now, r, o);
		break;
	case ANSWER_LOCK:
		engine_locked(w->engine, w->now, w->holder ? -ETIMEDOUT : 0, w->holder);
		break;
	case ANSWER_APPLY:
		answer_apply(w, &a);
		break;
	}
}

static bool has_gone(struct world *w, const char *uuid)
{
	struct model_stat st;
	char path[128];

	snprintf(path, sizeof(path), "bus/mdev/devices/%s", uuid);
	return !model_is_removing(w->model, uuid) && model_stat(w->model, path, &st) == -ENOENT;
}

/* A removal that waited for its guest ends when the guest has gone. */
static void answer_removed(struct world *w)
{
	for (size_t i = 0; i < w->n_hung;) {
		struct answer a = w->hung[i];

		if (a.step.type != STEP_REMOVE || !has_gone(w, a.step.uuid)) {
			i++;
			continue;
		}
		w->hung[i] = w->hung[--w->n_hung];
		engine_applied(w->engine, w->now, a.id, 0, NULL);
	}
}

void world_release_hung(struct world *w)
{
	while (w->n_hung > 0) {
		struct answer a = w->hung[--w->n_hung];

		engine_applied(w->engine, w->now, a.id, model_apply(w->model, &a.step), NULL);
	}
	world_settle(w);
}

unsigned world_settle_some(struct world *w, unsigned n)
{
	unsigned done = 0;

	while (w->engine && done < n) {
		if (w->poked) {
			w->poked = false;
			engine_poke(w->engine, w->now);
		}
		answer_removed(w);
		if (w->n_queue > 0) {
			answer_one(w);
			done++;
		} else if (w->armed <= w->now) {
			engine_tick(w->engine, w->now);
			if (w->n_queue == 0 && w->armed <= w->now)
				break;
		} else if (!w->poked) {
			break;
		}
	}
	return done;
}

void world_settle(struct world *w)
{
	if (w->held)
		return;
	/* A hint that comes right after a cycle is looked at a little later: let that pass too. */
	world_settle_some(w, 1000000);
	if (w->engine && w->armed <= w->now + 50000) {
		w->now += 50000;
		model_set_time(w->model, w->now);
		world_settle_some(w, 1000000);
	}
}

void world_hold(struct world *w, bool held)
{
	w->held = held;
}

bool world_is_held(const struct world *w)
{
	return w->held;
}

void world_set_deaf(struct world *w, bool deaf)
{
	w->deaf = deaf;
}

void world_set_early(struct world *w, bool early)
{
	w->early = early;
}

void world_poke(struct world *w)
{
	w->poked = true;
	world_settle(w);
}

void world_wait(struct world *w, uint64_t usec)
{
	uint64_t until = w->now + usec;

	world_settle(w);
	while (w->engine && w->armed <= until) {
		if (w->armed > w->now)
			w->now = w->armed;
		model_set_time(w->model, w->now);
		world_settle_some(w, 1000000);
	}
	if (w->now < until)
		w->now = until;
	model_set_time(w->model, w->now);
}

/* ---- life ---- */

static const char *property(const struct model_event *event, const char *key)
{
	size_t n = strlen(key);

	for (size_t i = 0; i < event->n_properties; i++)
		if (strncmp(event->properties[i], key, n) == 0 && event->properties[i][n] == '=')
			return event->properties[i] + n + 1;
	return "";
}

/* What the module says, as event/ hands it on. */
static void hear(struct world *w, const struct model_event *event)
{
	const char *uuid = strrchr(event->devpath, '/');
	int type = attach_event_type_from_string(property(event, "APMATRIX_EVENT"));
	struct attach_event e = {
		.seq = strtoull(property(event, "APMATRIX_SEQ"), NULL, 10),
		.pid = (uint32_t)strtoul(property(event, "APMATRIX_PID"), NULL, 10),
		.error = atoi(property(event, "APMATRIX_RET")),
	};

	if (type < 0 || !uuid || !uuid_normalize(uuid + 1, e.uuid))
		return;
	e.type = (enum attach_event_type)type;
	snprintf(e.comm, sizeof(e.comm), "%s", property(event, "APMATRIX_COMM"));
	engine_attach_event(w->engine, w->now, &e);
}

static void on_uevent(void *userdata, const struct model_event *event)
{
	struct world *w = userdata;

	if (w->deaf)
		return;
	if (w->engine)
		hear(w, event);
	w->poked = true;
}

struct world *world_new(const char *hardware, char **ret_error)
{
	struct world *w = calloc(1, sizeof(*w));
	/* What is synced there costs nothing. */
	const char *fast = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	char template[64];

	if (!w)
		return NULL;
	snprintf(template, sizeof(template), "%s/apmatrix-scenario.XXXXXX", fast);
	w->root = -1;
	w->armed = UINT64_MAX;
	w->now = UINT64_C(1000000000);
	w->signal_stream = open_memstream(&w->signals, &w->signals_size);
	if (model_new(PROFILE_6_12, hardware, ret_error, &w->model) < 0 || !mkdtemp(template)) {
		world_free(w);
		return NULL;
	}
	w->path = strdup(template);
	w->root = open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	model_set_time(w->model, w->now);
	model_set_checks(w->model, true);
	model_set_events(w->model, on_uevent, w);
	world_write_file(w, "/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
	return w;
}

static int remove_entry(const char *path, const struct stat *st _unused_, int flag _unused_,
	struct FTW *ftw _unused_)
{
	return remove(path);
}

void world_free(struct world *w)
{
	world_stop(w);
	if (w->model)
		model_free(w->model);
	if (w->root >= 0)
		close(w->root);
	if (w->path)
		nftw(w->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	if (w->signal_stream)
		fclose(w->signal_stream);
	free(w->signals);
	free(w->path);
	free(w->by_hand);
	for (size_t i = 0; i < w->n_names; i++)
		free(w->names[i].name);
	free(w->names);
	free(w->holder);
	free(w->blind);
	free(w->queue);
	free(w->hung);
	free(w);
}

int world_start(struct world *w)
{
	struct engine_options options = {
		.root = w->root,
		.port = {w, port_scan, port_apply, port_lock, port_arm},
		.events = {w, on_published, on_attach, on_attach_failed, on_finished},
	};
	int r;

	world_stop(w);
	r = engine_new(&options, w->now, &w->engine);
	return r;
}

void world_stop(struct world *w)
{
	if (w->engine)
		engine_free(w->engine);
	w->engine = NULL;
	for (size_t i = 0; i < w->n_queue; i++)
		if (w->queue[i].seen)
			observed_free(w->queue[i].seen);
	w->n_queue = w->n_hung = 0;
	w->armed = UINT64_MAX;
	w->poked = false;
}

void world_stop_amid_writes(struct world *w)
{
	for (size_t i = 0; i < w->n_queue; i++)
		if (w->queue[i].kind == ANSWER_APPLY)
			model_apply(w->model, &w->queue[i].step);
	world_stop(w);
}

/* ---- other hands ---- */

int world_write_by_hand(struct world *w, const char *path, const char *text)
{
	const struct model_log_entry *log;
	size_t n = model_log(w->model, &log), *more;
	int r = model_write(w->model, path, text, strlen(text));

	if (model_log(w->model, &log) == n)
		return r;
	more = realloc(w->by_hand, (w->n_by_hand + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	w->by_hand = more;
	more[w->n_by_hand++] = n;
	return r;
}

bool world_was_by_hand(const struct world *w, size_t log_index)
{
	for (size_t i = 0; i < w->n_by_hand; i++)
		if (w->by_hand[i] == log_index)
			return true;
	return false;
}

void world_forget_hands(struct world *w)
{
	w->n_by_hand = 0;
}

struct model *world_model(struct world *w)
{
	return w->model;
}

struct engine *world_engine(struct world *w)
{
	return w->engine;
}

uint64_t world_now(const struct world *w)
{
	return w->now;
}

int world_root(const struct world *w)
{
	return w->root;
}

void world_set_blind(struct world *w, const char *reason)
{
	free(w->blind);
	w->blind = reason ? strdup(reason) : NULL;
}

void world_set_lock_holder(struct world *w, const char *holder)
{
	free(w->holder);
	w->holder = holder ? strdup(holder) : NULL;
}

/* ---- files ---- */

static void poke_config(struct world *w)
{
	if (w->engine)
		engine_poke_config(w->engine, w->now);
}

static int make_parent(struct world *w, const char *path)
{
	_cleanup_free_ char *parent = strdup(path + 1);
	char *slash = parent ? strrchr(parent, '/') : NULL;

	if (!slash)
		return 0;
	*slash = '\0';
	return mkdir_parents_at(w->root, parent, 0755);
}

int world_write_file(struct world *w, const char *path, const char *text)
{
	int r = make_parent(w, path);

	if (r == 0)
		r = file_replace_at(w->root, path + 1, text, strlen(text), 0644);
	poke_config(w);
	return r;
}

int world_remove_file(struct world *w, const char *path)
{
	int r = unlinkat(w->root, path + 1, 0) < 0 ? -errno : 0;

	poke_config(w);
	return r;
}

int world_link_file(struct world *w, const char *path, const char *target)
{
	int r = make_parent(w, path);

	unlinkat(w->root, path + 1, 0);
	if (r == 0 && symlinkat(target, w->root, path + 1) < 0)
		r = -errno;
	poke_config(w);
	return r;
}

char *world_expand(struct world *w, const char *text)
{
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);

	while (*text) {
		const char *end = *text == '{' ? strchr(text, '}') : NULL;
		_cleanup_free_ char *name =
			end ? strndup(text + 1, (size_t)(end - text - 1)) : NULL;
		const char *uuid = name ? uuid_of(w, name) : NULL;

		if (uuid) {
			fputs(uuid, f);
			text = end + 1;
		} else {
			fputc(*text++, f);
		}
	}
	fclose(f);
	return out;
}
