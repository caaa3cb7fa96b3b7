/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Plans from inputs made by hand: which steps, in which order and stage, and what is said about
 * each matrix.  Steps are compared as short words: "R" release, "P" pool, "G" grow, then the
 * attribute, the device's letter, and numbers.
 */
#include "core/plan.h"

#include "planning.h"

#define AP_CONFIG FEATURE_AP_CONFIG
#define STRICT (FEATURE_AP_CONFIG | FEATURE_STRICT_MASKS | FEATURE_DRIVER_OVERRIDE)

struct plan_case {
	const char *title, *config;
	uint32_t features;
	const char *cleared_adapters, *cleared_domains;
	struct device devices[4];
	struct entry entries[4];
	const char *steps, *verdicts; /* "a Reason" each, by name, then by UUID */
	void (*change)(struct observed *o);
};

static void put_list(FILE *f, const struct mask *m)
{
	char list[MASK_LIST_SIZE];

	mask_format_list(m, list);
	fprintf(f, " %s", list[0] ? list : "none");
}

static void put_step(FILE *f, const struct step *s)
{
	struct mask full = mask_full(), cleared = mask_andnot(&full, &s->mask);

	fprintf(f, "%c %s", "RPG"[s->stage], step_type_to_string(s->type));
	if (s->uuid[0])
		fprintf(f, " %c", (char)strtoul((char[]){s->uuid[0], s->uuid[1], 0}, NULL, 16));
	switch (s->type) {
	case STEP_APMASK:
	case STEP_AQMASK:
		fputs(" -", f);
		put_list(f, &cleared);
		break;
	case STEP_AP_CONFIG:
		put_list(f, &s->matrix.adapters);
		put_list(f, &s->matrix.domains);
		if (!mask_is_empty(&s->matrix.control_domains))
			put_list(f, &s->matrix.control_domains);
		break;
	case STEP_CREATE:
	case STEP_REMOVE:
		break;
	default:
		fprintf(f, " %x", s->number);
		break;
	}
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

static char *verdicts_text(const struct plan *p)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	for (size_t i = 0; i < p->n_verdicts; i++) {
		const struct verdict *v = &p->verdicts[i];

		fprintf(f, "%s%s %s", i ? ", " : "", v->config ? v->config->name : "-", v->reason);
	}
	fclose(f);
	return text;
}

#define KEPT_1 "KeepQueues=01.*\n"

static void take_adapter_1_away(struct observed *o)
{
	mask_clear(&o->host_adapters, 1);
	mask_clear(&o->cards, 1);
	o->present.row[1] = o->host.row[1] = o->vfio.row[1] = (struct mask){};
}

static void be_incomplete(struct observed *o)
{
	o->complete = false;
	snprintf(o->incomplete, sizeof(o->incomplete), "bus/ap/bindings: EIO");
}

static void lose_vfio_ap(struct observed *o)
{
	o->has_matrix_device = false;
}

static void unbind_queue_1_2(struct observed *o)
{
	queues_clear(&o->vfio, 1, 2);
	for (size_t i = 0; i < o->n_mdevs; i++)
		mask_clear(&o->mdevs[i].guest.adapters, 1);
}

static void filter_adapter_1(struct observed *o)
{
	for (size_t i = 0; i < o->n_mdevs; i++)
		mask_clear(&o->mdevs[i].guest.adapters, 1);
}

static void override_one_queue(struct observed *o)
{
	queues_set(&o->override, 7, 7);
}

static void shrink_machine(struct observed *o)
{
	o->max_adapter = 63;
	o->max_domain = 15;
}

static void overrun(struct observed *o)
{
	o->hazards = HAZARD_MATRIX_OVERRUN;
}

