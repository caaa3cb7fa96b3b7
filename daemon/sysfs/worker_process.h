/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * One worker process, as its parent starts it and as the two talk: requests and answers are
 * single datagrams of a socket pair; an observation comes as a sealed memory file beside its
 * answer.  Both ends are the same binary, so the datagrams are structs.  Internal to sysfs/.
 */
#include <sys/types.h>

#include "core/observed.h"
#include "core/step.h"
#include "sysfs/apply.h"

enum worker_task { WORKER_SCAN, WORKER_APPLY };

struct worker_request {
	enum worker_task task;
	struct step step; /* WORKER_APPLY */
};

struct worker_answer {
	int error; /* 0 or a negative errno */
	char detail[APPLY_DETAIL_SIZE];
};

struct worker_setup {
	int root;
	int (*observe)(int root, struct observed **ret);
};

/* Forks a worker, which ends when its socket or its parent does.  Returns 0 with the parent's end
 * of the socket and a pidfd, both owned by the caller, or a negative errno. */
int worker_process_start(
	const struct worker_setup *setup, pid_t *ret_pid, int *ret_socket, int *ret_pidfd);

/* The parent's half; neither call ever waits.  receive: 0; -EAGAIN (nothing there); -ECONNRESET
 * (the worker has closed its end); -EBADMSG (not an answer).  *ret_memory is -1 or a file that the
 * caller owns. */
int worker_send(int fd, const struct worker_request *request);
int worker_receive(int fd, struct worker_answer *ret, int *ret_memory);

/* What a scan's memory file holds; checked, since it crossed a process boundary: -EBADMSG. */
int worker_read_observed(int memory, struct observed **ret);
