/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The scripts of kernel.rules: reading the file, and doing them line by line.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rules.h"
#include "util/cleanup.h"

#define TEXT_SIZE 8192u

/* How long a uevent that is expected may take, and how long none must come. */
#define UEVENT_MSEC 5000
#define SILENCE_MSEC 300

static const char *const profile_names[N_PROFILES] = {[PROFILE_5_10] = "5.10",
	[PROFILE_6_1] = "6.1",
	[PROFILE_6_12] = "6.12",
	[PROFILE_7_2] = "7.2"};

static const char *const uuids[] = {RULES_UUID_A, RULES_UUID_B, RULES_UUID_C};

static const char *const given_matrix_a[] = {
	"bus/ap/apmask = -5,-6 -> ok",
	"create A -> ok",
	"A/assign_adapter = 5 -> ok",
	"A/assign_domain = 4 -> ok",
	"A/assign_domain = 0xab -> ok",
};

const char *rules_profile_name(enum model_profile profile)
{
	return profile_names[profile];
}

/* --- the file ------------------------------------------------------------------------------- */

void rules_done(struct rules *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->items[i].name);
		free(r->items[i].script);
	}
	free(r->items);
	free(r->hardware);
	*r = (struct rules){0};
}

static int append(char **text, const char *line)
{
	size_t old = *text ? strlen(*text) : 0;
	char *longer = realloc(*text, old + strlen(line) + 2);

	if (!longer)
		return -ENOMEM;
	sprintf(longer + old, "%s\n", line);
	*text = longer;
	return 0;
}

/* "NAME [all]", "NAME [6.1 6.12]" or "NAME [all model]" */
static int add_rule(struct rules *r, char *title)
{
	char *list = strrchr(title, '['), *word;
	struct rule rule = {0}, *items;

	if (!list || list == title)
		return -EINVAL;
	list[-1] = 0;
	*list++ = 0;
	list[strcspn(list, "]")] = 0;
	while ((word = strsep(&list, " "))) {
		if (strcmp(word, "model") == 0)
			rule.model_only = true;
		for (unsigned i = 0; i < ARRAY_SIZE(profile_names); i++)
			if (strcmp(word, "all") == 0 || strcmp(word, profile_names[i]) == 0)
				rule.profiles |= 1u << i;
	}
	if (rule.profiles == 0)
		return -EINVAL;
	items = reallocarray(r->items, r->n + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	r->items = items;
	rule.name = strdup(title);
	if (!rule.name)
		return -ENOMEM;
	r->items[r->n++] = rule;
	return 0;
}

static int add_line(struct rules *r, char *line)
{
	static const char hardware[] = "# hardware: ";

	if (strncmp(line, "## ", 3) == 0)
		return add_rule(r, line + 3);
	if (strncmp(line, hardware, strlen(hardware)) == 0)
		return append(&r->hardware, line + strlen(hardware));
	if (!*line || *line == '#')
		return 0;
	if (r->n == 0)
		return -EINVAL;
	return append(&r->items[r->n - 1].script, line);
}

int rules_load(const char *path, struct rules *ret)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	struct rules r = {0};
	char line[1024];
	int result = 0;

	if (!file)
		return -errno;
	while (result == 0 && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		result = add_line(&r, line);
	}
	for (size_t i = 0; result == 0 && i < r.n; i++)
		if (!r.items[i].script)
			result = -EINVAL;
	if (result < 0 || r.n == 0 || !r.hardware) {
		rules_done(&r);
		return result < 0 ? result : -EINVAL;
	}
	*ret = r;
	return 0;
}

/* --- a line --------------------------------------------------------------------------------- */

/* "A/matrix", "TYPE/create": what a script calls short. */
void rules_expand_path(const char *path, char *buf, size_t size)
{
	if (strncmp(path, "TYPE/", 5) == 0)
		snprintf(buf, size, "%s/%s", RULES_TYPE, path + 5);
	else if (path[0] >= 'A' && path[0] <= 'C' && path[1] == '/')
		snprintf(buf, size, "devices/vfio_ap/matrix/%s/%s", uuids[path[0] - 'A'], path + 2);
	else
		snprintf(buf, size, "%s", path);
}