#define A_1_2 "[Matrix a]\nAdapters=1\nDomains=2\n"
#define A_1_23 "[Matrix a]\nAdapters=1\nDomains=2,3\n"
#define B_1_2 "[Matrix b]\nAdapters=1\nDomains=2\n"
#define HAS_A_1_2                                      \
	{                                              \
		{                                      \
			'a', "1", "2", NULL, ATTACH_NO \
		}                                      \
	}
#define MADE_A                                \
	{                                     \
		{                             \
			'a', "made", "1", "2" \
		}                             \
	}

static const struct plan_case cases[] = {
	{"nothing configured, nothing done", "", AP_CONFIG, "", "", {}, {}, "", ""},
	{"made, with the mask before it", A_1_2, AP_CONFIG, "", "", {}, {},
		"P apmask - 1\nG create a\nG ap_config a 1 2\n", "a AsConfigured"},
	{"made number by number without ap_config", A_1_23 "ControlDomains=4\n", 0, "1", "", {}, {},
		"G create a\nG assign_adapter a 1\nG assign_domain a 2\nG assign_domain a 3\n"
		"G assign_control_domain a 4\n",
		"a AsConfigured"},
	{"as configured", A_1_2, AP_CONFIG, "1", "", HAS_A_1_2, MADE_A, "", "a AsConfigured"},
	{"changed without taking away what is gained", A_1_23, AP_CONFIG, "1", "", HAS_A_1_2,
		MADE_A, "G ap_config a 1 2,3\n", "a AsConfigured"},
	{"a queue moves: given up first", A_1_2 "[Matrix b]\nAdapters=1\nDomains=3\n", AP_CONFIG,
		"1", "", {{'a', "1", "2,3", NULL, ATTACH_NO}}, {{'a', "made", "1", "2,3"}},
		"R ap_config a 1 2\nG create b\nG ap_config b 1 3\n",
		"a AsConfigured, b AsConfigured"},
	{"two swap", A_1_2 "[Matrix b]\nAdapters=1\nDomains=3\n", AP_CONFIG, "1", "",
		{{'a', "1", "3", NULL, ATTACH_NO}, {'b', "1", "2", NULL, ATTACH_NO}},
		{{'a', "made", "1", "3"}, {'b', "made", "1", "2"}},
		"R ap_config a 1 none\nR ap_config b 1 none\nG ap_config a 1 2\nG ap_config b 1 "
		"3\n",
		"a AsConfigured, b AsConfigured"},
	{"without ap_config nothing passes through the product of both",
		"[Matrix a]\nAdapters=4\nDomains=5\n", 0, "1,4", "", HAS_A_1_2, MADE_A,
		"R unassign_adapter a 1\nR unassign_domain a 2\nP apmask - 4\nG assign_adapter a "
		"4\n"
		"G assign_domain a 5\n",
		"a AsConfigured"},
	{"given back when nothing is wanted any more", "[Matrix b]\nAdapters=2\nDomains=2\n",
		AP_CONFIG, "1,2", "",
		{{'a', "1", "2", NULL, ATTACH_NO}, {'b', "2", "2", NULL, ATTACH_NO}},
		{{'a', "made", "1", "2"}, {'b', "made", "2", "2"}}, "R remove a\nP apmask - 2\n",
		"b AsConfigured, - Leaving"},
	{"strict masks: not given back while a device has the adapter at all",
		"[Matrix a]\nAdapters=1\nDomains=2\n", STRICT, "1", "2", HAS_A_1_2, MADE_A, "",
		"a AsConfigured"},
	{"older masks: the second mask is given back", "[Matrix a]\nAdapters=1\nDomains=2\n",
		AP_CONFIG, "1", "2", HAS_A_1_2, MADE_A, "P aqmask - none\n", "a AsConfigured"},
	{"external pool, queue reserved by hand", "[Host]\nQueuePool=external\n" A_1_2, AP_CONFIG,
		"1", "", {}, {}, "G create a\nG ap_config a 1 2\n", "a AsConfigured"},
	{"external pool, queue the host's", "[Host]\nQueuePool=external\n" A_1_2, AP_CONFIG, "", "",
		{}, {}, "", "a HostOwned"},
	{"masks wanted, overrides in use", "[Host]\nQueuePool=masks\n" A_1_2, STRICT, "", "", {},
		{}, "", "a HostOwned", override_one_queue},
	{"both want it, neither has it", A_1_2 B_1_2, AP_CONFIG, "1", "", {}, {},
		"P apmask - none\n", "a QueueConflict, b QueueConflict"},
	{"both want it, one has it", A_1_2 B_1_2, AP_CONFIG, "1", "", HAS_A_1_2, MADE_A, "",
		"a QueueConflict, b QueueConflict"},
	{"both want it, one was stopped", A_1_2 B_1_2, AP_CONFIG, "1", "", {}, {{'a', "stopped"}},
		"G create b\nG ap_config b 1 2\n", "a Stopped, b AsConfigured"},
	{"held by a foreign device", A_1_2, AP_CONFIG, "1", "", {{'f', "1", "2", NULL, ATTACH_NO}},
		{}, "", "a QueueHeld, - Foreign"},
	{"held by a device with a guest",
		A_1_2 "[Matrix b]\nAdapters=1\nDomains=3\nLiveChange=none\n", AP_CONFIG, "1", "",
		{{'b', "1", "2", NULL, ATTACH_YES}}, {{'b', "made", "1", "2"}}, "",
		"a WaitsForQueue, b WaitsForDetach"},
	{"who waits keeps what others counted on",
		A_1_2 "[Matrix b]\nAdapters=1\nDomains=3\n[Matrix c]\nAdapters=1\nDomains=4\n"
		      "LiveChange=none\n",
		AP_CONFIG, "1", "",
		{{'a', "1", "5", NULL, ATTACH_NO}, {'b', "1", "2", NULL, ATTACH_NO},
			{'c', "1", "3", NULL, ATTACH_YES}},
		{}, "", "a WaitsForQueue, b WaitsForQueue, c WaitsForDetach"},
	{"foreign and kept", "", AP_CONFIG, "1", "", HAS_A_1_2, {}, "", "- Foreign"},
	{"foreign and removed", "[Host]\nForeign=remove\n", AP_CONFIG, "1", "", HAS_A_1_2, {},
		"R remove a\n", "- Leaving"},
	{"foreign with a guest waits", "[Host]\nForeign=remove\n", AP_CONFIG, "1", "",
		{{'a', "1", "2", NULL, ATTACH_YES}}, {}, "", "- WaitsForDetach"},
	{"foreign, perhaps with a guest, waits", "[Host]\nForeign=remove\n", AP_CONFIG, "1", "",
		{{'a', "1", "2", NULL, ATTACH_UNKNOWN}}, {}, "", "- WaitsForDetach"},
	{"foreign and adopted", "[Host]\nForeign=adopt\n", AP_CONFIG, "1", "", HAS_A_1_2, {}, "",
		"- Adopted"},
	{"adopted before is not removed with its drop-in", "", AP_CONFIG, "1", "", HAS_A_1_2,
		{{'a', "adopted", "1", "2"}}, "", "- Foreign"},
	{"incomplete: nothing is removed, nothing given back", "", AP_CONFIG, "1", "", HAS_A_1_2,
		MADE_A, "", "- ObservationIncomplete", be_incomplete},
	{"incomplete: nothing is taken away", "[Matrix a]\nAdapters=1\nDomains=3\n", AP_CONFIG, "1",
		"", HAS_A_1_2, MADE_A, "", "a ObservationIncomplete", be_incomplete},
	{"incomplete: what only gains is made", A_1_2, AP_CONFIG, "", "", {}, {},
		"P apmask - 1\nG create a\nG ap_config a 1 2\n", "a AsConfigured", be_incomplete},
	{"stopped by hand", A_1_2, AP_CONFIG, "1", "", HAS_A_1_2, {{'a', "made stopped", "1", "2"}},
		"R remove a\nP apmask - none\n", "a Leaving"},
	{"Start=manual, not started", A_1_2 "Start=manual\n", AP_CONFIG, "", "", {}, {}, "",
		"a NotStarted"},
	{"Start=manual, started", A_1_2 "Start=manual\n", AP_CONFIG, "1", "", {},
		{{'a', "started"}}, "G create a\nG ap_config a 1 2\n", "a AsConfigured"},
	{"Start=manual, there", A_1_2 "Start=manual\n", AP_CONFIG, "1", "", HAS_A_1_2, {}, "",
		"a AsConfigured"},
	{"Start=guest, not started", A_1_2 "Start=guest\n", AP_CONFIG, "", "", {}, {}, "",
		"a NotStarted"},
	{"no vfio_ap", A_1_2, AP_CONFIG, "", "", {}, {}, "", "a NoDriver", lose_vfio_ap},
	{"no adapter named", "[Matrix a]\nDomains=2\n", AP_CONFIG, "", "", {}, {}, "",
		"a Incomplete"},
	{"two with one UUID",
		"[Matrix a]\nAdapters=1\nDomains=2\n[Matrix aa]\nAdapters=3\nDomains=2\n",
		AP_CONFIG, "", "", {}, {}, "", "a DuplicateUUID, aa DuplicateUUID"},
	{"above the highest adapter", "[Matrix a]\nAdapters=64\nDomains=2\n", AP_CONFIG, "", "", {},
		{}, "", "a BeyondMaximum", shrink_machine},
	{"above the highest control domain", A_1_2 "ControlDomains=16\n", AP_CONFIG, "", "", {}, {},
		"", "a BeyondMaximum", shrink_machine},
	{"kept as a whole", "[Host]\n" KEPT_1 A_1_2, AP_CONFIG, "", "", {}, {}, "", "a KeptByHost"},
	{"kept by both masks", "[Host]\nKeepQueues=01.0003, 04.0002\n" A_1_2, AP_CONFIG, "", "", {},
		{}, "", "a KeptByHost"},
	{"512 queues on a kernel that would overrun", "[Matrix a]\nAdapters=0-31\nDomains=0-15\n",
		AP_CONFIG, "", "", {}, {}, "", "a Hazard", overrun},
	{"511 are few enough", "[Matrix a]\nAdapters=0-6\nDomains=0-72\n", AP_CONFIG, "0-6", "", {},
		{}, "G create a\nG ap_config a 0-6 0-0x48\n", "a AsConfigured", overrun},
	{"unreadable", A_1_2, 0, "1", "", {{'a', .attach = ATTACH_NO, .unknown = true}}, MADE_A, "",
		"a Unreadable"},
	{"being removed", A_1_2, AP_CONFIG, "1", "", {{'a', .attach = ATTACH_YES, .unknown = true}},
		MADE_A, "", "a BeingRemoved"},
	{"not present now", A_1_2, AP_CONFIG, "", "", {}, {},
		"P apmask - 1\nG create a\nG ap_config a 1 2\n", "a AsConfigured",
		take_adapter_1_away},
	{"drift is repaired", A_1_2, AP_CONFIG, "1", "", {{'a', "1", "2,3", NULL, ATTACH_NO}},
		MADE_A, "G ap_config a 1 2\n", "a AsConfigured"},
	{"drift is reported", "[Host]\nDrift=report\n" A_1_2, AP_CONFIG, "1", "",
		{{'a', "1", "2,3", NULL, ATTACH_NO}}, MADE_A, "", "a Drift"},
	{"a device that someone removed is reported", "[Host]\nDrift=report\n" A_1_2, AP_CONFIG,
		"1", "", {}, MADE_A, "", "a Drift"},
	{"an unbound queue is bound again", A_1_2, AP_CONFIG, "1", "", HAS_A_1_2, MADE_A,
		"G drivers_probe a 102\n", "a AsConfigured", unbind_queue_1_2},
	{"an unbound queue is bound again under a guest", A_1_2, AP_CONFIG, "1", "",
		{{'a', "1", "2", NULL, ATTACH_YES}}, MADE_A, "G drivers_probe a 102\n",
		"a AsConfigured", unbind_queue_1_2},
	{"but not if nothing may change under it", A_1_2 "LiveChange=none\n", AP_CONFIG, "1", "",
		{{'a', "1", "2", NULL, ATTACH_YES}}, MADE_A, "", "a AsConfigured",
		unbind_queue_1_2},
	{"an unbound queue is left when drifts are reported", "[Host]\nDrift=report\n" A_1_2,
		AP_CONFIG, "1", "", HAS_A_1_2, MADE_A, "", "a AsConfigured", unbind_queue_1_2},
	{"a conflict does not keep a device from being whole", A_1_2 B_1_2, AP_CONFIG, "1", "",
		HAS_A_1_2, MADE_A, "G drivers_probe a 102\n", "a QueueConflict, b QueueConflict",
		unbind_queue_1_2},
	{"an adapter that the filter forgot is written again", A_1_2, AP_CONFIG, "1", "", HAS_A_1_2,
		MADE_A, "G ap_config a 1 2\n", "a AsConfigured", filter_adapter_1},
	{"that is not possible without ap_config", A_1_2, 0, "1", "", HAS_A_1_2, MADE_A, "",
		"a AsConfigured", filter_adapter_1},
};

