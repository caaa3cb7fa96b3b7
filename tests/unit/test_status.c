/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is published: one word and six conditions for each matrix, one word for the host, and
 * which properties a difference names.
 */
#include "core/status.h"

#include "planning.h"

/* A status and all that it is made from. */
struct scene {
	struct config *config;
	struct observed *observed;
	struct ledger *ledger;
	struct plan *plan;
	struct status *status;
};

static void scene_done(struct scene *s)
{
	status_free(s->status);
	plan_free(s->plan);
	ledger_free(s->ledger);
	observed_free(s->observed);
	config_free(s->config);
}

/* Plans; the status is made by scene_publish(). */
static struct scene scene_of(
	const char *config, const struct device *device, const struct entry *entry)
{
	struct entry entries[2] = {entry ? *entry : (struct entry){}};
	struct scene s = {
		.config = config_of(config),
		.observed = machine_of(FEATURE_AP_CONFIG, "1", ""),
		.ledger = ledger_of(entries),
	};

	if (device)
		machine_add(s.observed, device);
	return s;
}

static void scene_publish(struct scene *s, const char *applying, struct hold *hold)
{
	struct plan_input in = {s->config, s->observed, s->ledger, hold, hold ? 1 : 0};
	struct problems none = {};
	struct status_input status_in = {
		.config = s->config,
		.observed = s->observed,
		.load_problems = &none,
		.config_generation = 1,
		.applying = &applying,
		.n_applying = applying ? 1 : 0,
	};

	ck_assert_int_eq(plan_make(&in, &s->plan), 0);
	status_in.plan = s->plan;
	ck_assert_int_eq(status_make(&status_in, &s->status), 0);
}

#define A "[Matrix a]\nAdapters=1\nDomains=2\n"

enum trouble { NOTHING, NO_DRIVER, UNBOUND, GUEST_LESS, GUEST_UNKNOWN, INCOMPLETE };

static void make_trouble(struct observed *o, enum trouble t)
{
	struct observed_mdev *d = o->n_mdevs ? &o->mdevs[0] : NULL;

	o->has_matrix_device = t != NO_DRIVER;
	o->complete = t != INCOMPLETE;
	if (t == UNBOUND)
		queues_clear(&o->vfio, 1, 2);
	if (t == UNBOUND || t == GUEST_LESS)
		mask_clear(&d->guest.adapters, 1);
	if (t == GUEST_UNKNOWN)
		d->guest_known = false;
}

