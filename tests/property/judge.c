/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What holds whenever the daemon rests: what it publishes is what is there, what differs from the
 * drop-ins is explained, its ledger is in order; and where nothing is broken, looking again
 * changes nothing and says nothing.
 */
#include <string.h>

#include "load/ledger_file.h"
#include "property/actor.h"

bool status_has_problem(const struct status *s, const char *code, const char *object)
{
	for (size_t i = 0; i < s->problems.n; i++)
		if ((!code || strcmp(s->problems.items[i].code, code) == 0) &&
			(!object || strcmp(s->problems.items[i].object, object) == 0))
			return true;
	return false;
}

static const char *name_of(const struct matrix_status *m)
{
	return m->name[0] ? m->name : m->uuid;
}

/* ---- the published state is the scan's ---- */

static void check_device(struct actor *a, const struct matrix_status *m, const struct observed *o)
{
	const struct observed_mdev *d = observed_find_mdev(o, m->uuid);
	static const struct observed_mdev none;
	bool there = d;

	if (!d)
		d = &none;
	if (m->conditions[CONDITION_PRESENT].status != there)
		actor_fail(a, "status", "%s: Present is wrong", name_of(m));
	if (d->assigned_known && !matrix_equal(&m->assigned, &d->assigned))
		actor_fail(
			a, "status", "%s: what is assigned is not what is published", name_of(m));
	if (d->guest_known &&
		(!mask_equal(&m->guest_matrix.adapters, &d->guest.adapters) ||
			!mask_equal(&m->guest_matrix.domains, &d->guest.domains)))
		actor_fail(
			a, "status", "%s: the guest's matrix is not what is published", name_of(m));
	if (m->attached != (d->attach == ATTACH_YES) || m->vm_pid != d->vm_pid ||
		m->attach_count != d->attach_count || m->attached_since != d->attached_since)
		actor_fail(a, "status", "%s: the guest is not who is published", name_of(m));
	if (m->state == MATRIX_ATTACHED && d->attach != ATTACH_YES)
		actor_fail(a, "status", "%s: attached without a guest", name_of(m));
}

static void check_published(struct actor *a, const struct status *s, const struct observed *o)
{
	for (size_t i = 0; i < s->n_matrices; i++)
		check_device(a, &s->matrices[i], o);
	for (size_t i = 0; i < o->n_mdevs; i++)
		if (!status_find(s, o->mdevs[i].uuid))
			actor_fail(a, "status", "%s is not published", o->mdevs[i].uuid);
	if (!mask_equal(&s->apmask, &o->apmask) || !mask_equal(&s->aqmask, &o->aqmask))
		actor_fail(a, "status", "the masks are not what is published");
}

/* ---- what differs is explained ---- */

static bool has_reason(const struct status *s, const struct matrix_status *m)
{
	for (size_t i = 0; i < N_CONDITIONS; i++)
		if (i != CONDITION_ATTACHED && i != CONDITION_APPLYING &&
			!m->conditions[i].status && m->conditions[i].message[0])
			return true;
	return (m->name[0] && status_has_problem(s, NULL, m->name)) ||
		status_has_problem(s, NULL, m->uuid) || status_has_problem(s, "daemon", NULL);
}

static void check_explained(struct actor *a, const struct status *s, const struct matrix_status *m,
	const struct config *config)
{
	const struct matrix_config *c = m->name[0] ? config_find(config, m->name) : NULL;
	bool there = m->conditions[CONDITION_PRESENT].status;
	bool differs = c && there && !matrix_equal(&m->assigned, &c->want);
	const char *state = matrix_state_to_string(m->state);

	switch (m->state) {
	case MATRIX_DEGRADED:
	case MATRIX_PENDING:
	case MATRIX_FAILED:
		if (!has_reason(s, m))
			actor_fail(
				a, "explained", "%s is %s and nobody says why", name_of(m), state);
		break;
	case MATRIX_ACTIVE:
	case MATRIX_ATTACHED:
		/* A change that is on its way degrades nothing. */
		if (differs && s->state != HOST_APPLYING && !status_has_problem(s, "daemon", NULL))
			actor_fail(a, "explained", "%s is %s, but not as configured", name_of(m),
				state);
		break;
	case MATRIX_DEFINED:
		if (there)
			actor_fail(a, "explained", "%s is %s and exists", name_of(m), state);
		if (c && c->start == START_BOOT && !uuid_set_has(&a->stopped, m->uuid) &&
			!has_reason(s, m))
			actor_fail(a, "explained", "%s has Start=boot, is %s, and nobody says why",
				name_of(m), state);
		break;
	case MATRIX_FOREIGN:
		if (c)
			actor_fail(a, "explained", "%s is %s, though %s names it", name_of(m),
				state, c->name);
		break;
	}
}

