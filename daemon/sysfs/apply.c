/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing one value and never trusting it before it was read back: the kernel itself is honest,
 * but others write to the same tree, and some of its writes are accepted without effect (a second
 * `remove`, a probe without a matching driver).
 */
#include "sysfs/apply.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/observed.h"
#include "sysfs/tree.h"
#include "util/cleanup.h"
#include "util/fileio.h"

struct apply {
	int root;
	const struct step *step;
	char path[TREE_PATH_SIZE];   /* of what is written */
	char value[STEP_VALUE_SIZE]; /* what is written */
	char *detail;
	size_t size;
};

#define PAGE_TEXT_SIZE 4097u

/* What an attribute shows, cut to what a message can hold. */
static int apply_lie(const struct apply *a, const char *shown)
{
	snprintf(a->detail, a->size,
		"the kernel accepted '%.100s' for /%.100s but reads back '%.100s'",
		a->value[0] == '\n' ? "" : a->value, a->path, shown);
	return -EIO;
}

/* The same for steps whose effect is a device or a driver's link. */
static int apply_no_effect(const struct apply *a, const char *effect)
{
	snprintf(a->detail, a->size, "the kernel accepted '%.100s' for /%.100s but %s", a->value,
		a->path, effect);
	return -EIO;
}

/* The write succeeded, but its effect cannot be seen: not done as far as anybody knows. */
static int apply_unseen(const struct apply *a, const char *path, int r)
{
	snprintf(a->detail, a->size, "written, but /%.100s cannot be read back: %s", path,
		strerror(-r));
	return -EIO;
}

static int verify_mask(const struct apply *a)
{
	char text[PAGE_TEXT_SIZE];
	ssize_t n = attr_read_at(a->root, a->path, text, sizeof(text));
	struct mask mask;

	if (n < 0)
		return apply_unseen(a, a->path, (int)n);
	if (mask_parse_kernel(text, &mask) < 0 || !mask_equal(&mask, &a->step->mask))
		return apply_lie(a, text);
	return 0;
}

static int verify_ap_config(const struct apply *a)
{
	char text[PAGE_TEXT_SIZE];
	ssize_t n = attr_read_at(a->root, a->path, text, sizeof(text));
	struct matrix matrix;

	if (n < 0)
		return apply_unseen(a, a->path, (int)n);
	if (matrix_parse_ap_config(text, &matrix) < 0 || !matrix_equal(&matrix, &a->step->matrix))
		return apply_lie(a, text);
	return 0;
}

static int verify_override(const struct apply *a)
{
	char text[PAGE_TEXT_SIZE];
	ssize_t n = attr_read_at(a->root, a->path, text, sizeof(text));
	bool clear = a->step->type == STEP_CLEAR_OVERRIDE;

	if (n < 0)
		return apply_unseen(a, a->path, (int)n);
	/* Cleared, it shows an empty line or, in other buses' fashion, "(null)". */
	if (clear ? n != 0 && strcmp(text, "(null)") != 0 : strcmp(text, a->value) != 0)
		return apply_lie(a, text);
	return 0;
}