static const struct {
	const char *title, *config;
	struct device device;
	struct entry entry;
	enum trouble trouble;
	enum matrix_state state;
	enum host_state host;
	const char *conditions; /* a letter each, capital where it holds */
	const char *reasons;    /* of those that do not hold, and whether they say more */
} states[] = {
	{"as configured", A, {'a', "1", "2", NULL, ATTACH_NO}, {'a', "made", "1", "2"}, NOTHING,
		MATRIX_ACTIVE, HOST_RUNNING, "VPAEtp", "Detached Idle"},
	{"with a guest", A, {'a', "1", "2", NULL, ATTACH_YES}, {'a', "made", "1", "2"}, NOTHING,
		MATRIX_ATTACHED, HOST_RUNNING, "VPAETp", "Idle"},
	{"nobody knows", A, {'a', "1", "2", NULL, ATTACH_UNKNOWN}, {'a', "made", "1", "2"}, NOTHING,
		MATRIX_ACTIVE, HOST_RUNNING, "VPAEtp", "Unknown Idle"},
	{"about to be made", A, {}, {}, NOTHING, MATRIX_DEFINED, HOST_APPLYING, "Vpaetp",
		"NotYet NoDevice NoDevice NoDevice Idle"},
	{"not wanted now", A "Start=manual\n", {}, {}, NOTHING, MATRIX_DEFINED, HOST_APPLYING,
		"Vpaetp", "NotStarted+ NoDevice NoDevice NoDevice Idle"},
	{"no driver", A, {}, {}, NO_DRIVER, MATRIX_DEFINED, HOST_WAITING, "vpaetp",
		"NoDriver+ NoDriver+ NoDevice NoDevice NoDevice Idle"},
	{"refused", "[Host]\nKeepQueues=01.0002\n" A, {}, {}, NOTHING, MATRIX_FAILED, HOST_DEGRADED,
		"vpaetp", "KeptByHost+ KeptByHost+ NoDevice NoDevice NoDevice Idle"},
	{"a change waits", A "LiveChange=none\n", {'a', "1", "3", NULL, ATTACH_YES},
		{'a', "made", "1", "3"}, NOTHING, MATRIX_PENDING, HOST_RUNNING, "VPaETp",
		"WaitsForDetach+ Idle"},
	{"stopped, and still there", A, {'a', "1", "2", NULL, ATTACH_YES},
		{'a', "made stopped", "1", "2"}, NOTHING, MATRIX_PENDING, HOST_RUNNING, "VPaETp",
		"WaitsForDetach+ Idle"},
	{"drifted", "[Host]\nDrift=report\n" A, {'a', "1", "3", NULL, ATTACH_NO},
		{'a', "made", "1", "2"}, NOTHING, MATRIX_DEGRADED, HOST_DEGRADED, "VPaEtp",
		"Drift+ Detached Idle"},
	{"a queue is unbound", A, {'a', "1", "2", NULL, ATTACH_YES}, {'a', "made", "1", "2"},
		UNBOUND, MATRIX_DEGRADED, HOST_APPLYING, "VPAeTp", "Filtered+ Idle"},
	{"the kernel took it out", A, {'a', "1", "2", NULL, ATTACH_YES}, {'a', "made", "1", "2"},
		GUEST_LESS, MATRIX_DEGRADED, HOST_APPLYING, "VPAeTp", "Filtered+ Idle"},
	{"the guest's matrix cannot be read", A, {'a', "1", "2", NULL, ATTACH_YES},
		{'a', "made", "1", "2"}, GUEST_UNKNOWN, MATRIX_ATTACHED, HOST_RUNNING, "VPAeTp",
		"Unknown+ Idle"},
	{"foreign", "", {'f', "1", "2", NULL, ATTACH_YES}, {}, NOTHING, MATRIX_FOREIGN,
		HOST_RUNNING, "VPaETp", "NotConfigured+ Idle"},
	{"adopted", "[Host]\nForeign=adopt\n", {'f', "1", "2", NULL, ATTACH_NO}, {}, NOTHING,
		MATRIX_ACTIVE, HOST_RUNNING, "VPAEtp", "Detached Idle"},
	{"to be removed", "", {'a', "1", "2", NULL, ATTACH_NO}, {'a', "made", "1", "2"}, NOTHING,
		MATRIX_PENDING, HOST_APPLYING, "VPaEtp", "NotConfigured+ Detached Idle"},
	{"to be removed, and nobody may", "", {'a', "1", "2", NULL, ATTACH_NO},
		{'a', "made", "1", "2"}, INCOMPLETE, MATRIX_DEGRADED, HOST_DEGRADED, "vPaEtp",
		"ObservationIncomplete+ NotConfigured+ Detached Idle"},
};

static void conditions_text(const struct matrix_status *m, char letters[static N_CONDITIONS + 1],
	char reasons[static 256])
{
	static const char yes[] = "VPAETP", no[] = "vpaetp";
	size_t used = 0;

	reasons[0] = '\0';
	for (unsigned i = 0; i < N_CONDITIONS; i++) {
		const struct condition *c = &m->conditions[i];

		letters[i] = c->status ? yes[i] : no[i];
		if (!c->status)
			used += (size_t)snprintf(reasons + used, 256 - used, "%s%s%s",
				used ? " " : "", c->reason, c->message[0] ? "+" : "");
	}
	letters[N_CONDITIONS] = '\0';
}

START_TEST(says_in_one_word_and_six_conditions_how_things_are)
{
	unsigned failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		_cleanup_(scene_done) struct scene s = scene_of(states[i].config,
			states[i].device.letter ? &states[i].device : NULL, &states[i].entry);
		char letters[N_CONDITIONS + 1], reasons[256];

		make_trouble(s.observed, states[i].trouble);
		scene_publish(&s, NULL, NULL);
		ck_assert_uint_eq(s.status->n_matrices, 1);
		conditions_text(&s.status->matrices[0], letters, reasons);
		if (s.status->matrices[0].state == states[i].state &&
			s.status->state == states[i].host &&
			strcmp(letters, states[i].conditions) == 0 &&
			strcmp(reasons, states[i].reasons) == 0)
			continue;
		fprintf(stderr, "%s: %s, host %s, %s \"%s\"\n", states[i].title,
			matrix_state_to_string(s.status->matrices[0].state),
			host_state_to_string(s.status->state), letters, reasons);
		failed++;
	}
	ck_assert_uint_eq(failed, 0);
}
END_TEST

