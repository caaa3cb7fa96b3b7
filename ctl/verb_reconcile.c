/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * reconcile: asks the daemon to make everything as configured now, and says how much that was.
 */
#include "ctl/ctl.h"

int verb_reconcile(struct ctl *ctl, char **args _unused_)
{
	sd_bus_message *reply = NULL;
	struct json_object *value;
	uint32_t steps;
	int r = client_call(&ctl->client, CLIENT_CHANGE, "Reconcile", &reply, NULL);

	if (r >= 0)
		r = sd_bus_message_read_basic(reply, 'u', &steps);
	sd_bus_message_unref(reply);
	if (r < 0)
		return ctl_fail(ctl, r);
	if (ctl->json != JSON_OFF) {
		value = json_object_new_object();
		json_put_number(value, "Steps", steps);
		return ctl_json(ctl, value);
	}
	if (steps == 0)
		puts("Nothing was to be done.");
	else
		printf("%u step%s done.\n", steps, steps == 1 ? "" : "s");
	return EXIT_SUCCESS;
}
