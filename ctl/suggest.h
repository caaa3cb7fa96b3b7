/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * "Did you mean": the known word that is nearest to a mistyped one.  Pure.
 */
#include <stddef.h>

/* The word of @words with the smallest edit distance (insert, delete, replace, swap of two
 * neighbours), the first of equals; NULL where even that one is too far to be meant: more than a
 * third of the longer word, or three. */
const char *suggest(const char *typed, const char *const *words, size_t n_words);
