/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * queues: every queue with its owner and matrix, a line each.
 */
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/table.h"

static struct json_object *queues_json(const struct client_queues *list)
{
	struct json_object *array = json_object_new_array();
	char name[8];

	for (size_t i = 0; i < list->n; i++) {
		const struct client_queue *q = &list->items[i];
		struct json_object *item = json_object_new_object();

		snprintf(name, sizeof(name), "%02x.%04x", q->adapter, q->domain);
		json_put_string(item, "Queue", name);
		json_put_number(item, "Adapter", q->adapter);
		json_put_number(item, "Domain", q->domain);
		json_put_string(item, "Owner", q->owner);
		json_put_string(item, "Matrix", q->matrix);
		json_object_array_add(array, item);
	}
	return array;
}

static enum style owner_style(const char *owner)
{
	if (strcmp(owner, "vfio") == 0)
		return STYLE_GOOD;
	if (strcmp(owner, "unbound") == 0)
		return STYLE_WARN;
	return STYLE_DIM;
}

static int queues_print(const struct ctl *ctl, const struct client_queues *list)
{
	static const char *const headers[] = {"QUEUE", "OWNER", "MATRIX"};
	_cleanup_(cleanup_table_free) struct table *t = table_new(headers, ARRAY_SIZE(headers));

	if (!t)
		return ctl_result(-ENOMEM);
	if (list->n == 0) {
		puts(CTL_NO_QUEUES);
		return EXIT_SUCCESS;
	}
	for (size_t i = 0; i < list->n; i++) {
		const struct client_queue *q = &list->items[i];

		table_cell(t, STYLE_NONE, "%02x.%04x", q->adapter, q->domain);
		table_cell(t, owner_style(q->owner), "%s", q->owner);
		table_cell(t, STYLE_BOLD, "%s", *q->matrix ? q->matrix : "-");
	}
	return ctl_result(table_print(t, &ctl->term, stdout));
}

int verb_queues(struct ctl *ctl, char **args _unused_)
{
	struct client_queues list;
	int status, r = client_read_queues(&ctl->client, &list);

	if (r < 0)
		return ctl_fail(ctl, r);
	if (ctl->json != JSON_OFF)
		status = ctl_json(ctl, queues_json(&list));
	else
		status = queues_print(ctl, &list);
	client_queues_done(&list);
	return status;
}
