/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Drop-ins that the daemon writes itself: what it wrote reads back, what it did not it leaves alone. */
#include "load/definition.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "load/load.h"
#include "unit.h"
#include "util/fileio.h"

static char root_path[] = "/tmp/apmatrix-definition.XXXXXX";
static int root;

static void setup(void)
{
	memcpy(root_path + sizeof(root_path) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(root_path));
	root = open(root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(root, 0);
	ck_assert_int_eq(mkdir_parents_at(root, "etc/apmatrix.d", 0755), 0);
}

static void teardown(void)
{
	unlinkat(root, "etc/apmatrix.d/guest1.conf", 0);
	unlinkat(root, "etc/apmatrix.d", AT_REMOVEDIR);
	unlinkat(root, "etc", AT_REMOVEDIR);
	close(root);
	rmdir(root_path);
}

static const struct raw_setting some[] = {
	{"Adapters", "5, 6"},
	{"Domains", "4,0xab"},
	{"Guest", "db server"},
	{"LiveChange", "all"},
};

static char *make(const struct raw_setting *settings, size_t n)
{
	char *text = NULL, *reason = NULL;
	int r = definition_make("guest1", settings, n, &text, &reason);

	ck_assert_msg(r == 0, "%s", reason ? reason : "?");
	return text;
}

START_TEST(reads_back_as_given)
{
	_cleanup_free_ char *text = make(some, ARRAY_SIZE(some));
	_cleanup_(cleanup_fragment_free) struct fragment *f = NULL;
	_cleanup_(problems_done) struct problems problems = {};
	size_t k = 0;

	ck_assert_int_eq(load_text("x.conf", text, strlen(text), &problems, &f), 0);
	ck_assert_ptr_nonnull(f);
	for (size_t i = 0; i < f->n_items; i++) {
		if (!f->items[i].key)
			continue;
		ck_assert_str_eq(f->items[i].key, some[k].key);
		ck_assert_str_eq(f->items[i].value, some[k].value);
		k++;
	}
	ck_assert_uint_eq(k, ARRAY_SIZE(some));
}
END_TEST

START_TEST(refuses_what_cannot_stand_in_a_file)
{
	static const struct {
		const char *name;
		struct raw_setting setting;
	} rows[] = {
		{"../up", {"Adapters", "5"}},
		{"a/b", {"Adapters", "5"}},
		{"", {"Adapters", "5"}},
		{".hidden", {"Adapters", "5"}},
		{"a]\n[Host", {"Adapters", "5"}},
		{"guest1", {"Adaptors", "5"}},
		{"guest1", {"", "5"}},
		{"guest1", {"Adapters=5\nDomains", "5"}},
		{"guest1", {"Guest", "a\nAdapters=7"}},
		{"guest1", {"Guest", "a\n[Host]"}},
		{"guest1", {"Guest", "a #b"}},
		{"guest1", {"Guest", " a"}},
		{"guest1", {"Guest", "a "}},
		{"guest1", {"Guest", "a\\"}},
		{"guest1", {"Guest", "a\x01"}},
		{"guest1", {"Guest", "\xff\xfe"}},
		{"guest1", {"UUID", "no"}},
		{"guest1", {"Adapters", "5-"}},
		{"guest1", {"#Adapters", "5"}},
		{"guest1", {"[Adapters", "5"}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *text = NULL, *reason = NULL;
		int r = definition_make(rows[i].name, &rows[i].setting, 1, &text, &reason);

		ck_assert_msg(r == -EINVAL && reason && *reason, "row %zu: %s=%s gave %d", i,
			rows[i].setting.key, rows[i].setting.value, r);
	}
}
END_TEST

START_TEST(writes_replaces_and_removes_its_own)
{
	_cleanup_free_ char *one = make(some, 2), *two = make(some, 4), *read = NULL;
	struct stat st;

	ck_assert_int_eq(definition_write(root, "guest1", one), 0);
	ck_assert_int_eq(definition_write(root, "guest1", two), 0);
	ck_assert_int_gt(file_read_at(root, "etc/apmatrix.d/guest1.conf", 4096, &read), 0);
	ck_assert_str_eq(read, two);
	ck_assert_int_eq(fstatat(root, "etc/apmatrix.d/guest1.conf", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0644);
	ck_assert_int_eq(definition_remove(root, "guest1"), 0);
	ck_assert_int_eq(definition_remove(root, "guest1"), -ENOENT);
}
END_TEST

START_TEST(leaves_alone_what_hands_have_changed)
{
	_cleanup_free_ char *text = make(some, 2), *other = make(some, 4), *changed = NULL;
	const char *const hands[] = {
		"", "[Matrix guest1]\nAdapters=5\n", NULL, "# Written by apmatrixd; changed by"};

	ck_assert_int_gt(asprintf(&changed, "%s# mine\n", text), 0);
	for (size_t i = 0; i < ARRAY_SIZE(hands); i++) {
		const char *now = i == 2 ? changed : hands[i];
		_cleanup_free_ char *read = NULL;

		ck_assert_int_eq(
			file_replace_at(root, "etc/apmatrix.d/guest1.conf", now, strlen(now), 0644),
			0);
		ck_assert_int_eq(definition_write(root, "guest1", other), -EEXIST);
		ck_assert_int_eq(definition_remove(root, "guest1"), -EEXIST);
		ck_assert_int_ge(file_read_at(root, "etc/apmatrix.d/guest1.conf", 4096, &read), 0);
		ck_assert_str_eq(read, now);
	}
}
END_TEST

START_TEST(leaves_links_alone)
{
	_cleanup_free_ char *text = make(some, 2);

	ck_assert_int_eq(symlinkat("/dev/null", root, "etc/apmatrix.d/guest1.conf"), 0);
	ck_assert_int_eq(definition_write(root, "guest1", text), -EEXIST);
	ck_assert_int_eq(definition_remove(root, "guest1"), -EEXIST);
}
END_TEST

/* A writer that is killed leaves the old file or the new one, never a part. */
START_TEST(survives_being_killed)
{
	_cleanup_free_ char *one = make(some, 2), *two = make(some, 4);

	ck_assert_int_eq(definition_write(root, "guest1", one), 0);
	for (unsigned i = 0; i < 60; i++) {
		_cleanup_free_ char *read = NULL;
		pid_t pid = fork();

		ck_assert_int_ge(pid, 0);
		if (pid == 0)
			for (;;) {
				definition_write(root, "guest1", two);
				definition_write(root, "guest1", one);
			}
		/* Wherever it is by then: the number of reads differs from round to round. */
		for (unsigned k = 0; k <= i; k++) {
			ck_assert_int_gt(
				file_read_at(root, "etc/apmatrix.d/guest1.conf", 4096, &read), 0);
			ck_assert(strcmp(read, one) == 0 || strcmp(read, two) == 0);
			free(TAKE_PTR(read));
		}
		kill(pid, SIGKILL);
		ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
		ck_assert_int_gt(file_read_at(root, "etc/apmatrix.d/guest1.conf", 4096, &read), 0);
		ck_assert(strcmp(read, one) == 0 || strcmp(read, two) == 0);
		/* What is left lying is a hidden file that no reader looks at. */
		_cleanup_free_ char *temp = NULL;

		ck_assert_int_gt(asprintf(&temp, "etc/apmatrix.d/.guest1.conf.%d", pid), 0);
		unlinkat(root, temp, 0);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("definition");
	TCase *t = tcase_create("definition");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, reads_back_as_given);
	tcase_add_test(t, refuses_what_cannot_stand_in_a_file);
	tcase_add_test(t, writes_replaces_and_removes_its_own);
	tcase_add_test(t, leaves_alone_what_hands_have_changed);
	tcase_add_test(t, leaves_links_alone);
	tcase_add_test(t, survives_being_killed);
	suite_add_tcase(s, t);
	return unit_main(s);
}
