/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/grid.h"

#include <string.h>

#include "ctl/table.h"
#include "util/cleanup.h"

#define LABEL_WIDTH 9u /* "adapter" and two blanks */
#define ROWS_MAX 32u   /* more rows than this are merged where they look the same */
#define DENSE_GROUP 8u

enum form { FORM_ROOMY, FORM_NARROW, FORM_DENSE, FORM_MERGED };

/* Neighbouring numbers that are drawn as one. */
struct band {
	unsigned first, last;
};

struct bands {
	struct band items[MASK_BITS];
	size_t n;
};

struct layout {
	enum form form;
	struct bands rows, columns;
};

struct canvas {
	const struct grid_model *model;
	const struct term *term;
	FILE *out;
};

static const char *const palette[] = {"32", "34", "35", "36", "33", "92", "94", "95", "96", "93"};

static const struct {
	char mark; /* without a matrix's letter */
	const char *style;
	const char *meaning;
} owner_table[N_GRID_OWNERS] = {
	[GRID_NONE] = {' ', "", ""},
	[GRID_HOST] = {'.', "2", "the host's"},
	[GRID_FREE] = {'+', "", "free for guests (vfio_ap)"},
	[GRID_UNBOUND] = {'?', "1;33", "without a driver"},
	[GRID_MATRIX] = {'#', "", "a matrix's"},
	[GRID_GUEST] = {'#', "7", "in use by a guest"},
	[GRID_GONE] = {'-', "2", "a matrix's, but not there (overprovisioned)"},
	[GRID_WANTED] = {'!', "1;31", "a matrix's, but not vfio_ap's"},
};

char grid_letter(size_t matrix)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

	return matrix < sizeof(letters) - 1 ? letters[matrix] : '#';
}

static bool cell_equal(const struct grid_cell *a, const struct grid_cell *b)
{
	return a->owner == b->owner && a->matrix == b->matrix;
}

static bool columns_equal(const struct grid_model *m, unsigned a, unsigned b)
{
	MASK_FOREACH (adapter, &m->adapters)
		if (!cell_equal(&m->cell[adapter][a], &m->cell[adapter][b]))
			return false;
	return true;
}

static bool rows_equal(const struct grid_model *m, unsigned a, unsigned b)
{
	MASK_FOREACH (domain, &m->domains)
		if (!cell_equal(&m->cell[a][domain], &m->cell[b][domain]))
			return false;
	return true;
}

/* A band a number, or, with @equal, a band a run of consecutive numbers that look the same. */
static void make_bands(const struct grid_model *m, const struct mask *numbers,
	bool (*equal)(const struct grid_model *, unsigned, unsigned), struct bands *ret)
{
	ret->n = 0;
	MASK_FOREACH (n, numbers) {
		struct band *last = ret->n ? &ret->items[ret->n - 1] : NULL;

		if (equal && last && last->last + 1 == n && equal(m, last->first, n))
			last->last = n;
		else
			ret->items[ret->n++] = (struct band){n, n};
	}
}

static size_t column_width(const struct layout *l, size_t column)
{
	const struct band *b = &l->columns.items[column];

	switch (l->form) {
	case FORM_ROOMY:
		return 5;
	case FORM_NARROW:
		return 3;
	case FORM_DENSE:
		return 1;
	case FORM_MERGED:
		return b->first == b->last ? 3 : 6;
	}
	return 1;
}

/* The columns of one block: as many as fit, at least one.  Dense blocks hold whole groups. */
static size_t block_columns(const struct layout *l, size_t from, unsigned width)
{
	size_t n = 0, used = LABEL_WIDTH;

	for (size_t i = from; i < l->columns.n; i++, n++) {
		used += column_width(l, i);
		if (l->form == FORM_DENSE && n && n % DENSE_GROUP == 0)
			used++;
		if (n && used > width)
			break;
	}
	if (l->form == FORM_DENSE && from + n < l->columns.n && n > DENSE_GROUP)
		n -= n % DENSE_GROUP;
	return n;
}

static bool fits(const struct layout *l, unsigned width)
{
	return block_columns(l, 0, width) == l->columns.n;
}

static void choose_layout(const struct grid_model *m, unsigned width, struct layout *ret)
{
	make_bands(m, &m->adapters, NULL, &ret->rows);
	if (ret->rows.n > ROWS_MAX)
		make_bands(m, &m->adapters, rows_equal, &ret->rows);
	make_bands(m, &m->domains, NULL, &ret->columns);
	for (ret->form = FORM_ROOMY; ret->form <= FORM_DENSE; ret->form++)
		if (fits(ret, width))
			return;
	ret->form = FORM_MERGED;
	make_bands(m, &m->domains, columns_equal, &ret->columns);
	if (fits(ret, width))
		return;
	ret->form = FORM_DENSE;
	make_bands(m, &m->domains, NULL, &ret->columns);
	make_bands(m, &m->adapters, ret->rows.n > ROWS_MAX / 2 ? rows_equal : NULL, &ret->rows);
}

