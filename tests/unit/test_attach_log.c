/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is told of guests: by what was heard and what looks saw, by hand and at random. */
#include "core/attach_log.h"

#include <string.h>

#include "random.h"
#include "unit.h"

#define A "2d5cb6e9-0000-4000-8000-00000000000a"
#define B "2d5cb6e9-0000-4000-8000-00000000000b"

static struct attach_log *l;
static struct observed *o;

static void make(void)
{
	l = attach_log_new();
	o = observed_new();
	o->complete = true;
}

static void unmake(void)
{
	attach_log_free(l);
	observed_free(o);
}

static struct observed_mdev *device(const char *uuid)
{
	struct observed_mdev *m = observed_find_mdev(o, uuid);

	return m ? m : observed_add_mdev(o, uuid);
}

static void see(
	const char *uuid, enum attach_source source, uint32_t pid, uint64_t count, uint64_t seq)
{
	struct observed_mdev *m = device(uuid);

	m->attach = pid ? ATTACH_YES : ATTACH_NO;
	m->attach_source = (uint8_t)source;
	m->vm_pid = pid;
	m->attach_count = count;
	m->attach_seq = seq;
}

static void see_module(const char *uuid, uint32_t pid, uint64_t count, uint64_t seq)
{
	see(uuid, ATTACH_FROM_MODULE, pid, count, seq);
}

static void hear(const char *uuid, enum attach_event_type type, uint64_t seq, uint32_t pid)
{
	struct attach_event e = {.type = type, .seq = seq, .pid = pid};

	strcpy(e.uuid, uuid);
	e.error = type == EVENT_ATTACH_FAILED ? -EPERM : 0;
	ck_assert_int_eq(attach_log_hear(l, &e), 0);
}

/* What a look tells, as "A+100@1 B-200@2 ": the device, + - or !, the process, the number. */
static void look(const char *expected)
{
	_cleanup_free_ struct attach_event *news = NULL;
	char text[512] = "";
	size_t n = 0;

	ck_assert_int_eq(attach_log_look(l, o, &news, &n), 0);
	for (size_t i = 0; i < n; i++)
		sprintf(text + strlen(text), "%c%c%u@%llu ", news[i].uuid[35] - 'a' + 'A',
			"+!-"[news[i].type], news[i].pid, (unsigned long long)news[i].seq);
	ck_assert_str_eq(text, expected);
}

START_TEST(the_first_look_tells_nothing)
{
	see_module(A, 100, 3, 7);
	hear(A, EVENT_ATTACH, 7, 100);
	look("");
	look("");
}
END_TEST

START_TEST(what_was_heard_is_told_when_a_look_confirms_it)
{
	see_module(A, 0, 0, 0);
	look("");
	hear(A, EVENT_ATTACH, 1, 100);
	hear(A, EVENT_DETACH, 2, 100);
	hear(A, EVENT_ATTACH, 3, 101);
	see_module(A, 100, 1, 1);
	look("A+100@1 ");
	see_module(A, 101, 2, 3);
	look("A-100@2 A+101@3 ");
	look("");
}
END_TEST

START_TEST(several_devices_are_told_by_number)
{
	see_module(A, 100, 1, 5);
	see_module(B, 0, 0, 0);
	look("");
	hear(B, EVENT_ATTACH, 8, 100);
	hear(A, EVENT_DETACH, 7, 100);
	hear(B, EVENT_ATTACH_FAILED, 6, 100);
	see_module(A, 0, 1, 7);
	see_module(B, 100, 1, 8);
	look("B!100@6 A-100@7 B+100@8 ");
}
END_TEST

START_TEST(doubled_and_late_events_are_told_once)
{
	see_module(A, 0, 0, 0);
	look("");
	hear(A, EVENT_ATTACH, 1, 100);
	hear(A, EVENT_ATTACH, 1, 100);
	see_module(A, 0, 1, 2);
	look("A+100@1 A-100@2 ");
	hear(A, EVENT_DETACH, 2, 100);
	hear(A, EVENT_ATTACH, 1, 100);
	look("");
	hear(A, EVENT_ATTACH_FAILED, 3, 100);
	look("A!100@3 ");
	hear(A, EVENT_ATTACH_FAILED, 3, 100);
	look("");
}
END_TEST

