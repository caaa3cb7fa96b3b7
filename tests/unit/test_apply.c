/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One step, one write, and what is read back.  Links to /dev/null are attributes that lie. */
#include "sysfs/apply.h"

#include "faketree.h"
#include "sysfs/tree.h"

#define A "2d5cb6e9-0000-4000-8000-00000000000a"
#define MDEV "sys/devices/vfio_ap/matrix/" A
#define QUEUE "sys/devices/ap/card05/05.0004"

static char detail[APPLY_DETAIL_SIZE];

static int apply(const struct step *s)
{
	return sysfs_apply(fake_root, s, detail, sizeof(detail));
}

static struct step step(enum step_type type)
{
	struct step s = {.type = type, .uuid = A, .number = 5};

	if (type == STEP_OVERRIDE || type == STEP_CLEAR_OVERRIDE || type == STEP_UNBIND ||
		type == STEP_PROBE)
		s.number = 0x0504;
	mask_set(&s.mask, 3);
	mask_set(&s.matrix.adapters, 5);
	mask_set(&s.matrix.domains, 4);
	mask_set(&s.matrix.control_domains, 9);
	return s;
}

static const struct {
	enum step_type type;
	const char *path;
} paths[] = {
	{STEP_APMASK, "sys/bus/ap/apmask"},
	{STEP_AQMASK, "sys/bus/ap/aqmask"},
	{STEP_OVERRIDE, QUEUE "/driver_override"},
	{STEP_CLEAR_OVERRIDE, QUEUE "/driver_override"},
	{STEP_UNBIND, QUEUE "/driver/unbind"},
	{STEP_PROBE, "sys/bus/ap/drivers_probe"},
	{STEP_CREATE, TREE_MDEV_TYPE "/create"},
	{STEP_REMOVE, MDEV "/remove"},
	{STEP_AP_CONFIG, MDEV "/ap_config"},
	{STEP_ASSIGN_ADAPTER, MDEV "/assign_adapter"},
	{STEP_ASSIGN_DOMAIN, MDEV "/assign_domain"},
	{STEP_ASSIGN_CONTROL_DOMAIN, MDEV "/assign_control_domain"},
	{STEP_UNASSIGN_ADAPTER, MDEV "/unassign_adapter"},
	{STEP_UNASSIGN_DOMAIN, MDEV "/unassign_domain"},
	{STEP_UNASSIGN_CONTROL_DOMAIN, MDEV "/unassign_control_domain"},
};

START_TEST(every_step_has_its_attribute)
{
	char path[TREE_PATH_SIZE];

	ck_assert_uint_eq(ARRAY_SIZE(paths), N_STEP_TYPES);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct step s = step(paths[i].type);

		ck_assert_str_eq(tree_step_path(path, &s), paths[i].path);
	}
}
END_TEST

START_TEST(a_refusal_comes_back_as_the_kernel_said_it)
{
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct step s = step(paths[i].type);
		int r;

		fake_make();
		r = apply(&s);
		ck_assert_msg(r == -ENOENT, "%s: %d", paths[i].path, r);
		ck_assert_str_eq(detail, "");
		fake_link(paths[i].path, "/dev/full");
		r = apply(&s);
		ck_assert_msg(r == -ENOSPC, "%s: %d", paths[i].path, r);
		ck_assert_str_eq(detail, "");
		fake_remove();
	}
}
END_TEST

START_TEST(what_reads_back_is_done)
{
	struct step mask = step(STEP_APMASK), config = step(STEP_AP_CONFIG),
		    override = step(STEP_OVERRIDE);
	char text[STEP_VALUE_SIZE];

	fake_file("sys/bus/ap/apmask", "");
	fake_file(MDEV "/ap_config", "");
	fake_file(QUEUE "/driver_override", "");
	ck_assert_int_eq(apply(&mask), 0);
	ck_assert_int_eq(apply(&config), 0);
	ck_assert_int_eq(apply(&override), 0);
	ck_assert_int_gt(attr_read_at(fake_root, QUEUE "/driver_override", text, sizeof(text)), 0);
	ck_assert_str_eq(text, "vfio_ap");
	ck_assert_int_gt(attr_read_at(fake_root, "sys/bus/ap/apmask", text, sizeof(text)), 0);
	ck_assert_int_eq(strncmp(text, "0x1000", 6), 0);
}
END_TEST

START_TEST(a_lie_is_named)
{
	static const enum step_type types[] = {
		STEP_CREATE, STEP_APMASK, STEP_AQMASK, STEP_AP_CONFIG, STEP_OVERRIDE, STEP_PROBE};

	fake_dir(QUEUE);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct step s = step(types[i]);
		char path[TREE_PATH_SIZE];
		int r;

		fake_link(tree_step_path(path, &s), "/dev/null");
		r = apply(&s);
		ck_assert_msg(r == -EIO, "%s: %d", path, r);
		ck_assert_msg(strstr(detail, "the kernel accepted '") && strstr(detail, path),
			"%s: %s", path, detail);
	}
}
END_TEST

START_TEST(create_is_done_when_the_device_is_there)
{
	struct step s = step(STEP_CREATE);

	fake_file(TREE_MDEV_TYPE "/create", "");
	ck_assert_int_eq(apply(&s), -EIO);
	fake_dir(MDEV);
	ck_assert_int_eq(apply(&s), 0);
}
END_TEST

