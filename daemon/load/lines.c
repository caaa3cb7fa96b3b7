/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * inih reads a line into a buffer (200 bytes in most builds), takes the rest of a longer one for
 * another line, cuts section names at 49 bytes, merges a line that begins with a blank into the
 * value before it, takes "a:b" for an assignment, tells no line numbers, ends at a NUL, and says
 * nothing of a section without assignments.  So every line is judged here first.  Of what is right,
 * headers stay here (names may be longer than inih's 49 bytes) and assignments go to inih in
 * pieces that fit its buffer whatever its size; each piece must come back as it went in.
 *
 * Comments: a line whose first character that is not blank is # or ;, and in other lines all from
 * a # or ; that has a blank before it.  "Guest=a#b" holds no comment.
 */
#include "load/lines.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "load/load.h"
#include "util/cleanup.h"

/* A part of the text. */
struct span {
	const char *start, *end;
};

struct feed {
	const struct lines_sink *sink;
	int error;
	struct span rest; /* lines not yet looked at */
	unsigned line;    /* number of the last one looked at */

	/* The assignment on its way through inih. */
	bool busy;
	char key[LINES_KEY_MAX + 1];
	bool waiting;       /* for a piece that inih was sent */
	struct span piece;  /* sent last */
	struct span unsent; /* the value's rest; neither begins nor ends with a blank */
	size_t n_value;
	char value[LOAD_LINE_MAX + 1]; /* what came back, put together again */
};

static size_t span_size(struct span s)
{
	return (size_t)(s.end - s.start);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct span span_trim(struct span s)
{
	while (s.start < s.end && is_blank(*s.start))
		s.start++;
	while (s.start < s.end && is_blank(s.end[-1]))
		s.end--;
	return s;
}

_printf_(3, 4) static void mistake(struct feed *f, const char *code, const char *format, ...)
{
	_cleanup_free_ char *message = NULL;
	va_list ap;
	int r;

	va_start(ap, format);
	r = vasprintf(&message, format, ap);
	va_end(ap);
	if (r < 0) {
		message = NULL;
		f->error = -ENOMEM;
		return;
	}
	r = f->sink->mistake(f->sink->user, code, message, f->line);
	if (r < 0)
		f->error = r;
}

/* Length of the UTF-8 character at @s, or 0: overlong forms, surrogates and what is beyond
 * U+10FFFF are none (RFC 3629). */
static size_t utf8_length(const unsigned char *s, size_t size)
{
	size_t n = *s < 0x80 ? 1
		: *s < 0xc2  ? 0
		: *s < 0xe0  ? 2
		: *s < 0xf0  ? 3
		: *s < 0xf5  ? 4
			     : 0;

	if (n == 0 || n > size)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) ||
		(*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

enum byte_fault { FAULT_NONE, FAULT_NUL, FAULT_UTF8, FAULT_CONTROL };

/* The first byte that no line may have. */
static enum byte_fault find_fault(struct span s, const char **ret_at)
{
	const unsigned char *c = (const unsigned char *)s.start,
			    *end = (const unsigned char *)s.end;

	for (size_t n; c < end; c += n) {
		*ret_at = (const char *)c;
		n = utf8_length(c, (size_t)(end - c));
		if (n == 0)
			return FAULT_UTF8;
		if (*c == '\0')
			return FAULT_NUL;
		/* U+0000 to U+001F but the tab, U+007F, and U+0080 to U+009F */
		if ((*c < 0x20 && *c != '\t') || *c == 0x7f || (*c == 0xc2 && c[1] < 0xa0))
			return FAULT_CONTROL;
	}
	return FAULT_NONE;
}

bool lines_is_plain(const char *text, size_t size)
{
	const char *at;

	return find_fault((struct span){text, text + size}, &at) == FAULT_NONE;
}

/* False, and the mistake told, where the bytes of a line are not those of a text. */
static bool check_bytes(struct feed *f, struct span s)
{
	const char *at = s.start;
	size_t column;
	enum byte_fault fault;

	if (span_size(s) > LOAD_LINE_MAX) {
		mistake(f, "line-too-long",
			"the line has %zu bytes, more than %u; split it, lists append",
			span_size(s), LOAD_LINE_MAX);
		return false;
	}
	fault = find_fault(s, &at);
	column = (size_t)(at - s.start) + 1;
	if (fault == FAULT_NUL)
		mistake(f, "nul-byte", "a NUL byte at column %zu; this is no text, write it anew",
			column);
	else if (fault == FAULT_UTF8)
		mistake(f, "not-utf8",
			"byte 0x%02x at column %zu is not UTF-8; save the file as UTF-8",
			(unsigned char)*at, column);
	else if (fault == FAULT_CONTROL)
		mistake(f, "control-character",
			"a control character (byte 0x%02x) at column %zu; remove it",
			(unsigned char)*at, column);
	return fault == FAULT_NONE;
}

/* Takes the next line off the rest, without its LF or CRLF.  False at the end. */
static bool next_line(struct feed *f, struct span *ret)
{
	struct span s = f->rest;
	const char *newline;

	if (s.start == s.end)
		return false;
	newline = memchr(s.start, '\n', span_size(s));
	if (newline)
		s.end = newline;
	f->rest.start = newline ? newline + 1 : s.end;
	if (s.end > s.start && s.end[-1] == '\r')
		s.end--;
	f->line++;
	*ret = s;
	return true;
}

/* Without its comment and the blanks around it. */
static struct span strip_line(struct span s)
{
	s = span_trim(s);
	if (s.start < s.end && (*s.start == '#' || *s.start == ';'))
		s.end = s.start;
	for (const char *c = s.start; c < s.end; c++)
		if (is_blank(*c) && (c[1] == '#' || c[1] == ';'))
			s.end = c;
	return span_trim(s);
}

static void tell_section(struct feed *f, const char *name)
{
	int r = f->error < 0 ? 0 : f->sink->section(f->sink->user, name, f->line);

	if (r < 0)
		f->error = r;
}

/* A line that begins with [: the name, or false and the mistake told. */
static bool read_section(struct feed *f, struct span s, char name[static LINES_SECTION_MAX + 1])
{
	char excerpt[TEXT_EXCERPT_SIZE];
	const char *close = memchr(s.start, ']', span_size(s));
	struct span inner;

	text_excerpt(s.start, span_size(s), excerpt);
	if (!close) {
		mistake(f, "bad-section", "%s: the section's header has no ] at its end; add it",
			excerpt);
		return false;
	}
	if (close + 1 != s.end) {
		mistake(f, "bad-section",
			"%s: there is more after the section's header; put it on a line of its own",
			excerpt);
		return false;
	}
	inner = span_trim((struct span){s.start + 1, close});
	if (span_size(inner) > LINES_SECTION_MAX) {
		mistake(f, "bad-section", "%s: the section's name has %zu bytes, more than %u",
			excerpt, span_size(inner), LINES_SECTION_MAX);
		return false;
	}
	memcpy(name, inner.start, span_size(inner));
	name[span_size(inner)] = '\0';
	return true;
}

static void take_section(struct feed *f, struct span s)
{
	char name[LINES_SECTION_MAX + 1];
	bool right = read_section(f, s, name);

	tell_section(f, right ? name : NULL);
}

static bool is_key(struct span s)
{
	if (s.start == s.end)
		return false;
	for (const char *c = s.start; c < s.end; c++)
		if (!((*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z') ||
			    (*c >= '0' && *c <= '9') || *c == '_' || *c == '-'))
			return false;
	return true;
}

/* False, and the mistake told, where @key is not one that inih brings back. */
static bool check_key(struct feed *f, struct span key)
{
	char excerpt[TEXT_EXCERPT_SIZE];

	text_excerpt(key.start, span_size(key), excerpt);
	if (!is_key(key)) {
		mistake(f, "bad-line",
			"\"%s\" before the = is not a key; keys are letters and digits, as in "
			"Adapters=5",
			excerpt);
		return false;
	}
	if (span_size(key) > LINES_KEY_MAX) {
		mistake(f, "bad-line", "the key %s has %zu bytes, more than %u; no key is so long",
			excerpt, span_size(key), LINES_KEY_MAX);
		return false;
	}
	return true;
}

/* A line that should be an assignment: what is sent to inih next. */
static void take_pair(struct feed *f, struct span s, bool indented)
{
	const char *equals = memchr(s.start, '=', span_size(s));
	char excerpt[TEXT_EXCERPT_SIZE];
	struct span key;

	if (!equals) {
		mistake(f, "bad-line",
			indented
				? "\"%s\" has no =, and lines are not continued; write KEY= again, "
				  "lists append"
				: "\"%s\" is neither a [Section] nor KEY=VALUE nor a # comment",
			text_excerpt(s.start, span_size(s), excerpt));
		return;
	}
	key = span_trim((struct span){s.start, equals});
	if (!check_key(f, key))
		return;
	/* To systemd this is a line that goes on; to inih, it is part of the value. */
	if (s.end[-1] == '\\') {
		mistake(f, "bad-line",
			"the \\ at the end does not continue the line; write %.*s= again, lists "
			"append",
			(int)span_size(key), key.start);
		return;
	}
	memcpy(f->key, key.start, span_size(key));
	f->key[span_size(key)] = '\0';
	f->unsent = span_trim((struct span){equals + 1, s.end});
	f->piece = (struct span){f->unsent.start, f->unsent.start};
	f->n_value = 0;
	f->busy = true;
}

/* inih must bring back what it was sent: a build that cuts or changes it is noticed, not trusted. */
static void check_parser(struct feed *f, bool right)
{
	if (right || !f->busy)
		return;
	f->busy = false;
	mistake(f, "parser",
		"the inih library does not bring %s= back as it is; install another build", f->key);
}

/* All of the assignment came back from inih: hands it on. */
static void finish_pair(struct feed *f)
{
	int r;

	f->busy = false;
	f->value[f->n_value] = '\0';
	r = f->sink->pair(f->sink->user, f->key, f->value, f->line);
	if (r < 0)
		f->error = r;
}

/* Goes on to the next assignment.  False at the end, or where the reading is over. */
static bool advance(struct feed *f)
{
	struct span s;

	while (f->error == 0 && !f->busy && next_line(f, &s)) {
		bool indented = s.start < s.end && is_blank(*s.start);

		if (!check_bytes(f, s)) {
			/* What follows is not of the section before. */
			s = span_trim(s);
			if (s.start < s.end && *s.start == '[')
				tell_section(f, NULL);
			continue;
		}
		s = strip_line(s);
		if (s.start == s.end)
			continue;
		if (*s.start == '[')
			take_section(f, s);
		else
			take_pair(f, s, indented);
	}
	return f->error == 0 && f->busy;
}

/* Takes the next piece of the value, @room bytes or less, off the rest.  inih strips the blanks
 * around it: those between two pieces go past inih, straight into the value. */
static void cut_piece(struct feed *f, size_t room)
{
	size_t n_blanks = (size_t)(f->unsent.start - f->piece.end);

	memcpy(f->value + f->n_value, f->piece.end, n_blanks);
	f->n_value += n_blanks;
	f->piece = f->unsent;
	if (span_size(f->piece) > room)
		f->piece.end = f->piece.start + room;
	f->piece = span_trim(f->piece);
	f->unsent = span_trim((struct span){f->piece.end, f->unsent.end});
	f->waiting = true;
}

/* inih's fgets(): one line "KEY=PIECE", short enough for @size bytes (and the CR, LF and NUL that
 * ini.h wants room for). */
static char *send_piece(char *buf, int size, void *stream)
{
	struct feed *f = stream;
	size_t n_fixed;

	check_parser(f, !f->waiting);
	f->waiting = false;
	if (f->busy && span_size(f->unsent) == 0)
		finish_pair(f);
	for (;;) {
		if (!f->busy && !advance(f))
			return NULL;
		n_fixed = strlen(f->key) + 4;
		if ((size_t)size > n_fixed)
			break;
		check_parser(f, false);
	}
	cut_piece(f, (size_t)size - n_fixed);
	snprintf(buf, (size_t)size, "%s=%.*s\n", f->key, (int)span_size(f->piece), f->piece.start);
	return buf;
}

/* inih's handler: a piece is back.  Not zero: it is right. */
static int receive_piece(struct feed *f, const char *key, const char *value)
{
	size_t n = span_size(f->piece);
	bool right = f->waiting && key && value && strcmp(key, f->key) == 0 && strlen(value) == n &&
		memcmp(value, f->piece.start, n) == 0;

	check_parser(f, right);
	f->waiting = false;
	if (right) {
		memcpy(f->value + f->n_value, value, n);
		f->n_value += n;
	}
	return right;
}

#if INI_HANDLER_LINENO
static int on_pair(void *user, const char *section _unused_, const char *key, const char *value,
	int line _unused_)
#else
static int on_pair(void *user, const char *section _unused_, const char *key, const char *value)
#endif
{
	return receive_piece(user, key, value);
}

int lines_read(const char *text, size_t size, const struct lines_sink *sink)
{
	static const char bom[] = {'\xef', '\xbb', '\xbf'};
	struct feed f = {.sink = sink, .rest = {text, text + size}};
	int r;

	if (size >= sizeof(bom) && memcmp(text, bom, sizeof(bom)) == 0)
		f.rest.start += sizeof(bom);
	r = ini_parse_stream(send_piece, &f, on_pair, &f);
	if (f.error < 0)
		return f.error;
	return r < 0 ? -ENOMEM : 0;
}
