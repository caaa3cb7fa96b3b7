/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The property test: stories made up from seeds, acted out against the model, watched all along.
 *
 *   property [--seed N] [--count N] [--lines N] [--verbose] [--whole]
 *   property --replay FILE.scn...
 *
 * A story in which a property does not hold is made as short as it gets (not with --whole), and
 * printed as a scenario file that fails again with --replay.
 */
#include <getopt.h>
#include <string.h>
#include <time.h>

#include "property/actor.h"
#include "property/generate.h"
#include "util/log.h"

struct options {
	uint64_t seed;
	unsigned count, lines;
	bool verbose, whole, replay;
};

struct verdict_of_story {
	size_t n; /* lines acted out, the last of which broke it; 0: all is well */
	char tag[32];
	char violation[1024];
	unsigned judged, writes;
};

static struct verdict_of_story act_out(struct story *s, bool verbose)
{
	_cleanup_(actor_done) struct actor a = {};
	struct verdict_of_story v = {};
	bool good = true;

	for (size_t i = 0; i < s->n && good; i++) {
		good = actor_do(&a, &s->lines[i]);
		if (verbose) {
			struct story one = {&s->lines[i], 1};

			story_print(&one, 1, stdout);
		}
		if (!good)
			v.n = i + 1;
	}
	memcpy(v.tag, a.tag, sizeof(v.tag));
	memcpy(v.violation, a.violation, sizeof(v.violation));
	v.judged = a.n_judged;
	v.writes = a.n_writes;
	return v;
}

/* Leaves out what the same property also fails without: halves first, then line by line. */
static void shorten(struct story *s, struct verdict_of_story *v)
{
	bool any = true;

	story_cut(s, v->n, s->n);
	for (size_t step = s->n / 2; step > 0; step = any && step == 1 ? 1 : step / 2) {
		any = false;
		for (size_t i = 1; i < s->n;) {
			size_t end = i + step < s->n ? i + step : s->n;
			struct story shorter = story_copy(s);
			struct verdict_of_story w;

			story_cut(&shorter, i, end);
			w = act_out(&shorter, false);
			if (w.n > 0 && strcmp(w.tag, v->tag) == 0) {
				story_cut(&shorter, w.n, shorter.n);
				story_done(s);
				*s = shorter;
				*v = w;
				any = true;
			} else {
				story_done(&shorter);
				i = end;
			}
		}
	}
}

static void report(struct story *s, const struct verdict_of_story *v, uint64_t seed)
{
	printf("# property broken (%s): %s\n# seed %llu\n\n", v->tag, v->violation,
		(unsigned long long)seed);
	story_print(s, v->n, stdout);
	printf("expect status\nexpect problems\nexpect plan\nexpect writes\n\n");
}

static bool run_seed(
	const struct options *o, uint64_t seed, unsigned long *judged, unsigned long *writes)
{
	_cleanup_(story_done) struct story s = generate_story(seed, o->lines);
	struct verdict_of_story v = act_out(&s, o->verbose);

	*judged += v.judged;
	*writes += v.writes;
	if (v.n == 0)
		return true;
	if (!o->whole)
		shorten(&s, &v);
	report(&s, &v, seed);
	return false;
}

static bool replay(const char *path, bool verbose)
{
	_cleanup_(story_done) struct story s = {};
	int r = story_read(&s, path);
	struct verdict_of_story v;

	if (r < 0) {
		printf("%s: %s\n", path, strerror(-r));
		return false;
	}
	v = act_out(&s, verbose);
	if (v.n > 0)
		printf("%s: property broken (%s) by \"%s\": %s\n", path, v.tag,
			s.lines[v.n - 1].command, v.violation);
	return v.n == 0;
}

static int run_all(const struct options *o)
{
	unsigned long judged = 0, writes = 0;
	unsigned bad = 0;
	struct timespec from, to;

	clock_gettime(CLOCK_MONOTONIC, &from);
	for (unsigned i = 0; i < o->count; i++)
		bad += !run_seed(o, o->seed + i, &judged, &writes);
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("%u stories from seed %llu, judged at rest %lu times, %lu writes by the daemon, "
	       "%u broken, %.1f s\n",
		o->count, (unsigned long long)o->seed, judged, writes, bad,
		(double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9);
	return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static const struct option long_options[] = {
		{"seed", required_argument, NULL, 's'},
		{"count", required_argument, NULL, 'c'},
		{"lines", required_argument, NULL, 'l'},
		{"verbose", no_argument, NULL, 'v'},
		{"whole", no_argument, NULL, 'w'},
		{"replay", no_argument, NULL, 'r'},
		{},
	};
	struct options o = {.seed = 1, .count = 100, .lines = 40};
	int c, failed = 0;

	log_set_level(getenv("SCENARIO_LOG") ? LOG_DEBUG : -1);
	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((c = getopt_long(argc, argv, "", long_options, NULL)) >= 0) {
		switch (c) {
		case 's':
			o.seed = strtoull(optarg, NULL, 0);
			break;
		case 'c':
			o.count = (unsigned)strtoul(optarg, NULL, 0);
			break;
		case 'l':
			o.lines = (unsigned)strtoul(optarg, NULL, 0);
			break;
		case 'v':
			o.verbose = true;
			break;
		case 'w':
			o.whole = true;
			break;
		case 'r':
			o.replay = true;
			break;
		default:
			return 2;
		}
	}
	if (!o.replay)
		return run_all(&o);
	for (int i = optind; i < argc; i++)
		failed += !replay(argv[i], o.verbose);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