START_TEST(what_was_lost_goes_where_numbers_are_missing)
{
	see_module(A, 0, 0, 0);
	see_module(B, 0, 0, 0);
	look("");
	/* A: 1 2 (lost), 3 4 heard; B: 5 heard. */
	hear(A, EVENT_ATTACH, 3, 101);
	hear(A, EVENT_DETACH, 4, 101);
	hear(B, EVENT_ATTACH, 5, 102);
	see_module(A, 0, 2, 4);
	see_module(B, 102, 1, 5);
	look("A+0@1 A-0@2 A+101@3 A-101@4 B+102@5 ");
	/* A: 6 heard, 7 8 lost, 9 heard */
	hear(A, EVENT_ATTACH, 6, 103);
	hear(A, EVENT_DETACH, 9, 104);
	see_module(A, 0, 4, 9);
	look("A+103@6 A-103@7 A+104@8 A-104@9 ");
}
END_TEST

START_TEST(without_numbers_of_its_own_a_lost_event_has_the_next)
{
	see_module(A, 0, 0, 0);
	see_module(B, 0, 0, 0);
	look("");
	see_module(A, 0, 1, 4);
	see_module(B, 7, 1, 3);
	look("B+7@3 A+0@4 A-0@4 ");
}
END_TEST

START_TEST(a_device_that_came_and_went_is_told)
{
	look("");
	hear(A, EVENT_ATTACH, 1, 100);
	see_module(A, 100, 1, 1);
	look("A+100@1 ");
	hear(A, EVENT_DETACH, 2, 100);
	o->n_mdevs = 0;
	look("A-100@2 ");
	look("");
	/* Made anew, its attributes begin again; the numbers go on. */
	hear(A, EVENT_ATTACH, 3, 101);
	see_module(A, 101, 1, 3);
	look("A+101@3 ");
}
END_TEST

START_TEST(what_cannot_be_known_is_left_for_later)
{
	see_module(A, 100, 1, 1);
	look("");
	device(A)->attach = ATTACH_UNKNOWN;
	look("");
	o->n_mdevs = 0;
	o->complete = false;
	look("");
	o->complete = true;
	see_module(A, 0, 1, 2);
	look("A-100@2 ");
}
END_TEST

START_TEST(without_the_module_the_difference_is_told)
{
	see(A, ATTACH_FROM_PROC, 0, 0, 0);
	see(B, ATTACH_FROM_PROC, 100, 0, 0);
	look("");
	see(A, ATTACH_FROM_PROC, 100, 0, 0);
	see(B, ATTACH_FROM_PROC, 0, 0, 0);
	look("B-100@0 A+100@0 ");
	see(A, ATTACH_FROM_PROC, 101, 0, 0);
	look("A-100@0 A+101@0 ");
	/* Its process cannot be seen any more; it comes into sight again. */
	device(A)->vm_pid = 0;
	look("");
	see(A, ATTACH_FROM_FDINFO, 101, 0, 0);
	look("");
}
END_TEST

START_TEST(a_module_that_comes_and_goes_is_no_news_of_guests)
{
	see_module(A, 100, 4, 9);
	look("");
	see(A, ATTACH_FROM_PROC, 100, 0, 0);
	look("");
	see_module(A, 100, 1, 0);
	look("");
	hear(A, EVENT_DETACH, 1, 100);
	hear(A, EVENT_ATTACH, 2, 101);
	see_module(A, 101, 2, 2);
	look("A-100@1 A+101@2 ");
	/* Reloaded between two looks. */
	see_module(A, 101, 1, 0);
	look("");
	see_module(A, 0, 1, 1);
	look("A-101@1 ");
}
END_TEST