START_TEST(copies_what_the_device_and_the_drop_in_say)
{
	struct device d = {'a', "1", "2,3", "4", ATTACH_YES};
	_cleanup_(scene_done) struct scene s = scene_of(A "Guest=vm1\nStart=guest\n", &d, NULL);
	struct observed_mdev *mdev = &s.observed->mdevs[0];
	const struct matrix_status *m;

	mdev->attached_since = 5;
	mdev->attach_count = 6;
	mdev->attach_seq = 7;
	snprintf(mdev->vm_name, sizeof(mdev->vm_name), "qemu");
	scene_publish(&s, NULL, NULL);
	m = status_find(s.status, "a");
	ck_assert_ptr_nonnull(m);
	ck_assert_ptr_eq(m, status_find(s.status, uuid_of('a')));
	ck_assert_ptr_eq(m, status_find(s.status, "61000000-0000-4000-8000-000000000000"));
	ck_assert_ptr_null(status_find(s.status, "b"));
	ck_assert_str_eq(m->guest, "vm1");
	ck_assert_int_eq(m->start, START_GUEST);
	ck_assert(mask_test(&m->configured.domains, 2) && !mask_test(&m->configured.domains, 3));
	ck_assert(mask_test(&m->assigned.domains, 3) && mask_test(&m->guest_matrix.domains, 3));
	ck_assert(mask_test(&m->assigned.control_domains, 4));
	ck_assert(m->attached);
	ck_assert_uint_eq(m->vm_pid, 100);
	ck_assert_str_eq(m->vm_name, "qemu");
	ck_assert_uint_eq(m->attached_since, 5);
	ck_assert_uint_eq(m->attach_count, 6);
	ck_assert_uint_eq(m->attach_seq, 7);
	ck_assert_uint_eq(m->n_origin, 5);
	ck_assert_str_eq(m->origin[0], "t:1");
	ck_assert_str_eq(m->origin[4], "t:5");
	ck_assert_uint_eq(s.status->n_attached, 1);
}
END_TEST

START_TEST(shows_a_write_that_has_not_returned)
{
	_cleanup_(scene_done) struct scene s = scene_of(A, NULL, NULL);
	char message[] = "the kernel has not let this write return yet";
	struct hold hold = {.error = EINPROGRESS, .message = message};
	const struct matrix_status *m;

	memcpy(hold.uuid, uuid_of('a'), UUID_SIZE);
	scene_publish(&s, uuid_of('a'), &hold);
	m = &s.status->matrices[0];
	ck_assert(m->conditions[CONDITION_APPLYING].status);
	ck_assert_str_eq(m->conditions[CONDITION_PRESENT].message, message);
	ck_assert_int_eq(m->state, MATRIX_FAILED);
	ck_assert_int_eq(s.status->state, HOST_APPLYING);
}
END_TEST

START_TEST(of_two_with_one_uuid_the_owner_is_shown)
{
	struct device d = {'a', "3", "2", NULL, ATTACH_NO};
	struct entry e = {'a', "made", "3", "2"};
	_cleanup_(scene_done) struct scene s =
		scene_of(A "[Matrix aa]\nAdapters=3\nDomains=2\n", &d, &e);

	snprintf(s.ledger->entries[0].name, sizeof(s.ledger->entries[0].name), "aa");
	scene_publish(&s, NULL, NULL);
	ck_assert_uint_eq(s.status->n_matrices, 1);
	ck_assert_str_eq(s.status->matrices[0].name, "aa");
	ck_assert(s.status->matrices[0].conditions[CONDITION_PRESENT].status);
}
END_TEST

START_TEST(starts_with_nothing_but_what_the_files_said)
{
	_cleanup_(problems_done) struct problems p = {};
	_cleanup_(cleanup_config_free) struct config *config = config_of(A);
	struct status_input in = {.config = config, .load_problems = &p, .config_generation = 3};
	_cleanup_(cleanup_status_free) struct status *s = NULL;

	ck_assert_int_eq(problems_add(&p, PROBLEM_ERROR, "bad-value", NULL, "t", 9, "no"), 0);
	ck_assert_int_eq(status_make(&in, &s), 0);
	ck_assert_int_eq(s->state, HOST_STARTING);
	ck_assert_uint_eq(s->n_matrices, 0);
	ck_assert_uint_eq(s->problems.n, 1);
	ck_assert_uint_eq(s->config_generation, 3);
}
END_TEST