static void check_host(struct actor *a, const struct status *s)
{
	if (s->state == HOST_STARTING || s->state == HOST_APPLYING)
		actor_fail(a, "host", "the host is %s at rest", host_state_to_string(s->state));
	if (s->state == HOST_DEGRADED && problems_n_errors(&s->problems) == 0)
		for (size_t i = 0; i < s->n_matrices; i++)
			if (s->matrices[i].state == MATRIX_DEGRADED ||
				s->matrices[i].state == MATRIX_FAILED)
				return;
	if (s->state == HOST_DEGRADED && problems_n_errors(&s->problems) == 0)
		actor_fail(a, "host", "the host is degraded and nobody says why");
}

/* ---- the ledger ---- */

static void check_entry(struct actor *a, const struct ledger_entry *e, const struct observed *o,
	const struct config *c)
{
	if (!e->made || !o->has_matrix_device)
		return;
	if (!observed_find_mdev(o, e->uuid) && !config_find_uuid(c, e->uuid))
		actor_fail(
			a, "ledger", "%s is in the ledger, and neither there nor defined", e->uuid);
}

static void check_ledger(struct actor *a, const struct observed *o, const struct config *c)
{
	_cleanup_(cleanup_ledger_free) struct ledger *l = NULL;
	bool unsure = a->blind || engine_status(world_engine(a->world))->state == HOST_APPLYING;
	int r = ledger_load(world_root(a->world), &l);

	if (r < 0) {
		actor_fail(a, "ledger", "the ledger cannot be read: %s", strerror(-r));
		return;
	}
	/* A device that is still being made is there already; who does not see all forgets nothing. */
	for (size_t i = 0; i < l->n && !unsure; i++)
		check_entry(a, &l->entries[i], o, c);
	for (size_t i = 0; i < o->n_mdevs; i++) {
		const char *uuid = o->mdevs[i].uuid;
		const struct ledger_entry *e = ledger_find(l, uuid);

		if (uuid_set_has(&a->made, uuid) && !uuid_set_has(&a->unsure, uuid) &&
			(!e || !e->made))
			actor_fail(a, "ledger",
				"%s was made by the daemon, and is not in the ledger", uuid);
	}
}

/* What has gone, and nobody names, may come back as somebody else's. */
static void forget_made(struct actor *a, const struct observed *o, const struct config *c)
{
	for (size_t i = 0; i < a->made.n;) {
		const char *uuid = a->made.uuid[i];

		if (observed_find_mdev(o, uuid) || config_find_uuid(c, uuid))
			i++;
		else
			uuid_set_remove(&a->made, uuid);
	}
}

/* ---- calm ---- */

static void keep_plan(void *userdata, const struct engine_result *result)
{
	char **text = userdata;

	if (result->error != ENGINE_OK || plan_format(result->plan, text) < 0)
		*text = strdup(result->message);
}

static void check_stable(struct actor *a)
{
	_cleanup_free_ char *signals = NULL, *plan = NULL;
	const struct model_log_entry *log;

	/* What was said before does not matter here. */
	free(world_take_signals(a->world));
	model_log_clear(world_model(a->world));
	world_poke(a->world);
	signals = world_take_signals(a->world);
	if (signals[0])
		actor_fail(a, "signal", "looking again said: %s", signals);
	if (model_log(world_model(a->world), &log) > 0)
		actor_fail(a, "stable", "looking again wrote %s = %s", log[0].path, log[0].text);
	engine_plan(world_engine(a->world), world_now(a->world), keep_plan, &plan);
	world_settle(a->world);
	if (!plan || strcmp(plan, "nothing to do\n") != 0)
		actor_fail(
			a, "stable", "a second plan is not empty: %s", plan ? plan : "no answer");
}

static void check_calm(struct actor *a, const struct status *s, const struct observed *o)
{
	if (status_has_problem(s, "kernel-refused", NULL))
		actor_fail(a, "refused", "something is held, though nothing is broken");
	if (status_has_problem(s, "daemon", NULL))
		actor_fail(a, "refused", "the daemon has trouble, though nothing is broken");
	check_stable(a);
	oracle_check(a, o);
}

void judge(struct actor *a)
{
	_cleanup_(cleanup_observed_free) struct observed *o = NULL;
	struct engine *e = world_engine(a->world);
	const struct status *s = engine_status(e);
	const struct config *c = engine_config(e);

	if (model_observe(world_model(a->world), &o) < 0)
		abort();
	a->n_judged++;
	check_published(a, s, o);
	for (size_t i = 0; i < s->n_matrices; i++)
		check_explained(a, s, &s->matrices[i], c);
	if (!a->troubled)
		check_host(a, s);
	check_ledger(a, o, c);
	forget_made(a, o, c);
	if (!a->troubled)
		check_calm(a, s, o);
}
