/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/fileio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"

/* Up to @size bytes, however many reads it takes.  The number of bytes, or a negative errno. */
static ssize_t read_all(int fd, char *buf, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, buf + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static int write_all(int fd, const char *buf, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, buf, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		buf += n;
		size -= (size_t)n;
	}
	return 0;
}

ssize_t fd_read_all(int fd, size_t max, char **ret)
{
	_cleanup_free_ char *text = NULL;
	size_t room = 4096, done = 0;

	/* The size that stat() tells is no guide for attributes: grow until the end is seen. */
	for (;;) {
		if (room > max + 1)
			room = max + 1;

		char *bigger = realloc(text, room + 1);

		if (!bigger)
			return -ENOMEM;
		text = bigger;

		ssize_t n = read_all(fd, text + done, room - done);

		if (n < 0)
			return n;
		done += (size_t)n;
		if (done < room)
			break;
		if (done > max)
			return -EFBIG;
		room *= 2;
	}
	text[done] = '\0';
	*ret = TAKE_PTR(text);
	return (ssize_t)done;
}

ssize_t file_read_at(int dir, const char *path, size_t max, char **ret)
{
	_cleanup_close_ int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	return fd < 0 ? -errno : fd_read_all(fd, max, ret);
}

ssize_t attr_read_at(int dir, const char *path, char *buf, size_t size)
{
	_cleanup_close_ int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return -errno;

	ssize_t n = read_all(fd, buf, size);

	if (n < 0)
		return n;
	if ((size_t)n == size)
		return -EFBIG;
	if (n > 0 && buf[n - 1] == '\n')
		n--;
	buf[n] = '\0';
	return n;
}

int attr_write_at(int dir, const char *path, const char *text)
{
	_cleanup_close_ int fd = openat(dir, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	size_t size = strlen(text);

	if (fd < 0)
		return -errno;

	ssize_t n = write(fd, text, size);

	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EIO;
}

/* Opens the directory that holds @path; *ret_name points to the last part of it. */
static int open_parent(int dir, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *parent = NULL;

	*ret_name = slash ? slash + 1 : path;
	if (**ret_name == '\0')
		return -EINVAL;
	parent = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
	if (!parent)
		return -ENOMEM;

	int fd = openat(dir, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int write_new(int fd, const char *text, size_t size, mode_t mode, bool sync)
{
	int r = write_all(fd, text, size);

	if (r < 0)
		return r;
	if (fchmod(fd, mode) < 0 || (sync && fsync(fd) < 0))
		return -errno;
	return 0;
}

static int replace(int dir, const char *path, const char *text, size_t size, mode_t mode, bool sync)
{
	const char *name;
	_cleanup_close_ int parent = open_parent(dir, path, &name);
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *temp = NULL;
	int r;

	if (parent < 0)
		return parent;
	if (asprintf(&temp, ".%s.%ld", name, (long)getpid()) < 0)
		return -ENOMEM;
	/* A leftover of a killed predecessor with this pid is ours to replace. */
	unlinkat(parent, temp, 0);
	fd = openat(parent, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = write_new(fd, text, size, mode, sync);
	if (r == 0 && renameat(parent, temp, parent, name) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(parent, temp, 0);
		return r;
	}
	return sync && fsync(parent) < 0 ? -errno : 0;
}

int file_replace_at(int dir, const char *path, const char *text, size_t size, mode_t mode)
{
	return replace(dir, path, text, size, mode, true);
}

int file_replace_volatile_at(int dir, const char *path, const char *text, size_t size, mode_t mode)
{
	return replace(dir, path, text, size, mode, false);
}

int mkdir_parents_at(int dir, const char *path, mode_t mode)
{
	_cleanup_free_ char *part = strdup(path);

	if (!part)
		return -ENOMEM;
	for (char *p = strchr(part + 1, '/');; p = strchr(p + 1, '/')) {
		if (p)
			*p = '\0';
		if (mkdirat(dir, part, mode) < 0 && errno != EEXIST)
			return -errno;
		if (!p)
			return 0;
		*p = '/';
	}
}
