/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options only; daemon.c has the rest. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "main/daemon.h"
#include "util/log.h"

#define EXIT_USAGE 2

enum { ARG_ROOT = 256, ARG_BUS, ARG_ONCE, ARG_PLAN, ARG_LOG_LEVEL, ARG_VERSION };

static const struct option arguments[] = {
	{"root", required_argument, NULL, ARG_ROOT},
	{"bus", required_argument, NULL, ARG_BUS},
	{"once", no_argument, NULL, ARG_ONCE},
	{"plan", no_argument, NULL, ARG_PLAN},
	{"log-level", required_argument, NULL, ARG_LOG_LEVEL},
	{"version", no_argument, NULL, ARG_VERSION},
	{"help", no_argument, NULL, 'h'},
	{},
};

static void print_help(void)
{
	puts("apmatrixd [OPTIONS...]\n"
	     "\n"
	     "Gives KVM guests their crypto adapters as /etc/apmatrix.d says, and keeps it so.\n"
	     "\n"
	     "  -h --help             Show this help\n"
	     "     --version          Show the version\n"
	     "     --plan             Print what would be done, change nothing, and end\n"
	     "     --once             Reconcile once; end with 0 if everything is as configured\n"
	     "     --root=DIR         Look for /sys, /etc, /run, /usr/lib and /proc below DIR\n"
	     "     --bus=BUS          Serve on \"system\" (default), \"session\" or a D-Bus "
	     "address\n"
	     "     --log-level=LEVEL  err, warning, notice, info (default) or debug\n"
	     "\n"
	     "See apmatrixd(8), apmatrix.d(5), apmatrixctl(1).");
}

static int set_log_level(const char *name)
{
	int level = log_level_from_string(name);

	if (level < 0) {
		log_error("--log-level=%s: not one of err, warning, notice, info, debug", name);
		return level;
	}
	log_set_level(level);
	return 0;
}

/* 1: go on; 0: done; negative: a usage error that has been told. */
static int parse(int argc, char **argv, struct daemon_options *o)
{
	for (;;) {
		switch (getopt_long(argc, argv, "h", arguments, NULL)) {
		case -1:
			if (optind == argc)
				return 1;
			log_error("unexpected argument '%s'; see apmatrixd --help", argv[optind]);
			return -EINVAL;
		case ARG_ROOT:
			o->root = optarg;
			break;
		case ARG_BUS:
			o->bus = optarg;
			break;
		case ARG_ONCE:
			o->mode = DAEMON_ONCE;
			break;
		case ARG_PLAN:
			o->mode = DAEMON_PLAN;
			break;
		case ARG_LOG_LEVEL:
			if (set_log_level(optarg) < 0)
				return -EINVAL;
			break;
		case ARG_VERSION:
			puts("apmatrixd " APMATRIX_VERSION);
			return 0;
		case 'h':
			print_help();
			return 0;
		default:
			return -EINVAL;
		}
	}
}

int main(int argc, char **argv)
{
	struct daemon_options options = {.root = "/", .bus = "system"};
	_cleanup_(cleanup_daemon_free) struct daemon *d = NULL;
	int r = parse(argc, argv, &options);

	if (r <= 0)
		return r < 0 ? EXIT_USAGE : EXIT_SUCCESS;
	return daemon_new(&options, &d) < 0 ? EXIT_FAILURE : daemon_run(d);
}
