/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What the tests of plan and status build their inputs from: drop-ins as text, a machine with
 * adapters 0 to 15 and domains 0 to 7, devices and ledger entries in a few words.  A device is known by a
 * letter, the first of its matrix's name.
 */
#include <string.h>

#include "core/plan.h"
#include "unit.h"

#define ADAPTER_MAX 15u
#define DOMAIN_MAX 7u

struct device {
	char letter; /* 0: end of the list */
	const char *adapters, *domains, *control_domains;
	enum attach_state attach;
	bool unknown; /* what is assigned cannot be read */
};

struct entry {
	char letter;                            /* 0: end of the list */
	const char *words;                      /* "made", "adopted", "started", "stopped" */
	const char *set_adapters, *set_domains; /* NULL: not known */
};

static inline const char *uuid_of(char letter)
{
	static char text[8][UUID_SIZE];
	static unsigned next;
	char *uuid = text[next++ % 8];

	snprintf(uuid, UUID_SIZE, "%02x000000-0000-4000-8000-000000000000", (unsigned char)letter);
	return uuid;
}

static inline struct mask list_of(const char *text)
{
	struct mask m = {};

	ck_assert_int_eq(mask_parse_list(text ? text : "", &m, NULL), 0);
	return m;
}

static inline struct matrix matrix_of(
	const char *adapters, const char *domains, const char *control)
{
	return (struct matrix){list_of(adapters), list_of(domains), list_of(control)};
}

/* "[Matrix NAME]", "[Host]" and "Key=value" lines, as the file "t". */
static inline struct config *config_of(const char *text)
{
	_cleanup_(cleanup_fragment_free) struct fragment *f = fragment_new("t");
	_cleanup_(problems_done) struct problems p = {};
	_cleanup_free_ char *copy = strdup(text), *name = NULL;
	const struct fragment *list[] = {f};
	struct config *c = NULL;
	char *rest = copy, *line;

	for (unsigned n = 1; (line = strsep(&rest, "\n")); n++) {
		char *equals = strchr(line, '=');
		char section[MATRIX_NAME_MAX + 1];

		if (sscanf(line, "[Matrix %64[^]]]", section) == 1) {
			free(name);
			name = strdup(section);
			ck_assert_int_eq(fragment_add(f, SECTION_MATRIX, name, NULL, NULL, n), 0);
		} else if (equals) {
			*equals = '\0';
			ck_assert_int_eq(fragment_add(f, name ? SECTION_MATRIX : SECTION_HOST, name,
						 line, equals + 1, n),
				0);
		}
	}
	ck_assert_int_eq(fragment_check(f, &p), 0);
	ck_assert_int_eq(config_build(list, 1, &p, &c), 0);
	for (size_t i = 0; i < c->n_matrices; i++)
		if (c->matrices[i].uuid_derived)
			config_set_uuid(&c->matrices[i], uuid_of(c->matrices[i].name[0]));
	return c;
}

/* All queues there are, driven by whom the masks leave them to. */
static inline struct observed *machine_of(
	uint32_t features, const char *cleared_adapters, const char *cleared_domains)
{
	struct observed *o = observed_new();
	struct mask full = mask_full(), cards = mask_up_to(ADAPTER_MAX);
	struct mask there = mask_up_to(DOMAIN_MAX);
	struct mask adapters = list_of(cleared_adapters), domains = list_of(cleared_domains);

	ck_assert_ptr_nonnull(o);
	o->complete = o->has_ap_bus = o->has_matrix_device = true;
	o->features = features | FEATURE_GUEST_MATRIX | FEATURE_MODULE;
	o->max_adapter = o->max_domain = 255;
	o->apmask = mask_andnot(&full, &adapters);
	o->aqmask = mask_andnot(&full, &domains);
	o->host_domains = o->host_control_domains = there;
	o->cards = o->host_adapters = cards;
	snprintf(o->release, sizeof(o->release), "6.12.0");
	MASK_FOREACH (a, &cards) {
		o->card[a] = (struct observed_card){14, CARD_CCA, true, false, true};
		o->present.row[a] = there;
		if (mask_test(&o->apmask, a))
			o->host.row[a] = mask_and(&there, &o->aqmask);
		o->vfio.row[a] = mask_andnot(&there, &o->host.row[a]);
	}
	return o;
}

static inline struct observed_mdev *machine_add(struct observed *o, const struct device *d)
{
	struct observed_mdev *m = observed_add_mdev(o, uuid_of(d->letter));

	ck_assert_ptr_nonnull(m);
	m->attach = (uint8_t)d->attach;
	m->attach_source = ATTACH_FROM_MODULE;
	m->vm_pid = d->attach == ATTACH_YES ? 100 : 0;
	m->assigned_known = m->guest_known = !d->unknown;
	if (d->unknown)
		return m;
	m->assigned = matrix_of(d->adapters, d->domains, d->control_domains);
	m->guest = m->assigned;
	m->guest.control_domains = (struct mask){};
	return m;
}

static inline struct ledger *ledger_of(const struct entry *entries)
{
	struct ledger *l = ledger_new();

	ck_assert_ptr_nonnull(l);
	for (const struct entry *e = entries; e->letter; e++) {
		struct ledger_entry *to = ledger_get(l, uuid_of(e->letter));

		to->adopted = strstr(e->words, "adopted");
		to->made = to->adopted || strstr(e->words, "made");
		to->intent = strstr(e->words, "started") ? INTENT_STARTED
			: strstr(e->words, "stopped")    ? INTENT_STOPPED
							 : INTENT_CONFIG;
		to->set_known = e->set_adapters;
		to->set = matrix_of(e->set_adapters, e->set_domains, NULL);
	}
	return l;
}
