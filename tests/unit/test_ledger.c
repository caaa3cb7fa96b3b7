/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ledger: found, made, removed, copied, compared. */
#include "core/ledger.h"

#include "random.h"
#include "unit.h"

#define UUID(n) "62177883-f1bb-47f0-914d-32a22e3a88" n

static void check_order(const struct ledger *l)
{
	size_t wrong = 0;

	for (size_t i = 1; i < l->n; i++)
		wrong += strcmp(l->entries[i - 1].uuid, l->entries[i].uuid) >= 0;
	ck_assert_uint_eq(wrong, 0);
}

START_TEST(an_entry_is_made_once)
{
	_cleanup_(cleanup_ledger_free) struct ledger *l = ledger_new();
	struct ledger_entry *e;

	ck_assert_ptr_null(ledger_find(l, UUID("04")));
	e = ledger_get(l, UUID("04"));
	ck_assert_str_eq(e->uuid, UUID("04"));
	ck_assert_str_eq(e->name, "");
	ck_assert_int_eq(e->intent, INTENT_CONFIG);
	ck_assert(!e->made && !e->adopted && !e->set_known);
	e->made = true;
	ck_assert(ledger_get(l, UUID("04"))->made);
	ck_assert_ptr_eq(ledger_find(l, UUID("04")), ledger_get(l, UUID("04")));
	ck_assert_uint_eq(l->n, 1);
}
END_TEST

START_TEST(agrees_with_an_array_of_flags)
{
	_cleanup_(cleanup_ledger_free) struct ledger *l = ledger_new();
	struct random random = {1};
	bool there[256] = {};

	for (int round = 0; round < 2000; round++) {
		unsigned n = random_below(&random, 256);
		size_t count = 0;
		char uuid[UUID_SIZE];

		snprintf(uuid, sizeof(uuid), UUID("%02x"), n);
		ck_assert((ledger_find(l, uuid) != NULL) == there[n]);
		if (random_below(&random, 2)) {
			ck_assert_str_eq(ledger_get(l, uuid)->uuid, uuid);
			there[n] = true;
		} else {
			ledger_remove(l, uuid);
			there[n] = false;
		}
		for (size_t i = 0; i < 256; i++)
			count += there[i];
		ck_assert_uint_eq(l->n, count);
		check_order(l);
	}
}
END_TEST

static struct ledger *sample(void)
{
	struct ledger *l = ledger_new();
	struct ledger_entry *e;

	ledger_get(l, UUID("07"))->intent = INTENT_STOPPED;
	e = ledger_get(l, UUID("04"));
	strcpy(e->name, "db");
	e->made = e->set_known = true;
	e->set.adapters = mask_up_to(5);
	l->masks_known = true;
	l->apmask = mask_up_to(99);
	return l;
}

START_TEST(a_copy_is_equal_and_independent)
{
	_cleanup_(cleanup_ledger_free) struct ledger *l = sample();
	_cleanup_(cleanup_ledger_free) struct ledger *copy = ledger_copy(l);
	_cleanup_(cleanup_ledger_free) struct ledger *empty = ledger_new();
	_cleanup_(cleanup_ledger_free) struct ledger *none = ledger_copy(empty);

	ck_assert(ledger_equal(l, copy));
	ck_assert(ledger_equal(empty, none));
	ck_assert(!ledger_equal(l, empty));
	ledger_remove(copy, UUID("04"));
	ck_assert(!ledger_equal(l, copy));
	ck_assert_ptr_nonnull(ledger_find(l, UUID("04")));
}
END_TEST

static void change(struct ledger *l, int field)
{
	struct ledger_entry *e = ledger_find(l, UUID("04"));

	switch (field) {
	case 0:
		l->masks_known = false;
		break;
	case 1:
		mask_set(&l->apmask, 200);
		break;
	case 2:
		mask_set(&l->aqmask, 200);
		break;
	case 3:
		strcpy(e->name, "web");
		break;
	case 4:
		e->intent = INTENT_STARTED;
		break;
	case 5:
		e->made = false;
		break;
	case 6:
		e->adopted = true;
		break;
	case 7:
		e->set_known = false;
		break;
	case 8:
		mask_set(&e->set.control_domains, 1);
		break;
	case 9:
		e->uuid[0] = '5';
		break;
	}
}

START_TEST(a_change_of_any_field_is_seen)
{
	for (int field = 0; field < 10; field++) {
		_cleanup_(cleanup_ledger_free) struct ledger *a = sample(), *b = sample();

		ck_assert(ledger_equal(a, b));
		change(b, field);
		ck_assert_msg(!ledger_equal(a, b), "field %d", field);
	}
}
END_TEST

START_TEST(intents_have_names)
{
	ck_assert_str_eq(intent_to_string(INTENT_CONFIG), "config");
	ck_assert_str_eq(intent_to_string(INTENT_STARTED), "started");
	ck_assert_str_eq(intent_to_string(INTENT_STOPPED), "stopped");
	ck_assert_int_eq(intent_from_string("stopped"), INTENT_STOPPED);
	ck_assert_int_eq(intent_from_string(""), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ledger");
	TCase *ledger = tcase_create("ledger");

	tcase_add_test(ledger, an_entry_is_made_once);
	tcase_add_test(ledger, agrees_with_an_array_of_flags);
	tcase_add_test(ledger, a_copy_is_equal_and_independent);
	tcase_add_test(ledger, a_change_of_any_field_is_seen);
	tcase_add_test(ledger, intents_have_names);
	suite_add_tcase(suite, ledger);
	return unit_main(suite);
}
