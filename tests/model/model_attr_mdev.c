/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vfio_ap's part of the tree: the matrix device, its mediated devices with our module's group, and
 * the links of bus/mdev, bus/matrix and class/mdev_bus.
 */
#include <string.h>
#include <sys/stat.h>

#include "model_internal.h"

#define PAGE_TEXT 4095u

/* While a remove waits, the attributes are gone already. */
static bool is_there(_unused_ const struct model *m, const struct object *o)
{
	return !o->mdev->removing;
}

static bool is_there_6_1(const struct model *m, const struct object *o)
{
	return since_6_1(m) && !o->mdev->removing;
}

static bool is_there_6_12(const struct model *m, const struct object *o)
{
	return since_6_12(m) && !o->mdev->removing;
}

/* --- assign and unassign -------------------------------------------------------------------- */

static int store_assign_adapter(
	struct model *m, const struct object *o, const char *text, _unused_ size_t size)
{
	return mdev_assign(m, o->mdev, PART_ADAPTER, text);
}

static int store_assign_domain(
	struct model *m, const struct object *o, const char *text, _unused_ size_t size)
{
	return mdev_assign(m, o->mdev, PART_DOMAIN, text);
}

static int store_assign_control_domain(
	struct model *m, const struct object *o, const char *text, _unused_ size_t size)
{
	return mdev_assign(m, o->mdev, PART_CONTROL_DOMAIN, text);
}

static int store_unassign_adapter(
	struct model *m, const struct object *o, const char *text, _unused_ size_t size)
{
	return mdev_unassign(m, o->mdev, PART_ADAPTER, text);
}

static int store_unassign_domain(
	struct model *m, const struct object *o, const char *text, _unused_ size_t size)
{
	return mdev_unassign(m, o->mdev, PART_DOMAIN, text);
}

static int store_unassign_control_domain(
	struct model *m, const struct object *o, const char *text, _unused_ size_t size)
{
	return mdev_unassign(m, o->mdev, PART_CONTROL_DOMAIN, text);
}

static int store_ap_config(struct model *m, const struct object *o, const char *text, size_t size)
{
	return mdev_store_ap_config(m, o->mdev, text, size);
}

static int store_remove(
	struct model *m, const struct object *o, const char *text, _unused_ size_t size)
{
	return mdev_store_remove(m, o->mdev, text);
}

static int show_ap_config(_unused_ struct model *m, const struct object *o, FILE *out)
{
	char text[MATRIX_AP_CONFIG_SIZE];

	matrix_format_ap_config(&o->mdev->matrix, text);
	fprintf(out, "%s\n", text);
	return 0;
}

static int show_control_domains(_unused_ struct model *m, const struct object *o, FILE *out)
{
	MASK_FOREACH (domain, &o->mdev->matrix.control_domains)
		fprintf(out, "%04x\n", domain);
	return 0;
}

/* The kernel prints into one page.  6.1 and 6.12 do not look where it ends. */
static int show_queues(struct model *m, const char *name, const struct mdev *d,
	const struct matrix *matrix, FILE *out)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	FILE *page = open_memstream(&text, &size);

	if (!page)
		return -ENOMEM;
	if (mask_is_empty(&matrix->domains))
		MASK_FOREACH (adapter, &matrix->adapters)
			fprintf(page, "%02x.\n", adapter);
	else if (mask_is_empty(&matrix->adapters))
		MASK_FOREACH (domain, &matrix->domains)
			fprintf(page, ".%04x\n", domain);
	else
		MASK_FOREACH (adapter, &matrix->adapters)
			MASK_FOREACH (domain, &matrix->domains)
				fprintf(page, "%02x.%04x\n", adapter, domain);
	if (fclose(page) != 0)
		return -ENOMEM;
	if (size > PAGE_TEXT) {
		if (!since_7_2(m))
			check_fatal(m,
				"%s of %s was read with %u queues: the kernel overruns a page",
				name, d->uuid, matrix_n_queues(matrix));
		size = PAGE_TEXT;
	}
	fwrite(text, 1, size, out);
	return 0;
}

