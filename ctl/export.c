/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/export.h"

static const char *const export_format_table[] = {
	[EXPORT_MDEVCTL] = "mdevctl",
	[EXPORT_NODEDEV] = "nodedev",
	[EXPORT_HOSTDEV] = "hostdev",
};
DEFINE_STRTAB(export_format, enum export_format)

static void print_attribute(void *userdata, const char *name, const char *value)
{
	fprintf(userdata, "    <attr name='%s' value='%s'/>\n", name, value);
}

/* With the name that libvirt gives such a device: its schema wants one. */
static void print_nodedev(
	const char uuid[static UUID_SIZE], const struct mdevctl_definition *d, FILE *out)
{
	char name[UUID_SIZE];

	for (size_t i = 0; i < UUID_SIZE; i++)
		name[i] = uuid[i] == '-' ? '_' : uuid[i];
	fprintf(out,
		"<device>\n"
		"  <name>mdev_%s_" MDEVCTL_PARENT "</name>\n"
		"  <parent>ap_matrix</parent>\n"
		"  <capability type='mdev'>\n"
		"    <type id='" MDEVCTL_TYPE "'/>\n"
		"    <uuid>%s</uuid>\n",
		name, uuid);
	mdevctl_foreach(&d->matrix, print_attribute, out);
	fputs("  </capability>\n"
	      "</device>\n",
		out);
}

static void print_hostdev(const char uuid[static UUID_SIZE], FILE *out)
{
	fprintf(out,
		"<hostdev mode='subsystem' type='mdev' model='vfio-ap'>\n"
		"  <source>\n"
		"    <address uuid='%s'/>\n"
		"  </source>\n"
		"</hostdev>\n",
		uuid);
}

void export_print(enum export_format format, const char uuid[static UUID_SIZE],
	const struct mdevctl_definition *d, FILE *out)
{
	switch (format) {
	case EXPORT_MDEVCTL:
		mdevctl_print(d, out);
		break;
	case EXPORT_NODEDEV:
		print_nodedev(uuid, d, out);
		break;
	case EXPORT_HOSTDEV:
		print_hostdev(uuid, out);
		break;
	case N_EXPORT_FORMATS:
		break;
	}
}
