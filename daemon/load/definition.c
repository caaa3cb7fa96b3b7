/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "load/definition.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <uuid/uuid.h>

#include "load/load.h"
#include "util/fileio.h"

/* The first line; behind it the sum of all that follows. */
static const char mark[] = "# Written by apmatrixd; changed by hand it is yours and left alone. ";

/* The name space of the sums: a random one, for this purpose only. */
static const uuid_t sum_space = {0x5f, 0x1c, 0x2e, 0x7a, 0x90, 0x3b, 0x4d, 0x0e, 0x8a, 0x55, 0x1d,
	0x66, 0xc4, 0x2f, 0x07, 0xb3};

static void sum_of(const char *text, char ret[static UUID_STR_LEN])
{
	uuid_t sum;

	uuid_generate_sha1(sum, sum_space, text, strlen(text));
	uuid_unparse_lower(sum, ret);
}

char *definition_path(const char *name)
{
	char *path;

	return asprintf(&path, "/%s/%s.conf", load_directories[0], name) < 0 ? NULL : path;
}

static char *reason_new(const char *format, ...) _printf_(1, 2);

static char *reason_new(const char *format, ...)
{
	char *reason;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&reason, format, ap) < 0)
		reason = NULL;
	va_end(ap);
	return reason;
}

/* The section and its settings, without the mark. */
static char *make_body(const char *name, const struct raw_setting *settings, size_t n)
{
	char *body = NULL;
	size_t size;
	FILE *f = open_memstream(&body, &size);

	if (!f)
		return NULL;
	fprintf(f, "[Matrix %s]\n", name);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s=%s\n", settings[i].key, settings[i].value);
	if (fclose(f) != 0) {
		free(body);
		return NULL;
	}
	return body;
}

/* True if the fragment says exactly what was asked: nothing was read as a comment, a section or
 * another line. */
static bool reads_back(
	const struct fragment *f, const char *name, const struct raw_setting *settings, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < f->n_items; i++) {
		const struct assignment *a = &f->items[i];

		if (a->section != SECTION_MATRIX || strcmp(a->name, name) != 0)
			return false;
		if (!a->key)
			continue;
		if (k == n || strcmp(a->key, settings[k].key) != 0 ||
			strcmp(a->value, settings[k].value) != 0)
			return false;
		k++;
	}
	return k == n;
}

/* 1: fine.  0: refused, *ret_reason set. */
static int judge(const char *body, const char *name, const struct raw_setting *settings, size_t n,
	char **ret_reason)
{
	_cleanup_(cleanup_fragment_free) struct fragment *f = NULL;
	_cleanup_(problems_done) struct problems problems = {};
	_cleanup_free_ char *path = definition_path(name);
	int r;

	if (!path)
		return -ENOMEM;
	r = load_text(path, body, strlen(body), &problems, &f);
	if (r < 0)
		return r;
	if (!f)
		*ret_reason = reason_new(
			"%s", problems.n ? problems.items[0].text : "it cannot be read back");
	else if (!reads_back(f, name, settings, n))
		*ret_reason = reason_new(
			"a value cannot stand in a drop-in as given: it holds a line break, "
			"a comment sign after a blank, or blanks at an end");
	else
		return 1;
	return *ret_reason ? 0 : -ENOMEM;
}

int definition_make(const char *name, const struct raw_setting *settings, size_t n_settings,
	char **ret_text, char **ret_reason)
{
	_cleanup_free_ char *body = make_body(name, settings, n_settings), *reason = NULL;
	char sum[UUID_STR_LEN];
	int r;

	if (!body)
		return -ENOMEM;
	r = judge(body, name, settings, n_settings, &reason);
	if (r == 0) {
		*ret_reason = TAKE_PTR(reason);
		return -EINVAL;
	}
	if (r < 0)
		return r;
	sum_of(body, sum);
	return asprintf(ret_text, "%s%s\n%s", mark, sum, body) < 0 ? -ENOMEM : 0;
}

/* True if @text is a definition that nobody has changed since it was written. */
static bool is_ours(const char *text)
{
	const char *sum = text + strlen(mark), *newline;
	char expected[UUID_STR_LEN];

	if (strncmp(text, mark, strlen(mark)) != 0)
		return false;
	newline = strchr(sum, '\n');
	if (!newline || newline - sum != UUID_STR_LEN - 1)
		return false;
	sum_of(newline + 1, expected);
	return strncmp(sum, expected, UUID_STR_LEN - 1) == 0;
}

/* 1: ours.  -ENOENT: there is none.  -EEXIST: somebody else's, or no file. */
static int look_at(int root, const char *path)
{
	_cleanup_close_ int fd =
		openat(root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	_cleanup_free_ char *text = NULL;
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? -ENOENT : -EEXIST;
	n = fd_read_all(fd, LOAD_FILE_MAX, &text);
	return n >= 0 && strlen(text) == (size_t)n && is_ours(text) ? 1 : -EEXIST;
}

int definition_write(int root, const char *name, const char *text)
{
	_cleanup_free_ char *path = definition_path(name);
	int r;

	if (!path)
		return -ENOMEM;
	r = mkdir_parents_at(root, load_directories[0], 0755);
	if (r < 0)
		return r;
	r = look_at(root, path + 1);
	if (r < 0 && r != -ENOENT)
		return r;
	return file_replace_at(root, path + 1, text, strlen(text), 0644);
}

int definition_remove(int root, const char *name)
{
	_cleanup_free_ char *path = definition_path(name);
	_cleanup_close_ int dir = -1;
	int r;

	if (!path)
		return -ENOMEM;
	r = look_at(root, path + 1);
	if (r < 0)
		return r;
	if (unlinkat(root, path + 1, 0) < 0)
		return -errno;
	dir = openat(root, load_directories[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir >= 0 && fsync(dir) == 0 ? 0 : -errno;
}
