/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs scenario files: what is given, what happens, what is expected; README.md beside this file
 * describes the words.  Output is TAP, a line a file.
 *
 *   scenario FILE...            compares
 *   scenario --update FILE...   writes what happened into the "expect" blocks, for a person to
 *                               read and judge
 */
#include <stdarg.h>
#include <string.h>

#include "scenario/attribute.h"
#include "scenario/print.h"
#include "scenario/world.h"
#include "util/cleanup.h"
#include "util/log.h"

/* A line that starts in the first column is a command; indented lines below it are its body. */
struct block {
	char *command;
	char *body; /* without the indentation */
	unsigned line;
};

struct scenario {
	const char *path;
	struct block *blocks;
	size_t n_blocks;
	struct world *world;
	bool update;
	bool failed;
	unsigned sweep;   /* after how many answers "kill sweep" kills */
	bool swept_short; /* the daemon had not come to rest by then: more can be tried */
};

#define INDENT "    "

static void fail(struct scenario *s, const struct block *b, const char *format, ...) _printf_(3, 4);

static void fail(struct scenario *s, const struct block *b, const char *format, ...)
{
	va_list ap;

	s->failed = true;
	printf("# %s:%u: ", s->path, b->line);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
}

/* ---- reading ---- */

static void append(char **text, const char *line)
{
	char *joined = NULL;

	if (asprintf(&joined, "%s%s\n", *text, line) < 0)
		abort();
	free(*text);
	*text = joined;
}

