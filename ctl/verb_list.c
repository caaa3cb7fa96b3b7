/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * list: all matrices, a line each; and names, the same for the shell's completion.
 */
#include "ctl/ctl.h"
#include "ctl/object_text.h"
#include "ctl/table.h"

static struct json_object *entries_json(const struct client_entries *list)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < list->n; i++) {
		struct json_object *item = json_object_new_object();

		json_put_string(item, "Name", list->items[i].name);
		json_put_string(item, "UUID", list->items[i].uuid);
		json_put_string(item, "State", list->items[i].state);
		json_put_string(item, "Path", list->items[i].path);
		json_object_array_add(array, item);
	}
	return array;
}

static int entries_print(const struct ctl *ctl, const struct client_entries *list)
{
	static const char *const headers[] = {"NAME", "STATE", "UUID"};
	_cleanup_(cleanup_table_free) struct table *t = table_new(headers, ARRAY_SIZE(headers));

	if (!t)
		return ctl_result(-ENOMEM);
	if (list->n == 0) {
		puts("There are no matrices.");
		return EXIT_SUCCESS;
	}
	for (size_t i = 0; i < list->n; i++) {
		const struct client_entry *e = &list->items[i];

		table_cell(t, STYLE_BOLD, "%s", *e->name ? e->name : "-");
		table_cell(t, state_style(e->state), "%s", e->state);
		table_cell(t, STYLE_NONE, "%s", e->uuid);
	}
	return ctl_result(table_print(t, &ctl->term, stdout));
}

int verb_list(struct ctl *ctl, char **args _unused_)
{
	struct client_entries list;
	int status, r = client_list(&ctl->client, &list);

	if (r < 0)
		return ctl_fail(ctl, r);
	if (ctl->json != JSON_OFF)
		status = ctl_json(ctl, entries_json(&list));
	else
		status = entries_print(ctl, &list);
	client_entries_done(&list);
	return status;
}

int verb_names(struct ctl *ctl, char **args _unused_)
{
	struct client_entries list;

	/* Silent: a message would land in the middle of the line that is being completed. */
	if (client_list(&ctl->client, &list) < 0)
		return EXIT_FAILURE;
	for (size_t i = 0; i < list.n; i++)
		puts(*list.items[i].name ? list.items[i].name : list.items[i].uuid);
	client_entries_done(&list);
	return EXIT_SUCCESS;
}
