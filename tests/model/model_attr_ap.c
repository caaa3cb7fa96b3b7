/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bus/ap: attributes of the bus and its drivers, links to cards and queues.
 */
#include <string.h>
#include <sys/stat.h>

#include "model_internal.h"

static int show_mask(FILE *out, const struct mask *mask)
{
	char text[MASK_KERNEL_SIZE];

	mask_format_kernel(mask, text);
	fprintf(out, "%s\n", text);
	return 0;
}

/* --- the bus -------------------------------------------------------------------------------- */

static int show_apmask(struct model *m, _unused_ const struct object *o, FILE *out)
{
	return show_mask(out, &m->apmask);
}

static int store_apmask(
	struct model *m, _unused_ const struct object *o, const char *text, _unused_ size_t size)
{
	return ap_store_mask(m, true, text);
}

static int show_aqmask(struct model *m, _unused_ const struct object *o, FILE *out)
{
	return show_mask(out, &m->aqmask);
}

static int store_aqmask(
	struct model *m, _unused_ const struct object *o, const char *text, _unused_ size_t size)
{
	return ap_store_mask(m, false, text);
}

static int show_adapter_mask(struct model *m, _unused_ const struct object *o, FILE *out)
{
	return show_mask(out, &m->qci.adapters);
}

static int show_domain_mask(struct model *m, _unused_ const struct object *o, FILE *out)
{
	return show_mask(out, &m->qci.domains);
}

static int show_control_mask(struct model *m, _unused_ const struct object *o, FILE *out)
{
	return show_mask(out, &m->qci.control_domains);
}

static int show_max_adapter(struct model *m, _unused_ const struct object *o, FILE *out)
{
	fprintf(out, "%u\n", m->max_adapter);
	return 0;
}

static int show_max_domain(struct model *m, _unused_ const struct object *o, FILE *out)
{
	fprintf(out, "%u\n", m->max_domain);
	return 0;
}

static int show_ap_domain(struct model *m, _unused_ const struct object *o, FILE *out)
{
	fprintf(out, "%d\n", m->ap_domain < (int)MASK_BITS ? m->ap_domain : -1);
	return 0;
}

static int store_ap_domain(
	struct model *m, _unused_ const struct object *o, const char *text, _unused_ size_t size)
{
	int domain;

	if (sscanf(text, "%i", &domain) != 1 || domain < 0 || domain > (int)m->max_domain ||
		!mask_test(&m->aqmask, (unsigned)domain))
		return -EINVAL;
	m->ap_domain = domain;
	return 0;
}

static int show_features(struct model *m, _unused_ const struct object *o, FILE *out)
{
	fputs(m->max_adapter > 63 ? "APSC APXA QACT RC8A\n" : "APSC QACT RC8A\n", out);
	return 0;
}

static int show_bindings(struct model *m, _unused_ const struct object *o, FILE *out)
{
	unsigned bound, all;

	ap_count_bindings(m, &bound, &all);
	fprintf(out, "%u/%u%s\n", bound, all, bound == all ? " (complete)" : "");
	return 0;
}

static int show_complete_count(struct model *m, _unused_ const struct object *o, FILE *out)
{
	fprintf(out, "%llu\n", (unsigned long long)m->complete_count);
	return 0;
}

static int show_scans(struct model *m, _unused_ const struct object *o, FILE *out)
{
	fprintf(out, "%llu\n", (unsigned long long)m->scans);
	return 0;
}

static int store_scans(struct model *m, _unused_ const struct object *o, _unused_ const char *text,
	_unused_ size_t size)
{
	scan_bus(m);
	return 0;
}

static int show_config_time(struct model *m, _unused_ const struct object *o, FILE *out)
{
	fprintf(out, "%u\n", m->config_time);
	return 0;
}

static int store_config_time(
	struct model *m, _unused_ const struct object *o, const char *text, _unused_ size_t size)
{
	int seconds;

	if (sscanf(text, "%d", &seconds) != 1 || seconds < 5 || seconds > 120)
		return -EINVAL;
	m->config_time = (unsigned)seconds;
	return 0;
}

