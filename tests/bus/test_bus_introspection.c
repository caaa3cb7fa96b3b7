/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The room says of itself what the files in dbus/ say of it. */
#include <unistd.h>

#include "introspection.h"
#include "room.h"
#include "unit/unit.h"

#define MATRIX_PATH "/org/s390/APMatrix/matrix/62177883_f1bb_47f0_914d_32a22e3a0001"

START_TEST(the_manager_is_as_its_file_says)
{
	introspection_compare(room.stranger, "/org/s390/APMatrix", "org.s390.APMatrix.Manager");
}
END_TEST

START_TEST(a_matrix_is_as_its_file_says)
{
	struct matrix_status m = fake_matrix(1, "guest1");
	struct status s = {.matrices = &m, .n_matrices = 1};

	room.engine.status = &s;
	introspection_compare(room.stranger, MATRIX_PATH, "org.s390.APMatrix.Matrix");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bus introspection");
	TCase *tc = tcase_create("introspection");

	if (geteuid() != 0) {
		fprintf(stderr, "skipped: root is needed to be two users on one bus\n");
		return 77;
	}
	tcase_add_checked_fixture(tc, room_setup, room_teardown);
	tcase_add_test(tc, the_manager_is_as_its_file_says);
	tcase_add_test(tc, a_matrix_is_as_its_file_says);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