/* ---- differences ---- */

static void change_text(char **text)
{
	free(*text);
	*text = strdup("other");
}

/* Changes the property whose bit is @property. */
static void change_matrix(struct matrix_status *m, uint32_t property)
{
	switch ((enum matrix_property)property) {
	case MP_NAME:
		change_text(&m->name);
		break;
	case MP_GUEST:
		change_text(&m->guest);
		break;
	case MP_START_MODE:
		m->start = START_MANUAL;
		break;
	case MP_STATE:
		m->state = MATRIX_FAILED;
		break;
	case MP_CONFIGURED_ADAPTERS:
		mask_set(&m->configured.adapters, 200);
		break;
	case MP_CONFIGURED_DOMAINS:
		mask_set(&m->configured.domains, 200);
		break;
	case MP_CONFIGURED_CONTROL_DOMAINS:
		mask_set(&m->configured.control_domains, 200);
		break;
	case MP_ASSIGNED_ADAPTERS:
		mask_set(&m->assigned.adapters, 200);
		break;
	case MP_ASSIGNED_DOMAINS:
		mask_set(&m->assigned.domains, 200);
		break;
	case MP_ASSIGNED_CONTROL_DOMAINS:
		mask_set(&m->assigned.control_domains, 200);
		break;
	case MP_GUEST_ADAPTERS:
		mask_set(&m->guest_matrix.adapters, 200);
		break;
	case MP_GUEST_DOMAINS:
		mask_set(&m->guest_matrix.domains, 200);
		break;
	case MP_ATTACHED:
		m->attached = !m->attached;
		break;
	case MP_VM_PID:
		m->vm_pid++;
		break;
	case MP_VM_NAME:
		change_text(&m->vm_name);
		break;
	case MP_ATTACHED_SINCE:
		m->attached_since++;
		break;
	case MP_ATTACH_COUNT:
		m->attach_count++;
		break;
	case MP_CONDITIONS:
		change_text(&m->conditions[CONDITION_EFFECTIVE].message);
		break;
	case MP_ORIGIN:
		change_text(&m->origin[0]);
		break;
	case MP_ATTACH_SOURCE:
		m->attach_source = ATTACH_FROM_PROC;
		break;
	case MP_ATTACH_CONFIDENCE:
		m->attach_confidence = CONFIDENCE_LIKELY;
		break;
	}
}

START_TEST(names_exactly_the_properties_of_a_matrix_that_differ)
{
	struct device d = {'a', "1", "2", NULL, ATTACH_NO};

	for (uint32_t property = MP_NAME; property <= MP_ATTACH_CONFIDENCE; property <<= 1) {
		_cleanup_(scene_done) struct scene a = scene_of(A, &d, NULL);
		_cleanup_(scene_done) struct scene b = scene_of(A, &d, NULL);
		_cleanup_(status_diff_done) struct status_diff diff = {};

		scene_publish(&a, NULL, NULL);
		scene_publish(&b, NULL, NULL);
		change_matrix(&b.status->matrices[0], property);
		ck_assert_int_eq(status_diff(a.status, b.status, &diff), 0);
		ck_assert_uint_eq(diff.manager, 0);
		ck_assert_uint_eq(diff.n, 1);
		ck_assert_int_eq(diff.items[0].kind, CHANGE_CHANGED);
		ck_assert_str_eq(diff.items[0].uuid, uuid_of('a'));
		ck_assert_uint_eq(diff.items[0].properties, property);
	}
}
END_TEST

