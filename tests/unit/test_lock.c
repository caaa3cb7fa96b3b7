/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lock that ap-check and chzdev take as well. */
#include "sysfs/lock.h"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "faketree.h"
#include "sysfs/tree.h"

static char holder[LOCK_HOLDER_SIZE];

static void put_lock(pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d\n", (int)pid);
	fake_file(TREE_LOCK, text);
}

static pid_t lock_owner(void)
{
	char text[16];

	if (attr_read_at(fake_root, TREE_LOCK, text, sizeof(text)) < 0)
		return 0;
	return (pid_t)atoi(text);
}

static unsigned n_files(void)
{
	int fd = openat(fake_root, TREE_LOCK_DIR, O_RDONLY | O_DIRECTORY);
	DIR *dir = fdopendir(fd);
	unsigned n = 0;

	for (struct dirent *e; (e = readdir(dir));)
		n += e->d_name[0] != '.';
	closedir(dir);
	return n;
}

/* A process that lives until it is killed. */
static pid_t other_start(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	ck_assert_int_gt(pid, 0);
	return pid;
}

static void other_end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

START_TEST(takes_a_free_lock_with_its_pid_and_leaves_nothing_else)
{
	ck_assert_int_eq(lock_try(fake_root, holder), 0);
	ck_assert_int_eq(lock_owner(), getpid());
	ck_assert_uint_eq(n_files(), 1);
	ck_assert_int_eq(lock_release(fake_root), 0);
	ck_assert_uint_eq(n_files(), 0);
	ck_assert_int_eq(lock_release(fake_root), 0);
}
END_TEST

START_TEST(a_living_holder_is_named_and_respected)
{
	pid_t other = other_start();
	char path[64], expected[64];

	put_lock(other);
	snprintf(expected, sizeof(expected), "%d", (int)other);
	ck_assert_int_eq(lock_try(fake_root, holder), -EBUSY);
	ck_assert_str_eq(holder, expected);
	snprintf(path, sizeof(path), "proc/%d/comm", (int)other);
	fake_file(path, "mdevctl\n");
	snprintf(expected, sizeof(expected), "%d (mdevctl)", (int)other);
	ck_assert_int_eq(lock_try(fake_root, holder), -EBUSY);
	ck_assert_str_eq(holder, expected);
	ck_assert_int_eq(lock_release(fake_root), 0);
	ck_assert_int_eq(lock_owner(), other);
	ck_assert_uint_eq(n_files(), 1);
	other_end(other);
}
END_TEST

START_TEST(a_dead_holders_lock_is_taken_over)
{
	pid_t other = other_start();

	other_end(other);
	put_lock(other);
	/* Cleared first, taken at the next try. */
	ck_assert_int_eq(lock_try(fake_root, holder), -EBUSY);
	ck_assert_str_eq(holder, "a process that has gone");
	ck_assert_uint_eq(n_files(), 0);
	ck_assert_int_eq(lock_try(fake_root, holder), 0);
	ck_assert_int_eq(lock_owner(), getpid());
	lock_release(fake_root);
}
END_TEST

static const struct {
	const char *text;
	int age; /* seconds */
	int result;
} unnamed[] = {
	{"", 0, -EBUSY},
	{"", 110, -EBUSY},
	{"", 130, 0},
	{"0\n", 110, -EBUSY},
	{"0\n", 130, 0},
	{"rubbish\n", 110, -EBUSY},
	{"-1\n", 130, 0},
};

START_TEST(a_lock_without_pid_is_stale_after_two_minutes)
{
	for (size_t i = 0; i < ARRAY_SIZE(unnamed); i++) {
		struct timespec times[2] = {
			{.tv_nsec = UTIME_OMIT}, {.tv_sec = time(NULL) - unnamed[i].age}};
		int r;

		fake_file(TREE_LOCK, unnamed[i].text);
		utimensat(fake_root, TREE_LOCK, times, 0);
		lock_try(fake_root, holder);
		r = lock_try(fake_root, holder);
		ck_assert_msg(r == unnamed[i].result, "'%s', %d s: %d", unnamed[i].text,
			unnamed[i].age, r);
		unlinkat(fake_root, TREE_LOCK, 0);
	}
}
END_TEST

