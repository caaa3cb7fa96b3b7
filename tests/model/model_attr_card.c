/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * devices/ap: the attributes of cards and queues, which change with the driver that has them.
 */
#include <string.h>
#include <sys/stat.h>

#include "model_internal.h"

bool text_card(const char *text, unsigned *ret)
{
	unsigned domain;
	char queue[QUEUE_NAME_SIZE];

	if (strlen(text) != 6 || strncmp(text, "card", 4) != 0)
		return false;
	snprintf(queue, sizeof(queue), "%.2s.0000", text + 4);
	return text_queue(queue, ret, &domain);
}

void list_queue_names(
	const struct queues *q, unsigned adapter, mode_t mode, model_list_fn each, void *userdata)
{
	char name[QUEUE_NAME_SIZE];

	MASK_FOREACH (domain, &q->row[adapter]) {
		queue_format(adapter, domain, name);
		each(userdata, name, mode);
	}
}

void list_card_names(const struct model *m, mode_t mode, model_list_fn each, void *userdata)
{
	char name[16];

	MASK_FOREACH (adapter, &m->cards) {
		snprintf(name, sizeof(name), "card%02x", adapter);
		each(userdata, name, mode);
	}
}

static int show_zero(_unused_ struct model *m, _unused_ const struct object *o, FILE *out)
{
	fputs("0\n", out);
	return 0;
}

/* --- queues --------------------------------------------------------------------------------- */

static bool is_bound(const struct model *m, const struct object *o)
{
	return ap_driver_of(m, o->adapter, o->domain) != DRIVER_NONE;
}

static bool has_status(const struct model *m, const struct object *o)
{
	return since_6_1(m) && ap_driver_of(m, o->adapter, o->domain) == DRIVER_VFIO_AP;
}

static bool is_host(const struct model *m, const struct object *o)
{
	return ap_driver_of(m, o->adapter, o->domain) == DRIVER_CEX4;
}

static void link_bus_ap(
	_unused_ const struct model *m, _unused_ const struct object *o, char buf[static LINK_SIZE])
{
	snprintf(buf, LINK_SIZE, "bus/ap");
}

static void link_queue_driver(
	const struct model *m, const struct object *o, char buf[static LINK_SIZE])
{
	snprintf(buf, LINK_SIZE, "bus/ap/drivers/%s",
		ap_driver_name(ap_driver_of(m, o->adapter, o->domain)));
}

static int show_status(struct model *m, const struct object *o, FILE *out)
{
	const struct mdev *d = mdev_of_queue(m, o->adapter, o->domain);

	if (!d)
		fputs("unassigned\n", out);
	else if (d->attached && mask_test(&d->shadow.adapters, o->adapter) &&
		mask_test(&d->shadow.domains, o->domain))
		fputs("in use\n", out);
	else
		fputs("assigned\n", out);
	return 0;
}

static int show_override(struct model *m, const struct object *o, FILE *out)
{
	const char *name = m->override_name[APQN(o->adapter, o->domain)];

	fprintf(out, "%s\n", name ? name : "");
	return 0;
}

static int store_override(
	struct model *m, const struct object *o, const char *text, _unused_ size_t size)
{
	return ap_store_override(m, o->adapter, o->domain, text);
}

static int show_config(struct model *m, const struct object *o, FILE *out)
{
	fprintf(out, "%d\n", m->card[o->adapter].config);
	return 0;
}

static int show_chkstop(struct model *m, const struct object *o, FILE *out)
{
	fprintf(out, "%d\n", m->card[o->adapter].chkstop);
	return 0;
}

static int show_functions(struct model *m, const struct object *o, FILE *out)
{
	static const unsigned functions[] = {
		[MODE_ACCELERATOR] = 0x6a000000, [MODE_CCA] = 0x92000000, [MODE_EP11] = 0x86000000};

	fprintf(out, "0x%08X\n", functions[m->adapter[o->adapter].mode]);
	return 0;
}

static int show_queue_online(struct model *m, const struct object *o, FILE *out)
{
	const struct card *c = &m->card[o->adapter];

	fprintf(out, "%d\n",
		c->config && !c->chkstop && c->online &&
			!queues_test(&m->offline, o->adapter, o->domain));
	return 0;
}

/* online_store() of zcrypt_queue.c: not while the card is offline, away or stopped. */
static int store_queue_online(
	struct model *m, const struct object *o, const char *text, _unused_ size_t size)
{
	const struct card *c = &m->card[o->adapter];
	int online = text_bool(text);