static void change_host(struct status *s, uint32_t property)
{
	switch ((enum manager_property)property) {
	case GP_STATE:
		s->state = HOST_DEGRADED;
		break;
	case GP_FEATURES:
		s->features ^= 1;
		break;
	case GP_HAZARDS:
		s->hazards ^= 1;
		break;
	case GP_ATTACH_SOURCE:
		s->attach_source = ATTACH_FROM_PROC;
		break;
	case GP_QUEUE_POOL:
		s->pool = POOL_EXTERNAL;
		break;
	case GP_MAX_ADAPTER:
		s->max_adapter--;
		break;
	case GP_MAX_DOMAIN:
		s->max_domain--;
		break;
	case GP_ADAPTER_MASK:
		mask_clear(&s->apmask, 200);
		break;
	case GP_DOMAIN_MASK:
		mask_clear(&s->aqmask, 200);
		break;
	case GP_HOST_ADAPTERS:
		mask_set(&s->host_adapters, 200);
		break;
	case GP_HOST_DOMAINS:
		mask_set(&s->host_domains, 200);
		break;
	case GP_CONFIG_GENERATION:
		s->config_generation++;
		break;
	case GP_PROBLEMS:
		ck_assert_int_eq(
			problems_add(&s->problems, PROBLEM_NOTE, "x", NULL, NULL, 0, "y"), 0);
		break;
	case GP_MATRICES: /* with the matrix that is more or less: below */
	case GP_ATTACHED:
		s->n_attached += property == GP_ATTACHED;
		break;
	}
}

START_TEST(names_exactly_the_properties_of_the_host_that_differ)
{
	for (uint32_t property = GP_STATE; property <= GP_ATTACHED; property <<= 1) {
		_cleanup_(scene_done) struct scene a = scene_of(A, NULL, NULL);
		_cleanup_(scene_done) struct scene b = scene_of(A, NULL, NULL);
		_cleanup_(status_diff_done) struct status_diff diff = {};

		scene_publish(&a, NULL, NULL);
		scene_publish(&b, NULL, NULL);
		change_host(b.status, property);
		ck_assert_int_eq(status_diff(a.status, b.status, &diff), 0);
		ck_assert_uint_eq(diff.manager, property == GP_MATRICES ? 0 : property);
		ck_assert_uint_eq(diff.n, 0);
		ck_assert_int_eq(status_diff_is_empty(&diff), property == GP_MATRICES);
	}
}
END_TEST

START_TEST(tells_matrices_that_came_and_went)
{
	_cleanup_(scene_done) struct scene a =
		scene_of(A "[Matrix b]\nAdapters=1\nDomains=3\n", NULL, NULL);
	_cleanup_(scene_done) struct scene b =
		scene_of("[Matrix b]\nAdapters=1\nDomains=3\n"
			 "[Matrix c]\nAdapters=1\nDomains=4\n[Matrix d]\nAdapters=1\nDomains=5\n",
			NULL, NULL);
	static const struct {
		enum change_kind kind;
		char letter;
	} expected[] = {
		{CHANGE_REMOVED, 'a'},
		{CHANGE_CHANGED, 'b'},
		{CHANGE_ADDED, 'c'},
		{CHANGE_ADDED, 'd'},
	};
	_cleanup_(status_diff_done) struct status_diff diff = {}, first = {};

	scene_publish(&a, NULL, NULL);
	scene_publish(&b, NULL, NULL);
	ck_assert_int_eq(status_diff(a.status, b.status, &diff), 0);
	ck_assert_uint_ne(diff.manager & GP_MATRICES, 0);
	ck_assert_uint_eq(diff.n, ARRAY_SIZE(expected));
	for (size_t i = 0; i < diff.n; i++) {
		ck_assert_int_eq(diff.items[i].kind, expected[i].kind);
		ck_assert_str_eq(diff.items[i].uuid, uuid_of(expected[i].letter));
	}
	/* Its lines moved. */
	ck_assert_uint_eq(diff.items[1].properties, MP_ORIGIN);
	ck_assert_int_eq(status_diff(NULL, b.status, &first), 0);
	ck_assert_uint_eq(first.n, 3);
	for (size_t i = 0; i < first.n; i++)
		ck_assert_int_eq(first.items[i].kind, CHANGE_ADDED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("status");
	TCase *tc = tcase_create("status");

	tcase_add_test(tc, says_in_one_word_and_six_conditions_how_things_are);
	tcase_add_test(tc, copies_what_the_device_and_the_drop_in_say);
	tcase_add_test(tc, shows_a_write_that_has_not_returned);
	tcase_add_test(tc, of_two_with_one_uuid_the_owner_is_shown);
	tcase_add_test(tc, starts_with_nothing_but_what_the_files_said);
	tcase_add_test(tc, names_exactly_the_properties_of_a_matrix_that_differ);
	tcase_add_test(tc, names_exactly_the_properties_of_the_host_that_differ);
	tcase_add_test(tc, tells_matrices_that_came_and_went);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
