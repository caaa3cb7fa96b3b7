/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A directory below /tmp that tests fill with what the kernel's tree would hold.  Plain files: it
 * has the kernel's names, not its behaviour.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"
#include "util/cleanup.h"
#include "util/fileio.h"

#ifndef FAKE_PARENT
#define FAKE_PARENT "/tmp"
#endif

static char fake_path[64];
static int fake_root = -1;

static inline void fake_make(void)
{
	snprintf(fake_path, sizeof(fake_path), "%s/test-tree-XXXXXX", FAKE_PARENT);
	ck_assert_ptr_nonnull(mkdtemp(fake_path));
	fake_root = open(fake_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(fake_root, 0);
}

static inline void fake_remove(void)
{
	char command[128];

	close(fake_root);
	snprintf(command, sizeof(command), "rm -rf '%s'", fake_path);
	ck_assert_int_eq(system(command), 0);
}

static inline void fake_parents(const char *path)
{
	char parent[256], *slash;

	snprintf(parent, sizeof(parent), "%s", path);
	slash = strrchr(parent, '/');
	if (!slash)
		return;
	*slash = '\0';
	ck_assert_int_eq(mkdir_parents_at(fake_root, parent, 0755), 0);
}

static inline void fake_dir(const char *path)
{
	ck_assert_int_eq(mkdir_parents_at(fake_root, path, 0755), 0);
}

static inline void fake_file(const char *path, const char *text)
{
	_cleanup_close_ int fd = -1;

	fake_parents(path);
	fd = openat(fake_root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ck_assert_msg(fd >= 0, "%s", path);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static inline void fake_link(const char *path, const char *target)
{
	fake_parents(path);
	unlinkat(fake_root, path, 0);
	ck_assert_msg(symlinkat(target, fake_root, path) == 0, "%s", path);
}

/* The same below a directory: fake_filef(text, "sys/x/%s", name). */
_printf_(2, 3) static inline void fake_filef(const char *text, const char *format, ...)
{
	char path[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(path, sizeof(path), format, ap);
	va_end(ap);
	fake_file(path, text);
}

static inline bool fake_exists(const char *path)
{
	return faccessat(fake_root, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}
