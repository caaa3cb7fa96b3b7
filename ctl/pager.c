/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/pager.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "util/cleanup.h"

static const char *pager_command(void)
{
	const char *command = getenv("APMATRIX_PAGER");

	if (!command)
		command = getenv("PAGER");
	if (!command)
		command = "command -v less >/dev/null && exec less || exec cat";
	return *command && strcmp(command, "cat") != 0 ? command : NULL;
}

_Noreturn static void pager_run(const char *command, int input)
{
	/* Quit at once if it fits one screen, keep colours, leave the text on the screen; and no
	 * shell escapes and editors: whoever reads a status by sudo has not asked for a root shell. */
	setenv("LESS", "FRSXMK", 0);
	setenv("LESSSECURE", "1", 0);
	if (dup2(input, STDIN_FILENO) >= 0)
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

pid_t pager_start(void)
{
	const char *command = pager_command();
	int pipe_fds[2];
	pid_t pid;

	if (!command || !isatty(STDOUT_FILENO) || pipe2(pipe_fds, O_CLOEXEC) < 0)
		return 0;
	pid = fork();
	if (pid == 0)
		pager_run(command, pipe_fds[0]);
	close(pipe_fds[0]);
	if (pid > 0 && dup2(pipe_fds[1], STDOUT_FILENO) < 0)
		pid = 0;
	close(pipe_fds[1]);
	/* A user who leaves the pager early has read enough: no reason to fail. */
	signal(SIGPIPE, SIG_IGN);
	return pid > 0 ? pid : 0;
}

void pager_finish(pid_t pid)
{
	fflush(stdout);
	fclose(stdout);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}
