/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files and directories, with systemd's precedence; what a text means is load_text.c's. */
#include "load/source.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "load/lines.h"
#include "load/load.h"
#include "util/fileio.h"

#define SUFFIX ".conf"

const char *const load_directories[3] = {
	"etc/apmatrix.d",
	"run/apmatrix.d",
	"usr/lib/apmatrix.d",
};

const char *const load_watched[5] = {
	"etc/apmatrix.d",
	"run/apmatrix.d",
	"usr/lib/apmatrix.d",
	"etc/udev/rules.d",
	"run/udev/rules.d",
};

bool source_name_valid(const char *name)
{
	size_t n = strlen(name);

	return n > strlen(SUFFIX) && n <= NAME_MAX && *name != '.' && !strchr(name, '/') &&
		strcmp(name + n - strlen(SUFFIX), SUFFIX) == 0 && lines_is_plain(name, n);
}

void sources_done(struct sources *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->items[i].name);
		free(s->items[i].path);
	}
	free(s->items);
	*s = (struct sources){};
}

/* Appends; takes a power of two as full. */
static int sources_append(struct sources *s, const char *directory, const char *name)
{
	struct source new = {};

	if ((s->n & (s->n - 1)) == 0) {
		struct source *bigger =
			reallocarray(s->items, s->n ? 2 * s->n : 1, sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		s->items = bigger;
	}
	new.name = strdup(name);
	if (!new.name || asprintf(&new.path, "/%s/%s", directory, name) < 0) {
		free(new.name);
		return -ENOMEM;
	}
	s->items[s->n++] = new;
	return 0;
}

/* By name; the directories' order is the alphabetical order of their paths. */
static int compare_sources(const void *a, const void *b)
{
	const struct source *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	return r ? r : strcmp(x->path, y->path);
}

/* Sorts, and leaves of each name the one in the highest directory. */
static void sources_settle(struct sources *s)
{
	size_t n = 0;

	if (s->n == 0)
		return;
	qsort(s->items, s->n, sizeof(*s->items), compare_sources);
	for (size_t i = 0; i < s->n; i++) {
		if (n > 0 && strcmp(s->items[n - 1].name, s->items[i].name) == 0) {
			free(s->items[i].name);
			free(s->items[i].path);
		} else {
			s->items[n++] = s->items[i];
		}
	}
	s->n = n;
}

int sources_add(struct sources *s, const char *name)
{
	int r = sources_append(s, load_directories[0], name);

	if (r == 0)
		sources_settle(s);
	return r;
}

/* The name with "\xNN" for what cannot be shown. */
static int refuse_name(struct problems *p, const char *directory, const char *name)
{
	char shown[4 * NAME_MAX + 1], *at = shown;

	for (const unsigned char *c = (const unsigned char *)name; *c; c++) {
		if (*c >= 0x20 && *c < 0x7f)
			*at++ = (char)*c;
		else
			at += sprintf(at, "\\x%02x", *c);
	}
	*at = '\0';
	return problems_add(p, PROBLEM_ERROR, "bad-file-name", NULL, directory, 0,
		"the name of the file %s is not readable text; rename it, it is ignored", shown);
}

static int take_name(struct sources *s, struct problems *p, const char *directory, const char *name)
{
	size_t n = strlen(name);

	if (*name == '.' || n <= strlen(SUFFIX) || strcmp(name + n - strlen(SUFFIX), SUFFIX) != 0)
		return 0;
	if (!source_name_valid(name)) {
		char path[64];

		snprintf(path, sizeof(path), "/%s", directory);
		return refuse_name(p, path, name);
	}
	return sources_append(s, directory, name);
}

static int list_directory(struct sources *s, struct problems *p, int root, const char *directory)
{
	int fd = openat(root, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
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
	while (r == 0 && (errno = 0, e = readdir(dir)))
		r = take_name(s, p, directory, e->d_name);
	if (r == 0 && errno != 0)
		r = -errno;
	closedir(dir);
	return r;
}

int sources_list(int root, struct problems *p, struct sources *ret)
{
	struct sources s = {};

	for (size_t i = 0; i < ARRAY_SIZE(load_directories); i++) {
		int r = list_directory(&s, p, root, load_directories[i]);

		if (r < 0) {
			sources_done(&s);
			return r;
		}
	}
	sources_settle(&s);
	*ret = s;
	return 0;
}

/* A problem with the file as such.  SOURCE_BAD or -ENOMEM. */
static int bad_file(struct problems *p, const struct source *s, const char *code, const char *text)
{
	int r = problems_add(p, PROBLEM_ERROR, code, NULL, s->path, 0, "%s", text);

	return r < 0 ? r : SOURCE_BAD;
}

static int bad_errno(struct problems *p, const struct source *s, const char *what, int error)
{
	int r = problems_add(p, PROBLEM_ERROR, "unreadable-file", NULL, s->path, 0,
		"the file cannot be %s: %s", what, strerror(error));

	return r < 0 ? r : SOURCE_BAD;
}

/* What cannot be opened; ENOENT is a file that went away, or a link to nothing. */
static int failed_open(struct problems *p, const struct source *s, int error, bool is_link)
{
	if (error == ENOENT && is_link)
		return bad_file(p, s, "unreadable-file",
			"the link leads to no file; correct it, or link to /dev/null to mask");
	if (error == ENOENT)
		return SOURCE_GONE;
	return bad_errno(p, s, "opened", error);
}

static int read_open_file(
	int fd, const struct source *s, struct problems *p, char **ret_text, size_t *ret_size)
{
	char *text = NULL;
	ssize_t n = fd_read_all(fd, LOAD_FILE_MAX, &text);

	if (n == -ENOMEM)
		return -ENOMEM;
	if (n == -EFBIG) {
		int r = problems_add(p, PROBLEM_ERROR, "file-too-large", NULL, s->path, 0,
			"the file has more than %u bytes; split it", LOAD_FILE_MAX);

		return r < 0 ? r : SOURCE_BAD;
	}
	if (n < 0)
		return bad_errno(p, s, "read", (int)-n);
	if (n == 0) {
		free(text);
		return SOURCE_MASKED;
	}
	*ret_text = text;
	*ret_size = (size_t)n;
	return SOURCE_TEXT;
}

int source_read(
	int root, const struct source *s, struct problems *p, char **ret_text, size_t *ret_size)
{
	const char *path = s->path + 1; /* below the root */
	char target[sizeof("/dev/null") + 1];
	ssize_t n = readlinkat(root, path, target, sizeof(target));
	_cleanup_close_ int fd = -1;
	struct stat st;

	/* By its text: below a root for tests there may be no /dev. */
	if (n == (ssize_t)strlen("/dev/null") && memcmp(target, "/dev/null", (size_t)n) == 0)
		return SOURCE_MASKED;
	fd = openat(root, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return failed_open(p, s, errno, n >= 0);
	if (fstat(fd, &st) < 0)
		return bad_errno(p, s, "examined", errno);
	if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)) /* /dev/null by another way */
		return SOURCE_MASKED;
	if (!S_ISREG(st.st_mode))
		return bad_file(p, s, "not-a-file",
			"this is no regular file, although its name is a drop-in's; remove it");
	return read_open_file(fd, s, p, ret_text, ret_size);
}
