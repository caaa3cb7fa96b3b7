/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A text in drop-in syntax as a sequence of section headers and assignments.  inih parses; this
 * guards it, so that nothing is silently cut, merged or left out: what inih would do that to is
 * reported with its line number instead, or brought through its small buffer in pieces.
 * It knows neither sections nor keys.  Internal to load/.
 */
#include <stdbool.h>
#include <stddef.h>

#define LINES_SECTION_MAX 128u /* bytes between [ and ] */
#define LINES_KEY_MAX 49u      /* inih remembers no more of a key */

/* What is called for each thing seen, in order of the lines.  All strings are valid UTF-8 without
 * control characters (but tabs) and borrowed for the call.  A negative result ends the reading.  A
 * section's name is NULL after a mistake in its header: the section of what follows is not known. */
struct lines_sink {
	int (*section)(void *user, const char *name, unsigned line);
	int (*pair)(void *user, const char *key, const char *value, unsigned line);
	int (*mistake)(void *user, const char *code, const char *message, unsigned line);
	void *user;
};

/* Reads @text (@size bytes, no NUL needed at the end).  Returns 0 once the end is reached, with or
 * without mistakes on the way, -ENOMEM, or the negative result of a call. */
int lines_read(const char *text, size_t size, const struct lines_sink *sink);

/* True if @text is UTF-8 without control characters: what a file name must be to be shown. */
bool lines_is_plain(const char *text, size_t size);
