/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as a drop-in.  Besides not crashing: what is refused has an error at a line that
 * exists, every text that goes to D-Bus is UTF-8, every value that is accepted stands in the file,
 * and what was accepted builds.
 */
#include <string.h>

#include "load/lines.h"
#include "load/load.h"
#include "fuzz.h"

#define PATH "/etc/apmatrix.d/fuzz.conf"

static void check_problems(const struct problems *p, unsigned n_lines)
{
	for (size_t i = 0; i < p->n; i++) {
		must(lines_is_plain(p->items[i].text, strlen(p->items[i].text)));
		must(lines_is_plain(p->items[i].object, strlen(p->items[i].object)));
		must(p->items[i].line <= n_lines);
	}
}

static void check_fragment(const struct fragment *f, const uint8_t *data, size_t size)
{
	struct problems p = {};
	struct config *c = NULL;

	for (size_t i = 0; i < f->n_items; i++) {
		const struct assignment *a = &f->items[i];

		must(!a->key || memmem(data, size, a->key, strlen(a->key)));
		must(!a->value || memmem(data, size, a->value, strlen(a->value)));
		must(!a->name || memmem(data, size, a->name, strlen(a->name)));
		must(i == 0 || f->items[i - 1].line < a->line);
	}
	must(config_build((const struct fragment *const[]){f, f}, 2, &p, &c) == 0);
	must(config_check_uuids(c, &p) == 0);
	for (size_t i = 1; i < c->n_matrices; i++)
		must(strcmp(c->matrices[i - 1].name, c->matrices[i].name) < 0);
	check_problems(&p, count_lines(data, size));
	problems_done(&p);
	config_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fragment *f = NULL;
	struct problems p = {};

	must(load_text(PATH, (const char *)data, size, &p, &f) == 0);
	must((f == NULL) == (problems_n_errors(&p) > 0));
	check_problems(&p, count_lines(data, size));
	if (f)
		check_fragment(f, data, size);
	fragment_free(f);
	problems_done(&p);
	return 0;
}
