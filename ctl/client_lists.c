/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The manager's two lists, of matrices and of queues, as arrays.
 */
#include "ctl/client.h"
#include "ctl/term.h"

void client_entries_done(struct client_entries *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->items[i].name);
		free(l->items[i].uuid);
		free(l->items[i].state);
		free(l->items[i].path);
	}
	free(l->items);
	*l = (struct client_entries){0};
}

static int entries_add(struct client_entries *l, const char *name, const char *uuid,
	const char *state, const char *path)
{
	struct client_entry *items = reallocarray(l->items, l->n + 1, sizeof(*items));
	struct client_entry *e;

	if (!items)
		return -ENOMEM;
	l->items = items;
	e = &items[l->n++];
	*e = (struct client_entry){
		.name = text_clean_copy(name),
		.uuid = text_clean_copy(uuid),
		.state = text_clean_copy(state),
		.path = text_clean_copy(path),
	};
	return e->name && e->uuid && e->state && e->path ? 0 : -ENOMEM;
}

static int compare_entries(const void *a, const void *b)
{
	const struct client_entry *x = a, *y = b;

	return client_compare_titles(x->name, x->uuid, y->name, y->uuid);
}

int client_list(struct client *c, struct client_entries *ret)
{
	const char *name, *uuid, *state, *path;
	struct client_entries list = {0};
	sd_bus_message *reply = NULL;
	int r = client_call(c, CLIENT_READ, "ListMatrices", &reply, NULL);

	if (r >= 0)
		r = sd_bus_message_enter_container(reply, 'a', "(ssso)");
	while (r >= 0) {
		r = sd_bus_message_read(reply, "(ssso)", &name, &uuid, &state, &path);
		if (r <= 0)
			break;
		r = entries_add(&list, name, uuid, state, path);
	}
	sd_bus_message_unref(reply);
	if (r < 0) {
		client_entries_done(&list);
		return r == -ENXIO ? -EBADMSG : r;
	}
	if (list.n)
		qsort(list.items, list.n, sizeof(*list.items), compare_entries);
	*ret = list;
	return 0;
}

void client_queues_done(struct client_queues *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->items[i].owner);
		free(l->items[i].matrix);
	}
	free(l->items);
	*l = (struct client_queues){0};
}

static int queues_add(struct client_queues *l, uint8_t adapter, uint8_t domain, const char *owner,
	const char *matrix)
{
	struct client_queue *q;

	/* Up to 65536 rows: grow by doubling. */
	if ((l->n & (l->n - 1)) == 0) {
		struct client_queue *items =
			reallocarray(l->items, l->n ? 2 * l->n : 1, sizeof(*items));

		if (!items)
			return -ENOMEM;
		l->items = items;
	}
	q = &l->items[l->n++];
	*q = (struct client_queue){
		.adapter = adapter,
		.domain = domain,
		.owner = text_clean_copy(owner),
		.matrix = text_clean_copy(matrix),
	};
	return q->owner && q->matrix ? 0 : -ENOMEM;
}

int client_read_queues(struct client *c, struct client_queues *ret)
{
	struct client_queues list = {0};
	sd_bus_message *reply = NULL;
	const char *owner, *matrix;
	uint8_t adapter, domain;
	int r = client_call(c, CLIENT_READ, "ListQueues", &reply, NULL);

	if (r >= 0)
		r = sd_bus_message_enter_container(reply, 'a', "(yyss)");
	while (r >= 0) {
		r = sd_bus_message_read(reply, "(yyss)", &adapter, &domain, &owner, &matrix);
		if (r <= 0)
			break;
		r = queues_add(&list, adapter, domain, owner, matrix);
	}
	sd_bus_message_unref(reply);
	if (r < 0) {
		client_queues_done(&list);
		return r == -ENXIO ? -EBADMSG : r;
	}
	*ret = list;
	return 0;
}
