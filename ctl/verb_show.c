/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * show: every property of one matrix as "Key=value", for scripts; status NAME is for people.
 */
#include "ctl/ctl.h"
#include "ctl/object_text.h"

int verb_show(struct ctl *ctl, char **args)
{
	struct client_matrix m;
	int status = EXIT_SUCCESS, r = client_read_matrix(&ctl->client, args[0], &m);

	if (r < 0)
		return ctl_fail(ctl, r);
	if (ctl->json != JSON_OFF)
		status = ctl_json(ctl,
			json_of_object(matrix_properties, N_MATRIX_PROPERTIES, &m, UINT32_MAX));
	else
		object_print(matrix_properties, N_MATRIX_PROPERTIES, &m, stdout);
	client_matrix_done(&m);
	return status;
}
