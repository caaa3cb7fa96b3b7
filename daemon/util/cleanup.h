/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Ownership by attribute: a local variable marked with one of these is released when it leaves
 * its scope; TAKE_PTR() and TAKE_FD() are the only ways to hand it on.  Headers only, so that
 * the core may use it too.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_close_ _cleanup_(cleanup_close)
#define _cleanup_fclose_ _cleanup_(cleanup_fclose)
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define _unused_ __attribute__((unused))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define TAKE_PTR(p)                        \
	({                                 \
		__typeof__(p) *_pp = &(p); \
		__typeof__(p) _p = *_pp;   \
		*_pp = NULL;               \
		_p;                        \
	})

#define TAKE_FD(fd)                \
	({                         \
		int *_pfd = &(fd); \
		int _fd = *_pfd;   \
		*_pfd = -1;        \
		_fd;               \
	})

/* Defines cleanup_NAME() for a type that TYPE *p = NULL and func(TYPE *) make safe. */
#define DEFINE_CLEANUP(type, func)                  \
	static inline void cleanup_##func(type **p) \
	{                                           \
		if (*p)                             \
			func(*p);                   \
	}

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

/* close() under which a pending errno survives; -1 is allowed. */
static inline void cleanup_close(const int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static inline void cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}
