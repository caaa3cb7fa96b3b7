/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The top of the tree, what belongs to neither the AP bus nor vfio_ap, and the simulation's own
 * directory below kernel/debug.
 */
#include <string.h>
#include <sys/stat.h>

#include "model_internal.h"

/* sscanf("%d"): blanks before and anything behind the number are allowed. */
int text_bool(const char *text)
{
	int value;

	return sscanf(text, "%d", &value) == 1 && (value == 0 || value == 1) ? value : -EINVAL;
}

/* kobject_synth_uevent(): an action, sent as if the kernel had a reason for it. */
int uevent_store(struct model *m, const char *subsystem, const char *devpath, const char *text)
{
	static const char *const actions[] = {
		"add", "remove", "change", "move", "online", "offline", "bind", "unbind"};
	size_t length = strcspn(text, " \n");

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		if (strlen(actions[i]) == length && strncmp(text, actions[i], length) == 0) {
			event_send(m, actions[i], subsystem,
				(const char *const[]){"SYNTH_UUID=0", NULL}, "%s", devpath);
			return 0;
		}
	return -EINVAL;
}

bool entry_ap(const struct model *m, _unused_ const struct object *o)
{
	return m->has_ap;
}

bool entry_vfio_ap(const struct model *m, _unused_ const struct object *o)
{
	return m->has_vfio_ap;
}

bool entry_module(const struct model *m, _unused_ const struct object *o)
{
	return m->module;
}

bool entry_6_1(const struct model *m, _unused_ const struct object *o)
{
	return since_6_1(m);
}

bool entry_6_12(const struct model *m, _unused_ const struct object *o)
{
	return since_6_12(m);
}

bool entry_7_2(const struct model *m, _unused_ const struct object *o)
{
	return since_7_2(m);
}

/* The class came with 6.1. */
static bool has_vfio_dev(const struct model *m, _unused_ const struct object *o)
{
	return m->has_vfio_ap && since_6_1(m);
}

static const struct dir empty_dir = {0};

/* --- modules -------------------------------------------------------------------------------- */

static int show_live(_unused_ struct model *m, _unused_ const struct object *o, FILE *out)
{
	fputs("live\n", out);
	return 0;
}

static int show_attached(struct model *m, _unused_ const struct object *o, FILE *out)
{
	unsigned n = 0;

	for (size_t i = 0; i < m->n_vms; i++)
		n += m->vms[i]->mdev != NULL;
	fprintf(out, "%u\n", n);
	return 0;
}

static const struct entry module_entries[] = {
	RO_ENTRY("initstate", show_live),
	RO_ENTRY("refcnt", show_attached),
};
static const struct dir one_module_dir = {DIR_TABLE(module_entries)};

static const struct entry modules_entries[] = {
	DIR_ENTRY("ap", &one_module_dir, .exists = entry_ap),
	DIR_ENTRY("apmatrix", &one_module_dir, .exists = entry_module),
	DIR_ENTRY("kvm", &one_module_dir),
	DIR_ENTRY("vfio_ap", &one_module_dir, .exists = entry_vfio_ap),
	DIR_ENTRY("zcrypt_cex4", &one_module_dir, .exists = entry_ap),
};
static const struct dir module_dir = {DIR_TABLE(modules_entries)};

/* --- misc/kvm ------------------------------------------------------------------------------- */

static int show_kvm_uevent(_unused_ struct model *m, _unused_ const struct object *o, FILE *out)
{
	fputs("MAJOR=10\nMINOR=232\nDEVNAME=kvm\n", out);
	return 0;
}

static int store_kvm_uevent(
	struct model *m, _unused_ const struct object *o, const char *text, _unused_ size_t size)
{
	return uevent_store(m, "misc", "/devices/virtual/misc/kvm", text);
}

static int show_kvm_dev(_unused_ struct model *m, _unused_ const struct object *o, FILE *out)
{
	fputs("10:232\n", out);
	return 0;
}

static void link_class_misc(
	_unused_ const struct model *m, _unused_ const struct object *o, char buf[static LINK_SIZE])
{
	snprintf(buf, LINK_SIZE, "class/misc");
}

static void link_kvm(
	_unused_ const struct model *m, _unused_ const struct object *o, char buf[static LINK_SIZE])
{
	snprintf(buf, LINK_SIZE, "devices/virtual/misc/kvm");
}

static const struct entry kvm_entries[] = {
	RO_ENTRY("dev", show_kvm_dev),
	LINK_ENTRY("subsystem", link_class_misc),
	RW_ENTRY("uevent", show_kvm_uevent, store_kvm_uevent),
};
static const struct dir kvm_dir = {DIR_TABLE(kvm_entries)};

static const struct entry virtual_misc_entries[] = {DIR_ENTRY("kvm", &kvm_dir)};
static const struct dir virtual_misc_dir = {DIR_TABLE(virtual_misc_entries)};

static const struct entry class_misc_entries[] = {LINK_ENTRY("kvm", link_kvm)};
static const struct dir class_misc_dir = {DIR_TABLE(class_misc_entries)};

/* --- the simulation's own ------------------------------------------------------------------- */

static int store_control(
	struct model *m, _unused_ const struct object *o, const char *text, size_t size)
{
	_cleanup_free_ char *command = strndup(text, size);

	return command ? model_control(m, command) : -ENOMEM;
}

static void print_matrix(FILE *out, const char *name, const struct matrix *matrix)
{
	char adapters[MASK_LIST_SIZE], domains[MASK_LIST_SIZE], control[MASK_LIST_SIZE];

	mask_format_list(&matrix->adapters, adapters);
	mask_format_list(&matrix->domains, domains);
	mask_format_list(&matrix->control_domains, control);
	fprintf(out, "  %s adapters %s domains %s control %s\n", name, adapters, domains, control);
}