static bool run_case(const struct plan_case *c)
{
	_cleanup_(cleanup_config_free) struct config *config = config_of(c->config);
	_cleanup_(cleanup_observed_free) struct observed *o =
		machine_of(c->features, c->cleared_adapters, c->cleared_domains);
	_cleanup_(cleanup_ledger_free) struct ledger *l = ledger_of(c->entries);
	_cleanup_(cleanup_plan_free) struct plan *p = NULL;
	struct plan_input in = {.config = config, .observed = o, .ledger = l};
	_cleanup_free_ char *steps = NULL, *verdicts = NULL;

	for (const struct device *d = c->devices; d->letter; d++)
		machine_add(o, d);
	if (c->change)
		c->change(o);
	ck_assert_int_eq(plan_make(&in, &p), 0);
	steps = steps_text(p);
	verdicts = verdicts_text(p);
	if (strcmp(verdicts, c->verdicts) == 0 && strcmp(steps, c->steps) == 0)
		return true;
	fprintf(stderr, "%s: %s\n%s; expected: %s\n%s\n", c->title, verdicts, steps, c->verdicts,
		c->steps);
	return false;
}

START_TEST(plans_what_is_to_be_done_and_says_why_not)
{
	unsigned failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		failed += !run_case(&cases[i]);
	ck_assert_uint_eq(failed, 0);
}
END_TEST

