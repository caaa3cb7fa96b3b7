/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How far a cold reconcile is from its floor: a program that only does the same writes, one after
 * the other.  N matrices on simfs, with 1 writer and with 8; the contenders take turns.  simfs is
 * one process and answers at once, so that writers side by side gain nothing there but the time
 * between two writes; the second table therefore lets every ap_config take 2 ms, as the driver does.
 *
 *   bench_cycle SIMFS [N [ROUNDS]]
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "attach/attach.h"
#include "engine/engine.h"
#include "sysfs/lock.h"
#include "sysfs/scan.h"
#include "sysfs/tree.h"
#include "sysfs/worker.h"
#include "util/cleanup.h"
#include "util/fileio.h"
#include "util/log.h"

#define ROOT "/mnt/bench_cycle"
#define CONTROL "sys/kernel/debug/apmatrix-sim/control"
#define MATRICES_MAX 256u
#define STEPS_MAX (2u * MATRICES_MAX + 4u)
#define ROUNDS_MAX 99u

static const char *simfs;
static unsigned n_matrices = 256, rounds = 5;
static pid_t simfs_pid;
static int root = -1;

/* What the first reconcile wrote, in its order: the floor writes it again. */
static struct step steps[STEPS_MAX];
static size_t n_steps;
static bool recording;

static _Noreturn void die(const char *what, int error)
{
	fprintf(stderr, "bench_cycle: %s: %s\n", what, strerror(-error));
	exit(EXIT_FAILURE);
}

static void must(const char *what, int r)
{
	if (r < 0)
		die(what, r);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* ---- a machine ---- */

static void put(const char *path, const char *text)
{
	must(path, file_replace_volatile_at(root, path, text, strlen(text), 0644));
}

static void put_matrices(void)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (unsigned i = 0; i < n_matrices; i++)
		fprintf(out, "[Matrix guest%u]\nAdapters=%u\nDomains=%u\n", i, i % 16, i / 16);
	fclose(out);
	put("etc/apmatrix.d/guests.conf", text);
}

