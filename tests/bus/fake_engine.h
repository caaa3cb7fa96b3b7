/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * An engine without a wheel: it has whatever status the test gives it, writes down every request,
 * and answers when the test says so.
 */
#include "engine/engine.h"

struct fake_call {
	const char *what; /* "plan", "reconcile", "reload", "start", "stop", "define", ... */
	char name[128];   /* of the matrix or guest, or "" */
	char rest[256];   /* "Key=value|Key=value|" or "UUID|UUID|" */
	size_t n;         /* of these */
	bool replace;
	engine_reply reply;
	void *userdata;
};

struct engine {
	const struct status *status;
	const struct observed *observed;
	struct fake_call calls[512];
	size_t n_calls;
	const struct engine_result
		*answer; /* given at once, from within the request; NULL: later */
	int check_result;
	char check_file[64], check_text[256];
};

/* A status with nothing in it. */
extern const struct status fake_empty_status;

/* A matrix with a UUID that ends in @n, fit for a static status: nothing of it is owned. */
struct matrix_status fake_matrix(unsigned n, const char *name);

void fake_answer(struct engine *e, size_t call, const struct engine_result *result);
