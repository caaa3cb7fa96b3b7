/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * grid: from the daemon's queues and matrices to the model that grid.c draws.
 */
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/grid.h"
#include "ctl/object_text.h"

static enum grid_owner free_owner(const char *owner)
{
	if (strcmp(owner, "host") == 0)
		return GRID_HOST;
	if (strcmp(owner, "vfio") == 0)
		return GRID_FREE;
	return strcmp(owner, "unbound") == 0 ? GRID_UNBOUND : GRID_GONE;
}

static void add_queues(struct grid_model *model, const struct client_queues *queues)
{
	for (size_t i = 0; i < queues->n; i++) {
		const struct client_queue *q = &queues->items[i];

		model->cell[q->adapter][q->domain].owner = (uint8_t)free_owner(q->owner);
		mask_set(&model->adapters, q->adapter);
		mask_set(&model->domains, q->domain);
	}
}

/* What an assigned queue looks like, from who drives it. */
static enum grid_owner assigned_owner(
	const struct client_matrix *m, unsigned adapter, unsigned domain, enum grid_owner driver)
{
	if (driver == GRID_NONE || driver == GRID_GONE)
		return GRID_GONE;
	if (driver == GRID_HOST || driver == GRID_UNBOUND)
		return GRID_WANTED;
	if (m->attached && mask_test(&m->guest_adapters, adapter) &&
		mask_test(&m->guest_domains, domain))
		return GRID_GUEST;
	return GRID_MATRIX;
}

static void add_matrix(struct grid_model *model, const struct client_matrix *m, size_t index)
{
	MASK_FOREACH (adapter, &m->assigned_adapters)
		MASK_FOREACH (domain, &m->assigned_domains) {
			struct grid_cell *cell = &model->cell[adapter][domain];

			cell->owner = (uint8_t)assigned_owner(m, adapter, domain, cell->owner);
			cell->matrix = (uint16_t)(index + 1);
			mask_set(&model->adapters, adapter);
			mask_set(&model->domains, domain);
		}
}

static struct grid_model *make_model(const struct client_queues *queues,
	const struct client_matrices *matrices, struct grid_matrix *names)
{
	struct grid_model *model = calloc(1, sizeof(*model));

	if (!model)
		return NULL;
	model->matrices = names;
	model->n_matrices = matrices->n;
	add_queues(model, queues);
	for (size_t i = 0; i < matrices->n; i++) {
		const struct client_matrix *m = &matrices->items[i];

		names[i] = (struct grid_matrix){
			.name = client_matrix_title(m),
			.state = m->state,
			.guest = m->attached ? (*m->vm_name ? m->vm_name : m->guest) : "",
		};
		add_matrix(model, m, i);
	}
	return model;
}

static const char *const owner_names[N_GRID_OWNERS] = {
	[GRID_HOST] = "host",
	[GRID_FREE] = "free",
	[GRID_UNBOUND] = "unbound",
	[GRID_MATRIX] = "matrix",
	[GRID_GUEST] = "guest",
	[GRID_GONE] = "gone",
	[GRID_WANTED] = "wanted",
};

static struct json_object *numbers_json(const struct mask *m)
{
	struct json_object *array = json_object_new_array();

	MASK_FOREACH (n, m)
		json_object_array_add(array, json_object_new_int((int)n));
	return array;
}

static struct json_object *grid_json(const struct grid_model *model)
{
	struct json_object *value = json_object_new_object();
	struct json_object *cells = json_object_new_array();

	MASK_FOREACH (a, &model->adapters)
		MASK_FOREACH (d, &model->domains) {
			const struct grid_cell *cell = &model->cell[a][d];
			struct json_object *item;

			if (cell->owner == GRID_NONE)
				continue;
			item = json_object_new_object();
			json_put_number(item, "Adapter", a);
			json_put_number(item, "Domain", d);
			json_put_string(item, "Owner", owner_names[cell->owner]);
			json_put_string(item, "Matrix",
				cell->matrix ? model->matrices[cell->matrix - 1u].name : "");
			json_object_array_add(cells, item);
		}
	json_put(value, "Adapters", numbers_json(&model->adapters));
	json_put(value, "Domains", numbers_json(&model->domains));
	json_put(value, "Cells", cells);
	return value;
}

static int show(
	struct ctl *ctl, const struct client_queues *queues, const struct client_matrices *matrices)
{
	_cleanup_free_ struct grid_matrix *names = calloc(matrices->n + 1, sizeof(*names));
	_cleanup_free_ struct grid_model *model =
		names ? make_model(queues, matrices, names) : NULL;

	if (!model)
		return ctl_result(-ENOMEM);
	if (ctl->json != JSON_OFF)
		return ctl_json(ctl, grid_json(model));
	if (mask_is_empty(&model->adapters)) {
		puts(CTL_NO_QUEUES);
		return EXIT_SUCCESS;
	}
	return ctl_result(grid_render(model, &ctl->term, stdout));
}

int verb_grid(struct ctl *ctl, char **args _unused_)
{
	struct client_matrices matrices = {0};
	struct client_queues queues = {0};
	int status, r;

	r = client_read_queues(&ctl->client, &queues);
	if (r >= 0)
		r = client_read_matrices(&ctl->client, &matrices);
	status = r < 0 ? ctl_fail(ctl, r) : show(ctl, &queues, &matrices);
	client_queues_done(&queues);
	client_matrices_done(&matrices);
	return status;
}
