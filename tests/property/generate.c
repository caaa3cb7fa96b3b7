/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "property/generate.h"

#include <stdarg.h>
#include <string.h>

#include "../unit/random.h"

#define N_MATRICES 6u
#define N_FOREIGN 3u
#define N_PIDS 4u
#define NUMBERS_MAX 24u

/* Numbers that may be written: of what the machine has, and one or two that it has not. */
struct numbers {
	unsigned number[NUMBERS_MAX];
	unsigned n_there, n;
};

struct generator {
	struct random r;
	struct story story;
	struct numbers adapters, domains;
	bool strict; /* a kernel with driver_override */
	bool held, running;
	bool breaks, bursts; /* is anything broken; does anything come in the middle */
};

static bool chance(struct generator *g, unsigned percent)
{
	return random_below(&g->r, 100) < percent;
}

static void say(struct generator *g, char *body, const char *format, ...) _printf_(3, 4);

static void say(struct generator *g, char *body, const char *format, ...)
{
	char *command;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&command, format, ap) < 0)
		abort();
	va_end(ap);
	story_add(&g->story, command, body);
}

/* ---- numbers, lists, names ---- */

static void choose_numbers(struct generator *g, struct numbers *n, unsigned most)
{
	bool scattered = chance(g, 20);
	struct mask used = {};

	n->n_there = 1 + random_below(&g->r, most);
	n->n = n->n_there + random_below(&g->r, 3);
	for (unsigned i = 0; i < n->n; i++) {
		unsigned number = scattered ? random_below(&g->r, 64) : i;

		while (mask_test(&used, number))
			number = random_below(&g->r, 64);
		mask_set(&used, number);
		n->number[i] = number;
	}
}

static unsigned any(struct generator *g, const struct numbers *n)
{
	return n->number[random_below(&g->r, chance(g, 90) ? n->n_there : n->n)];
}

static void print_list(struct generator *g, FILE *f, const struct numbers *n, unsigned most)
{
	unsigned count = 1 + random_below(&g->r, most);

	for (unsigned i = 0; i < count; i++)
		fprintf(f, "%s%u", i ? "," : "", any(g, n));
}

static void print_uuid(FILE *f, char kind, unsigned i)
{
	fprintf(f, "%c000000%u-0000-4000-8000-00000000000%u", kind, i, i);
}

/* Mostly of a matrix that some drop-in may name; odd ones have derived UUIDs. */
static char *any_uuid(struct generator *g, bool for_create)
{
	unsigned i = random_below(&g->r, N_MATRICES + N_FOREIGN);
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (i >= N_MATRICES)
		print_uuid(f, 'f', i - N_MATRICES);
	else if (i % 3 == 1 && !for_create)
		fprintf(f, "{m%u}", i);
	else
		print_uuid(f, 'a', i);
	fclose(f);
	return text;
}

/* ---- drop-ins ---- */

static void print_keep(struct generator *g, FILE *f)
{
	fputs("KeepQueues=", f);
	switch (random_below(&g->r, 4)) {
	case 0:
		fprintf(f, "%02x.*\n", any(g, &g->adapters));
		break;
	case 1:
		fprintf(f, "*.%04x\n", any(g, &g->domains));
		break;
	default:
		fprintf(f, "%02x.%04x\n", any(g, &g->adapters), any(g, &g->domains));
		break;
	}
}

static const char *pick(struct generator *g, const char *const *words, unsigned n)
{
	return words[random_below(&g->r, n)];
}

#define PICK(g, ...)                                \
	pick(g, (const char *const[]){__VA_ARGS__}, \
		sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void say_host_file(struct generator *g)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fputs("[Host]\n", f);
	for (unsigned i = 0; i < 2; i++)
		if (chance(g, 30))
			print_keep(g, f);
	if (chance(g, g->strict ? 60 : 30))
		fprintf(f, "QueuePool=%s\n",
			PICK(g, "auto", "masks", "masks", "external", "driver-override",
				"driver-override"));
	if (chance(g, 50))
		fprintf(f, "Foreign=%s\n", PICK(g, "keep", "adopt", "remove"));
	if (chance(g, 30))
		fprintf(f, "Drift=%s\n", PICK(g, "repair", "report"));
	if (chance(g, 50))
		fprintf(f, "LiveChange=%s\n", PICK(g, "none", "grow", "all"));
	if (chance(g, 3))
		fputs("Foreign=perhaps\n", f);
	fclose(f);
	say(g, text, "file /etc/apmatrix.d/00-host.conf");
}

