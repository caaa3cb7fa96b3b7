/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * inotify watches inodes, not names.  So each directory has one watch on the deepest part of its
 * path that exists; whenever that part gains the next name, or goes away, the watch is placed
 * anew.  Two directories may share one, as inotify has one watch an inode.
 */
#include "event/watch.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>

/* Of the directory itself: everything that changes what its files say. */
#define CONTENT (IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB)
/* Of an ancestor: only that the next name turns up. */
#define GAIN (IN_CREATE | IN_MOVED_TO)
/* Of both: that it is not at its place any more. */
#define LOSS (IN_DELETE_SELF | IN_MOVE_SELF)

#define BURST_LIMIT 10u

struct place {
	const char *path;
	int wd;        /* -1: none */
	size_t length; /* of the part of the path that is watched; 0: the root */
};

struct watch {
	sd_event *loop;
	int root, inotify;
	uint64_t quiet, burst_end;
	void (*changed)(void *userdata);
	void *userdata;
	sd_event_source *on_inotify, *timer;
	bool waiting;
	size_t n;
	struct place places[];
};

static int on_quiet(_unused_ sd_event_source *s, _unused_ uint64_t usec, void *p)
{
	struct watch *w = p;

	w->waiting = false;
	w->changed(w->userdata);
	return 0;
}

/* Puts the call off until it is quiet. */
static void watch_changed(struct watch *w)
{
	uint64_t now, when;

	if (sd_event_now(w->loop, CLOCK_MONOTONIC, &now) < 0)
		return;
	if (!w->waiting)
		w->burst_end = now + BURST_LIMIT * w->quiet;
	when = now + w->quiet < w->burst_end ? now + w->quiet : w->burst_end;
	w->waiting = true;
	sd_event_source_set_time(w->timer, when);
	sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
}

/* Watches the first @length bytes of the path.  The watch descriptor, or a negative errno. */
static int watch_part(struct watch *w, const char *path, size_t length)
{
	uint32_t mask = path[length] == '\0' ? CONTENT | LOSS : GAIN | LOSS;
	char name[PATH_MAX];
	int wd;

	if (snprintf(name, sizeof(name), "/proc/self/fd/%d/%.*s", w->root, (int)length, path) >=
		(int)sizeof(name))
		return -ENAMETOOLONG;
	wd = inotify_add_watch(w->inotify, name, mask | IN_ONLYDIR | IN_MASK_ADD);
	return wd < 0 ? -errno : wd;
}

/* The length of the path without its last name; 0: the root. */
static size_t parent_length(const char *path, size_t length)
{
	while (length > 0 && path[length - 1] != '/')
		length--;
	while (length > 0 && path[length - 1] == '/')
		length--;
	return length;
}

static void place_drop(struct watch *w, struct place *p)
{
	int wd = p->wd;

	p->wd = -1;
	for (size_t i = 0; i < w->n; i++)
		if (w->places[i].wd == wd)
			return;
	if (wd >= 0)
		inotify_rm_watch(w->inotify, wd);
}

/* Is there, by now, a directory one name deeper? */
static bool place_is_too_high(struct watch *w, const struct place *p)
{
	size_t child = strlen(p->path), up = child;
	char name[PATH_MAX];
	struct stat st;

	if (p->length == child)
		return false;
	while ((up = parent_length(p->path, child)) > p->length)
		child = up;
	snprintf(name, sizeof(name), "%.*s", (int)child, p->path);
	return fstatat(w->root, name, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

/* Watches the deepest part that exists; anew, if it got deeper before its parent was watched. */
static int place_set(struct watch *w, struct place *p)
{
	do {
		size_t length = strlen(p->path);
		int wd;

		while ((wd = watch_part(w, p->path, length)) < 0) {
			if (length == 0 || (wd != -ENOENT && wd != -ENOTDIR))
				return wd;
			length = parent_length(p->path, length);
		}
		if (p->wd != wd)
			place_drop(w, p);
		p->wd = wd;
		p->length = length;
	} while (place_is_too_high(w, p));
	return 0;
}

/* Does the event concern this place, and must its watch move? */
static void place_event(struct watch *w, struct place *p, const struct inotify_event *event)
{
	bool whole = p->path[p->length] == '\0';
	const char *next = p->path + p->length;

	next += strspn(next, "/");
	if (event->mask & IN_IGNORED)
		p->wd = -1;
	if (!whole && (event->mask & GAIN)) {
		size_t n = strcspn(next, "/");

		if (event->len == 0 || strncmp(event->name, next, n) != 0 || event->name[n] != '\0')
			return;
	}
	if (!whole || (event->mask & (LOSS | IN_IGNORED)))
		place_set(w, p);
	watch_changed(w);
}

static void watch_event(struct watch *w, const struct inotify_event *event)
{
	for (size_t i = 0; i < w->n; i++) {
		if (event->mask & IN_Q_OVERFLOW)
			place_set(w, &w->places[i]);
		else if (w->places[i].wd == event->wd)
			place_event(w, &w->places[i], event);
	}
	if (event->mask & IN_Q_OVERFLOW)
		watch_changed(w);
}

static int on_inotify(_unused_ sd_event_source *s, int fd, _unused_ uint32_t events, void *p)
{
	union {
		struct inotify_event event;
		char room[16384];
	} buffer;
	ssize_t n = read(fd, &buffer, sizeof(buffer));
	struct watch *w = p;

	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *event = (const void *)(buffer.room + at);

		watch_event(w, event);
		at += (ssize_t)(sizeof(*event) + event->len);
	}
	return 0;
}

static int watch_start(struct watch *w)
{
	int r;

	w->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (w->inotify < 0)
		return -errno;
	for (size_t i = 0; i < w->n; i++) {
		r = place_set(w, &w->places[i]);
		if (r < 0)
			return r;
	}
	r = sd_event_add_time(w->loop, &w->timer, CLOCK_MONOTONIC, 0, 1, on_quiet, w);
	if (r < 0)
		return r;
	r = sd_event_source_set_enabled(w->timer, SD_EVENT_OFF);
	if (r < 0)
		return r;
	return sd_event_add_io(w->loop, &w->on_inotify, w->inotify, EPOLLIN, on_inotify, w);
}

int watch_new(sd_event *loop, int root, const char *const *directories, size_t n_directories,
	uint64_t quiet_usec, void (*changed)(void *userdata), void *userdata, struct watch **ret)
{
	_cleanup_(cleanup_watch_free) struct watch *w =
		calloc(1, sizeof(*w) + n_directories * sizeof(w->places[0]));
	int r;

	if (!w)
		return -ENOMEM;
	w->loop = loop;
	w->root = root;
	w->inotify = -1;
	w->quiet = quiet_usec;
	w->changed = changed;
	w->userdata = userdata;
	w->n = n_directories;
	for (size_t i = 0; i < n_directories; i++)
		w->places[i] = (struct place){.path = directories[i], .wd = -1};
	r = watch_start(w);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(w);
	return 0;
}

void watch_free(struct watch *w)
{
	sd_event_source_disable_unref(w->on_inotify);
	sd_event_source_disable_unref(w->timer);
	cleanup_close(&w->inotify);
	free(w);
}
