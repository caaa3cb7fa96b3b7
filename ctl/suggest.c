/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/suggest.h"

#include <ctype.h>
#include <string.h>

#define WORD_MAX 64u

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* Damerau-Levenshtein distance (restricted), case ignored.  Both words at most WORD_MAX long. */
static unsigned distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
	unsigned rows[3][WORD_MAX + 1];
	unsigned *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= n_b; j++)
		above[j] = (unsigned)j;
	for (size_t i = 1; i <= n_a; i++) {
		int c = tolower((unsigned char)a[i - 1]);
		unsigned *oldest = before;

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= n_b; j++) {
			int d = tolower((unsigned char)b[j - 1]);

			row[j] = min3(row[j - 1] + 1, above[j] + 1, above[j - 1] + (c != d));
			if (i > 1 && j > 1 && c == tolower((unsigned char)b[j - 2]) &&
				tolower((unsigned char)a[i - 2]) == d && before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		before = above;
		above = row;
		row = oldest;
	}
	return above[n_b];
}

const char *suggest(const char *typed, const char *const *words, size_t n_words)
{
	const char *best = NULL;
	unsigned best_distance = 0;
	size_t n_typed = strlen(typed);

	if (n_typed == 0 || n_typed > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n_words; i++) {
		size_t n = strlen(words[i]);
		size_t longer = n > n_typed ? n : n_typed;
		size_t limit = (longer + 2) / 3;
		unsigned d;

		if (n > WORD_MAX)
			continue;
		d = distance(typed, n_typed, words[i], n);
		if (d >= longer || d > (limit < 3 ? limit : 3) || (best && d >= best_distance))
			continue;
		best = words[i];
		best_distance = d;
	}
	return best;
}
