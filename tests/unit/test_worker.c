/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pool of workers.  A FIFO without a reader is an attribute whose write does not return. */
#include "sysfs/worker.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>

#include "faketree.h"
#include "sysfs/scan.h"

#define MDEV "sys/devices/vfio_ap/matrix/"

static const char *const uuids[] = {
	"2d5cb6e9-0000-4000-8000-000000000000",
	"2d5cb6e9-0000-4000-8000-000000000001",
	"2d5cb6e9-0000-4000-8000-000000000002",
	"2d5cb6e9-0000-4000-8000-000000000003",
};

static sd_event *loop;
static struct workers *workers;

static struct {
	unsigned scans, steps;
	int scan_error, errors[16];
	struct observed *seen;
	char detail[256];
	bool again; /* the next step comes from within the answer */
} got;

static struct step config_step(unsigned i)
{
	struct step s = {.type = STEP_AP_CONFIG};

	strcpy(s.uuid, uuids[i]);
	mask_set(&s.matrix.adapters, i);
	return s;
}

static void scanned(_unused_ void *userdata, int error, struct observed *o)
{
	got.scans++;
	got.scan_error = error;
	observed_free(got.seen);
	got.seen = o;
}

static void applied(_unused_ void *userdata, uint64_t id, int error, const char *detail)
{
	struct step s = config_step(0);

	got.steps++;
	got.errors[id] = error;
	snprintf(got.detail, sizeof(got.detail), "%s", detail);
	if (got.again) {
		got.again = false;
		ck_assert_int_eq(workers_apply(workers, 9, &s), 0);
	}
}

static int observe(int root, struct observed **ret)
{
	return sysfs_scan(root, NULL, ret);
}

static int observe_and_die(_unused_ int root, _unused_ struct observed **ret)
{
	raise(SIGKILL);
	return 0;
}

static int observe_and_fail(_unused_ int root, _unused_ struct observed **ret)
{
	return -ENOMEM;
}

/* Says how many files are open here, as the number of an adapter. */
static int observe_files(_unused_ int root, struct observed **ret)
{
	DIR *dir = opendir("/proc/self/fd");
	struct observed *o = observed_new();

	while (readdir(dir))
		o->max_adapter++;
	closedir(dir);
	*ret = o;
	return 0;
}

static void start(int (*how)(int, struct observed **), const struct workers_limits *limits)
{
	const struct workers_ops ops = {.observe = how, .scanned = scanned, .applied = applied};

	memset(&got, 0, sizeof(got));
	ck_assert_int_ge(sd_event_new(&loop), 0);
	ck_assert_int_eq(workers_new(loop, fake_root, &ops, limits, &workers), 0);
}

static void stop(void)
{
	workers_free(workers);
	/* Those that were stuck, which workers_free() does not wait for; a FIFO lets them die. */
	while (wait(NULL) > 0)
		;
	sd_event_unref(loop);
	observed_free(got.seen);
}

static void run(unsigned scans, unsigned steps)
{
	for (unsigned i = 0; i < 1000 && (got.scans < scans || got.steps < steps); i++)
		ck_assert_int_ge(sd_event_run(loop, 5000000), 0);
	ck_assert_uint_eq(got.scans, scans);
	ck_assert_uint_eq(got.steps, steps);
}

static void put_fifo(unsigned i)
{
	char path[256];

	snprintf(path, sizeof(path), MDEV "%s/ap_config", uuids[i]);
	fake_parents(path);
	ck_assert_int_eq(mkfifoat(fake_root, path, 0600), 0);
}

