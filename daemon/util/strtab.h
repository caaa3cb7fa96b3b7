/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * String tables: every enum that a person or a file may see has one table of its names beside it.
 * DEFINE_STRTAB() turns the table into NAME_to_string() and NAME_from_string(); a value without a
 * name is a hole in the table and is never matched.
 */
#include <errno.h>
#include <string.h>

#include "util/cleanup.h"

#define DECLARE_STRTAB(name, type)                \
	const char *name##_to_string(type value); \
	int name##_from_string(const char *text)

/* name_to_string(): the name, or NULL where the value is out of range.
 * name_from_string(): the value (0 or more), or -EINVAL. */
#define DEFINE_STRTAB(name, type)                                                          \
	const char *name##_to_string(type value)                                           \
	{                                                                                  \
		if ((size_t)value >= ARRAY_SIZE(name##_table))                             \
			return NULL;                                                       \
		return name##_table[value];                                                \
	}                                                                                  \
	int name##_from_string(const char *text)                                           \
	{                                                                                  \
		for (size_t i = 0; i < ARRAY_SIZE(name##_table); i++)                      \
			if (name##_table[i] && text && strcmp(name##_table[i], text) == 0) \
				return (int)i;                                             \
		return -EINVAL;                                                            \
	}
