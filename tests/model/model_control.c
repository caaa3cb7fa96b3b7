/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The outside world: what the machine, its administrators and the tests do to the kernel, as
 * calls and as one-line commands (tests/simfs/README.md has the vocabulary).
 */
#include <errno.h>
#include <string.h>

#include "model_internal.h"

/* An entry or exit of the AP configuration is notified, and the bus scans at once. */
static int changed(struct model *m)
{
	scan_bus(m);
	check_after(m, true);
	return 0;
}

int model_set_adapter(struct model *m, unsigned adapter, bool present)
{
	if (adapter >= MASK_BITS || !m->adapter[adapter].known)
		return -ENODEV;
	m->adapter[adapter].present = present;
	return changed(m);
}

int model_set_domain(struct model *m, unsigned domain, bool present)
{
	if (domain > m->max_domain)
		return -ENODEV;
	if (present)
		mask_set(&m->domains, domain);
	else
		mask_clear(&m->domains, domain);
	return changed(m);
}

int model_set_control_domain(struct model *m, unsigned domain, bool present)
{
	if (domain > m->max_domain)
		return -ENODEV;
	if (present)
		mask_set(&m->control_domains, domain);
	else
		mask_clear(&m->control_domains, domain);
	return changed(m);
}

int model_set_config(struct model *m, unsigned adapter, bool configured)
{
	if (adapter >= MASK_BITS || !m->adapter[adapter].known)
		return -ENODEV;
	m->adapter[adapter].config = configured;
	return changed(m);
}

int model_set_chkstop(struct model *m, unsigned adapter, bool checkstopped)
{
	if (adapter >= MASK_BITS || !m->adapter[adapter].known)
		return -ENODEV;
	m->adapter[adapter].chkstop = checkstopped;
	return changed(m);
}

int model_unbind(struct model *m, unsigned adapter, unsigned domain)
{
	if (ap_driver_of(m, adapter, domain) == DRIVER_NONE)
		return -ENODEV;
	ap_unbind(m, adapter, domain);
	check_after(m, true);
	return 0;
}

int model_bind(struct model *m, unsigned adapter, unsigned domain)
{
	if (!queues_test(&m->present, adapter, domain))
		return -ENODEV;
	ap_attach_driver(m, adapter, domain);
	check_after(m, true);
	return ap_driver_of(m, adapter, domain) == DRIVER_NONE ? -ENODEV : 0;
}

void model_scan(struct model *m)
{
	changed(m);
}

static void vfio_ap_load(struct model *m)
{
	m->has_vfio_ap = true;
	event_matrix_device(m, true);
	MASK_FOREACH (adapter, &m->cards)
		MASK_FOREACH (domain, &m->present.row[adapter])
			ap_attach_driver(m, adapter, domain);
	if (since_6_12(m))
		ap_check_bindings(m);
	event_module(m, "vfio_ap", true);
}

static int vfio_ap_unload(struct model *m)
{
	MDEV_FOREACH (m, d)
		if (d->open)
			return -EAGAIN;
	MDEV_FOREACH (m, d)
		mdev_destroy(m, d);
	MASK_FOREACH (adapter, &m->cards) {
		struct mask row = m->vfio.row[adapter];

		MASK_FOREACH (domain, &row)
			ap_unbind(m, adapter, domain);
	}
	event_matrix_device(m, false);
	m->has_vfio_ap = false;
	event_module(m, "vfio_ap", false);
	return 0;
}

int model_set_vfio_ap(struct model *m, bool on)
{
	int r = 0;

	if (m->has_vfio_ap == on)
		return 0;
	if (on)
		vfio_ap_load(m);
	else
		r = vfio_ap_unload(m);
	check_after(m, true);
	return r;
}

/* --- commands ------------------------------------------------------------------------------- */

#define MAX_WORDS 8u

struct command {
	const char *name;
	unsigned min, max; /* words behind the name */
	int (*run)(struct model *m, char **word, unsigned n);
};

static int parse_number(const char *word, unsigned max, unsigned *ret)
{
	unsigned long number;

	if (text_number(word, &number) < 0 || number > max)
		return -EINVAL;
	*ret = (unsigned)number;
	return 0;
}

/* One of two words: 0, 1, or -EINVAL. */
static int parse_choice(const char *word, const char *no, const char *yes)
{
	if (strcmp(word, no) == 0)
		return 0;
	return strcmp(word, yes) == 0 ? 1 : -EINVAL;
}

static int run_attach(struct model *m, char **word, unsigned n)
{
	unsigned pid;

	if (parse_number(word[1], INT32_MAX, &pid) < 0)
		return -EINVAL;
	return model_attach(m, word[0], pid, n > 2 ? word[2] : NULL);
}

static int run_detach(struct model *m, char **word, _unused_ unsigned n)
{
	return model_detach(m, word[0]);
}

static int run_kill(struct model *m, char **word, _unused_ unsigned n)
{
	unsigned pid;

	if (parse_number(word[0], INT32_MAX, &pid) < 0)
		return -EINVAL;
	return model_kill(m, pid);
}

typedef int (*switch_fn)(struct model *m, unsigned number, bool on);

static int run_switch(struct model *m, char **word, const char *no, const char *yes, switch_fn set)
{
	unsigned number;
	int on = parse_choice(word[1], no, yes);

	if (on < 0 || parse_number(word[0], MASK_BITS - 1, &number) < 0)
		return -EINVAL;
	return set(m, number, on);
}

