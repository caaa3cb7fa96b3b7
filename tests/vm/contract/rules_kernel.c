/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rules_kernel FILE [NAME]: the rules of tests/model/kernel.rules on the kernel that runs here.
 * The model and its FUSE face pass the same file; where the driver differs, they are wrong.
 *
 * Every rule starts on a fresh machine; here that is one which was put back into its first state.
 * Exit code 0: all that hold for this kernel were run and hold.
 */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "machine.h"
#include "util/cleanup.h"

/* "6.12" for "6.12.107+deb13-s390x" */
static int profile_of_kernel(enum model_profile *ret)
{
	struct utsname name;

	uname(&name);
	for (unsigned p = 0; p < N_PROFILES; p++) {
		const char *version = rules_profile_name((enum model_profile)p);
		size_t n = strlen(version);

		if (strncmp(name.release, version, n) == 0 && name.release[n] == '.') {
			*ret = (enum model_profile)p;
			return 0;
		}
	}
	fprintf(stderr, "no rules are known for kernel %s\n", name.release);
	return -1;
}

static bool run(const struct rules_target *target, const struct rule *rule)
{
	_cleanup_free_ char *error = NULL;
	const char *stale = machine_refresh();

	if (!stale && rule_run(target, rule, &error) == 0)
		return true;
	printf("FAILED: %s: %s\n", rule->name, stale ? stale : error);
	fflush(stdout);
	return false;
}

int main(int argc, char **argv)
{
	struct rules_target target = machine_target;
	unsigned n = 0, n_failed = 0, n_model = 0, n_unasked = 0;
	enum model_profile profile;
	struct rules rules;
	int r;

	if (argc < 2) {
		fprintf(stderr, "rules_kernel FILE [NAME]\n");
		return 2;
	}
	r = rules_load(argv[1], &rules);
	if (r == 0)
		r = machine_init();
	if (r < 0 || profile_of_kernel(&profile) < 0) {
		fprintf(stderr, "rules_kernel: %s\n", strerror(-r));
		return EXIT_FAILURE;
	}
	target.n_unasked = &n_unasked;
	for (size_t i = 0; i < rules.n; i++) {
		const struct rule *rule = &rules.items[i];

		if (!(rule->profiles & 1u << profile) || (argc > 2 && !strstr(rule->name, argv[2])))
			continue;
		if (rule->model_only) {
			n_model++;
			continue;
		}
		n++;
		if (!run(&target, rule))
			n_failed++;
	}
	(void)machine_refresh();
	printf("summary: %u rules held, %u failed; not asked of a kernel: %u rules of the model",
		n - n_failed, n_failed, n_model);
	printf(", %u lines of its checker\n", n_unasked);
	rules_done(&rules);
	return n > 0 && n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
