/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file of the store is the drop-in's text, byte for byte, and after it one line that tells where
 * it came from: at the end, so that all lines keep their numbers, and so that a file without it is
 * known to be incomplete.
 */
#include "load/accepted.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load/load.h"
#include "load/source.h"
#include "util/fileio.h"

#define STORE "run/apmatrixd/accepted"
#define TRAILER "# accepted from "
#define STORED_MAX (LOAD_FILE_MAX + sizeof("\n" TRAILER "\n") + PATH_MAX)

static int store_path(const char *name, char **ret)
{
	return asprintf(ret, "%s/%s", STORE, name) < 0 ? -ENOMEM : 0;
}

/* The stored form of a drop-in. */
static int stored_form(const struct dropin *d, char **ret, size_t *ret_size)
{
	const char *path = d->fragment->path;
	size_t max = d->size + strlen(path) + sizeof("\n" TRAILER "\n");
	char *text = malloc(max);

	if (!text)
		return -ENOMEM;
	memcpy(text, d->text, d->size);
	*ret_size = d->size +
		(size_t)snprintf(text + d->size, max - d->size, "\n" TRAILER "%s\n", path);
	*ret = text;
	return 0;
}

/* The path that the trailer names, if it is one that @name can have; the text before it remains. */
static char *split_stored(char *text, size_t *size, const char *name)
{
	static const char begin[] = "\n" TRAILER;
	size_t n = *size;
	char *last;

	if (n == 0 || text[n - 1] != '\n')
		return NULL;
	text[n - 1] = '\0';
	last = memrchr(text, '\n', n - 1);
	if (!last || strncmp(last, begin, strlen(begin)) != 0)
		return NULL;
	*size = (size_t)(last - text);
	last += strlen(begin);
	for (size_t i = 0; i < ARRAY_SIZE(load_directories); i++) {
		size_t n_dir = strlen(load_directories[i]);

		if (last[0] == '/' && strncmp(last + 1, load_directories[i], n_dir) == 0 &&
			last[1 + n_dir] == '/' && strcmp(last + 2 + n_dir, name) == 0)
			return last;
	}
	return NULL;
}

int accepted_read(int root, const char *name, struct dropin **ret)
{
	_cleanup_(cleanup_fragment_free) struct fragment *fragment = NULL;
	_cleanup_free_ char *path = NULL, *text = NULL;
	struct problems ignored = {};
	char *origin;
	size_t size;
	ssize_t n;
	int r;

	r = store_path(name, &path);
	if (r < 0)
		return r;
	*ret = NULL;
	n = file_read_at(root, path, STORED_MAX, &text);
	if (n < 0)
		return n == -ENOMEM ? -ENOMEM : 0;
	size = (size_t)n;
	origin = split_stored(text, &size, name);
	if (!origin)
		return 0;
	/* What an older daemon accepted and this one does not is no help: the file itself, of which
	 * all is told, is just as wrong. */
	r = load_text(origin, text, size, &ignored, &fragment);
	problems_done(&ignored);
	if (r < 0 || !fragment)
		return r;
	*ret = dropin_new(name, text, size, fragment);
	if (!*ret)
		return -ENOMEM;
	TAKE_PTR(text);
	TAKE_PTR(fragment);
	return 0;
}

/* 0 or a negative errno.  Reads before it writes: most of the time all is there already. */
static int store_one(int root, const struct dropin *d)
{
	_cleanup_free_ char *path = NULL, *text = NULL, *present = NULL;
	size_t size;
	ssize_t n;
	int r;

	r = store_path(d->name, &path);
	if (r == 0)
		r = stored_form(d, &text, &size);
	if (r < 0)
		return r;
	n = file_read_at(root, path, STORED_MAX, &present);
	if (n >= 0 && (size_t)n == size && memcmp(present, text, size) == 0)
		return 0;
	return file_replace_volatile_at(root, path, text, size, 0644);
}

/* Removes what is not in @set. */
static int remove_others(int root, const struct dropins *set)
{
	int fd = openat(root, STORE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *e;
	DIR *dir;
	int r = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while ((e = readdir(dir))) {
		if (*e->d_name == '.' || dropins_find(set, e->d_name))
			continue;
		if (unlinkat(dirfd(dir), e->d_name, 0) < 0 && errno != ENOENT)
			r = -errno;
	}
	closedir(dir);
	return r;
}

int accepted_write(int root, const struct dropins *set, struct problems *p)
{
	int r = remove_others(root, set);

	if (r == 0 && set->n > 0)
		r = mkdir_parents_at(root, STORE, 0755);
	for (size_t i = 0; i < set->n && r != -ENOMEM; i++) {
		int r_one = store_one(root, set->items[i]);

		if (r_one < 0)
			r = r_one;
	}
	if (r == 0 || r == -ENOMEM)
		return r;
	return problems_add(p, PROBLEM_WARNING, "not-stored", NULL, "/" STORE, 0,
		"the accepted drop-ins cannot be kept here: %s; after a restart a file with an "
		"error has no last good text",
		strerror(-r));
}
