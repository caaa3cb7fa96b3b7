/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tree below /sys by path: walks tables of entries and the children that come and go, follows
 * links, and prints links relative as the kernel does.  It knows no attribute by name.
 */
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "model_internal.h"

#define MAX_LINKS 8u

int node_dir(struct node *ret, const struct dir *dir, const struct object *o)
{
	*ret = (struct node){.mode = S_IFDIR | 0755, .dir = dir, .object = *o};
	return 0;
}

int node_link(struct node *ret, const char *format, ...)
{
	va_list args;

	*ret = (struct node){.mode = S_IFLNK | 0777};
	va_start(args, format);
	vsnprintf(ret->link, sizeof(ret->link), format, args);
	va_end(args);
	return 0;
}

/* Existence that never changes while the model lives. */
static bool is_constant(const struct entry *e)
{
	return !e->exists || e->exists == entry_ap || e->exists == entry_6_1 ||
		e->exists == entry_6_12 || e->exists == entry_7_2;
}

static void node_of_entry(
	const struct model *m, const struct node *parent, const struct entry *e, struct node *ret)
{
	*ret = (struct node){
		.mode = e->mode,
		.dir = e->dir,
		.entry = e,
		.object = parent->object,
		.fixed = parent->fixed && is_constant(e),
	};
	if (e->link)
		e->link(m, &parent->object, ret->link);
}

static int find_child(
	struct model *m, const struct node *parent, const char *name, struct node *ret)
{
	const struct dir *dir = parent->dir;

	for (size_t i = 0; i < dir->n_entries; i++) {
		const struct entry *e = &dir->entries[i];

		if (strcmp(e->name, name) != 0)
			continue;
		if (e->exists && !e->exists(m, &parent->object))
			return -ENOENT;
		node_of_entry(m, parent, e, ret);
		return 0;
	}
	return dir->find ? dir->find(m, &parent->object, name, ret) : -ENOENT;
}

/* Walks until the end of @path or a link that is followed: then returns 1, with the path that
 * is to be walked instead in @path. */
static int walk(struct model *m, char path[static PATH_SIZE], struct node *ret)
{
	char copy[PATH_SIZE], *rest = copy, *name;
	struct node at = {.mode = S_IFDIR | 0755, .dir = &tree_root, .fixed = true};

	strcpy(copy, path);
	while ((name = strsep(&rest, "/"))) {
		struct node child;

		if (!*name)
			continue;
		if (!S_ISDIR(at.mode))
			return -ENOTDIR;

		int r = find_child(m, &at, name, &child);

		if (r < 0)
			return r;
		if (S_ISLNK(child.mode) && rest) {
			int n = snprintf(path, PATH_SIZE, "%s/%s", child.link, rest);

			return n < (int)PATH_SIZE ? 1 : -ENAMETOOLONG;
		}
		at = child;
	}
	*ret = at;
	return 0;
}

int tree_find(struct model *m, const char *path, struct node *ret, char ret_path[static PATH_SIZE])
{
	if (strlen(path) >= PATH_SIZE)
		return -ENAMETOOLONG;
	if (ret_path != path)
		strcpy(ret_path, path);
	for (unsigned i = 0; i < MAX_LINKS; i++) {
		int r = walk(m, ret_path, ret);

		if (r <= 0)
			return r;
	}
	return -ELOOP;
}

int model_stat(struct model *m, const char *path, struct model_stat *ret)
{
	struct node node;
	char resolved[PATH_SIZE];
	int r = tree_find(m, path, &node, resolved);

	if (r < 0)
		return r;
	*ret = (struct model_stat){node.mode, node.fixed};
	return 0;
}

/* sysfs_get_target_path(): up to where both paths part, then down. */
static int make_relative(const char *from, const char *target, char *buf, size_t size)
{
	size_t common = 0, used = 0;

	for (size_t i = 0; from[i] && from[i] == target[i]; i++)
		if (from[i] == '/')
			common = i + 1;
	for (const char *p = from + common; (p = strchr(p, '/')); p++) {
		if (used + 4 > size)
			return -ENAMETOOLONG;
		memcpy(buf + used, "../", 4);
		used += 3;
	}
	if (used + strlen(target + common) >= size)
		return -ENAMETOOLONG;
	strcpy(buf + used, target + common);
	return 0;
}

int model_readlink(struct model *m, const char *path, char *buf, size_t size)
{
	struct node node;
	char resolved[PATH_SIZE];
	int r = tree_find(m, path, &node, resolved);

	if (r < 0)
		return r;
	if (!S_ISLNK(node.mode))
		return -EINVAL;
	return make_relative(resolved, node.link, buf, size);
}

int model_list(struct model *m, const char *path, model_list_fn each, void *userdata)
{
	struct node node;
	char resolved[PATH_SIZE];
	int r = tree_find(m, path, &node, resolved);

	if (r == 0 && S_ISLNK(node.mode))
		r = tree_find(m, strcpy(resolved, node.link), &node, resolved);
	if (r < 0)
		return r;
	if (!S_ISDIR(node.mode))
		return -ENOTDIR;
	for (size_t i = 0; i < node.dir->n_entries; i++) {
		const struct entry *e = &node.dir->entries[i];

		if (!e->exists || e->exists(m, &node.object))
			each(userdata, e->name, e->mode);
	}
	if (node.dir->list)
		node.dir->list(m, &node.object, each, userdata);
	return 0;
}
