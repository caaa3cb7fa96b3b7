/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A kernel release as features and hazards: one table, from docs of the kernel's contract.
 */
#include "sysfs/release.h"

#include <stdio.h>

#define RELEASE(major, minor) ((major) << 16 | (minor))

struct span {
	unsigned from, before; /* releases; before == 0: no end */
	uint32_t flag;
};

static const struct span features[] = {
	{RELEASE(6u, 0u), 0, FEATURE_GUEST_MATRIX},
	{RELEASE(6u, 19u), 0, FEATURE_DRIVER_OVERRIDE},
	{RELEASE(6u, 19u), 0, FEATURE_STRICT_MASKS},
};

static const struct span hazards[] = {
	/* matrix_show() prints into the page without a bound */
	{0, RELEASE(7u, 2u), HAZARD_MATRIX_OVERRUN},
	/* vfio_ap_mdev_cfg_remove(), since configuration changes are followed at all */
	{RELEASE(6u, 0u), RELEASE(7u, 2u), HAZARD_UNATTACHED_CONFIG},
	/* vfio_ap_mdev_set_kvm(), since it is called by open_device() */
	{RELEASE(5u, 19u), RELEASE(7u, 2u), HAZARD_REFUSED_OPEN},
};

/* 0: not a release */
static unsigned release_number(const char *release)
{
	unsigned major, minor;

	if (sscanf(release, "%4u.%4u", &major, &minor) != 2)
		return 0;
	return RELEASE(major, minor);
}

static bool span_holds(const struct span *s, unsigned number)
{
	return number >= s->from && (s->before == 0 || number < s->before);
}

uint32_t release_features(const char *release)
{
	unsigned number = release_number(release);
	uint32_t flags = 0;

	for (size_t i = 0; i < ARRAY_SIZE(features); i++)
		if (number && span_holds(&features[i], number))
			flags |= features[i].flag;
	return flags;
}

uint32_t release_hazards(const char *release)
{
	unsigned number = release_number(release);
	uint32_t flags = 0;

	for (size_t i = 0; i < ARRAY_SIZE(hazards); i++)
		if (!number || span_holds(&hazards[i], number))
			flags |= hazards[i].flag;
	return flags;
}
