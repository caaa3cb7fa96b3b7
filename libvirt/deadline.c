/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A signal at the deadline, so that no library call can outlast it: the program may be reading,
 * parsing, connecting or waiting for an answer.
 */
#include "libvirt/deadline.h"

#include <signal.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "util/cleanup.h"

static const char *volatile last_words;
static volatile sig_atomic_t exit_status;

/* Only what may be called in a signal handler. */
static void on_deadline(int number _unused_)
{
	const char *sentence = last_words;

	if (sentence) {
		struct iovec line[] = {
			{(char *)sentence, strlen(sentence)},
			{(char *)"\n", 1},
		};
		ssize_t n = writev(STDERR_FILENO, line, ARRAY_SIZE(line));

		(void)n;
	}
	_exit(exit_status);
}

void deadline_arm(unsigned seconds, int status)
{
	struct sigaction action = {.sa_handler = on_deadline};
	sigset_t alarm_only;

	exit_status = status;
	sigaction(SIGALRM, &action, NULL);
	sigemptyset(&alarm_only);
	sigaddset(&alarm_only, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &alarm_only, NULL);
	alarm(seconds);
}

void deadline_say(const char *sentence)
{
	last_words = sentence;
}
