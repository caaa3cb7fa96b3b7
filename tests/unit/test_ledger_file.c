/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ledger written and read back, and every damage refused. */
#include "load/ledger_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "unit.h"
#include "util/fileio.h"

#define PATH "run/apmatrixd/ledger"
#define UUID_A "62177883-f1bb-47f0-914d-32a22e3a8804"
#define UUID_B "a964b686-50f0-52c8-a307-dd4fcc7428d7"
#define ZEROS "000000000000000000000000000000000000000000000000000000000000"

static char root_path[64];
static int root = -1;

static void make_root(void)
{
	snprintf(root_path, sizeof(root_path), "/tmp/test-ledger-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root_path));
	root = open(root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(root, 0);
}

static void remove_root(void)
{
	char command[128];

	close(root);
	snprintf(command, sizeof(command), "rm -rf '%s'", root_path);
	ck_assert_int_eq(system(command), 0);
}

static struct ledger *make_ledger(void)
{
	struct ledger *l = ledger_new();
	struct ledger_entry *e = ledger_get(l, UUID_B);

	e->adopted = e->made = true;
	e->intent = INTENT_STOPPED;
	e = ledger_get(l, UUID_A);
	strcpy(e->name, "guest1");
	e->made = e->set_known = true;
	mask_set(&e->set.adapters, 5);
	mask_set(&e->set.domains, 0xab);
	mask_set(&e->set.control_domains, 255);
	l->masks_known = true;
	l->apmask = mask_full();
	mask_clear(&l->apmask, 5);
	l->aqmask = mask_up_to(3);
	l->masks_refused = l->split = true;
	queues_set(&l->overrides, 5, 2);
	queues_set(&l->overrides, 0xfe, 0);
	queues_set(&l->overrides_begun, 0xfe, 0);
	return l;
}

static const char text_a[] =
	"# What apmatrixd made, adopted or was told by hand. Written by the daemon.\n"
	"\n"
	"[masks]\n"
	"apmask=0xfbffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\n"
	"aqmask=0xf000" ZEROS "\n"
	"\n"
	"[masks-refused]\n"
	"\n"
	"[overrides]\n"
	"05=0x2000" ZEROS "\n"
	"fe=0x8000" ZEROS "\n"
	"\n"
	"[overrides-begun]\n"
	"fe=0x8000" ZEROS "\n"
	"\n"
	"[" UUID_A "]\n"
	"name=guest1\n"
	"intent=config\n"
	"made=yes\n"
	"adopted=no\n"
	"set=0x0400" ZEROS ",0x000000000000000000000000000000000000000000100000"
	"0000000000000000,0x0000"
	"00000000000000000000000000000000000000000000000000000000"
	"0001\n"
	"\n"
	"[" UUID_B "]\n"
	"name=\n"
	"intent=stopped\n"
	"made=yes\n"
	"adopted=yes\n"
	"\n"
	"# end 2\n";

START_TEST(reads_back_what_it_wrote)
{
	_cleanup_(cleanup_ledger_free) struct ledger *l = make_ledger(), *back = NULL;
	_cleanup_free_ char *text = NULL;

	ck_assert_int_eq(ledger_save(root, l), 0);
	ck_assert_int_gt(file_read_at(root, PATH, 10000, &text), 0);
	ck_assert_str_eq(text, text_a);
	ck_assert_int_eq(ledger_load(root, &back), 0);
	ck_assert(ledger_equal(l, back));
}
END_TEST

START_TEST(is_empty_where_there_is_no_file)
{
	_cleanup_(cleanup_ledger_free) struct ledger *l = NULL, *back = NULL;

	ck_assert_int_eq(ledger_load(root, &l), 0);
	ck_assert_uint_eq(l->n, 0);
	ck_assert(!l->masks_known);
	ck_assert_int_eq(ledger_save(root, l), 0);
	ck_assert_int_eq(ledger_load(root, &back), 0);
	ck_assert(ledger_equal(l, back));
}
END_TEST

/* A daemon that was killed while it wrote the masks knows that they are its own, not what they are. */
START_TEST(keeps_that_masks_were_begun)
{
	_cleanup_(cleanup_ledger_free) struct ledger *l = ledger_new(), *back = NULL;

	ck_assert_ptr_nonnull(l);
	l->masks_ours = true;
	ck_assert_int_eq(ledger_save(root, l), 0);
	ck_assert_int_eq(ledger_load(root, &back), 0);
	ck_assert(back->masks_ours && !back->masks_known);
	ck_assert(ledger_equal(l, back));
}
END_TEST

/* All overrides have gone with their queues: it goes on queue by queue. */
START_TEST(keeps_how_the_pool_is_split)
{
	_cleanup_(cleanup_ledger_free) struct ledger *l = ledger_new(), *back = NULL;

	ck_assert_ptr_nonnull(l);
	l->split = true;
	ck_assert_int_eq(ledger_save(root, l), 0);
	ck_assert_int_eq(ledger_load(root, &back), 0);
	ck_assert(back->split && !back->masks_refused);
	ck_assert(ledger_equal(l, back));
}
END_TEST

START_TEST(refuses_every_beginning_of_the_text)
{
	ck_assert_int_eq(mkdir_parents_at(root, "run/apmatrixd", 0755), 0);
	for (size_t n = 0; n < sizeof(text_a) - 1; n++) {
		struct ledger *l = (struct ledger *)&n;

		ck_assert_int_eq(file_replace_volatile_at(root, PATH, text_a, n, 0644), 0);
		ck_assert_msg(ledger_load(root, &l) == -EBADMSG, "%zu bytes", n);
		ck_assert_ptr_eq(l, &n);
	}
}
END_TEST

START_TEST(refuses_damaged_texts)
{
	static const char *const texts[] = {
		"\n# end 1\n",
		"x\n# end 0\n",
		"made=yes\n# end 0\n",
		"[other]\n# end 0\n",
		"[" UUID_A "]\n# end 0\n",
		"[" UUID_A "]\n# end 2\n",
		"[" UUID_A "]\n# end 1",
		"[" UUID_A "]\n# end 1\n\n",
		"[62177883-F1BB-47F0-914D-32A22E3A8804]\n# end 1\n",
		"[" UUID_A "]\n[" UUID_A "]\n# end 1\n",
		"[" UUID_A "]\nmade=1\n# end 1\n",
		"[" UUID_A "]\nadopted=\n# end 1\n",
		"[" UUID_A "]\nother=yes\n# end 1\n",
		"[" UUID_A "]\nintent=other\n# end 1\n",
		"[" UUID_A "]\nset=0x1,0x1\n# end 1\n",
		"[" UUID_A "]\nname=" ZEROS "00000\n# end 1\n",
		"[masks]\napmask=0x1\n# end 0\n",
		"[masks]\napmask=y\naqmask=0x1\n# end 0\n",
		"[masks]\nother=0x1\n# end 0\n",
		"[overrides]\n5=0x1\n# end 0\n",
		"[overrides]\n0g=0x1\n# end 0\n",
		"[overrides]\n0A=0x1\n# end 0\n",
		"[overrides]\n05=y\n# end 0\n",
		"[overrides]\n05=0x1\n05=0x1\n# end 0\n",
		"[overrides]\n05=0x1\n[overrides]\n06=0x1\n# end 0\n",
		"[overrides-begun]\n05=0x1\n# end 0\n",
		"\xff\n# end 0\n",
	};

	ck_assert_int_eq(mkdir_parents_at(root, "run/apmatrixd", 0755), 0);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct ledger *l;

		ck_assert_int_eq(
			file_replace_volatile_at(root, PATH, texts[i], strlen(texts[i]), 0644), 0);
		ck_assert_msg(ledger_load(root, &l) == -EBADMSG, "row %zu", i);
	}
}
END_TEST

START_TEST(keeps_the_old_file_where_it_cannot_write)
{
	_cleanup_(cleanup_ledger_free) struct ledger *l = make_ledger();

	/* In the place of the directory there is a file. */
	ck_assert_int_eq(file_replace_at(root, "run", "x", 1, 0644), 0);
	ck_assert_int_eq(ledger_save(root, l), -ENOTDIR);
	ck_assert_int_eq(faccessat(root, "run", F_OK, 0), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ledger_file");
	TCase *tc = tcase_create("ledger_file");

	tcase_add_checked_fixture(tc, make_root, remove_root);
	tcase_add_test(tc, reads_back_what_it_wrote);
	tcase_add_test(tc, is_empty_where_there_is_no_file);
	tcase_add_test(tc, keeps_that_masks_were_begun);
	tcase_add_test(tc, keeps_how_the_pool_is_split);
	tcase_add_test(tc, refuses_every_beginning_of_the_text);
	tcase_add_test(tc, refuses_damaged_texts);
	tcase_add_test(tc, keeps_the_old_file_where_it_cannot_write);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