static int show_matrix(struct model *m, const struct object *o, FILE *out)
{
	return show_queues(m, "matrix", o->mdev, &o->mdev->matrix, out);
}

static int show_guest_matrix(struct model *m, const struct object *o, FILE *out)
{
	return show_queues(m, "guest_matrix", o->mdev, &o->mdev->shadow, out);
}

/* --- our module's group --------------------------------------------------------------------- */

static int show_attached(_unused_ struct model *m, const struct object *o, FILE *out)
{
	fprintf(out, "%d\n", o->mdev->module_attached);
	return 0;
}

static int show_vm_pid(_unused_ struct model *m, const struct object *o, FILE *out)
{
	fprintf(out, "%u\n", o->mdev->module_pid);
	return 0;
}

static int show_attach_count(_unused_ struct model *m, const struct object *o, FILE *out)
{
	fprintf(out, "%llu\n", (unsigned long long)o->mdev->attach_count);
	return 0;
}

static int show_attach_seq(_unused_ struct model *m, const struct object *o, FILE *out)
{
	fprintf(out, "%llu\n", (unsigned long long)o->mdev->attach_seq);
	return 0;
}

static int show_attached_since(_unused_ struct model *m, const struct object *o, FILE *out)
{
	fprintf(out, "%llu\n", (unsigned long long)o->mdev->attached_since);
	return 0;
}

static const struct entry apmatrix_entries[] = {
	RO_ENTRY("attach_count", show_attach_count),
	RO_ENTRY("attach_seq", show_attach_seq),
	RO_ENTRY("attached", show_attached),
	RO_ENTRY("attached_since", show_attached_since),
	RO_ENTRY("vm_pid", show_vm_pid),
};
static const struct dir apmatrix_dir = {DIR_TABLE(apmatrix_entries)};

/* --- mediated devices ----------------------------------------------------------------------- */

static void link_mdev_driver(
	const struct model *m, _unused_ const struct object *o, char buf[static LINK_SIZE])
{
	snprintf(buf, LINK_SIZE, "bus/mdev/drivers/%s", mdev_driver(m));
}

static void link_bus_mdev(
	_unused_ const struct model *m, _unused_ const struct object *o, char buf[static LINK_SIZE])
{
	snprintf(buf, LINK_SIZE, "bus/mdev");
}

static void link_mdev_type(
	_unused_ const struct model *m, _unused_ const struct object *o, char buf[static LINK_SIZE])
{
	snprintf(buf, LINK_SIZE, "devices/vfio_ap/matrix/mdev_supported_types/vfio_ap-passthrough");
}

static void link_iommu_group(
	_unused_ const struct model *m, const struct object *o, char buf[static LINK_SIZE])
{
	snprintf(buf, LINK_SIZE, "kernel/iommu_groups/%d", o->mdev->group);
}

static int show_mdev_uevent(struct model *m, _unused_ const struct object *o, FILE *out)
{
	fprintf(out, "DRIVER=%s\n", mdev_driver(m));
	return 0;
}

static int store_mdev_uevent(
	struct model *m, const struct object *o, const char *text, _unused_ size_t size)
{
	char path[80];

	snprintf(path, sizeof(path), "/devices/vfio_ap/matrix/%s", o->mdev->uuid);
	return uevent_store(m, "mdev", path, text);
}

