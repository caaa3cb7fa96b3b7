/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Plans for a pool that is split queue by queue, from inputs made by hand: the writes in their order,
 * how the pool is split, and what is said.  Steps are compared as words: the attribute and the
 * queue, or the device's letter.
 */
#include "core/plan.h"

#include "planning.h"

#define OLD FEATURE_AP_CONFIG
#define NEW (FEATURE_AP_CONFIG | FEATURE_STRICT_MASKS | FEATURE_DRIVER_OVERRIDE)

struct split_case {
	const char *title, *config;
	uint32_t features;
	const char *cleared_adapters;
	struct device devices[3];
	struct entry entries[3];
	void (*change)(struct observed *o, struct ledger *l);
	const char *steps;
	enum pool_mode pool;
	const char *code; /* of a problem that is named; NULL: none is */
};

static void put_step(FILE *f, const struct step *s)
{
	struct mask full = mask_full(), cleared = mask_andnot(&full, &s->mask);
	char list[MASK_LIST_SIZE], name[QUEUE_NAME_SIZE];

	mask_format_list(&cleared, list);
	queue_format(s->number >> 8, s->number & 0xff, name);
	fputs(step_type_to_string(s->type), f);
	if (s->type == STEP_APMASK || s->type == STEP_AQMASK)
		fprintf(f, " -%s", list);
	else if (s->uuid[0])
		fprintf(f, " %c", (char)strtoul((char[]){s->uuid[0], s->uuid[1], 0}, NULL, 16));
	else
		fprintf(f, " %s", name);
	if (s->type == STEP_AP_CONFIG)
		fprintf(f, " %u", matrix_n_queues(&s->matrix));
	fputc('\n', f);
}

static char *steps_text(const struct plan *p)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	for (size_t i = 0; i < p->n_steps; i++)
		put_step(f, &p->steps[i]);
	fclose(f);
	return text;
}

/* ---- what was there before ---- */

/* As the kernel has it: the override, and vfio_ap has bound the queue. */
static void give(struct observed *o, unsigned a, unsigned d)
{
	queues_set(&o->override, a, d);
	queues_clear(&o->host, a, d);
	queues_set(&o->vfio, a, d);
}

static void ours(struct observed *o, struct ledger *l)
{
	give(o, 1, 2);
	queues_set(&l->overrides, 1, 2);
	l->split = true;
}

static void not_ours(struct observed *o, struct ledger *l _unused_)
{
	give(o, 1, 2);
}

static void ours_beside_others(struct observed *o, struct ledger *l)
{
	ours(o, l);
	queues_set(&o->override_other, 9, 0);
}

static void set_and_not_bound_anew(struct observed *o, struct ledger *l)
{
	ours(o, l);
	queues_clear(&o->vfio, 1, 2);
	queues_set(&o->host, 1, 2);
}

static void cleared_and_not_bound_anew(struct observed *o, struct ledger *l)
{
	ours(o, l);
	queues_clear(&o->override, 1, 2);
}

static void unbound_and_not_probed(struct observed *o, struct ledger *l)
{
	ours(o, l);
	queues_clear(&o->vfio, 1, 2);
}

static void incomplete(struct observed *o, struct ledger *l)
{
	ours(o, l);
	o->complete = false;
}

static void take_adapter_3(struct observed *o, struct ledger *l _unused_)
{
	mask_clear(&o->host_adapters, 3);
	mask_clear(&o->cards, 3);
	o->present.row[3] = o->host.row[3] = o->vfio.row[3] = (struct mask){};
}

static void ours_and_adapter_3_gone(struct observed *o, struct ledger *l)
{
	ours(o, l);
	take_adapter_3(o, l);
}

static void masks_refused(struct observed *o, struct ledger *l)
{
	take_adapter_3(o, l);
	l->masks_refused = true;
}

static void of_another_driver(struct observed *o, struct ledger *l _unused_)
{
	queues_set(&o->override_other, 1, 2);
}

#define A "[Matrix a]\nAdapters=1\nDomains=2\n"
#define A_AND_GONE "[Matrix a]\nAdapters=1,3\nDomains=2\n"
#define MASKS "[Host]\nQueuePool=masks\n"
#define SPLIT "[Host]\nQueuePool=driver-override\n"
#define TAKE "driver_override 01.0002\nunbind 01.0002\ndrivers_probe 01.0002\n"
#define GIVE_BACK "clear_driver_override 01.0002\nunbind 01.0002\ndrivers_probe 01.0002\n"
#define MAKE "create a\nap_config a 1\n"
#define HAS(attach)                                   \
	{                                             \
		{                                     \
			'a', "1", "2", NULL, (attach) \
		}                                     \
	}
