/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What every unit test program shares: main() of one suite.  CK_FORK=no is the default, so that a
 * sanitizer sees everything; a crash is then the whole program's.
 */
#include <check.h>
#include <stdlib.h>

static inline int unit_main(Suite *suite)
{
	SRunner *runner = srunner_create(suite);

	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);

	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
