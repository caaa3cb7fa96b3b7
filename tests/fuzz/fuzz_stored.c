/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as chzdev's udev rule.  Besides not crashing: what is read names a line that exists, and
 * a problem can be shown by a terminal and D-Bus.
 */
#include "core/stored.h"
#include "load/lines.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(problems_done) struct problems p = {};
	unsigned n = count_lines(data, size);
	struct mask full = mask_full();
	struct stored_masks s;

	must(stored_parse("rule", (const char *)data, size, &p, &s) == 0);
	must(s.apmask_at.file ? s.apmask_at.line >= 1 && s.apmask_at.line <= n
			      : mask_equal(&s.apmask, &full));
	must(s.aqmask_at.file ? s.aqmask_at.line >= 1 && s.aqmask_at.line <= n
			      : mask_equal(&s.aqmask, &full));
	for (size_t i = 0; i < p.n; i++) {
		must(p.items[i].line >= 1 && p.items[i].line <= n);
		must(lines_is_plain(p.items[i].text, strlen(p.items[i].text)));
	}
	return 0;
}
