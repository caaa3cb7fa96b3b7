/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check: judges drop-ins without the daemon, by the daemon's own code: each FILE as if it were
 * installed in /etc/apmatrix.d beside the others, or those that are installed.  Nothing is
 * observed, so definitions are held against each other on a machine that has every adapter and
 * domain; what this very machine lacks, only the daemon can say.
 */
#include <fcntl.h>
#include <string.h>

#include "core/plan.h"
#include "ctl/ctl.h"
#include "ctl/object_text.h"
#include "load/load.h"
#include "util/fileio.h"

/* A name that nobody uses: an empty drop-in of that name changes nothing, so that load_check()
 * judges what is installed.  (load_read() would also store what it accepted.) */
#define NO_FILE "apmatrixctl-check-of-nothing.conf"
#define INSTALL_DIRECTORY "/etc/apmatrix.d/"

static struct observed *ideal_machine(void)
{
	struct observed *o = observed_new();

	if (!o)
		return NULL;
	o->complete = true;
	o->has_ap_bus = o->has_matrix_device = true;
	o->features = FEATURE_AP_CONFIG | FEATURE_GUEST_MATRIX;
	o->max_adapter = o->max_domain = MASK_BITS - 1;
	o->apmask = o->aqmask = mask_full();
	o->host_adapters = o->host_domains = o->host_control_domains = mask_full();
	o->cards = mask_full();
	for (size_t i = 0; i < ARRAY_SIZE(o->card); i++)
		o->card[i].config = true;
	return o;
}

/* What only shows when the definitions meet: two that want one queue, a queue that the host keeps. */
static int judge_config(const struct config *config, struct problems *p)
{
	_cleanup_(cleanup_observed_free) struct observed *machine = ideal_machine();
	_cleanup_(cleanup_ledger_free) struct ledger *ledger = ledger_new();
	_cleanup_(cleanup_plan_free) struct plan *plan = NULL;
	const struct plan_input in = {.config = config, .observed = machine, .ledger = ledger};
	int r;

	if (!machine || !ledger)
		return -ENOMEM;
	r = plan_make(&in, &plan);
	return r < 0 ? r : problems_append(p, &plan->problems);
}

static int judge(
	struct load *load, const char *name, const char *text, size_t size, struct problems *ret)
{
	_cleanup_(cleanup_config_free) struct config *config = NULL;
	struct problems p = {0};
	int r = load_check(load, name, text, size, &p, &config);

	if (r >= 0)
		r = judge_config(config, &p);
	if (r < 0) {
		problems_done(&p);
		return r;
	}
	*ret = p;
	return 0;
}

/* As the daemon sends it: the object stands at the front of the text. */
static int add(struct problem_list *l, const struct problem *p, const char *file)
{
	_cleanup_free_ char *text = NULL;

	if (asprintf(&text, "%s%s%s", p->object, *p->object ? ": " : "", p->text) < 0)
		return -ENOMEM;
	return problem_list_add(l, problem_severity_to_string(p->severity), file, p->line, text);
}

static bool is_known(const struct problems *known, const struct problem *p)
{
	for (size_t i = 0; i < known->n; i++) {
		const struct problem *k = &known->items[i];

		if (k->line == p->line && k->severity == p->severity &&
			strcmp(k->file, p->file) == 0 && strcmp(k->object, p->object) == 0 &&
			strcmp(k->text, p->text) == 0)
			return true;
	}
	return false;
}

/* Reports what @argument adds to the problems that are there without it (@installed), and all of
 * its own, under the name that the user knows it by. */
static int report_file(const struct problems *found, const struct problems *installed,
	const char *argument, const char *name, struct problem_list *ret)
{
	_cleanup_free_ char *path = NULL;
	int r = 0;

	if (asprintf(&path, INSTALL_DIRECTORY "%s", name) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < found->n && r >= 0; i++) {
		const struct problem *p = &found->items[i];
		bool own = strcmp(p->file, path) == 0;

		if (own || !is_known(installed, p))
			r = add(ret, p, own ? argument : p->file);
	}
	return r;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int check_file(struct load *load, const char *argument, const struct problems *installed,
	struct problem_list *ret)
{
	const char *name = base_name(argument);
	struct problems found = {0};
	_cleanup_free_ char *text = NULL;
	ssize_t size = file_read_at(AT_FDCWD, argument, LOAD_FILE_MAX, &text);
	int r;

	if (size == -EFBIG)
		return problem_list_add(ret, "error", argument, 0,
			"the file is larger than a drop-in may be (256 KiB)");
	if (size < 0)
		return problem_list_add(ret, "error", argument, 0, strerror((int)-size));
	r = judge(load, name, text, (size_t)size, &found);
	if (r == -EINVAL)
		return problem_list_add(ret, "error", argument, 0,
			"this is not a drop-in's name: it ends in .conf and does not begin with a "
			"dot");
	if (r >= 0)
		r = report_file(&found, installed, argument, name, ret);
	problems_done(&found);
	return r;
}

static int check_all(const struct ctl *ctl, char **files, struct problem_list *ret)
{
	const char *root = ctl->root ? ctl->root : "/";
	_cleanup_close_ int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(cleanup_load_free) struct load *load = fd < 0 ? NULL : load_new(fd);
	struct problems installed = {0};
	int r;

	if (fd < 0)
		return problem_list_add(ret, "error", root, 0, strerror(errno));
	if (!load)
		return -ENOMEM;
	r = judge(load, NO_FILE, "", 0, &installed);
	if (r >= 0 && !files[0])
		for (size_t i = 0; i < installed.n && r >= 0; i++)
			r = add(ret, &installed.items[i], installed.items[i].file);
	for (char **file = files; *file && r >= 0; file++)
		r = check_file(load, *file, &installed, ret);
	problems_done(&installed);
	return r;
}

int verb_check(struct ctl *ctl, char **args)
{
	struct problem_list list = {0};
	int r = check_all(ctl, args, &list), status = ctl_result(r);

	for (size_t i = 0; i < list.n && status == EXIT_SUCCESS; i++)
		if (strcmp(list.items[i].severity, "error") == 0)
			status = EXIT_FAILURE;
	if (r >= 0 && ctl->json != JSON_OFF) {
		if (ctl_json(ctl, json_of_problems(&list)) != EXIT_SUCCESS)
			status = EXIT_FAILURE;
	} else if (r >= 0 && list.n == 0)
		puts("No problems found.");
	else if (r >= 0)
		problem_list_print(&list, &ctl->term, stdout);
	problem_list_done(&list);
	return status;
}
