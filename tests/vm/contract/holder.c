/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "holder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "/bench/kvmattach"
#define N_HOLDERS 8u
#define N_UUIDS 4u

struct holder {
	pid_t process; /* 0 where there is none */
	uint32_t id;
	FILE *ask, *answer;
	char uuids[N_UUIDS][40]; /* what it has open; empty where nothing */
};

static struct holder holders[N_HOLDERS];

static struct holder *find(uint32_t id)
{
	for (unsigned i = 0; i < N_HOLDERS; i++)
		if (holders[i].process && holders[i].id == id)
			return &holders[i];
	return NULL;
}

static char *find_uuid(struct holder *h, const char *uuid)
{
	for (unsigned i = 0; i < N_UUIDS; i++)
		if (strcmp(h->uuids[i], uuid) == 0)
			return h->uuids[i];
	return NULL;
}

static int errno_of(const char *name)
{
	for (int i = 1; i < 134; i++)
		if (strerrorname_np(i) && strcmp(strerrorname_np(i), name) == 0)
			return i;
	return EPROTO;
}

/* One command of kvmattach's, and its answer as an errno. */
static int say(struct holder *h, const char *command, const char *uuid)
{
	char answer[64];

	fprintf(h->ask, "%s %s\n", command, uuid);
	if (fflush(h->ask) != 0 || !fgets(answer, sizeof(answer), h->answer))
		return -EPIPE;
	answer[strcspn(answer, "\n")] = 0;
	return strcmp(answer, "ok") == 0 ? 0 : -errno_of(answer);
}

static void in_child(int in, int out)
{
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	execl(PROGRAM, "kvmattach", NULL);
	_exit(127);
}

static int start(uint32_t id, struct holder **ret)
{
	struct holder *h = NULL;
	int in[2], out[2];

	for (unsigned i = 0; i < N_HOLDERS && !h; i++)
		if (!holders[i].process)
			h = &holders[i];
	if (!h || pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		return -EMFILE;
	*h = (struct holder){.id = id, .process = fork()};
	if (h->process == 0)
		in_child(in[0], out[1]);
	close(in[0]);
	close(out[1]);
	h->ask = fdopen(in[1], "w");
	h->answer = fdopen(out[0], "r");
	*ret = h;
	return id ? say(h, "vm", "0") : 0;
}

int holder_attach(uint32_t id, const char *uuid)
{
	struct holder *h = find(id);
	int r = h ? 0 : start(id, &h);

	if (r == 0)
		r = say(h, id ? "attach 0" : "nokvm", uuid);
	if (r == 0)
		snprintf(find_uuid(h, ""), sizeof(h->uuids[0]), "%s", uuid);
	return r;
}

int holder_detach(const char *uuid)
{
	char path[128];

	for (unsigned i = 0; i < N_HOLDERS; i++) {
		char *open = holders[i].process ? find_uuid(&holders[i], uuid) : NULL;

		if (!open)
			continue;
		open[0] = 0;
		return say(&holders[i], "detach", uuid);
	}
	snprintf(path, sizeof(path), "/sys/bus/mdev/devices/%s", uuid);
	return access(path, F_OK) == 0 ? -ENOTCONN : -ENODEV;
}

/* When the process is waited for, its files are closed. */
static void end(struct holder *h)
{
	kill(h->process, SIGKILL);
	waitpid(h->process, NULL, 0);
	fclose(h->ask);
	fclose(h->answer);
	h->process = 0;
}

int holder_kill(uint32_t id)
{
	struct holder *h = find(id);

	if (!h)
		return -ESRCH;
	end(h);
	return 0;
}

void holder_kill_all(void)
{
	for (unsigned i = 0; i < N_HOLDERS; i++)
		if (holders[i].process)
			end(&holders[i]);
}
