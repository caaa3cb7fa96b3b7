/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts, files and directories into a config, below a temporary root. */
#include "load/load.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"
#include "util/fileio.h"

#define PATH "/etc/apmatrix.d/f.conf"
#define M "[Matrix m]\n"
#define MACHINE_ID "0123456789abcdef0123456789abcdef\n"
/* Of the name "m" in the name space 01234567-89ab-cdef-0123-456789abcdef: what
 * uuidgen --sha1 --namespace ... --name m prints. */
#define UUID_OF_M "a964b686-50f0-52c8-a307-dd4fcc7428d7"

static char root_path[64];
static int root = -1;

static void make_root(void)
{
	snprintf(root_path, sizeof(root_path), "%s/test-load-XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(root_path));
	root = open(root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(root, 0);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(mkdir_parents_at(root, load_directories[i], 0755), 0);
	ck_assert_int_eq(file_replace_at(root, "etc/machine-id", MACHINE_ID, 33, 0644), 0);
}

static void remove_root(void)
{
	char command[128];

	close(root);
	snprintf(command, sizeof(command), "rm -rf '%s'", root_path);
	ck_assert_int_eq(system(command), 0);
}

static void put(const char *path, const char *text)
{
	ck_assert_int_eq(file_replace_volatile_at(root, path, text, strlen(text), 0644), 0);
}

/* A matrix with that adapter. */
static void put_matrix(const char *path, const char *name, unsigned adapter)
{
	char text[128];

	snprintf(text, sizeof(text), "[Matrix %s]\nAdapters=%u\nDomains=1\n", name, adapter);
	put(path, text);
}

/* One reading, and its problems as text: "FILE:LINE: CODE\n" each. */
struct result {
	struct config *config;
	struct problems problems;
	char codes[4096];
};

static void result_finish(struct result *r)
{
	size_t n = 0;

	r->codes[0] = '\0';
	for (size_t i = 0; i < r->problems.n && n < sizeof(r->codes); i++) {
		const struct problem *p = &r->problems.items[i];

		n += (size_t)snprintf(r->codes + n, sizeof(r->codes) - n, "%s:%u: %s\n", p->file,
			p->line, p->code);
	}
}

static void result_done(struct result *r)
{
	config_free(r->config);
	problems_done(&r->problems);
	*r = (struct result){};
}

static struct result read_drop_ins(struct load *l)
{
	struct result r = {};

	ck_assert_int_eq(load_read(l, &r.problems, &r.config), 0);
	result_finish(&r);
	return r;
}

static struct result check_text(struct load *l, const char *file, const char *text)
{
	struct result r = {};

	ck_assert_int_eq(load_check(l, file, text, strlen(text), &r.problems, &r.config), 0);
	result_finish(&r);
	return r;
}

/* "NAME=ADAPTERS " of each matrix. */
static const char *summary(const struct config *c)
{
	static char text[1024];
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < c->n_matrices; i++) {
		char list[MASK_LIST_SIZE];

		mask_format_list(&c->matrices[i].want.adapters, list);
		n += (size_t)snprintf(
			text + n, sizeof(text) - n, "%s=%s ", c->matrices[i].name, list);
	}
	return text;
}

static void expect(struct load *l, const char *matrices, const char *codes)
{
	struct result r = read_drop_ins(l);

	ck_assert_str_eq(summary(r.config), matrices);
	ck_assert_str_eq(r.codes, codes);
	result_done(&r);
}

/* --- texts --- */

#define X10 "xxxxxxxxxx"
#define X50 X10 X10 X10 X10 X10
#define B(text) text, sizeof(text) - 1

static const struct {
	const char *text;
	size_t size;
	unsigned line;
	const char *code, *expected;
} mistakes[] = {
	{B(M "Adapters=300\n"), 2, "bad-value", "Adapters=300: 300 is above 255; write"},
	{B(M "Adapters=7-5\n"), 2, "bad-value", "7-5 is a reversed range"},
	{B(M "Adapters=five\n"), 2, "bad-value", "five is not a number"},
	{B(M "Adaptors=5\n"), 2, "unknown-key", "did you mean Adapters=?"},
	{B(M "\n\n\nUUID=1\n"), 5, "bad-value", "is not a UUID"},
	{B("\n[Matrixx m]\nAdapters=x\n"), 2, "unknown-section",
		"[Matrixx m] is not a section; did you mean [Matrix NAME]?"},
	{B("[host]\n"), 1, "unknown-section", "did you mean [Host]?"},
	{B("[matrix m]\n"), 1, "unknown-section", "did you mean [Matrix NAME]?"},
	{B("[Guest]\n"), 1, "unknown-section", "write [Host] or [Matrix NAME]"},
	{B("[]\n"), 1, "unknown-section", "[] is not a section"},
	{B("[Matrix]\n"), 1, "unknown-section", "has no name"},
	{B("[Host m]\n"), 1, "unknown-section", "takes no name"},
	{B("[Matrix a b]\n"), 1, "bad-name", "[Matrix a b]: this is not a matrix's name"},
	{B("[Matrix " X50 X10 "xxxxx]\n"), 1, "bad-name", "write 1 to 64 of"},
	{B("[Matrix " X50 X50 X50 "]\n"), 1, "bad-section", "has 157 bytes, more than 128"},
	{B("[Matrix m\nAdapters=5\n"), 1, "bad-section", "has no ] at its end"},
	{B("[Host] x\n"), 1, "bad-section", "more after the section's header"},
	{B("[Host]]\n"), 1, "bad-section", "more after the section's header"},
	{B("\nAdapters=5\nDomains=4\n"), 2, "no-section",
		"Adapters= is in no section; write [Host] or [Matrix NAME] above it"},
	{B(M "Adapters\n"), 2, "bad-line", "\"Adapters\" is neither a [Section] nor"},
	{B(M "Adapters:5\n"), 2, "bad-line", "neither"},
	{B(M "=5\n"), 2, "bad-line", "\"\" before the = is not a key"},
	{B(M "Adapters:Domains=5\n"), 2, "bad-line", "\"Adapters:Domains\" before the ="},
	{B(M "Ad apters=5\n"), 2, "bad-line", "before the = is not a key"},
	{B(M "\xc3\xbc=5\n"), 2, "bad-line", "\"\xc3\xbc\" before the = is not a key"},
	{B(M X50 "=5\n"), 2, "bad-line", "has 50 bytes, more than 49"},
	{B(M "Adapters=5\n  6, 7\n"), 3, "bad-line", "lines are not continued; write KEY= again"},
	{B(M "Adapters=5 \\\n"), 2, "bad-line", "does not continue the line; write Adapters="},
	{B(M "Guest=a\0b\n"), 2, "nul-byte", "NUL byte at column 8"},
	{B(M "# a\0b\n"), 2, "nul-byte", "NUL byte at column 4"},
	{B("\0"), 1, "nul-byte", "NUL byte at column 1"},
	{B(M "Guest=\xff\n"), 2, "not-utf8", "byte 0xff at column 7 is not UTF-8"},
	{B(M "Guest=\xc3\n"), 2, "not-utf8", "byte 0xc3 at column 7"},
	{B(M "Guest=\xc3"), 2, "not-utf8", "byte 0xc3 at column 7"},
	{B(M "Guest=\xc0\xaf\n"), 2, "not-utf8", "byte 0xc0"},
	{B(M "Guest=\xe0\x80\xaf\n"), 2, "not-utf8", "byte 0xe0"},
	{B(M "Guest=\xed\xa0\x80\n"), 2, "not-utf8", "byte 0xed"},
	{B(M "Guest=\xf0\x8f\xbf\xbf\n"), 2, "not-utf8", "byte 0xf0"},
	{B(M "Guest=\xf4\x90\x80\x80\n"), 2, "not-utf8", "byte 0xf4"},
	{B("; \xfe\n"), 1, "not-utf8", "byte 0xfe"},
	{B(M "Guest=a\x1b[1m\n"), 2, "control-character", "(byte 0x1b) at column 8"},
	{B(M "Guest=a\rb\n"), 2, "control-character", "(byte 0x0d)"},
	{B(M "Guest=a\x7f\n"), 2, "control-character", "(byte 0x7f)"},
	{B(M "Guest=a\xc2\x80\n"), 2, "control-character", "(byte 0xc2)"},
	{B(M "Guest=a\tb\n"), 2, "bad-value", "control character"},
	{B("\xff\xfe[\0H\0"), 1, "not-utf8", "byte 0xff"},
	/* The keys after a header that cannot be read are nobody's. */
	{B(M "[Host\xff]\nDrift=report\n"), 2, "not-utf8", "byte 0xff"},
	{B("  [Host\x01\nDrift=report\n"), 1, "control-character", "byte 0x01"},
};

START_TEST(reports_each_mistake_at_its_line)
{
	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		_cleanup_free_ char *exact = malloc(mistakes[i].size);
		struct problems p = {};
		struct fragment *f = (struct fragment *)&p;

		/* Just as large as the text, so that a sanitizer sees a byte read beyond it. */
		memcpy(exact, mistakes[i].text, mistakes[i].size);
		ck_assert_int_eq(load_text(PATH, exact, mistakes[i].size, &p, &f), 0);
		ck_assert_msg(!f && p.n == 1, "row %zu: %zu problems", i, p.n);
		ck_assert_msg(p.items[0].line == mistakes[i].line &&
				strcmp(p.items[0].code, mistakes[i].code) == 0 &&
				strstr(p.items[0].text, mistakes[i].expected),
			"row %zu: %u: %s: %s", i, p.items[0].line, p.items[0].code,
			p.items[0].text);
		ck_assert_str_eq(p.items[0].file, PATH);
		problems_done(&p);
	}
}
END_TEST

