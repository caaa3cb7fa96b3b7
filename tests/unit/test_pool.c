/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The pool solver: examples that people know, clashes, a comparison with all masks of a small
 * universe, and machines so large that the search must be bounded.
 */
#include "core/pool.h"

#include <stdio.h>
#include <string.h>

#include "util/cleanup.h"

#include "unit.h"

static struct mask list(const char *text)
{
	struct mask m;

	ck_assert_int_eq(mask_parse_list(text, &m, NULL), 0);
	return m;
}

static void add(struct queues *q, const char *adapters, const char *domains)
{
	struct mask a = list(adapters), d = list(domains);

	queues_add_product(q, &a, &d);
}

static struct pool_request request_full(void)
{
	return (struct pool_request){.apmask = mask_full(), .aqmask = mask_full()};
}

static struct pool_result solve(const struct pool_request *q)
{
	struct pool_result r;

	ck_assert_int_eq(pool_solve(q, &r), 0);
	ck_assert(queues_is_empty(&r.impossible));
	ck_assert_uint_le(r.n_steps, POOL_STEPS_MAX);
	if (r.n_classes <= POOL_EXACT_CLASSES)
		ck_assert(r.exact);
	return r;
}

/* ---- what must hold of every result ---- */

static bool is_host(const struct pool_result *r, unsigned adapter, unsigned domain)
{
	return mask_test(&r->apmask, adapter) && mask_test(&r->aqmask, domain);
}

static const char *find_fault(const struct pool_request *q, const struct pool_result *r)
{
	struct mask newly[2] = {
		mask_andnot(&r->apmask, &q->apmask), mask_andnot(&r->aqmask, &q->aqmask)};
	unsigned n_host = 0;

	for (unsigned a = 0; a < MASK_BITS; a++) {
		for (unsigned d = 0; d < MASK_BITS; d++) {
			bool host = is_host(r, a, d), present = queues_test(&q->present, a, d);
			bool guest = queues_test(&q->guest, a, d);

			if (host && guest)
				return "a guest queue is the host's";
			if (!host && queues_test(&q->keep, a, d))
				return "a kept queue has left the host";
			if (queues_test(&r->forced, a, d) != (present && !host && !guest))
				return "the forced queues are wrong";
			n_host += host && present;
		}
	}
	if (mask_intersects(&newly[0], &q->stuck_adapters) ||
		mask_intersects(&newly[1], &q->stuck_domains))
		return "a stuck bit is set";
	if (n_host != r->n_host)
		return "n_host is wrong";
	return NULL;
}

static void assert_faultless(const struct pool_request *q, const struct pool_result *r)
{
	const char *fault = find_fault(q, r);

	ck_assert_msg(!fault, "%s", fault);
}

/* ---- examples ---- */

/* The three guests of Documentation/arch/s390/vfio-ap.rst. */
static void add_documented_guests(struct pool_request *q)
{
	add(&q->guest, "5,6", "4,0xab");
	add(&q->guest, "5", "0x47,0xff");
	add(&q->guest, "6", "0x47,0xff");
}