/* A, B and C as words of a command. */
static void expand_words(const char *text, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = 0;
	while (*text && used + 1 < size) {
		size_t n = strcspn(text, " ");
		const char *word = text;
		size_t length = n;

		if (n == 1 && *text >= 'A' && *text <= 'C') {
			word = uuids[*text - 'A'];
			length = strlen(word);
		}
		used += (size_t)snprintf(
			buf + used, size - used, "%.*s%s", (int)length, word, text[n] ? " " : "");
		text += text[n] ? n + 1 : n;
	}
}

static const char *result_name(int result)
{
	if (result == 0)
		return "ok";
	return result < 0 ? strerrorname_np(-result) : "more than 0";
}

static void bars(char *text, char from, char to)
{
	for (char *p = text; (p = strchr(p, from)); p++)
		*p = to;
}

static void do_write(
	const struct rules_target *t, const char *what, char *text, char got[static TEXT_SIZE])
{
	char path[512];

	bars(text, '|', '\n');
	rules_expand_path(what, path, sizeof(path));
	snprintf(got, TEXT_SIZE, "%s", result_name(t->write(t->userdata, path, text)));
}

static void do_read(const struct rules_target *t, const char *what, char got[static TEXT_SIZE])
{
	char path[512];

	if (strcmp(what, "check") == 0) {
		t->check(t->userdata, got, TEXT_SIZE);
		return;
	}
	rules_expand_path(what, path, sizeof(path));

	ssize_t n = t->read(t->userdata, path, got, TEXT_SIZE - 1);

	if (n < 0) {
		snprintf(got, TEXT_SIZE, "-%s", result_name((int)n));
		return;
	}
	if (n > 0 && got[n - 1] == '\n')
		n--;
	got[n] = 0;
	bars(got, '\n', '|');
}

/* --- uevents -------------------------------------------------------------------------------- */

/* Those that no line has asked for yet, oldest first: "change devices/ap SUBSYSTEM=ap ... ", with
 * a blank behind each word. */
static struct {
	char *items[1024];
	size_t n;
} uevents;

static void uevents_drop(size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(uevents.items[i]);
	memmove(uevents.items, uevents.items + n, (uevents.n - n) * sizeof(*uevents.items));
	uevents.n -= n;
}

static const char *property(const char *raw, size_t n, const char *key)
{
	size_t length = strlen(key);

	for (const char *p = raw; p < raw + n; p += strlen(p) + 1)
		if (strncmp(p, key, length) == 0 && p[length] == '=')
			return p + length + 1;
	return "";
}

/* False if none came within @msec. */
static bool uevents_take(const struct rules_target *t, int msec)
{
	char raw[TEXT_SIZE];
	ssize_t n = t->next_uevent(t->userdata, msec, raw, sizeof(raw) - 1);
	char *text = NULL;
	size_t size;
	FILE *f;

	if (n < 0)
		return false;
	raw[n] = 0;
	if (uevents.n == ARRAY_SIZE(uevents.items))
		uevents_drop(1);
	f = open_memstream(&text, &size);
	if (!f)
		return false;
	fprintf(f, "%s %s ", property(raw, (size_t)n, "ACTION"),
		property(raw, (size_t)n, "DEVPATH") + 1);
	for (const char *p = raw; p < raw + n; p += strlen(p) + 1)
		fprintf(f, "%s ", p);
	fclose(f);
	bars(text, '\n', '|');
	uevents.items[uevents.n++] = text;
	return true;
}

static void uevents_forget(const struct rules_target *t)
{
	while (uevents_take(t, 0))
		;
	uevents_drop(uevents.n);
}

/* "change devices/ap ", then perhaps words that are among the others. */
static bool uevent_fits(const char *event, const char *wanted)
{
	const char *space = strchr(wanted, ' ');
	size_t head = (size_t)(strchrnul(space + 1, ' ') - wanted);

	if (strncmp(event, wanted, head) != 0 || event[head] != ' ')
		return false;
	for (const char *word = wanted + head; *word;) {
		size_t n = strcspn(word + 1, " ");
		char text[512];

		snprintf(text, sizeof(text), " %.*s ", (int)n, word + 1);
		if (!strstr(event + head, text))
			return false;
		word += 1 + n;
	}
	return true;
}

