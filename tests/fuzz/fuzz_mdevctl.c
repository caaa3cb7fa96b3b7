/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as one of mdevctl's definitions.  Besides not crashing: what is refused has a reason
 * that a terminal and D-Bus can show, at a line that exists; what is accepted is written so that it
 * reads back as the same.
 */
#include <string.h>

#include "ctl/mdevctl.h"
#include "load/lines.h"
#include "fuzz.h"

static void check_round_trip(const struct mdevctl_definition *d)
{
	_cleanup_free_ char *text = NULL, *reason = NULL;
	struct mdevctl_definition back;
	unsigned line;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	must(out != NULL);
	mdevctl_print(d, out);
	must(fclose(out) == 0);
	must(mdevctl_parse(text, size, &back, &line, &reason) == 0);
	must(matrix_equal(&back.matrix, &d->matrix) && back.autostart == d->autostart);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *reason = NULL;
	struct mdevctl_definition d;
	unsigned line;

	if (size > MDEVCTL_FILE_MAX)
		return 0;
	if (mdevctl_parse((const char *)data, size, &d, &line, &reason) == 0) {
		check_round_trip(&d);
		return 0;
	}
	must(reason && lines_is_plain(reason, strlen(reason)));
	must(line <= count_lines(data, size));
	return 0;
}
