/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * start and stop: the mediated device of one matrix is made or removed now.  Silent when it
 * worked, as systemctl is.
 */
#include "ctl/ctl.h"

static int change(struct ctl *ctl, const char *method, const char *name)
{
	int r = client_call(&ctl->client, CLIENT_CHANGE, method, NULL, "s", name);

	if (r >= 0)
		return EXIT_SUCCESS;
	client_note_name(&ctl->client, name);
	return ctl_fail(ctl, r);
}

int verb_start(struct ctl *ctl, char **args)
{
	return change(ctl, "StartMatrix", args[0]);
}

int verb_stop(struct ctl *ctl, char **args)
{
	return change(ctl, "StopMatrix", args[0]);
}