static const struct entry mdev_entries[] = {
	RW_ENTRY("ap_config", show_ap_config, store_ap_config, .exists = is_there_6_12),
	DIR_ENTRY("apmatrix", &apmatrix_dir, .exists = entry_module),
	WO_ENTRY("assign_adapter", store_assign_adapter, .exists = is_there),
	WO_ENTRY("assign_control_domain", store_assign_control_domain, .exists = is_there),
	WO_ENTRY("assign_domain", store_assign_domain, .exists = is_there),
	RO_ENTRY("control_domains", show_control_domains, .exists = is_there),
	LINK_ENTRY("driver", link_mdev_driver, .exists = is_there),
	RO_ENTRY("guest_matrix", show_guest_matrix, .exists = is_there_6_1),
	LINK_ENTRY("iommu_group", link_iommu_group),
	RO_ENTRY("matrix", show_matrix, .exists = is_there),
	LINK_ENTRY("mdev_type", link_mdev_type, .exists = is_there),
	WO_ENTRY("remove", store_remove, .exists = is_there),
	LINK_ENTRY("subsystem", link_bus_mdev, .exists = is_there),
	RW_ENTRY("uevent", show_mdev_uevent, store_mdev_uevent, .exists = is_there),
	WO_ENTRY("unassign_adapter", store_unassign_adapter, .exists = is_there),
	WO_ENTRY("unassign_control_domain", store_unassign_control_domain, .exists = is_there),
	WO_ENTRY("unassign_domain", store_unassign_domain, .exists = is_there),
	DIR_ENTRY("vfio-dev", &mdev_vfio_dev_dir, .exists = is_there_6_1),
};
static const struct dir mdev_dir = {DIR_TABLE(mdev_entries)};

static int find_mdev(
	struct model *m, _unused_ const struct object *o, const char *name, struct node *ret)
{
	struct mdev *d = mdev_find(m, name);

	return d ? node_dir(ret, &mdev_dir, &(struct object){.mdev = d}) : -ENOENT;
}

static void list_mdevs(
	struct model *m, _unused_ const struct object *o, model_list_fn each, void *userdata)
{
	MDEV_FOREACH (m, d)
		each(userdata, d->uuid, S_IFDIR);
}

/* Links to mdevs; those that are being removed are gone from the bus. */
static int find_mdev_link(
	struct model *m, _unused_ const struct object *o, const char *name, struct node *ret)
{
	const struct mdev *d = mdev_find(m, name);

	if (!d || d->removing)
		return -ENOENT;
	return node_link(ret, "devices/vfio_ap/matrix/%s", d->uuid);
}

static void list_mdev_links(
	struct model *m, _unused_ const struct object *o, model_list_fn each, void *userdata)
{
	MDEV_FOREACH (m, d)
		if (!d->removing)
			each(userdata, d->uuid, S_IFLNK);
}

/* --- the matrix device ---------------------------------------------------------------------- */

static int show_features(_unused_ struct model *m, _unused_ const struct object *o, FILE *out)
{
	fputs("guest_matrix hotplug ap_config\n", out);
	return 0;
}

static int show_available(struct model *m, _unused_ const struct object *o, FILE *out)
{
	fprintf(out, "%zu\n", MDEV_MAX - m->n_mdevs);
	return 0;
}

static int show_device_api(_unused_ struct model *m, _unused_ const struct object *o, FILE *out)
{
	fputs("vfio-ap\n", out);
	return 0;
}

static int show_type_name(_unused_ struct model *m, _unused_ const struct object *o, FILE *out)
{
	fputs("VFIO AP Passthrough Device\n", out);
	return 0;
}

static int store_create(
	struct model *m, _unused_ const struct object *o, const char *text, size_t size)
{
	return mdev_create(m, text, size);
}

static const struct dir type_devices_dir = {.find = find_mdev_link, .list = list_mdev_links};

static const struct entry type_entries[] = {
	RO_ENTRY("available_instances", show_available),
	WO_ENTRY("create", store_create),
	RO_ENTRY("device_api", show_device_api),
	DIR_ENTRY("devices", &type_devices_dir),
	RO_ENTRY("name", show_type_name),
};
static const struct dir type_dir = {DIR_TABLE(type_entries)};

static const struct entry types_entries[] = {DIR_ENTRY("vfio_ap-passthrough", &type_dir)};
static const struct dir types_dir = {DIR_TABLE(types_entries)};

static void link_matrix_driver(
	_unused_ const struct model *m, _unused_ const struct object *o, char buf[static LINK_SIZE])
{
	snprintf(buf, LINK_SIZE, "bus/matrix/drivers/vfio_ap");
}

static void link_bus_matrix(
	_unused_ const struct model *m, _unused_ const struct object *o, char buf[static LINK_SIZE])
{
	snprintf(buf, LINK_SIZE, "bus/matrix");
}