/* 1: the queue has a driver, 0: it has none, -ENODEV: there is no such queue; negative errno. */
static int queue_is_bound(int root, unsigned apqn)
{
	char path[TREE_PATH_SIZE];
	struct stat st;

	if (fstatat(root, tree_queue_path(path, apqn, "driver"), &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	if (errno != ENOENT)
		return -errno;
	if (faccessat(root, tree_queue_path(path, apqn, ""), F_OK, 0) == 0)
		return 0;
	return errno == ENOENT ? -ENODEV : -errno;
}

static int verify_binding(const struct apply *a)
{
	bool want = a->step->type == STEP_PROBE;
	char path[TREE_PATH_SIZE];
	int r = queue_is_bound(a->root, a->step->number);

	if (r < 0)
		return apply_unseen(a, tree_queue_path(path, a->step->number, "driver"), r);
	if ((r == 1) != want)
		return apply_no_effect(
			a, want ? "the queue has no driver" : "the queue has a driver");
	return 0;
}

static int verify_mdev(const struct apply *a)
{
	bool want = a->step->type == STEP_CREATE;
	char path[TREE_PATH_SIZE];
	int r = faccessat(a->root, tree_mdev_path(path, a->step->uuid, ""), F_OK, 0);

	if (r < 0 && errno != ENOENT)
		return apply_unseen(a, path, -errno);
	if ((r == 0) != want)
		return apply_no_effect(
			a, want ? "the device is not there" : "the device is still there");
	return 0;
}

static const struct mask *mask_of(const struct matrix *m, enum step_type type)
{
	switch (type) {
	case STEP_ASSIGN_ADAPTER:
	case STEP_UNASSIGN_ADAPTER:
		return &m->adapters;
	case STEP_ASSIGN_DOMAIN:
	case STEP_UNASSIGN_DOMAIN:
		return &m->domains;
	default:
		return &m->control_domains;
	}
}

static bool step_assigns(enum step_type type)
{
	return type == STEP_ASSIGN_ADAPTER || type == STEP_ASSIGN_DOMAIN ||
		type == STEP_ASSIGN_CONTROL_DOMAIN;
}

/* The matrix that the planner expects says how long the attribute will be.  An empty one says
 * nothing about a step that assigns. */
static bool may_read_matrix(const struct step *step)
{
	if (step_assigns(step->type) &&
		!mask_test(mask_of(&step->matrix, step->type), step->number))
		return false;
	return !matrix_is_empty(&step->matrix) &&
		matrix_n_queues(&step->matrix) <= MATRIX_SAFE_QUEUES;
}

/* Kernels with ap_config: 1 and *ret, or 0: there is none; negative errno. */
static int read_config(const struct apply *a, char text[static PAGE_TEXT_SIZE], struct matrix *ret)
{
	char path[TREE_PATH_SIZE];
	ssize_t n = attr_read_at(
		a->root, tree_mdev_path(path, a->step->uuid, "ap_config"), text, PAGE_TEXT_SIZE);

	if (n == -ENOENT)
		return 0;
	if (n < 0)
		return (int)n;
	return matrix_parse_ap_config(text, ret) < 0 ? -EBADMSG : 1;
}

/* Kernels without it.  0: must not be read. */
static int read_lists(const struct apply *a, char text[static PAGE_TEXT_SIZE], struct matrix *ret)
{
	bool control = a->step->type == STEP_ASSIGN_CONTROL_DOMAIN ||
		a->step->type == STEP_UNASSIGN_CONTROL_DOMAIN;
	char path[TREE_PATH_SIZE];
	ssize_t n;
	int r;

	if (!control && !may_read_matrix(a->step))
		return 0;
	tree_mdev_path(path, a->step->uuid, control ? "control_domains" : "matrix");
	n = attr_read_at(a->root, path, text, PAGE_TEXT_SIZE);
	if (n < 0)
		return (int)n;
	r = control ? matrix_parse_control_domains(text, &ret->control_domains)
		    : matrix_parse_queues(text, &ret->adapters, &ret->domains);
	return r < 0 ? -EBADMSG : 1;
}

static int verify_assignment(const struct apply *a)
{
	const struct step *step = a->step;
	struct matrix matrix = {0};
	char text[PAGE_TEXT_SIZE], path[TREE_PATH_SIZE];
	int r = read_config(a, text, &matrix);

	if (r == 0)
		r = read_lists(a, text, &matrix);
	if (r < 0)
		return apply_unseen(a, tree_mdev_path(path, step->uuid, "matrix"), r);
	if (r > 0 &&
		mask_test(mask_of(&matrix, step->type), step->number) != step_assigns(step->type))
		return apply_lie(a, text);
	return 0;
}

static int verify(const struct apply *a)
{
	switch (a->step->type) {
	case STEP_APMASK:
	case STEP_AQMASK:
		return verify_mask(a);
	case STEP_OVERRIDE:
	case STEP_CLEAR_OVERRIDE:
		return verify_override(a);
	case STEP_UNBIND:
	case STEP_PROBE:
		return verify_binding(a);
	case STEP_CREATE:
	case STEP_REMOVE:
		return verify_mdev(a);
	case STEP_AP_CONFIG:
		return verify_ap_config(a);
	default:
		return verify_assignment(a);
	}
}

int sysfs_apply(int root, const struct step *step, char *detail, size_t size)
{
	struct apply a = {.root = root, .step = step, .detail = detail, .size = size};
	int r;

	detail[0] = '\0';
	tree_step_path(a.path, step);
	step_value(step, a.value);
	r = attr_write_at(root, a.path, a.value);
	/* The path of unbind leads through the driver's link. */
	if (r == -ENOENT && step->type == STEP_UNBIND && queue_is_bound(root, step->number) == 0)
		return 0;
	return r < 0 ? r : verify(&a);
}
