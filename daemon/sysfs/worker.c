/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The pool: who is busy with what, which steps wait, and when one more process is worth its
 * memory.  A worker's end is seen at its pidfd alone, so that it is answered for and reaped once.
 */
#include "sysfs/worker.h"

#include <assert.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <time.h>

#include "sysfs/worker_process.h"

#define DEFAULT_PARALLEL 8u
#define DEFAULT_TOTAL 64u
#define DEFAULT_STUCK_USEC (10u * 1000000u)

/* Idle writers that are kept for the next change. */
#define IDLE_KEPT 1u

struct worker {
	struct workers *pool;
	struct worker *next;
	enum worker_task task; /* the only kind that it does */
	pid_t pid;
	int socket, pidfd;
	sd_event_source *on_answer, *on_exit;
	bool busy, leaving;
	uint64_t id;    /* of the step */
	uint64_t since; /* busy since, CLOCK_MONOTONIC */
	char uuid[UUID_SIZE];
};

struct waiting {
	struct waiting *next;
	uint64_t id;
	struct step step;
};

struct workers {
	sd_event *event;
	struct worker_setup setup;
	struct workers_ops ops;
	struct workers_limits limits;
	struct worker *list;
	struct waiting *first, **last;
	sd_event_source *dispatch; /* a timer: steps wait for a writer that may be stuck */
};

static uint64_t now_usec(struct workers *w)
{
	uint64_t now = 0;

	sd_event_now(w->event, CLOCK_MONOTONIC, &now);
	return now;
}

/* --- one worker --- */

/* Out of the pool.  The process is killed: it is idle, or whatever it does nobody waits for. */
static void worker_free(struct worker *worker)
{
	struct worker **at = &worker->pool->list;

	while (*at != worker)
		at = &(*at)->next;
	*at = worker->next;
	sd_event_source_disable_unref(worker->on_answer);
	sd_event_source_disable_unref(worker->on_exit);
	close(worker->socket);
	kill(worker->pid, SIGKILL);
	/* An idle one dies at once; one that the kernel holds may take for ever. */
	waitpid(worker->pid, NULL, worker->busy ? WNOHANG : 0);
	close(worker->pidfd);
	free(worker);
}

/* Frees the worker for the next task, then tells.  The callee may start the next one. */
static void worker_answered(struct worker *worker, const struct worker_answer *answer, int memory)
{
	const struct workers_ops *ops = &worker->pool->ops;
	struct observed *o = NULL;
	int error = answer->error;

	worker->busy = false;
	worker->uuid[0] = '\0';
	if (worker->task == WORKER_APPLY) {
		ops->applied(ops->userdata, worker->id, error, answer->detail);
		return;
	}
	if (error == 0)
		error = memory < 0 ? -EBADMSG : worker_read_observed(memory, &o);
	ops->scanned(ops->userdata, error, o);
}

static void workers_dispatch(struct workers *w);
static void workers_retire(struct workers *w);

/* True: there was an answer. */
static bool worker_take_answer(struct worker *worker)
{
	struct worker_answer answer;
	_cleanup_close_ int memory = -1;
	int r = worker_receive(worker->socket, &answer, &memory);

	if (r < 0 || !worker->busy) {
		/* Closed, or talking nonsense: the end of it is seen at the pidfd. */
		if (r != -EAGAIN) {
			sd_event_source_set_enabled(worker->on_answer, SD_EVENT_OFF);
			kill(worker->pid, SIGKILL);
		}
		return false;
	}
	worker_answered(worker, &answer, memory);
	return true;
}

static int on_answer(
	_unused_ sd_event_source *s, _unused_ int fd, _unused_ uint32_t events, void *p)
{
	struct worker *worker = p;
	struct workers *w = worker->pool;

	if (worker_take_answer(worker)) {
		workers_dispatch(w);
		workers_retire(w);
	}
	return 0;
}

