/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The text: drop-in syntax, one section [UUID] a device, and in the end a line "# end N".  Names
 * are libvirt's and may hold anything, so what is not plain is written as %XX.
 */
#include "load/guests_file.h"

#include <string.h>

#include "load/lines.h"
#include "util/fileio.h"

#define GUESTS_DIR "run/apmatrixd"
#define GUESTS_FILE GUESTS_DIR "/guests"
#define GUESTS_MAX (32u * 1024u * 1024u)

struct parser {
	struct guest_record *items;
	size_t n, room;
};

static int on_mistake(void *user _unused_, const char *code _unused_, const char *text _unused_,
	unsigned line _unused_)
{
	return -EBADMSG;
}

static int on_section(void *user, const char *name, unsigned line _unused_)
{
	struct parser *p = user;
	char uuid[UUID_SIZE];

	if (!name || !uuid_normalize(name, uuid))
		return -EBADMSG;
	if (p->n == p->room) {
		size_t room = p->room ? 2 * p->room : 16;
		struct guest_record *more = reallocarray(p->items, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		p->items = more;
		p->room = room;
	}
	p->items[p->n] = (struct guest_record){};
	memcpy(p->items[p->n++].told.uuid, uuid, UUID_SIZE);
	return 0;
}

static int parse_bool(const char *value, bool *ret)
{
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return -EBADMSG;
	*ret = value[0] == 'y';
	return 0;
}

static int parse_number(const char *value, uint64_t max, uint64_t *ret)
{
	unsigned long long number;
	char *end;

	if (*value < '0' || *value > '9')
		return -EBADMSG;
	errno = 0;
	number = strtoull(value, &end, 10);
	if (errno != 0 || *end || number > max)
		return -EBADMSG;
	*ret = number;
	return 0;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static int parse_guest(const char *value, char name[static GUEST_NAME_MAX + 1])
{
	size_t n = 0;

	for (; *value && n < GUEST_NAME_MAX; value++) {
		int high, low;

		if (*value != '%') {
			name[n++] = *value;
			continue;
		}
		high = hex_digit(value[1]);
		low = high >= 0 ? hex_digit(value[2]) : -1;
		if (low < 0 || (high == 0 && low == 0))
			return -EBADMSG;
		name[n++] = (char)(high << 4 | low);
		value += 2;
	}
	name[n] = '\0';
	return *value ? -EBADMSG : 0;
}

static int on_pair(void *user, const char *key, const char *value, unsigned line _unused_)
{
	struct parser *p = user;
	struct guest_record *g = p->n > 0 ? &p->items[p->n - 1] : NULL;
	uint64_t pid;
	int r;

	if (!g)
		return -EBADMSG;
	if (strcmp(key, "attached") == 0)
		return parse_bool(value, &g->told.attached);
	if (strcmp(key, "module") == 0)
		return parse_bool(value, &g->told.by_module);
	if (strcmp(key, "count") == 0)
		return parse_number(value, UINT64_MAX, &g->told.count);
	if (strcmp(key, "seq") == 0)
		return parse_number(value, UINT64_MAX, &g->told.seq);
	if (strcmp(key, "guest") == 0)
		return parse_guest(value, g->guest);
	if (strcmp(key, "pid") != 0)
		return -EBADMSG;
	r = parse_number(value, INT32_MAX, &pid);
	if (r == 0)
		g->told.pid = (uint32_t)pid;
	return r;
}

/* True if the text's last line is "# end N". */
static bool is_complete(const char *text, size_t size, size_t n_records)
{
	char end[48];
	size_t n = (size_t)snprintf(end, sizeof(end), "\n# end %zu\n", n_records);

	return size >= n && memcmp(text + size - n, end, n) == 0;
}

int guests_load(int root, struct guest_record **ret, size_t *ret_n)
{
	_cleanup_free_ char *text = NULL;
	struct parser p = {};
	const struct lines_sink sink = {
		.section = on_section,
		.pair = on_pair,
		.mistake = on_mistake,
		.user = &p,
	};
	ssize_t n = file_read_at(root, GUESTS_FILE, GUESTS_MAX, &text);
	int r;

	if (n < 0)
		return n == -EFBIG ? -EBADMSG : (int)n;
	r = lines_read(text, (size_t)n, &sink);
	if (r == 0 && !is_complete(text, (size_t)n, p.n))
		r = -EBADMSG;
	if (r < 0) {
		free(p.items);
		return r;
	}
	*ret = p.items;
	*ret_n = p.n;
	return 0;
}

static void print_name(FILE *f, const char *name)
{
	fputs("guest=", f);
	for (; *name; name++) {
		unsigned char c = (unsigned char)*name;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			c == '-' || c == '_' || c == '.')
			fputc(c, f);
		else
			fprintf(f, "%%%02x", c);
	}
	fputc('\n', f);
}

static void print_record(FILE *f, const struct guest_record *g)
{
	fprintf(f, "\n[%s]\nattached=%s\nmodule=%s\npid=%u\ncount=%llu\nseq=%llu\n", g->told.uuid,
		g->told.attached ? "yes" : "no", g->told.by_module ? "yes" : "no", g->told.pid,
		(unsigned long long)g->told.count, (unsigned long long)g->told.seq);
	if (g->guest[0])
		print_name(f, g->guest);
}

int guests_save(int root, const struct guest_record *records, size_t n)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	bool failed;
	int r;

	if (!f)
		return -ENOMEM;
	fprintf(f, "# Who had which matrix when apmatrixd looked last. Written by the daemon.\n");
	for (size_t i = 0; i < n; i++)
		print_record(f, &records[i]);
	fprintf(f, "\n# end %zu\n", n);
	failed = ferror(f);
	if (fclose(f) != 0 || failed)
		return -ENOMEM;
	r = mkdir_parents_at(root, GUESTS_DIR, 0755);
	return r < 0 ? r : file_replace_volatile_at(root, GUESTS_FILE, text, size, 0644);
}
