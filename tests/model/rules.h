/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Runs the scripts of kernel.rules against anything that can be read and written by paths below
 * /sys: the model, a mounted tree, or a kernel.
 */
#include <stddef.h>
#include <stdbool.h>
#include <sys/types.h>

#include "model.h"

#define RULES_UUID_A "62177883-f1bb-47f0-914d-32a22e3a8804"
#define RULES_UUID_B "cef03c3c-903d-4ecc-9a83-40694cb8aee4"
#define RULES_UUID_C "9b2e0f6a-34c5-4c1e-8a53-0c8d2d5a7f11"
#define RULES_TYPE "devices/vfio_ap/matrix/mdev_supported_types/vfio_ap-passthrough"

/* Each returns 0 (read: a length) or a negative errno, and is given what is relative to /sys. */
struct rules_target {
	void *userdata;
	int (*write)(void *userdata, const char *path, const char *text);
	ssize_t (*read)(void *userdata, const char *path, char *buf, size_t size);
	int (*control)(void *userdata, const char *command);
	void (*check)(void *userdata, char *buf, size_t size); /* "ok" or a sentence; or NULL */
	unsigned *n_unasked; /* without a checker: how many lines asked for it */
	/* The next uevent that nobody has been given: its properties ("ACTION=add"), NUL after each.
	 * Their length, or -EAGAIN if none came within @msec. */
	ssize_t (*next_uevent)(void *userdata, int msec, char *buf, size_t size);
};

struct rule {
	char *name;
	unsigned profiles; /* 1 << enum model_profile */
	bool model_only;   /* speaks of what only the model and simfs have */
	char *script;
};

struct rules {
	char *hardware;
	struct rule *items;
	size_t n;
};

/* 0, -EINVAL (not a file of rules), -ENOMEM or what open(2) and read(2) say. */
int rules_load(const char *path, struct rules *ret);
void rules_done(struct rules *r);

const char *rules_profile_name(enum model_profile profile); /* "6.12" */

/* Does one line.  0, or -EINVAL with *ret_error what was expected and what came. */
int rules_run_line(const struct rules_target *target, const char *line, char **ret_error);

/* Does the whole script; the error is that of the first line that fails. */
int rule_run(const struct rules_target *target, const struct rule *rule, char **ret_error);

/* "A/matrix" and "TYPE/create" in full. */
void rules_expand_path(const char *path, char *buf, size_t size);
