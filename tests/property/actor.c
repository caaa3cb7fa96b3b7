/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "property/actor.h"

#include <stdarg.h>
#include <string.h>

#define CALM 600u /* seconds after which every hold has ended */

bool uuid_set_has(const struct uuid_set *s, const char *uuid)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->uuid[i], uuid) == 0)
			return true;
	return false;
}

void uuid_set_add(struct uuid_set *s, const char *uuid)
{
	if (uuid_set_has(s, uuid) || s->n == UUIDS_MAX)
		return;
	snprintf(s->uuid[s->n++], UUID_SIZE, "%s", uuid);
}

void uuid_set_remove(struct uuid_set *s, const char *uuid)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->uuid[i], uuid) == 0)
			memmove(s->uuid[i], s->uuid[--s->n], UUID_SIZE);
}

void actor_fail(struct actor *a, const char *tag, const char *format, ...)
{
	va_list ap;

	if (a->tag[0])
		return;
	snprintf(a->tag, sizeof(a->tag), "%s", tag);
	va_start(ap, format);
	vsnprintf(a->violation, sizeof(a->violation), format, ap);
	va_end(ap);
}

bool actor_is_attached(const struct actor *a, const char *uuid)
{
	struct model_vm vm;

	for (size_t i = 0; model_vm(world_model(a->world), i, &vm); i++)
		if (vm.uuid && strcmp(vm.uuid, uuid) == 0)
			return true;
	return false;
}

/* What the daemon's next writes are judged by. */
static void snapshot(struct actor *a)
{
	if (a->before)
		observed_free(a->before);
	a->before = NULL;
	if (model_observe(world_model(a->world), &a->before) < 0)
		abort();
	model_log_clear(world_model(a->world));
}

/* ---- the words ---- */

static const char *errno_name(int r)
{
	return r < 0 ? strerrorname_np(-r) : NULL;
}

static const char *do_host(struct actor *a, struct line *l, char *rest _unused_)
{
	_cleanup_free_ char *error = NULL;

	if (!a->world)
		a->world = world_new(l->body ? l->body : "", &error);
	if (!a->world)
		actor_fail(a, "host", "%s", error ? error : "no world could be made");
	return NULL;
}

static const char *do_file(struct actor *a, struct line *l, char *rest)
{
	int r = world_write_file(a->world, rest, l->body ? l->body : "");

	world_settle(a->world);
	return errno_name(r);
}

/* scenario files expect that there was something to remove */
static const char *do_remove(struct actor *a, struct line *l _unused_, char *rest)
{
	world_remove_file(a->world, rest);
	world_settle(a->world);
	return NULL;
}

static const char *do_start(struct actor *a, struct line *l _unused_, char *rest _unused_)
{
	int r = world_start(a->world);

	world_settle(a->world);
	if (r < 0)
		actor_fail(a, "start", "the daemon does not start: %s", strerror(-r));
	return NULL;
}

static const char *do_stop(struct actor *a, struct line *l _unused_, char *rest _unused_)
{
	world_stop(a->world);
	return NULL;
}

static const char *do_kill(struct actor *a, struct line *l _unused_, char *rest)
{
	unsigned n = 0;

	sscanf(rest, "after %u", &n);
	world_start(a->world);
	world_settle_some(a->world, n);
	world_stop(a->world);
	return NULL;
}

static const char *do_sys(struct actor *a, struct line *l _unused_, char *rest)
{
	_cleanup_free_ char *command = world_expand(a->world, rest);
	int r = model_control(world_model(a->world), command);

	if (strcmp(command, "fault clear") == 0)
		a->faults = false;
	else if (strncmp(command, "fault ", 6) == 0)
		a->faults = a->troubled = true;
	snapshot(a);
	world_settle(a->world);
	return errno_name(r);
}

/* Whose a device is that was removed, or made, by hand while nobody looked, nobody can say; and one
 * that waits for its guest to be removed is neither there nor gone. */
static void note_hand(struct actor *a, const char *path, const char *text, int result)
{
	bool unseen = world_is_held(a->world) || !world_engine(a->world);
	char uuid[UUID_SIZE], word[16];

	if (unseen && result == 0 && strstr(path, "/create") && uuid_normalize(text, uuid))
		uuid_set_add(&a->unsure, uuid);
	if (sscanf(path, "devices/vfio_ap/matrix/%36[^/]/%15s", uuid, word) != 2 ||
		strcmp(word, "remove") != 0)
		return;
	if (unseen)
		uuid_set_add(&a->unsure, uuid);
	if (result == 0)
		return;
	uuid_set_add(&a->removing, uuid);
	a->troubled = true;
}

