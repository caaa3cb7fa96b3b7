/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/matrix_status.h"

#include <inttypes.h>
#include <string.h>

#include "ctl/table.h"

static void print_head(const struct client_matrix *m, uint64_t now, const struct term *t, FILE *out)
{
	static const struct {
		const char *mode, *meaning;
	} starts[] = {
		{"boot", "made at boot"},
		{"guest", "made when its guest starts"},
		{"manual", "made by 'apmatrixctl start'"},
	};
	enum style style = state_style(m->state);
	char since[TIME_TEXT_SIZE];
	const char *meaning = "";

	fprintf(out, "%s%s%s %s%s%s: %s%s%s\n", term_style(t, style), state_mark(t, m->state),
		term_reset(t, style), term_style(t, STYLE_BOLD), client_matrix_title(m),
		term_reset(t, STYLE_BOLD), term_style(t, style), m->state, term_reset(t, style));
	fprintf(out, "      UUID: %s\n", m->uuid);
	for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
		if (strcmp(starts[i].mode, m->start_mode) == 0)
			meaning = starts[i].meaning;
	if (*m->name)
		fprintf(out, "     Start: %s%s%s%s\n", m->start_mode, *meaning ? " (" : "", meaning,
			*meaning ? ")" : "");
	if (*m->guest)
		fprintf(out, "     Guest: %s\n", m->guest);
	if (m->attached) {
		fprintf(out, "  Attached: %s", *m->vm_name ? m->vm_name : "by an unknown process");
		if (m->vm_pid)
			fprintf(out, ", PID %" PRIu32, m->vm_pid);
		fprintf(out, ", since %s\n", since_format(m->attached_since, now, since));
	} else
		fprintf(out, "  Attached: no\n");
	if (m->attach_count)
		fprintf(out, "     Count: %" PRIu64 " attachment%s\n", m->attach_count,
			m->attach_count == 1 ? "" : "s");
}

/* The three matrices, by kind of number; the guest has no control domains to show. */
struct aspect {
	const char *name;
	const struct mask *configured, *assigned, *guest;
};

static bool condition_is(const struct client_matrix *m, const char *type, const char *reason)
{
	const struct condition_item *c = client_matrix_condition(m, type);

	return c && strcmp(c->reason, reason) == 0;
}

static bool is_present(const struct client_matrix *m)
{
	const struct condition_item *c = client_matrix_condition(m, "Present");

	return c && c->status;
}

/* The guest's matrix counts where there is a device and the kernel shows it. */
static bool guest_known(const struct client_matrix *m)
{
	return is_present(m) && !condition_is(m, "Effective", "Unknown");
}

static void set_cell(struct table *t, const struct mask *numbers, const struct mask *reference)
{
	char list[MASK_LIST_SIZE];
	const char *text = numbers_format(numbers, list);

	if (reference && !mask_equal(numbers, reference))
		table_cell(t, STYLE_WARN, "%s *", text);
	else
		table_cell(t, STYLE_NONE, "%s", text);
}

static void aspect_row(struct table *t, const struct client_matrix *m, const struct aspect *a)
{
	table_cell(t, STYLE_NONE, "%s", a->name);
	set_cell(t, a->configured, NULL);
	if (is_present(m))
		set_cell(t, a->assigned, *m->name ? a->configured : NULL);
	else
		table_cell(t, STYLE_DIM, "none");
	if (!a->guest)
		table_cell(t, STYLE_NONE, "%s", "");
	else if (guest_known(m))
		set_cell(t, a->guest, a->assigned);
	else
		table_cell(t, STYLE_DIM, "%s", is_present(m) ? "unknown" : "none");
}

static void queues_row(struct table *t, const struct client_matrix *m)
{
	unsigned configured =
		mask_count(&m->configured_adapters) * mask_count(&m->configured_domains);
	unsigned assigned = mask_count(&m->assigned_adapters) * mask_count(&m->assigned_domains);
	unsigned guest = mask_count(&m->guest_adapters) * mask_count(&m->guest_domains);

	table_cell(t, STYLE_DIM, "    Queues:");
	table_cell(t, STYLE_DIM, "%u", configured);
	table_cell(t, STYLE_DIM, "%u", assigned);
	if (guest_known(m))
		table_cell(t, STYLE_DIM, "%u", guest);
	else
		table_cell(t, STYLE_DIM, "%s", is_present(m) ? "unknown" : "0");
}

static void explain_set(const char *who, const char *verb, const char *what, const struct mask *m,
	const struct term *t, FILE *out)
{
	char list[MASK_LIST_SIZE];

	if (mask_is_empty(m))
		return;
	mask_format_list(m, list);
	fprintf(out, "%s          * the %s %s %s %s%s\n", term_style(t, STYLE_WARN), who, verb,
		what, list, term_reset(t, STYLE_WARN));
}