/* ---- under a guest ---- */

static const struct {
	const char *live, *now[3], *want[3];
	const char *steps, *reason;
} live_cases[] = {
	{"none", {"1", "2"}, {"1", "2,3"}, "", "WaitsForDetach"},
	{"none", {"1", "2"}, {"1", "2"}, "", "AsConfigured"},
	{"grow", {"1", "2"}, {"1", "2,3"}, "G ap_config a 1 2,3\n", "AsConfigured"},
	{"grow", {"1", "2"}, {"1,4", "2"}, "G ap_config a 1,4 2\n", "AsConfigured"},
	{"grow", {"1", "2"}, {"1,4", "2,3"}, "G ap_config a 1,4 2,3\n", "AsConfigured"},
	{"grow", {"1", "2,3"}, {"1", "2"}, "", "WaitsForDetach"},
	/* New domains meet today's adapters only: 1.4 is wanted, 4.3 is not. */
	{"grow", {"1", "2,3"}, {"1,4", "2"}, "", "WaitsForDetach"},
	{"grow", {"1", "2,3"}, {"1", "2,4"}, "G ap_config a 1 2-4\n", "WaitsForDetach"},
	{"grow", {"1,5", "2"}, {"1,4", "2"}, "G ap_config a 1,4,5 2\n", "WaitsForDetach"},
	{"grow", {"1", "2"}, {"4", "3"}, "", "WaitsForDetach"},
	{"grow", {"1", "2", "5"}, {"1", "2", "6"}, "G ap_config a 1 2 5,6\n", "WaitsForDetach"},
	{"grow", {"", ""}, {"1", "2"}, "G ap_config a 1 2\n", "AsConfigured"},
	{"all", {"1", "2,3"}, {"1", "2"}, "G ap_config a 1 2\n", "AsConfigured"},
	{"all", {"1", "2"}, {"4", "3"}, "G ap_config a 4 3\n", "AsConfigured"},
};