static void say_matrix_file(struct generator *g, unsigned i)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fprintf(f, "[Matrix m%u]\n", i);
	if (chance(g, 4)) {
		fputs("UUID=", f);
		print_uuid(f, 'f', random_below(&g->r, N_FOREIGN));
		fputc('\n', f);
	} else if (i % 3 != 1) {
		fputs("UUID=", f);
		print_uuid(f, 'a', i);
		fputc('\n', f);
	}
	if (!chance(g, 2)) {
		fputs("Adapters=", f);
		print_list(g, f, &g->adapters, 2);
		fputs("\nDomains=", f);
		print_list(g, f, &g->domains, 3);
		fputc('\n', f);
	}
	if (chance(g, 20)) {
		fputs("ControlDomains=usage\n", f);
	} else if (chance(g, 20)) {
		fputs("ControlDomains=", f);
		print_list(g, f, &g->domains, 3);
		fputc('\n', f);
	}
	if (chance(g, 2))
		fputs("Adapters=200\n", f);
	if (chance(g, 30))
		fprintf(f, "Start=%s\n", PICK(g, "boot", "guest", "manual"));
	if (chance(g, 40))
		fprintf(f, "LiveChange=%s\n", PICK(g, "none", "grow", "all"));
	if (chance(g, 4))
		fputs("Domains=zz\n", f);
	fclose(f);
	say(g, text, "file /etc/apmatrix.d/m%u.conf", i);
}

static void say_file(struct generator *g)
{
	if (chance(g, 20))
		say_host_file(g);
	else if (chance(g, 20))
		say(g, NULL, "remove /etc/apmatrix.d/m%u.conf", random_below(&g->r, N_MATRICES));
	else if (chance(g, 5))
		say(g, NULL, "remove /etc/apmatrix.d/00-host.conf");
	else
		say_matrix_file(g, random_below(&g->r, N_MATRICES));
}

/* Several at once: queues change hands. */
static void say_files(struct generator *g)
{
	unsigned n = 2 + random_below(&g->r, 3);

	say(g, NULL, "hold");
	for (unsigned i = 0; i < n; i++)
		say_file(g);
	say(g, NULL, "settle");
}

/* ---- guests, the machine, other people's hands ---- */

static void say_guest(struct generator *g)
{
	_cleanup_free_ char *uuid = any_uuid(g, false);
	unsigned pid = 100 + random_below(&g->r, N_PIDS);

	switch (random_below(&g->r, 6)) {
	case 0:
	case 1:
	case 2:
		say(g, NULL, "sys attach %s %u", uuid, pid);
		break;
	case 3:
		say(g, NULL, "sys detach %s", uuid);
		break;
	default:
		say(g, NULL, "sys kill %u", pid);
		break;
	}
}

static void say_machine(struct generator *g)
{
	const char *way = chance(g, 60) ? "back" : "away";
	unsigned a = any(g, &g->adapters), d = any(g, &g->domains);

	switch (random_below(&g->r, 10)) {
	case 0:
	case 1:
	case 2:
		say(g, NULL, "sys card %u %s", a, way);
		break;
	case 3:
	case 4:
		say(g, NULL, "sys domain %u %s", d, way);
		break;
	case 5:
		say(g, NULL, "sys control-domain %u %s", d, way);
		break;
	case 6:
		say(g, NULL, "sys %s %u %u", chance(g, 50) ? "config" : "chkstop", a,
			random_below(&g->r, 2));
		break;
	default:
		say(g, NULL, "sys %s %02x.%04x", chance(g, 60) ? "unbind" : "bind", a, d);
		break;
	}
}

