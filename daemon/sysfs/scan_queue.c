/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The scan's part for cards and queues.  Listings tell nearly everything: which devices there
 * are from the bus's, which driver has them from the drivers' (one listing a driver, where a link
 * a queue would be a hundred times the work).
 */
#include <string.h>
#include <unistd.h>

#include "sysfs/scan_parts.h"
#include "sysfs/tree.h"

static void scan_present(struct scan *s, const struct scan_dir *listing)
{
	_cleanup_closedir_ DIR *dir = NULL;
	unsigned adapter, domain;
	struct dirent *e;
	int r = scan_list(listing, ".", &dir);

	if (r < 0) {
		scan_fail(s, listing, "", r);
		return;
	}
	while ((errno = 0, e = readdir(dir))) {
		if (tree_parse_queue(e->d_name, &adapter, &domain))
			queues_set(&s->o->present, adapter, domain);
		else if (tree_parse_card(e->d_name, &adapter))
			mask_set(&s->o->cards, adapter);
	}
	if (errno != 0)
		scan_fail(s, listing, "", -errno);
}

static void scan_driver(struct scan *s, const struct scan_dir *drivers, const char *name)
{
	bool vfio = strcmp(name, TREE_VFIO_DRIVER) == 0;
	_cleanup_closedir_ DIR *dir = NULL;
	unsigned adapter, domain;
	struct dirent *e;
	int r = scan_list(drivers, name, &dir);

	if (r < 0) {
		if (!scan_gone(r))
			scan_fail(s, drivers, name, r);
		return;
	}
	while ((errno = 0, e = readdir(dir)))
		if (tree_parse_queue(e->d_name, &adapter, &domain))
			queues_set(vfio ? &s->o->vfio : &s->o->host, adapter, domain);
	if (errno != 0)
		scan_fail(s, drivers, name, -errno);
}

/* A queue that is rebound while we list may show in two listings, or vanish from the bus's. */
static void settle(struct observed *o)
{
	for (unsigned a = 0; a < MASK_BITS; a++) {
		o->vfio.row[a] = mask_and(&o->vfio.row[a], &o->present.row[a]);
		o->host.row[a] = mask_and(&o->host.row[a], &o->present.row[a]);
		o->host.row[a] = mask_andnot(&o->host.row[a], &o->vfio.row[a]);
	}
}

static void scan_drivers(struct scan *s)
{
	_cleanup_scan_dir_ struct scan_dir drivers = {-1, TREE_AP_DRIVERS};
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *e;
	int r = scan_dir_open(s, &drivers);

	if (r == 0)
		r = scan_list(&drivers, ".", &dir);
	if (r < 0) {
		scan_fail(s, &drivers, "", r);
		return;
	}
	while ((errno = 0, e = readdir(dir)))
		if (e->d_name[0] != '.')
			scan_driver(s, &drivers, e->d_name);
	if (errno != 0)
		scan_fail(s, &drivers, "", -errno);
}

/* The value of "KEY=" in the text of a uevent attribute, or NULL; ends at a newline. */
static const char *uevent_value(const char *text, const char *key)
{
	size_t n = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		if (*line == '\n')
			line++;
		if (strncmp(line, key, n) == 0)
			return line + n;
	}
	return NULL;
}

static enum card_mode mode_from_uevent(const char *text)
{
	const char *mode = uevent_value(text, "MODE=");

	if (!mode)
		return CARD_UNKNOWN;
	if (strncmp(mode, "accel", strlen("accel")) == 0)
		return CARD_ACCELERATOR;
	if (strncmp(mode, "cca", strlen("cca")) == 0)
		return CARD_CCA;
	if (strncmp(mode, "ep11", strlen("ep11")) == 0)
		return CARD_EP11;
	return CARD_UNKNOWN;
}

/* zcrypt's name of a card, "CEX8C": the last letter is the mode. */
static enum card_mode mode_from_type(const char *text)
{
	size_t n = strlen(text);

	switch (n > 0 ? text[n - 1] : '\0') {
	case 'A':
		return CARD_ACCELERATOR;
	case 'C':
		return CARD_CCA;
	case 'P':
		return CARD_EP11;
	default:
		return CARD_UNKNOWN;
	}
}

/* Type and mode are both in the card's uevent attribute ("MODALIAS=ap:t0E", "MODE=cca"): one read
 * for two, and there with or without zcrypt.  Older kernels lack MODE=. */
static int scan_card_type(
	struct scan *s, const struct scan_dir *devices, unsigned adapter, struct observed_card *c)
{
	char path[TREE_PATH_SIZE];
	ssize_t n = scan_read(s, devices, tree_card(path, adapter, "uevent"));
	const char *alias;
	uint64_t value;