static int on_exit_event(
	_unused_ sd_event_source *s, _unused_ int fd, _unused_ uint32_t events, void *p)
{
	static const struct worker_answer died = {.error = -ECONNRESET};
	struct worker *worker = p;
	struct workers *w = worker->pool;

	/* It may have answered just before it died; the answer may bring the next task. */
	worker->leaving = true;
	if (worker->busy && !worker_take_answer(worker))
		worker_answered(worker, &died, -1);
	worker_free(worker);
	workers_dispatch(w);
	return 0;
}

static int worker_watch(struct worker *worker)
{
	sd_event *event = worker->pool->event;
	int r;

	r = sd_event_add_io(event, &worker->on_answer, worker->socket, EPOLLIN, on_answer, worker);
	if (r < 0)
		return r;
	return sd_event_add_io(
		event, &worker->on_exit, worker->pidfd, EPOLLIN, on_exit_event, worker);
}

static int worker_new(struct workers *w, enum worker_task task, struct worker **ret)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	int r;

	if (!worker)
		return -ENOMEM;
	worker->pool = w;
	worker->task = task;
	r = worker_process_start(&w->setup, &worker->pid, &worker->socket, &worker->pidfd);
	if (r < 0) {
		free(worker);
		return r;
	}
	worker->next = w->list;
	w->list = worker;
	r = worker_watch(worker);
	if (r < 0) {
		worker_free(worker);
		return r;
	}
	*ret = worker;
	return 0;
}

static int worker_assign(struct worker *worker, uint64_t id, const struct step *step)
{
	struct worker_request request = {.task = worker->task};
	int r;

	if (step)
		request.step = *step;
	r = worker_send(worker->socket, &request);
	/* It died while idle, and its pidfd has not told yet: that is the pidfd's to clear away. */
	if (r < 0)
		return r;
	worker->busy = true;
	worker->id = id;
	worker->since = now_usec(worker->pool);
	if (step)
		memcpy(worker->uuid, step->uuid, UUID_SIZE);
	return 0;
}

/* --- the pool --- */

static struct worker *idle_worker(struct workers *w, enum worker_task task)
{
	for (struct worker *i = w->list; i; i = i->next)
		if (i->task == task && !i->busy && !i->leaving)
			return i;
	return NULL;
}

/* Gives the task to an idle worker or to a new one.  One that turns out to be dead is not asked
 * twice. */
static int workers_start(
	struct workers *w, enum worker_task task, uint64_t id, const struct step *step)
{
	struct worker *worker;
	int r;

	while ((worker = idle_worker(w, task))) {
		if (worker_assign(worker, id, step) == 0)
			return 0;
		worker->leaving = true;
	}
	r = worker_new(w, task, &worker);
	return r < 0 ? r : worker_assign(worker, id, step);
}

struct load {
	unsigned total, working; /* writers; those that are busy and not stuck */
	uint64_t due;            /* when the next of them counts as stuck; UINT64_MAX: none */
};

static struct load workers_load(struct workers *w)
{
	struct load load = {.due = UINT64_MAX};
	uint64_t now = now_usec(w);

	for (struct worker *i = w->list; i; i = i->next) {
		uint64_t due = i->since + w->limits.stuck_usec;

		if (i->task != WORKER_APPLY)
			continue;
		load.total++;
		if (!i->busy || due <= now)
			continue;
		load.working++;
		if (due < load.due)
			load.due = due;
	}
	return load;
}

static bool may_start(struct workers *w, const struct load *load)
{
	if (load->working >= w->limits.parallel)
		return false;
	return load->total < w->limits.total || idle_worker(w, WORKER_APPLY);
}

static int on_dispatch(_unused_ sd_event_source *s, _unused_ uint64_t usec, void *p)
{
	workers_dispatch(p);
	return 0;
}

static void workers_arm(struct workers *w, uint64_t when)
{
	if (when == UINT64_MAX) {
		if (w->dispatch)
			sd_event_source_set_enabled(w->dispatch, SD_EVENT_OFF);
		return;
	}
	if (!w->dispatch) {
		sd_event_add_time(w->event, &w->dispatch, CLOCK_MONOTONIC, when, 0, on_dispatch, w);
		return;
	}
	sd_event_source_set_time(w->dispatch, when);
	sd_event_source_set_enabled(w->dispatch, SD_EVENT_ONESHOT);
}

