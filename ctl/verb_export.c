/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * export: a matrix for mdevctl, or for libvirt, on standard output.  What the drop-ins configure
 * is exported; a device that no drop-in names, as it is.
 */
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/export.h"
#include "ctl/suggest.h"

/* True and the format; else it is said what is wrong. */
static bool parse_format(const char *text, enum export_format *ret)
{
	const char *names[N_EXPORT_FORMATS], *meant;
	int r = text ? export_format_from_string(text) : -EINVAL;

	if (r >= 0) {
		*ret = (enum export_format)r;
		return true;
	}
	for (size_t i = 0; i < N_EXPORT_FORMATS; i++)
		names[i] = export_format_to_string((enum export_format)i);
	meant = text ? suggest(text, names, N_EXPORT_FORMATS) : NULL;
	if (!text)
		ctl_say("export: --format=mdevctl, nodedev or hostdev is missing");
	else if (meant)
		ctl_say("export: there is no format '%s'; did you mean '%s'?", text, meant);
	else
		ctl_say("export: there is no format '%s'; it is mdevctl, nodedev or hostdev", text);
	return false;
}

static struct mdevctl_definition definition_of(const struct client_matrix *m)
{
	if (*m->name)
		return (struct mdevctl_definition){
			.matrix = {m->configured_adapters, m->configured_domains,
				m->configured_control_domains},
			.autostart = strcmp(m->start_mode, "boot") == 0,
		};
	return (struct mdevctl_definition){
		.matrix = {m->assigned_adapters, m->assigned_domains, m->assigned_control_domains},
	};
}

int verb_export(struct ctl *ctl, char **args)
{
	struct mdevctl_definition d;
	enum export_format format;
	struct client_matrix m;
	char uuid[UUID_SIZE];
	int r;

	if (!parse_format(ctl->format, &format))
		return EXIT_USAGE;
	r = client_read_matrix(&ctl->client, args[0], &m);
	if (r < 0)
		return ctl_fail(ctl, r);
	d = definition_of(&m);
	if (!uuid_normalize(m.uuid, uuid))
		r = -EBADMSG;
	client_matrix_done(&m);
	if (r < 0)
		return ctl_fail(ctl, r);
	export_print(format, uuid, &d, stdout);
	return EXIT_SUCCESS;
}
