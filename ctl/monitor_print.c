/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/monitor_print.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "ctl/json.h"
#include "ctl/object_text.h"

static struct json_object *event_json(const char *event)
{
	struct json_object *value = json_object_new_object();
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	json_put_number(value, "Time", (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000);
	json_put_string(value, "Event", event);
	return value;
}

/* "15:04:05.123 guest1: " */
static void begin(const struct monitor_output *o, const char *title)
{
	_cleanup_free_ char *clean = text_clean_copy(title);
	struct timespec ts;
	char clock[16] = "";
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (localtime_r(&ts.tv_sec, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	printf("%s%s.%03ld%s %s%s%s: ", term_style(o->term, STYLE_DIM), clock, ts.tv_nsec / 1000000,
		term_reset(o->term, STYLE_DIM), term_style(o->term, STYLE_BOLD),
		clean ? clean : "?", term_reset(o->term, STYLE_BOLD));
}

static void print_scalar(const struct monitor_output *o, const char *title,
	const struct object_property *p, const char *before, const char *after)
{
	enum style style = strcmp(p->name, "State") == 0 ? state_style(after) : STYLE_NONE;

	begin(o, title);
	printf("%s: %s %s %s%s%s\n", p->name, *before ? before : "-", term_pick(o->term, "→", "->"),
		term_style(o->term, style), *after ? after : "-", term_reset(o->term, style));
}

static bool has_text(char *const *list, const char *text)
{
	for (; list && *list; list++)
		if (strcmp(*list, text) == 0)
			return true;
	return false;
}

static void texts_free(char **list)
{
	for (char **s = list; s && *s; s++)
		free(*s);
	free(list);
}

/* What is in @list and not in @other, a line each behind a sign. */
static void print_items(const struct monitor_output *o, const char *title,
	const struct object_property *p, const char *sign, char *const *list, char *const *other)
{
	for (; list && *list; list++) {
		if (has_text(other, *list))
			continue;
		begin(o, title);
		printf("%s: %s%s\n", p->name, sign, *list);
	}
}

static void print_change(const struct monitor_output *o, const char *title,
	const struct object_property *p, const void *before, const void *after)
{
	_cleanup_free_ char *old = NULL, *new = NULL;
	char **old_items = NULL, **new_items = NULL;

	if (!object_is_list(p)) {
		if (object_format(p, before, &old) >= 0 && object_format(p, after, &new) >= 0 &&
			strcmp(old, new) != 0)
			print_scalar(o, title, p, old, new);
		return;
	}
	if (object_format_items(p, before, &old_items) >= 0 &&
		object_format_items(p, after, &new_items) >= 0) {
		/* A condition is never gone, it is replaced by its new form. */
		bool conditions = p->type == OBJECT_CONDITIONS;

		if (!conditions)
			print_items(o, title, p, "- ", old_items, new_items);
		print_items(o, title, p, conditions ? "" : "+ ", new_items, old_items);
	}
	texts_free(old_items);
	texts_free(new_items);
}

void monitor_print_properties(const struct monitor_output *o, const char *title, const char *path,
	const struct object_property *table, size_t n, const void *before, const void *after,
	uint32_t seen)
{
	if (o->json) {
		struct json_object *value = event_json("PropertiesChanged");

		json_put_string(value, "Object", title);
		json_put_string(value, "Path", path);
		json_put(value, "Properties", json_of_object(table, n, after, seen));
		json_print(value, JSON_SHORT, stdout);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (seen >> i & 1)
			print_change(o, title, &table[i], before, after);
}

void monitor_print_matrix(
	const struct monitor_output *o, const char *event, const struct client_matrix *m)
{
	if (o->json) {
		struct json_object *value = event_json(event);

		json_put_string(value, "Object", client_matrix_title(m));
		json_put_string(value, "Path", m->path);
		json_put(value, "Properties",
			json_of_object(matrix_properties, N_MATRIX_PROPERTIES, m, UINT32_MAX));
		json_print(value, JSON_SHORT, stdout);
		return;
	}
	begin(o, client_matrix_title(m));
	if (strcmp(event, "MatrixAdded") == 0)
		printf("added, %s\n", m->state);
	else
		puts("removed");
}

void monitor_print_attach(const struct monitor_output *o, const char *event, const char *name,
	const char *path, uint32_t pid, uint64_t sequence)
{
	if (o->json) {
		struct json_object *value = event_json(event);

		json_put_string(value, "Object", name);
		json_put_string(value, "Path", path);
		json_put_number(value, "PID", pid);
		json_put_number(value, "Sequence", sequence);
		json_print(value, JSON_SHORT, stdout);
		return;
	}
	begin(o, *name ? name : path);
	fputs(strcmp(event, "MatrixAttached") == 0 ? "a guest attached" : "its guest detached",
		stdout);
	if (pid)
		printf(", PID %" PRIu32, pid);
	putchar('\n');
}

void monitor_print_refused(const struct monitor_output *o, const char *name, const char *path,
	uint32_t pid, uint64_t sequence, int error, const char *message)
{
	_cleanup_free_ char *text = text_clean_copy(message);

	if (o->json) {
		struct json_object *value = event_json("MatrixAttachFailed");

		json_put_string(value, "Object", name);
		json_put_string(value, "Path", path);
		json_put_number(value, "PID", pid);
		json_put_number(value, "Sequence", sequence);
		json_put_number(value, "Error", (uint64_t)error);
		json_put_string(value, "Message", message);
		json_print(value, JSON_SHORT, stdout);
		return;
	}
	begin(o, *name ? name : path);
	printf("%sthe kernel refused it%s: ", term_style(o->term, STYLE_BAD),
		term_reset(o->term, STYLE_BAD));
	puts(text ? text : "");
}

void monitor_print_finished(const struct monitor_output *o, uint32_t steps, uint32_t failures)
{
	if (o->json) {
		struct json_object *value = event_json("ReconcileFinished");

		json_put_string(value, "Object", "host");
		json_put_number(value, "Steps", steps);
		json_put_number(value, "Failures", failures);
		json_print(value, JSON_SHORT, stdout);
		return;
	}
	begin(o, "host");
	printf("reconcile finished, %" PRIu32 " step%s", steps, steps == 1 ? "" : "s");
	if (failures)
		printf(", %s%" PRIu32 " failed%s", term_style(o->term, STYLE_BAD), failures,
			term_reset(o->term, STYLE_BAD));
	putchar('\n');
}

void monitor_print_daemon(const struct monitor_output *o, const char *event)
{
	if (o->json) {
		json_print(event_json(event), JSON_SHORT, stdout);
		return;
	}
	begin(o, "apmatrixd");
	puts(strcmp(event, "DaemonStarted") == 0 ? "started" : "stopped");
}
