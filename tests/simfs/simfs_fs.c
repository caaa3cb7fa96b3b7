/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * FUSE's questions, answered from the model.  An inode is a path: what a path means is asked anew
 * each time, and nothing that may change is cached by the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "simfs.h"
#include "util/cleanup.h"

#define N_BUCKETS 65536u
#define PATH_SIZE 320u
#define CACHE_SECONDS 3600.0

struct inode {
	char *path;
	uint64_t next; /* in the bucket; 0: none */
};

/* Number 1 is the root; what was looked up once keeps its number. */
struct inodes {
	struct inode *items;
	uint64_t n;
	uint64_t bucket[N_BUCKETS];
};

/* An open file or directory and what it is read from. */
struct handle {
	struct handle *next, **link; /* of all that are open */
	char *data;
	size_t n, room;
	fuse_req_t req; /* while a directory is listed */
	bool failed;
};

static struct handle *handle_new(struct simfs *s)
{
	struct handle *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->next = s->handles;
	h->link = &s->handles;
	if (h->next)
		h->next->link = &h->next;
	s->handles = h;
	return h;
}

static void handle_free(struct handle *h)
{
	*h->link = h->next;
	if (h->next)
		h->next->link = h->link;
	free(h->data);
	free(h);
}

/* At the end not every release has come. */
void handles_done(struct simfs *s)
{
	while (s->handles)
		handle_free(s->handles);
}

static struct handle *handle_of(const struct fuse_file_info *fi)
{
	return (struct handle *)(uintptr_t)fi->fh;
}

/* --- inodes --------------------------------------------------------------------------------- */

static unsigned bucket_of(const char *path)
{
	uint32_t hash = 2166136261u;

	for (; *path; path++)
		hash = (hash ^ (unsigned char)*path) * 16777619u;
	return hash % N_BUCKETS;
}

/* 0: out of memory */
static uint64_t inode_get(struct inodes *i, const char *path)
{
	uint64_t *bucket = &i->bucket[bucket_of(path)];

	for (uint64_t n = *bucket; n; n = i->items[n].next)
		if (strcmp(i->items[n].path, path) == 0)
			return n;
	if ((i->n & (i->n - 1)) == 0) {
		struct inode *items = reallocarray(i->items, i->n * 2, sizeof(*items));

		if (!items)
			return 0;
		i->items = items;
	}

	char *copy = strdup(path);

	if (!copy)
		return 0;
	i->items[i->n] = (struct inode){copy, *bucket};
	*bucket = i->n;
	return i->n++;
}

struct inodes *inodes_new(void)
{
	struct inodes *i = calloc(1, sizeof(*i));

	if (!i)
		return NULL;
	i->items = calloc(1, sizeof(*i->items));
	i->n = 1; /* number 0 is none */
	if (!i->items || inode_get(i, "") != FUSE_ROOT_ID) {
		inodes_free(i);
		return NULL;
	}
	return i;
}

void inodes_free(struct inodes *i)
{
	for (uint64_t n = 1; i->items && n < i->n; n++)
		free(i->items[n].path);
	free(i->items);
	free(i);
}

static struct simfs *simfs_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

static const char *path_of(fuse_req_t req, fuse_ino_t ino)
{
	const struct inodes *i = simfs_of(req)->inodes;

	return ino < i->n ? i->items[ino].path : "";
}

static void fill_stat(struct stat *ret, uint64_t ino, mode_t mode)
{
	*ret = (struct stat){
		.st_ino = ino,
		.st_mode = mode,
		.st_nlink = S_ISDIR(mode) ? 2 : 1,
		.st_size = S_ISREG(mode) ? 4096 : 0,
		.st_blksize = 4096,
	};
}

/* --- lookups -------------------------------------------------------------------------------- */

static void do_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct simfs *s = simfs_of(req);
	struct fuse_entry_param entry = {0};
	struct model_stat st;
	char path[PATH_SIZE];
	const char *dir = path_of(req, parent);
	int n = snprintf(path, sizeof(path), "%s%s%s", dir, dir[0] ? "/" : "", name);
	int r = n < (int)sizeof(path) ? model_stat(s->model, path, &st) : -ENAMETOOLONG;

	if (r < 0) {
		fuse_reply_err(req, -r);
		return;
	}
	entry.ino = inode_get(s->inodes, path);
	if (entry.ino == 0) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	fill_stat(&entry.attr, entry.ino, st.mode);
	entry.attr_timeout = entry.entry_timeout = st.fixed ? CACHE_SECONDS : 0;
	fuse_reply_entry(req, &entry);
}

static void reply_attr(fuse_req_t req, fuse_ino_t ino)
{
	struct model_stat st;
	struct stat attr;
	int r = model_stat(simfs_of(req)->model, path_of(req, ino), &st);

	if (r < 0) {
		fuse_reply_err(req, -r);
		return;
	}
	fill_stat(&attr, ino, st.mode);
	fuse_reply_attr(req, &attr, st.fixed ? CACHE_SECONDS : 0);
}

static void do_getattr(fuse_req_t req, fuse_ino_t ino, _unused_ struct fuse_file_info *fi)
{
	reply_attr(req, ino);
}

/* O_TRUNC is fine and changes nothing, as on sysfs; the rest is not for the guests of a test. */
static void do_setattr(fuse_req_t req, fuse_ino_t ino, _unused_ struct stat *attr, int to_set,
	_unused_ struct fuse_file_info *fi)
{
	const int allowed = FUSE_SET_ATTR_SIZE | FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME |
		FUSE_SET_ATTR_ATIME_NOW | FUSE_SET_ATTR_MTIME_NOW | FUSE_SET_ATTR_CTIME;

	if (to_set & ~allowed)
		fuse_reply_err(req, EPERM);
	else
		reply_attr(req, ino);
}