static void make_root(void)
{
	/* Memory: a disk would not be what is measured. */
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0 ||
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tmpfs", "/mnt", "tmpfs", 0, NULL) < 0 || mkdir(ROOT, 0755) < 0)
		die("a mount namespace", -errno);
	root = open(ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must("etc", mkdir_parents_at(root, "etc/apmatrix.d", 0755));
	put("etc/machine-id", "0123456789abcdef0123456789abcdef\n");
	put("hardware", "kernel 6.12\nadapter 0-15 cex8 cca\ndomains 0-15\n");
	put_matrices();
}

static void machine_start(const char *fault)
{
	char option[32], text[16];
	int ready[2];

	if (pipe(ready) < 0)
		die("pipe", -errno);
	snprintf(option, sizeof(option), "--ready-fd=%d", ready[1]);
	simfs_pid = fork();
	if (simfs_pid == 0) {
		dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
		close(ready[0]);
		execl(simfs, simfs, "--hardware=" ROOT "/hardware", "--foreground", option, ROOT,
			NULL);
		_exit(127);
	}
	close(ready[1]);
	if (read(ready[0], text, sizeof(text)) <= 0)
		die(simfs, -EIO);
	close(ready[0]);
	must("checks off", attr_write_at(root, CONTROL, "checks off"));
	if (*fault)
		must(fault, attr_write_at(root, CONTROL, fault));
}

static void machine_stop(void)
{
	unlinkat(root, "run/apmatrixd/ledger", 0);
	kill(simfs_pid, SIGTERM);
	waitpid(simfs_pid, NULL, 0);
}

/* ---- the daemon's wheel, without bus and hints ---- */

struct wheel {
	sd_event *loop;
	sd_event_source *timer;
	struct workers *workers;
	struct lock *lock;
	struct engine *engine;
	unsigned failures;
};

static uint64_t now_of(struct wheel *w)
{
	uint64_t usec = 0;

	sd_event_now(w->loop, CLOCK_MONOTONIC, &usec);
	return usec;
}

static int observe(int dir, struct observed **ret)
{
	int r = sysfs_scan(dir, NULL, ret);

	return r < 0 ? r : attach_scan(dir, *ret);
}

static int port_scan(void *userdata)
{
	return workers_scan(((struct wheel *)userdata)->workers);
}

static int port_apply(void *userdata, uint64_t id, const struct step *step)
{
	if (recording && n_steps < STEPS_MAX)
		steps[n_steps++] = *step;
	return workers_apply(((struct wheel *)userdata)->workers, id, step);
}

static int port_lock(void *userdata, bool take)
{
	struct wheel *w = userdata;

	if (take)
		return lock_take(w->lock);
	lock_drop(w->lock);
	return 0;
}

static void port_arm(void *userdata, uint64_t when)
{
	struct wheel *w = userdata;

	sd_event_source_set_time(w->timer, when);
	sd_event_source_set_enabled(w->timer, when == UINT64_MAX ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

static void on_scanned(void *userdata, int error, struct observed *o)
{
	struct wheel *w = userdata;

	engine_scanned(w->engine, now_of(w), error, o);
}

static void on_applied(void *userdata, uint64_t id, int error, const char *detail)
{
	struct wheel *w = userdata;

	engine_applied(w->engine, now_of(w), id, error, detail);
}

static void on_locked(void *userdata, int error, const char *holder)
{
	struct wheel *w = userdata;

	engine_locked(w->engine, now_of(w), error, holder);
}

static int on_timer(_unused_ sd_event_source *s, _unused_ uint64_t usec, void *userdata)
{
	struct wheel *w = userdata;

	engine_tick(w->engine, now_of(w));
	return 0;
}

static void on_finished(void *userdata, _unused_ unsigned done, unsigned failures)
{
	struct wheel *w = userdata;

	w->failures = failures;
	sd_event_exit(w->loop, 0);
}

/* From nothing to everything as configured. */
static void reconcile(unsigned writers)
{
	struct wheel w = {.failures = 0};
	const struct workers_ops ops = {&w, observe, on_scanned, on_applied};
	const struct workers_limits limits = {.parallel = writers};
	struct engine_options options = {
		.root = root,
		.port = {&w, port_scan, port_apply, port_lock, port_arm},
		.events = {.userdata = &w, .finished = on_finished},
	};

	must("a loop", sd_event_new(&w.loop));
	must("a timer",
		sd_event_add_time(w.loop, &w.timer, CLOCK_MONOTONIC, UINT64_MAX, 1, on_timer, &w));
	must("workers", workers_new(w.loop, root, &ops, &limits, &w.workers));
	must("the lock", lock_new(w.loop, root, on_locked, &w, 0, 0, &w.lock));
	must("the engine", engine_new(&options, now_of(&w), &w.engine));
	must("the loop", sd_event_loop(w.loop));
	if (w.failures > 0)
		die("steps failed", -EIO);
	engine_free(w.engine);
	lock_free(w.lock);
	workers_free(w.workers);
	sd_event_source_disable_unref(w.timer);
	sd_event_unref(w.loop);
}

/* ---- the contenders ---- */

static void run_floor(void)
{
	char path[TREE_PATH_SIZE], value[STEP_VALUE_SIZE];

	for (size_t i = 0; i < n_steps; i++) {
		step_value(&steps[i], value);
		must(path, attr_write_at(root, tree_step_path(path, &steps[i]), value));
	}
}

static void run_one_writer(void)
{
	reconcile(1);
}

static void run_eight_writers(void)
{
	reconcile(8);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(const char *title, const char *fault)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} runs[] = {{"floor: the same writes", run_floor}, {"1 writer", run_one_writer},
		{"8 writers", run_eight_writers}};
	double times[ARRAY_SIZE(runs)][ROUNDS_MAX], floor = 0;

	for (unsigned i = 0; i < rounds; i++)
		for (size_t k = 0; k < ARRAY_SIZE(runs); k++) {
			machine_start(fault);

			double start = now();

			runs[k].run();
			times[k][i] = now() - start;
			machine_stop();
		}
	printf("%s: %u matrices, %zu writes, median of %u:\n", title, n_matrices, n_steps, rounds);
	for (size_t k = 0; k < ARRAY_SIZE(runs); k++) {
		qsort(times[k], rounds, sizeof(double), compare);
		if (k == 0)
			floor = times[k][rounds / 2];
		printf("  %-24s %8.1f ms  %5.2f x floor\n", runs[k].name, times[k][rounds / 2],
			times[k][rounds / 2] / floor);
	}
}

/* Finds out what there is to write; with one writer, so that the order is one that may be kept. */
static void record(void)
{
	machine_start("");
	recording = true;
	reconcile(1);
	recording = false;
	machine_stop();
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	simfs = argv[1];
	if (argc > 2)
		n_matrices = (unsigned)atoi(argv[2]);
	if (argc > 3)
		rounds = (unsigned)atoi(argv[3]);
	if (n_matrices == 0 || n_matrices > MATRICES_MAX || rounds == 0 || rounds > ROUNDS_MAX)
		return 2;
	log_set_level(LOG_WARNING);
	make_root();
	record();
	measure("writes that return at once", "");
	measure("2 ms for every ap_config", "fault */ap_config write delay 2");
	return EXIT_SUCCESS;
}
