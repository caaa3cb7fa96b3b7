/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/object_text.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "ctl/table.h"

#define USEC_PER_SEC UINT64_C(1000000)

const char *numbers_format(const struct mask *m, char buf[static MASK_LIST_SIZE])
{
	if (mask_is_empty(m))
		return "-";
	mask_format_list(m, buf);
	return buf;
}

static bool is_list(enum object_type type)
{
	return type == OBJECT_STRINGS || type == OBJECT_CONDITIONS || type == OBJECT_PROBLEMS;
}

static size_t list_length(enum object_type type, const void *field)
{
	size_t n = 0;

	if (type == OBJECT_CONDITIONS)
		return ((const struct condition_list *)field)->n;
	if (type == OBJECT_PROBLEMS)
		return ((const struct problem_list *)field)->n;
	for (char *const *s = *(char **const *)field; s && s[n]; n++)
		;
	return n;
}

static void condition_print(const struct condition_item *c, FILE *out)
{
	fprintf(out, "%s %s", c->type, c->status ? "yes" : "no");
	if (*c->reason)
		fprintf(out, " %s", c->reason);
	if (*c->message)
		fprintf(out, ": %s", c->message);
}

static void place_print(const struct problem_item *p, FILE *out)
{
	if (*p->file && p->line)
		fprintf(out, "%s:%" PRIu32 ": ", p->file, p->line);
	else if (*p->file)
		fprintf(out, "%s: ", p->file);
}

static void item_print(enum object_type type, const void *field, size_t i, FILE *out)
{
	const struct problem_item *problem;

	switch (type) {
	case OBJECT_CONDITIONS:
		condition_print(&((const struct condition_list *)field)->items[i], out);
		break;
	case OBJECT_PROBLEMS:
		problem = &((const struct problem_list *)field)->items[i];
		fprintf(out, "%s ", problem->severity);
		place_print(problem, out);
		fputs(problem->text, out);
		break;
	default:
		fputs((*(char **const *)field)[i], out);
		break;
	}
}

static void scalar_print(enum object_type type, const void *field, FILE *out)
{
	char list[MASK_LIST_SIZE];

	switch (type) {
	case OBJECT_STRING:
		fputs(*(char *const *)field, out);
		break;
	case OBJECT_BOOL:
		fputs(*(const bool *)field ? "yes" : "no", out);
		break;
	case OBJECT_U32:
		fprintf(out, "%" PRIu32, *(const uint32_t *)field);
		break;
	case OBJECT_U64:
		fprintf(out, "%" PRIu64, *(const uint64_t *)field);
		break;
	default:
		mask_format_list(field, list);
		fputs(list, out);
		break;
	}
}

int object_format(const struct object_property *p, const void *object, char **ret)
{
	const void *field = (const char *)object + p->offset;
	size_t size, n = is_list(p->type) ? list_length(p->type, field) : 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return -ENOMEM;
	if (!is_list(p->type))
		scalar_print(p->type, field, out);
	for (size_t i = 0; i < n; i++) {
		fputs(i ? "; " : "", out);
		item_print(p->type, field, i, out);
	}
	if (fclose(out) != 0) {
		free(text);
		return -ENOMEM;
	}
	*ret = text;
	return 0;
}

bool object_is_list(const struct object_property *p)
{
	return is_list(p->type);
}

static char *item_format(enum object_type type, const void *field, size_t i)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	item_print(type, field, i, out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

int object_format_items(const struct object_property *p, const void *object, char ***ret)
{
	const void *field = (const char *)object + p->offset;
	size_t n = list_length(p->type, field);
	char **items = calloc(n + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		items[i] = item_format(p->type, field, i);
		if (items[i])
			continue;
		while (i > 0)
			free(items[--i]);
		free(items);
		return -ENOMEM;
	}
	*ret = items;
	return 0;
}

static void list_print(const struct object_property *p, const void *field, FILE *out)
{
	size_t n = list_length(p->type, field);

	if (n == 0)
		fprintf(out, "%s=\n", p->name);
	for (size_t i = 0; i < n; i++) {
		fprintf(out, "%s=", p->name);
		item_print(p->type, field, i, out);
		fputc('\n', out);
	}
}

void object_print(const struct object_property *table, size_t n, const void *object, FILE *out)
{
	for (size_t i = 0; i < n; i++) {
		const void *field = (const char *)object + table[i].offset;

		if (is_list(table[i].type)) {
			list_print(&table[i], field, out);
			continue;
		}
		fprintf(out, "%s=", table[i].name);
		scalar_print(table[i].type, field, out);
		fputc('\n', out);
	}
}

const char *client_matrix_title(const struct client_matrix *m)
{
	return *m->name ? m->name : m->uuid;
}

const struct condition_item *client_matrix_condition(
	const struct client_matrix *m, const char *type)
{
	for (size_t i = 0; i < m->conditions.n; i++)
		if (strcmp(m->conditions.items[i].type, type) == 0)
			return &m->conditions.items[i];
	return NULL;
}

const struct condition_item *client_matrix_trouble(const struct client_matrix *m)
{
	static const char *const types[] = {"Valid", "Present", "Assigned", "Effective"};
	bool fine = strcmp(m->state, "defined") == 0 || strcmp(m->state, "active") == 0 ||
		strcmp(m->state, "attached") == 0 || strcmp(m->state, "foreign") == 0;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		const struct condition_item *c = client_matrix_condition(m, types[i]);

		if (c && !c->status)
			return fine && i > 0 ? NULL : c;
	}
	return NULL;
}

