/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What a kernel's release says: features that the tree does not show while no device has them,
 * and the bugs that no attribute tells of.
 */
#include "core/observed.h"

/* @release as in utsname, "6.12.107+deb13-s390x".  One that cannot be read ("" or nonsense) has no
 * feature and every hazard. */
uint32_t release_features(const char *release);

/* The hazards were fixed upstream by 7.2; which stable releases before it have the fixes is not
 * known, so all before it count. */
uint32_t release_hazards(const char *release);