/* Its UUID is neither there nor free. */
static bool is_removing(const struct actor *a)
{
	for (size_t i = 0; i < a->removing.n; i++)
		if (model_is_removing(world_model(a->world), a->removing.uuid[i]))
			return true;
	return false;
}

/* Another driver's name, or none, is seen, and from then on it is not the daemon's any more; the same
 * name again is not seen. */
static void note_override(struct actor *a, const char *path, const char *name)
{
	unsigned adapter, domain;

	a->troubled = true;
	if (!world_is_held(a->world) && world_engine(a->world) && strcmp(name, "vfio_ap") != 0 &&
		sscanf(path, "devices/ap/card%*2x/%2x.%4x/", &adapter, &domain) == 2)
		queues_clear(&a->overrides, adapter, domain);
}

static const char *do_write(struct actor *a, struct line *l _unused_, char *rest)
{
	_cleanup_free_ char *text = world_expand(a->world, rest);
	char *equals = strstr(text, " = ");
	int r;

	if (!equals)
		return "EINVAL";
	*equals = '\0';
	r = model_write(world_model(a->world), text, equals + 3, strlen(equals + 3));
	snapshot(a);
	if (r == 0 && strstr(text, "driver_override"))
		note_override(a, text, equals + 3);
	if (r == 0 || r == -EINPROGRESS)
		note_hand(a, text, equals + 3, r);
	world_settle(a->world);
	return errno_name(r);
}

static const char *do_wait(struct actor *a, struct line *l _unused_, char *rest)
{
	unsigned seconds = (unsigned)strtoul(rest, NULL, 10);

	world_wait(a->world, seconds * UINT64_C(1000000));
	if (seconds >= CALM && !a->faults && !a->locked && !a->blind && !is_removing(a) &&
		!world_is_held(a->world))
		a->troubled = false;
	return NULL;
}

static const char *do_look(struct actor *a, struct line *l _unused_, char *rest _unused_)
{
	world_poke(a->world);
	return NULL;
}

static const char *do_hold(struct actor *a, struct line *l _unused_, char *rest _unused_)
{
	world_hold(a->world, true);
	return NULL;
}

static const char *do_settle(struct actor *a, struct line *l _unused_, char *rest)
{
	if (*rest) {
		world_settle_some(a->world, (unsigned)strtoul(rest, NULL, 10));
		return NULL;
	}
	world_hold(a->world, false);
	world_settle(a->world);
	return NULL;
}

static const char *do_lock(struct actor *a, struct line *l _unused_, char *rest)
{
	a->locked = strcmp(rest, "free") != 0;
	a->troubled = a->troubled || a->locked;
	world_set_lock_holder(a->world, a->locked ? rest : NULL);
	return NULL;
}

static const char *do_blind(struct actor *a, struct line *l _unused_, char *rest)
{
	a->blind = strcmp(rest, "no") != 0;
	a->troubled = a->troubled || a->blind;
	world_set_blind(a->world, a->blind ? rest : NULL);
	return NULL;
}

static const char *do_release(struct actor *a, struct line *l _unused_, char *rest _unused_)
{
	a->faults = false;
	/* What hung was begun long ago. */
	a->raced = true;
	model_fault_clear(world_model(a->world));
	world_release_hung(a->world);
	return NULL;
}

struct outcome {
	unsigned answered;
	enum engine_error error;
	char message[512];
};

static void keep_outcome(void *userdata, const struct engine_result *result)
{
	struct outcome *o = userdata;

	o->answered++;
	o->error = result->error;
	snprintf(o->message, sizeof(o->message), "%s", result->message);
}

static void call(struct actor *a, const char *method, const char *name, struct outcome *o)
{
	struct engine *e = world_engine(a->world);
	uint64_t now = world_now(a->world);
	const struct matrix_config *c = name ? config_find(engine_config(e), name) : NULL;
	_cleanup_free_ char *uuid = c ? strdup(c->uuid) : NULL;

	if (strcmp(method, "StartMatrix") == 0)
		engine_start_matrix(e, now, name, keep_outcome, o);
	else if (strcmp(method, "StopMatrix") == 0)
		engine_stop_matrix(e, now, name, keep_outcome, o);
	else if (strcmp(method, "Reload") == 0)
		engine_reload(e, now, keep_outcome, o);
	else
		engine_reconcile(e, now, keep_outcome, o);
	/* A stop that waits in vain stays wanted: it may come true later. */
	if (uuid && strcmp(method, "StopMatrix") == 0)
		uuid_set_add(&a->stopped, uuid);
	world_settle(a->world);
	if (!o->answered)
		world_wait(a->world, 25 * UINT64_C(1000000));
	if (uuid && strcmp(method, "StartMatrix") == 0 && o->error == ENGINE_OK)
		uuid_set_remove(&a->stopped, uuid);
}

