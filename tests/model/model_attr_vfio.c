/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What vfio makes of an mdev: its device below vfio-dev/, its group in class/vfio and in
 * kernel/iommu_groups.
 */
#include <string.h>
#include <sys/stat.h>

#include "model_internal.h"

/* --- vfio device and group ------------------------------------------------------------------ */

static int show_cdev_number(_unused_ struct model *m, const struct object *o, FILE *out)
{
	fprintf(out, "511:%d\n", o->mdev->group);
	return 0;
}

static int show_cdev_uevent(struct model *m, const struct object *o, FILE *out)
{
	if (since_6_12(m))
		fprintf(out, "MAJOR=511\nMINOR=%d\nDEVNAME=vfio/devices/vfio%d\n", o->mdev->group,
			o->mdev->group);
	return 0;
}

static void link_class_vfio_dev(
	_unused_ const struct model *m, _unused_ const struct object *o, char buf[static LINK_SIZE])
{
	snprintf(buf, LINK_SIZE, "class/vfio-dev");
}

static void link_mdev(
	_unused_ const struct model *m, const struct object *o, char buf[static LINK_SIZE])
{
	snprintf(buf, LINK_SIZE, "devices/vfio_ap/matrix/%s", o->mdev->uuid);
}

static const struct entry cdev_entries[] = {
	RO_ENTRY("dev", show_cdev_number, .exists = entry_6_12),
	LINK_ENTRY("device", link_mdev),
	LINK_ENTRY("subsystem", link_class_vfio_dev),
	RO_ENTRY("uevent", show_cdev_uevent),
};
static const struct dir cdev_dir = {DIR_TABLE(cdev_entries)};

static int find_cdev(
	_unused_ struct model *m, const struct object *o, const char *name, struct node *ret)
{
	char own[24];

	snprintf(own, sizeof(own), "vfio%d", o->mdev->group);
	return strcmp(name, own) == 0 ? node_dir(ret, &cdev_dir, o) : -ENOENT;
}

static void list_cdev(
	_unused_ struct model *m, const struct object *o, model_list_fn each, void *userdata)
{
	char own[24];

	snprintf(own, sizeof(own), "vfio%d", o->mdev->group);
	each(userdata, own, S_IFDIR);
}

const struct dir mdev_vfio_dev_dir = {.find = find_cdev, .list = list_cdev};

/* "N" behind a prefix, in the kernel's spelling; the mdev with that group. */
static struct mdev *mdev_by_group(const struct model *m, const char *prefix, const char *name)
{
	char exact[24];

	MDEV_FOREACH (m, d) {
		snprintf(exact, sizeof(exact), "%s%d", prefix, d->group);
		if (strcmp(exact, name) == 0)
			return d;
	}
	return NULL;
}

static void list_groups(const struct model *m, mode_t mode, model_list_fn each, void *userdata)
{
	char name[24];

	MDEV_FOREACH (m, d) {
		snprintf(name, sizeof(name), "%d", d->group);
		each(userdata, name, mode);
	}
}

static int find_class_vfio(
	struct model *m, _unused_ const struct object *o, const char *name, struct node *ret)
{
	return mdev_by_group(m, "", name) ? node_link(ret, "devices/virtual/vfio/%s", name)
					  : -ENOENT;
}

static void list_class_vfio(
	struct model *m, _unused_ const struct object *o, model_list_fn each, void *userdata)
{
	list_groups(m, S_IFLNK, each, userdata);
}

const struct dir class_vfio_dir = {.find = find_class_vfio, .list = list_class_vfio};

static int find_class_vfio_dev(
	struct model *m, _unused_ const struct object *o, const char *name, struct node *ret)
{
	const struct mdev *d = mdev_by_group(m, "vfio", name);

	if (!d || d->removing)
		return -ENOENT;
	return node_link(ret, "devices/vfio_ap/matrix/%s/vfio-dev/%s", d->uuid, name);
}

static void list_class_vfio_dev(
	struct model *m, _unused_ const struct object *o, model_list_fn each, void *userdata)
{
	char name[24];

	MDEV_FOREACH (m, d) {
		snprintf(name, sizeof(name), "vfio%d", d->group);
		if (!d->removing)
			each(userdata, name, S_IFLNK);
	}
}

const struct dir class_vfio_dev_dir = {.find = find_class_vfio_dev, .list = list_class_vfio_dev};

static int show_group_number(_unused_ struct model *m, const struct object *o, FILE *out)
{
	fprintf(out, "243:%d\n", o->mdev->group);
	return 0;
}

static int show_group_uevent(_unused_ struct model *m, const struct object *o, FILE *out)
{
	fprintf(out, "MAJOR=243\nMINOR=%d\nDEVNAME=vfio/%d\n", o->mdev->group, o->mdev->group);
	return 0;
}

static void link_class_vfio(
	_unused_ const struct model *m, _unused_ const struct object *o, char buf[static LINK_SIZE])
{
	snprintf(buf, LINK_SIZE, "class/vfio");
}

static const struct entry group_entries[] = {
	RO_ENTRY("dev", show_group_number),
	LINK_ENTRY("subsystem", link_class_vfio),
	RO_ENTRY("uevent", show_group_uevent),
};
static const struct dir group_dir = {DIR_TABLE(group_entries)};

static int find_virtual_vfio(
	struct model *m, _unused_ const struct object *o, const char *name, struct node *ret)
{
	struct mdev *d = mdev_by_group(m, "", name);

	return d ? node_dir(ret, &group_dir, &(struct object){.mdev = d}) : -ENOENT;
}

static void list_virtual_vfio(
	struct model *m, _unused_ const struct object *o, model_list_fn each, void *userdata)
{
	list_groups(m, S_IFDIR, each, userdata);
}

const struct dir virtual_vfio_dir = {.find = find_virtual_vfio, .list = list_virtual_vfio};

/* --- iommu groups --------------------------------------------------------------------------- */

static int show_group_name(_unused_ struct model *m, _unused_ const struct object *o, FILE *out)
{
	fputs("vfio-noiommu\n", out);
	return 0;
}

static int find_group_device(
	_unused_ struct model *m, const struct object *o, const char *name, struct node *ret)
{
	if (strcmp(name, o->mdev->uuid) != 0)
		return -ENOENT;
	return node_link(ret, "devices/vfio_ap/matrix/%s", name);
}

static void list_group_device(
	_unused_ struct model *m, const struct object *o, model_list_fn each, void *userdata)
{
	each(userdata, o->mdev->uuid, S_IFLNK);
}

static const struct dir group_devices_dir = {.find = find_group_device, .list = list_group_device};

static const struct entry iommu_group_entries[] = {
	DIR_ENTRY("devices", &group_devices_dir),
	RO_ENTRY("name", show_group_name),
};
static const struct dir iommu_group_dir = {DIR_TABLE(iommu_group_entries)};

static int find_iommu_group(
	struct model *m, _unused_ const struct object *o, const char *name, struct node *ret)
{
	struct mdev *d = mdev_by_group(m, "", name);

	return d ? node_dir(ret, &iommu_group_dir, &(struct object){.mdev = d}) : -ENOENT;
}

const struct dir iommu_groups_dir = {.find = find_iommu_group, .list = list_virtual_vfio};
