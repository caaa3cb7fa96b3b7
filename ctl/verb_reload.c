/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * reload: the daemon reads the drop-ins again and reconciles.  A drop-in with a mistake does not
 * make the call fail, the last good one stays in force; whoever typed "reload" wants to know.
 */
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/object_text.h"

static size_t count_errors(const struct problem_list *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += strcmp(l->items[i].severity, "error") == 0;
	return n;
}

int verb_reload(struct ctl *ctl, char **args _unused_)
{
	struct client_host host;
	int status = EXIT_SUCCESS, r;

	r = client_call(&ctl->client, CLIENT_CHANGE, "Reload", NULL, NULL);
	if (r >= 0)
		r = client_read_host(&ctl->client, &host);
	if (r < 0)
		return ctl_fail(ctl, r);
	if (count_errors(&host.problems) > 0)
		status = EXIT_FAILURE;
	if (ctl->json != JSON_OFF) {
		struct json_object *value = json_object_new_object();

		json_put_number(value, "ConfigGeneration", host.config_generation);
		json_put(value, "Problems", json_of_problems(&host.problems));
		if (ctl_json(ctl, value) != EXIT_SUCCESS)
			status = EXIT_FAILURE;
	} else
		problem_list_print(&host.problems, &ctl->term, stdout);
	client_host_done(&host);
	return status;
}
