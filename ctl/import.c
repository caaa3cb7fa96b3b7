/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/import.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "util/fileio.h"

#define DIRECTORY "etc/mdevctl.d/" MDEVCTL_PARENT
#define PREFIX "matrix-"
#define SHORT_UUID 8 /* digits in its first part */

void imports_done(struct imports *l)
{
	for (size_t i = 0; i < l->n; i++) {
		settings_done(&l->items[i].settings);
		free(l->items[i].mistake);
	}
	free(l->items);
	free(l->directory);
	*l = (struct imports){0};
}

static int set_mistake(struct import *i, const char *text)
{
	i->mistake = strdup(text);
	return i->mistake ? 0 : -ENOMEM;
}

static int set_unreadable(struct import *i, int error)
{
	if (error == -EFBIG)
		return set_mistake(i,
			"the file is larger than a definition may be (256 KiB); have mdevctl "
			"write it anew");
	if (asprintf(&i->mistake, "it cannot be read: %s; %s", strerror(-error),
		    error == -EACCES || error == -EPERM
			    ? "try again with sudo"
			    : "mdevctl cannot read it, either: correct or remove it") < 0) {
		i->mistake = NULL;
		return -ENOMEM;
	}
	return 0;
}

/* ---- which files ---- */

static int imports_add(struct imports *l, const char *file, const char *uuid, struct import **ret)
{
	struct import *items = reallocarray(l->items, l->n + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	l->items = items;
	items[l->n] = (struct import){0};
	snprintf(items[l->n].file, sizeof(items[l->n].file), "%s", file);
	snprintf(items[l->n].uuid, sizeof(items[l->n].uuid), "%s", uuid);
	*ret = &items[l->n++];
	return 0;
}

static bool is_wanted(char *const *uuids, const char *uuid)
{
	for (char *const *u = uuids; *u; u++)
		if (strcmp(*u, uuid) == 0)
			return true;
	return !*uuids;
}

static int add_file(struct imports *l, char *const *uuids, const char *file)
{
	char uuid[UUID_SIZE] = "";
	struct import *item;
	int r;

	if (!uuid_normalize(file, uuid) && *uuids)
		return 0;
	if (*uuid && !is_wanted(uuids, uuid))
		return 0;
	r = imports_add(l, file, uuid, &item);
	if (r < 0 || *uuid)
		return r;
	return set_mistake(item, "ignored, as mdevctl does: the name is not a UUID");
}

static int list_directory(DIR *dir, char *const *uuids, struct imports *l)
{
	struct dirent *e;
	int r = 0;

	for (;;) {
		errno = 0;
		e = readdir(dir);
		if (!e)
			return -errno;
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = add_file(l, uuids, e->d_name);
		if (r < 0)
			return r;
	}
}

/* What was asked for and is not there. */
static int add_missing(struct imports *l, char *const *uuids)
{
	size_t n = l->n;

	for (char *const *u = uuids; *u; u++) {
		struct import *item;
		bool found = false;
		int r;

		for (size_t i = 0; i < n; i++)
			found |= strcmp(l->items[i].uuid, *u) == 0;
		if (found)
			continue;
		r = imports_add(l, *u, *u, &item);
		if (r == 0)
			r = set_mistake(item,
				"there is no such file; 'mdevctl list --defined' shows what is "
				"defined");
		if (r < 0)
			return r;
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct import *x = a, *y = b;
	int r = strcmp(x->uuid, y->uuid);

	return r ? r : strcmp(x->file, y->file);
}

/* ---- what they say ---- */

static int make_settings(struct import *i)
{
	const struct matrix *m = &i->definition.matrix;
	const struct {
		enum matrix_key key;
		const struct mask *mask;
	} lists[] = {
		{KEY_ADAPTERS, &m->adapters},
		{KEY_DOMAINS, &m->domains},
		{KEY_CONTROL_DOMAINS, &m->control_domains},
	};
	char list[MASK_LIST_SIZE];
	int r = settings_set(&i->settings, KEY_UUID, i->uuid);

	for (size_t k = 0; k < ARRAY_SIZE(lists) && r == 0; k++) {
		mask_format_list(lists[k].mask, list);
		if (*list)
			r = settings_set(&i->settings, lists[k].key, list);
	}
	if (r == 0)
		r = settings_set(
			&i->settings, KEY_START, i->definition.autostart ? "boot" : "manual");
	return r;
}

static int read_file(int dir, struct import *i)
{
	_cleanup_free_ char *text = NULL;
	ssize_t size = file_read_at(dir, i->file, MDEVCTL_FILE_MAX, &text);
	int r;

	if (size == -ENOMEM)
		return -ENOMEM;
	if (size < 0)
		return set_unreadable(i, (int)size);
	r = mdevctl_parse(text, (size_t)size, &i->definition, &i->line, &i->mistake);
	if (r == -EINVAL)
		return 0;
	return r < 0 ? r : make_settings(i);
}

/* The whole UUID where another one begins alike. */
static void make_name(const struct imports *l, struct import *item)
{
	bool alike = false;

	for (size_t i = 0; i < l->n; i++)
		alike |= &l->items[i] != item &&
			strncmp(l->items[i].uuid, item->uuid, SHORT_UUID) == 0;
	snprintf(item->name, sizeof(item->name), PREFIX "%.*s",
		alike ? (int)UUID_SIZE - 1 : SHORT_UUID, item->uuid);
}

static int read_directory(DIR *dir, char *const *uuids, struct imports *l)
{
	int r = list_directory(dir, uuids, l);

	for (size_t i = 0; i < l->n && r == 0; i++)
		if (!l->items[i].mistake)
			r = read_file(dirfd(dir), &l->items[i]);
	return r;
}

/* 0 with *ret NULL: there is none. */
static int open_directory(const char *root, DIR **ret)
{
	_cleanup_close_ int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int dir = -1;

	if (fd < 0)
		return -errno;
	*ret = NULL;
	dir = openat(fd, DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return errno == ENOENT ? 0 : -errno;
	*ret = fdopendir(dir);
	if (!*ret)
		return -errno;
	TAKE_FD(dir);
	return 0;
}

int imports_read(const char *root, char *const *uuids, struct imports *ret)
{
	const char *slash = *root && root[strlen(root) - 1] == '/' ? "" : "/";
	struct imports l = {0};
	DIR *dir = NULL;
	int r = open_directory(root, &dir);

	if (r == 0 && asprintf(&l.directory, "%s%s" DIRECTORY, root, slash) < 0) {
		l.directory = NULL;
		r = -ENOMEM;
	}
	if (r == 0 && dir)
		r = read_directory(dir, uuids, &l);
	if (dir)
		closedir(dir);
	if (r == 0)
		r = add_missing(&l, uuids);
	if (r < 0) {
		imports_done(&l);
		return r;
	}
	if (l.n)
		qsort(l.items, l.n, sizeof(*l.items), compare);
	for (size_t i = 0; i < l.n; i++)
		make_name(&l, &l.items[i]);
	*ret = l;
	return 0;
}
