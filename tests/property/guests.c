/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Guests that come and go at random, seen by the daemon's engine through events that are lost and
 * looks that come late, with restarts in between: at rest its state is the kernel's, and what it
 * told is what happened, once and in order.
 *
 *   guests [--count N] [--seed N]
 */
#include <getopt.h>
#include <string.h>

#include "scenario/world.h"
#include "unit/random.h"
#include "util/log.h"

#define MATRICES 3u
#define GUESTS 4u
#define EVENTS 2000u

static const char *const names[MATRICES] = {"one", "two", "three"};
static const char host[] = "kernel 6.12\nadapter 4-6 cex8 cca\ndomains 1-4\n";
static const char drop_in[] = "[Matrix one]\nAdapters=4\nDomains=1\n"
			      "[Matrix two]\nAdapters=5\nDomains=1\n"
			      "[Matrix three]\nAdapters=6\nDomains=1\nLiveChange=none\n";

enum kind { ATTACHED, DETACHED, FAILED };
static const char *const kind_name[] = {"MatrixAttached", "MatrixDetached", "MatrixAttachFailed"};

struct happened {
	enum kind kind;
	unsigned matrix, pid;
	unsigned long long seq;
	bool lost;
};

static struct {
	struct world *world;
	struct random random;
	char uuid[MATRICES][UUID_SIZE];
	unsigned owner[MATRICES]; /* process; 0: none */
	bool deaf, any_lost;
	unsigned long long seq;
	struct happened truth[EVENTS], told[EVENTS];
	size_t n_truth, n_told;
	uint64_t seed;
	unsigned broken;
} t;

static void broken(const char *what, const char *name)
{
	printf("seed %llu: %s: %s\n", (unsigned long long)t.seed, name, what);
	t.broken++;
}

/* ---- the truth ---- */

static void happens(enum kind kind, unsigned matrix, unsigned pid)
{
	if (t.n_truth < EVENTS)
		t.truth[t.n_truth++] = (struct happened){kind, matrix, pid, ++t.seq, t.deaf};
	t.any_lost |= t.deaf;
}

static void attach(unsigned matrix, unsigned pid)
{
	int r = model_attach(world_model(t.world), t.uuid[matrix], pid, NULL);

	if (r == 0) {
		t.owner[matrix] = pid;
		happens(ATTACHED, matrix, pid);
	} else if (r != -EBUSY) {
		happens(FAILED, matrix, pid);
	}
}

static void detach(unsigned matrix)
{
	if (model_detach(world_model(t.world), t.uuid[matrix]) == 0) {
		happens(DETACHED, matrix, t.owner[matrix]);
		t.owner[matrix] = 0;
	}
}

static void kill_guest(unsigned pid)
{
	for (unsigned i = 0; i < MATRICES; i++)
		if (t.owner[i] == pid) {
			happens(DETACHED, i, pid);
			t.owner[i] = 0;
		}
	(void)model_kill(world_model(t.world), pid);
}

static void set_deaf(bool deaf)
{
	t.deaf = deaf;
	world_set_deaf(t.world, deaf);
}

static void something(void)
{
	unsigned pid = 100 + random_below(&t.random, GUESTS);
	unsigned matrix = random_below(&t.random, MATRICES);

	switch (random_below(&t.random, 10)) {
	case 0:
		detach(matrix);
		break;
	case 1:
	case 2:
		kill_guest(pid);
		break;
	case 3:
		set_deaf(random_below(&t.random, 2));
		break;
	case 4:
		attach(matrix, 0); /* without a virtual machine */
		break;
	default:
		attach(matrix, pid);
	}
}

/* ---- what is told ---- */

static void read_signals(void)
{
	char *text = world_take_signals(t.world), *rest = text, *line;

	while ((line = strsep(&rest, "\n"))) {
		struct happened h = {};
		char kind[32], name[32];

		if (sscanf(line, "%31s %31s pid %u seq %llu", kind, name, &h.pid, &h.seq) != 4)
			continue;
		while (h.kind <= FAILED && strcmp(kind, kind_name[h.kind]) != 0)
			h.kind++;
		while (h.matrix < MATRICES && strcmp(name, names[h.matrix]) != 0)
			h.matrix++;
		if (h.kind > FAILED || h.matrix == MATRICES)
			broken("an unknown signal", line);
		else if (t.n_told < EVENTS)
			t.told[t.n_told++] = h;
	}
	free(text);
}

static size_t next(const struct happened *list, size_t n, size_t i, unsigned matrix)
{
	while (i < n && (list[i].matrix != matrix || list[i].kind == FAILED))
		i++;
	return i;
}