static void do_readlink(fuse_req_t req, fuse_ino_t ino)
{
	char target[PATH_SIZE];
	int r = model_readlink(simfs_of(req)->model, path_of(req, ino), target, sizeof(target));

	if (r < 0)
		fuse_reply_err(req, -r);
	else
		fuse_reply_readlink(req, target);
}

/* --- directories ---------------------------------------------------------------------------- */

static void add_entry(void *userdata, const char *name, mode_t mode)
{
	struct handle *h = userdata;
	struct stat attr = {.st_ino = 1, .st_mode = mode};
	size_t size = fuse_add_direntry(h->req, NULL, 0, name, NULL, 0);

	if (h->failed)
		return;
	if (h->n + size > h->room) {
		size_t room = (h->n + size) * 2;
		char *data = realloc(h->data, room);

		if (!data) {
			h->failed = true;
			return;
		}
		h->data = data;
		h->room = room;
	}
	fuse_add_direntry(h->req, h->data + h->n, size, name, &attr, (off_t)(h->n + size));
	h->n += size;
}

/* The whole directory as it is when it is opened: offsets are into that list. */
static void do_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct handle *h = handle_new(simfs_of(req));
	int r = -ENOMEM;

	if (h) {
		h->req = req;
		add_entry(h, ".", S_IFDIR);
		add_entry(h, "..", S_IFDIR);
		r = model_list(simfs_of(req)->model, path_of(req, ino), add_entry, h);
		if (h->failed)
			r = -ENOMEM;
		if (r < 0)
			handle_free(h);
	}
	if (r < 0) {
		fuse_reply_err(req, -r);
		return;
	}
	fi->fh = (uintptr_t)h;
	fuse_reply_open(req, fi);
}

static void do_readdir(fuse_req_t req, _unused_ fuse_ino_t ino, size_t size, off_t offset,
	struct fuse_file_info *fi)
{
	const struct handle *h = handle_of(fi);
	size_t n = 0;

	if ((size_t)offset >= h->n) {
		fuse_reply_buf(req, NULL, 0);
		return;
	}
	/* Only whole entries: each one's length follows from its name's. */
	while ((size_t)offset + n < h->n) {
		const char *entry = h->data + offset + n;
		uint32_t name_size;

		memcpy(&name_size, entry + 16, sizeof(name_size));

		size_t one = (24 + name_size + 7) & ~(size_t)7;

		if (n + one > size)
			break;
		n += one;
	}
	fuse_reply_buf(req, h->data + offset, n);
}

/* --- files ---------------------------------------------------------------------------------- */

/* kernfs_fop_open(): root or not, an attribute without a store cannot be opened for writing. */
static void do_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	int access = fi->flags & O_ACCMODE;
	struct model_stat st;
	int r = model_stat(simfs_of(req)->model, path_of(req, ino), &st);

	if (r == 0 && S_ISDIR(st.mode))
		r = -EISDIR;
	if (r == 0 && access != O_RDONLY && !(st.mode & 0222))
		r = -EACCES;
	if (r == 0 && access != O_WRONLY && !(st.mode & 0444))
		r = -EACCES;

	struct handle *h = r == 0 ? handle_new(simfs_of(req)) : NULL;

	if (!h) {
		fuse_reply_err(req, r < 0 ? -r : ENOMEM);
		return;
	}
	fi->fh = (uintptr_t)h;
	fi->direct_io = 1;
	fuse_reply_open(req, fi);
}

static void do_release(fuse_req_t req, _unused_ fuse_ino_t ino, struct fuse_file_info *fi)
{
	handle_free(handle_of(fi));
	fuse_reply_err(req, 0);
}

/* An open file whose device went away says ENODEV, not ENOENT. */
static bool is_gone(fuse_req_t req, const char *path)
{
	struct model_stat st;

	if (model_stat(simfs_of(req)->model, path, &st) == 0)
		return false;
	fuse_reply_err(req, ENODEV);
	return true;
}

static void do_read(
	fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
	struct handle *h = handle_of(fi);
	const char *path = path_of(req, ino);

	if (!is_gone(req, path))
		park_read(simfs_of(req), req, path, &h->data, &h->n, size, offset);
}

static void do_write(fuse_req_t req, fuse_ino_t ino, const char *text, size_t size,
	_unused_ off_t offset, _unused_ struct fuse_file_info *fi)
{
	struct simfs *s = simfs_of(req);
	const char *path = path_of(req, ino);

	if (is_gone(req, path))
		return;
	model_set_time(s->model, simfs_now(CLOCK_REALTIME));
	park_write(s, req, path, text, size);
	simfs_settle(s);
}

static void do_init(_unused_ void *userdata, struct fuse_conn_info *conn)
{
	/* One write(2) is one request, so that a value is never cut. */
	conn->want &= ~(unsigned)FUSE_CAP_WRITEBACK_CACHE;
}

const struct fuse_lowlevel_ops simfs_ops = {
	.init = do_init,
	.lookup = do_lookup,
	.getattr = do_getattr,
	.setattr = do_setattr,
	.readlink = do_readlink,
	.opendir = do_opendir,
	.readdir = do_readdir,
	.releasedir = do_release,
	.open = do_open,
	.release = do_release,
	.read = do_read,
	.write = do_write,
};