/* The one worker that there is. */
static pid_t child_of_ours(void)
{
	char path[64], text[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", getpid(), getpid());
	ck_assert_int_gt(attr_read_at(AT_FDCWD, path, text, sizeof(text)), 0);
	return (pid_t)atoi(text);
}

START_TEST(a_scan_comes_back_as_it_was_made)
{
	_cleanup_(cleanup_observed_free) struct observed *here = NULL;

	start(observe, NULL);
	fake_file("sys/bus/ap/apmask", "0xf9\n");
	fake_file(MDEV "mdev_supported_types/vfio_ap-passthrough/create", "");
	fake_filef("0x04,0x08,0x\n", MDEV "%s/ap_config", uuids[1]);
	ck_assert_int_eq(workers_scan(workers), 0);
	ck_assert_int_eq(workers_scan(workers), -EBUSY);
	run(1, 0);
	ck_assert_int_eq(got.scan_error, 0);
	ck_assert_int_eq(sysfs_scan(fake_root, NULL, &here), 0);
	ck_assert_uint_eq(here->n_mdevs, 1);
	ck_assert(observed_equal(here, got.seen));
	ck_assert_int_eq(workers_scan(workers), 0);
	run(2, 0);
	ck_assert_uint_eq(workers_count(workers), 1);
	stop();
}
END_TEST

START_TEST(a_scan_that_fails_or_dies_is_answered_once_and_replaced)
{
	start(observe_and_fail, NULL);
	ck_assert_int_eq(workers_scan(workers), 0);
	run(1, 0);
	ck_assert_int_eq(got.scan_error, -ENOMEM);
	ck_assert_ptr_null(got.seen);
	stop();

	start(observe_and_die, NULL);
	for (unsigned i = 1; i <= 2; i++) {
		ck_assert_int_eq(workers_scan(workers), 0);
		run(i, 0);
		ck_assert_int_eq(got.scan_error, -ECONNRESET);
		ck_assert_uint_eq(workers_count(workers), 0);
	}
	stop();
}
END_TEST

START_TEST(a_worker_has_no_other_files)
{
	int spare = open("/dev/null", O_RDONLY), other = dup2(spare, 200);

	start(observe_files, NULL);
	ck_assert_int_eq(workers_scan(workers), 0);
	run(1, 0);
	/* ".", "..", standard ones, the root, the socket, the listing itself */
	ck_assert_uint_le(got.seen->max_adapter, 8);
	stop();
	close(spare);
	close(other);
}
END_TEST

START_TEST(a_step_is_answered_with_its_id_and_detail)
{
	struct step fine = config_step(1), lie = config_step(2), missing = config_step(3);
	char path[256];

	start(observe, NULL);
	fake_filef("", MDEV "%s/ap_config", uuids[1]);
	snprintf(path, sizeof(path), MDEV "%s/ap_config", uuids[2]);
	fake_link(path, "/dev/null");
	ck_assert_int_eq(workers_apply(workers, 1, &fine), 0);
	ck_assert_int_eq(workers_apply(workers, 3, &missing), 0);
	ck_assert_uint_eq(got.steps, 0);
	run(0, 2);
	ck_assert_int_eq(workers_apply(workers, 2, &lie), 0);
	run(0, 3);
	ck_assert_int_eq(got.errors[1], 0);
	ck_assert_int_eq(got.errors[2], -EIO);
	ck_assert_int_eq(got.errors[3], -ENOENT);
	ck_assert_ptr_nonnull(strstr(got.detail, "reads back"));
	/* At rest one is enough. */
	ck_assert_uint_le(workers_count(workers), 1);
	stop();
}
END_TEST

START_TEST(a_write_that_never_returns_holds_up_nobody)
{
	struct step stuck = config_step(0);

	start(observe, NULL);
	put_fifo(0);
	ck_assert_int_eq(workers_apply(workers, 0, &stuck), 0);
	for (unsigned i = 1; i < ARRAY_SIZE(uuids); i++) {
		struct step s = config_step(i);

		fake_filef("", MDEV "%s/ap_config", uuids[i]);
		ck_assert_int_eq(workers_apply(workers, i, &s), 0);
	}
	ck_assert_int_eq(workers_scan(workers), 0);
	run(1, 3);
	for (unsigned i = 1; i < ARRAY_SIZE(uuids); i++)
		ck_assert_int_eq(got.errors[i], 0);
	/* Nor the end. */
	stop();
}
END_TEST

START_TEST(stuck_writers_do_not_count_against_the_limit)
{
	const struct workers_limits limits = {.parallel = 2, .total = 3, .stuck_usec = 1000};
	struct step s[3] = {config_step(0), config_step(1), config_step(2)};

	start(observe, &limits);
	put_fifo(0);
	put_fifo(1);
	fake_filef("", MDEV "%s/ap_config", uuids[2]);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(workers_apply(workers, i, &s[i]), 0);
	run(0, 1);
	ck_assert_int_eq(got.errors[2], 0);
	ck_assert_uint_eq(workers_count(workers), 3);
	stop();
}
END_TEST

START_TEST(beyond_the_limit_a_step_waits)
{
	const struct workers_limits limits = {.parallel = 1, .stuck_usec = 3600000000};
	struct step a = config_step(0), b = config_step(1);
	_cleanup_close_ int reader = -1;
	char path[256];

	start(observe, &limits);
	put_fifo(0);
	fake_filef("", MDEV "%s/ap_config", uuids[1]);
	ck_assert_int_eq(workers_apply(workers, 0, &a), 0);
	ck_assert_int_eq(workers_apply(workers, 1, &b), 0);
	ck_assert_uint_eq(workers_waiting(workers), 1);
	ck_assert_uint_eq(workers_count(workers), 1);
	/* Now the first write goes through. */
	snprintf(path, sizeof(path), MDEV "%s/ap_config", uuids[0]);
	reader = openat(fake_root, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	run(0, 2);
	ck_assert_int_eq(got.errors[1], 0);
	ck_assert_uint_eq(workers_waiting(workers), 0);
	stop();
}
END_TEST

START_TEST(a_killed_worker_is_reported_and_replaced)
{
	struct step s = config_step(0);

	start(observe, NULL);
	put_fifo(0);
	ck_assert_int_eq(workers_apply(workers, 0, &s), 0);
	kill(child_of_ours(), SIGKILL);
	run(0, 1);
	ck_assert_int_eq(got.errors[0], -ECONNRESET);
	ck_assert_uint_eq(workers_count(workers), 0);
	/* Its step may be tried again at once. */
	s = config_step(1);
	fake_filef("", MDEV "%s/ap_config", uuids[1]);
	ck_assert_int_eq(workers_apply(workers, 1, &s), 0);
	run(0, 2);
	ck_assert_int_eq(got.errors[1], 0);
	stop();
}
END_TEST

START_TEST(an_idle_worker_that_was_killed_is_not_asked)
{
	struct step s = config_step(1);

	start(observe, NULL);
	fake_filef("", MDEV "%s/ap_config", uuids[1]);
	ck_assert_int_eq(workers_apply(workers, 1, &s), 0);
	run(0, 1);
	kill(child_of_ours(), SIGKILL);
	waitid(P_PID, (id_t)child_of_ours(), NULL, WEXITED | WNOWAIT);
	ck_assert_int_eq(workers_apply(workers, 2, &s), 0);
	run(0, 2);
	ck_assert_int_eq(got.errors[2], 0);
	stop();
}
END_TEST

START_TEST(signals_to_all_do_not_end_a_worker)
{
	struct step s = config_step(1);
	pid_t child;

	start(observe, NULL);
	fake_filef("", MDEV "%s/ap_config", uuids[1]);
	ck_assert_int_eq(workers_apply(workers, 1, &s), 0);
	run(0, 1);
	child = child_of_ours();
	kill(child, SIGTERM);
	kill(child, SIGINT);
	ck_assert_int_eq(workers_apply(workers, 2, &s), 0);
	run(0, 2);
	ck_assert_int_eq(got.errors[2], 0);
	ck_assert_int_eq(child_of_ours(), child);
	stop();
}
END_TEST

START_TEST(an_answer_may_bring_the_next_step)
{
	struct step s = config_step(0);

	start(observe, NULL);
	fake_filef("", MDEV "%s/ap_config", uuids[0]);
	got.again = true;
	ck_assert_int_eq(workers_apply(workers, 1, &s), 0);
	run(0, 2);
	ck_assert_int_eq(got.errors[9], 0);
	ck_assert_uint_eq(workers_count(workers), 1);
	stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("worker");
	TCase *c = tcase_create("pool");

	tcase_add_checked_fixture(c, fake_make, fake_remove);
	tcase_add_test(c, a_scan_comes_back_as_it_was_made);
	tcase_add_test(c, a_scan_that_fails_or_dies_is_answered_once_and_replaced);
	tcase_add_test(c, a_worker_has_no_other_files);
	tcase_add_test(c, a_step_is_answered_with_its_id_and_detail);
	tcase_add_test(c, a_write_that_never_returns_holds_up_nobody);
	tcase_add_test(c, stuck_writers_do_not_count_against_the_limit);
	tcase_add_test(c, beyond_the_limit_a_step_waits);
	tcase_add_test(c, a_killed_worker_is_reported_and_replaced);
	tcase_add_test(c, an_idle_worker_that_was_killed_is_not_asked);
	tcase_add_test(c, signals_to_all_do_not_end_a_worker);
	tcase_add_test(c, an_answer_may_bring_the_next_step);
	suite_add_tcase(suite, c);
	return unit_main(suite);
}
