/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Draws made-up machines with the command line's own grid, without a daemon or a bus:
 *   draw CASE COLUMNS [colour]
 * The pictures are in golden/grid.txt.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/grid.h"
#include "util/cleanup.h"

#define MATRICES_MAX 80u

struct machine {
	struct grid_model model;
	struct grid_matrix matrices[MATRICES_MAX];
	char names[MATRICES_MAX][16];
};

static void put(struct machine *m, unsigned adapter, unsigned domain, enum grid_owner owner,
	unsigned matrix)
{
	mask_set(&m->model.adapters, adapter);
	mask_set(&m->model.domains, domain);
	m->model.cell[adapter][domain] =
		(struct grid_cell){.owner = (uint8_t)owner, .matrix = (uint16_t)matrix};
}

static unsigned add_matrix(struct machine *m, const char *state, const char *guest)
{
	size_t i = m->model.n_matrices++;

	snprintf(m->names[i], sizeof(m->names[i]), "guest%zu", i + 1);
	m->matrices[i] = (struct grid_matrix){m->names[i], state, guest};
	return (unsigned)m->model.n_matrices;
}

/* The example of Documentation/arch/s390/vfio-ap.rst, with the host's adapter 3 beside it. */
static void kernel_example(struct machine *m)
{
	static const unsigned domains[] = {0x04, 0x47, 0xab, 0xff};
	unsigned one = add_matrix(m, "attached", "guest1 (PID 4711)");
	unsigned two = add_matrix(m, "active", "");
	unsigned three = add_matrix(m, "degraded", "");

	for (size_t i = 0; i < ARRAY_SIZE(domains); i++) {
		put(m, 3, domains[i], GRID_HOST, 0);
		put(m, 5, domains[i], i % 2 ? GRID_MATRIX : GRID_GUEST, i % 2 ? two : one);
		put(m, 6, domains[i], i % 2 ? GRID_MATRIX : GRID_GUEST, i % 2 ? three : one);
	}
}

/* One of every kind of cell. */
static void every_kind(struct machine *m)
{
	unsigned one = add_matrix(m, "attached", "db");
	unsigned two = add_matrix(m, "degraded", "");

	put(m, 1, 0, GRID_HOST, 0);
	put(m, 1, 1, GRID_FREE, 0);
	put(m, 1, 2, GRID_UNBOUND, 0);
	put(m, 2, 0, GRID_GUEST, one);
	put(m, 2, 1, GRID_MATRIX, two);
	put(m, 2, 2, GRID_GONE, two);
	put(m, 0xf0, 1, GRID_WANTED, two);
}

/* @n_adapters x @n_domains, each guest with its own adapter, one domain in eight. */
static void striped(struct machine *m, unsigned n_adapters, unsigned n_domains)
{
	for (unsigned a = 0; a < n_adapters; a++) {
		unsigned matrix = m->model.n_matrices < MATRICES_MAX - 1
			? add_matrix(m, "active", "")
			: (unsigned)m->model.n_matrices;

		for (unsigned d = 0; d < n_domains; d++) {
			if (d % 8 == a % 8)
				put(m, a, d, GRID_MATRIX, matrix);
			else
				put(m, a, d, GRID_HOST, 0);
		}
	}
}

/* The largest machine there is, with two guests in it: nearly all of it looks the same. */
static void vast(struct machine *m)
{
	unsigned one = add_matrix(m, "active", ""), two = add_matrix(m, "attached", "db (PID 7)");

	for (unsigned a = 0; a < MASK_BITS; a++)
		for (unsigned d = 0; d < MASK_BITS; d++) {
			bool first = a >= 0x10 && a <= 0x1f && d >= 0x40 && d <= 0x7f;
			bool second = a == 0xa5 && d <= 0x01;

			put(m, a, d,
				first            ? GRID_MATRIX
					: second ? GRID_GUEST
						 : GRID_HOST,
				first            ? one
					: second ? two
						 : 0);
		}
}

static bool fill(struct machine *m, const char *name)
{
	if (strcmp(name, "kernel-example") == 0)
		kernel_example(m);
	else if (strcmp(name, "every-kind") == 0)
		every_kind(m);
	else if (strcmp(name, "4x20") == 0)
		striped(m, 4, 20);
	else if (strcmp(name, "4x64") == 0)
		striped(m, 4, 64);
	else if (strcmp(name, "3x85") == 0)
		striped(m, 3, 85);
	else if (strcmp(name, "70x8") == 0)
		striped(m, 70, 8);
	else if (strcmp(name, "256x256") == 0)
		striped(m, 256, 256);
	else if (strcmp(name, "vast") == 0)
		vast(m);
	else
		return strcmp(name, "empty") == 0;
	return true;
}

int main(int argc, char **argv)
{
	_cleanup_free_ struct machine *m = calloc(1, sizeof(*m));
	struct term term = {.colour = argc > 3, .utf8 = true};

	if (!m || argc < 3)
		return 2;
	m->model.matrices = m->matrices;
	term.columns = (unsigned)strtoul(argv[2], NULL, 10);
	if (!fill(m, argv[1]))
		return 2;
	return grid_render(&m->model, &term, stdout) < 0;
}
