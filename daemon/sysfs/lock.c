/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The protocol: a temporary file with our pid is linked to the lock's name, which only succeeds
 * where there is none.  A lock whose process is gone, or that names none and is two minutes old, is
 * removed by whoever finds it.
 *
 * Two who find it at once must not remove each other's fresh lock.  Among daemons of this kind a
 * flock() on the dead one's file sees to that.  Other tools know nothing of it, and may be about to
 * remove what they saw a moment ago: so whoever has cleared a dead lock takes it at his next try and
 * not at once, and a lock is believed only after it was read back.
 */
#include "sysfs/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "sysfs/tree.h"
#include "util/fileio.h"

#define STALE_SECONDS 120
#define RETRY_USEC 30000u
#define PATIENCE_USEC (100u * 1000000u)

/* The lock's file as it is: its fd, what it says (0: no pid, or not readable as one), and whose time
 * and inode it has; -ENOENT: nobody holds it; or another negative errno. */
static int lock_open(int root, pid_t *ret_pid, struct stat *ret_stat)
{
	_cleanup_close_ int fd =
		openat(root, TREE_LOCK, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char text[16];
	ssize_t n;
	char *end;
	long pid;

	if (fd < 0 || fstat(fd, ret_stat) < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	pid = strtol(text, &end, 10);
	*ret_pid = end != text && pid > 0 && pid <= INT32_MAX ? (pid_t)pid : 0;
	return TAKE_FD(fd);
}

static int lock_read(int root, pid_t *ret_pid)
{
	struct stat st;
	int fd = lock_open(root, ret_pid, &st);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static bool is_stale(pid_t pid, time_t written)
{
	/* A file without a pid is being written, or its writer crashed. */
	if (pid == 0)
		return time(NULL) - written > STALE_SECONDS;
	/* EPERM: it lives, as somebody else. */
	return kill(pid, 0) < 0 && errno == ESRCH;
}

static void name_holder(int root, pid_t pid, char holder[static LOCK_HOLDER_SIZE])
{
	char path[TREE_PATH_SIZE], comm[32];

	if (pid == 0)
		snprintf(holder, LOCK_HOLDER_SIZE, "an unknown process");
	else if (attr_read_at(root, tree_comm(path, (unsigned)pid), comm, sizeof(comm)) > 0)
		snprintf(holder, LOCK_HOLDER_SIZE, "%d (%s)", (int)pid, comm);
	else
		snprintf(holder, LOCK_HOLDER_SIZE, "%d", (int)pid);
}

static int write_pid(int root, const char *path)
{
	_cleanup_close_ int fd =
		openat(root, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	char text[16];
	int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	if (fd < 0)
		return -errno;
	if (write(fd, text, (size_t)n) != n)
		return -EIO;
	return 0;
}

/* 0: the lock is there, made by us.  -EEXIST: somebody has it. */
static int lock_link(int root)
{
	char temp[sizeof(TREE_LOCK) + 16];
	int r;

	snprintf(temp, sizeof(temp), "%s%05d%02x", TREE_LOCK, (int)getpid(),
		(unsigned)(time(NULL) & 255));
	/* Nobody else makes this name; a killed predecessor with our pid may have left it. */
	unlinkat(root, temp, 0);
	r = write_pid(root, temp);
	if (r == 0 && linkat(root, temp, root, TREE_LOCK, 0) < 0)
		r = -errno;
	unlinkat(root, temp, 0);
	return r;
}

/* True if it is this very file that stands there, and nobody else of our kind is about to remove it. */
static bool is_still(int root, int fd, const struct stat *st)
{
	struct stat now;

	return flock(fd, LOCK_EX | LOCK_NB) == 0 &&
		fstatat(root, TREE_LOCK, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
		now.st_dev == st->st_dev && now.st_ino == st->st_ino;
}

/* 0: there was a stale lock, and it is gone.  -EBUSY: the lock is held, or somebody is clearing it.
 * -ENOENT: no lock. */
static int lock_clear_stale(int root, char holder[static LOCK_HOLDER_SIZE])
{
	struct stat st;
	pid_t pid;
	_cleanup_close_ int fd = lock_open(root, &pid, &st);

	if (fd < 0)
		return fd;
	if (pid != getpid() && !is_stale(pid, st.st_mtime)) {
		name_holder(root, pid, holder);
		return -EBUSY;
	}
	if (!is_still(root, fd, &st)) {
		snprintf(holder, LOCK_HOLDER_SIZE, "an unknown process");
		return -EBUSY;
	}
	return unlinkat(root, TREE_LOCK, 0) < 0 && errno != ENOENT ? -errno : 0;
}

int lock_try(int root, char holder[static LOCK_HOLDER_SIZE])
{
	pid_t pid;
	int r = lock_link(root);

	holder[0] = '\0';
	if (r == -ENOENT) {
		r = mkdir_parents_at(root, TREE_LOCK_DIR, 0755);
		if (r == 0)
			r = lock_link(root);
	}
	if (r == -EEXIST) {
		r = lock_clear_stale(root, holder);
		if (r < 0 && r != -ENOENT)
			return r;
		snprintf(holder, LOCK_HOLDER_SIZE, "a process that has gone");
		return -EBUSY;
	}
	if (r < 0)
		return r;
	/* Another one that saw the stale lock may have taken ours for it. */
	if (lock_read(root, &pid) == 0 && pid == getpid())
		return 0;
	snprintf(holder, LOCK_HOLDER_SIZE, "an unknown process");
	return -EBUSY;
}

int lock_release(int root)
{
	pid_t pid;
	int r = lock_read(root, &pid);

	if (r < 0 || pid != getpid())
		return r == -ENOENT ? 0 : r;
	return unlinkat(root, TREE_LOCK, 0) < 0 && errno != ENOENT ? -errno : 0;
}

enum lock_state { LOCK_FREE, LOCK_ASKING, LOCK_HELD };

struct lock {
	sd_event *event;
	int root;
	lock_reply reply;
	void *userdata;
	uint64_t retry, patience, deadline;
	enum lock_state state;
	sd_event_source *timer;
};

static void lock_finish(struct lock *lock, int error, const char *holder)
{
	lock->state = error == 0 ? LOCK_HELD : LOCK_FREE;
	lock->timer = sd_event_source_disable_unref(lock->timer);
	lock->reply(lock->userdata, error, holder);
}

static int on_retry(sd_event_source *s, _unused_ uint64_t usec, void *p)
{
	char holder[LOCK_HOLDER_SIZE];
	struct lock *lock = p;
	uint64_t now;
	int r = lock_try(lock->root, holder);

	if (r == -EBUSY && sd_event_now(lock->event, CLOCK_MONOTONIC, &now) >= 0 &&
		now < lock->deadline) {
		sd_event_source_set_time(s, now + lock->retry);
		return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
	}
	lock_finish(lock, r, holder);
	return 0;
}

int lock_new(sd_event *event, int root, lock_reply reply, void *userdata, uint64_t retry_usec,
	uint64_t patience_usec, struct lock **ret)
{
	struct lock *lock = calloc(1, sizeof(*lock));
	char holder[LOCK_HOLDER_SIZE];

	if (!lock)
		return -ENOMEM;
	lock->event = event;
	lock->root = root;
	lock->reply = reply;
	lock->userdata = userdata;
	lock->retry = retry_usec ? retry_usec : RETRY_USEC;
	lock->patience = patience_usec ? patience_usec : PATIENCE_USEC;
	/* A killed predecessor's pid may be given to a process that lives long. */
	lock_clear_stale(root, holder);
	*ret = lock;
	return 0;
}

void lock_free(struct lock *lock)
{
	lock_drop(lock);
	free(lock);
}

int lock_take(struct lock *lock)
{
	uint64_t now;
	int r;

	if (lock->state != LOCK_FREE)
		return -EALREADY;
	r = sd_event_now(lock->event, CLOCK_MONOTONIC, &now);
	if (r < 0)
		return r;
	r = sd_event_add_time(lock->event, &lock->timer, CLOCK_MONOTONIC, now, 1, on_retry, lock);
	if (r < 0)
		return r;
	lock->deadline = now + lock->patience;
	lock->state = LOCK_ASKING;
	return 0;
}

void lock_drop(struct lock *lock)
{
	lock->timer = sd_event_source_disable_unref(lock->timer);
	if (lock->state == LOCK_HELD)
		lock_release(lock->root);
	lock->state = LOCK_FREE;
}
