/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Pieces of messages about what a person wrote: a short excerpt of it, and the word that was
 * probably meant.
 */
#include <stddef.h>

#define TEXT_EXCERPT_SIZE 64u

/* Copies at most 48 bytes of @text (@size bytes, UTF-8) and "..." where there is more, never half
 * a character: what is made of it may go to D-Bus, which refuses broken UTF-8.  Returns @buf. */
const char *text_excerpt(const char *text, size_t size, char buf[static TEXT_EXCERPT_SIZE]);

/* The one of @n words (holes are NULL) that @text was probably meant to be: the same in other
 * case, or at most two letters off (one for words of four letters or less).  NULL: none. */
const char *text_closest(const char *text, const char *const *words, size_t n);
