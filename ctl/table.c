/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/table.h"

#include <stdarg.h>
#include <string.h>

#define GAP 2u

struct cell {
	char *text;
	enum style style;
	const char *sgr; /* instead of the style, or NULL */
	bool note;
	size_t column;
};

struct table {
	const char *const *headers;
	bool *right;
	size_t n_columns, next; /* next: column of the next cell */
	struct cell *cells;
	size_t n_cells;
	bool failed;
};

struct table *table_new(const char *const *headers, size_t n_columns)
{
	_cleanup_free_ struct table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->right = calloc(n_columns, sizeof(*t->right));
	if (!t->right)
		return NULL;
	t->headers = headers;
	t->n_columns = n_columns;
	return TAKE_PTR(t);
}

void table_free(struct table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n_cells; i++)
		free(t->cells[i].text);
	free(t->cells);
	free(t->right);
	free(t);
}

void table_align_right(struct table *t, size_t column)
{
	t->right[column] = true;
}

_printf_(3, 0) static struct cell *cell_add(
	struct table *t, enum style style, const char *format, va_list ap)
{
	struct cell *cells = reallocarray(t->cells, t->n_cells + 1, sizeof(*cells));
	char *text;

	if (!cells) {
		t->failed = true;
		return NULL;
	}
	t->cells = cells;
	if (vasprintf(&text, format, ap) < 0) {
		t->failed = true;
		return NULL;
	}
	cells[t->n_cells] = (struct cell){.text = text, .style = style};
	return &cells[t->n_cells++];
}

void table_cell(struct table *t, enum style style, const char *format, ...)
{
	struct cell *cell;
	va_list ap;

	va_start(ap, format);
	cell = cell_add(t, style, format, ap);
	va_end(ap);
	if (!cell)
		return;
	cell->column = t->next;
	t->next = (t->next + 1) % t->n_columns;
}

void table_paint(struct table *t, const char *sgr)
{
	if (t->n_cells && !t->failed)
		t->cells[t->n_cells - 1].sgr = sgr;
}

void table_note(struct table *t, size_t column, enum style style, const char *format, ...)
{
	struct cell *cell;
	va_list ap;

	va_start(ap, format);
	cell = cell_add(t, style, format, ap);
	va_end(ap);
	if (!cell)
		return;
	cell->note = true;
	cell->column = column;
}

static void pad(FILE *out, size_t n)
{
	fprintf(out, "%*s", (int)n, "");
}

/* What printing a row goes along with. */
struct row {
	const struct table *table;
	const struct term *term;
	const size_t *widths;
	size_t blanks; /* owed behind the last cell, until something follows in the row */
	FILE *out;
};

static void print_text(const struct row *row, const struct cell *cell)
{
	if (cell->sgr && row->term->colour)
		fprintf(row->out, "\x1b[%sm%s\x1b[0m", cell->sgr, cell->text);
	else
		fprintf(row->out, "%s%s%s", term_style(row->term, cell->style), cell->text,
			term_reset(row->term, cell->style));
}

static void print_cell(struct row *row, const struct cell *cell)
{
	bool right = row->table->right[cell->column];
	size_t fill = row->widths[cell->column] - text_width(cell->text);

	if (right)
		row->blanks += fill;
	if (*cell->text) {
		pad(row->out, row->blanks);
		print_text(row, cell);
		row->blanks = 0;
	}
	row->blanks += GAP + (right ? 0 : fill);
	if (cell->column + 1 == row->table->n_columns) {
		fputc('\n', row->out);
		row->blanks = 0;
	}
}

void text_wrap(const char *text, size_t used, size_t indent, const struct term *term, FILE *out)
{
	bool first = true;

	while (*text) {
		size_t n = strcspn(text, " ");
		_cleanup_free_ char *word = strndup(text, n);
		size_t width = word ? text_width(word) : n;

		if (!first && used + 1 + width > term->columns) {
			fputc('\n', out);
			pad(out, indent);
			used = indent;
		} else if (!first) {
			fputc(' ', out);
			used++;
		}
		fwrite(text, 1, n, out);
		used += width;
		first = false;
		text += n + strspn(text + n, " ");
	}
}

static void print_note(const struct row *row, const struct cell *cell)
{
	size_t indent = 0;

	for (size_t i = 0; i < cell->column; i++)
		indent += row->widths[i] + GAP;
	pad(row->out, indent);
	fputs(term_style(row->term, cell->style), row->out);
	text_wrap(cell->text, indent, indent, row->term, row->out);
	fputs(term_reset(row->term, cell->style), row->out);
	fputc('\n', row->out);
}

static void measure(const struct table *t, size_t *widths)
{
	for (size_t i = 0; i < t->n_columns; i++)
		widths[i] = text_width(t->headers[i]);
	for (size_t i = 0; i < t->n_cells; i++) {
		const struct cell *cell = &t->cells[i];
		size_t width = text_width(cell->text);

		if (!cell->note && width > widths[cell->column])
			widths[cell->column] = width;
	}
}

int table_print(const struct table *t, const struct term *term, FILE *out)
{
	_cleanup_free_ size_t *widths = calloc(t->n_columns, sizeof(*widths));
	struct row row = {.table = t, .term = term, .widths = widths, .out = out};

	if (t->failed || !widths)
		return -ENOMEM;
	measure(t, widths);
	for (size_t i = 0; i < t->n_columns; i++) {
		char *header = (char *)t->headers[i];

		print_cell(&row, &(struct cell){.text = header, .style = STYLE_BOLD, .column = i});
	}
	for (size_t i = 0; i < t->n_cells; i++) {
		if (t->cells[i].note)
			print_note(&row, &t->cells[i]);
		else
			print_cell(&row, &t->cells[i]);
	}
	return 0;
}
