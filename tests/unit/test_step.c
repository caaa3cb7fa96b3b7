/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The texts of steps: what is written, what a person reads, and what each refusal means. */
#include "core/step.h"

#include <string.h>

#include "unit.h"

#define UUID "62177883-f1bb-47f0-914d-32a22e3a8804"
#define ONES "ffffffffffffffff"
#define ZEROS "0000000000000000"

static struct step step_of(enum step_type type)
{
	struct step s = {.type = type, .name = "db"};

	snprintf(s.uuid, sizeof(s.uuid), "%s", UUID);
	s.mask = mask_full();
	mask_clear(&s.mask, 5);
	s.number = type <= STEP_PROBE ? 0x05ab : 0xab;
	mask_set(&s.matrix.adapters, 5);
	mask_set(&s.matrix.adapters, 6);
	mask_set(&s.matrix.domains, 0xab);
	return s;
}

static const struct {
	enum step_type type;
	const char *value, *line;
} texts[] = {
	{STEP_APMASK, "0xfbffffffffffffff" ONES ONES ONES, "host: apmask = all but 5"},
	{STEP_AQMASK, "0xfbffffffffffffff" ONES ONES ONES, "host: aqmask = all but 5"},
	{STEP_OVERRIDE, "vfio_ap", "05.00ab: driver_override = vfio_ap"},
	{STEP_CLEAR_OVERRIDE, "\n", "05.00ab: driver_override cleared"},
	{STEP_UNBIND, "05.00ab", "05.00ab: unbind = 05.00ab"},
	{STEP_PROBE, "05.00ab", "db: drivers_probe = 05.00ab"},
	{STEP_CREATE, UUID, "db: create " UUID},
	{STEP_REMOVE, "1", "db: remove " UUID},
	{STEP_AP_CONFIG,
		"0x0600000000000000" ZEROS ZEROS ZEROS ",0x" ZEROS ZEROS "0000000000100000" ZEROS
		",0x" ZEROS ZEROS ZEROS ZEROS,
		"db: ap_config = adapters 5,6, domains 0xab"},
	{STEP_ASSIGN_ADAPTER, "0xab", "db: assign_adapter = 0xab"},
	{STEP_ASSIGN_DOMAIN, "0xab", "db: assign_domain = 0xab"},
	{STEP_ASSIGN_CONTROL_DOMAIN, "0xab", "db: assign_control_domain = 0xab"},
	{STEP_UNASSIGN_ADAPTER, "0xab", "db: unassign_adapter = 0xab"},
	{STEP_UNASSIGN_DOMAIN, "0xab", "db: unassign_domain = 0xab"},
	{STEP_UNASSIGN_CONTROL_DOMAIN, "0xab", "db: unassign_control_domain = 0xab"},
};

START_TEST(writes_and_reads_as_the_kernel_and_people_do)
{
	ck_assert_uint_eq(ARRAY_SIZE(texts), N_STEP_TYPES);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct step s = step_of(texts[i].type);
		_cleanup_free_ char *line = NULL;
		char value[STEP_VALUE_SIZE];

		step_value(&s, value);
		ck_assert_str_eq(value, texts[i].value);
		ck_assert_int_eq(step_format(&s, &line), 0);
		ck_assert_str_eq(line, texts[i].line);
	}
}
END_TEST

START_TEST(calls_a_device_without_a_name_by_its_uuid)
{
	struct step s = step_of(STEP_REMOVE);
	char buf[UUID_SIZE];

	s.name[0] = '\0';
	ck_assert_str_eq(step_object(&s, buf), UUID);
}
END_TEST

