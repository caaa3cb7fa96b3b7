/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A bus scan (ap_scan_bus()): compares the machine with the card and queue devices, tells vfio_ap
 * before and after, and makes and removes devices.
 */
#include "model_internal.h"

static struct matrix machine_config(const struct model *m)
{
	struct matrix now = {.domains = m->domains, .control_domains = m->control_domains};

	for (unsigned i = 0; i < MASK_BITS; i++)
		if (m->adapter[i].present)
			mask_set(&now.adapters, i);
	return now;
}

/* A kernel bug (seen on 7.2, tests/vm/cases/override.sh): an override that vanishes with its device stays counted
 * (ap_driver_override_ctr), so that masks cannot be written any more. */
static void forget_override(struct model *m, unsigned adapter, unsigned domain)
{
	char **name = &m->override_name[APQN(adapter, domain)];

	free(*name);
	*name = NULL;
	queues_clear(&m->override, adapter, domain);
	queues_clear(&m->override_vfio, adapter, domain);
}

static void remove_queue(struct model *m, unsigned adapter, unsigned domain)
{
	ap_unbind(m, adapter, domain);
	forget_override(m, adapter, domain);
	queues_clear(&m->present, adapter, domain);
	event_queue(m, "remove", adapter, domain, NULL);
}

static void remove_card(struct model *m, unsigned adapter)
{
	struct mask row = m->present.row[adapter];

	MASK_FOREACH (domain, &row)
		remove_queue(m, adapter, domain);
	event_card(m, "unbind", adapter, NULL);
	mask_clear(&m->cards, adapter);
	event_card(m, "remove", adapter, NULL);
}

static void add_card(struct model *m, unsigned adapter)
{
	const struct adapter *a = &m->adapter[adapter];

	m->card[adapter] = (struct card){a->config, a->config && a->chkstop, true};
	event_card(m, "add", adapter, NULL);
	mask_set(&m->cards, adapter);
	if (!since_6_12(m))
		ap_check_bindings(m);
	event_card(m, "bind", adapter, NULL);
}

static void add_queue(struct model *m, unsigned adapter, unsigned domain)
{
	queues_set(&m->present, adapter, domain);
	m->bindings_armed = true;
	event_queue(m, "add", adapter, domain, NULL);
	ap_attach_driver(m, adapter, domain);
}

/* A queue's config follows its card's at once here; the kernel looks at each by itself in the
 * same scan.  A checkstop has no event, and an adapter in standby does not tell of it: both come
 * from the one response code of TAPQ. */
static void update_card(struct model *m, unsigned adapter)
{
	const struct adapter *a = &m->adapter[adapter];
	struct card *c = &m->card[adapter];

	c->chkstop = a->config && a->chkstop;
	if (c->config == a->config)
		return;
	c->config = a->config;
	if (!since_6_1(m))
		return;

	const char *extra = c->config ? "CONFIG=1" : "CONFIG=0";

	event_card(m, "change", adapter, extra);
	MASK_FOREACH (domain, &m->present.row[adapter])
		event_queue(m, "change", adapter, domain, extra);
}

/* ap_scan_adapter() */
static void scan_adapter(struct model *m, unsigned adapter)
{
	bool exists = mask_test(&m->cards, adapter);

	if (!mask_test(&m->qci.adapters, adapter)) {
		if (exists)
			remove_card(m, adapter);
		return;
	}
	if (!exists)
		add_card(m, adapter);
	else
		update_card(m, adapter);

	struct mask gone = mask_andnot(&m->present.row[adapter], &m->qci.domains);
	struct mask come = mask_andnot(&m->qci.domains, &m->present.row[adapter]);

	MASK_FOREACH (domain, &gone)
		remove_queue(m, adapter, domain);
	MASK_FOREACH (domain, &come)
		add_queue(m, adapter, domain);
}

void scan_bus(struct model *m)
{
	struct matrix now = machine_config(m);
	bool changed = !matrix_equal(&now, &m->qci);

	if (!m->has_ap)
		return;
	if (changed && m->has_vfio_ap)
		mdev_config_changed(m, &now);
	m->qci = now;
	for (unsigned adapter = 0; adapter < MASK_BITS; adapter++)
		scan_adapter(m, adapter);
	if (changed && m->has_vfio_ap)
		mdev_scan_complete(m);
	if (m->scans++ == 0 && since_6_1(m))
		event_send(m, "change", "ap", (const char *const[]){"INITSCAN=done", NULL},
			"/devices/ap");
	if (since_6_12(m) || m->scans == 1)
		ap_check_bindings(m);
}
