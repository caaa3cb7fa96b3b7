/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Small files below a directory fd: whole reads with a limit, one-write writes, atomic
 * replacement.  Paths are relative to @dir; "" is never allowed.
 */
#include <stddef.h>
#include <sys/types.h>

/* Reads a whole regular or attribute file of at most @max bytes into a new NUL-terminated string.
 * Returns its size (NULs inside count), -EFBIG beyond @max (nothing is cut), -EISDIR, -ENOMEM, or
 * what open(2) and read(2) say.  The caller owns *ret. */
ssize_t file_read_at(int dir, const char *path, size_t max, char **ret);

/* The same from where @fd stands. */
ssize_t fd_read_all(int fd, size_t max, char **ret);

/* Reads an attribute into @buf of @size bytes, NUL-terminated, one trailing newline removed.
 * Returns its length, -EFBIG where it does not fit, or a negative errno. */
ssize_t attr_read_at(int dir, const char *path, char *buf, size_t size);

/* Writes @text by one write(2) to an existing file (a sysfs attribute).
 * Returns 0, -EIO for a short write, or what open(2) and write(2) say. */
int attr_write_at(int dir, const char *path, const char *text);

/* Replaces @path by a file of that content: temporary file beside it (".NAME.PID"), fsync,
 * rename, fsync of the directory.  Returns 0 or a negative errno, the old file then untouched and
 * the temporary one gone. */
int file_replace_at(int dir, const char *path, const char *text, size_t size, mode_t mode);

/* The same without the two fsyncs, for what need not outlive a power failure (/run). */
int file_replace_volatile_at(int dir, const char *path, const char *text, size_t size, mode_t mode);

/* mkdir -p below @dir; what exists is left alone.  0 or a negative errno. */
int mkdir_parents_at(int dir, const char *path, mode_t mode);