START_TEST(an_earlier_daemons_word_counts)
{
	struct attach_told told = {
		.uuid = A, .attached = true, .by_module = true, .pid = 100, .count = 2, .seq = 5};

	ck_assert_int_eq(attach_log_restore(l, &told), 0);
	attach_log_restored(l);
	see_module(A, 101, 3, 8);
	see_module(B, 102, 1, 2);
	look("B+102@2 A-100@8 A+101@8 ");
}
END_TEST

/* ---- at random ---- */

#define DEVICES 3u
#define VMS 4u
#define EVENTS 4000u

struct truth {
	struct attach_event event;
	bool heard;
};

static struct world {
	uint64_t seq;
	unsigned owner[DEVICES]; /* VM + 1; 0: none */
	uint64_t count[DEVICES], last[DEVICES];
	struct truth events[EVENTS];
	size_t n;
} world;

static const char *uuid_of(unsigned d)
{
	static const char *const uuids[DEVICES] = {A, B, "2d5cb6e9-0000-4000-8000-00000000000c"};

	return uuids[d];
}

static void happens(unsigned d, enum attach_event_type type, unsigned vm)
{
	struct attach_event *e = &world.events[world.n++].event;

	*e = (struct attach_event){.type = type, .seq = ++world.seq, .pid = 100 + vm};
	strcpy(e->uuid, uuid_of(d));
	world.last[d] = e->seq;
}

static void open_device(unsigned d, unsigned vm)
{
	if (world.owner[d])
		return; /* EBUSY: the driver never sees it */
	for (unsigned i = 0; i < DEVICES; i++)
		if (world.owner[i] == vm + 1) {
			happens(d, EVENT_ATTACH_FAILED, vm);
			return;
		}
	world.owner[d] = vm + 1;
	world.count[d]++;
	happens(d, EVENT_ATTACH, vm);
}

static void close_device(unsigned d)
{
	if (world.owner[d])
		happens(d, EVENT_DETACH, world.owner[d] - 1);
	world.owner[d] = 0;
}

static void kill_vm(unsigned vm)
{
	for (unsigned d = 0; d < DEVICES; d++)
		if (world.owner[d] == vm + 1)
			close_device(d);
}

static void something_happens(struct random *r)
{
	switch (random_below(r, 4)) {
	case 0:
		close_device(random_below(r, DEVICES));
		break;
	case 1:
		kill_vm(random_below(r, VMS));
		break;
	default:
		open_device(random_below(r, DEVICES), random_below(r, VMS));
	}
}

static bool same(const struct attach_event *a, const struct attach_event *b)
{
	return strcmp(a->uuid, b->uuid) == 0 && a->type == b->type && a->seq == b->seq &&
		a->pid == b->pid;
}

/* Every change of a device in its order; what was heard as it was. */
static void judge_device(unsigned d, const struct attach_event *told, size_t n, bool all_heard)
{
	uint64_t last = 0;
	size_t k = 0;

	for (size_t i = 0; i < world.n; i++) {
		const struct attach_event *e = &world.events[i].event;

		if (strcmp(e->uuid, uuid_of(d)) != 0 || e->type == EVENT_ATTACH_FAILED)
			continue;
		while (k < n &&
			(strcmp(told[k].uuid, uuid_of(d)) != 0 ||
				told[k].type == EVENT_ATTACH_FAILED))
			k++;
		ck_assert_msg(k < n, "event %zu of %s was not told", i, uuid_of(d));
		ck_assert_uint_eq(told[k].type, e->type);
		ck_assert_uint_ge(told[k].seq, last);
		last = told[k].seq;
		if (all_heard)
			ck_assert(same(&told[k], e));
		k++;
	}
	for (; k < n; k++)
		ck_assert_msg(strcmp(told[k].uuid, uuid_of(d)) != 0 ||
				told[k].type == EVENT_ATTACH_FAILED,
			"%s: told too often", uuid_of(d));
}

/* What was heard before a look counted it is told as it is.  A lost one may look like it: it has
 * its number. */