/* Every attach and detach of a matrix, in its order. */
static void judge_order(unsigned matrix)
{
	size_t i = 0, k = 0;

	for (;; i++, k++) {
		i = next(t.truth, t.n_truth, i, matrix);
		k = next(t.told, t.n_told, k, matrix);
		if (i == t.n_truth || k == t.n_told)
			break;
		if (t.truth[i].kind != t.told[k].kind) {
			broken("attach and detach are told in another order", names[matrix]);
			return;
		}
		if (!t.any_lost &&
			(t.truth[i].seq != t.told[k].seq || t.truth[i].pid != t.told[k].pid)) {
			broken("nothing was lost, and a number or process is wrong", names[matrix]);
			return;
		}
	}
	if (i < t.n_truth)
		broken("something was not told", names[matrix]);
	if (k < t.n_told)
		broken("something was told too often", names[matrix]);
}

/* What the daemon heard, it told as it was; of refusals, nothing else. */
static void judge_heard(void)
{
	for (size_t i = 0; i < t.n_truth; i++) {
		const struct happened *h = &t.truth[i];
		size_t n = 0;

		for (size_t k = 0; k < t.n_told; k++)
			n += t.told[k].kind == h->kind && t.told[k].matrix == h->matrix &&
				t.told[k].seq == h->seq && t.told[k].pid == h->pid;
		if (!h->lost && n == 0)
			broken("heard, and not told", names[h->matrix]);
		if (h->kind == FAILED && n > 1)
			broken("a refusal was told twice", names[h->matrix]);
	}
}

static void judge_state(void)
{
	const struct status *s = engine_status(world_engine(t.world));
	unsigned attached = 0;

	for (unsigned i = 0; i < MATRICES; i++) {
		const struct matrix_status *m = status_find(s, names[i]);

		attached += t.owner[i] != 0;
		if (!m || m->attached != (t.owner[i] != 0) || m->vm_pid != t.owner[i])
			broken("the state is not the kernel's", names[i]);
	}
	if (s->n_attached != attached)
		broken("their number is wrong", "Attached");
}

static void rest(void)
{
	world_poke(t.world);
	world_settle(t.world);
	read_signals();
	judge_state();
	for (unsigned i = 0; i < MATRICES; i++)
		judge_order(i);
	judge_heard();
}

/* A daemon that starts again finds out by itself; what comes while none runs is lost. */
static void restart(void)
{
	bool deaf = t.deaf;
	unsigned n = random_below(&t.random, 6);

	read_signals();
	world_stop(t.world);
	set_deaf(true);
	for (unsigned i = 0; i < n; i++) {
		something();
		set_deaf(true);
	}
	world_start(t.world);
	set_deaf(deaf);
	world_settle(t.world);
}

static void live(uint64_t seed)
{
	char *error = NULL;

	memset(&t.owner, 0, sizeof(t.owner));
	t.seed = seed;
	t.random.state = seed;
	t.n_truth = t.n_told = 0;
	t.seq = 0;
	t.any_lost = t.deaf = false;
	t.world = world_new(host, &error);
	world_write_file(t.world, "/etc/apmatrix.d/guests.conf", drop_in);
	world_start(t.world);
	world_settle(t.world);
	for (unsigned i = 0; i < MATRICES; i++) {
		const struct matrix_status *m =
			status_find(engine_status(world_engine(t.world)), names[i]);

		memcpy(t.uuid[i], m->uuid, UUID_SIZE);
	}
	/* In half of the lives every event is heard. */
	for (unsigned i = 0; i < 30; i++) {
		unsigned many = random_below(&t.random, 8);

		world_hold(t.world, random_below(&t.random, 2));
		for (unsigned k = 0; k < many; k++) {
			something();
			if (seed % 2)
				set_deaf(false);
			world_settle(t.world);
		}
		world_hold(t.world, false);
		world_settle(t.world);
		if (seed % 4 == 0 && random_below(&t.random, 6) == 0)
			restart();
		rest();
	}
	world_free(t.world);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"count", required_argument, NULL, 'c'},
		{"seed", required_argument, NULL, 's'}, {}};
	unsigned long count = 200, seed = 1;
	size_t n_events = 0;
	int c;

	log_set_level(-1);
	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (c != 'c' && c != 's')
			return 2;
		*(c == 'c' ? &count : &seed) = strtoul(optarg, NULL, 0);
	}
	for (unsigned long i = 0; i < count; i++) {
		live(seed + i);
		n_events += t.n_truth;
	}
	printf("%lu lives from seed %lu, %zu events, %u broken\n", count, seed, n_events, t.broken);
	return t.broken ? EXIT_FAILURE : EXIT_SUCCESS;
}