/* "ACTION PATH [KEY=VALUE...]": yes, and with it all before it is done with; or no. */
static void find_uevent(
	const struct rules_target *t, const char *what, bool expected, char got[static TEXT_SIZE])
{
	char path[512], wanted[1024];
	const char *space = strchr(what, ' ');
	size_t n = space ? strcspn(space + 1, " ") : 0, i = 0;

	snprintf(got, TEXT_SIZE, "no");
	if (!space)
		return;
	snprintf(path, sizeof(path), "%.*s%s", (int)n, space + 1, n == 1 ? "/" : "");
	rules_expand_path(strdupa(path), path, sizeof(path));
	path[strcspn(path, " ")] = 0;
	if (n == 1)
		path[strlen(path) - 1] = 0;
	snprintf(wanted, sizeof(wanted), "%.*s %s%s", (int)(space - what), what, path,
		space + 1 + n);
	do {
		for (; i < uevents.n; i++) {
			if (!uevent_fits(uevents.items[i], wanted))
				continue;
			uevents_drop(i + 1);
			snprintf(got, TEXT_SIZE, "yes");
			return;
		}
	} while (uevents_take(t, expected ? UEVENT_MSEC : SILENCE_MSEC));
}

/* What stands left of the arrow. */
static int do_action(const struct rules_target *t, char *action, char got[static TEXT_SIZE])
{
	char command[512], *text;

	if (strncmp(action, "! ", 2) == 0) {
		expand_words(action + 2, command, sizeof(command));
		snprintf(got, TEXT_SIZE, "%s", result_name(t->control(t->userdata, command)));
		return 0;
	}
	if (strncmp(action, "create ", 7) == 0) {
		expand_words(action + 7, command, sizeof(command));
		do_write(t, "TYPE/create", command, got);
		return 0;
	}
	text = strstr(action, " = ");
	if (!text)
		return -EINVAL;
	*text = 0;
	do_write(t, action, text + 3, got);
	return 0;
}

static int fail(char **ret_error, const char *format, ...) _printf_(2, 3);

static int fail(char **ret_error, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = vasprintf(ret_error, format, args);
	va_end(args);
	return r < 0 ? -ENOMEM : -EINVAL;
}

int rules_run_line(const struct rules_target *target, const char *line, char **ret_error)
{
	_cleanup_free_ char *copy = strdup(line);
	char got[TEXT_SIZE] = "";
	const char *expected;
	char *sign;

	if (!copy)
		return -ENOMEM;
	if (!target->check && strncmp(line, "check :", 7) == 0) {
		++*target->n_unasked;
		return 0;
	}
	if (strcmp(line, "given matrix A") == 0) {
		int r = 0;

		for (size_t i = 0; r == 0 && i < ARRAY_SIZE(given_matrix_a); i++)
			r = rules_run_line(target, given_matrix_a[i], ret_error);
		return r;
	}
	if ((sign = strstr(copy, " -> "))) {
		*sign = 0;
		expected = sign + 4;
		if (do_action(target, copy, got) < 0)
			return fail(ret_error, "\"%s\" is not understood", line);
	} else if ((sign = strstr(copy, " :"))) {
		*sign = 0;
		expected = sign[2] == ' ' ? sign + 3 : sign + 2;
		if (strncmp(copy, "uevent ", 7) == 0)
			find_uevent(target, copy + 7, strcmp(expected, "yes") == 0, got);
		else
			do_read(target, copy, got);
		if (strcmp(copy, "check") == 0)
			got[strlen(expected)] = 0;
	} else {
		return fail(ret_error, "\"%s\" expects nothing", line);
	}
	if (strcmp(got, expected) != 0)
		return fail(ret_error, "\"%s\" gave \"%s\"", line, got);
	return 0;
}

int rule_run(const struct rules_target *target, const struct rule *rule, char **ret_error)
{
	_cleanup_free_ char *copy = strdup(rule->script);
	char *rest = copy, *line;
	int r = copy ? 0 : -ENOMEM;

	uevents_forget(target);
	while (r == 0 && (line = strsep(&rest, "\n")))
		if (*line)
			r = rules_run_line(target, line, ret_error);
	return r;
}
