/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scenario/print.h"

#include <string.h>

#include "scenario/attribute.h"

/* Conditions are shown where they are not what everybody hopes for. */
static void print_conditions(FILE *f, const struct matrix_status *m)
{
	static const bool hoped[] = {
		[CONDITION_VALID] = true,
		[CONDITION_PRESENT] = true,
		[CONDITION_ASSIGNED] = true,
		[CONDITION_EFFECTIVE] = true,
		[CONDITION_APPLYING] = false,
	};

	const struct condition *valid = &m->conditions[CONDITION_VALID];

	for (size_t i = 0; i < N_CONDITIONS; i++) {
		const struct condition *c = &m->conditions[i];

		if (i == CONDITION_ATTACHED || c->status == hoped[i])
			continue;
		/* A definition that cannot be carried out explains what follows from that. */
		if (c != valid && !valid->status && strcmp(c->reason, valid->reason) == 0)
			continue;
		/* Without a device, that alone says it. */
		if (strcmp(c->reason, "NoDevice") == 0)
			continue;
		fprintf(f, "\n    %s=%s %s%s%s", condition_type_to_string((enum condition_type)i),
			c->status ? "yes" : "no", c->reason, c->message[0] ? ": " : "", c->message);
	}
}

static void print_one(FILE *f, const struct matrix_status *m)
{
	struct matrix shown = m->assigned, none = {};

	fprintf(f, "%s %s:", m->name[0] ? m->name : m->uuid, matrix_state_to_string(m->state));
	if (m->conditions[CONDITION_PRESENT].status) {
		fputc(' ', f);
		attribute_print_matrix(f, &shown);
		if (m->name[0] && !matrix_equal(&m->assigned, &m->configured)) {
			fputs(", configured ", f);
			attribute_print_matrix(f, &m->configured);
		}
		shown.control_domains = none.control_domains;
		if (strcmp(m->conditions[CONDITION_EFFECTIVE].reason, "Unknown") != 0 &&
			!matrix_equal(&shown, &m->guest_matrix)) {
			fputs(", guest ", f);
			attribute_print_matrix(f, &m->guest_matrix);
		}
	} else {
		fputs(" no device", f);
	}
	if (m->attached)
		fputs(", attached", f);
	if (m->attached && m->vm_pid)
		fprintf(f, " to pid %u", m->vm_pid);
	if (m->attached && m->vm_name[0])
		fprintf(f, " (%s)", m->vm_name);
	print_conditions(f, m);
	fputc('\n', f);
}

static int compare_name(const void *a, const void *b)
{
	const struct matrix_status *const *x = a, *const *y = b;
	int r = strcmp((*x)->name, (*y)->name);

	return r ? r : strcmp((*x)->uuid, (*y)->uuid);
}

char *print_status(struct world *w)
{
	const struct status *s = engine_status(world_engine(w));
	_cleanup_free_ const struct matrix_status **sorted =
		calloc(s->n_matrices + 1, sizeof(*sorted));
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	for (size_t i = 0; i < s->n_matrices; i++)
		sorted[i] = &s->matrices[i];
	qsort(sorted, s->n_matrices, sizeof(*sorted), compare_name);
	for (size_t i = 0; i < s->n_matrices; i++)
		print_one(f, sorted[i]);
	fclose(f);
	return text;
}

static void print_mask(FILE *f, const char *name, const struct mask *m)
{
	struct mask full = mask_full(), cleared = mask_andnot(&full, m);
	char list[MASK_LIST_SIZE];

	mask_format_list(&cleared, list);
	if (mask_is_empty(m))
		fprintf(f, "%s: none\n", name);
	else
		fprintf(f, "%s: all%s%s\n", name, list[0] ? " but " : "", list);
}

char *print_host(struct world *w)
{
	const struct status *s = engine_status(world_engine(w));
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fprintf(f, "%s, pool %s\n", host_state_to_string(s->state), pool_mode_to_string(s->pool));
	print_mask(f, "apmask", &s->apmask);
	print_mask(f, "aqmask", &s->aqmask);
	fclose(f);
	return text;
}

char *print_problems(struct world *w)
{
	const struct status *s = engine_status(world_engine(w));
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	for (size_t i = 0; i < s->problems.n; i++) {
		_cleanup_free_ char *line = NULL;

		problem_format(&s->problems.items[i], &line);
		fprintf(f, "%s: %s\n", problem_severity_to_string(s->problems.items[i].severity),
			line);
	}
	fclose(f);
	return text;
}

static void keep_plan(void *userdata, const struct engine_result *result)
{
	char **text = userdata;

	if (result->error == ENGINE_OK && plan_format(result->plan, text) == 0)
		return;
	if (asprintf(text, "%s: %s\n", engine_error_to_string(result->error), result->message) < 0)
		*text = NULL;
}

char *print_plan(struct world *w)
{
	char *text = NULL;

	engine_plan(world_engine(w), world_now(w), keep_plan, &text);
	world_settle(w);
	/* Whoever waits for the lock, or for a write, is told so after a while. */
	if (!text)
		world_wait(w, 25 * UINT64_C(1000000));
	return text ? text : strdup("no answer\n");
}

char *print_writes(struct world *w)
{
	const struct model_log_entry *log;
	size_t n = model_log(world_model(w), &log), size;
	char *text = NULL;
	FILE *f = open_memstream(&text, &size);

	for (size_t i = 0; i < n; i++)
		if (!world_was_by_hand(w, i))
			attribute_print_write(f, w, &log[i]);
	fclose(f);
	model_log_clear(world_model(w));
	world_forget_hands(w);
	return text;
}