/* Texts that hold just [Matrix m] Guest=expected. */
static const struct {
	const char *text;
	size_t size;
	const char *expected;
} values[] = {
	{B(M "Guest=g\n"), "g"},
	{B(M "Guest=g"), "g"},
	{B(M "Guest = g \n"), "g"},
	{B("  [Matrix m]\n\tGuest=g\n"), "g"},
	{B("[ Matrix \t m ]\nGuest=g\n"), "g"},
	{B("[Matrix m]\r\nGuest=g\r\n"), "g"},
	{B("\xef\xbb\xbf[Matrix m]\nGuest=g\n"), "g"},
	{B("# c\n; c\n  # c\n[Matrix m] # c\nGuest=g # c\n#\n"), "g"},
	{B(M "Guest=g ; c\n"), "g"},
	{B(M "Guest=g\t#c # d ; e\n"), "g"},
	{B(M "Guest=g#c;d\n"), "g#c;d"},
	{B(M "Guest=;g\n"), ";g"},
	{B(M "Guest=#g\n"), "#g"},
	{B(M "Guest= #g\n"), ""},
	{B(M "Guest=\n"), ""},
	{B(M "Guest=a=b:c\n"), "a=b:c"},
	{B(M "Guest=a  b\n"), "a  b"},
	{B(M "Guest=\"g\"\n"), "\"g\""},
	{B(M "Guest=[g]\n"), "[g]"},
	{B(M "Guest=\xc3\xbc \xe2\x82\xac \xf0\x9f\x98\x80\n"),
		"\xc3\xbc \xe2\x82\xac \xf0\x9f\x98\x80"},
	{B(M "Guest=" X50 X50 X50 X50 "\n"), X50 X50 X50 X50},
};