START_TEST(says_whether_masks_are_nearly_full_or_nearly_empty)
{
	static const struct {
		unsigned from, to; /* numbers that are set */
		const char *line;
	} rows[] = {
		{0, 256, "host: apmask = all"},
		{1, 256, "host: apmask = all but 0"},
		{0, 2, "host: apmask = only 0,1"},
		{0, 0, "host: apmask = none"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct step s = {.type = STEP_APMASK};
		_cleanup_free_ char *line = NULL;

		for (unsigned n = rows[i].from; n < rows[i].to; n++)
			mask_set(&s.mask, n);
		ck_assert_int_eq(step_format(&s, &line), 0);
		ck_assert_str_eq(line, rows[i].line);
	}
}
END_TEST

/* Every errno that the kernel's contract has for a kind of step, and what a person must be told. */
static const struct {
	enum step_type type;
	int error;
	const char *part;
} explanations[] = {
	{STEP_APMASK, EBUSY, "still in a mediated device"},
	{STEP_AQMASK, EBUSY, "stop that matrix first"},
	{STEP_APMASK, EINVAL, "driver_override"},
	{STEP_AQMASK, EINTR, "interrupted"},
	{STEP_OVERRIDE, EINVAL, "not all ones"},
	{STEP_OVERRIDE, ENOENT, "queue has gone"},
	{STEP_CLEAR_OVERRIDE, ENOENT, "queue has gone"},
	{STEP_UNBIND, ENODEV, "has gone"},
	{STEP_UNBIND, ENOENT, "has gone"},
	{STEP_PROBE, ENODEV, "another driver"},
	{STEP_CREATE, EEXIST, "UUID is in use already"},
	{STEP_CREATE, EUSERS, "no more mediated devices"},
	{STEP_CREATE, ENODEV, "going away"},
	{STEP_CREATE, ENOENT, "modprobe vfio_ap"},
	{STEP_CREATE, ENOMEM, "out of memory"},
	{STEP_REMOVE, ENODEV, "gone already"},
	{STEP_REMOVE, ENOENT, "gone already"},
	{STEP_REMOVE, EAGAIN, "someone else"},
	{STEP_REMOVE, EBUSY, "guest"},
	{STEP_AP_CONFIG, EADDRINUSE, "in another mediated device"},
	{STEP_AP_CONFIG, EADDRNOTAVAIL, "reserved for the host"},
	{STEP_AP_CONFIG, ENODEV, "above the highest"},
	{STEP_AP_CONFIG, ENOENT, "has gone"},
	{STEP_AP_CONFIG, EINVAL, "defect"},
	{STEP_AP_CONFIG, EBUSY, "guest"},
	{STEP_ASSIGN_ADAPTER, EADDRINUSE, "in another mediated device"},
	{STEP_ASSIGN_DOMAIN, EADDRNOTAVAIL, "QueuePool=auto"},
	{STEP_ASSIGN_CONTROL_DOMAIN, ENODEV, "above the highest"},
	{STEP_UNASSIGN_ADAPTER, ENODEV, "above the highest"},
	{STEP_UNASSIGN_DOMAIN, ERANGE, "defect"},
	{STEP_UNASSIGN_CONTROL_DOMAIN, ENOENT, "has gone"},
	{STEP_AP_CONFIG, EACCES, "permission was denied"},
	{STEP_CREATE, EPERM, "root"},
	{STEP_APMASK, EROFS, "read-only"},
	{STEP_AP_CONFIG, EIO, "does not read back"},
	{STEP_REMOVE, EPIPE, "worker"},
	{STEP_REMOVE, ECONNRESET, "worker"},
	{STEP_AP_CONFIG, EXDEV, "the kernel refused it"},
};

START_TEST(explains_every_refusal_of_the_contract)
{
	for (size_t i = 0; i < ARRAY_SIZE(explanations); i++) {
		struct step s = step_of(explanations[i].type);
		_cleanup_free_ char *text = NULL, *end = NULL;

		ck_assert_int_eq(step_explain(&s, explanations[i].error, &text), 0);
		ck_assert_int_gt(asprintf(&end, "(%s)", strerrorname_np(explanations[i].error)), 0);
		ck_assert_msg(strstr(text, explanations[i].part) && strstr(text, end) &&
				strstr(text, " failed: "),
			"row %zu: %s", i, text);
	}
}
END_TEST

START_TEST(an_unknown_errno_is_no_crash)
{
	struct step s = step_of(STEP_CREATE);
	_cleanup_free_ char *text = NULL;

	ck_assert_int_eq(step_explain(&s, 9999, &text), 0);
	ck_assert_ptr_nonnull(strstr(text, "(?)"));
}
END_TEST

/* In the pool's stage a queue is bound anew for nobody's matrix in particular. */
START_TEST(names_the_queue_that_is_probed_for_the_pool)
{
	struct step s = {.type = STEP_PROBE, .stage = STAGE_POOL, .number = 0x05ab};
	_cleanup_free_ char *line = NULL;

	ck_assert_int_eq(step_format(&s, &line), 0);
	ck_assert_str_eq(line, "05.00ab: drivers_probe = 05.00ab");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("step");
	TCase *tc = tcase_create("step");

	tcase_add_test(tc, names_the_queue_that_is_probed_for_the_pool);
	tcase_add_test(tc, writes_and_reads_as_the_kernel_and_people_do);
	tcase_add_test(tc, calls_a_device_without_a_name_by_its_uuid);
	tcase_add_test(tc, says_whether_masks_are_nearly_full_or_nearly_empty);
	tcase_add_test(tc, explains_every_refusal_of_the_contract);
	tcase_add_test(tc, an_unknown_errno_is_no_crash);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