START_TEST(remove_is_done_when_the_device_is_gone)
{
	struct step s = step(STEP_REMOVE);

	fake_file(MDEV "/remove", "");
	ck_assert_int_eq(apply(&s), -EIO);
	ck_assert_ptr_nonnull(strstr(detail, "still there"));
}
END_TEST

START_TEST(a_queue_without_driver_is_unbound_already)
{
	struct step s = step(STEP_UNBIND);

	fake_dir(QUEUE);
	ck_assert_int_eq(apply(&s), 0);
}
END_TEST

START_TEST(unbind_and_probe_look_at_the_drivers_link)
{
	struct step unbind = step(STEP_UNBIND), probe = step(STEP_PROBE);

	fake_file("sys/bus/ap/drivers/vfio_ap/unbind", "");
	fake_file("sys/bus/ap/drivers_probe", "");
	fake_link(QUEUE "/driver", "../../../../bus/ap/drivers/vfio_ap");
	ck_assert_int_eq(apply(&unbind), -EIO);
	ck_assert_int_eq(apply(&probe), 0);
}
END_TEST

START_TEST(an_override_is_cleared_when_nothing_shows)
{
	struct step s = step(STEP_CLEAR_OVERRIDE);

	fake_file(QUEUE "/driver_override", "\n");
	ck_assert_int_eq(apply(&s), 0);
	fake_file(QUEUE "/driver_override", "(null)\n");
	ck_assert_int_eq(apply(&s), -EIO); /* a plain file keeps the rest */
	fake_file(QUEUE "/driver_override", "");
	ck_assert_int_eq(apply(&s), 0);
}
END_TEST

START_TEST(assignments_are_read_from_ap_config_where_there_is_one)
{
	struct step s = step(STEP_ASSIGN_ADAPTER);

	fake_file(MDEV "/assign_adapter", "");
	fake_file(MDEV "/matrix", "05.0004\n");
	fake_file(MDEV "/ap_config", "0x00,0x08,0x\n");
	ck_assert_int_eq(apply(&s), -EIO);
	fake_file(MDEV "/ap_config", "0x04,0x08,0x\n");
	ck_assert_int_eq(apply(&s), 0);
}
END_TEST

START_TEST(without_ap_config_they_are_read_from_the_lists)
{
	struct step adapter = step(STEP_ASSIGN_ADAPTER), gone = step(STEP_UNASSIGN_ADAPTER),
		    control = step(STEP_ASSIGN_CONTROL_DOMAIN);

	fake_file(MDEV "/assign_adapter", "");
	fake_file(MDEV "/unassign_adapter", "");
	fake_file(MDEV "/assign_control_domain", "");
	fake_file(MDEV "/matrix", "06.0004\n");
	fake_file(MDEV "/control_domains", "0004\n");
	gone.matrix.adapters = (struct mask){{0}};
	mask_set(&gone.matrix.adapters, 6);
	ck_assert_int_eq(apply(&adapter), -EIO);
	ck_assert_int_eq(apply(&gone), 0);
	ck_assert_int_eq(apply(&control), -EIO);
	fake_file(MDEV "/matrix", "05.0004\n");
	fake_file(MDEV "/control_domains", "0004\n0005\n");
	ck_assert_int_eq(apply(&adapter), 0);
	ck_assert_int_eq(apply(&gone), -EIO);
	ck_assert_int_eq(apply(&control), 0);
}
END_TEST

/* The list holds nothing of the sort: if it was read, the step would fail. */
START_TEST(a_list_that_may_overrun_the_page_is_not_read)
{
	struct step large = step(STEP_ASSIGN_ADAPTER), unknown = large;

	large.matrix.domains = mask_full();
	mask_set(&large.matrix.adapters, 6);
	unknown.matrix = (struct matrix){0};
	fake_file(MDEV "/assign_adapter", "");
	fake_file(MDEV "/matrix", "06.0004\n");
	ck_assert_int_eq(apply(&large), 0);
	ck_assert_int_eq(apply(&unknown), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("apply");
	TCase *c = tcase_create("steps"), *roots = tcase_create("roots");

	tcase_add_checked_fixture(c, fake_make, fake_remove);
	tcase_add_test(c, every_step_has_its_attribute);
	tcase_add_test(roots, a_refusal_comes_back_as_the_kernel_said_it);
	tcase_add_test(c, what_reads_back_is_done);
	tcase_add_test(c, a_lie_is_named);
	tcase_add_test(c, create_is_done_when_the_device_is_there);
	tcase_add_test(c, remove_is_done_when_the_device_is_gone);
	tcase_add_test(c, a_queue_without_driver_is_unbound_already);
	tcase_add_test(c, unbind_and_probe_look_at_the_drivers_link);
	tcase_add_test(c, an_override_is_cleared_when_nothing_shows);
	tcase_add_test(c, assignments_are_read_from_ap_config_where_there_is_one);
	tcase_add_test(c, without_ap_config_they_are_read_from_the_lists);
	tcase_add_test(c, a_list_that_may_overrun_the_page_is_not_read);
	suite_add_tcase(suite, c);
	suite_add_tcase(suite, roots);
	return unit_main(suite);
}