static struct fragment *read_right(const char *text, size_t size)
{
	struct fragment *f = NULL;
	struct problems p = {};

	ck_assert_int_eq(load_text(PATH, text, size, &p, &f), 0);
	ck_assert_msg(f && p.n == 0, "%s", p.n ? p.items[0].text : "no fragment");
	return f;
}

START_TEST(reads_values_and_comments)
{
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		struct fragment *f = read_right(values[i].text, values[i].size);

		ck_assert_msg(f->n_items == 2, "row %zu: %zu items", i, f->n_items);
		ck_assert_str_eq(f->items[0].name, "m");
		ck_assert_ptr_null(f->items[0].key);
		ck_assert_str_eq(f->items[1].name, "m");
		ck_assert_str_eq(f->items[1].key, "Guest");
		ck_assert_msg(strcmp(f->items[1].value, values[i].expected) == 0, "row %zu: \"%s\"",
			i, f->items[1].value);
		fragment_free(f);
	}
}
END_TEST

START_TEST(reads_names_longer_than_inihs_buffers)
{
	struct fragment *f = read_right(B("[Matrix " X50 X10 "xxxy]\nAdapters=1\n"));

	ck_assert_str_eq(f->items[1].name, X50 X10 "xxxy");
	fragment_free(f);
}
END_TEST

START_TEST(reads_a_list_of_3000_bytes)
{
	_cleanup_free_ char *text = NULL;
	char list[3100];
	size_t n = 0;
	struct fragment *f;

	for (unsigned i = 0; n < 3000; i++)
		n += (size_t)sprintf(list + n, "%u%s", i % 200, i % 3 ? " " : ", ");
	n += (size_t)sprintf(list + n, "255");
	ck_assert_int_ge(asprintf(&text, M "Domains=%s\nAdapters=9\n", list), 0);
	f = read_right(text, strlen(text));
	ck_assert_uint_eq(f->n_items, 3);
	ck_assert_str_eq(f->items[1].value, list);
	ck_assert_str_eq(f->items[2].value, "9");
	ck_assert_uint_eq(f->items[2].line, 3);
	fragment_free(f);
}
END_TEST

START_TEST(collects_all_mistakes_in_order_of_lines)
{
	static const char text[] = "Foo=1\n[Host]\nDrift=x\n\xff\n[Matrix a/b]\nAdapters=256\n"
				   "Domains\n[Nothing]\nIgnored=1\n[Matrix m]\nUUID=x";
	static const unsigned lines[] = {1, 3, 4, 5, 6, 7, 8, 11};
	struct problems p = {};
	struct fragment *f;

	ck_assert_int_eq(load_text(PATH, text, strlen(text), &p, &f), 0);
	ck_assert_ptr_null(f);
	ck_assert_uint_eq(p.n, ARRAY_SIZE(lines));
	for (size_t i = 0; i < p.n; i++)
		ck_assert_uint_eq(p.items[i].line, lines[i]);
	problems_done(&p);
}
END_TEST

START_TEST(tells_a_thousand_mistakes_and_the_number_of_the_rest)
{
	char text[2 * 1500];
	struct problems p = {};
	struct fragment *f;

	for (size_t i = 0; i < sizeof(text); i += 2)
		memcpy(text + i, "x\n", 2);
	ck_assert_int_eq(load_text(PATH, text, sizeof(text), &p, &f), 0);
	ck_assert_ptr_null(f);
	ck_assert_uint_eq(p.n, 1001);
	ck_assert_str_eq(p.items[1000].code, "too-many-errors");
	ck_assert_ptr_nonnull(strstr(p.items[1000].text, "500 more errors"));
	problems_done(&p);
}
END_TEST

/* --- directories --- */

START_TEST(reads_nothing_where_there_are_no_directories)
{
	struct load *l;

	ck_assert_int_eq(unlinkat(root, "etc/apmatrix.d", AT_REMOVEDIR), 0);
	ck_assert_int_eq(unlinkat(root, "usr/lib/apmatrix.d", AT_REMOVEDIR), 0);
	l = load_new(root);
	expect(l, "", "");
	ck_assert_int_lt(faccessat(root, "run/apmatrixd", F_OK, 0), 0);
	load_free(l);
}
END_TEST

START_TEST(fails_as_a_whole_where_a_directory_is_none)
{
	struct load *l = load_new(root);
	struct config *c = (struct config *)l;
	struct problems p = {};

	put_matrix("etc/apmatrix.d/a.conf", "a", 1);
	expect(l, "a=1 ", "");
	ck_assert_int_eq(unlinkat(root, "usr/lib/apmatrix.d", AT_REMOVEDIR), 0);
	put("usr/lib/apmatrix.d", "");
	ck_assert_int_eq(load_read(l, &p, &c), -ENOTDIR);
	ck_assert_ptr_eq(c, l);
	ck_assert_int_eq(unlinkat(root, "usr/lib/apmatrix.d", 0), 0);
	expect(l, "a=1 ", "");
	load_free(l);
}
END_TEST