static int show_one(_unused_ struct model *m, _unused_ const struct object *o, FILE *out)
{
	fputs("1\n", out);
	return 0;
}

/* drivers_probe_store(): a queue that is bound already is left alone. */
static int store_drivers_probe(
	struct model *m, _unused_ const struct object *o, const char *text, _unused_ size_t size)
{
	unsigned adapter, domain;

	if (!text_queue(text, &adapter, &domain) || !queues_test(&m->present, adapter, domain))
		return -ENODEV;
	ap_attach_driver(m, adapter, domain);
	return 0;
}

/* bus_uevent_store() */
static int store_bus_uevent(
	struct model *m, _unused_ const struct object *o, const char *text, _unused_ size_t size)
{
	return uevent_store(m, "bus", "/bus/ap", text);
}

/* --- links to cards and queues -------------------------------------------------------------- */

/* Links to devices, as bus/ap/devices and every driver's directory have them. */
static int find_device_link(const struct model *m, const struct queues *q, bool cards,
	const char *name, struct node *ret)
{
	unsigned adapter, domain;

	if (cards && text_card(name, &adapter) && mask_test(&m->cards, adapter))
		return node_link(ret, "devices/ap/card%02x", adapter);
	if (q && strlen(name) == QUEUE_NAME_SIZE - 1 && text_queue(name, &adapter, &domain) &&
		queues_test(q, adapter, domain))
		return node_link(ret, "devices/ap/card%02x/%s", adapter, name);
	return -ENOENT;
}

static int find_bus_device(
	struct model *m, _unused_ const struct object *o, const char *name, struct node *ret)
{
	return find_device_link(m, &m->present, true, name, ret);
}

static void list_bus_devices(
	struct model *m, _unused_ const struct object *o, model_list_fn each, void *userdata)
{
	list_card_names(m, S_IFLNK, each, userdata);
	MASK_FOREACH (adapter, &m->cards)
		list_queue_names(&m->present, adapter, S_IFLNK, each, userdata);
}

static const struct dir bus_devices_dir = {.find = find_bus_device, .list = list_bus_devices};

/* --- drivers -------------------------------------------------------------------------------- */

static int bind_queue(struct model *m, enum ap_driver driver, const char *text)
{
	unsigned adapter, domain;

	if (!text_queue(text, &adapter, &domain) || !queues_test(&m->present, adapter, domain))
		return -ENODEV;
	return ap_bind(m, driver, adapter, domain);
}

static int unbind_queue(struct model *m, enum ap_driver driver, const char *text)
{
	unsigned adapter, domain;

	if (!text_queue(text, &adapter, &domain) || ap_driver_of(m, adapter, domain) != driver)
		return -ENODEV;
	ap_unbind(m, adapter, domain);
	return 0;
}

static int store_bind_cex4(
	struct model *m, _unused_ const struct object *o, const char *text, _unused_ size_t size)
{
	return bind_queue(m, DRIVER_CEX4, text);
}

static int store_unbind_cex4(
	struct model *m, _unused_ const struct object *o, const char *text, _unused_ size_t size)
{
	return unbind_queue(m, DRIVER_CEX4, text);
}

static int store_bind_vfio(
	struct model *m, _unused_ const struct object *o, const char *text, _unused_ size_t size)
{
	return bind_queue(m, DRIVER_VFIO_AP, text);
}

static int store_unbind_vfio(
	struct model *m, _unused_ const struct object *o, const char *text, _unused_ size_t size)
{
	return unbind_queue(m, DRIVER_VFIO_AP, text);
}

static int find_host_device(
	struct model *m, _unused_ const struct object *o, const char *name, struct node *ret)
{
	return find_device_link(m, &m->host, false, name, ret);
}

static void list_host_devices(
	struct model *m, _unused_ const struct object *o, model_list_fn each, void *userdata)
{
	MASK_FOREACH (adapter, &m->cards)
		list_queue_names(&m->host, adapter, S_IFLNK, each, userdata);
}

