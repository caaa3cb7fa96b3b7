/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Makes up a story from a seed: a machine, what was there before, drop-ins that agree or clash,
 * and what happens then.  Knows the words only, not what comes of them.
 */
#include <stdint.h>

#include "property/story.h"

struct story generate_story(uint64_t seed, unsigned n_lines);