START_TEST(orders_by_base_name_and_replaces_by_directory)
{
	struct load *l = load_new(root);

	/* 20 comes last although its directory is the lowest; of 10, etc's counts. */
	put_matrix("usr/lib/apmatrix.d/10-x.conf", "usr10", 1);
	put_matrix("run/apmatrix.d/10-x.conf", "run10", 1);
	put_matrix("etc/apmatrix.d/10-x.conf", "etc10", 1);
	put_matrix("run/apmatrix.d/15.conf", "run15", 1);
	put_matrix("usr/lib/apmatrix.d/15.conf", "usr15", 1);
	put("usr/lib/apmatrix.d/20.conf", "[Matrix etc10]\nAdapters=\nAdapters=7\n");
	/* Not drop-ins. */
	put_matrix("etc/apmatrix.d/30.conf.rpmsave", "no1", 1);
	put_matrix("etc/apmatrix.d/30.conf~", "no2", 1);
	put_matrix("etc/apmatrix.d/.40.conf", "no3", 1);
	put_matrix("etc/apmatrix.d/.conf", "no4", 1);
	put_matrix("etc/apmatrix.d/README", "no5", 1);
	expect(l, "etc10=7 run15=1 ", "");
	load_free(l);
}
END_TEST

START_TEST(masks_by_empty_files_and_links_to_null)
{
	struct load *l = load_new(root);

	put_matrix("usr/lib/apmatrix.d/a.conf", "a", 1);
	put_matrix("usr/lib/apmatrix.d/b.conf", "b", 2);
	put_matrix("usr/lib/apmatrix.d/c.conf", "c", 3);
	put_matrix("usr/lib/apmatrix.d/d.conf", "d", 4);
	put("etc/apmatrix.d/a.conf", "");
	ck_assert_int_eq(symlinkat("/dev/null", root, "run/apmatrix.d/b.conf"), 0);
	/* Only comments: replaces, and so masks, too. */
	put("etc/apmatrix.d/c.conf", "# none\n");
	expect(l, "d=4 ", "");
	ck_assert_int_eq(unlinkat(root, "run/apmatrix.d/b.conf", 0), 0);
	expect(l, "b=2 d=4 ", "");
	load_free(l);
}
END_TEST

START_TEST(follows_links_and_refuses_what_is_no_file)
{
	struct load *l = load_new(root);

	put_matrix("etc/a", "a", 1);
	ck_assert_int_eq(symlinkat("../a", root, "etc/apmatrix.d/a.conf"), 0);
	ck_assert_int_eq(symlinkat("nothing", root, "etc/apmatrix.d/b.conf"), 0);
	ck_assert_int_eq(mkdirat(root, "etc/apmatrix.d/c.conf", 0755), 0);
	ck_assert_int_eq(mkfifoat(root, "etc/apmatrix.d/d.conf", 0644), 0);
	ck_assert_int_eq(symlinkat("e.conf", root, "etc/apmatrix.d/e.conf"), 0);
	expect(l, "a=1 ",
		"/etc/apmatrix.d/b.conf:0: unreadable-file\n"
		"/etc/apmatrix.d/b.conf:0: rejected-file\n"
		"/etc/apmatrix.d/c.conf:0: not-a-file\n"
		"/etc/apmatrix.d/c.conf:0: rejected-file\n"
		"/etc/apmatrix.d/d.conf:0: not-a-file\n"
		"/etc/apmatrix.d/d.conf:0: rejected-file\n"
		"/etc/apmatrix.d/e.conf:0: unreadable-file\n"
		"/etc/apmatrix.d/e.conf:0: rejected-file\n");
	load_free(l);
}
END_TEST

START_TEST(refuses_names_that_cannot_be_shown)
{
	struct load *l = load_new(root);
	struct result r;

	put_matrix("etc/apmatrix.d/a\xff.conf", "a", 1);
	put_matrix("etc/apmatrix.d/b\n.conf", "b", 1);
	put_matrix("etc/apmatrix.d/\xc3\xbc.conf", "c", 1);
	r = read_drop_ins(l);
	ck_assert_str_eq(summary(r.config), "c=1 ");
	ck_assert_uint_eq(r.problems.n, 2);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_str_eq(r.problems.items[i].code, "bad-file-name");
		ck_assert_str_eq(r.problems.items[i].file, "/etc/apmatrix.d");
		ck_assert(strstr(r.problems.items[i].text, "a\\xff.conf") ||
			strstr(r.problems.items[i].text, "b\\x0a.conf"));
	}
	result_done(&r);
	load_free(l);
}
END_TEST

START_TEST(takes_files_up_to_the_limit_of_size)
{
	_cleanup_free_ char *text = malloc(LOAD_FILE_MAX + 2);
	struct load *l = load_new(root);

	memset(text, '\n', LOAD_FILE_MAX + 1);
	text[LOAD_FILE_MAX + 1] = '\0';
	memcpy(text, "[Matrix a]\nAdapters=1\nDomains=1", 31);
	put("etc/apmatrix.d/b.conf", text);
	text[LOAD_FILE_MAX] = '\0';
	put("etc/apmatrix.d/a.conf", text);
	expect(l, "a=1 ",
		"/etc/apmatrix.d/b.conf:0: file-too-large\n"
		"/etc/apmatrix.d/b.conf:0: rejected-file\n");
	load_free(l);

	/* The largest file is also kept over a restart. */
	put("etc/apmatrix.d/a.conf", "x");
	unlinkat(root, "etc/apmatrix.d/b.conf", 0);
	l = load_new(root);
	expect(l, "a=1 ",
		"/etc/apmatrix.d/a.conf:1: bad-line\n"
		"/etc/apmatrix.d/a.conf:0: rejected-file\n");
	load_free(l);
}
END_TEST

