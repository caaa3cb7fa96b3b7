/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The functions of engine.h that the bus calls, as a recorder.
 */
#include "fake_engine.h"

#include <string.h>

static const char *const engine_error_table[] = {
	[ENGINE_OK] = "",
	[ENGINE_NO_SUCH_MATRIX] = "NoSuchMatrix",
	[ENGINE_EXISTS] = "Exists",
	[ENGINE_INVALID_ARGUMENT] = "InvalidArgument",
	[ENGINE_CONFLICT] = "Conflict",
	[ENGINE_HOST_OWNED] = "HostOwned",
	[ENGINE_IN_USE] = "InUse",
	[ENGINE_NOT_AVAILABLE] = "NotAvailable",
	[ENGINE_BUSY] = "Busy",
	[ENGINE_KERNEL_REFUSED] = "KernelRefused",
	[ENGINE_HAZARD] = "Hazard",
};
DEFINE_STRTAB(engine_error, enum engine_error)

const struct status fake_empty_status = {.state = HOST_STARTING};

struct matrix_status fake_matrix(unsigned n, const char *name)
{
	struct matrix_status m = {
		.name = (char *)name,
		.guest = (char *)name,
		.start = START_BOOT,
		.state = MATRIX_ACTIVE,
		.vm_name = (char *)"",
	};

	snprintf(m.uuid, sizeof(m.uuid), "62177883-f1bb-47f0-914d-32a22e3a%04x", n & 0xffff);
	for (unsigned i = 0; i < N_CONDITIONS; i++)
		m.conditions[i] = (struct condition){.reason = "", .message = (char *)""};
	return m;
}

const struct status *engine_status(const struct engine *e)
{
	return e->status;
}

const struct observed *engine_observed(const struct engine *e)
{
	return e->observed;
}

/* Settings, UUIDs or neither. */
struct rest {
	const struct raw_setting *settings;
	const char *const *uuids;
	size_t n;
	bool replace;
};

static void print_rest(char buf[static 256], const struct rest *rest)
{
	size_t used = 0;

	for (size_t i = 0; i < rest->n && used < 256; i++)
		used += (size_t)snprintf(buf + used, 256 - used, "%s%s%s|",
			rest->settings ? rest->settings[i].key : rest->uuids[i],
			rest->settings ? "=" : "", rest->settings ? rest->settings[i].value : "");
}

static void record_rest(struct engine *e, const char *what, const char *name,
	const struct rest *rest, engine_reply reply, void *userdata)
{
	struct fake_call *c = &e->calls[e->n_calls++];

	*c = (struct fake_call){.what = what,
		.reply = reply,
		.userdata = userdata,
		.n = rest->n,
		.replace = rest->replace};
	snprintf(c->name, sizeof(c->name), "%s", name);
	print_rest(c->rest, rest);
	if (e->answer)
		fake_answer(e, e->n_calls - 1, e->answer);
}

static void record(
	struct engine *e, const char *what, const char *name, engine_reply reply, void *userdata)
{
	record_rest(e, what, name, &(struct rest){}, reply, userdata);
}

void fake_answer(struct engine *e, size_t call, const struct engine_result *result)
{
	static const struct plan nothing_to_do;
	struct fake_call *c = &e->calls[call];
	struct engine_result whole = *result;
	engine_reply reply = c->reply;

	/* As the engine: a plan that is answered at all is there. */
	if (strcmp(c->what, "plan") == 0 && whole.error == ENGINE_OK && !whole.plan)
		whole.plan = &nothing_to_do;
	c->reply = NULL;
	reply(c->userdata, &whole);
}

void engine_poke(struct engine *e, uint64_t now _unused_)
{
	record(e, "poke", "", NULL, NULL);
}

void engine_plan(struct engine *e, uint64_t now _unused_, engine_reply reply, void *userdata)
{
	record(e, "plan", "", reply, userdata);
}

void engine_reconcile(struct engine *e, uint64_t now _unused_, engine_reply reply, void *userdata)
{
	record(e, "reconcile", "", reply, userdata);
}

void engine_reload(struct engine *e, uint64_t now _unused_, engine_reply reply, void *userdata)
{
	record(e, "reload", "", reply, userdata);
}

void engine_start_matrix(struct engine *e, uint64_t now _unused_, const char *name,
	engine_reply reply, void *userdata)
{
	record(e, "start", name, reply, userdata);
}

void engine_stop_matrix(struct engine *e, uint64_t now _unused_, const char *name,
	engine_reply reply, void *userdata)
{
	record(e, "stop", name, reply, userdata);
}

void engine_define(struct engine *e, uint64_t now _unused_, const char *name,
	const struct raw_setting *settings, size_t n, bool replace, engine_reply reply,
	void *userdata)
{
	record_rest(e, "define", name,
		&(struct rest){.settings = settings, .n = n, .replace = replace}, reply, userdata);
}

void engine_undefine(struct engine *e, uint64_t now _unused_, const char *name, engine_reply reply,
	void *userdata)
{
	record(e, "undefine", name, reply, userdata);
}

void engine_update(struct engine *e, uint64_t now _unused_, const char *name,
	const struct raw_setting *settings, size_t n, engine_reply reply, void *userdata)
{
	record_rest(
		e, "update", name, &(struct rest){.settings = settings, .n = n}, reply, userdata);
}

void engine_prepare_guest(struct engine *e, uint64_t now _unused_, const char *guest,
	const char *const *uuids, size_t n, engine_reply reply, void *userdata)
{
	record_rest(e, "prepare", guest, &(struct rest){.uuids = uuids, .n = n}, reply, userdata);
}

void engine_release_guest(struct engine *e, uint64_t now _unused_, const char *guest,
	const char *const *uuids, size_t n, engine_reply reply, void *userdata)
{
	record_rest(e, "release", guest, &(struct rest){.uuids = uuids, .n = n}, reply, userdata);
}

int engine_check(struct engine *e, const char *file, const char *text, struct problems *ret)
{
	snprintf(e->check_file, sizeof(e->check_file), "%s", file);
	snprintf(e->check_text, sizeof(e->check_text), "%s", text);
	if (e->check_result < 0)
		return e->check_result;
	return problems_add(ret, PROBLEM_ERROR, "bad-value", "guest1", file, 7, "adapter %d is %s",
		300, "above 255");
}
