/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * apmatrixctl: options, the table of verbs, help.  Knows no verb's work.
 */
#include <getopt.h>
#include <locale.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/pager.h"
#include "ctl/suggest.h"

enum {
	OPTION_HELP = 'h',
	OPTION_HOST = 'H',
	OPTION_MACHINE = 'M',
	OPTION_VERSION = 0x100,
	OPTION_BUS,
	OPTION_JSON,
	OPTION_NO_PAGER,
	OPTION_ROOT,
	OPTION_STATE,
	OPTION_TIMEOUT,
	OPTION_REPLACE,
	OPTION_WRITE,
	OPTION_NAME,
	OPTION_FORMAT,
};

enum verb_flags {
	VERB_PAGED = 1 << 0,   /* its output may be long */
	VERB_ROOT = 1 << 1,    /* takes --root */
	VERB_WAIT = 1 << 2,    /* takes --state and --timeout */
	VERB_REPLACE = 1 << 3, /* takes --replace */
	VERB_IMPORT = 1 << 4,  /* takes --name and --write */
	VERB_FORMAT = 1 << 5,  /* takes --format */
	VERB_HIDDEN = 1 << 6,  /* for the shell's completion, not for people */
};

#define ANY_NUMBER 1000000

static const struct verb {
	const char *name, *arguments;
	int min, max;
	unsigned flags;
	verb_function function;
	const char *summary;
} verb_table[] = {
	{"status", "[NAME]", 0, 1, VERB_PAGED, verb_status,
		"The host, or everything about one matrix"},
	{"list", "", 0, 0, VERB_PAGED, verb_list, "All matrices and their states"},
	{"show", "NAME", 1, 1, VERB_PAGED, verb_show, "All properties of a matrix, a line each"},
	{"grid", "", 0, 0, VERB_PAGED, verb_grid, "A picture of who has which queue"},
	{"queues", "", 0, 0, VERB_PAGED, verb_queues, "All queues, a line each"},
	{"plan", "", 0, 0, VERB_PAGED, verb_plan, "What reconcile would do"},
	{"reconcile", "", 0, 0, 0, verb_reconcile, "Make everything as configured now"},
	{"reload", "", 0, 0, 0, verb_reload, "Read the drop-ins again, then reconcile"},
	{"check", "[FILE...]", 0, ANY_NUMBER, VERB_ROOT, verb_check,
		"Judge drop-ins (needs no daemon)"},
	{"start", "NAME", 1, 1, 0, verb_start, "Make the mediated device of a matrix"},
	{"stop", "NAME", 1, 1, 0, verb_stop, "Remove it"},
	{"define", "NAME KEY=VALUE...", 2, ANY_NUMBER, VERB_REPLACE, verb_define,
		"Define a matrix by a drop-in"},
	{"undefine", "NAME", 1, 1, 0, verb_undefine, "Remove such a drop-in"},
	{"update", "NAME KEY=VALUE...", 2, ANY_NUMBER, 0, verb_update,
		"Change a matrix until the next reload"},
	{"monitor", "", 0, 0, 0, verb_monitor, "Print changes as they happen"},
	{"wait", "NAME", 1, 1, VERB_WAIT, verb_wait, "Wait until a matrix has a state"},
	{"import-mdevctl", "[UUID...]", 0, ANY_NUMBER, VERB_ROOT | VERB_IMPORT, verb_import_mdevctl,
		"Make drop-ins of mdevctl's files"},
	{"export", "NAME", 1, 1, VERB_FORMAT, verb_export, "A matrix for mdevctl or libvirt"},
	{"names", "", 0, 0, VERB_HIDDEN, verb_names, ""},
};

static const struct option_help {
	const char *option, *summary;
} option_table[] = {
	{"-H --host=[USER@]HOST", "Ask the daemon of another host, over ssh"},
	{"-M --machine=CONTAINER", "Ask the daemon of a local container"},
	{"   --bus=BUS", "system (default), session or a D-Bus address"},
	{"   --json=MODE", "short, pretty or off (default)"},
	{"   --no-pager", "Do not start a pager"},
	{"   --root=DIR", "check, import-mdevctl: the files below this directory"},
	{"   --state=STATE[,STATE]", "wait: the states to wait for"},
	{"   --timeout=SECONDS", "wait: give up after this time"},
	{"   --replace", "define: also if it is defined already"},
	{"   --write", "import-mdevctl: define them, do not only show them"},
	{"   --name=NAME", "import-mdevctl: the name of the one matrix"},
	{"   --format=FORMAT", "export: mdevctl, nodedev or hostdev"},
	{"-h --help", "Show this help"},
	{"   --version", "Show the version"},
};

