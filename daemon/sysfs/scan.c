/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A scan's frame: how attributes are read and failures noted, and the AP bus's own attributes.
 * Cards and queues are scan_queue.c's, mediated devices scan_mdev.c's.
 */
#include "sysfs/scan.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sysfs/release.h"
#include "sysfs/scan_parts.h"
#include "sysfs/tree.h"
#include "util/cleanup.h"

void scan_fail(struct scan *s, const struct scan_dir *d, const char *name, int r)
{
	if (!s->o->complete)
		return;
	s->o->complete = false;
	snprintf(s->o->incomplete, sizeof(s->o->incomplete), "/%s%s%s: %s", d->path,
		name[0] ? "/" : "", name,
		r == -EBADMSG ? "holds something unexpected" : strerror(-r));
}

int scan_dir_open(struct scan *s, struct scan_dir *d)
{
	d->fd = openat(s->root, d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return d->fd < 0 ? -errno : 0;
}

void scan_dir_done(struct scan_dir *d)
{
	cleanup_close(&d->fd);
}

int scan_list(const struct scan_dir *d, const char *name, DIR **ret)
{
	int fd = openat(d->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	*ret = dir;
	return 0;
}

ssize_t scan_read(struct scan *s, const struct scan_dir *d, const char *name)
{
	_cleanup_close_ int fd = openat(d->fd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return -errno;
	/* sysfs gives a whole attribute to one read that is large enough. */
	do
		n = read(fd, s->text, sizeof(s->text));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if ((size_t)n == sizeof(s->text))
		return -EFBIG;
	if (memchr(s->text, '\0', (size_t)n))
		return -EBADMSG;
	if (n > 0 && s->text[n - 1] == '\n')
		n--;
	s->text[n] = '\0';
	return n;
}

static int parse_number(const char *text, uint64_t max, uint64_t *ret)
{
	unsigned long long value;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return -EBADMSG;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno != 0 || *end != '\0' || value > max)
		return -EBADMSG;
	*ret = value;
	return 0;
}

int scan_read_number(
	struct scan *s, const struct scan_dir *d, const char *name, uint64_t max, uint64_t *ret)
{
	ssize_t n = scan_read(s, d, name);

	return n < 0 ? (int)n : parse_number(s->text, max, ret);
}

int scan_read_flag(struct scan *s, const struct scan_dir *d, const char *name, bool *ret)
{
	uint64_t value;
	int r = scan_read_number(s, d, name, 1, &value);

	if (r == 0)
		*ret = value == 1;
	return r;
}

int scan_read_mask(struct scan *s, const struct scan_dir *d, const char *name, struct mask *ret)
{
	ssize_t n = scan_read(s, d, name);

	if (n < 0)
		return (int)n;
	return mask_parse_kernel(s->text, ret) < 0 ? -EBADMSG : 0;
}

/* apmask and aqmask decide who owns a queue: a plan without them would be a guess. */
static void scan_pool_mask(
	struct scan *s, const struct scan_dir *bus, const char *name, struct mask *ret)
{
	int r = scan_read_mask(s, bus, name, ret);

	if (r < 0)
		scan_fail(s, bus, name, r);
}

/* The highest id; without the attribute, whatever fits: the kernel then judges. */
static unsigned scan_limit(struct scan *s, const struct scan_dir *bus, const char *name)
{
	uint64_t value = MASK_BITS - 1;
	int r = scan_read_number(s, bus, name, MASK_BITS - 1, &value);

	if (r < 0 && r != -ENOENT)
		scan_fail(s, bus, name, r);
	return (unsigned)value;
}

/* What the LPAR has; "not supported" without QCI: then what devices there are must do. */
static void scan_host_mask(struct scan *s, const struct scan_dir *bus, const char *name,
	const struct mask *seen, struct mask *ret)
{
	int r = scan_read_mask(s, bus, name, ret);

	if (r == -ENOENT || (r == -EBADMSG && strcmp(s->text, "not supported") == 0))
		*ret = *seen;
	else if (r < 0)
		scan_fail(s, bus, name, r);
}

static void scan_bus(struct scan *s, const struct scan_dir *bus)
{
	struct observed *o = s->o;

	scan_pool_mask(s, bus, "apmask", &o->apmask);
	scan_pool_mask(s, bus, "aqmask", &o->aqmask);
	o->max_adapter = scan_limit(s, bus, "ap_max_adapter_id");
	o->max_domain = scan_limit(s, bus, "ap_max_domain_id");
	if (faccessat(bus->fd, "bindings_complete_count", F_OK, 0) == 0)
		o->features |= FEATURE_STRICT_MASKS;
}

/* After the queues, which must do where the kernel has no QCI to tell. */
static void scan_host(struct scan *s, const struct scan_dir *bus)
{
	struct observed *o = s->o;
	struct mask domains = queues_domains(&o->present);

	scan_host_mask(s, bus, "ap_adapter_mask", &o->cards, &o->host_adapters);
	scan_host_mask(s, bus, "ap_usage_domain_mask", &domains, &o->host_domains);
	scan_host_mask(s, bus, "ap_control_domain_mask", &domains, &o->host_control_domains);
}

static void scan_release(struct scan *s)
{
	const struct scan_dir root = {s->root, "."};
	struct observed *o = s->o;
	ssize_t n = scan_read(s, &root, TREE_RELEASE);

	if (n >= 0)
		snprintf(o->release, sizeof(o->release), "%.64s", s->text);
	else if (n != -ENOENT)
		scan_fail(s, &root, TREE_RELEASE, (int)n);
}

static int scan_tree(struct scan *s)
{
	_cleanup_scan_dir_ struct scan_dir bus = {-1, TREE_AP_BUS};
	int r;

	scan_release(s);
	r = scan_dir_open(s, &bus);
	if (r == -ENOENT)
		return 0;
	s->o->has_ap_bus = true;
	s->o->features = release_features(s->o->release);
	s->o->hazards = release_hazards(s->o->release);
	if (r < 0) {
		scan_fail(s, &bus, "", r);
		return 0;
	}
	scan_bus(s, &bus);
	scan_queues(s);
	scan_host(s, &bus);
	return scan_mdevs(s);
}

int sysfs_scan(int root, const struct ledger *ours, struct observed **ret)
{
	_cleanup_(cleanup_observed_free) struct observed *o = observed_new();
	struct scan s = {.root = root, .ours = ours, .o = o};
	int r;

	if (!o)
		return -ENOMEM;
	o->complete = true;
	r = scan_tree(&s);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(o);
	return 0;
}