START_TEST(a_link_in_the_locks_place_is_not_followed)
{
	fake_file("precious", "1\n");
	fake_link(TREE_LOCK, "../../precious");
	ck_assert_int_eq(lock_try(fake_root, holder), -ELOOP);
	ck_assert(fake_exists("precious"));
}
END_TEST

#define ROUNDS 200

/* Takes the lock, holds it alone (or the exclusive file would be there already), and gives it back. */
static int hold_once(void)
{
	int r, fd;

	while ((r = lock_try(fake_root, holder)) == -EBUSY)
		sched_yield();
	if (r < 0)
		return 1;
	fd = openat(fake_root, "critical", O_CREAT | O_EXCL | O_WRONLY, 0600);
	if (fd < 0)
		return 2;
	sched_yield();
	close(fd);
	unlinkat(fake_root, "critical", 0);
	return lock_release(fake_root) < 0 ? 3 : 0;
}

static int contend(void)
{
	int r = 0;

	for (unsigned i = 0; i < ROUNDS && r == 0; i++)
		r = hold_once();
	return r;
}

/* @n processes that each do @work, which is to return 0. */
static void at_once(size_t n, int (*work)(void))
{
	pid_t pids[4];
	int status;

	for (size_t i = 0; i < n; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(work());
	}
	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", status);
	}
}

START_TEST(two_contenders_never_hold_it_together)
{
	at_once(2, contend);
	ck_assert_uint_eq(n_files(), 0);
}
END_TEST