static int find_vfio_device(
	struct model *m, _unused_ const struct object *o, const char *name, struct node *ret)
{
	return find_device_link(m, &m->vfio, false, name, ret);
}

static void list_vfio_devices(
	struct model *m, _unused_ const struct object *o, model_list_fn each, void *userdata)
{
	MASK_FOREACH (adapter, &m->cards)
		list_queue_names(&m->vfio, adapter, S_IFLNK, each, userdata);
}

static int find_card_device(
	struct model *m, _unused_ const struct object *o, const char *name, struct node *ret)
{
	return find_device_link(m, NULL, true, name, ret);
}

static void list_card_devices(
	struct model *m, _unused_ const struct object *o, model_list_fn each, void *userdata)
{
	list_card_names(m, S_IFLNK, each, userdata);
}

static void link_module_zcrypt(
	_unused_ const struct model *m, _unused_ const struct object *o, char buf[static LINK_SIZE])
{
	snprintf(buf, LINK_SIZE, "module/zcrypt_cex4");
}

static void link_module_vfio_ap(
	_unused_ const struct model *m, _unused_ const struct object *o, char buf[static LINK_SIZE])
{
	snprintf(buf, LINK_SIZE, "module/vfio_ap");
}

static const struct entry cex4card_entries[] = {LINK_ENTRY("module", link_module_zcrypt)};
static const struct dir cex4card_dir = {
	DIR_TABLE(cex4card_entries), .find = find_card_device, .list = list_card_devices};

static const struct entry cex4queue_entries[] = {
	WO_ENTRY("bind", store_bind_cex4),
	LINK_ENTRY("module", link_module_zcrypt),
	WO_ENTRY("unbind", store_unbind_cex4),
};
static const struct dir cex4queue_dir = {
	DIR_TABLE(cex4queue_entries), .find = find_host_device, .list = list_host_devices};

static const struct entry vfio_ap_entries[] = {
	WO_ENTRY("bind", store_bind_vfio),
	LINK_ENTRY("module", link_module_vfio_ap),
	WO_ENTRY("unbind", store_unbind_vfio),
};
static const struct dir vfio_ap_dir = {
	DIR_TABLE(vfio_ap_entries), .find = find_vfio_device, .list = list_vfio_devices};

static const struct entry drivers_entries[] = {
	DIR_ENTRY("cex4card", &cex4card_dir),
	DIR_ENTRY("cex4queue", &cex4queue_dir),
	DIR_ENTRY("vfio_ap", &vfio_ap_dir, .exists = entry_vfio_ap),
};
static const struct dir drivers_dir = {DIR_TABLE(drivers_entries)};

static const struct entry bus_ap_entries[] = {
	RO_ENTRY("ap_adapter_mask", show_adapter_mask),
	RO_ENTRY("ap_control_domain_mask", show_control_mask),
	RW_ENTRY("ap_domain", show_ap_domain, store_ap_domain),
	RO_ENTRY("ap_interrupts", show_one),
	RO_ENTRY("ap_max_adapter_id", show_max_adapter),
	RO_ENTRY("ap_max_domain_id", show_max_domain),
	RO_ENTRY("ap_usage_domain_mask", show_domain_mask),
	RW_ENTRY("apmask", show_apmask, store_apmask),
	RW_ENTRY("aqmask", show_aqmask, store_aqmask),
	RO_ENTRY("bindings", show_bindings, .exists = entry_6_1),
	RO_ENTRY("bindings_complete_count", show_complete_count, .exists = entry_7_2),
	RW_ENTRY("config_time", show_config_time, store_config_time),
	DIR_ENTRY("devices", &bus_devices_dir),
	DIR_ENTRY("drivers", &drivers_dir),
	RO_ENTRY("drivers_autoprobe", show_one),
	WO_ENTRY("drivers_probe", store_drivers_probe),
	RO_ENTRY("features", show_features, .exists = entry_6_12),
	RW_ENTRY("scans", show_scans, store_scans, .exists = entry_6_1),
	WO_ENTRY("uevent", store_bus_uevent),
};
const struct dir bus_ap_dir = {DIR_TABLE(bus_ap_entries)};