#define MADE                                  \
	{                                     \
		{                             \
			'a', "made", "1", "2" \
		}                             \
	}

static const struct split_case cases[] = {
	{"one by one where the kernel can", A, NEW, "", {}, {}, NULL, TAKE MAKE,
		POOL_DRIVER_OVERRIDE, NULL},
	{"masks where it cannot", A, OLD, "", {}, {}, NULL, "apmask -1\n" MAKE, POOL_MASKS,
		"forced-queues"},
	{"asked for where it cannot", SPLIT A, OLD, "", {}, {}, NULL, "", POOL_AUTO,
		"not-available"},
	{"masks that are in use stay in use", A, NEW, "1", {}, {}, NULL, MAKE, POOL_MASKS,
		"forced-queues"},
	{"masks where something is not there", A_AND_GONE, NEW, "", {}, {}, take_adapter_3,
		"apmask -1,3\ncreate a\nap_config a 2\n", POOL_MASKS, "not-present"},
	{"not if the kernel takes none any more", A_AND_GONE, NEW, "", {}, {}, masks_refused,
		TAKE MAKE, POOL_DRIVER_OVERRIDE, "not-present"},
	{"as it should be", A, NEW, "", HAS(ATTACH_NO), MADE, ours, "", POOL_DRIVER_OVERRIDE, NULL},
	{"what is away is left out", A_AND_GONE, NEW, "", HAS(ATTACH_NO), MADE,
		ours_and_adapter_3_gone, "", POOL_DRIVER_OVERRIDE, "not-present"},
	{"given back with the last matrix", "", NEW, "", HAS(ATTACH_NO), MADE, ours,
		"remove a\n" GIVE_BACK, POOL_DRIVER_OVERRIDE, NULL},
	{"not while a guest has it", "", NEW, "", HAS(ATTACH_YES), MADE, ours, "",
		POOL_DRIVER_OVERRIDE, NULL},
	{"not while not all is seen", A "Start=manual\n", NEW, "", {}, {}, incomplete, "",
		POOL_DRIVER_OVERRIDE, NULL},
	{"what somebody else set is used, and stays", A, NEW, "", {}, {}, not_ours, MAKE,
		POOL_DRIVER_OVERRIDE, NULL},
	{"what somebody else set is not cleared", A "Start=manual\n", NEW, "", {}, {}, not_ours, "",
		POOL_DRIVER_OVERRIDE, "driver-override"},
	{"another driver's stands in the way", A, NEW, "", {}, {}, of_another_driver, "",
		POOL_DRIVER_OVERRIDE, "driver-override"},
	{"killed before it was unbound", A, NEW, "", {}, {}, set_and_not_bound_anew,
		"unbind 01.0002\ndrivers_probe 01.0002\n" MAKE, POOL_DRIVER_OVERRIDE, NULL},
	{"killed before it was probed", A, NEW, "", {}, {}, unbound_and_not_probed,
		"drivers_probe 01.0002\n" MAKE, POOL_DRIVER_OVERRIDE, NULL},
	{"killed while it was given back", A "Start=manual\n", NEW, "", {}, {},
		cleared_and_not_bound_anew, "unbind 01.0002\ndrivers_probe 01.0002\n",
		POOL_DRIVER_OVERRIDE, NULL},
	{"somebody cleared it", A, NEW, "", HAS(ATTACH_YES), MADE, cleared_and_not_bound_anew,
		"driver_override 01.0002\n", POOL_DRIVER_OVERRIDE, NULL},
	{"somebody cleared it, and it is reported", "[Host]\nDrift=report\n" A, NEW, "",
		HAS(ATTACH_YES), MADE, cleared_and_not_bound_anew, "", POOL_DRIVER_OVERRIDE,
		"drift"},
	{"to masks", MASKS A, NEW, "", HAS(ATTACH_NO), MADE, ours,
		"ap_config a 0\n" GIVE_BACK "apmask -1\nap_config a 1\n", POOL_MASKS,
		"forced-queues"},
	{"to masks, under a guest", MASKS A, NEW, "", HAS(ATTACH_YES), MADE, ours, "",
		POOL_DRIVER_OVERRIDE, "pool-waits"},
	{"to masks, beside others' overrides", MASKS A, NEW, "", HAS(ATTACH_NO), MADE,
		ours_beside_others, "", POOL_DRIVER_OVERRIDE, "driver-override"},
	{"to overrides", SPLIT A, NEW, "1", HAS(ATTACH_NO), MADE, NULL,
		"ap_config a 0\napmask -\n" TAKE "ap_config a 1\n", POOL_DRIVER_OVERRIDE, NULL},
	{"to overrides, nobody knows of a guest", SPLIT A, NEW, "1", HAS(ATTACH_UNKNOWN), MADE,
		NULL, "", POOL_MASKS, "pool-waits"},
	{"to overrides, beside a foreign device", SPLIT A, NEW, "1",
		{{'a', "1", "2", NULL, ATTACH_NO}, {'f', "1", "3", NULL, ATTACH_NO}}, MADE, NULL,
		"", POOL_MASKS, "pool-waits"},
	{"to overrides, but not all is there", SPLIT A_AND_GONE, NEW, "1", HAS(ATTACH_NO), MADE,
		take_adapter_3, "apmask -1,3\nap_config a 2\n", POOL_MASKS, "pool-waits"},
	{"left to others", "[Host]\nQueuePool=external\n" A, NEW, "", {}, {}, ours, MAKE,
		POOL_EXTERNAL, NULL},
};