	if (n < 0 && !scan_gone((int)n))
		return (int)n;
	alias = n < 0 ? NULL : uevent_value(s->text, "MODALIAS=ap:t");
	if (alias)
		c->hwtype = (uint8_t)strtoul(alias, NULL, 16);
	if (n >= 0)
		c->mode = mode_from_uevent(s->text);
	if (c->mode == CARD_UNKNOWN && scan_read(s, devices, tree_card(path, adapter, "type")) > 0)
		c->mode = mode_from_type(s->text);
	if (c->hwtype == 0 &&
		scan_read_number(s, devices, tree_card(path, adapter, "hwtype"), 255, &value) == 0)
		c->hwtype = (uint8_t)value;
	return 0;
}

/* An attribute that not every kernel and driver has; @c keeps its default without it. */
static void scan_card_flag(struct scan *s, const struct scan_dir *devices, unsigned adapter,
	const char *attr, bool *flag)
{
	char path[TREE_PATH_SIZE];
	int r = scan_read_flag(s, devices, tree_card(path, adapter, attr), flag);

	if (r < 0 && !scan_gone(r))
		scan_fail(s, devices, path, r);
}

static void scan_card(struct scan *s, const struct scan_dir *devices, unsigned adapter)
{
	struct observed_card *c = &s->o->card[adapter];
	char path[TREE_PATH_SIZE];
	int r = scan_card_type(s, devices, adapter, c);

	if (r < 0)
		scan_fail(s, devices, tree_card(path, adapter, "uevent"), r);
	c->config = true;
	scan_card_flag(s, devices, adapter, "config", &c->config);
	scan_card_flag(s, devices, adapter, "chkstop", &c->chkstop);
	/* Only with a zcrypt driver: without one the host cannot use the card. */
	scan_card_flag(s, devices, adapter, "online", &c->online);
}

static void scan_override(
	struct scan *s, const struct scan_dir *devices, unsigned adapter, unsigned domain)
{
	char path[TREE_PATH_SIZE];
	ssize_t n = scan_read(s, devices, tree_queue(path, adapter, domain, "driver_override"));

	if (n < 0) {
		if (!scan_gone((int)n))
			scan_fail(s, devices, path, (int)n);
		return;
	}
	if (strcmp(s->text, TREE_VFIO_DRIVER) == 0)
		queues_set(&s->o->override, adapter, domain);
	else if (n > 0 && strcmp(s->text, "(null)") != 0)
		queues_set(&s->o->override_other, adapter, domain);
}

/* Does the first queue have the attribute?  Without any queue the release has to tell. */
static bool has_override(const struct observed *o, const struct scan_dir *devices)
{
	char path[TREE_PATH_SIZE];

	for (unsigned a = 0; a < MASK_BITS; a++) {
		unsigned d = mask_next(&o->present.row[a], 0);

		if (d < MASK_BITS)
			return faccessat(devices->fd, tree_queue(path, a, d, "driver_override"),
				       F_OK, 0) == 0;
	}
	return o->features & FEATURE_DRIVER_OVERRIDE;
}

/*
 * One read a queue, so only where one may be set.  The kernel refuses an override (EINVAL) unless
 * both masks are all ones, and refuses other masks while there is one: with masks that are not
 * all ones no queue has any.  The exception are masks from the kernel's command line, which it
 * forgets to count as in use: so then those queues are read whose driver contradicts the masks.
 */
static void scan_overrides(struct scan *s, const struct scan_dir *devices)
{
	struct observed *o = s->o;
	struct mask full = mask_full();
	bool untouched = mask_equal(&o->apmask, &full) && mask_equal(&o->aqmask, &full);

	for (unsigned a = 0; a < MASK_BITS; a++) {
		struct mask hosts = mask_test(&o->apmask, a) ? o->aqmask : (struct mask){{0}};
		struct mask strayed = mask_and(&o->vfio.row[a], &hosts);
		struct mask kept = mask_andnot(&o->host.row[a], &hosts);
		struct mask odd = mask_or(&strayed, &kept);

		MASK_FOREACH (d, untouched ? &o->present.row[a] : &odd)
			scan_override(s, devices, a, d);
	}
}

void scan_queues(struct scan *s)
{
	_cleanup_scan_dir_ struct scan_dir listing = {-1, TREE_AP_LISTING};
	_cleanup_scan_dir_ struct scan_dir devices = {-1, TREE_AP_DEVICES};
	struct observed *o = s->o;
	int r = scan_dir_open(s, &listing);

	if (r < 0) {
		scan_fail(s, &listing, "", r);
		return;
	}
	scan_drivers(s);
	scan_present(s, &listing);
	settle(o);
	if (mask_is_empty(&o->cards) && queues_is_empty(&o->present))
		return;
	r = scan_dir_open(s, &devices);
	if (r < 0) {
		scan_fail(s, &devices, "", r);
		return;
	}
	MASK_FOREACH (a, &o->cards)
		scan_card(s, &devices, a);
	if (has_override(o, &devices)) {
		o->features |= FEATURE_DRIVER_OVERRIDE | FEATURE_STRICT_MASKS;
		scan_overrides(s, &devices);
	} else {
		o->features &= ~(uint32_t)FEATURE_DRIVER_OVERRIDE;
	}
}
