/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The scan's part for mediated devices: what is assigned, what the guest may use, and as much
 * about who has it open as sysfs tells.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sysfs/bound.h"
#include "sysfs/scan_parts.h"
#include "sysfs/tree.h"

/* `matrix` and `guest_matrix` end with the page: after 511 lines of 8 bytes the kernel cuts.  So
 * many lines (the last newline is off already) may be all, or not. */
#define FULL_PAGE (MATRIX_SAFE_QUEUES * 8u - 1)

#define MODULE_READS 8u

static void mdev_fail(struct scan *s, const struct scan_dir *d, const char *name, int r)
{
	if (!scan_gone(r))
		scan_fail(s, d, name, r);
}

/* Every matrix device supports the same: its `features` tells it even without an mdev.  The
 * file is as old as ap_config. */
static void scan_features(struct scan *s, const struct scan_dir *matrix)
{
	ssize_t n = scan_read(s, matrix, "features");
	char *save = NULL;

	if (n < 0) {
		mdev_fail(s, matrix, "features", (int)n);
		return;
	}
	for (char *word = strtok_r(s->text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		if (strcmp(word, "ap_config") == 0)
			s->o->features |= FEATURE_AP_CONFIG;
		else if (strcmp(word, "guest_matrix") == 0)
			s->o->features |= FEATURE_GUEST_MATRIX;
	}
}

/*
 * On kernels with HAZARD_MATRIX_OVERRUN and no ap_config, only a matrix that cannot have 512
 * queues may be read.  Ours have not: we refuse to make such a one, and the ledger says which are
 * ours and what we set.
 */
static bool is_ours_and_small(const struct scan *s, const char *uuid)
{
	const struct ledger_entry *e = s->ours ? ledger_find(s->ours, uuid) : NULL;

	if (!e || !e->made)
		return false;
	if (e->set_known)
		return matrix_n_queues(&e->set) <= MATRIX_SAFE_QUEUES;
	return !e->adopted;
}

/* Reads `matrix` and `control_domains`.  0, -ENOENT (or -ENODEV): gone; other negative errno. */
static int read_assigned(struct scan *s, const struct scan_dir *d, struct observed_mdev *m)
{
	char path[TREE_PATH_SIZE];
	struct matrix matrix = {0};
	ssize_t n = scan_read(s, d, tree_mdev(path, m->uuid, "control_domains"));

	if (n < 0)
		return (int)n;
	if (matrix_parse_control_domains(s->text, &matrix.control_domains) < 0)
		return -EBADMSG;
	n = scan_read(s, d, tree_mdev(path, m->uuid, "matrix"));
	if (n < 0)
		return (int)n;
	if ((size_t)n > FULL_PAGE)
		return 0;
	if (matrix_parse_queues(s->text, &matrix.adapters, &matrix.domains) < 0)
		return -EBADMSG;
	m->assigned = matrix;
	m->assigned_known = true;
	return 0;
}

static int read_ap_config(struct scan *s, const struct scan_dir *d, struct observed_mdev *m)
{
	char path[TREE_PATH_SIZE];
	ssize_t n = scan_read(s, d, tree_mdev(path, m->uuid, "ap_config"));

	if (n < 0)
		return (int)n;
	if (matrix_parse_ap_config(s->text, &m->assigned) < 0)
		return -EBADMSG;
	m->assigned_known = true;
	s->o->features |= FEATURE_AP_CONFIG;
	return 0;
}

static bool mdev_fits_page(const struct observed_mdev *m)
{
	return m->assigned_known && matrix_n_queues(&m->assigned) <= MATRIX_SAFE_QUEUES;
}

static void scan_guest(struct scan *s, const struct scan_dir *d, struct observed_mdev *m)
{
	char path[TREE_PATH_SIZE];
	ssize_t n;

	if ((s->o->hazards & HAZARD_MATRIX_OVERRUN) && !mdev_fits_page(m))
		return;
	n = scan_read(s, d, tree_mdev(path, m->uuid, "guest_matrix"));
	if (n < 0) {
		mdev_fail(s, d, path, (int)n);
		return;
	}
	s->o->features |= FEATURE_GUEST_MATRIX;
	if ((size_t)n >= FULL_PAGE && !mdev_fits_page(m))
		return;
	if (matrix_parse_queues(s->text, &m->guest.adapters, &m->guest.domains) < 0) {
		scan_fail(s, d, path, -EBADMSG);
		return;
	}
	m->guest_known = true;
}

/* N of a link that ends in "/iommu_groups/N". */
static void scan_group(const struct scan_dir *d, struct observed_mdev *m)
{
	char path[TREE_PATH_SIZE], target[256];
	ssize_t n = readlinkat(
		d->fd, tree_mdev(path, m->uuid, "iommu_group"), target, sizeof(target) - 1);
	const char *number;
	char *end;
	long value;

	if (n <= 0)
		return;
	target[n] = '\0';
	number = strrchr(target, '/');
	if (!number || number[1] < '0' || number[1] > '9')
		return;
	value = strtol(number + 1, &end, 10);
	if (*end == '\0' && value <= INT32_MAX)
		m->vfio_group = (int)value;
}

static void scan_cdev(const struct scan_dir *d, struct observed_mdev *m)
{
	_cleanup_closedir_ DIR *dir = NULL;
	char path[TREE_PATH_SIZE];
	struct dirent *e;

	if (scan_list(d, tree_mdev(path, m->uuid, "vfio-dev"), &dir) < 0)
		return;
	while ((e = readdir(dir)))
		if (strncmp(e->d_name, "vfio", 4) == 0 && strlen(e->d_name) < sizeof(m->vfio_cdev))
			strcpy(m->vfio_cdev, e->d_name);
}

/* One of our module's attributes.  False: it could not be read. */
static bool module_number(struct scan *s, const struct scan_dir *d, const char *uuid,
	const char *attr, uint64_t max, uint64_t *ret)
{
	char path[TREE_PATH_SIZE];
	int r = scan_read_number(s, d, tree_mdev(path, uuid, attr), max, ret);

	if (r < 0)
		mdev_fail(s, d, path, r);
	return r == 0;
}

/* One look at all of them; false: there are none. */
static bool read_module(struct scan *s, const struct scan_dir *d, struct observed_mdev *m)
{
	uint64_t attached, pid = 0;

	if (!module_number(s, d, m->uuid, "apmatrix/attached", 1, &attached)) {
		/* Perhaps it was unloaded after it had been read once. */
		m->attach = ATTACH_UNKNOWN;
		m->attach_count = m->attached_since = m->vm_pid = 0;
		return false;
	}
	m->attach = attached ? ATTACH_YES : ATTACH_NO;
	m->attached_since = 0;
	module_number(s, d, m->uuid, "apmatrix/attach_count", UINT64_MAX, &m->attach_count);
	if (attached) {
		module_number(s, d, m->uuid, "apmatrix/vm_pid", INT32_MAX, &pid);
		module_number(
			s, d, m->uuid, "apmatrix/attached_since", UINT64_MAX, &m->attached_since);
	}
	m->vm_pid = (uint32_t)pid;
	return true;
}

/*
 * True: the module tells who has it open, nothing else need be looked at.  The values belong
 * together if no event has come between; guests that come and go all the time are looked at
 * again, as each has sent an event.
 */
static bool scan_module(struct scan *s, const struct scan_dir *d, struct observed_mdev *m)
{
	uint64_t before = 0, after = 0;

	module_number(s, d, m->uuid, "apmatrix/attach_seq", UINT64_MAX, &after);
	for (unsigned i = 0; i < MODULE_READS; i++) {
		before = after;
		if (!read_module(s, d, m))
			return false;
		module_number(s, d, m->uuid, "apmatrix/attach_seq", UINT64_MAX, &after);
		if (before == after)
			break;
	}
	s->o->features |= FEATURE_MODULE;
	m->attach_source = ATTACH_FROM_MODULE;
	m->attach_confidence = CONFIDENCE_CERTAIN;
	m->attach_seq = before;
	return true;
}

/* -ENOENT: the mdev vanished meanwhile.  One whose removal waits for its guest has lost its
 * attributes but is still there: nothing about it is known then. */
static int scan_mdev(struct scan *s, const struct scan_dir *d, struct observed_mdev *m)
{
	char path[TREE_PATH_SIZE];
	int r = read_ap_config(s, d, m);

	if (scan_gone(r) &&
		(is_ours_and_small(s, m->uuid) || !(s->o->hazards & HAZARD_MATRIX_OVERRUN)))
		r = read_assigned(s, d, m);
	if (scan_gone(r) && faccessat(d->fd, m->uuid, F_OK, 0) < 0)
		return -ENOENT;
	if (r < 0)
		mdev_fail(s, d, tree_mdev(path, m->uuid, "ap_config"), r);
	scan_guest(s, d, m);
	scan_group(d, m);
	if (!scan_module(s, d, m))
		scan_cdev(d, m);
	return 0;
}

/*
 * Kernels without ap_config: what was left unread above, because it is not known to be ours.  The
 * masks and the matrices that are known bound how large it can be; where that is not below 512
 * it stays unknown.
 */
static void scan_unsized(struct scan *s, const struct scan_dir *d)
{
	struct observed *o = s->o;
	char path[TREE_PATH_SIZE];
	struct queues free_queues;
	int r;

	bound_free_queues(o, &free_queues);
	if (bound_product(&free_queues) > MATRIX_SAFE_QUEUES)
		return;
	for (size_t i = 0; i < o->n_mdevs; i++) {
		if (o->mdevs[i].assigned_known)
			continue;
		r = read_assigned(s, d, &o->mdevs[i]);
		if (r < 0)
			mdev_fail(s, d, tree_mdev(path, o->mdevs[i].uuid, "matrix"), r);
		scan_guest(s, d, &o->mdevs[i]);
	}
}

/* Whether the queue is in a guest's hands. */
static enum attach_state scan_in_use(
	struct scan *s, const struct scan_dir *d, unsigned adapter, unsigned domain)
{
	char path[TREE_PATH_SIZE];
	ssize_t n = scan_read(s, d, tree_queue(path, adapter, domain, "status"));

	if (n < 0) {
		mdev_fail(s, d, path, (int)n);
		return ATTACH_UNKNOWN;
	}
	return strcmp(s->text, "in use") == 0 ? ATTACH_YES : ATTACH_NO;
}

/*
 * "In use" means: the mdev has a KVM and the queue is in the guest's matrix.  So one queue of the
 * guest's matrix tells about all of them, a queue per mdev.  Where that matrix is not known, one
 * queue of every adapter will do, as an adapter is in it with all of the host's domains or not at
 * all; none of them in use then proves nothing.
 */
static enum attach_state scan_mdev_status(
	struct scan *s, const struct scan_dir *d, const struct observed_mdev *m)
{
	const struct matrix *candidates = m->guest_known ? &m->guest : &m->assigned;

	MASK_FOREACH (a, &candidates->adapters) {
		struct mask bound = mask_and(&candidates->domains, &s->o->vfio.row[a]);
		unsigned domain = mask_next(&bound, 0);

		if (domain >= MASK_BITS)
			continue;
		enum attach_state state = scan_in_use(s, d, a, domain);

		if (state == ATTACH_YES)
			queues_set(&s->o->in_use, a, domain);
		if (state == ATTACH_YES || m->guest_known)
			return state;
	}
	return ATTACH_UNKNOWN;
}

static void scan_status(struct scan *s)
{
	_cleanup_scan_dir_ struct scan_dir devices = {-1, TREE_AP_DEVICES};
	struct observed *o = s->o;

	if (o->n_mdevs == 0 || scan_dir_open(s, &devices) < 0)
		return;
	for (size_t i = 0; i < o->n_mdevs; i++) {
		struct observed_mdev *m = &o->mdevs[i];
		enum attach_state state;

		if (m->attach == ATTACH_NO)
			continue;
		state = scan_mdev_status(s, &devices, m);
		if (state == ATTACH_YES)
			queues_add_product(&o->in_use, &m->guest.adapters, &m->guest.domains);
		if (state != ATTACH_UNKNOWN && m->attach == ATTACH_UNKNOWN) {
			m->attach = (uint8_t)state;
			m->attach_source = ATTACH_FROM_STATUS;
			m->attach_confidence = CONFIDENCE_CERTAIN;
		}
	}
}

struct names {
	char (*uuid)[UUID_SIZE];
	size_t n, room;
};

static void names_done(struct names *names)
{
	free(names->uuid);
}

static int names_add(struct names *names, const char *uuid)
{
	if (names->n == names->room) {
		size_t room = names->room ? 2 * names->room : 64;
		void *bigger = reallocarray(names->uuid, room, sizeof(names->uuid[0]));

		if (!bigger)
			return -ENOMEM;
		names->uuid = bigger;
		names->room = room;
	}
	memcpy(names->uuid[names->n++], uuid, UUID_SIZE);
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The listing, sorted: an observation keeps its mdevs in order, and adding at the end is cheap. */
static int list_mdevs(struct scan *s, const struct scan_dir *d, struct names *names)
{
	_cleanup_closedir_ DIR *dir = NULL;
	char uuid[UUID_SIZE];
	struct dirent *e;
	int r = scan_list(d, ".", &dir);

	if (r < 0) {
		mdev_fail(s, d, "", r);
		return 0;
	}
	while ((errno = 0, e = readdir(dir))) {
		if (!uuid_normalize(e->d_name, uuid) || strcmp(uuid, e->d_name) != 0)
			continue;
		if (names_add(names, uuid) < 0)
			return -ENOMEM;
	}
	if (errno != 0)
		scan_fail(s, d, "", -errno);
	if (names->n > 0)
		qsort(names->uuid, names->n, sizeof(names->uuid[0]), compare_names);
	return 0;
}

static int scan_listed(struct scan *s, const struct scan_dir *d)
{
	_cleanup_(names_done) struct names names = {0};
	int r = list_mdevs(s, d, &names);

	for (size_t i = 0; r == 0 && i < names.n; i++) {
		struct observed_mdev m = {.vfio_group = -1}, *added;

		memcpy(m.uuid, names.uuid[i], UUID_SIZE);
		if (scan_mdev(s, d, &m) < 0)
			continue;
		added = observed_add_mdev(s->o, m.uuid);
		if (!added)
			return -ENOMEM;
		*added = m;
	}
	return r;
}

int scan_mdevs(struct scan *s)
{
	_cleanup_scan_dir_ struct scan_dir matrix = {-1, TREE_MATRIX};
	const struct scan_dir root = {s->root, "."};
	struct observed *o = s->o;
	int r = scan_dir_open(s, &matrix);

	if (r == 0 && faccessat(root.fd, TREE_MDEV_TYPE, F_OK, 0) < 0)
		r = -errno;
	if (r < 0) {
		mdev_fail(s, &matrix, "", r);
		return 0;
	}
	o->has_matrix_device = true;
	if (faccessat(root.fd, TREE_MODULE, F_OK, 0) == 0)
		o->features |= FEATURE_MODULE;
	scan_features(s, &matrix);
	r = scan_listed(s, &matrix);
	if (r < 0)
		return r;
	if (!(o->features & FEATURE_AP_CONFIG) && (o->hazards & HAZARD_MATRIX_OVERRUN))
		scan_unsized(s, &matrix);
	scan_status(s);
	return 0;
}
