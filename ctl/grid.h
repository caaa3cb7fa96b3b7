/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The grid: a picture of who has which queue, adapters down, domains across.  Pure: from a model
 * to text, so that every shape of machine can be tried without one.
 *
 * Forms, the first that fits the width is taken:
 *   roomy   four-digit domains, a cell of five columns
 *   narrow  two-digit domains, a cell of three
 *   dense   one column a domain, digits stacked, groups of eight
 *   merged  neighbouring domains (adapters) that look the same in every row (column) are one
 *   folded  dense in several blocks below each other, adapters merged where there are many
 */
#include <stdint.h>
#include <stdio.h>

#include "core/mask.h"
#include "ctl/term.h"

enum grid_owner {
	GRID_NONE,    /* no such queue */
	GRID_HOST,    /* a host driver has it */
	GRID_FREE,    /* vfio_ap has it, no matrix does */
	GRID_UNBOUND, /* no driver has it */
	GRID_MATRIX,  /* a matrix has it */
	GRID_GUEST,   /* a running guest uses it */
	GRID_GONE,    /* a matrix has it, the machine does not (overprovisioned) */
	GRID_WANTED,  /* a matrix is to have it, but vfio_ap has not got it */
	N_GRID_OWNERS,
};

struct grid_cell {
	uint8_t owner;   /* enum grid_owner */
	uint16_t matrix; /* index in the model's matrices plus one, or 0 */
};

struct grid_matrix {
	const char *name, *state, *guest; /* borrowed; guest: "" if none is attached */
};

struct grid_model {
	struct mask adapters, domains; /* those to show */
	struct grid_matrix *matrices;  /* borrowed */
	size_t n_matrices;
	struct grid_cell cell[MASK_BITS][MASK_BITS]; /* [adapter][domain] */
};

/* Draws the grid and its legend.  0 or -ENOMEM. */
int grid_render(const struct grid_model *model, const struct term *term, FILE *out);

/* The letter of a matrix: A to Z, a to z, 0 to 9, and '#' for all others. */
char grid_letter(size_t matrix);
