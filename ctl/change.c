/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/change.h"

#include <string.h>

#include "ctl/object_text.h"
#include "ctl/table.h"

#define LABEL_WIDTH 15

static const struct row {
	const char *label, *property;
} rows[] = {
	{"UUID", "UUID"},
	{"Adapters", "ConfiguredAdapters"},
	{"Domains", "ConfiguredDomains"},
	{"ControlDomains", "ConfiguredControlDomains"},
	{"Guest", "Guest"},
	{"Start", "StartMode"},
};

static const struct object_property *property_of(const char *name)
{
	for (size_t i = 0; i < N_MATRIX_PROPERTIES; i++)
		if (strcmp(matrix_properties[i].name, name) == 0)
			return &matrix_properties[i];
	return NULL;
}

/* A property's text; "-" for what is empty.  NULL: out of memory. */
static char *text_of(const struct object_property *p, const struct client_matrix *m)
{
	char *text;

	if (object_format(p, m, &text) < 0)
		return NULL;
	if (*text)
		return text;
	free(text);
	return strdup("-");
}

/* Returns the number of lines printed: 0 where the property is the same, or new and empty. */
static unsigned print_row(const struct row *row, const struct client_matrix *before,
	const struct client_matrix *after, FILE *out)
{
	const struct object_property *p = property_of(row->property);
	_cleanup_free_ char *is = text_of(p, after);
	_cleanup_free_ char *was = before ? text_of(p, before) : NULL;

	if (!is || strcmp(was ? was : "-", is) == 0)
		return 0;
	fprintf(out, "%*s: %s%s%s\n", LABEL_WIDTH, row->label, was ? was : "", was ? " -> " : "",
		is);
	return 1;
}

/* Why the matrix is not simply there. */
static const struct condition_item *find_rest(const struct client_matrix *m)
{
	const struct condition_item *c = client_matrix_trouble(m);

	if (!c)
		c = client_matrix_condition(m, "Present");
	return c && !c->status ? c : NULL;
}

static void print_rest(const struct client_matrix *m, const struct term *t, FILE *out)
{
	const struct condition_item *c = find_rest(m);
	bool waits = strcmp(m->state, "pending") == 0 || strcmp(m->state, "defined") == 0;

	if (!c)
		return;
	fprintf(out, "%*s: ", LABEL_WIDTH, waits ? "Waits" : "Problem");
	text_wrap(*c->message ? c->message : c->reason, LABEL_WIDTH + 2, LABEL_WIDTH + 2, t, out);
	fputc('\n', out);
}

void change_print(const char *done, const struct client_matrix *before,
	const struct client_matrix *after, const struct term *t, FILE *out)
{
	const struct client_matrix *m = after ? after : before;
	enum style style = state_style(m->state);
	unsigned n = 0;

	fprintf(out, "%s%s%s is %s", term_style(t, STYLE_BOLD),
		client_matrix_title(before ? before : after), term_reset(t, STYLE_BOLD), done);
	if (after)
		fprintf(out, ": %s%s%s", term_style(t, style), after->state, term_reset(t, style));
	fputc('\n', out);
	if (!after)
		return;
	/* One without a name is defined no more. */
	for (size_t i = 0; i < ARRAY_SIZE(rows) && *after->name; i++)
		n += print_row(&rows[i], before, after, out);
	if (n == 0 && *after->name)
		fprintf(out, "%*s: what is shown of it is as before\n", LABEL_WIDTH, "Changes");
	print_rest(after, t, out);
}

static struct json_object *json_of_matrix(const struct client_matrix *m)
{
	return m ? json_of_object(matrix_properties, N_MATRIX_PROPERTIES, m, UINT32_MAX) : NULL;
}

struct json_object *change_json(
	const struct client_matrix *before, const struct client_matrix *after)
{
	struct json_object *value = json_object_new_object();
	const struct client_matrix *m = before ? before : after;

	json_put_string(value, "Name", m->name);
	json_put_string(value, "UUID", m->uuid);
	json_put(value, "Before", json_of_matrix(before));
	json_put(value, "After", json_of_matrix(after));
	return value;
}