static const struct {
	const char *state;
	enum style style;
	const char *mark, *ascii;
} state_table[] = {
	{"attached", STYLE_GOOD, "●", "*"},
	{"active", STYLE_GOOD, "●", "*"},
	{"running", STYLE_GOOD, "●", "*"},
	{"degraded", STYLE_WARN, "●", "*"},
	{"pending", STYLE_WARN, "●", "*"},
	{"applying", STYLE_WARN, "●", "*"},
	{"failed", STYLE_BAD, "×", "x"},
	{"defined", STYLE_DIM, "○", "o"},
	{"foreign", STYLE_DIM, "○", "o"},
	{"starting", STYLE_DIM, "○", "o"},
	{"waiting", STYLE_DIM, "○", "o"},
};

const char *state_mark(const struct term *t, const char *state)
{
	for (size_t i = 0; i < ARRAY_SIZE(state_table); i++)
		if (strcmp(state_table[i].state, state) == 0)
			return term_pick(t, state_table[i].mark, state_table[i].ascii);
	return "?";
}

enum style state_style(const char *state)
{
	for (size_t i = 0; i < ARRAY_SIZE(state_table); i++)
		if (strcmp(state_table[i].state, state) == 0)
			return state_table[i].style;
	return STYLE_NONE;
}

/* "3d 4h", "3h 12min", "12min 5s", "5s": the two largest units. */
static void span_format(uint64_t seconds, char *buf, size_t size)
{
	uint64_t days = seconds / 86400, hours = seconds / 3600 % 24;
	uint64_t minutes = seconds / 60 % 60, rest = seconds % 60;

	if (days)
		snprintf(buf, size, "%" PRIu64 "d %" PRIu64 "h", days, hours);
	else if (hours)
		snprintf(buf, size, "%" PRIu64 "h %" PRIu64 "min", hours, minutes);
	else if (minutes)
		snprintf(buf, size, "%" PRIu64 "min %" PRIu64 "s", minutes, rest);
	else
		snprintf(buf, size, "%" PRIu64 "s", rest);
}

const char *since_format(uint64_t since, uint64_t now, char buf[static TIME_TEXT_SIZE])
{
	time_t seconds = (time_t)(since / USEC_PER_SEC);
	char date[40], span[40];
	struct tm tm;

	if (since == 0 || !localtime_r(&seconds, &tm))
		return "unknown";
	strftime(date, sizeof(date), "%a %Y-%m-%d %H:%M:%S", &tm);
	span_format(now > since ? (now - since) / USEC_PER_SEC : 0, span, sizeof(span));
	snprintf(buf, TIME_TEXT_SIZE, "%s (%s)", date, span);
	return buf;
}

static enum style severity_style(const char *severity)
{
	if (strcmp(severity, "error") == 0)
		return STYLE_BAD;
	return strcmp(severity, "warning") == 0 ? STYLE_WARN : STYLE_DIM;
}

/* Compilers' form, FILE:LINE first, so that editors jump there. */
void problem_list_print(const struct problem_list *l, const struct term *t, FILE *out)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct problem_item *p = &l->items[i];
		enum style style = severity_style(p->severity);

		place_print(p, out);
		fprintf(out, "%s%s:%s %s\n", term_style(t, style), p->severity,
			term_reset(t, style), p->text);
	}
}

bool problem_is_about(const struct problem_item *p, const char *title)
{
	size_t n = strlen(title);

	return strncmp(p->text, title, n) == 0 && p->text[n] == ':';
}