static void link_matrix_device(
	_unused_ const struct model *m, _unused_ const struct object *o, char buf[static LINK_SIZE])
{
	snprintf(buf, LINK_SIZE, "devices/vfio_ap/matrix");
}

static void link_module(
	_unused_ const struct model *m, _unused_ const struct object *o, char buf[static LINK_SIZE])
{
	snprintf(buf, LINK_SIZE, "module/vfio_ap");
}

static int show_matrix_uevent(_unused_ struct model *m, _unused_ const struct object *o, FILE *out)
{
	fputs("DRIVER=vfio_ap\n", out);
	return 0;
}

static int store_matrix_uevent(
	struct model *m, _unused_ const struct object *o, const char *text, _unused_ size_t size)
{
	return uevent_store(m, "matrix", "/devices/vfio_ap/matrix", text);
}

static const struct entry matrix_entries[] = {
	LINK_ENTRY("driver", link_matrix_driver),
	RO_ENTRY("features", show_features, .exists = entry_6_12),
	DIR_ENTRY("mdev_supported_types", &types_dir),
	LINK_ENTRY("subsystem", link_bus_matrix),
	RW_ENTRY("uevent", show_matrix_uevent, store_matrix_uevent),
};
static const struct dir matrix_dir = {
	DIR_TABLE(matrix_entries), .find = find_mdev, .list = list_mdevs};

static int show_nothing(
	_unused_ struct model *m, _unused_ const struct object *o, _unused_ FILE *out)
{
	return 0;
}

static const struct entry devices_vfio_ap_entries[] = {
	DIR_ENTRY("matrix", &matrix_dir),
	LINK_ENTRY("module", link_module),
	RO_ENTRY("uevent", show_nothing),
};
const struct dir devices_vfio_ap_dir = {DIR_TABLE(devices_vfio_ap_entries)};

/* --- buses and classes ---------------------------------------------------------------------- */

static const struct entry matrix_link_entries[] = {LINK_ENTRY("matrix", link_matrix_device)};
const struct dir mdev_bus_dir = {DIR_TABLE(matrix_link_entries)};

static const struct dir matrix_devices_dir = {DIR_TABLE(matrix_link_entries)};

static const struct entry matrix_driver_entries[] = {LINK_ENTRY("matrix", link_matrix_device)};
static const struct dir matrix_driver_dir = {DIR_TABLE(matrix_driver_entries)};

static const struct entry matrix_drivers_entries[] = {DIR_ENTRY("vfio_ap", &matrix_driver_dir)};
static const struct dir matrix_drivers_dir = {DIR_TABLE(matrix_drivers_entries)};

static const struct entry bus_matrix_entries[] = {
	DIR_ENTRY("devices", &matrix_devices_dir),
	DIR_ENTRY("drivers", &matrix_drivers_dir),
};
const struct dir bus_matrix_dir = {DIR_TABLE(bus_matrix_entries)};

static const struct entry mdev_driver_entries[] = {LINK_ENTRY("module", link_module)};
static const struct dir mdev_driver_dir = {
	DIR_TABLE(mdev_driver_entries), .find = find_mdev_link, .list = list_mdev_links};

static bool has_vfio_mdev(const struct model *m, _unused_ const struct object *o)
{
	return !since_6_1(m);
}

static const struct entry mdev_drivers_entries[] = {
	DIR_ENTRY("vfio_ap_mdev", &mdev_driver_dir, .exists = entry_6_1),
	DIR_ENTRY("vfio_mdev", &mdev_driver_dir, .exists = has_vfio_mdev),
};
static const struct dir mdev_drivers_dir = {DIR_TABLE(mdev_drivers_entries)};

static const struct dir mdev_devices_dir = {.find = find_mdev_link, .list = list_mdev_links};

static const struct entry bus_mdev_entries[] = {
	DIR_ENTRY("devices", &mdev_devices_dir),
	DIR_ENTRY("drivers", &mdev_drivers_dir),
};
const struct dir bus_mdev_dir = {DIR_TABLE(bus_mdev_entries)};
