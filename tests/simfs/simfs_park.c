/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads and writes that take their time: a remove that waits for a guest, and injected delays and
 * hangs.  As in the kernel, a waiting writer cannot be killed.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "simfs.h"
#include "util/cleanup.h"

enum wait_kind { WAIT_DELAY, WAIT_HANG, WAIT_REMOVE };

struct parked {
	struct parked *next;
	fuse_req_t req;
	enum wait_kind kind;
	uint64_t until;  /* WAIT_DELAY: CLOCK_MONOTONIC, microseconds */
	unsigned clears; /* WAIT_HANG: model_fault_clears() at its start */
	char uuid[37];   /* WAIT_REMOVE */
	bool write;
	char *path;
	char *text; /* to write */
	size_t size;
};

/* "devices/vfio_ap/matrix/UUID/remove" */
static void uuid_of_path(const char *path, char ret[static 37])
{
	static const char prefix[] = "devices/vfio_ap/matrix/";

	ret[0] = 0;
	if (strncmp(path, prefix, strlen(prefix)) == 0)
		snprintf(ret, 37, "%s", path + strlen(prefix));
}

static void parked_free(struct parked *p)
{
	free(p->path);
	free(p->text);
	free(p);
}

static struct parked *park(struct simfs *s, fuse_req_t req, enum wait_kind kind, bool write,
	const char *path, const char *text, size_t size)
{
	struct parked *p = calloc(1, sizeof(*p));

	if (p)
		p->path = strdup(path);
	if (p && text)
		p->text = malloc(size + 1);
	if (!p || !p->path || (text && !p->text)) {
		if (p)
			parked_free(p);
		fuse_reply_err(req, ENOMEM);
		return NULL;
	}
	if (text)
		memcpy(p->text, text, size);
	p->req = req;
	p->kind = kind;
	p->write = write;
	p->size = size;
	p->clears = model_fault_clears(s->model);
	uuid_of_path(path, p->uuid);
	p->next = s->parked;
	s->parked = p;
	return p;
}

static void write_now(
	struct simfs *s, fuse_req_t req, const char *path, const char *text, size_t size)
{
	int r = model_write_now(s->model, path, text, size);

	simfs_record(s);
	if (r == -EINPROGRESS)
		park(s, req, WAIT_REMOVE, true, path, NULL, size);
	else if (r < 0)
		fuse_reply_err(req, -r);
	else
		fuse_reply_write(req, size);
}

void park_write(struct simfs *s, fuse_req_t req, const char *path, const char *text, size_t size)
{
	struct model_fault fault = model_fault_take(s->model, path, true);
	struct parked *p;

	switch (fault.kind) {
	case FAULT_NONE:
		write_now(s, req, path, text, size);
		break;
	case FAULT_ERRNO:
		model_log_write(s->model, path, text, size, -fault.error);
		simfs_record(s);
		fuse_reply_err(req, fault.error);
		break;
	case FAULT_LIE:
		model_log_write(s->model, path, text, size, 0);
		simfs_record(s);
		fuse_reply_write(req, size);
		break;
	case FAULT_DELAY:
		p = park(s, req, WAIT_DELAY, true, path, text, size);
		if (p)
			p->until = simfs_now(CLOCK_MONOTONIC) + fault.delay * UINT64_C(1000);
		break;
	case FAULT_HANG:
		park(s, req, WAIT_HANG, true, path, text, size);
		break;
	}
}

/* A read at the start renews the file's text; the rest of a long one comes from it. */
static void read_now(struct simfs *s, fuse_req_t req, const char *path, char **text, size_t *n_text,
	size_t size, off_t offset)
{
	if (offset == 0 || !*text) {
		char *now = NULL;
		ssize_t n = model_read_now(s->model, path, &now);

		if (n < 0) {
			fuse_reply_err(req, (int)-n);
			return;
		}
		free(*text);
		*text = now;
		*n_text = (size_t)n;
	}
	if ((size_t)offset >= *n_text) {
		fuse_reply_buf(req, NULL, 0);
		return;
	}
	if (size > *n_text - (size_t)offset)
		size = *n_text - (size_t)offset;
	fuse_reply_buf(req, *text + offset, size);
}

void park_read(struct simfs *s, fuse_req_t req, const char *path, char **text, size_t *n_text,
	size_t size, off_t offset)
{
	struct model_fault fault = {FAULT_NONE, 0, 0};
	struct parked *p;

	if (offset == 0)
		fault = model_fault_take(s->model, path, false);
	switch (fault.kind) {
	case FAULT_NONE:
		read_now(s, req, path, text, n_text, size, offset);
		break;
	case FAULT_ERRNO:
		fuse_reply_err(req, fault.error);
		break;
	case FAULT_LIE:
		fuse_reply_buf(req, NULL, 0);
		break;
	case FAULT_DELAY:
		p = park(s, req, WAIT_DELAY, false, path, NULL, size);
		if (p)
			p->until = simfs_now(CLOCK_MONOTONIC) + fault.delay * UINT64_C(1000);
		break;
	case FAULT_HANG:
		park(s, req, WAIT_HANG, false, path, NULL, size);
		break;
	}
}

static bool is_over(const struct simfs *s, const struct parked *p, uint64_t now)
{
	switch (p->kind) {
	case WAIT_DELAY:
		return now >= p->until;
	case WAIT_HANG:
		return model_fault_clears(s->model) != p->clears;
	case WAIT_REMOVE:
		break;
	}
	return !model_is_removing(s->model, p->uuid);
}

/* A delayed read is a whole one, from the start. */
static void finish(struct simfs *s, struct parked *p)
{
	_cleanup_free_ char *text = NULL;
	size_t n_text = 0;

	if (p->kind == WAIT_REMOVE)
		fuse_reply_write(p->req, p->size);
	else if (p->write)
		write_now(s, p->req, p->path, p->text, p->size);
	else
		read_now(s, p->req, p->path, &text, &n_text, p->size, 0);
	parked_free(p);
}

/* Finishing one may free another, so it starts again until nothing is over. */
void park_settle(struct simfs *s)
{
	struct parked **link = &s->parked;
	uint64_t now = simfs_now(CLOCK_MONOTONIC);

	while (*link) {
		struct parked *p = *link;

		if (!is_over(s, p, now)) {
			link = &p->next;
			continue;
		}
		*link = p->next;
		finish(s, p);
		link = &s->parked;
	}
}

int park_timeout(const struct simfs *s)
{
	uint64_t now = simfs_now(CLOCK_MONOTONIC), first = UINT64_MAX;

	for (const struct parked *p = s->parked; p; p = p->next)
		if (p->kind == WAIT_DELAY && p->until < first)
			first = p->until;
	if (first == UINT64_MAX)
		return -1;
	return first <= now ? 0 : (int)((first - now + 999) / 1000);
}

void park_abort(struct simfs *s)
{
	while (s->parked) {
		struct parked *p = s->parked;

		s->parked = p->next;
		fuse_reply_err(p->req, ENODEV);
		parked_free(p);
	}
}