START_TEST(reads_none_of_too_many_files)
{
	struct load *l = load_new(root);
	char path[64];

	put_matrix("etc/apmatrix.d/a.conf", "a", 1);
	expect(l, "a=1 ", "");
	put_matrix("etc/apmatrix.d/a.conf", "a", 2);
	for (unsigned i = 0; i < LOAD_FILES_MAX; i++) {
		snprintf(path, sizeof(path), "run/apmatrix.d/f%06u.conf", i);
		put(path, "# c\n");
	}
	expect(l, "a=1 ", "/run/apmatrix.d/f004095.conf:0: too-many-files\n");
	ck_assert_int_eq(unlinkat(root, path, 0), 0);
	expect(l, "a=2 ", "");
	load_free(l);
}
END_TEST

START_TEST(is_quick_with_as_many_files_as_allowed)
{
	struct load *l = load_new(root);
	struct timespec from, to;
	struct result r;
	double seconds;

	for (unsigned i = 0; i < LOAD_FILES_MAX; i++) {
		char path[64], name[16];

		snprintf(path, sizeof(path), "etc/apmatrix.d/f%06u.conf", i);
		snprintf(name, sizeof(name), "m%u", i);
		put_matrix(path, name, i % 256);
	}
	clock_gettime(CLOCK_MONOTONIC, &from);
	r = read_drop_ins(l);
	clock_gettime(CLOCK_MONOTONIC, &to);
	ck_assert_uint_eq(r.config->n_matrices, LOAD_FILES_MAX);
	ck_assert_uint_eq(r.problems.n, 0);
	result_done(&r);
	load_free(l);
	seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
	printf("%u files: %.3f s\n", LOAD_FILES_MAX, seconds);
	/* A guard against what grows with the square, not a measurement. */
	ck_assert_msg(seconds < 20, "%.3f s", seconds);
}
END_TEST

/* --- last good --- */

START_TEST(keeps_the_last_good_text_until_right_or_gone)
{
	struct load *l = load_new(root);

	put_matrix("etc/apmatrix.d/a.conf", "a", 1);
	put_matrix("etc/apmatrix.d/b.conf", "b", 2);
	expect(l, "a=1 b=2 ", "");
	put("etc/apmatrix.d/a.conf", "[Matrix a]\nAdapters=3\nDomains=x\nStart=x\n");
	put_matrix("etc/apmatrix.d/b.conf", "b", 4);
	for (unsigned i = 0; i < 2; i++)
		expect(l, "a=1 b=4 ",
			"/etc/apmatrix.d/a.conf:3: bad-value\n"
			"/etc/apmatrix.d/a.conf:4: bad-value\n"
			"/etc/apmatrix.d/a.conf:0: rejected-file\n");
	put_matrix("etc/apmatrix.d/a.conf", "a", 5);
	expect(l, "a=5 b=4 ", "");
	put("etc/apmatrix.d/a.conf", "x");
	put("etc/apmatrix.d/b.conf", "x");
	expect(l, "a=5 b=4 ",
		"/etc/apmatrix.d/a.conf:1: bad-line\n"
		"/etc/apmatrix.d/a.conf:0: rejected-file\n"
		"/etc/apmatrix.d/b.conf:1: bad-line\n"
		"/etc/apmatrix.d/b.conf:0: rejected-file\n");
	ck_assert_int_eq(unlinkat(root, "etc/apmatrix.d/a.conf", 0), 0);
	put("etc/apmatrix.d/b.conf", "");
	expect(l, "", "");
	/* Gone is gone: a new file with an error has nothing before it. */
	put("etc/apmatrix.d/a.conf", "x");
	expect(l, "",
		"/etc/apmatrix.d/a.conf:1: bad-line\n"
		"/etc/apmatrix.d/a.conf:0: rejected-file\n");
	load_free(l);
}
END_TEST

START_TEST(keeps_the_last_good_text_over_a_restart)
{
	struct load *l = load_new(root);
	struct result r;

	put_matrix("usr/lib/apmatrix.d/a.conf", "a", 1);
	put("etc/apmatrix.d/b.conf", "[Matrix b]\nAdapters=2\nDomains=1");
	put_matrix("etc/apmatrix.d/c.conf", "c", 3);
	expect(l, "a=1 b=2 c=3 ", "");
	load_free(l);

	/* a is replaced by a wrong file in a higher directory, c goes away meanwhile. */
	put("etc/apmatrix.d/a.conf", "x");
	put("etc/apmatrix.d/b.conf", "x");
	unlinkat(root, "etc/apmatrix.d/c.conf", 0);
	for (unsigned i = 0; i < 2; i++) {
		l = load_new(root);
		r = read_drop_ins(l);
		ck_assert_str_eq(summary(r.config), "a=1 b=2 ");
		/* The lines are those of the file that was accepted. */
		ck_assert_str_eq(r.config->matrices[0].section.file, "/usr/lib/apmatrix.d/a.conf");
		ck_assert_str_eq(r.config->matrices[1].section.file, "/etc/apmatrix.d/b.conf");
		ck_assert_uint_eq(
			matrix_config_origin(&r.config->matrices[1], KEY_DOMAINS).line, 3);
		result_done(&r);
		load_free(l);
	}
	put("etc/apmatrix.d/c.conf", "x");
	l = load_new(root);
	expect(l, "a=1 b=2 ",
		"/etc/apmatrix.d/a.conf:1: bad-line\n"
		"/etc/apmatrix.d/a.conf:0: rejected-file\n"
		"/etc/apmatrix.d/b.conf:1: bad-line\n"
		"/etc/apmatrix.d/b.conf:0: rejected-file\n"
		"/etc/apmatrix.d/c.conf:1: bad-line\n"
		"/etc/apmatrix.d/c.conf:0: rejected-file\n");
	load_free(l);
}
END_TEST

