/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long a plan takes: N matrices of 16 queues each, for N from 256 to 4096 (all of the 65536
 * queues there can be), where nothing is there yet, where all is as configured, where every
 * queue changes hands, and where they clash.  Best of several runs; the time for one matrix should not grow with N.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/status.h"

#define RUNS 5u

enum scene { FROM_NOTHING, AS_CONFIGURED, ROTATED, CLASHING, SCATTERED, N_SCENES };

static const char *const scene_name[] = {
	[FROM_NOTHING] = "from nothing",
	[AS_CONFIGURED] = "as configured",
	[ROTATED] = "each gets another's",
	[CLASHING] = "all want the same",
	[SCATTERED] = "scattered, some kept",
};

static void uuid_of(unsigned i, char buf[static UUID_SIZE])
{
	snprintf(buf, UUID_SIZE, "%08x-0000-4000-8000-000000000000", i);
}

/* 4 adapters x 4 domains: block @i of a grid of 64 x 64. */
static struct matrix block_of(unsigned i)
{
	struct matrix m = {};

	for (unsigned k = 0; k < 4; k++) {
		mask_set(&m.adapters, i / 64 * 4 + k);
		mask_set(&m.domains, i % 64 * 4 + k);
	}
	return m;
}

/* 4 adapters x 4 domains anywhere: most clash with one or two others. */
static struct matrix scattered(unsigned i)
{
	struct matrix m = {};
	unsigned x = i * 2654435761u;

	for (unsigned k = 0; k < 4; k++) {
		x = x * 1664525u + 1013904223u;
		mask_set(&m.adapters, x >> 24);
		mask_set(&m.domains, x >> 16 & 0xff);
	}
	return m;
}

static struct matrix matrix_of(enum scene scene, unsigned i)
{
	if (scene == SCATTERED)
		return scattered(i);
	return block_of(scene == CLASHING ? 0 : i);
}

static int add_setting(
	struct fragment *f, const char *name, const char *key, const struct mask *m, unsigned line)
{
	char list[MASK_LIST_SIZE];

	mask_format_list(m, list);
	return fragment_add(f, SECTION_MATRIX, name, key, list, line);
}

static struct config *make_config(unsigned n, enum scene scene)
{
	_cleanup_(cleanup_fragment_free) struct fragment *f = fragment_new("bench.conf");
	_cleanup_(problems_done) struct problems p = {};
	const struct fragment *list[] = {f};
	struct config *c;

	if (scene == SCATTERED &&
		fragment_add(f, SECTION_HOST, NULL, "KeepQueues",
			"00.0000, 11.0000-000f, 80-8f.0040", 1) < 0)
		abort();
	for (unsigned i = 0; i < n; i++) {
		struct matrix m = matrix_of(scene, i);
		char name[16], uuid[UUID_SIZE];

		snprintf(name, sizeof(name), "m%04u", i);
		uuid_of(i, uuid);
		if (fragment_add(f, SECTION_MATRIX, name, NULL, NULL, 4 * i + 1) < 0 ||
			fragment_add(f, SECTION_MATRIX, name, "UUID", uuid, 4 * i + 2) < 0 ||
			add_setting(f, name, "Adapters", &m.adapters, 4 * i + 3) < 0 ||
			add_setting(f, name, "Domains", &m.domains, 4 * i + 4) < 0)
			abort();
	}
	if (config_build(list, 1, &p, &c) < 0)
		abort();
	return c;
}

static void add_mdev(struct observed *o, unsigned i, const struct matrix *m)
{
	char uuid[UUID_SIZE];
	struct observed_mdev *d;

	uuid_of(i, uuid);
	d = observed_add_mdev(o, uuid);
	if (!d)
		abort();
	d->assigned_known = d->guest_known = true;
	d->assigned = d->guest = *m;
	d->attach = ATTACH_NO;
	d->attach_source = ATTACH_FROM_MODULE;
}

static struct observed *make_observed(unsigned n, enum scene scene)
{
	struct observed *o = observed_new();
	bool nothing_there = scene != AS_CONFIGURED && scene != ROTATED;
	struct mask full = mask_full();

	if (!o)
		abort();
	o->complete = o->has_ap_bus = o->has_matrix_device = true;
	o->features = FEATURE_AP_CONFIG | FEATURE_GUEST_MATRIX | FEATURE_MODULE;
	o->max_adapter = o->max_domain = 255;
	o->host_adapters = o->host_domains = o->cards = full;
	if (nothing_there)
		o->apmask = o->aqmask = full;
	for (unsigned a = 0; a < MASK_BITS; a++) {
		o->present.row[a] = full;
		if (nothing_there)
			o->host.row[a] = full;
		else
			o->vfio.row[a] = full;
	}
	for (unsigned i = 0; i < n && !nothing_there; i++) {
		struct matrix m = block_of(scene == ROTATED ? (i + 1) % n : i);

		add_mdev(o, i, &m);
	}
	return o;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void measure(const struct plan_input *in, double *plan_ms, double *status_ms, size_t *steps)
{
	struct problems none = {};

	*plan_ms = *status_ms = 1e9;
	for (unsigned i = 0; i < RUNS; i++) {
		_cleanup_(cleanup_plan_free) struct plan *plan = NULL;
		_cleanup_(cleanup_status_free) struct status *status = NULL;
		struct status_input status_in = {
			.config = in->config, .observed = in->observed, .load_problems = &none};
		double from = now(), middle, end;

		if (plan_make(in, &plan) < 0)
			abort();
		middle = now();
		status_in.plan = plan;
		if (status_make(&status_in, &status) < 0)
			abort();
		end = now();
		*steps = plan->n_steps;
		*plan_ms = middle - from < *plan_ms ? middle - from : *plan_ms;
		*status_ms = end - middle < *status_ms ? end - middle : *status_ms;
	}
}

int main(void)
{
	static const unsigned sizes[] = {256, 1024, 4096};

	for (enum scene scene = 0; scene < N_SCENES; scene++) {
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			unsigned n = sizes[i];
			_cleanup_(cleanup_config_free) struct config *config =
				make_config(n, scene);
			_cleanup_(cleanup_observed_free) struct observed *o =
				make_observed(n, scene);
			_cleanup_(cleanup_ledger_free) struct ledger *l = ledger_new();
			struct plan_input in = {.config = config, .observed = o, .ledger = l};
			double plan_ms, status_ms;
			size_t steps;

			if (!l)
				abort();
			measure(&in, &plan_ms, &status_ms, &steps);
			printf("%-20s %4u matrices %5zu steps: plan %7.2f ms (%5.2f us each), "
			       "status %7.2f ms\n",
				scene_name[scene], n, steps, plan_ms, plan_ms * 1e3 / n, status_ms);
		}
	}
	return 0;
}