static bool has_problem(const struct plan *p, const char *code)
{
	for (size_t i = 0; i < p->problems.n; i++)
		if (strcmp(p->problems.items[i].code, code) == 0)
			return true;
	return false;
}

static bool holds(const struct split_case *c)
{
	_cleanup_(cleanup_config_free) struct config *config = config_of(c->config);
	_cleanup_(cleanup_observed_free) struct observed *o =
		machine_of(c->features, c->cleared_adapters, "");
	_cleanup_(cleanup_ledger_free) struct ledger *l = ledger_of(c->entries);
	_cleanup_(cleanup_plan_free) struct plan *p = NULL;
	struct plan_input in = {.config = config, .observed = o, .ledger = l};
	_cleanup_free_ char *steps = NULL;
	bool said;

	for (const struct device *d = c->devices; d->letter; d++)
		machine_add(o, d);
	if (c->change)
		c->change(o, l);
	ck_assert_int_eq(plan_make(&in, &p), 0);
	steps = steps_text(p);
	said = c->code ? has_problem(p, c->code) : p->problems.n == 0;
	if (strcmp(steps, c->steps) == 0 && p->pool == c->pool && said)
		return true;
	printf("%s: pool %s\n%s; expected: pool %s\n%s", c->title, pool_mode_to_string(p->pool),
		steps, pool_mode_to_string(c->pool), c->steps);
	for (size_t i = 0; i < p->problems.n; i++)
		printf("  %s: %s\n", p->problems.items[i].code, p->problems.items[i].text);
	return false;
}

START_TEST(plans_the_writes_queue_by_queue)
{
	unsigned failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		failed += !holds(&cases[i]);
	ck_assert_uint_eq(failed, 0);
}
END_TEST

/* What could not be written a moment ago is left alone, and who needs it stands back. */
START_TEST(leaves_the_queues_alone_when_they_failed)
{
	_cleanup_(cleanup_config_free) struct config *config = config_of(A);
	_cleanup_(cleanup_observed_free) struct observed *o = machine_of(NEW, "", "");
	_cleanup_(cleanup_ledger_free) struct ledger *l = ledger_of((const struct entry[]){{}});
	_cleanup_(cleanup_plan_free) struct plan *p = NULL;
	struct hold hold = {.error = EIO, .message = (char *)"failed"};
	struct plan_input in = {
		.config = config, .observed = o, .ledger = l, .holds = &hold, .n_holds = 1};

	ck_assert_int_eq(plan_make(&in, &p), 0);
	ck_assert_uint_eq(p->n_steps, 0);
	ck_assert(!p->pool_managed);
	ck_assert_str_eq(p->verdicts[0].reason, "HostOwned");
	ck_assert(has_problem(p, "kernel-refused"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("plan_override");
	TCase *tc = tcase_create("plan_override");

	tcase_add_test(tc, plans_the_writes_queue_by_queue);
	tcase_add_test(tc, leaves_the_queues_alone_when_they_failed);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
