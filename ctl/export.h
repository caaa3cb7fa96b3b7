/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A matrix as others write it: mdevctl's definition, libvirt's node device and libvirt's host
 * device.  Pure text.
 */
#include <stdio.h>

#include "core/config.h"
#include "ctl/mdevctl.h"

enum export_format {
	EXPORT_MDEVCTL, /* for mdevctl define --jsonfile */
	EXPORT_NODEDEV, /* for virsh nodedev-define */
	EXPORT_HOSTDEV, /* for virsh edit and virsh attach-device */
	N_EXPORT_FORMATS,
};
DECLARE_STRTAB(export_format, enum export_format);

void export_print(enum export_format format, const char uuid[static UUID_SIZE],
	const struct mdevctl_definition *d, FILE *out);