/* Who takes the lock and is killed: the next one finds a lock whose process is gone. */
static void die_holding(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		while (lock_try(fake_root, holder) == -EBUSY)
			sched_yield();
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static int contend_among_the_dead(void)
{
	int r = 0;

	for (unsigned i = 0; i < ROUNDS / 10 && r == 0; i++) {
		die_holding();
		for (unsigned k = 0; k < 10 && r == 0; k++)
			r = hold_once();
	}
	return r;
}

START_TEST(of_many_who_find_a_stale_lock_one_gets_it)
{
	at_once(4, contend_among_the_dead);
}
END_TEST

struct answer {
	unsigned n;
	int error;
	char holder[LOCK_HOLDER_SIZE];
};

static void answered(void *userdata, int error, const char *who)
{
	struct answer *a = userdata;

	a->n++;
	a->error = error;
	snprintf(a->holder, sizeof(a->holder), "%s", who);
}

static sd_event *loop;
static struct answer answer;

static void make(void)
{
	fake_make();
	answer = (struct answer){0};
	ck_assert_int_ge(sd_event_new(&loop), 0);
}

static void unmake(void)
{
	sd_event_unref(loop);
	fake_remove();
}

static void run_until_answered(void)
{
	for (unsigned i = 0; i < 10000 && answer.n == 0; i++)
		ck_assert_int_ge(sd_event_run(loop, 1000000), 0);
	ck_assert_uint_eq(answer.n, 1);
}

START_TEST(asking_is_answered_from_the_loop)
{
	_cleanup_(cleanup_lock_free) struct lock *lock = NULL;

	ck_assert_int_eq(lock_new(loop, fake_root, answered, &answer, 0, 0, &lock), 0);
	ck_assert_int_eq(lock_take(lock), 0);
	ck_assert_int_eq(lock_take(lock), -EALREADY);
	ck_assert_uint_eq(answer.n, 0);
	run_until_answered();
	ck_assert_int_eq(answer.error, 0);
	ck_assert_int_eq(lock_owner(), getpid());
	lock_drop(lock);
	ck_assert_int_eq(lock_owner(), 0);
}
END_TEST

START_TEST(patience_ends_with_the_holders_name)
{
	_cleanup_(cleanup_lock_free) struct lock *lock = NULL;
	pid_t other = other_start();
	char expected[32];

	put_lock(other);
	snprintf(expected, sizeof(expected), "%d", (int)other);
	ck_assert_int_eq(lock_new(loop, fake_root, answered, &answer, 100, 2000, &lock), 0);
	ck_assert_int_eq(lock_take(lock), 0);
	run_until_answered();
	ck_assert_int_eq(answer.error, -EBUSY);
	ck_assert_str_eq(answer.holder, expected);
	ck_assert_int_eq(lock_owner(), other);
	other_end(other);
}
END_TEST

START_TEST(the_lock_is_ours_once_its_holder_is_gone)
{
	_cleanup_(cleanup_lock_free) struct lock *lock = NULL;
	pid_t other = other_start();

	put_lock(other);
	ck_assert_int_eq(lock_new(loop, fake_root, answered, &answer, 100, 0, &lock), 0);
	ck_assert_int_eq(lock_take(lock), 0);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_ge(sd_event_run(loop, 1000000), 0);
	ck_assert_uint_eq(answer.n, 0);
	other_end(other);
	run_until_answered();
	ck_assert_int_eq(answer.error, 0);
	ck_assert_int_eq(lock_owner(), getpid());
}
END_TEST

START_TEST(our_own_leftover_is_cleared_at_the_start_and_a_held_lock_at_the_end)
{
	struct lock *lock = NULL;

	put_lock(getpid());
	ck_assert_int_eq(lock_new(loop, fake_root, answered, &answer, 0, 0, &lock), 0);
	ck_assert_int_eq(lock_owner(), 0);
	ck_assert_int_eq(lock_take(lock), 0);
	run_until_answered();
	lock_free(lock);
	ck_assert_int_eq(lock_owner(), 0);
}
END_TEST

START_TEST(a_dead_ones_leftover_is_cleared_at_the_start_and_a_living_ones_is_not)
{
	pid_t other = other_start();
	struct lock *lock = NULL;

	put_lock(other);
	ck_assert_int_eq(lock_new(loop, fake_root, answered, &answer, 0, 0, &lock), 0);
	lock_free(lock);
	ck_assert_int_eq(lock_owner(), other);
	other_end(other);
	ck_assert_int_eq(lock_new(loop, fake_root, answered, &answer, 0, 0, &lock), 0);
	ck_assert_int_eq(lock_owner(), 0);
	lock_free(lock);
}
END_TEST

START_TEST(who_stops_asking_gets_no_answer)
{
	_cleanup_(cleanup_lock_free) struct lock *lock = NULL;

	ck_assert_int_eq(lock_new(loop, fake_root, answered, &answer, 0, 0, &lock), 0);
	ck_assert_int_eq(lock_take(lock), 0);
	lock_drop(lock);
	ck_assert_int_ge(sd_event_run(loop, 0), 0);
	ck_assert_uint_eq(answer.n, 0);
	ck_assert_int_eq(lock_owner(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lock");
	TCase *protocol = tcase_create("protocol"), *time = tcase_create("time");

	tcase_add_checked_fixture(protocol, fake_make, fake_remove);
	tcase_add_test(protocol, takes_a_free_lock_with_its_pid_and_leaves_nothing_else);
	tcase_add_test(protocol, a_living_holder_is_named_and_respected);
	tcase_add_test(protocol, a_dead_holders_lock_is_taken_over);
	tcase_add_test(protocol, a_lock_without_pid_is_stale_after_two_minutes);
	tcase_add_test(protocol, a_link_in_the_locks_place_is_not_followed);
	tcase_add_test(protocol, two_contenders_never_hold_it_together);
	tcase_add_test(protocol, of_many_who_find_a_stale_lock_one_gets_it);
	tcase_add_checked_fixture(time, make, unmake);
	tcase_add_test(time, asking_is_answered_from_the_loop);
	tcase_add_test(time, patience_ends_with_the_holders_name);
	tcase_add_test(time, the_lock_is_ours_once_its_holder_is_gone);
	tcase_add_test(time, our_own_leftover_is_cleared_at_the_start_and_a_held_lock_at_the_end);
	tcase_add_test(time, a_dead_ones_leftover_is_cleared_at_the_start_and_a_living_ones_is_not);
	tcase_add_test(time, who_stops_asking_gets_no_answer);
	suite_add_tcase(suite, protocol);
	suite_add_tcase(suite, time);
	return unit_main(suite);
}