static int scenario_read(struct scenario *s)
{
	_cleanup_fclose_ FILE *f = fopen(s->path, "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	if (!f)
		return -errno;
	for (unsigned n = 1; getline(&line, &size, f) >= 0; n++) {
		struct block *b = s->n_blocks ? &s->blocks[s->n_blocks - 1] : NULL;

		line[strcspn(line, "\n")] = '\0';
		if (b && strncmp(line, INDENT, strlen(INDENT)) == 0) {
			append(&b->body, line + strlen(INDENT));
			continue;
		}
		s->blocks = realloc(s->blocks, (s->n_blocks + 1) * sizeof(*s->blocks));
		if (!s->blocks)
			abort();
		s->blocks[s->n_blocks++] = (struct block){strdup(line), strdup(""), n};
	}
	return 0;
}

static int scenario_write(const struct scenario *s)
{
	_cleanup_fclose_ FILE *f = fopen(s->path, "we");

	if (!f)
		return -errno;
	for (size_t i = 0; i < s->n_blocks; i++) {
		const char *p = s->blocks[i].body;

		fprintf(f, "%s\n", s->blocks[i].command);
		while (*p) {
			size_t n = strcspn(p, "\n");

			fprintf(f, INDENT "%.*s\n", (int)n, p);
			p += n + 1;
		}
	}
	return 0;
}

static void scenario_done(struct scenario *s)
{
	for (size_t i = 0; i < s->n_blocks; i++) {
		free(s->blocks[i].command);
		free(s->blocks[i].body);
	}
	free(s->blocks);
	if (s->world)
		world_free(s->world);
}

/* ---- what happens ---- */

/* "... -> ENODEV": what is expected of it; cut off.  NULL: success. */
static char *cut_expectation(char *text)
{
	char *arrow = strstr(text, " -> ");

	if (!arrow)
		return NULL;
	*arrow = '\0';
	return arrow + 4;
}

static void judge_errno(struct scenario *s, const struct block *b, int r, const char *expected)
{
	const char *name = r < 0 ? strerrorname_np(-r) : NULL;

	if ((!name && expected) || (name && !expected) || (name && strcmp(name, expected) != 0))
		fail(s, b, "expected %s, got %s", expected ? expected : "success",
			name ? name : "success");
}

static void do_host(struct scenario *s, struct block *b, char *rest _unused_)
{
	_cleanup_free_ char *error = NULL;

	s->world = world_new(b->body, &error);
	if (!s->world)
		fail(s, b, "%s", error ? error : "no world could be made");
}

static void do_file(struct scenario *s, struct block *b, char *rest)
{
	judge_errno(s, b, world_write_file(s->world, rest, b->body), NULL);
	world_settle(s->world);
}

static void do_remove(struct scenario *s, struct block *b, char *rest)
{
	judge_errno(s, b, world_remove_file(s->world, rest), NULL);
	world_settle(s->world);
}

static void do_link(struct scenario *s, struct block *b, char *rest)
{
	char *target = strchr(rest, ' ');

	if (!target) {
		fail(s, b, "link PATH TARGET");
		return;
	}
	*target++ = '\0';
	judge_errno(s, b, world_link_file(s->world, rest, target), NULL);
	world_settle(s->world);
}

static void do_start(struct scenario *s, struct block *b, char *rest _unused_)
{
	judge_errno(s, b, world_start(s->world), NULL);
	world_settle(s->world);
}

static void do_stop(struct scenario *s, struct block *b _unused_, char *rest _unused_)
{
	world_stop(s->world);
}

/* "kill after N": the daemon starts, gets N answers from the kernel, and dies.  "kill amid N": what
 * it wrote last is done by the kernel, but it dies before it hears of that. */
static void do_kill(struct scenario *s, struct block *b, char *rest)
{
	bool amid = strncmp(rest, "amid ", 5) == 0;
	const char *count = strchr(rest, ' ');
	bool sweep = count && strcmp(count, " sweep") == 0;
	unsigned n = s->sweep;

	if (!sweep && sscanf(rest, amid ? "amid %u" : "after %u", &n) != 1) {
		fail(s, b, "kill after N, or kill amid N");
		return;
	}
	judge_errno(s, b, world_start(s->world), NULL);
	if (world_settle_some(s->world, n) == n && sweep)
		s->swept_short = true;
	if (amid)
		world_stop_amid_writes(s->world);
	else
		world_stop(s->world);
}

static void do_sys(struct scenario *s, struct block *b, char *rest)
{
	char *expected = cut_expectation(rest);
	_cleanup_free_ char *command = world_expand(s->world, rest);

	judge_errno(s, b, model_control(world_model(s->world), command), expected);
	world_settle(s->world);
}

static void do_write(struct scenario *s, struct block *b, char *rest)
{
	char *expected = cut_expectation(rest), *equals = strstr(rest, " = ");

	if (!equals) {
		fail(s, b, "write PATH = TEXT");
		return;
	}
	*equals = '\0';

	_cleanup_free_ char *name = world_expand(s->world, rest);
	_cleanup_free_ char *value = world_expand(s->world, equals + 3);
	_cleanup_free_ char *path = attribute_path(name), *text = attribute_value(name, value);

	judge_errno(s, b, world_write_by_hand(s->world, path, text), expected);
	world_settle(s->world);
}

static void do_wait(struct scenario *s, struct block *b, char *rest)
{
	unsigned long seconds = strtoul(rest, NULL, 10);

	if (seconds == 0)
		fail(s, b, "wait SECONDS");
	world_wait(s->world, seconds * 1000000);
}

static void do_hold(struct scenario *s, struct block *b _unused_, char *rest _unused_)
{
	world_hold(s->world, true);
}

/* "settle N": N answers from the kernel reach the daemon; "settle": all, and so it goes on. */
static void do_settle(struct scenario *s, struct block *b _unused_, char *rest)
{
	if (*rest) {
		world_settle_some(s->world, (unsigned)strtoul(rest, NULL, 10));
		return;
	}
	world_hold(s->world, false);
	world_settle(s->world);
}

static void do_look(struct scenario *s, struct block *b _unused_, char *rest _unused_)
{
	world_poke(s->world);
}

static void do_lock(struct scenario *s, struct block *b _unused_, char *rest)
{
	world_set_lock_holder(s->world, strcmp(rest, "free") == 0 ? NULL : rest);
}

/* "blind REASON", "blind no" */
static void do_blind(struct scenario *s, struct block *b _unused_, char *rest)
{
	world_set_blind(s->world, strcmp(rest, "no") == 0 ? NULL : rest);
}

/* "early", "early no": scans show what was there at their beginning */
static void do_early(struct scenario *s, struct block *b _unused_, char *rest)
{
	world_set_early(s->world, strcmp(rest, "no") != 0);
}

/* "deaf", "deaf no": events of the kernel are lost */
static void do_deaf(struct scenario *s, struct block *b _unused_, char *rest)
{
	world_set_deaf(s->world, strcmp(rest, "no") != 0);
}

static void do_release(struct scenario *s, struct block *b _unused_, char *rest _unused_)
{
	model_fault_clear(world_model(s->world));
	world_release_hung(s->world);
}

/* Holds @text against the body, or puts it there; takes @text over. */
static void judge_body(struct scenario *s, struct block *b, char *text)
{
	_cleanup_free_ char *got = text;

	if (strcmp(got, b->body) == 0)
		return;
	if (s->update) {
		free(b->body);
		b->body = TAKE_PTR(got);
		return;
	}
	fail(s, b, "%s: got", b->command);
	for (char *rest = got, *line; (line = strsep(&rest, "\n")) && rest;)
		printf("# " INDENT "%s\n", line);
}

struct outcome {
	bool answered;
	enum engine_error error;
	char *message;
};

static void keep_outcome(void *userdata, const struct engine_result *result)
{
	struct outcome *o = userdata;

	o->answered = true;
	o->error = result->error;
	o->message = strdup(result->message);
}

#define WORDS_MAX 16

/* Splits at blanks; the words are cut out of @text. */
static size_t split(char *text, char *words[static WORDS_MAX])
{
	size_t n = 0;

	for (char *w = text ? strtok(text, " ") : NULL; w && n < WORDS_MAX; w = strtok(NULL, " "))
		words[n++] = w;
	return n;
}

/* "NAME KEY=VALUE ..." for Define and Update; "replace" among them allows to replace. */
static void ask_settings(
	struct engine *e, uint64_t now, const char *method, char *rest, struct outcome *o)
{
	char *words[WORDS_MAX];
	size_t n = split(rest, words), n_settings = 0;
	struct raw_setting settings[WORDS_MAX];
	bool replace = false;

	for (size_t i = 1; i < n; i++) {
		char *equals = strchr(words[i], '=');

		replace = replace || strcmp(words[i], "replace") == 0;
		if (!equals)
			continue;
		*equals = '\0';
		settings[n_settings++] = (struct raw_setting){words[i], equals + 1};
	}
	if (strcmp(method, "Define") == 0)
		engine_define(
			e, now, n ? words[0] : "", settings, n_settings, replace, keep_outcome, o);
	else
		engine_update(e, now, n ? words[0] : "", settings, n_settings, keep_outcome, o);
}

/* "GUEST UUID ..." */
static void ask_guest(struct scenario *s, struct engine *e, uint64_t now, const char *method,
	const char *rest, struct outcome *o)
{
	_cleanup_free_ char *text = world_expand(s->world, rest);
	char *words[WORDS_MAX];
	size_t n = split(text, words);
	const char *const *uuids = (const char *const *)words + 1;

	if (n == 0)
		return;
	if (strcmp(method, "PrepareGuest") == 0)
		engine_prepare_guest(e, now, words[0], uuids, n - 1, keep_outcome, o);
	else
		engine_release_guest(e, now, words[0], uuids, n - 1, keep_outcome, o);
}

/* False: there is no such method. */
static bool ask(struct scenario *s, struct engine *e, uint64_t now, const char *method, char *rest,
	struct outcome *o)
{
	if (strcmp(method, "StartMatrix") == 0)
		engine_start_matrix(e, now, rest, keep_outcome, o);
	else if (strcmp(method, "StopMatrix") == 0)
		engine_stop_matrix(e, now, rest, keep_outcome, o);
	else if (strcmp(method, "Undefine") == 0)
		engine_undefine(e, now, rest, keep_outcome, o);
	else if (strcmp(method, "Reconcile") == 0)
		engine_reconcile(e, now, keep_outcome, o);
	else if (strcmp(method, "Reload") == 0)
		engine_reload(e, now, keep_outcome, o);
	else if (strcmp(method, "Define") == 0 || strcmp(method, "Update") == 0)
		ask_settings(e, now, method, rest, o);
	else if (strcmp(method, "PrepareGuest") == 0 || strcmp(method, "ReleaseGuest") == 0)
		ask_guest(s, e, now, method, rest, o);
	else
		return false;
	return true;
}

/* "call METHOD [NAME] [-> ERROR]"; an error's message is the body. */
static void do_call(struct scenario *s, struct block *b, char *rest)
{
	struct engine *e = world_engine(s->world);
	uint64_t now = world_now(s->world);
	const char *expected = cut_expectation(rest);
	char *name = strchr(rest, ' '), *text;
	struct outcome o = {};

	if (name)
		*name++ = '\0';
	if (!ask(s, e, now, rest, name, &o))
		fail(s, b, "no method %s", rest);
	world_settle(s->world);
	if (!o.answered)
		world_wait(s->world, 25 * UINT64_C(1000000));
	if (!o.answered)
		fail(s, b, "no answer");
	else if (strcmp(engine_error_to_string(o.error), expected ? expected : "") != 0)
		fail(s, b, "expected %s, got %s: %s", expected ? expected : "success",
			o.error == ENGINE_OK ? "success" : engine_error_to_string(o.error),
			o.message);
	else if (o.error != ENGINE_OK && asprintf(&text, "%s\n", o.message) >= 0)
		judge_body(s, b, text);
	free(o.message);
}

/* ---- what is expected ---- */

static const struct {
	const char *what;
	char *(*print)(struct world *w);
} printers[] = {
	{"status", print_status},
	{"host", print_host},
	{"problems", print_problems},
	{"plan", print_plan},
	{"writes", print_writes},
	{"signals", world_take_signals},
};

static void do_expect(struct scenario *s, struct block *b, char *rest)
{
	if (!world_engine(s->world) && strcmp(rest, "writes") != 0) {
		fail(s, b, "no daemon runs");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(printers); i++) {
		if (strcmp(printers[i].what, rest) != 0)
			continue;
		judge_body(s, b, printers[i].print(s->world));
		return;
	}
	fail(s, b, "expect what? %s", rest);
}

static const struct {
	const char *word;
	void (*act)(struct scenario *s, struct block *b, char *rest);
	bool needs_daemon;
} words[] = {
	{"host", do_host, false},
	{"file", do_file, false},
	{"remove", do_remove, false},
	{"link", do_link, false},
	{"start", do_start, false},
	{"stop", do_stop, true},
	{"kill", do_kill, false},
	{"sys", do_sys, false},
	{"write", do_write, false},
	{"wait", do_wait, true},
	{"hold", do_hold, false},
	{"settle", do_settle, false},
	{"look", do_look, true},
	{"lock", do_lock, false},
	{"blind", do_blind, false},
	{"deaf", do_deaf, false},
	{"early", do_early, false},
	{"release", do_release, true},
	{"call", do_call, true},
	{"expect", do_expect, false},
};

static void run_block(struct scenario *s, struct block *b)
{
	_cleanup_free_ char *command = strdup(b->command);
	char *rest = command + strcspn(command, " ");
	const char *broken;

	if (*command == '\0' || *command == '#') {
		if (b->body[0])
			fail(s, b, "a body without a command");
		return;
	}
	if (*rest)
		*rest++ = '\0';
	if (!s->world && strcmp(command, "host") != 0) {
		fail(s, b, "the host comes first");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(words[i].word, command) != 0)
			continue;
		if (words[i].needs_daemon && !world_engine(s->world))
			fail(s, b, "no daemon runs");
		else
			words[i].act(s, b, rest);
		broken = s->world ? model_check(world_model(s->world)) : NULL;
		if (broken)
			fail(s, b, "invariant broken: %s", broken);
		return;
	}
	fail(s, b, "unknown word %s", command);
}