static int show_state(struct model *m, _unused_ const struct object *o, FILE *out)
{
	char apmask[MASK_KERNEL_SIZE], aqmask[MASK_KERNEL_SIZE];

	mask_format_kernel(&m->apmask, apmask);
	mask_format_kernel(&m->aqmask, aqmask);
	fprintf(out, "kernel %s\nmodule %s\nvfio_ap %s\n", m->release, m->module ? "on" : "off",
		m->has_vfio_ap ? "on" : "off");
	fprintf(out, "apmask %s\naqmask %s\n", apmask, aqmask);
	fprintf(out, "queues %u host %u vfio %u\nscans %llu\n", queues_count(&m->present),
		queues_count(&m->host), queues_count(&m->vfio), (unsigned long long)m->scans);
	fprintf(out, "hazard unattached-config-change %u\nhazard refused-open %u\n",
		m->hazard_unattached_config, m->hazard_refused_open);
	for (size_t i = 0; i < m->n_vms; i++)
		fprintf(out, "vm %u %s %s\n", m->vms[i]->pid,
			m->vms[i]->mdev ? m->vms[i]->mdev->uuid : "-", m->vms[i]->comm);
	MDEV_FOREACH (m, d) {
		fprintf(out, "mdev %s group %d%s%s\n", d->uuid, d->group,
			d->attached ? " attached" : "", d->removing ? " removing" : "");
		print_matrix(out, "assigned", &d->matrix);
		print_matrix(out, "guest", &d->shadow);
	}
	return 0;
}

/* "RESULT PATH TEXT" a line; the text's newlines as blanks. */
static int show_log(struct model *m, _unused_ const struct object *o, FILE *out)
{
	for (size_t i = 0; i < m->n_log; i++) {
		const struct model_log_entry *e = &m->log[i];
		const char *name = e->result < 0 ? strerrorname_np(-e->result) : "0";

		fprintf(out, "%s %s ", name ? name : "?", e->path);
		for (const char *p = e->text; *p; p++)
			putc(*p == '\n' ? ' ' : *p, out);
		putc('\n', out);
	}
	return 0;
}

static int show_check(struct model *m, _unused_ const struct object *o, FILE *out)
{
	const char *sentence = model_check(m);

	fprintf(out, "%s\n", sentence ? sentence : "ok");
	return 0;
}

static const struct entry sim_entries[] = {
	{.name = "control", .mode = S_IFREG | 0200, .store = store_control},
	RO_ENTRY("state", show_state),
	RO_ENTRY("log", show_log),
	RO_ENTRY("check", show_check),
};
static const struct dir sim_dir = {DIR_TABLE(sim_entries)};

static const struct entry debug_entries[] = {DIR_ENTRY("apmatrix-sim", &sim_dir)};
static const struct dir debug_dir = {DIR_TABLE(debug_entries)};

/* --- the top -------------------------------------------------------------------------------- */

static const struct entry bus_entries[] = {
	DIR_ENTRY("ap", &bus_ap_dir, .exists = entry_ap),
	DIR_ENTRY("matrix", &bus_matrix_dir, .exists = entry_vfio_ap),
	DIR_ENTRY("mdev", &bus_mdev_dir, .exists = entry_vfio_ap),
};
static const struct dir bus_dir = {DIR_TABLE(bus_entries)};

static const struct entry class_entries[] = {
	DIR_ENTRY("mdev_bus", &mdev_bus_dir, .exists = entry_vfio_ap),
	DIR_ENTRY("misc", &class_misc_dir),
	DIR_ENTRY("vfio", &class_vfio_dir, .exists = entry_vfio_ap),
	DIR_ENTRY("vfio-dev", &class_vfio_dev_dir, .exists = has_vfio_dev),
};
static const struct dir class_dir = {DIR_TABLE(class_entries)};

static const struct entry virtual_entries[] = {
	DIR_ENTRY("misc", &virtual_misc_dir),
	DIR_ENTRY("vfio", &virtual_vfio_dir, .exists = entry_vfio_ap),
};
static const struct dir virtual_dir = {DIR_TABLE(virtual_entries)};

static const struct entry devices_entries[] = {
	DIR_ENTRY("ap", &devices_ap_dir, .exists = entry_ap),
	DIR_ENTRY("vfio_ap", &devices_vfio_ap_dir, .exists = entry_vfio_ap),
	DIR_ENTRY("virtual", &virtual_dir),
};
static const struct dir devices_dir = {DIR_TABLE(devices_entries)};

static const struct entry fs_entries[] = {DIR_ENTRY("cgroup", &empty_dir)};
static const struct dir fs_dir = {DIR_TABLE(fs_entries)};

static const struct entry kernel_entries[] = {
	DIR_ENTRY("debug", &debug_dir),
	DIR_ENTRY("iommu_groups", &iommu_groups_dir),
};
static const struct dir kernel_dir = {DIR_TABLE(kernel_entries)};

static const struct entry root_entries[] = {
	DIR_ENTRY("bus", &bus_dir),
	DIR_ENTRY("class", &class_dir),
	DIR_ENTRY("devices", &devices_dir),
	DIR_ENTRY("fs", &fs_dir),
	DIR_ENTRY("kernel", &kernel_dir),
	DIR_ENTRY("module", &module_dir),
};
const struct dir tree_root = {DIR_TABLE(root_entries)};
