/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "main/instance.h"

#include <fcntl.h>

#include "util/cleanup.h"
#include "util/fileio.h"

int instance_take(int root)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	_cleanup_close_ int fd = -1;
	int r = mkdir_parents_at(root, "run/apmatrixd", 0755);

	if (r < 0)
		return r;
	fd = openat(
		root, "run/apmatrixd/instance", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -errno;
	/* Bound to the process, not to the open file: a worker that was forked just before a crash
	 * and has not closed the fd yet must not keep the next daemon out. */
	if (fcntl(fd, F_SETLK, &whole) < 0)
		return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
	return TAKE_FD(fd);
}
