/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The process that may block.  It is a fork without exec: what it needs is already in memory, and
 * of its parent it keeps nothing but the root directory, the socket and standard error.  It never
 * returns into the caller's event loop, whose sources and buses it does not touch.
 */
#include "sysfs/worker_process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/cleanup.h"

/* 65536 mdevs take less. */
#define OBSERVED_FILE_MAX (64 << 20)
#define OBSERVED_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* A datagram, with a file or without (-1). */
static int message_send(int fd, const void *data, size_t size, int file)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)data, .iov_len = size};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

	if (file >= 0) {
		message.msg_control = control.room;
		message.msg_controllen = sizeof(control.room);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &file, sizeof(file));
	}
	return sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int write_memory(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);

		if (n < 0)
			return -errno;
		data += n;
		size -= (size_t)n;
	}
	return fcntl(fd, F_ADD_SEALS, OBSERVED_SEALS) < 0 ? -errno : 0;
}

static int pack_observed(const struct observed *o, int *ret)
{
	_cleanup_free_ void *data = NULL;
	_cleanup_close_ int fd = -1;
	size_t size;
	int r = observed_pack(o, &data, &size);

	if (r < 0)
		return r;
	fd = memfd_create("observed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	r = write_memory(fd, data, size);
	if (r < 0)
		return r;
	*ret = TAKE_FD(fd);
	return 0;
}

static int child_scan(const struct worker_setup *setup, int fd)
{
	_cleanup_(cleanup_observed_free) struct observed *o = NULL;
	struct worker_answer answer = {0};
	_cleanup_close_ int memory = -1;

	answer.error = setup->observe(setup->root, &o);
	if (answer.error == 0)
		answer.error = pack_observed(o, &memory);
	return message_send(fd, &answer, sizeof(answer), memory);
}

static int child_apply(const struct worker_setup *setup, int fd, const struct step *step)
{
	struct worker_answer answer = {0};

	answer.error = sysfs_apply(setup->root, step, answer.detail, sizeof(answer.detail));
	return message_send(fd, &answer, sizeof(answer), -1);
}

/* Until the parent closes its end. */
static void child_serve(const struct worker_setup *setup, int fd)
{
	struct worker_request request;
	int r = 0;

	while (r == 0) {
		ssize_t n = recv(fd, &request, sizeof(request), 0);

		if (n != sizeof(request))
			return;
		if (request.task == WORKER_SCAN)
			r = child_scan(setup, fd);
		else
			r = child_apply(setup, fd, &request.step);
	}
}

/* Signals as after exec, but deaf to those that a terminal or a service manager sends to all: the
 * daemon decides when its workers end, not before a write has been read back. */
static void child_reset_signals(void)
{
	static const int deaf[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int n = 1; n < NSIG; n++)
		sigaction(n, &action, NULL);
	action.sa_handler = SIG_IGN;
	for (size_t i = 0; i < ARRAY_SIZE(deaf); i++)
		sigaction(deaf[i], &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The ends of other workers' sockets above all: they would keep those alive. */
static void child_close_all_but(int a, int b)
{
	unsigned low = (unsigned)(a < b ? a : b), high = (unsigned)(a < b ? b : a);

	if (low > 3)
		close_range(3, low - 1, 0);
	if (high > low + 1)
		close_range(low + 1 > 3 ? low + 1 : 3, high - 1, 0);
	close_range(high + 1 > 3 ? high + 1 : 3, ~0u, 0);
}

static _Noreturn void child_main(const struct worker_setup *setup, int fd, pid_t parent)
{
	prctl(PR_SET_NAME, "apmatrixd-work");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	child_reset_signals();
	/* A parent that died before prctl() sends no signal any more. */
	if (getppid() == parent) {
		child_close_all_but(setup->root, fd);
		child_serve(setup, fd);
	}
	_exit(0);
}

int worker_process_start(
	const struct worker_setup *setup, pid_t *ret_pid, int *ret_socket, int *ret_pidfd)
{
	int pair[2], pidfd;
	pid_t parent = getpid(), pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;

	_cleanup_close_ int ours = pair[0], theirs = pair[1];

	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		child_main(setup, theirs, parent);
	pidfd = pidfd_open(pid, 0);
	if (pidfd < 0) {
		int r = -errno;

		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return r;
	}
	*ret_pid = pid;
	*ret_socket = TAKE_FD(ours);
	*ret_pidfd = pidfd;
	return 0;
}

int worker_send(int fd, const struct worker_request *request)
{
	ssize_t n = send(fd, request, sizeof(*request), MSG_NOSIGNAL | MSG_DONTWAIT);

	return n < 0 ? -errno : 0;
}

int worker_receive(int fd, struct worker_answer *ret, int *ret_memory)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = ret, .iov_len = sizeof(*ret)};
	struct msghdr message = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room)};
	ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *c;

	*ret_memory = -1;
	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	if (n == 0)
		return -ECONNRESET;
	c = CMSG_FIRSTHDR(&message);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(ret_memory, CMSG_DATA(c), sizeof(int));
	ret->detail[sizeof(ret->detail) - 1] = '\0';
	return (size_t)n == sizeof(*ret) ? 0 : -EBADMSG;
}

int worker_read_observed(int memory, struct observed **ret)
{
	int seals = fcntl(memory, F_GET_SEALS);
	struct stat st;
	void *data;
	int r;

	/* Without the seals it could change, or shrink under the mapping (SIGBUS). */
	if (seals < 0 || (seals & OBSERVED_SEALS) != OBSERVED_SEALS || fstat(memory, &st) < 0)
		return -EBADMSG;
	if (st.st_size <= 0 || st.st_size > OBSERVED_FILE_MAX)
		return -EBADMSG;
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, memory, 0);
	if (data == MAP_FAILED)
		return -errno;
	r = observed_unpack(data, (size_t)st.st_size, ret);
	munmap(data, (size_t)st.st_size);
	return r;
}