static void paint(const struct canvas *c, const struct grid_cell *cell, const char *text)
{
	const char *style = owner_table[cell->owner].style;
	const char *colour = cell->matrix && cell->owner != GRID_WANTED
		? palette[(cell->matrix - 1u) % ARRAY_SIZE(palette)]
		: "";

	if (!c->term->colour || (!*style && !*colour))
		fputs(text, c->out);
	else
		fprintf(c->out, "\x1b[%s%s%sm%s\x1b[0m", style, *style && *colour ? ";" : "",
			colour, text);
}

/* One column for a queue: the letter, or the mark where that says more. */
static char cell_mark(const struct grid_cell *cell)
{
	bool letter = cell->owner == GRID_MATRIX || cell->owner == GRID_GUEST;

	return letter && cell->matrix ? grid_letter(cell->matrix - 1u)
				      : owner_table[cell->owner].mark;
}

/* Three columns: "[A]" in use, " A " assigned, "(A)" gone, "!A " wanted. */
static void cell_text(const struct grid_cell *cell, char buf[static 4])
{
	char letter = cell->matrix ? grid_letter(cell->matrix - 1u) : '\0';

	memcpy(buf, "   ", 4);
	buf[1] = cell_mark(cell);
	if (cell->owner == GRID_GUEST) {
		buf[0] = '[';
		buf[2] = ']';
	} else if (cell->owner == GRID_GONE && letter) {
		buf[0] = '(';
		buf[1] = letter;
		buf[2] = ')';
	} else if (cell->owner == GRID_WANTED && letter) {
		buf[0] = '!';
		buf[1] = letter;
	}
}

static void pad(FILE *out, size_t n)
{
	fprintf(out, "%*s", (int)n, "");
}

static void draw_labels(const struct canvas *c, const struct layout *l, size_t from, size_t n)
{
	fprintf(c->out, "%*s  ", (int)LABEL_WIDTH - 2, "adapter");
	for (size_t i = from; i < from + n; i++) {
		const struct band *b = &l->columns.items[i];

		if (l->form == FORM_ROOMY)
			fprintf(c->out, "%04x%s", b->first, i + 1 < from + n ? " " : "");
		else if (b->first != b->last)
			fprintf(c->out, "%02x-%02x%s", b->first, b->last,
				i + 1 < from + n ? " " : "");
		else
			fprintf(c->out, "%02x%s", b->first, i + 1 < from + n ? " " : "");
	}
	fputc('\n', c->out);
}

static void draw_digits(const struct canvas *c, const struct layout *l, size_t from, size_t n,
	const char *label, unsigned shift)
{
	fprintf(c->out, "%*s  ", (int)LABEL_WIDTH - 2, label);
	for (size_t i = 0; i < n; i++)
		fprintf(c->out, "%s%x", i && i % DENSE_GROUP == 0 ? " " : "",
			l->columns.items[from + i].first >> shift & 0x0f);
	fputc('\n', c->out);
}

/* A cell; the blanks behind it are owed (@blanks) until another one follows. */
static void draw_cell(const struct canvas *c, const struct layout *l, const struct grid_cell *cell,
	size_t width, size_t *blanks)
{
	char text[4] = {cell_mark(cell), '\0'};
	size_t n;

	if (l->form != FORM_DENSE)
		cell_text(cell, text);
	while (text[0] == ' ' && text[1]) {
		memmove(text, text + 1, strlen(text));
		*blanks += 1;
		width--;
	}
	for (n = strlen(text); n && text[n - 1] == ' ';)
		text[--n] = '\0';
	if (*text) {
		pad(c->out, *blanks);
		paint(c, cell, text);
		*blanks = 0;
	}
	*blanks += width - n;
}

static void draw_row(const struct canvas *c, const struct layout *l, const struct band *row,
	size_t from, size_t n)
{
	size_t blanks = l->form == FORM_DENSE || l->form == FORM_ROOMY ? 2 : 1;
	char label[8];

	snprintf(label, sizeof(label), row->first == row->last ? "%02x" : "%02x-%02x", row->first,
		row->last);
	fprintf(c->out, "%*s", (int)LABEL_WIDTH - 2, label);
	for (size_t i = 0; i < n; i++) {
		unsigned domain = l->columns.items[from + i].first;

		if (l->form == FORM_DENSE)
			blanks += i && i % DENSE_GROUP == 0;
		draw_cell(c, l, &c->model->cell[row->first][domain], column_width(l, from + i),
			&blanks);
	}
	fputc('\n', c->out);
}