/* What a star in the table means, in numbers. */
static void explain_difference(const char *who, const char *what, const struct mask *has,
	const struct mask *reference, const struct term *t, FILE *out)
{
	struct mask lacking = mask_andnot(reference, has), extra = mask_andnot(has, reference);

	explain_set(who, "lacks", what, &lacking, t, out);
	explain_set(who, "has in addition", what, &extra, t, out);
}

static int print_sets(const struct client_matrix *m, const struct term *term, FILE *out)
{
	static const char *const headers[] = {"           ", "CONFIGURED", "ASSIGNED", "GUEST"};
	const struct aspect aspects[] = {
		{"  Adapters:", &m->configured_adapters, &m->assigned_adapters, &m->guest_adapters},
		{"   Domains:", &m->configured_domains, &m->assigned_domains, &m->guest_domains},
		{"   Control:", &m->configured_control_domains, &m->assigned_control_domains, NULL},
	};
	static const char *const names[] = {"adapters", "domains", "control domains"};
	_cleanup_(cleanup_table_free) struct table *t = table_new(headers, ARRAY_SIZE(headers));
	int r;

	if (!t)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(aspects); i++)
		aspect_row(t, m, &aspects[i]);
	queues_row(t, m);
	r = table_print(t, term, out);
	for (size_t i = 0; i < ARRAY_SIZE(aspects) && is_present(m); i++) {
		const struct aspect *a = &aspects[i];

		if (*m->name)
			explain_difference(
				"device", names[i], a->assigned, a->configured, term, out);
		if (a->guest && guest_known(m))
			explain_difference("guest", names[i], a->guest, a->assigned, term, out);
	}
	return r;
}

/* Attached and Applying are neither good nor bad. */
static enum style condition_style(const struct condition_item *c)
{
	if (strcmp(c->type, "Attached") == 0 || strcmp(c->type, "Applying") == 0)
		return STYLE_NONE;
	return c->status ? STYLE_GOOD : STYLE_WARN;
}

static int print_conditions(const struct client_matrix *m, const struct term *term, FILE *out)
{
	static const char *const headers[] = {"           ", "CONDITION", "", "REASON"};
	_cleanup_(cleanup_table_free) struct table *t = table_new(headers, ARRAY_SIZE(headers));

	if (!t)
		return -ENOMEM;
	for (size_t i = 0; i < m->conditions.n; i++) {
		const struct condition_item *c = &m->conditions.items[i];

		table_cell(t, STYLE_NONE, "%s", "");
		table_cell(t, STYLE_NONE, "%s", c->type);
		table_cell(t, condition_style(c), "%s", c->status ? "yes" : "no");
		table_cell(t, STYLE_NONE, "%s", c->reason);
		if (*c->message)
			table_note(t, 3, STYLE_NONE, "%s", c->message);
	}
	return m->conditions.n ? table_print(t, term, out) : 0;
}

/* "FILE:1, 2, 4" for neighbouring lines of one file. */
static void print_origin(const struct client_matrix *m, FILE *out)
{
	const char *last = "";
	size_t last_length = 0;

	for (char **o = m->origin; o && *o; o++) {
		const char *colon = strrchr(*o, ':');
		size_t length = colon ? (size_t)(colon - *o) : strlen(*o);

		if (colon && length == last_length && strncmp(*o, last, length) == 0)
			fprintf(out, ", %s", colon + 1);
		else
			fprintf(out, "%s%s", last_length ? "\n            " : "      From: ", *o);
		last = *o;
		last_length = length;
	}
	if (last_length)
		fputc('\n', out);
}

static void print_problems(const struct client_matrix *m, const struct problem_list *l,
	const struct term *term, FILE *out)
{
	bool first = true;

	for (size_t i = 0; i < l->n; i++) {
		const struct problem_list one = {.items = &l->items[i], .n = 1};

		if (!problem_is_about(&l->items[i], client_matrix_title(m)))
			continue;
		fputs(first ? "\n" : "", out);
		first = false;
		problem_list_print(&one, term, out);
	}
}

int matrix_status_print(const struct client_matrix *m, const struct problem_list *problems,
	uint64_t now, const struct term *term, FILE *out)
{
	int r;

	print_head(m, now, term, out);
	print_origin(m, out);
	fputc('\n', out);
	r = print_sets(m, term, out);
	if (r < 0)
		return r;
	fputc('\n', out);
	r = print_conditions(m, term, out);
	print_problems(m, problems, term, out);
	return r;
}