static void say_mdev_write(struct generator *g)
{
	static const char *const base = "devices/vfio_ap/matrix";
	unsigned kind = random_below(&g->r, 10);
	_cleanup_free_ char *uuid = any_uuid(g, kind < 3);
	const char *part = PICK(g, "adapter", "domain", "domain", "control_domain");
	bool adapter = strcmp(part, "adapter") == 0;
	struct mask adapters = {}, domains = {}, none = {};
	char text[3][MASK_KERNEL_SIZE];

	if (kind < 3) {
		say(g, NULL, "write %s/mdev_supported_types/vfio_ap-passthrough/create = %s", base,
			uuid);
	} else if (kind < 4) {
		say(g, NULL, "write %s/%s/remove = 1", base, uuid);
	} else if (kind < 6) {
		for (unsigned i = 0; i < 2; i++) {
			mask_set(&adapters, any(g, &g->adapters));
			mask_set(&domains, any(g, &g->domains));
		}
		mask_format_kernel(&adapters, text[0]);
		mask_format_kernel(&domains, text[1]);
		mask_format_kernel(&none, text[2]);
		say(g, NULL, "write %s/%s/ap_config = %s,%s,%s", base, uuid, text[0], text[1],
			text[2]);
	} else {
		say(g, NULL, "write %s/%s/%s_%s = %u", base, uuid,
			chance(g, 65) ? "assign" : "unassign", part,
			any(g, adapter ? &g->adapters : &g->domains));
	}
}

static void say_mask_write(struct generator *g)
{
	bool adapters = chance(g, 50);

	say(g, NULL, "write bus/ap/%s = %c%u", adapters ? "apmask" : "aqmask",
		chance(g, 70) ? '-' : '+', any(g, adapters ? &g->adapters : &g->domains));
}

/* What the kernel does not refuse here may give one queue two owners: that is not held against
 * anybody. */
static void say_override(struct generator *g)
{
	unsigned a = any(g, &g->adapters), d = any(g, &g->domains);

	say(g, NULL, "sys checks off");
	say(g, NULL, "write devices/ap/card%02x/%02x.%04x/driver_override = %s", a, a, d,
		PICK(g, "vfio_ap", "cex4queue", "\n"));
	say(g, NULL, "sys checks on");
}

static void say_fault(struct generator *g)
{
	const char *glob = PICK(g, "*/ap_config", "*/create", "*/remove", "bus/ap/apmask",
		"bus/ap/aqmask", "*/assign_*", "*/unassign_*", "bus/ap/drivers_probe", "*");
	const char *what = PICK(g, "EBUSY", "EADDRINUSE", "EADDRNOTAVAIL", "ENODEV", "EINVAL",
		"EIO", "EACCES", "EINTR", "ENOMEM", "hang", "lie", "lie");

	if (chance(g, 60))
		say(g, NULL, "sys fault %s write %s %u", glob, what, 1 + random_below(&g->r, 3));
	else
		say(g, NULL, "sys fault %s write %s", glob, what);
}

/* ---- the daemon ---- */

static void say_calm(struct generator *g)
{
	if (g->held)
		say(g, NULL, "settle");
	g->held = false;
	say(g, NULL, "lock free");
	say(g, NULL, "blind no");
	say(g, NULL, "sys fault clear");
	say(g, NULL, g->running ? "release" : "start");
	g->running = true;
	say(g, NULL, "wait 700");
}

static void say_call(struct generator *g)
{
	unsigned i = random_below(&g->r, N_MATRICES);

	if (chance(g, 30)) {
		say(g, NULL, "call %s", PICK(g, "Reconcile", "Reload"));
		return;
	}
	say(g, NULL, "call %s m%u", PICK(g, "StartMatrix", "StopMatrix"), i);
}

