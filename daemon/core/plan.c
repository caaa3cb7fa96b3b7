/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The planner's frame: runs the passes (planner.h), and what they share.
 */
#include "core/planner.h"

#include <stdarg.h>
#include <string.h>

const char *verdict_name(const struct verdict *v)
{
	return v->config ? v->config->name : v->uuid;
}

bool verdict_is_busy(const struct verdict *v)
{
	return v->mdev && v->mdev->attach != ATTACH_NO;
}

bool verdict_is_readable(const struct verdict *v)
{
	return v->mdev && v->mdev->assigned_known;
}

void verdict_freeze(struct verdict *v)
{
	v->has_target = v->mdev;
	v->target = verdict_is_readable(v) ? v->mdev->assigned : (struct matrix){};
}

static struct mask row_of(const struct matrix *m, unsigned adapter)
{
	return mask_test(&m->adapters, adapter) ? m->domains : (struct mask){};
}

struct mask verdict_new_domains(const struct verdict *v, unsigned adapter)
{
	struct mask now =
		verdict_is_readable(v) ? row_of(&v->mdev->assigned, adapter) : (struct mask){};
	struct mask then = v->has_target ? row_of(&v->target, adapter) : (struct mask){};

	return mask_andnot(&then, &now);
}

struct mask verdict_shed_domains(const struct verdict *v, unsigned adapter)
{
	struct mask now =
		verdict_is_readable(v) ? row_of(&v->mdev->assigned, adapter) : (struct mask){};
	struct mask then = v->has_target ? row_of(&v->target, adapter) : (struct mask){};

	return mask_andnot(&now, &then);
}

void verdict_set(struct planner *p, struct verdict *v, enum verdict_kind kind, const char *reason,
	const char *format, ...)
{
	char *message;
	va_list ap;
	int r;

	va_start(ap, format);
	r = vasprintf(&message, format, ap);
	va_end(ap);
	if (r < 0) {
		p->failed = true;
		return;
	}
	free(v->message);
	v->message = message;
	v->kind = kind;
	v->reason = reason;
}

void planner_problem(struct planner *p, enum problem_severity severity, const char *code,
	const struct verdict *v, struct origin origin, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;
	int r;

	va_start(ap, format);
	r = vasprintf(&text, format, ap);
	va_end(ap);
	if (r < 0 ||
		problems_add(&p->plan->problems, severity, code, v ? verdict_name(v) : "",
			origin.file, origin.line, "%s", text) < 0)
		p->failed = true;
}

void planner_block(struct planner *p, struct verdict *v, const char *reason, const char *code,
	struct origin origin, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;
	int r;

	va_start(ap, format);
	r = vasprintf(&text, format, ap);
	va_end(ap);
	if (r < 0) {
		text = NULL;
		p->failed = true;
		return;
	}
	verdict_freeze(v);
	verdict_set(p, v, VERDICT_BLOCKED, reason, "%s", text);
	planner_problem(p, PROBLEM_ERROR, code, v, origin, "%s", text);
}

#define NAMED_QUEUES 8u

char *planner_queues_text(struct planner *p, const struct queues *q)
{
	unsigned n = queues_count(q), named = n > NAMED_QUEUES ? NAMED_QUEUES : n, i = 0;
	struct mask adapters = queues_adapters(q);
	char *text = NULL, name[QUEUE_NAME_SIZE];
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f) {
		p->failed = true;
		return NULL;
	}
	MASK_FOREACH (a, &adapters) {
		MASK_FOREACH (d, &q->row[a]) {
			if (i == named)
				break;
			queue_format(a, d, name);
			fprintf(f, "%s%s", i++ ? ", " : "", name);
		}
	}
	if (n > named)
		fprintf(f, " and %u more", n - named);
	if (fclose(f) != 0) {
		free(text);
		p->failed = true;
		return NULL;
	}
	return text;
}

struct mask plan_host_domains(const struct plan *p, unsigned adapter)
{
	if (!mask_test(&p->apmask, adapter))
		return (struct mask){};
	return mask_andnot(&p->aqmask, &p->override.row[adapter]);
}

const struct hold *planner_hold(const struct planner *p, const char *uuid)
{
	size_t low = 0, high = p->in->n_holds;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int r = strcmp(p->in->holds[mid].uuid, uuid);

		if (r == 0)
			return &p->in->holds[mid];
		if (r < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* Steps of a device that failed before are not in the plan, since it is frozen; what it keeps is
 * known to all passes.  That is why holds are judged first and not filtered last. */
int plan_make(const struct plan_input *in, struct plan **ret)
{
	_cleanup_(cleanup_plan_free) struct plan *plan = calloc(1, sizeof(*plan));
	struct planner p = {
		.config = in->config,
		.observed = in->observed,
		.ledger = in->ledger,
		.in = in,
		.plan = plan,
	};

	if (!plan)
		return -ENOMEM;
	planner_judge(&p);
	if (!p.failed)
		planner_resolve_conflicts(&p);
	if (!p.failed)
		planner_solve_pool(&p);
	if (!p.failed)
		planner_emit_steps(&p);
	if (p.failed)
		return -ENOMEM;
	*ret = TAKE_PTR(plan);
	return 0;
}

void plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->n_verdicts; i++)
		free(p->verdicts[i].message);
	free(p->verdicts);
	free(p->steps);
	problems_done(&p->problems);
	free(p);
}

const struct verdict *plan_find(const struct plan *p, const char *uuid)
{
	for (size_t i = 0; i < p->n_verdicts; i++)
		if (strcmp(p->verdicts[i].uuid, uuid) == 0)
			return &p->verdicts[i];
	return NULL;
}

static const char *const stage_title[] = {
	[STAGE_RELEASE] = "Give up what others are to get",
	[STAGE_POOL] = "Take queues from the host",
	[STAGE_GROW] = "Make and fill mediated devices",
};

int plan_format(const struct plan *p, char **ret)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	int r = 0;

	if (!f)
		return -ENOMEM;
	if (p->n_steps == 0)
		fputs("nothing to do\n", f);
	for (size_t i = 0; i < p->n_steps && r == 0; i++) {
		_cleanup_free_ char *line = NULL;

		if (i == 0 || p->steps[i].stage != p->steps[i - 1].stage)
			fprintf(f, "%s:\n", stage_title[p->steps[i].stage]);
		r = step_format(&p->steps[i], &line);
		if (r == 0)
			fprintf(f, "  %s\n", line);
	}
	if (ferror(f))
		r = -ENOMEM;
	if (fclose(f) != 0 || r < 0) {
		free(text);
		return -ENOMEM;
	}
	*ret = text;
	return 0;
}