static const struct option long_options[] = {
	{"help", no_argument, NULL, OPTION_HELP},
	{"host", required_argument, NULL, OPTION_HOST},
	{"machine", required_argument, NULL, OPTION_MACHINE},
	{"version", no_argument, NULL, OPTION_VERSION},
	{"bus", required_argument, NULL, OPTION_BUS},
	{"json", required_argument, NULL, OPTION_JSON},
	{"no-pager", no_argument, NULL, OPTION_NO_PAGER},
	{"root", required_argument, NULL, OPTION_ROOT},
	{"state", required_argument, NULL, OPTION_STATE},
	{"timeout", required_argument, NULL, OPTION_TIMEOUT},
	{"replace", no_argument, NULL, OPTION_REPLACE},
	{"write", no_argument, NULL, OPTION_WRITE},
	{"name", required_argument, NULL, OPTION_NAME},
	{"format", required_argument, NULL, OPTION_FORMAT},
	{0},
};

static void help(const struct term *t)
{
	const char *bold = term_style(t, STYLE_BOLD), *plain = term_reset(t, STYLE_BOLD);

	printf("%sapmatrixctl [OPTIONS...] [VERB]%s\n\n"
	       "Look at and steer apmatrixd, which gives crypto adapters to KVM guests.\n"
	       "Without a verb: status.\n\n%sVerbs:%s\n",
		bold, plain, bold, plain);
	for (size_t i = 0; i < ARRAY_SIZE(verb_table); i++)
		if (!(verb_table[i].flags & VERB_HIDDEN))
			printf("  %-14s %-17s %s\n", verb_table[i].name, verb_table[i].arguments,
				verb_table[i].summary);
	printf("\n%sOptions:%s\n", bold, plain);
	for (size_t i = 0; i < ARRAY_SIZE(option_table); i++)
		printf("  %-25s %s\n", option_table[i].option, option_table[i].summary);
	printf("\nExit status: 0 done, 1 failed, 2 wrong usage.  See apmatrixctl(1).\n");
}

static const struct verb *find_verb(const char *name)
{
	const char *names[ARRAY_SIZE(verb_table)];
	const char *best;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(verb_table); i++) {
		if (strcmp(verb_table[i].name, name) == 0)
			return &verb_table[i];
		if (!(verb_table[i].flags & VERB_HIDDEN))
			names[n++] = verb_table[i].name;
	}
	best = suggest(name, names, n);
	if (best)
		ctl_say("there is no verb '%s'; did you mean '%s'?", name, best);
	else
		ctl_say("there is no verb '%s'; 'apmatrixctl --help' names them all", name);
	return NULL;
}

static bool parse_json(const char *text, enum json_mode *ret)
{
	static const char *const names[] = {"off", "short", "pretty"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(text, names[i]) == 0) {
			*ret = (enum json_mode)i;
			return true;
		}
	ctl_say("--json=%s: it is short, pretty or off", text);
	return false;
}

/* Seconds, with decimals if need be; setlocale() leaves the point alone (LC_CTYPE only). */
static bool parse_timeout(const char *text, uint64_t *ret)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || *text == '-' || !(seconds >= 0 && seconds <= 1e9)) {
		ctl_say("--timeout=%s: it is a number of seconds", text);
		return false;
	}
	*ret = (uint64_t)(seconds * 1e6);
	return true;
}

struct command_line {
	bool no_pager;
	bool done; /* --help and --version */
};