static void draw_block(const struct canvas *c, const struct layout *l, size_t from, size_t n)
{
	const char *bold = term_style(c->term, STYLE_BOLD);
	const char *plain = term_reset(c->term, STYLE_BOLD);

	fputs(bold, c->out);
	if (l->form == FORM_DENSE) {
		draw_digits(c, l, from, n, "domain", 4);
		draw_digits(c, l, from, n, "adapter", 0);
	} else {
		fprintf(c->out, "%*sdomain\n", (int)LABEL_WIDTH, "");
		draw_labels(c, l, from, n);
	}
	fputs(plain, c->out);
	for (size_t i = 0; i < l->rows.n; i++)
		draw_row(c, l, &l->rows.items[i], from, n);
	fputc('\n', c->out);
}

struct tally {
	unsigned owner[N_GRID_OWNERS];
	unsigned *matrix; /* cells of each matrix */
	unsigned *guest;  /* of these, in use */
};

static void count(const struct grid_model *m, struct tally *tally)
{
	MASK_FOREACH (a, &m->adapters)
		MASK_FOREACH (d, &m->domains) {
			const struct grid_cell *cell = &m->cell[a][d];

			tally->owner[cell->owner]++;
			if (!cell->matrix)
				continue;
			tally->matrix[cell->matrix - 1u]++;
			tally->guest[cell->matrix - 1u] += cell->owner == GRID_GUEST;
		}
}

static void legend_matrix(const struct canvas *c, struct table *t, size_t i, const struct tally *n)
{
	const struct grid_matrix *m = &c->model->matrices[i];
	char letter[2] = {grid_letter(i), '\0'};

	table_cell(t, STYLE_NONE, "%*s", (int)LABEL_WIDTH - 2, letter);
	table_paint(t, palette[i % ARRAY_SIZE(palette)]);
	table_cell(t, STYLE_BOLD, "%s", m->name);
	table_cell(t, STYLE_NONE, "%s", m->state);
	table_cell(t, STYLE_NONE, "%u", n->matrix[i]);
	if (n->guest[i])
		table_cell(t, STYLE_NONE, "%u", n->guest[i]);
	else
		table_cell(t, STYLE_NONE, "-");
	table_cell(t, STYLE_NONE, "%s", m->guest);
}

/* The marks that occur, as they are drawn in this form. */
static void legend_marks(const struct canvas *c, const struct layout *l, const struct tally *n)
{
	static const char *const wide[N_GRID_OWNERS] = {
		[GRID_GUEST] = "[A]",
		[GRID_GONE] = "(A)",
		[GRID_WANTED] = "!A",
	};

	for (unsigned i = GRID_HOST; i < N_GRID_OWNERS; i++) {
		struct grid_cell cell = {.owner = (uint8_t)i};
		char mark[2] = {owner_table[i].mark, '\0'};
		const char *text = l->form != FORM_DENSE && wide[i] ? wide[i] : mark;

		/* Letters explain themselves; dense letters show use by colour only. */
		if (n->owner[i] == 0 || i == GRID_MATRIX)
			continue;
		if (i == GRID_GUEST && l->form == FORM_DENSE && !c->term->colour)
			continue;
		if (i == GRID_GUEST && l->form == FORM_DENSE)
			text = "A";
		pad(c->out, LABEL_WIDTH - 2 - strlen(text));
		paint(c, &cell, text);
		fprintf(c->out, "  %u %s\n", n->owner[i], owner_table[i].meaning);
	}
}

static int draw_legend(const struct canvas *c, const struct layout *l, const struct tally *n)
{
	static const char *const headers[] = {
		"       ", "MATRIX", "STATE", "QUEUES", "IN USE", "GUEST"};
	_cleanup_(cleanup_table_free) struct table *t = table_new(headers, ARRAY_SIZE(headers));
	size_t shown = 0;
	int r = 0;

	if (!t)
		return -ENOMEM;
	table_align_right(t, 3);
	table_align_right(t, 4);
	for (size_t i = 0; i < c->model->n_matrices; i++) {
		if (n->matrix[i] == 0)
			continue;
		legend_matrix(c, t, i, n);
		shown++;
	}
	if (shown) {
		r = table_print(t, c->term, c->out);
		fputc('\n', c->out);
	}
	legend_marks(c, l, n);
	return r;
}

int grid_render(const struct grid_model *model, const struct term *term, FILE *out)
{
	struct canvas canvas = {.model = model, .term = term, .out = out};
	_cleanup_free_ struct layout *layout = malloc(sizeof(*layout));
	_cleanup_free_ unsigned *counts = calloc(2 * model->n_matrices + 1, sizeof(*counts));
	struct tally tally = {.matrix = counts};

	if (!layout || !counts)
		return -ENOMEM;
	tally.guest = counts + model->n_matrices;
	count(model, &tally);
	choose_layout(model, term->columns, layout);
	for (size_t from = 0, n; from < layout->columns.n; from += n) {
		n = block_columns(layout, from, term->columns);
		draw_block(&canvas, layout, from, n);
	}
	return draw_legend(&canvas, layout, &tally);
}