static void waiting_pop(struct workers *w)
{
	struct waiting *first = w->first;

	w->first = first->next;
	if (!w->first)
		w->last = &w->first;
	free(first);
}

/* Starts what waits, as far as the limits go; where it could not (no more processes), with the
 * next answer or timer. */
static void workers_dispatch(struct workers *w)
{
	struct load load = workers_load(w);

	while (w->first && may_start(w, &load)) {
		if (workers_start(w, WORKER_APPLY, w->first->id, &w->first->step) < 0) {
			load.due = now_usec(w) + w->limits.stuck_usec;
			break;
		}
		waiting_pop(w);
		load = workers_load(w);
	}
	workers_arm(w, w->first ? load.due : UINT64_MAX);
}

/* After a burst: at rest, one idle writer is enough. */
static void workers_retire(struct workers *w)
{
	unsigned idle = 0;
	struct worker *next;

	for (struct worker *i = w->list; i; i = next) {
		next = i->next;
		if (i->task == WORKER_APPLY && !i->busy && ++idle > IDLE_KEPT)
			worker_free(i);
	}
}

int workers_new(sd_event *event, int root, const struct workers_ops *ops,
	const struct workers_limits *limits, struct workers **ret)
{
	struct workers *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->event = event;
	w->setup = (struct worker_setup){.root = root, .observe = ops->observe};
	w->ops = *ops;
	if (limits)
		w->limits = *limits;
	if (!w->limits.parallel)
		w->limits.parallel = DEFAULT_PARALLEL;
	if (!w->limits.total)
		w->limits.total = DEFAULT_TOTAL;
	if (!w->limits.stuck_usec)
		w->limits.stuck_usec = DEFAULT_STUCK_USEC;
	w->last = &w->first;
	*ret = w;
	return 0;
}

void workers_free(struct workers *w)
{
	while (w->list)
		worker_free(w->list);
	while (w->first)
		waiting_pop(w);
	sd_event_source_disable_unref(w->dispatch);
	free(w);
}

int workers_scan(struct workers *w)
{
	for (struct worker *i = w->list; i; i = i->next)
		if (i->task == WORKER_SCAN && i->busy)
			return -EBUSY;
	return workers_start(w, WORKER_SCAN, 0, NULL);
}

/* Masks and overrides have no uuid: the pool's steps are one object as well. */
static _unused_ bool is_under_way(const struct workers *w, const char *uuid)
{
	for (struct worker *i = w->list; i; i = i->next)
		if (i->task == WORKER_APPLY && i->busy && strcmp(i->uuid, uuid) == 0)
			return true;
	for (struct waiting *i = w->first; i; i = i->next)
		if (strcmp(i->step.uuid, uuid) == 0)
			return true;
	return false;
}

int workers_apply(struct workers *w, uint64_t id, const struct step *step)
{
	struct load load = workers_load(w);
	struct waiting *waiting;

	assert(!is_under_way(w, step->uuid));
	if (!w->first && may_start(w, &load))
		return workers_start(w, WORKER_APPLY, id, step);
	waiting = calloc(1, sizeof(*waiting));
	if (!waiting)
		return -ENOMEM;
	waiting->id = id;
	waiting->step = *step;
	*w->last = waiting;
	w->last = &waiting->next;
	if (load.due != UINT64_MAX)
		workers_arm(w, load.due);
	return 0;
}

unsigned workers_count(const struct workers *w)
{
	unsigned n = 0;

	for (struct worker *i = w->list; i; i = i->next)
		n++;
	return n;
}

unsigned workers_waiting(const struct workers *w)
{
	unsigned n = 0;

	for (struct waiting *i = w->first; i; i = i->next)
		n++;
	return n;
}
