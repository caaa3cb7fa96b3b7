/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/term.h"

#include <langinfo.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "util/cleanup.h"

#define COLUMNS_MIN 20u
#define COLUMNS_MAX 10000u

static const char *const style_table[N_STYLES] = {
	[STYLE_NONE] = "",
	[STYLE_BOLD] = "\x1b[1m",
	[STYLE_DIM] = "\x1b[2m",
	[STYLE_GOOD] = "\x1b[1;32m",
	[STYLE_WARN] = "\x1b[1;33m",
	[STYLE_BAD] = "\x1b[1;31m",
};

static bool is_set(const char *variable)
{
	const char *value = getenv(variable);

	return value && *value;
}

static unsigned columns_of(int fd)
{
	const char *value = getenv("COLUMNS");
	struct winsize size = {0};
	unsigned long columns = 0;
	char *end;

	if (value && *value >= '0' && *value <= '9') {
		columns = strtoul(value, &end, 10);
		if (*end)
			columns = 0;
	}
	if (columns == 0 && ioctl(fd, TIOCGWINSZ, &size) == 0)
		columns = size.ws_col;
	if (columns == 0)
		columns = 80;
	if (columns < COLUMNS_MIN)
		return COLUMNS_MIN;
	return columns > COLUMNS_MAX ? COLUMNS_MAX : (unsigned)columns;
}

struct term term_of_stdout(void)
{
	const char *name = getenv("TERM");
	bool dumb = !name || strcmp(name, "dumb") == 0;

	return (struct term){
		.colour = isatty(STDOUT_FILENO) && !dumb && !is_set("NO_COLOR"),
		.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
		.columns = columns_of(STDOUT_FILENO),
	};
}

const char *term_style(const struct term *t, enum style style)
{
	return t->colour ? style_table[style] : "";
}

const char *term_reset(const struct term *t, enum style style)
{
	return t->colour && style != STYLE_NONE ? "\x1b[0m" : "";
}

const char *term_pick(const struct term *t, const char *text, const char *ascii)
{
	return t->utf8 ? text : ascii;
}

/* Reads one code point.  Returns its length in bytes; 1 with *ret = 0xfffd where it is no UTF-8. */
static size_t utf8_decode(const char *text, uint32_t *ret)
{
	const unsigned char *s = (const unsigned char *)text;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = s[0] < 0x80      ? 1
		: s[0] >> 5 == 0x06 ? 2
		: s[0] >> 4 == 0x0e ? 3
		: s[0] >> 3 == 0x1e ? 4
				    : 0;
	uint32_t c;

	if (n == 1) {
		*ret = s[0];
		return 1;
	}
	c = s[0] & (0x7f >> n);
	for (size_t i = 1; i < n; i++) {
		if (s[i] >> 6 != 0x02) {
			n = 0;
			break;
		}
		c = c << 6 | (s[i] & 0x3f);
	}
	if (n == 0 || c < least[n]) {
		*ret = 0xfffd;
		return 1;
	}
	*ret = c;
	return n;
}

/* The ranges that matter for names: Unicode's combining marks, and its wide blocks. */
static const struct {
	uint32_t first, last;
	unsigned width;
} width_table[] = {
	{0x0300, 0x036f, 0},
	{0x1100, 0x115f, 2},
	{0x200b, 0x200f, 0},
	{0x2e80, 0x303e, 2},
	{0x3041, 0xa4cf, 2},
	{0xac00, 0xd7a3, 2},
	{0xf900, 0xfaff, 2},
	{0xfe00, 0xfe0f, 0},
	{0xfe30, 0xfe6f, 2},
	{0xff00, 0xff60, 2},
	{0xffe0, 0xffe6, 2},
	{0x1f300, 0x1f64f, 2},
	{0x1f900, 0x1f9ff, 2},
	{0x20000, 0x3fffd, 2},
};

static unsigned code_point_width(uint32_t c)
{
	for (size_t i = 0; i < ARRAY_SIZE(width_table); i++)
		if (c >= width_table[i].first && c <= width_table[i].last)
			return width_table[i].width;
	return 1;
}

size_t text_width(const char *text)
{
	size_t width = 0;
	uint32_t c;

	while (*text) {
		text += utf8_decode(text, &c);
		width += code_point_width(c);
	}
	return width;
}

void text_clean(char *text)
{
	uint32_t c;
	size_t n;

	for (; *text; text += n) {
		n = utf8_decode(text, &c);
		if (c >= 0x20 && (c < 0x7f || c > 0x9f))
			continue;
		memset(text, '?', n);
	}
}

char *text_clean_copy(const char *text)
{
	char *copy = strdup(text);

	if (copy)
		text_clean(copy);
	return copy;
}
