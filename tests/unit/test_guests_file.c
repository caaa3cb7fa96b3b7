/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a daemon leaves of guests to the next. */
#include "load/guests_file.h"

#include "faketree.h"

#define A "2d5cb6e9-0000-4000-8000-00000000000a"
#define B "2d5cb6e9-0000-4000-8000-00000000000b"
#define GUESTS "run/apmatrixd/guests"

static struct guest_record *records;
static size_t n;

static void make(void)
{
	fake_make();
	records = NULL;
	n = 0;
}

static void unmake(void)
{
	free(records);
	fake_remove();
}

START_TEST(what_was_saved_is_read_again)
{
	/* As libvirt lets a domain be called. */
	static const struct guest_record saved[] = {
		{{A, true, true, 4711, 3, 7}, "guest \"1\" = 100% \xc3\xbc\xff;#\n"},
		{{B, false, false, 0, UINT64_MAX, UINT64_MAX}, ""},
	};

	ck_assert_int_eq(guests_save(fake_root, saved, 2), 0);
	ck_assert_int_eq(guests_load(fake_root, &records, &n), 0);
	ck_assert_uint_eq(n, 2);
	for (size_t i = 0; i < n; i++) {
		ck_assert_str_eq(records[i].told.uuid, saved[i].told.uuid);
		ck_assert_int_eq(records[i].told.attached, saved[i].told.attached);
		ck_assert_int_eq(records[i].told.by_module, saved[i].told.by_module);
		ck_assert_uint_eq(records[i].told.pid, saved[i].told.pid);
		ck_assert(records[i].told.count == saved[i].told.count);
		ck_assert(records[i].told.seq == saved[i].told.seq);
		ck_assert_str_eq(records[i].guest, saved[i].guest);
	}
}
END_TEST

START_TEST(the_longest_name_fits)
{
	struct guest_record saved = {{.uuid = A}, ""};

	memset(saved.guest, '\xff', GUEST_NAME_MAX);
	ck_assert_int_eq(guests_save(fake_root, &saved, 1), 0);
	ck_assert_int_eq(guests_load(fake_root, &records, &n), 0);
	ck_assert_str_eq(records[0].guest, saved.guest);
}
END_TEST

START_TEST(no_file_is_another_thing_than_no_guests)
{
	ck_assert_int_eq(guests_load(fake_root, &records, &n), -ENOENT);
	ck_assert_int_eq(guests_save(fake_root, NULL, 0), 0);
	ck_assert_int_eq(guests_load(fake_root, &records, &n), 0);
	ck_assert_uint_eq(n, 0);
}
END_TEST

#define WHOLE "\n# end 1\n"

static const char *const bad[] = {
	"",
	"[" A "]\nattached=yes\n",
	"[" A "]\nattached=yes\n\n# end 2\n",
	"attached=yes\n" WHOLE,
	"[x]\nattached=yes\n" WHOLE,
	"[" A "]\nattached=maybe\n" WHOLE,
	"[" A "]\ncolour=red\n" WHOLE,
	"[" A "]\npid=-1\n" WHOLE,
	"[" A "]\npid=99999999999\n" WHOLE,
	"[" A "]\nseq=18446744073709551616\n" WHOLE,
	"[" A "]\ncount=1x\n" WHOLE,
	"[" A "]\nguest=a%\n" WHOLE,
	"[" A "]\nguest=a%0\n" WHOLE,
	"[" A "]\nguest=a%00\n" WHOLE,
	"[" A "]\nguest=a%zz\n" WHOLE,
};

START_TEST(what_is_not_whole_or_not_ours_is_refused)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		fake_file(GUESTS, bad[i]);
		ck_assert_msg(guests_load(fake_root, &records, &n) == -EBADMSG, "row %zu", i);
		ck_assert_ptr_null(records);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guests file");
	TCase *c = tcase_create("guests");

	tcase_add_checked_fixture(c, make, unmake);
	tcase_add_test(c, what_was_saved_is_read_again);
	tcase_add_test(c, the_longest_name_fits);
	tcase_add_test(c, no_file_is_another_thing_than_no_guests);
	tcase_add_test(c, what_is_not_whole_or_not_ours_is_refused);
	suite_add_tcase(suite, c);
	return unit_main(suite);
}