static int run_card(struct model *m, char **word, _unused_ unsigned n)
{
	return run_switch(m, word, "away", "back", model_set_adapter);
}

static int run_domain(struct model *m, char **word, _unused_ unsigned n)
{
	return run_switch(m, word, "away", "back", model_set_domain);
}

static int run_control_domain(struct model *m, char **word, _unused_ unsigned n)
{
	return run_switch(m, word, "away", "back", model_set_control_domain);
}

static int run_config(struct model *m, char **word, _unused_ unsigned n)
{
	return run_switch(m, word, "0", "1", model_set_config);
}

static int run_chkstop(struct model *m, char **word, _unused_ unsigned n)
{
	return run_switch(m, word, "0", "1", model_set_chkstop);
}

static int run_unbind(struct model *m, char **word, _unused_ unsigned n)
{
	unsigned adapter, domain;

	return text_queue(word[0], &adapter, &domain) ? model_unbind(m, adapter, domain) : -EINVAL;
}

static int run_bind(struct model *m, char **word, _unused_ unsigned n)
{
	unsigned adapter, domain;

	return text_queue(word[0], &adapter, &domain) ? model_bind(m, adapter, domain) : -EINVAL;
}

static int run_module(struct model *m, char **word, _unused_ unsigned n)
{
	int on = parse_choice(word[0], "off", "on");

	if (on < 0)
		return on;
	model_set_module(m, on);
	return 0;
}

static int run_vfio_ap(struct model *m, char **word, _unused_ unsigned n)
{
	int on = parse_choice(word[0], "off", "on");

	return on < 0 ? on : model_set_vfio_ap(m, on);
}

static int run_scan(struct model *m, _unused_ char **word, _unused_ unsigned n)
{
	model_scan(m);
	return 0;
}

static int run_checks(struct model *m, char **word, _unused_ unsigned n)
{
	int on = parse_choice(word[0], "off", "on");

	if (on < 0)
		return on;
	model_set_checks(m, on);
	return 0;
}

static int run_log(struct model *m, char **word, _unused_ unsigned n)
{
	if (strcmp(word[0], "clear") != 0)
		return -EINVAL;
	model_log_clear(m);
	return 0;
}

/* An errno by its name ("EBUSY") or number. */
static int parse_errno(const char *word)
{
	unsigned number;

	for (int i = 1; i < 134; i++) {
		const char *name = strerrorname_np(i);

		if (name && strcmp(name, word) == 0)
			return i;
	}
	return parse_number(word, 133, &number) < 0 || number == 0 ? -EINVAL : (int)number;
}

/* GLOB write|read ERRNO|hang|lie [COUNT], GLOB write|read delay MS [COUNT], clear */
static int run_fault(struct model *m, char **word, unsigned n)
{
	struct model_fault fault = {FAULT_ERRNO, 0, 0};
	unsigned next = 3, count = 0;

	if (n == 1 && strcmp(word[0], "clear") == 0) {
		model_fault_clear(m);
		return 0;
	}
	if (n < 3)
		return -EINVAL;

	int write = parse_choice(word[1], "read", "write");

	if (strcmp(word[2], "hang") == 0) {
		fault.kind = FAULT_HANG;
	} else if (strcmp(word[2], "lie") == 0) {
		fault.kind = FAULT_LIE;
	} else if (strcmp(word[2], "delay") == 0) {
		fault.kind = FAULT_DELAY;
		if (n <= next || parse_number(word[next++], 3600000, &fault.delay) < 0)
			return -EINVAL;
	} else {
		fault.error = parse_errno(word[2]);
	}
	if (next < n && parse_number(word[next++], 1000000, &count) < 0)
		return -EINVAL;
	if (write < 0 || fault.error < 0 || next < n)
		return -EINVAL;
	return model_fault_add(m, word[0], write, fault, count);
}

static const struct command commands[] = {
	{"attach", 2, 3, run_attach},
	{"detach", 1, 1, run_detach},
	{"kill", 1, 1, run_kill},
	{"card", 2, 2, run_card},
	{"domain", 2, 2, run_domain},
	{"control-domain", 2, 2, run_control_domain},
	{"config", 2, 2, run_config},
	{"chkstop", 2, 2, run_chkstop},
	{"unbind", 1, 1, run_unbind},
	{"bind", 1, 1, run_bind},
	{"fault", 1, 5, run_fault},
	{"module", 1, 1, run_module},
	{"vfio_ap", 1, 1, run_vfio_ap},
	{"scan", 0, 0, run_scan},
	{"checks", 1, 1, run_checks},
	{"log", 1, 1, run_log},
};

int model_control(struct model *m, const char *command)
{
	_cleanup_free_ char *copy = strdup(command);
	char *words[MAX_WORDS], *rest = copy, *word;
	unsigned n = 0;

	if (!copy)
		return -ENOMEM;
	while ((word = strsep(&rest, " \t\n"))) {
		if (!*word)
			continue;
		if (n == MAX_WORDS)
			return -EINVAL;
		words[n++] = word;
	}
	for (size_t i = 0; n > 0 && i < ARRAY_SIZE(commands); i++)
		if (strcmp(words[0], commands[i].name) == 0) {
			if (n - 1 < commands[i].min || n - 1 > commands[i].max)
				return -EINVAL;
			return commands[i].run(m, words + 1, n - 1);
		}
	return -EINVAL;
}