	if (online < 0 || (online && !c->online))
		return -EINVAL;
	if (online && (!c->config || c->chkstop))
		return -ENODEV;
	if (online != queues_test(&m->offline, o->adapter, o->domain))
		return 0;
	if (online)
		queues_clear(&m->offline, o->adapter, o->domain);
	else
		queues_set(&m->offline, o->adapter, o->domain);
	event_queue(m, "change", o->adapter, o->domain, online ? "ONLINE=1" : "ONLINE=0");
	return 0;
}

static int show_queue_uevent(struct model *m, const struct object *o, FILE *out)
{
	const char *driver = ap_driver_name(ap_driver_of(m, o->adapter, o->domain));

	fputs("DEVTYPE=ap_queue\n", out);
	if (driver)
		fprintf(out, "DRIVER=%s\n", driver);
	fprintf(out, "MODE=%s\n", adapter_mode_name(m->adapter[o->adapter].mode));
	return 0;
}

static int store_queue_uevent(
	struct model *m, const struct object *o, const char *text, _unused_ size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/devices/ap/card%02x/%02x.%04x", o->adapter, o->adapter,
		o->domain);
	return uevent_store(m, "ap", path, text);
}

static int show_reset(_unused_ struct model *m, _unused_ const struct object *o, FILE *out)
{
	fputs("No Reset Timer set.\n", out);
	return 0;
}

static int show_interrupt(_unused_ struct model *m, _unused_ const struct object *o, FILE *out)
{
	fputs("Interrupts enabled.\n", out);
	return 0;
}

static const struct entry queue_entries[] = {
	RO_ENTRY("ap_functions", show_functions, .exists = entry_6_12),
	RO_ENTRY("chkstop", show_chkstop, .exists = entry_6_1),
	RO_ENTRY("config", show_config),
	LINK_ENTRY("driver", link_queue_driver, .exists = is_bound),
	RW_ENTRY("driver_override", show_override, store_override, .exists = entry_7_2),
	RO_ENTRY("interrupt", show_interrupt),
	RO_ENTRY("load", show_zero, .exists = is_host),
	RW_ENTRY("online", show_queue_online, store_queue_online, .exists = is_host),
	RO_ENTRY("pendingq_count", show_zero),
	RO_ENTRY("request_count", show_zero),
	RO_ENTRY("requestq_count", show_zero),
	RO_ENTRY("reset", show_reset),
	RO_ENTRY("status", show_status, .exists = has_status),
	LINK_ENTRY("subsystem", link_bus_ap),
	RW_ENTRY("uevent", show_queue_uevent, store_queue_uevent),
};
static const struct dir queue_dir = {DIR_TABLE(queue_entries)};

/* --- cards ---------------------------------------------------------------------------------- */

static int show_hwtype(struct model *m, const struct object *o, FILE *out)
{
	fprintf(out, "%u\n", m->adapter[o->adapter].hwtype);
	return 0;
}

static int show_depth(_unused_ struct model *m, _unused_ const struct object *o, FILE *out)
{
	fputs("8\n", out);
	return 0;
}

static int show_max_msg_size(_unused_ struct model *m, _unused_ const struct object *o, FILE *out)
{
	fputs("12288\n", out);
	return 0;
}

static int show_modalias(struct model *m, const struct object *o, FILE *out)
{
	fprintf(out, "ap:t%02X\n", m->adapter[o->adapter].hwtype);
	return 0;
}

static int show_type(struct model *m, const struct object *o, FILE *out)
{
	static const char letter[] = {
		[MODE_ACCELERATOR] = 'A', [MODE_CCA] = 'C', [MODE_EP11] = 'P'};
	const struct adapter *a = &m->adapter[o->adapter];

	fprintf(out, "CEX%u%c\n", a->hwtype - 6u, letter[a->mode]);
	return 0;
}

static int show_card_online(struct model *m, const struct object *o, FILE *out)
{
	const struct card *c = &m->card[o->adapter];

	fprintf(out, "%d\n", c->config && !c->chkstop && c->online);
	return 0;
}

static int store_card_online(
	struct model *m, const struct object *o, const char *text, _unused_ size_t size)
{
	struct card *c = &m->card[o->adapter];
	int online = text_bool(text);