START_TEST(ignores_damage_in_the_store)
{
	static const char *const stored[] = {
		"",
		"\n",
		"[Matrix a]\nAdapters=1\nDomains=1\n",
		"[Matrix a]\nAdapters=1\nDomains=1\n\n# accepted from /etc/apmatrix.d/a.conf",
		"[Matrix a]\nAdapters=1\nDomains=1\n\n# accepted from /etc/apmatrix.d/b.conf\n",
		"[Matrix a]\nAdapters=1\nDomains=1\n\n# accepted from /tmp/a.conf\n",
		"[Matrix a]\nAdapters=x\nDomains=1\n\n# accepted from /etc/apmatrix.d/a.conf\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(stored); i++) {
		struct load *l = load_new(root);

		ck_assert_int_eq(mkdir_parents_at(root, "run/apmatrixd/accepted", 0755), 0);
		put("run/apmatrixd/accepted/a.conf", stored[i]);
		put("etc/apmatrix.d/a.conf", "x");
		expect(l, "",
			"/etc/apmatrix.d/a.conf:1: bad-line\n"
			"/etc/apmatrix.d/a.conf:0: rejected-file\n");
		load_free(l);
	}
}
END_TEST

START_TEST(stores_what_was_accepted_and_only_that)
{
	struct load *l = load_new(root);
	_cleanup_free_ char *text = NULL;
	struct stat before, after;

	put_matrix("etc/apmatrix.d/a.conf", "a", 1);
	put_matrix("etc/apmatrix.d/b.conf", "b", 2);
	expect(l, "a=1 b=2 ", "");
	ck_assert_int_gt(file_read_at(root, "run/apmatrixd/accepted/a.conf", 1000, &text), 0);
	ck_assert_str_eq(text,
		"[Matrix a]\nAdapters=1\nDomains=1\n\n"
		"# accepted from /etc/apmatrix.d/a.conf\n");
	ck_assert_int_eq(fstatat(root, "run/apmatrixd/accepted/a.conf", &before, 0), 0);
	ck_assert_uint_eq(before.st_mode & 0777, 0644);

	/* Nothing new: nothing is written. */
	unlinkat(root, "etc/apmatrix.d/b.conf", 0);
	expect(l, "a=1 ", "");
	load_free(l);
	l = load_new(root);
	expect(l, "a=1 ", "");
	ck_assert_int_eq(fstatat(root, "run/apmatrixd/accepted/a.conf", &after, 0), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	ck_assert_int_lt(faccessat(root, "run/apmatrixd/accepted/b.conf", F_OK, 0), 0);
	load_free(l);
}
END_TEST

START_TEST(goes_on_without_a_store)
{
	struct load *l = load_new(root);

	put("run/apmatrixd", "");
	put_matrix("etc/apmatrix.d/a.conf", "a", 1);
	expect(l, "a=1 ", "/run/apmatrixd/accepted:0: not-stored\n");
	put("etc/apmatrix.d/a.conf", "x");
	expect(l, "a=1 ",
		"/etc/apmatrix.d/a.conf:1: bad-line\n"
		"/etc/apmatrix.d/a.conf:0: rejected-file\n"
		"/run/apmatrixd/accepted:0: not-stored\n");
	load_free(l);
}
END_TEST

START_TEST(keeps_the_last_good_text_of_an_unreadable_file)
{
	pid_t child;
	int status;

	put_matrix("etc/apmatrix.d/a.conf", "a", 1);
	ck_assert_int_eq(fchmodat(root, ".", 0755, 0), 0);
	fflush(NULL);
	/* Root may read everything: another user, in a process of its own. */
	child = fork();
	if (child == 0) {
		struct load *l = load_new(root);
		bool was_root = geteuid() == 0;

		expect(l, "a=1 ", "");
		ck_assert_int_eq(fchmodat(root, "etc/apmatrix.d/a.conf", 0, 0), 0);
		if (was_root)
			ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
		struct result r = read_drop_ins(l);

		ck_assert_str_eq(summary(r.config), "a=1 ");
		ck_assert_str_eq(r.problems.items[0].code, "unreadable-file");
		ck_assert_ptr_nonnull(strstr(r.problems.items[0].text, "Permission denied"));
		result_done(&r);
		load_free(l);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* --- check --- */

START_TEST(checks_a_text_as_if_it_were_installed)
{
	struct load *l = load_new(root);
	struct result r;

	put_matrix("usr/lib/apmatrix.d/a.conf", "a", 1);
	put_matrix("etc/apmatrix.d/b.conf", "b", 2);
	put("etc/apmatrix.d/bad.conf", "x");

	r = check_text(l, "a.conf", "[Matrix c]\nAdapters=3\nDomains=1\n");
	ck_assert_str_eq(summary(r.config), "b=2 c=3 ");
	ck_assert_str_eq(r.codes,
		"/etc/apmatrix.d/bad.conf:1: bad-line\n"
		"/etc/apmatrix.d/bad.conf:0: rejected-file\n");
	ck_assert_str_eq(config_find(r.config, "c")->section.file, "/etc/apmatrix.d/a.conf");
	result_done(&r);
	unlinkat(root, "etc/apmatrix.d/bad.conf", 0);

	r = check_text(l, "a.conf", "");
	ck_assert_str_eq(summary(r.config), "b=2 ");
	result_done(&r);
	r = check_text(l, "new.conf", "[Matrix b]\nAdapters=7\n");
	ck_assert_str_eq(summary(r.config), "a=1 b=2,7 ");
	result_done(&r);
	r = check_text(l, "b.conf", "\nx");
	ck_assert_str_eq(summary(r.config), "a=1 ");
	ck_assert_str_eq(r.codes,
		"/etc/apmatrix.d/b.conf:2: bad-line\n"
		"/etc/apmatrix.d/b.conf:0: rejected-file\n");
	result_done(&r);

	/* Nothing of all this was kept or written. */
	ck_assert_int_lt(faccessat(root, "run/apmatrixd", F_OK, 0), 0);
	expect(l, "a=1 b=2 ", "");
	r = check_text(l, "b.conf", "x");
	ck_assert_str_eq(summary(r.config), "a=1 b=2 ");
	result_done(&r);
	load_free(l);
}
END_TEST

START_TEST(refuses_to_check_what_is_no_drop_ins_name)
{
	static const char *const names[] = {"", "a", ".conf", ".a.conf", "a.conf~", "b/a.conf",
		"../a.conf", "/etc/apmatrix.d/a.conf", "a\xff.conf", "a\n.conf"};
	struct load *l = load_new(root);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct config *c;
		struct problems p;

		ck_assert_msg(load_check(l, names[i], "", 0, &p, &c) == -EINVAL, "row %zu", i);
	}
	load_free(l);
}
END_TEST

/* --- UUIDs --- */

START_TEST(derives_uuids_from_machine_id_and_name)
{
	struct load *l = load_new(root);
	struct result r;

	put_matrix("etc/apmatrix.d/m.conf", "m", 1);
	r = read_drop_ins(l);
	ck_assert_str_eq(r.config->matrices[0].uuid, UUID_OF_M);
	ck_assert(r.config->matrices[0].uuid_derived);
	result_done(&r);

	/* Someone else who writes that very UUID down. */
	put("etc/apmatrix.d/n.conf", "[Matrix n]\nUUID=" UUID_OF_M "\nAdapters=2\nDomains=1\n");
	expect(l, "m=1 n=2 ",
		"/etc/apmatrix.d/m.conf:1: duplicate-uuid\n"
		"/etc/apmatrix.d/n.conf:2: duplicate-uuid\n");
	load_free(l);
}
END_TEST

START_TEST(derives_nothing_without_a_machine_id)
{
	static const char *const ids[] = {NULL, "", "uninitialized\n",
		"0123456789abcdef0123456789abcde\n", "0123456789abcdef0123456789abcdef0\n",
		"0123456789abcdef0123456789abcdeg\n", "00000000000000000000000000000000\n"};
	struct load *l = load_new(root);

	put("etc/apmatrix.d/m.conf", "\n[Matrix m]\nAdapters=1\nDomains=1\n");
	put("etc/apmatrix.d/n.conf", "[Matrix n]\nUUID=" UUID_OF_M "\nAdapters=2\nDomains=1\n");
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		struct result r;

		unlinkat(root, "etc/machine-id", 0);
		if (ids[i])
			put("etc/machine-id", ids[i]);
		r = read_drop_ins(l);
		ck_assert_msg(strcmp(r.codes, "/etc/apmatrix.d/m.conf:2: no-machine-id\n") == 0,
			"row %zu: %s", i, r.codes);
		ck_assert_str_eq(config_find(r.config, "m")->uuid, "");
		ck_assert_str_eq(config_find(r.config, "n")->uuid, UUID_OF_M);
		result_done(&r);
	}
	load_free(l);
}
END_TEST

static const char rule[] = "etc/udev/rules.d/41-ap.rules";
static const char machine_rule[] = "run/udev/rules.d/41-ap.rules";

START_TEST(finds_the_masks_that_chzdev_stored)
{
	struct load *l = load_new(root);
	struct stored_masks s;
	struct result r;

	ck_assert_int_eq(mkdir_parents_at(root, "etc/udev/rules.d", 0755), 0);
	ck_assert_int_eq(mkdir_parents_at(root, "run/udev/rules.d", 0755), 0);
	put_matrix("etc/apmatrix.d/a.conf", "a", 1);
	put(machine_rule, "\nATTR{../../bus/ap/apmask}=\"-1\"\n");
	r = read_drop_ins(l);
	s = r.config->stored;
	ck_assert_str_eq(s.apmask_at.file, "/run/udev/rules.d/41-ap.rules");
	ck_assert_uint_eq(s.apmask_at.line, 2);
	ck_assert_ptr_null(s.aqmask_at.file);
	ck_assert(!mask_test(&s.apmask, 1));
	ck_assert_str_eq(r.codes, "");
	result_done(&r);

	/* /etc hides /run, as udev has it. */
	put(rule, "ATTR{../../bus/ap/aqmask}=\"-2\"\n");
	r = read_drop_ins(l);
	ck_assert_ptr_null(r.config->stored.apmask_at.file);
	ck_assert_str_eq(r.config->stored.aqmask_at.file, "/etc/udev/rules.d/41-ap.rules");
	ck_assert_str_eq(r.codes, "/etc/apmatrix.d/a.conf:2: stored-masks\n");
	result_done(&r);
	r = check_text(l, "a.conf", "[Matrix a]\nAdapters=1\nDomains=2\n");
	ck_assert_str_eq(r.codes, "");
	result_done(&r);

	ck_assert_int_eq(unlinkat(root, rule, 0), 0);
	ck_assert_int_eq(symlinkat("/dev/null", root, rule), 0);
	r = read_drop_ins(l);
	ck_assert_ptr_null(r.config->stored.apmask_at.file);
	ck_assert_str_eq(r.codes, "");
	result_done(&r);
	load_free(l);
}
END_TEST

START_TEST(reads_the_drop_ins_though_the_stored_masks_cannot_be_read)
{
	static char large[LOAD_FILE_MAX + 2];
	struct load *l = load_new(root);
	struct result r;

	ck_assert_int_eq(mkdir_parents_at(root, rule, 0755), 0); /* a directory */
	put_matrix("etc/apmatrix.d/a.conf", "a", 1);
	r = read_drop_ins(l);
	ck_assert_uint_eq(r.config->n_matrices, 1);
	ck_assert_str_eq(r.codes, "/etc/udev/rules.d/41-ap.rules:0: stored-masks\n");
	ck_assert_int_eq(r.problems.items[0].severity, PROBLEM_WARNING);
	result_done(&r);

	ck_assert_int_eq(unlinkat(root, rule, AT_REMOVEDIR), 0);
	memset(large, '\n', sizeof(large) - 1);
	put(rule, large);
	r = read_drop_ins(l);
	ck_assert_str_eq(r.codes, "/etc/udev/rules.d/41-ap.rules:0: stored-masks\n");
	result_done(&r);

	/* A fifo without a writer does not block. */
	ck_assert_int_eq(unlinkat(root, rule, 0), 0);
	ck_assert_int_eq(mkfifoat(root, rule, 0644), 0);
	r = read_drop_ins(l);
	ck_assert_uint_eq(r.config->n_matrices, 1);
	result_done(&r);
	load_free(l);
}
END_TEST

START_TEST(reads_the_documented_example)
{
	struct load *l = load_new(root);
	struct result r;
	const struct matrix_config *m;

	put("etc/apmatrix.d/00-host.conf",
		"[Host]\n"
		"KeepQueues=03.*, 05.0000        # never leave the host: ADAPTER.DOMAIN\n"
		"QueuePool=auto                  # auto | masks | driver-override | external\n"
		"Foreign=keep                    # keep | adopt | remove\n"
		"Drift=repair                    # repair | report\n"
		"LiveChange=grow                 # none | grow | all\n");
	put("etc/apmatrix.d/guest1.conf",
		"# /etc/apmatrix.d/guest1.conf\n"
		"[Matrix guest1]\n"
		"UUID=62177883-f1bb-47f0-914d-32a22e3a8804   # optional: otherwise a UUID of\n"
		"Adapters=5, 6                   # decimal, 0x hex; ranges 5-7; repeated\n"
		"Domains=4, 0xab\n"
		"ControlDomains=usage            # list, or \"usage\" = same as Domains\n"
		"Guest=guest1                    # libvirt domain that may use it\n"
		"Start=boot                      # boot | guest (made when its guest starts)\n"
		"LiveChange=none\n");
	r = read_drop_ins(l);
	ck_assert_str_eq(r.codes, "");
	ck_assert_uint_eq(queues_count(&r.config->host.keep), 257);
	m = config_find(r.config, "guest1");
	ck_assert_str_eq(m->uuid, "62177883-f1bb-47f0-914d-32a22e3a8804");
	ck_assert_uint_eq(matrix_n_queues(&m->want), 4);
	ck_assert(mask_equal(&m->want.domains, &m->want.control_domains));
	ck_assert_str_eq(m->guest, "guest1");
	ck_assert_int_eq(m->live_change, LIVE_NONE);
	ck_assert_uint_eq(matrix_config_origin(m, KEY_START).line, 8);
	result_done(&r);
	load_free(l);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("load");
	TCase *texts = tcase_create("texts"), *tree = tcase_create("tree");

	tcase_add_test(texts, reports_each_mistake_at_its_line);
	tcase_add_test(texts, reads_values_and_comments);
	tcase_add_test(texts, reads_names_longer_than_inihs_buffers);
	tcase_add_test(texts, reads_a_list_of_3000_bytes);
	tcase_add_test(texts, collects_all_mistakes_in_order_of_lines);
	tcase_add_test(texts, tells_a_thousand_mistakes_and_the_number_of_the_rest);
	suite_add_tcase(suite, texts);

	tcase_add_checked_fixture(tree, make_root, remove_root);
	tcase_add_test(tree, reads_nothing_where_there_are_no_directories);
	tcase_add_test(tree, fails_as_a_whole_where_a_directory_is_none);
	tcase_add_test(tree, orders_by_base_name_and_replaces_by_directory);
	tcase_add_test(tree, masks_by_empty_files_and_links_to_null);
	tcase_add_test(tree, follows_links_and_refuses_what_is_no_file);
	tcase_add_test(tree, refuses_names_that_cannot_be_shown);
	tcase_add_test(tree, takes_files_up_to_the_limit_of_size);
	tcase_add_test(tree, reads_none_of_too_many_files);
	tcase_add_test(tree, is_quick_with_as_many_files_as_allowed);
	tcase_add_test(tree, keeps_the_last_good_text_until_right_or_gone);
	tcase_add_test(tree, keeps_the_last_good_text_over_a_restart);
	tcase_add_test(tree, ignores_damage_in_the_store);
	tcase_add_test(tree, stores_what_was_accepted_and_only_that);
	tcase_add_test(tree, goes_on_without_a_store);
	tcase_add_test(tree, keeps_the_last_good_text_of_an_unreadable_file);
	tcase_add_test(tree, checks_a_text_as_if_it_were_installed);
	tcase_add_test(tree, refuses_to_check_what_is_no_drop_ins_name);
	tcase_add_test(tree, derives_uuids_from_machine_id_and_name);
	tcase_add_test(tree, derives_nothing_without_a_machine_id);
	tcase_add_test(tree, finds_the_masks_that_chzdev_stored);
	tcase_add_test(tree, reads_the_drop_ins_though_the_stored_masks_cannot_be_read);
	tcase_add_test(tree, reads_the_documented_example);
	suite_add_tcase(suite, tree);
	return unit_main(suite);
}
