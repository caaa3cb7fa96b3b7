/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * plan: the steps that reconcile would take, in their order.  Changes nothing.
 */
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/table.h"

/* Masks are written to the kernel as 64 digits; people read them as lists. */
static char *value_for_people(const char *step, const char *value)
{
	char list[MASK_LIST_SIZE];
	struct mask m;

	if ((strcmp(step, "apmask") == 0 || strcmp(step, "aqmask") == 0) &&
		mask_parse_kernel(value, &m) == 0) {
		mask_format_list(&m, list);
		return strdup(list);
	}
	return text_clean_copy(value);
}

/* "0xA,0xD,0xC" of ap_config as its three lists. */
static char *matrix_for_people(const char *value)
{
	static const char *const names[] = {"adapters", "domains", "control domains"};
	_cleanup_free_ char *copy = strdup(value);
	char *rest = copy, *part, *text = NULL, list[MASK_LIST_SIZE];
	size_t size, i = 0;
	FILE *out = open_memstream(&text, &size);
	bool ok = copy && out;

	while (ok && (part = strsep(&rest, ","))) {
		struct mask m;

		ok = i < ARRAY_SIZE(names) && mask_parse_kernel(part, &m) == 0;
		if (!ok || mask_is_empty(&m)) {
			i++;
			continue;
		}
		mask_format_list(&m, list);
		fprintf(out, "%s%s %s", ftell(out) > 0 ? "; " : "", names[i++], list);
	}
	if (ok && ftell(out) == 0)
		fputs("nothing", out);
	if (out && (fclose(out) != 0 || !ok)) {
		free(text);
		return text_clean_copy(value);
	}
	return text;
}

static void plan_row(struct table *t, const char *step, const char *object, const char *value)
{
	bool matrix = strcmp(step, "ap_config") == 0;
	_cleanup_free_ char *name = text_clean_copy(object);
	_cleanup_free_ char *text =
		matrix ? matrix_for_people(value) : value_for_people(step, value);

	table_cell(t, STYLE_BOLD, "%s", step);
	table_cell(t, STYLE_NONE, "%s", name ? name : "?");
	table_cell(t, STYLE_NONE, "%s", text ? text : "?");
}

static struct json_object *plan_item(const char *step, const char *object, const char *value)
{
	struct json_object *item = json_object_new_object();

	json_put_string(item, "Step", step);
	json_put_string(item, "Object", object);
	json_put_string(item, "Value", value);
	return item;
}

/* Returns the number of steps, or a negative errno. */
static int read_plan(sd_bus_message *m, struct table *t, struct json_object *array)
{
	const char *step, *object, *value;
	int n = 0, r = sd_bus_message_enter_container(m, 'a', "(sss)");

	while (r >= 0) {
		r = sd_bus_message_read(m, "(sss)", &step, &object, &value);
		if (r <= 0)
			break;
		plan_row(t, step, object, value);
		json_object_array_add(array, plan_item(step, object, value));
		n++;
	}
	return r < 0 ? r == -ENXIO ? -EBADMSG : r : n;
}

int verb_plan(struct ctl *ctl, char **args _unused_)
{
	static const char *const headers[] = {"STEP", "OBJECT", "VALUE"};
	_cleanup_(cleanup_table_free) struct table *t = table_new(headers, ARRAY_SIZE(headers));
	struct json_object *array = json_object_new_array();
	sd_bus_message *reply = NULL;
	int status = EXIT_SUCCESS, r = t && array ? 0 : -ENOMEM;

	if (r >= 0)
		r = client_call(&ctl->client, CLIENT_READ, "Plan", &reply, NULL);
	if (r >= 0)
		r = read_plan(reply, t, array);
	sd_bus_message_unref(reply);
	if (r < 0)
		status = ctl_fail(ctl, r);
	else if (ctl->json != JSON_OFF)
		status = ctl_json(ctl, json_object_get(array));
	else if (r == 0)
		puts("Nothing to do: everything is as configured, or waits for what a plan cannot "
		     "do "
		     "(see 'apmatrixctl status').");
	else
		status = ctl_result(table_print(t, &ctl->term, stdout));
	json_object_put(array);
	return status;
}