static bool run_file(const char *path, bool update)
{
	_cleanup_(scenario_done) struct scenario s = {.path = path, .update = update};
	int r = scenario_read(&s);

	if (r < 0) {
		printf("# %s: %s\n", path, strerror(-r));
		return false;
	}
	/* Once; with "kill sweep" again and again, until the daemon rests before it is killed. */
	do {
		if (s.world)
			world_free(s.world);
		s.world = NULL;
		s.swept_short = false;
		s.sweep++;
		for (size_t i = 0; i < s.n_blocks && !(s.failed && !s.world); i++)
			run_block(&s, &s.blocks[i]);
	} while (s.swept_short && !s.failed);
	if (update && !s.failed)
		scenario_write(&s);
	return !s.failed;
}

int main(int argc, char **argv)
{
	bool update = argc > 1 && strcmp(argv[1], "--update") == 0;
	int first = update ? 2 : 1, failed = 0;

	log_set_level(getenv("SCENARIO_LOG") ? LOG_DEBUG : -1);
	printf("1..%d\n", argc - first);
	for (int i = first; i < argc; i++) {
		const char *name = strrchr(argv[i], '/');
		bool good = run_file(argv[i], update);

		printf("%s %d - %s\n", good ? "ok" : "not ok", i - first + 1,
			name ? name + 1 : argv[i]);
		failed += !good;
	}
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