static void judge_heard(const struct attach_event *told, size_t n)
{
	for (size_t i = 0; i < world.n; i++) {
		size_t times = 0;

		for (size_t k = 0; k < n; k++)
			times += same(&told[k], &world.events[i].event);
		if (!world.events[i].heard)
			continue;
		ck_assert_msg(times > 0, "event %zu was not told", i);
		if (world.events[i].event.type == EVENT_ATTACH_FAILED)
			ck_assert_msg(times == 1, "event %zu was told %zu times", i, times);
	}
}

static void live(uint64_t seed, unsigned lost_percent)
{
	struct random r = {seed};
	struct attach_event told[600];
	size_t n_told = 0, from = 0;

	memset(&world, 0, sizeof(world));
	make();
	for (unsigned d = 0; d < DEVICES; d++)
		see_module(uuid_of(d), 0, 0, 0);
	look("");
	for (unsigned i = 0; i < 40; i++) {
		_cleanup_free_ struct attach_event *news = NULL;
		unsigned many = random_below(&r, 8);
		uint64_t previous = 0;
		size_t n;

		for (unsigned k = 0; k < many; k++)
			something_happens(&r);
		for (; from < world.n; from++) {
			if (random_below(&r, 100) < lost_percent)
				continue;
			world.events[from].heard = true;
			hear(world.events[from].event.uuid, world.events[from].event.type,
				world.events[from].event.seq, world.events[from].event.pid);
		}
		/* Late and doubled ones. */
		if (world.n > 0 && random_below(&r, 3) == 0) {
			const struct attach_event *e =
				&world.events[random_below(&r, (unsigned)world.n)].event;

			if (e->type != EVENT_ATTACH_FAILED)
				hear(e->uuid, e->type, e->seq, e->pid);
		}
		for (unsigned d = 0; d < DEVICES; d++)
			see_module(uuid_of(d), world.owner[d] ? 99 + world.owner[d] : 0,
				world.count[d], world.last[d]);
		ck_assert_int_eq(attach_log_look(l, o, &news, &n), 0);
		for (size_t k = 0; k < n; k++) {
			ck_assert_uint_ge(news[k].seq, previous);
			previous = news[k].seq;
			ck_assert_uint_lt(n_told, ARRAY_SIZE(told));
			told[n_told++] = news[k];
		}
	}
	for (unsigned d = 0; d < DEVICES; d++)
		judge_device(d, told, n_told, lost_percent == 0);
	judge_heard(told, n_told);
	unmake();
}

START_TEST(whatever_happens_is_told_once_and_in_order)
{
	for (uint64_t seed = 1; seed <= 500; seed++)
		live(seed, 0);
}
END_TEST

START_TEST(whatever_is_lost_is_made_up_for)
{
	for (uint64_t seed = 1; seed <= 1500; seed++)
		live(seed, 10 + (unsigned)(seed % 9) * 10);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("attach log");
	TCase *c = tcase_create("by hand"), *random = tcase_create("random");

	tcase_add_checked_fixture(c, make, unmake);
	tcase_add_test(c, the_first_look_tells_nothing);
	tcase_add_test(c, what_was_heard_is_told_when_a_look_confirms_it);
	tcase_add_test(c, several_devices_are_told_by_number);
	tcase_add_test(c, doubled_and_late_events_are_told_once);
	tcase_add_test(c, what_was_lost_goes_where_numbers_are_missing);
	tcase_add_test(c, without_numbers_of_its_own_a_lost_event_has_the_next);
	tcase_add_test(c, a_device_that_came_and_went_is_told);
	tcase_add_test(c, what_cannot_be_known_is_left_for_later);
	tcase_add_test(c, without_the_module_the_difference_is_told);
	tcase_add_test(c, a_module_that_comes_and_goes_is_no_news_of_guests);
	tcase_add_test(c, an_earlier_daemons_word_counts);
	tcase_add_test(random, whatever_happens_is_told_once_and_in_order);
	tcase_add_test(random, whatever_is_lost_is_made_up_for);
	suite_add_tcase(suite, c);
	suite_add_tcase(suite, random);
	return unit_main(suite);
}