	if (online < 0)
		return -EINVAL;
	if (online && (!c->config || c->chkstop))
		return -ENODEV;
	if (c->online == online)
		return 0;
	c->online = online;
	event_card(m, "change", o->adapter, online ? "ONLINE=1" : "ONLINE=0");
	return 0;
}

/* config_store() of ap_card.c: the machine configures the adapter, and the bus sees it. */
static int store_config(
	struct model *m, const struct object *o, const char *text, _unused_ size_t size)
{
	int config = text_bool(text);

	if (config < 0)
		return -EINVAL;
	m->adapter[o->adapter].config = config;
	scan_bus(m);
	return 0;
}

static int show_card_uevent(struct model *m, const struct object *o, FILE *out)
{
	const struct adapter *a = &m->adapter[o->adapter];

	fprintf(out,
		"DEVTYPE=ap_card\nDRIVER=cex4card\nDEV_TYPE=%04X\nMODALIAS=ap:t%02X\nMODE=%s\n",
		a->hwtype, a->hwtype, adapter_mode_name(a->mode));
	return 0;
}

static int store_card_uevent(
	struct model *m, const struct object *o, const char *text, _unused_ size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/devices/ap/card%02x", o->adapter);
	return uevent_store(m, "ap", path, text);
}

static void link_card_driver(
	_unused_ const struct model *m, _unused_ const struct object *o, char buf[static LINK_SIZE])
{
	snprintf(buf, LINK_SIZE, "bus/ap/drivers/cex4card");
}

static int find_queue(struct model *m, const struct object *o, const char *name, struct node *ret)
{
	unsigned adapter, domain;

	if (strlen(name) != QUEUE_NAME_SIZE - 1 || !text_queue(name, &adapter, &domain) ||
		adapter != o->adapter || !queues_test(&m->present, adapter, domain))
		return -ENOENT;
	return node_dir(ret, &queue_dir, &(struct object){.adapter = adapter, .domain = domain});
}

static void list_card_queues(
	struct model *m, const struct object *o, model_list_fn each, void *userdata)
{
	list_queue_names(&m->present, o->adapter, S_IFDIR, each, userdata);
}

static const struct entry card_entries[] = {
	RO_ENTRY("ap_functions", show_functions),
	RO_ENTRY("chkstop", show_chkstop, .exists = entry_6_1),
	RW_ENTRY("config", show_config, store_config),
	RO_ENTRY("depth", show_depth),
	LINK_ENTRY("driver", link_card_driver),
	RO_ENTRY("hwtype", show_hwtype),
	RO_ENTRY("load", show_zero),
	RO_ENTRY("max_msg_size", show_max_msg_size),
	RO_ENTRY("modalias", show_modalias),
	RW_ENTRY("online", show_card_online, store_card_online),
	RO_ENTRY("pendingq_count", show_zero),
	RO_ENTRY("raw_hwtype", show_hwtype),
	RO_ENTRY("request_count", show_zero),
	RO_ENTRY("requestq_count", show_zero),
	LINK_ENTRY("subsystem", link_bus_ap),
	RO_ENTRY("type", show_type),
	RW_ENTRY("uevent", show_card_uevent, store_card_uevent),
};
static const struct dir card_dir = {
	DIR_TABLE(card_entries), .find = find_queue, .list = list_card_queues};

static int find_card(
	struct model *m, _unused_ const struct object *o, const char *name, struct node *ret)
{
	unsigned adapter;

	if (!text_card(name, &adapter) || !mask_test(&m->cards, adapter))
		return -ENOENT;
	return node_dir(ret, &card_dir, &(struct object){.adapter = adapter});
}

static void list_all_cards(
	struct model *m, _unused_ const struct object *o, model_list_fn each, void *userdata)
{
	list_card_names(m, S_IFDIR, each, userdata);
}

static int show_root_uevent(
	_unused_ struct model *m, _unused_ const struct object *o, _unused_ FILE *out)
{
	return 0;
}

static int store_root_uevent(
	struct model *m, _unused_ const struct object *o, const char *text, _unused_ size_t size)
{
	return uevent_store(m, "ap", "/devices/ap", text);
}

static const struct entry devices_ap_entries[] = {
	RW_ENTRY("uevent", show_root_uevent, store_root_uevent),
};
const struct dir devices_ap_dir = {
	DIR_TABLE(devices_ap_entries), .find = find_card, .list = list_all_cards};
