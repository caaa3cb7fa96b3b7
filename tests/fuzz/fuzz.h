/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the fuzz targets share. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As assert(), in every build type. */
static inline void must(bool condition)
{
	if (!condition)
		abort();
}

/* Lines of a text, one more than it has newlines. */
static inline unsigned count_lines(const uint8_t *data, size_t size)
{
	unsigned n = 1;

	for (size_t i = 0; i < size; i++)
		n += data[i] == '\n';
	return n;
}