static void run_live(size_t i, enum attach_state attach)
{
	_cleanup_(cleanup_observed_free) struct observed *o = machine_of(AP_CONFIG, "0-7", "");
	_cleanup_(cleanup_config_free) struct config *config = NULL;
	_cleanup_(cleanup_ledger_free) struct ledger *l = ledger_of((const struct entry[]){{}});
	_cleanup_(cleanup_plan_free) struct plan *p = NULL;
	_cleanup_free_ char *text = NULL, *steps = NULL;
	struct device d = {
		'a', live_cases[i].now[0], live_cases[i].now[1], live_cases[i].now[2], attach};
	struct plan_input in = {.observed = o, .ledger = l};

	/* The masks are somebody else's, so that they do not matter here. */
	ck_assert_int_gt(
		asprintf(&text,
			"[Host]\nQueuePool=external\n[Matrix a]\nAdapters=%s\nDomains=%s\n"
			"ControlDomains=%s\nLiveChange=%s\n",
			live_cases[i].want[0], live_cases[i].want[1],
			live_cases[i].want[2] ? live_cases[i].want[2] : "", live_cases[i].live),
		0);
	in.config = config = config_of(text);
	machine_add(o, &d);
	ck_assert_int_eq(plan_make(&in, &p), 0);
	steps = steps_text(p);
	ck_assert_msg(strcmp(steps, live_cases[i].steps) == 0, "row %zu: %s", i, steps);
	ck_assert_msg(strcmp(p->verdicts[0].reason, live_cases[i].reason) == 0, "row %zu: %s", i,
		p->verdicts[0].reason);
}