/* EXIT_SUCCESS or EXIT_USAGE. */
static int parse_options(struct ctl *ctl, int argc, char **argv, struct command_line *line)
{
	int c;

	while ((c = getopt_long(argc, argv, "hH:M:", long_options, NULL)) >= 0) {
		bool ok = true;

		switch (c) {
		case OPTION_HELP:
			help(&ctl->term);
			line->done = true;
			return EXIT_SUCCESS;
		case OPTION_VERSION:
			printf("apmatrixctl %s\n", APMATRIX_VERSION);
			line->done = true;
			return EXIT_SUCCESS;
		case OPTION_HOST:
			ctl->client.host = optarg;
			break;
		case OPTION_MACHINE:
			ctl->client.machine = optarg;
			break;
		case OPTION_BUS:
			ctl->client.address = optarg;
			break;
		case OPTION_JSON:
			ok = parse_json(optarg, &ctl->json);
			break;
		case OPTION_NO_PAGER:
			line->no_pager = true;
			break;
		case OPTION_ROOT:
			ctl->root = optarg;
			break;
		case OPTION_STATE:
			ctl->states = optarg;
			break;
		case OPTION_TIMEOUT:
			ok = parse_timeout(optarg, &ctl->timeout);
			break;
		case OPTION_REPLACE:
			ctl->replace = true;
			break;
		case OPTION_WRITE:
			ctl->write = true;
			break;
		case OPTION_NAME:
			ctl->name = optarg;
			break;
		case OPTION_FORMAT:
			ctl->format = optarg;
			break;
		default: /* getopt_long() has said why */
			ok = false;
		}
		if (!ok)
			return EXIT_USAGE;
	}
	return EXIT_SUCCESS;
}

/* Says which option is not for that verb, if one is there. */
static bool options_misplaced(const struct ctl *ctl, unsigned flags)
{
	const struct {
		bool given;
		unsigned flag;
		const char *message;
	} rows[] = {
		{ctl->root, VERB_ROOT, "--root is for check and import-mdevctl only"},
		{ctl->states || ctl->timeout != UINT64_MAX, VERB_WAIT,
			"--state and --timeout are for wait only"},
		{ctl->replace, VERB_REPLACE, "--replace is for define only"},
		{ctl->name || ctl->write, VERB_IMPORT,
			"--name and --write are for import-mdevctl only"},
		{ctl->format, VERB_FORMAT, "--format is for export only"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].given && !(flags & rows[i].flag)) {
			ctl_say("%s", rows[i].message);
			return true;
		}
	return false;
}

/* @text from its word number @n on. */
static const char *words_from(const char *text, int n)
{
	while (n-- > 0 && strchr(text, ' '))
		text = strchr(text, ' ') + 1;
	return text;
}

/* What each option by itself cannot show. */
static bool options_fit(const struct ctl *ctl, const struct verb *verb, int n_args)
{
	bool system = strcmp(ctl->client.address, "system") == 0;

	if (!!ctl->client.host + !!ctl->client.machine + !system > 1)
		ctl_say("-H, -M and --bus exclude each other");
	else if (n_args < verb->min)
		ctl_say("%s: %s is missing", verb->name, words_from(verb->arguments, n_args));
	else if (n_args > verb->max)
		ctl_say("%s: too many arguments; it is 'apmatrixctl %s%s%s'", verb->name,
			verb->name, *verb->arguments ? " " : "", verb->arguments);
	else
		return !options_misplaced(ctl, verb->flags);
	return false;
}

/* Output that could not be written is a failure, but for the reader who closed the pager. */
static int finish_output(int status, pid_t pager)
{
	if (pager > 0) {
		pager_finish(pager);
		return status;
	}
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	ctl_say("cannot write the output: %s", strerror(errno));
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static char *no_args[] = {NULL};
	struct ctl ctl = {.client.address = "system", .timeout = UINT64_MAX};
	struct command_line line = {0};
	const struct verb *verb = &verb_table[0];
	pid_t pager = 0;
	char **args;
	int status;

	setlocale(LC_CTYPE, "");
	ctl.term = term_of_stdout();
	status = parse_options(&ctl, argc, argv, &line);
	if (status != EXIT_SUCCESS || line.done)
		return status;
	args = optind < argc ? argv + optind + 1 : no_args;
	if (optind < argc)
		verb = find_verb(argv[optind]);
	if (!verb || !options_fit(&ctl, verb, optind < argc ? argc - optind - 1 : 0))
		return EXIT_USAGE;

	if (verb->flags & VERB_PAGED && !line.no_pager && ctl.json == JSON_OFF)
		pager = pager_start();
	status = verb->function(&ctl, args);
	status = finish_output(status, pager);
	client_done(&ctl.client);
	return status;
}