START_TEST(solves_the_kernel_documentations_example)
{
	static const struct {
		const char *adapters, *domains;
		const char *off_adapters, *off_domains;
		unsigned n_host;
	} table[] = {
		/* present,              cleared */
		{"4-6", "4,0x47,0xab,0xff", "5,6", "", 4},
		{"4-6", "0-9,0x47,0xab,0xff", "", "4,0x47,0xab,0xff", 27},
		{"3-6", "4,5,0x47,0xab,0xff", "5,6", "", 10},
		{"5,6", "4,0x47,0xab,0xff", "5,6", "", 0},
		{"", "", "5,6", "", 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct pool_request q = request_full();
		struct mask off[2] = {list(table[i].off_adapters), list(table[i].off_domains)};
		struct pool_result r;

		add_documented_guests(&q);
		add(&q.present, table[i].adapters, table[i].domains);
		r = solve(&q);
		off[0] = mask_andnot(&q.apmask, &off[0]);
		off[1] = mask_andnot(&q.aqmask, &off[1]);
		ck_assert_msg(mask_equal(&r.apmask, &off[0]), "row %zu: apmask", i);
		ck_assert_msg(mask_equal(&r.aqmask, &off[1]), "row %zu: aqmask", i);
		ck_assert_msg(r.n_host == table[i].n_host, "row %zu: %u", i, r.n_host);
		ck_assert_uint_eq(r.n_classes, 1);
		assert_faultless(&q, &r);
	}
}
END_TEST

START_TEST(changes_nothing_where_nothing_is_asked_for)
{
	struct pool_request q = {.apmask = list("0-3, 9"), .aqmask = list("7, 0xff")};
	struct pool_result r = solve(&q);

	ck_assert(mask_equal(&r.apmask, &q.apmask));
	ck_assert(mask_equal(&r.aqmask, &q.aqmask));
	ck_assert_uint_eq(r.n_classes, 0);
	ck_assert(r.exact);
}
END_TEST

START_TEST(gives_present_queues_back_to_the_host)
{
	struct pool_request q = {.apmask = list("0, 1"), .aqmask = list("0, 9")};
	struct mask adapters = list("0-3"), domains = list("0, 2, 9");
	struct pool_result r;

	add(&q.present, "2, 3", "2");
	add(&q.guest, "4", "0-5");
	r = solve(&q);
	ck_assert(mask_equal(&r.apmask, &adapters));
	ck_assert(mask_equal(&r.aqmask, &domains));
	ck_assert_uint_eq(r.n_host, 2);
}
END_TEST

START_TEST(names_the_queues_that_the_mask_product_takes_along)
{
	struct pool_request q = request_full();
	struct queues forced = {0};
	struct pool_result r;

	add_documented_guests(&q);
	add(&q.present, "4-6", "4-6, 0x47, 0xab, 0xff");
	add(&q.keep, "4", "4, 0x47, 0xab, 0xff");
	r = solve(&q);
	add(&forced, "5-6", "5-6");
	ck_assert_int_eq(memcmp(&r.forced, &forced, sizeof(forced)), 0);
	assert_faultless(&q, &r);
}
END_TEST

/* Equal in all but the numbers: the host keeps the lowest adapters. */
START_TEST(breaks_ties_by_the_lowest_numbers)
{
	struct pool_request q = request_full();
	struct mask adapters, domains;
	struct pool_result r;

	add(&q.present, "0-3", "0-3");
	for (unsigned n = 0; n < 4; n++)
		queues_set(&q.guest, n, n);
	r = solve(&q);
	adapters = mask_full();
	domains = mask_full();
	mask_clear(&adapters, 2);
	mask_clear(&adapters, 3);
	mask_clear(&domains, 0);
	mask_clear(&domains, 1);
	ck_assert(mask_equal(&r.apmask, &adapters));
	ck_assert(mask_equal(&r.aqmask, &domains));
	ck_assert_uint_eq(r.n_host, 4);
}
END_TEST

/* ---- clashes ---- */

START_TEST(names_the_queues_that_cannot_be_satisfied)
{
	static const struct {
		const char *guest[2], *keep[2], *stuck[2], *impossible[2];
	} table[] = {
		/* the guest wants a kept queue */
		{{"5", "4-6"}, {"5", "6,7"}, {"", ""}, {"5", "6"}},
		/* what is kept is a product, too */
		{{"5", "4"}, {"0-9", "4"}, {"", ""}, {"5", "4"}},
		/* the kernel would refuse to give a kept queue back */
		{{"", ""}, {"5", "6,7"}, {"", "0xf7"}, {"", ""}},
		{{"", ""}, {"5", "0xf6,0xf7"}, {"", "0xf7"}, {"5", "0xf7"}},
		{{"", ""}, {"0xf5", "6"}, {"0xf0-0xff", ""}, {"0xf5", "6"}},
		{{"5", "4"}, {"5", "4,0xf0"}, {"", "0xf0-0xff"}, {"5", "4,0xf0"}},
		/* set today: nothing to refuse */
		{{"", ""}, {"5", "6"}, {"5", "6"}, {"", ""}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct pool_request q = {.apmask = list("0-0x7f"), .aqmask = list("0-0x7f")};
		struct queues impossible = {0};
		struct pool_result r;
		int expected;

		add(&q.guest, table[i].guest[0], table[i].guest[1]);
		add(&q.keep, table[i].keep[0], table[i].keep[1]);
		q.stuck_adapters = list(table[i].stuck[0]);
		q.stuck_domains = list(table[i].stuck[1]);
		add(&impossible, table[i].impossible[0], table[i].impossible[1]);
		expected = queues_is_empty(&impossible) ? 0 : 1;
		ck_assert_msg(pool_solve(&q, &r) == expected, "row %zu", i);
		ck_assert_msg(memcmp(&r.impossible, &impossible, sizeof(impossible)) == 0,
			"row %zu: other queues are named", i);
	}
}
END_TEST

START_TEST(names_scattered_clashes_one_by_one)
{
	struct pool_request q = request_full();
	struct queues impossible = {0};
	struct pool_result r;

	queues_set(&q.keep, 3, 0x11);
	queues_set(&q.keep, 4, 0x12);
	queues_set(&q.guest, 3, 0x12);
	queues_set(&q.guest, 4, 0x12);
	queues_set(&q.guest, 5, 0x12);
	queues_set(&impossible, 3, 0x12);
	queues_set(&impossible, 4, 0x12);
	ck_assert_int_eq(pool_solve(&q, &r), 1);
	ck_assert_int_eq(memcmp(&r.impossible, &impossible, sizeof(impossible)), 0);
}
END_TEST

/* ---- comparison with all masks of a small universe ---- */

#define SIDE_MAX 6u

static uint64_t random_state;

static unsigned pick(unsigned n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)((random_state * UINT64_C(0x2545f4914f6cdd1d) >> 33) % n);
}

/* The universe: adapters and domains, ascending, some at the edges of words. */
static const unsigned place[2][SIDE_MAX] = {
	{0, 5, 63, 64, 200, 255},
	{4, 62, 127, 128, 191, 255},
};

/* A request within the universe: row i is for adapter place[0][i], its bit j for place[1][j]. */
struct small {
	unsigned n[2];
	unsigned guest[SIDE_MAX], keep[SIDE_MAX], present[SIDE_MAX];
	unsigned today[2], stuck[2];
};

static void small_add_product(const struct small *s, unsigned row[static SIDE_MAX])
{
	unsigned adapters = pick(1u << s->n[0]), domains = pick(1u << s->n[1]);

	for (unsigned a = 0; a < s->n[0]; a++) {
		if (adapters >> a & 1)
			row[a] |= domains;
	}
}

static void small_add_random(const struct small *s, unsigned row[static SIDE_MAX], unsigned of8)
{
	for (unsigned a = 0; a < s->n[0]; a++) {
		for (unsigned d = 0; d < s->n[1]; d++)
			row[a] |= (unsigned)(pick(8) < of8) << d;
	}
}

static void small_make_present(struct small *s)
{
	unsigned kind = pick(8);

	if (kind < 2)
		small_add_product(s, s->present);
	else if (kind < 4)
		small_add_random(s, s->present, 1 + pick(7));
	else if (kind < 7)
		small_add_random(s, s->present, 8);
	if (kind == 6) {
		unsigned hole = pick(s->n[0]);

		s->present[hole] &= ~(1u << pick(s->n[1]));
	}
}

static struct small small_make(uint64_t seed)
{
	struct small s = {0};

	random_state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	for (unsigned i = 0; i < 2; i++) {
		s.n[i] = seed % 16 ? 3 + pick(3) : SIDE_MAX;
		s.today[i] = pick(3) ? pick(1u << s.n[i]) : (1u << s.n[i]) - 1;
		s.stuck[i] = pick(3) ? 0 : pick(1u << s.n[i]) & pick(1u << s.n[i]);
	}
	if (pick(2))
		small_add_random(&s, s.guest, 1 + pick(4));
	else
		for (unsigned i = pick(4) + 1; i > 0; i--)
			small_add_product(&s, s.guest);
	for (unsigned i = pick(3) ? 0 : 1 + pick(2); i > 0; i--) {
		unsigned a = pick(s.n[0]), d = 1u << pick(s.n[1]);

		s.keep[a] |= d;
		if (pick(4))
			s.guest[a] &= ~d;
	}
	small_make_present(&s);
	return s;
}

static void rows_expand(const unsigned row[static SIDE_MAX], struct queues *ret)
{
	for (unsigned a = 0; a < SIDE_MAX; a++) {
		for (unsigned d = 0; d < SIDE_MAX; d++) {
			if (row[a] >> d & 1)
				queues_set(ret, place[0][a], place[1][d]);
		}
	}
}

static struct mask bits_expand(unsigned side, unsigned bits)
{
	struct mask m = {0};

	for (unsigned i = 0; i < SIDE_MAX; i++) {
		if (bits >> i & 1)
			mask_set(&m, place[side][i]);
	}
	return m;
}

/* Numbers outside the universe: some bits of today's masks, which must stay. */
static struct mask bits_around(unsigned side)
{
	struct mask m = side ? list("0-3, 9-61, 0xf0-0xfe") : list("1, 2, 0x41-0x50"), inside;

	inside = bits_expand(side, ~0u);
	return mask_andnot(&m, &inside);
}

static struct pool_request small_expand(const struct small *s)
{
	struct pool_request q = {0};
	struct mask around[2] = {bits_around(0), bits_around(1)};

	rows_expand(s->guest, &q.guest);
	rows_expand(s->keep, &q.keep);
	rows_expand(s->present, &q.present);
	q.apmask = bits_expand(0, s->today[0]);
	q.aqmask = bits_expand(1, s->today[1]);
	q.apmask = mask_or(&q.apmask, &around[0]);
	q.aqmask = mask_or(&q.aqmask, &around[1]);
	q.stuck_adapters = bits_expand(0, s->stuck[0]);
	q.stuck_domains = bits_expand(1, s->stuck[1]);
	return q;
}

static unsigned reversed(unsigned bits)
{
	unsigned r = 0;

	for (unsigned i = 0; i < SIDE_MAX; i++)
		r |= (bits >> i & 1) << (SIDE_MAX - 1 - i);
	return r;
}

/* One number for the whole order of preference: the greater is better; 0: not a cover. */
static uint64_t small_judge(const struct small *s, unsigned adapters, unsigned domains)
{
	unsigned n_host = 0, distance;

	if (adapters & ~s->today[0] & s->stuck[0] || domains & ~s->today[1] & s->stuck[1])
		return 0;
	for (unsigned a = 0; a < s->n[0]; a++) {
		unsigned row = adapters >> a & 1 ? domains : 0;

		if (row & s->guest[a] || s->keep[a] & ~row)
			return 0;
		n_host += (unsigned)__builtin_popcount(row & s->present[a]);
	}
	distance = (unsigned)__builtin_popcount(adapters ^ s->today[0]) +
		(unsigned)__builtin_popcount(domains ^ s->today[1]);
	return (uint64_t)1 << 40 | (uint64_t)n_host << 24 | (uint64_t)(255 - distance) << 16 |
		reversed(adapters) << 8 | reversed(domains);
}

static uint64_t small_search(const struct small *s, unsigned ret_best[static 2])
{
	uint64_t best = 0;

	for (unsigned a = 0; a < 1u << s->n[0]; a++) {
		for (unsigned d = 0; d < 1u << s->n[1]; d++) {
			uint64_t worth = small_judge(s, a, d);

			if (worth <= best)
				continue;
			best = worth;
			ret_best[0] = a;
			ret_best[1] = d;
		}
	}
	return best;
}

static bool small_has_cover(const struct small *s)
{
	unsigned best[2];

	return small_search(s, best) != 0;
}

/* A kept queue is impossible if even alone it has no cover, a guest queue if it has none among
 * what is kept. */
static bool small_is_impossible(const struct small *s, unsigned adapter, unsigned domain)
{
	struct small keep = *s, guest = *s;
	unsigned bit = 1u << domain;

	memset(keep.guest, 0, sizeof(keep.guest));
	memset(keep.keep, 0, sizeof(keep.keep));
	keep.keep[adapter] = s->keep[adapter] & bit;
	memset(guest.guest, 0, sizeof(guest.guest));
	memset(guest.stuck, 0, sizeof(guest.stuck));
	guest.guest[adapter] = s->guest[adapter] & bit;
	return !small_has_cover(&keep) || !small_has_cover(&guest);
}

static void assert_impossible(const struct small *s, const struct queues *named, uint64_t seed)
{
	for (unsigned a = 0; a < s->n[0]; a++) {
		for (unsigned d = 0; d < s->n[1]; d++)
			ck_assert_msg(queues_test(named, place[0][a], place[1][d]) ==
					small_is_impossible(s, a, d),
				"seed %llu: %u.%u", (unsigned long long)seed, a, d);
	}
}

static void compare_small(uint64_t seed, unsigned *n_covers)
{
	struct small s = small_make(seed);
	struct pool_request q = small_expand(&s);
	struct mask expected[2], around;
	struct pool_result r;
	unsigned best[2];
	int rc = pool_solve(&q, &r);
	const char *fault;

	if (!small_search(&s, best)) {
		ck_assert_msg(rc == 1, "seed %llu: no cover", (unsigned long long)seed);
		assert_impossible(&s, &r.impossible, seed);
		return;
	}
	(*n_covers)++;
	ck_assert_msg(rc == 0 && r.exact, "seed %llu: has a cover", (unsigned long long)seed);
	fault = seed % 64 ? NULL : find_fault(&q, &r);
	ck_assert_msg(!fault, "seed %llu: %s", (unsigned long long)seed, fault);
	for (unsigned i = 0; i < 2; i++) {
		around = bits_around(i);
		expected[i] = bits_expand(i, best[i]);
		expected[i] = mask_or(&expected[i], &around);
	}
	ck_assert_msg(mask_equal(&r.apmask, &expected[0]) && mask_equal(&r.aqmask, &expected[1]),
		"seed %llu: %u x %u, best %#x %#x, another one found", (unsigned long long)seed,
		s.n[0], s.n[1], best[0], best[1]);
}

START_TEST(finds_the_best_of_all_covers)
{
	unsigned n_covers = 0;

	for (uint64_t seed = 0; seed < 6000; seed++)
		compare_small(seed, &n_covers);
	ck_assert_uint_gt(n_covers, 4000);
	ck_assert_uint_lt(n_covers, 6000); /* else the clashes were not tried */
}
END_TEST

/* ---- large machines ---- */

START_TEST(solves_independent_guests_of_a_full_machine)
{
	struct pool_request q = request_full();
	struct mask half = mask_up_to(127);
	struct pool_result r;

	add(&q.present, "0-255", "0-255");
	for (unsigned n = 0; n < MASK_BITS; n++)
		queues_set(&q.guest, n, 255 - n);
	r = solve(&q);
	ck_assert(r.exact);
	ck_assert_uint_eq(r.n_classes, 256);
	ck_assert_uint_eq(r.n_host, 128 * 128);
	ck_assert(mask_equal(&r.apmask, &half));
	ck_assert(mask_equal(&r.aqmask, &half));
	assert_faultless(&q, &r);
}
END_TEST

/* Rows of 1, 2, ... 256 domains, as different and as entangled as can be. */
START_TEST(solves_nested_guests_of_a_full_machine)
{
	struct pool_request q = request_full();
	struct pool_result r;

	add(&q.present, "0-255", "0-255");
	for (unsigned n = 0; n < MASK_BITS; n++)
		q.guest.row[n] = mask_up_to(n);
	r = solve(&q);
	ck_assert(r.exact);
	ck_assert_uint_eq(r.n_host, 128 * 127 + 128);
	assert_faultless(&q, &r);
}
END_TEST

static unsigned pick_queue(unsigned base, unsigned range)
{
	unsigned adapter = base + pick(range);

	return (adapter % MASK_BITS) << 8 | (base + pick(range)) % MASK_BITS;
}

/* Guests of four queues each, anywhere within the adapters and domains of their group. */
static void add_random_guests(struct queues *q, unsigned n, unsigned group)
{
	for (unsigned i = 0; i < 4 * n; i++) {
		unsigned queue = pick_queue(i / 4 / group * group, group);

		queues_set(q, queue >> 8, queue & 255);
	}
}

/* Clears every guest's adapters, or every guest's domains. */
static unsigned host_of_simple_covers(const struct pool_request *q)
{
	struct mask adapters = queues_adapters(&q->guest), domains = queues_domains(&q->guest);
	unsigned n[2] = {0};

	for (unsigned a = 0; a < MASK_BITS; a++) {
		struct mask row = mask_andnot(&q->present.row[a], &domains);

		n[0] += mask_test(&adapters, a) ? 0 : mask_count(&q->present.row[a]);
		n[1] += mask_count(&row);
	}
	return n[0] > n[1] ? n[0] : n[1];
}

START_TEST(bounds_the_search_on_any_large_machine)
{
	static const struct {
		const char *name;
		bool exact;
		unsigned dense; /* of 8 queues this many are a guest's, anywhere */
		unsigned n, group;
		const char *present_adapters, *present_domains;
		unsigned holes;
	} table[] = {
		{"dense", false, 4, 0, 0, "0-255", "0-255", 0},
		{"groups", true, 0, 256, 16, "0-255", "0-255", 0},
		{"groups, none present", true, 0, 256, 16, "", "", 0},
		{"groups, holes", false, 0, 256, 16, "0-255", "0-255", 9},
		{"all share, none present", false, 0, 256, 256, "", "", 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct pool_request q = request_full();
		struct pool_result r;

		random_state = 42 + i;
		add(&q.present, table[i].present_adapters, table[i].present_domains);
		add_random_guests(&q.guest, table[i].n, table[i].group);
		for (unsigned n = 0; n < MASK_BITS * MASK_BITS && table[i].dense; n++) {
			if (pick(8) < table[i].dense)
				queues_set(&q.guest, n / MASK_BITS, n % MASK_BITS);
		}
		for (unsigned n = 0; n < table[i].holes; n++) {
			unsigned queue = pick_queue(0, MASK_BITS);

			queues_clear(&q.present, queue >> 8, queue & 255);
		}
		r = solve(&q);
		ck_assert_msg(r.exact == table[i].exact, "%s: exact", table[i].name);
		ck_assert_msg(r.n_host >= host_of_simple_covers(&q), "%s: %u queues left",
			table[i].name, r.n_host);
		assert_faultless(&q, &r);
	}
}
END_TEST

static void add_case(Suite *suite, const char *name, const TTest *const *tests, size_t n)
{
	TCase *tcase = tcase_create(name);

	for (size_t i = 0; i < n; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
}

static Suite *pool_suite(void)
{
	const TTest *const examples[] = {
		solves_the_kernel_documentations_example,
		changes_nothing_where_nothing_is_asked_for,
		gives_present_queues_back_to_the_host,
		names_the_queues_that_the_mask_product_takes_along,
		breaks_ties_by_the_lowest_numbers,
		names_the_queues_that_cannot_be_satisfied,
		names_scattered_clashes_one_by_one,
	};
	const TTest *const small[] = {finds_the_best_of_all_covers};
	const TTest *const large[] = {
		solves_independent_guests_of_a_full_machine,
		solves_nested_guests_of_a_full_machine,
		bounds_the_search_on_any_large_machine,
	};
	Suite *suite = suite_create("pool");

	add_case(suite, "examples", examples, ARRAY_SIZE(examples));
	add_case(suite, "small", small, ARRAY_SIZE(small));
	add_case(suite, "large", large, ARRAY_SIZE(large));
	return suite;
}

int main(void)
{
	return unit_main(pool_suite());
}