static const char *do_call(struct actor *a, struct line *l _unused_, char *rest)
{
	char *name = strchr(rest, ' ');
	struct outcome o = {};

	if (name)
		*name++ = '\0';
	call(a, rest, name, &o);
	if (o.answered != 1)
		actor_fail(a, "answer", "%s was answered %u times", rest, o.answered);
	if (o.error != ENGINE_OK && o.message[0] == '\0')
		actor_fail(a, "answer", "%s failed with %s and says nothing", rest,
			engine_error_to_string(o.error));
	return o.error == ENGINE_OK ? NULL : engine_error_to_string(o.error);
}

static const struct {
	const char *word;
	const char *(*act)(struct actor *a, struct line *l, char *rest);
	bool needs_daemon;
} words[] = {
	{"host", do_host, false},
	{"file", do_file, false},
	{"remove", do_remove, false},
	{"start", do_start, false},
	{"stop", do_stop, true},
	{"kill", do_kill, false},
	{"sys", do_sys, false},
	{"write", do_write, false},
	{"wait", do_wait, true},
	{"look", do_look, true},
	{"hold", do_hold, false},
	{"settle", do_settle, false},
	{"lock", do_lock, false},
	{"blind", do_blind, false},
	{"release", do_release, true},
	{"call", do_call, true},
};

static void act(struct actor *a, struct line *l)
{
	_cleanup_free_ char *command = strdup(l->command);
	char *rest = command + strcspn(command, " ");

	if (*rest)
		*rest++ = '\0';
	l->outcome = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(words[i].word, command) != 0)
			continue;
		if (!words[i].needs_daemon || world_engine(a->world))
			l->outcome = words[i].act(a, l, rest);
		return;
	}
	actor_fail(a, "word", "unknown word %s", command);
}

/* ---- and what is looked at after each ---- */

static bool is_resting(const struct actor *a)
{
	const struct engine *e = world_engine(a->world);

	return !world_is_held(a->world) && (!e || engine_is_idle(e, world_now(a->world)));
}

/* Commands that let a daemon that is held do something. */
static bool lets_work(const struct line *l)
{
	return strncmp(l->command, "settle ", 7) == 0 || strncmp(l->command, "wait ", 5) == 0 ||
		strncmp(l->command, "call ", 5) == 0 || strncmp(l->command, "kill ", 5) == 0;
}

/* A daemon that starts again, where all is calm, finds all as it left it. */
static void check_restart(struct actor *a)
{
	const struct model_log_entry *log;

	if (model_log(world_model(a->world), &log) > 0)
		actor_fail(a, "restart", "starting again wrote %s = %s", log[0].path, log[0].text);
}

static void watch(struct actor *a, struct line *l)
{
	struct model *m = world_model(a->world);
	bool again = strcmp(l->command, "start") == 0 && world_engine(a->world) && is_resting(a) &&
		!a->troubled;
	const char *broken;

	if (!is_resting(a) && (a->begun || !world_is_held(a->world)))
		a->raced = true;
	snapshot(a);
	act(a, l);
	if (again)
		check_restart(a);
	if (is_resting(a) && world_engine(a->world))
		world_poke(a->world);
	a->begun = world_is_held(a->world) && (a->begun || lets_work(l));
	broken = model_check(m);
	if (broken)
		actor_fail(a, "invariant", "%s", broken);
	rules_check(a);
	if (a->raced)
		a->troubled = true;
	if (!is_resting(a))
		return;
	a->raced = false;
	if (world_engine(a->world) && !a->tag[0])
		judge(a);
}

bool actor_do(struct actor *a, struct line *l)
{
	if (!a->world)
		act(a, l);
	else
		watch(a, l);
	return a->tag[0] == '\0';
}

void actor_done(struct actor *a)
{
	if (a->world)
		world_free(a->world);
	if (a->before)
		observed_free(a->before);
	*a = (struct actor){};
}