START_TEST(changes_under_a_guest_what_live_change_allows)
{
	for (size_t i = 0; i < ARRAY_SIZE(live_cases); i++) {
		run_live(i, ATTACH_YES);
		run_live(i, ATTACH_UNKNOWN);
	}
}
END_TEST

/* ---- the masks' order ---- */

/* Between the writes nothing that a device keeps may be the host's, and no kept queue may leave. */
START_TEST(orders_the_mask_writes)
{
	static const struct {
		const char *config, *cleared_adapters, *cleared_domains;
		struct device device;
		const char *steps;
	} rows[] = {
		/* From an adapter's cut to a domain's: the domain leaves first. */
		{"[Host]\nKeepQueues=01.0003\n" A_1_2, "1", "", {'a', "1", "2", NULL, ATTACH_NO},
			"P aqmask - 2\nP apmask - none\n"},
		/* And back. */
		{"[Host]\nKeepQueues=03.0002\n" A_1_2, "", "2", {'a', "1", "2", NULL, ATTACH_NO},
			"P apmask - 1\nP aqmask - none\n"},
		/* Both ways at once: clear, clear, set, set. */
		{"[Host]\nKeepQueues=01.0003, 03.0005\n"
		 "[Matrix a]\nAdapters=1\nDomains=2\n[Matrix b]\nAdapters=4\nDomains=5\n",
			"1", "5", {'a', "1", "2", NULL, ATTACH_NO},
			"P apmask - 1,4\nP aqmask - 2,5\nP apmask - 4\nP aqmask - 2\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(cleanup_config_free) struct config *config = config_of(rows[i].config);
		_cleanup_(cleanup_observed_free) struct observed *o =
			machine_of(AP_CONFIG, rows[i].cleared_adapters, rows[i].cleared_domains);
		_cleanup_(cleanup_ledger_free) struct ledger *l =
			ledger_of((const struct entry[]){{}});
		_cleanup_(cleanup_plan_free) struct plan *p = NULL;
		struct plan_input in = {.config = config, .observed = o, .ledger = l};
		_cleanup_free_ char *steps = NULL;

		machine_add(o, &rows[i].device);
		if (i == 2)
			machine_add(o, &(struct device){'b', "4", "5", NULL, ATTACH_NO});
		ck_assert_int_eq(plan_make(&in, &p), 0);
		steps = steps_text(p);
		ck_assert_msg(strcmp(steps, rows[i].steps) == 0, "row %zu: %s", i, steps);
	}
}
END_TEST

/* ---- holds ---- */

START_TEST(leaves_alone_what_failed_a_moment_ago)
{
	static const struct {
		int error;
		const char *reason;
	} rows[] = {
		{EBUSY, "KernelRefused"},
		{EINPROGRESS, "WriteUnderWay"},
		{0, "NoEffect"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(cleanup_config_free) struct config *config = config_of(A_1_23);
		_cleanup_(cleanup_observed_free) struct observed *o =
			machine_of(AP_CONFIG, "1", "");
		_cleanup_(cleanup_ledger_free) struct ledger *l =
			ledger_of((const struct entry[]){{}});
		_cleanup_(cleanup_plan_free) struct plan *p = NULL;
		char message[] = "it did not work";
		struct hold hold = {.error = rows[i].error, .until = 1, .message = message};
		struct plan_input in = {config, o, l, &hold, 1};

		memcpy(hold.uuid, uuid_of('a'), UUID_SIZE);
		machine_add(o, &(struct device){'a', "1", "2", NULL, ATTACH_NO});
		ck_assert_int_eq(plan_make(&in, &p), 0);
		ck_assert_uint_eq(p->n_steps, 0);
		ck_assert_int_eq(p->verdicts[0].kind, VERDICT_HELD);
		ck_assert_str_eq(p->verdicts[0].reason, rows[i].reason);
		ck_assert_str_eq(p->verdicts[0].message, message);
		ck_assert_uint_eq(problems_n_errors(&p->problems), 1);
	}
}
END_TEST

START_TEST(leaves_the_masks_alone_when_they_failed)
{
	_cleanup_(cleanup_config_free) struct config *config =
		config_of(A_1_2 "[Matrix b]\nAdapters=2\nDomains=2\n");
	_cleanup_(cleanup_observed_free) struct observed *o = machine_of(AP_CONFIG, "2", "");
	_cleanup_(cleanup_ledger_free) struct ledger *l = ledger_of((const struct entry[]){{}});
	_cleanup_(cleanup_plan_free) struct plan *p = NULL;
	char message[] = "it did not work";
	struct hold hold = {.error = EINTR, .message = message};
	struct plan_input in = {config, o, l, &hold, 1};
	_cleanup_free_ char *steps = NULL;

	ck_assert_int_eq(plan_make(&in, &p), 0);
	steps = steps_text(p);
	ck_assert_str_eq(steps, "G create b\nG ap_config b 2 2\n");
	ck_assert_str_eq(p->verdicts[0].reason, "HostOwned");
}
END_TEST

/* ---- for people ---- */

START_TEST(reads_as_stages)
{
	_cleanup_(cleanup_config_free) struct config *config = config_of(A_1_2);
	_cleanup_(cleanup_observed_free) struct observed *o = machine_of(AP_CONFIG, "", "");
	_cleanup_(cleanup_ledger_free) struct ledger *l = ledger_of((const struct entry[]){{}});
	_cleanup_(cleanup_plan_free) struct plan *p = NULL;
	struct plan_input in = {.config = config, .observed = o, .ledger = l};
	_cleanup_free_ char *text = NULL, *expected = NULL;

	ck_assert_int_eq(plan_make(&in, &p), 0);
	ck_assert_int_eq(plan_format(p, &text), 0);
	ck_assert_int_gt(asprintf(&expected,
				 "Take queues from the host:\n  host: apmask = all but 1\n"
				 "Make and fill mediated devices:\n  a: create %s\n"
				 "  a: ap_config = adapters 1, domains 2\n",
				 uuid_of('a')),
		0);
	ck_assert_str_eq(text, expected);
	ck_assert_ptr_eq(plan_find(p, uuid_of('a')), &p->verdicts[0]);
	ck_assert_ptr_null(plan_find(p, uuid_of('b')));
}
END_TEST

START_TEST(says_that_there_is_nothing_to_do)
{
	_cleanup_(cleanup_config_free) struct config *config = config_of("");
	_cleanup_(cleanup_observed_free) struct observed *o = machine_of(AP_CONFIG, "", "");
	_cleanup_(cleanup_ledger_free) struct ledger *l = ledger_of((const struct entry[]){{}});
	_cleanup_(cleanup_plan_free) struct plan *p = NULL;
	struct plan_input in = {.config = config, .observed = o, .ledger = l};
	_cleanup_free_ char *text = NULL;

	ck_assert_int_eq(plan_make(&in, &p), 0);
	ck_assert_int_eq(plan_format(p, &text), 0);
	ck_assert_str_eq(text, "nothing to do\n");
}
END_TEST

/* Problems that stand in the way name file and line of what is to be changed. */
START_TEST(names_the_lines_that_clash)
{
	_cleanup_(cleanup_config_free) struct config *config = config_of(A_1_2 B_1_2);
	_cleanup_(cleanup_observed_free) struct observed *o = machine_of(AP_CONFIG, "", "");
	_cleanup_(cleanup_ledger_free) struct ledger *l = ledger_of((const struct entry[]){{}});
	_cleanup_(cleanup_plan_free) struct plan *p = NULL;
	struct plan_input in = {.config = config, .observed = o, .ledger = l};

	ck_assert_int_eq(plan_make(&in, &p), 0);
	ck_assert_uint_eq(problems_n_errors(&p->problems), 2);
	for (size_t i = 0; i < 2; i++) {
		const struct problem *problem = &p->problems.items[i];

		ck_assert_str_eq(problem->code, "queue-conflict");
		ck_assert_str_eq(problem->object, i ? "b" : "a");
		ck_assert_str_eq(problem->file, "t");
		ck_assert_uint_eq(problem->line, i ? 5 : 2);
		ck_assert_ptr_nonnull(strstr(problem->text, "01.0002"));
		ck_assert_ptr_nonnull(strstr(problem->text, i ? "a (t:2)" : "b (t:5)"));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("plan");
	TCase *tc = tcase_create("plan");

	tcase_add_test(tc, plans_what_is_to_be_done_and_says_why_not);
	tcase_add_test(tc, changes_under_a_guest_what_live_change_allows);
	tcase_add_test(tc, orders_the_mask_writes);
	tcase_add_test(tc, leaves_alone_what_failed_a_moment_ago);
	tcase_add_test(tc, leaves_the_masks_alone_when_they_failed);
	tcase_add_test(tc, reads_as_stages);
	tcase_add_test(tc, says_that_there_is_nothing_to_do);
	tcase_add_test(tc, names_the_lines_that_clash);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
