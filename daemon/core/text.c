/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pieces of messages; knows bytes and words, not what they stand for. */
#include "core/text.h"

#include <string.h>
#include <strings.h>

#define EXCERPT_MAX 48u
#define WORD_MAX 32u /* longer words are not compared: nobody means a key by them */

const char *text_excerpt(const char *text, size_t size, char buf[static TEXT_EXCERPT_SIZE])
{
	size_t n = size;

	if (size > EXCERPT_MAX) {
		n = EXCERPT_MAX;
		/* Back to the first byte of a character: the others are 10xxxxxx. */
		while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(buf, text, n);
	strcpy(buf + n, n < size ? "..." : "");
	return buf;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* Levenshtein's distance, of bytes; both words are at most WORD_MAX long. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[WORD_MAX + 1];
	size_t n = strlen(b);

	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned i = 1; a[i - 1]; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			unsigned replaced = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = min3(row[j] + 1, row[j - 1] + 1, replaced);
		}
	}
	return row[n];
}

const char *text_closest(const char *text, const char *const *words, size_t n)
{
	const char *best = NULL;
	unsigned best_distance = 3;

	if (strlen(text) > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (!words[i])
			continue;
		if (strcasecmp(text, words[i]) == 0)
			return words[i];
		if (strlen(words[i]) > WORD_MAX)
			continue;

		unsigned d = distance(text, words[i]);
		unsigned most = strlen(words[i]) <= 4 ? 1 : 2;

		if (d <= most && d < best_distance) {
			best = words[i];
			best_distance = d;
		}
	}
	return best;
}