static void say_life(struct generator *g)
{
	switch (random_below(&g->r, 10)) {
	case 0:
		say(g, NULL, "stop");
		g->running = false;
		break;
	case 1:
	case 2:
		say(g, NULL, "start");
		g->running = true;
		break;
	case 3:
		if (g->held || !g->bursts)
			break;
		say(g, NULL, "kill after %u", random_below(&g->r, 12));
		g->running = false;
		break;
	case 4:
		if (!g->breaks)
			break;
		if (chance(g, 50))
			say(g, NULL, "lock %s", chance(g, 40) ? "chzdev" : "free");
		else
			say(g, NULL, "blind %s", chance(g, 60) ? "bus/ap/bindings: EIO" : "no");
		break;
	case 5:
	case 6:
		say(g, NULL, "wait %u", 1 + random_below(&g->r, 30));
		break;
	case 7:
		say(g, NULL, "look");
		break;
	case 8:
		if (!g->held)
			say(g, NULL, "release");
		break;
	default:
		say(g, NULL, "sys module %s", chance(g, 70) ? "on" : "off");
		if (chance(g, 30))
			say(g, NULL, "sys vfio_ap %s", chance(g, 70) ? "on" : "off");
		break;
	}
}

static void say_hold(struct generator *g)
{
	if (!g->held)
		say(g, NULL, "hold");
	else if (chance(g, 60))
		say(g, NULL, "settle %u", 1 + random_below(&g->r, 8));
	else
		say(g, NULL, "settle");
	g->held = g->held ? g->story.lines[g->story.n - 1].command[6] == ' ' : true;
}

static void say_something(struct generator *g)
{
	unsigned n = random_below(&g->r, 100);

	if (n < 6 && !g->held)
		say_files(g);
	else if (n < 26)
		say_file(g);
	else if (n < 42)
		say_guest(g);
	else if (n < 54)
		say_machine(g);
	else if (n < 66)
		say_mdev_write(g);
	else if (n < 71)
		say_mask_write(g);
	else if (n < 75 && g->breaks)
		say_fault(g);
	else if (n < 82 && !g->held)
		say_call(g);
	else if (n < 90)
		say_life(g);
	else if (n < 97 && g->bursts)
		say_hold(g);
	else if (n < 98 && g->strict)
		say_override(g);
	else
		say_calm(g);
}

static void print_there(FILE *f, const struct numbers *n)
{
	for (unsigned i = 0; i < n->n_there; i++)
		fprintf(f, "%s%u", i ? "," : "", n->number[i]);
}

static void say_machine_itself(struct generator *g)
{
	const char *kernel = PICK(g, "6.1", "6.12", "7.2");
	bool large = chance(g, 5), small = chance(g, 50);
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	g->strict = strcmp(kernel, "7.2") == 0;
	choose_numbers(g, &g->adapters, large ? NUMBERS_MAX - 3 : small ? 3 : 6);
	choose_numbers(g, &g->domains, large ? NUMBERS_MAX - 3 : small ? 3 : 8);
	fprintf(f, "kernel %s\nadapter ", kernel);
	print_there(f, &g->adapters);
	fputs(" cex8 cca\ndomains ", f);
	print_there(f, &g->domains);
	fputc('\n', f);
	if (chance(g, 60))
		fputs("module on\n", f);
	if (chance(g, 4))
		fputs("vfio_ap off\n", f);
	if (chance(g, 10))
		fputs("max-adapter 63\nmax-domain 63\n", f);
	fclose(f);
	say(g, text, "host");
}

struct story generate_story(uint64_t seed, unsigned n_lines)
{
	struct generator g = {.r = {seed * UINT64_C(0x9e3779b97f4a7c15) | 1}};
	unsigned before, files;

	for (unsigned i = 0; i < 8; i++)
		random_next(&g.r);
	g.breaks = chance(&g, 35);
	g.bursts = chance(&g, 35);
	before = chance(&g, 50) ? 0 : random_below(&g.r, 8);
	files = random_below(&g.r, N_MATRICES + 1);
	say_machine_itself(&g);
	for (unsigned i = 0; i < before; i++) {
		if (chance(&g, 30))
			say_mask_write(&g);
		else if (chance(&g, 20))
			say_guest(&g);
		else
			say_mdev_write(&g);
	}
	if (chance(&g, 50))
		say_host_file(&g);
	for (unsigned i = 0; i < files; i++)
		say_matrix_file(&g, i);
	say(&g, NULL, "start");
	g.running = true;
	while (g.story.n < n_lines)
		say_something(&g);
	say_calm(&g);
	return g.story;
}
