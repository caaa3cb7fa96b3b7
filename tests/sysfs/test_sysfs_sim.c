/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Scan, apply and attach on a mounted simfs, beside a model in memory that gets the same
 * commands: every step must end with the same errno in both, and after each the scan of the tree
 * must be what the model knows itself to be.
 */
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

/* A mount of our own; /tmp may hold the checkout. */
#define FAKE_PARENT "/mnt"
#include "../unit/faketree.h"
#include "attach/attach.h"
#include "event/event.h"
#include "model.h"
#include "sysfs/apply.h"
#include "sysfs/scan.h"
#include "sysfs/worker.h"

#define A "62177883-f1bb-47f0-914d-32a22e3a8804"
#define B "cef03c3c-903d-4ecc-9a83-40694cb8aee4"
#define C "f49f90b1-1b6a-4a5b-8a3b-8d5f7a6f0f0c"
#define DEBUG "sys/kernel/debug/apmatrix-sim/"

static const char *simfs;
static pid_t simfs_pid;
static struct model *mirror;
static struct ledger *ours;
static enum model_profile profile;
static bool module;

/* --- a machine ------------------------------------------------------------------------------ */

static void control(const char *format, ...) _printf_(1, 2);

static void control(const char *format, ...)
{
	char command[256];
	va_list ap;
	int r;

	va_start(ap, format);
	vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	r = attr_write_at(fake_root, DEBUG "control", command);
	ck_assert_msg(r == 0, "%s: %s", command, strerror(-r));
	ck_assert_int_eq(model_control(mirror, command), 0);
}

static void simfs_start(void)
{
	char option[32], hardware[128], text[16];
	int ready[2];

	ck_assert_int_eq(pipe(ready), 0);
	snprintf(option, sizeof(option), "--ready-fd=%d", ready[1]);
	snprintf(hardware, sizeof(hardware), "--hardware=%s/hardware", fake_path);
	simfs_pid = fork();
	if (simfs_pid == 0) {
		dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
		close(ready[0]);
		execl(simfs, simfs, hardware, "--foreground", option, fake_path, NULL);
		_exit(127);
	}
	close(ready[1]);
	ck_assert_int_gt(read(ready[0], text, sizeof(text)), 0);
	close(ready[0]);
}

static void machine_start(enum model_profile p, bool with_module, const char *more)
{
	static const char *const kernels[] = {
		[PROFILE_6_1] = "6.1", [PROFILE_6_12] = "6.12", [PROFILE_7_2] = "7.2"};
	char hardware[512];

	profile = p;
	module = with_module;
	snprintf(hardware, sizeof(hardware),
		"kernel %s\nmodule %s\nadapter 3 cex7 accelerator\nadapter 5 cex8 cca\n"
		"adapter 6 cex8 ep11\ndomains 4, 0x47, 0xab, 0xff\ncontrol-domains 4, 9\n%s\n",
		kernels[p], module ? "on" : "off", more);
	fake_make();
	fake_file("hardware", hardware);
	ck_assert_int_eq(model_new(p, hardware, &(char *){NULL}, &mirror), 0);
	ours = ledger_new();
	simfs_start();
	control("checks on");
}

static void machine_stop(void)
{
	char text[256];
	int status;

	/* No rule of the kernel was broken, and no bug of it tripped on. */
	ck_assert_int_ge(attr_read_at(fake_root, DEBUG "check", text, sizeof(text)), 0);
	ck_assert_str_eq(text, "ok");
	kill(simfs_pid, SIGTERM);
	ck_assert_int_eq(waitpid(simfs_pid, &status, 0), simfs_pid);
	model_free(mirror);
	ledger_free(ours);
	fake_remove();
}

/* --- what both must agree on ---------------------------------------------------------------- */

static struct observed *scan(void)
{
	struct observed *o = NULL;

	ck_assert_int_eq(sysfs_scan(fake_root, ours, &o), 0);
	ck_assert_int_eq(attach_scan(fake_root, o), 0);
	ck_assert_msg(o->complete, "%s", o->incomplete);
	return o;
}

/* Who has it open the model knows, and a scan finds out in other ways: what must agree is
 * whether, and who.  What only one side can know is taken over. */
static void compare_attach(const struct observed_mdev *seen, struct observed_mdev *truth)
{
	if (truth->attach != ATTACH_UNKNOWN)
		ck_assert_msg(seen->attach == truth->attach, "%s: attach %u, not %u", seen->uuid,
			seen->attach, truth->attach);
	ck_assert_msg(seen->attach != ATTACH_UNKNOWN, "%s", seen->uuid);
	if (module) {
		ck_assert_uint_eq(seen->vm_pid, truth->vm_pid);
		ck_assert_uint_eq(seen->attach_source, ATTACH_FROM_MODULE);
		truth->attached_since = seen->attached_since;
	}
	truth->attach = seen->attach;
	truth->attach_source = seen->attach_source;
	/* A guest's matrix that cannot be read has no queue to be asked. */
	if (seen->guest_known && truth->attach_confidence != CONFIDENCE_NONE)
		ck_assert_uint_eq(seen->attach_confidence, truth->attach_confidence);
	truth->attach_confidence = seen->attach_confidence;
	truth->vm_pid = seen->vm_pid;
	memcpy(truth->vfio_cdev, seen->vfio_cdev, sizeof(truth->vfio_cdev));
	memcpy(truth->vm_name, seen->vm_name, sizeof(truth->vm_name));
}

/* A large matrix' guest part may be small enough for its page, and 7.2 lets us see that. */
static void compare_guest(const struct observed_mdev *seen, struct observed_mdev *truth)
{
	if (profile != PROFILE_7_2 || truth->guest_known || !seen->guest_known)
		return;
	ck_assert_uint_gt(matrix_n_queues(&seen->assigned), MATRIX_SAFE_QUEUES);
	ck_assert_uint_lt(matrix_n_queues(&seen->guest), MATRIX_SAFE_QUEUES);
	truth->guest_known = true;
	truth->guest = seen->guest;
}

static void compare(const char *after)
{
	_cleanup_(cleanup_observed_free) struct observed *seen = scan(), *truth = NULL;

	ck_assert_int_eq(model_observe(mirror, &truth), 0);
	ck_assert_uint_eq(seen->n_mdevs, truth->n_mdevs);
	for (size_t i = 0; i < seen->n_mdevs; i++) {
		compare_attach(&seen->mdevs[i], &truth->mdevs[i]);
		compare_guest(&seen->mdevs[i], &truth->mdevs[i]);
	}
	/* What mdevs would have cannot be seen without their parent. */
	if (!seen->has_matrix_device)
		truth->features = seen->features;
	for (size_t i = 0; i < seen->n_mdevs; i++)
		ck_assert_msg(seen->mdevs[i].assigned_known == truth->mdevs[i].assigned_known &&
				seen->mdevs[i].guest_known == truth->mdevs[i].guest_known,
			"%s: what is known", after);
	for (unsigned a = 0; a < MASK_BITS; a++)
		ck_assert_msg(memcmp(&seen->card[a], &truth->card[a], sizeof(seen->card[a])) == 0,
			"%s: card %u", after, a);
	ck_assert_msg(seen->features == truth->features, "%s: features %x, not %x", after,
		seen->features, truth->features);
	ck_assert_msg(seen->hazards == truth->hazards, "%s: hazards", after);
	ck_assert_msg(memcmp(&seen->present, &truth->present, sizeof(seen->present)) == 0,
		"%s: present", after);
	ck_assert_msg(memcmp(&seen->in_use, &truth->in_use, sizeof(seen->in_use)) == 0,
		"%s: in use", after);
	ck_assert_msg(memcmp(&seen->override, &truth->override, sizeof(seen->override)) == 0,
		"%s: override", after);
	ck_assert_msg(observed_equal(seen, truth), "%s: differs", after);
}

static void apply(const struct step *s, int expected)
{
	char detail[APPLY_DETAIL_SIZE];
	int here = sysfs_apply(fake_root, s, detail, sizeof(detail));
	int there = model_apply(mirror, s);

	ck_assert_msg(here == expected && there == expected, "%s %s %x: %s (%s), model %s, not %s",
		step_type_to_string(s->type), s->uuid, s->number, strerrorname_np(-here), detail,
		strerrorname_np(-there), strerrorname_np(-expected));
	if (s->type == STEP_CREATE && expected == 0)
		ledger_get(ours, s->uuid)->made = true;
	compare(step_type_to_string(s->type));
}

static void apply_mask(enum step_type type, const char *list, int expected)
{
	struct step s = {.type = type};
	struct mask gone;

	ck_assert_int_eq(mask_parse_list(list, &gone, NULL), 0);
	s.mask = mask_full();
	s.mask = mask_andnot(&s.mask, &gone);
	apply(&s, expected);
}

static void apply_uuid(enum step_type type, const char *uuid, int expected)
{
	struct step s = {.type = type};

	strcpy(s.uuid, uuid);
	apply(&s, expected);
}

static void apply_queue(enum step_type type, unsigned apqn, int expected)
{
	struct step s = {.type = type, .number = apqn};

	apply(&s, expected);
}

static struct matrix matrix(const char *adapters, const char *domains, const char *control_domains)
{
	struct matrix m;

	ck_assert_int_eq(mask_parse_list(adapters, &m.adapters, NULL), 0);
	ck_assert_int_eq(mask_parse_list(domains, &m.domains, NULL), 0);
	ck_assert_int_eq(mask_parse_list(control_domains, &m.control_domains, NULL), 0);
	return m;
}

/* The whole matrix, by whatever this kernel has; only the last of several writes may fail. */
static void apply_matrix(const char *uuid, const struct matrix *m, int expected)
{
	struct step s = {.type = STEP_AP_CONFIG, .matrix = *m};

	strcpy(s.uuid, uuid);
	if (profile != PROFILE_6_1) {
		apply(&s, expected);
		return;
	}
	s.type = STEP_ASSIGN_CONTROL_DOMAIN;
	MASK_FOREACH (d, &m->control_domains) {
		s.number = d;
		apply(&s, 0);
	}
	s.type = STEP_ASSIGN_DOMAIN;
	MASK_FOREACH (d, &m->domains) {
		s.number = d;
		apply(&s, 0);
	}
	s.type = STEP_ASSIGN_ADAPTER;
	MASK_FOREACH (a, &m->adapters) {
		s.number = a;
		apply(&s, expected);
	}
}

static void control_and_compare(const char *command)
{
	control("%s", command);
	compare(command);
}

/* --- the tests ------------------------------------------------------------------------------ */

static const struct {
	enum model_profile profile;
	bool module;
} machines[] = {
	{PROFILE_6_1, false},
	{PROFILE_6_1, true},
	{PROFILE_6_12, false},
	{PROFILE_6_12, true},
	{PROFILE_7_2, false},
	{PROFILE_7_2, true},
};

/* The kernel documentation's first two guests, and what can go wrong with them. */
START_TEST(every_step_and_scan_is_the_models)
{
	struct matrix a = matrix("5, 6", "4, 0xab", "4, 9"), b = matrix("5", "0x47, 0xff", "");
	struct matrix hosts = matrix("3", "4", ""), taken = matrix("6", "0xab", "");

	machine_start(machines[_i].profile, machines[_i].module, "");
	compare("start");
	apply_uuid(STEP_CREATE, A, 0);
	apply_uuid(STEP_CREATE, A, -EEXIST);
	apply_matrix(A, &hosts, -EADDRNOTAVAIL);
	apply_uuid(STEP_REMOVE, A, 0);
	apply_mask(STEP_APMASK, "5, 6", 0);
	apply_uuid(STEP_CREATE, A, 0);
	apply_uuid(STEP_CREATE, B, 0);
	apply_matrix(A, &a, 0);
	apply_matrix(B, &b, 0);
	apply_mask(STEP_APMASK, "5", -EBUSY);
	apply_mask(STEP_AQMASK, "0xff", 0);

	control_and_compare("attach " A " 4711 qemu-system-s39");
	control_and_compare("chkstop 6 1");
	control_and_compare("config 5 0");
	control_and_compare("config 5 1");
	control_and_compare("unbind 06.0004");
	apply_queue(STEP_PROBE, 0x0604, 0);
	control_and_compare("detach " A);
	apply_queue(STEP_UNBIND, 0x06ab, 0);
	apply_queue(STEP_UNBIND, 0x06ab, 0);
	apply_queue(STEP_PROBE, 0x06ab, 0);
	control_and_compare("attach " B " 99");
	control_and_compare("kill 99");

	apply_uuid(STEP_CREATE, C, 0);
	apply_matrix(C, &taken, -EADDRINUSE);
	apply_uuid(STEP_REMOVE, C, 0);
	apply_uuid(STEP_REMOVE, C, -ENOENT);
	apply_uuid(STEP_REMOVE, B, 0);
	machine_stop();
}
END_TEST

START_TEST(assignments_one_by_one_are_the_models)
{
	static const enum step_type types[] = {STEP_ASSIGN_ADAPTER, STEP_ASSIGN_DOMAIN,
		STEP_ASSIGN_CONTROL_DOMAIN, STEP_UNASSIGN_DOMAIN, STEP_UNASSIGN_ADAPTER,
		STEP_UNASSIGN_CONTROL_DOMAIN};

	machine_start(machines[_i].profile, machines[_i].module, "apmask -5-6\nmax-domain 254");
	apply_uuid(STEP_CREATE, A, 0);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct step s = {.type = types[i], .uuid = A, .number = i % 3 == 0 ? 5 : 4};

		s.matrix = matrix("5", "4", "");
		if (types[i] == STEP_ASSIGN_DOMAIN) {
			s.number = 255;
			apply(&s, -ENODEV);
			s.number = 4;
		}
		apply(&s, 0);
		apply(&s, 0);
	}
	machine_stop();
}
END_TEST

START_TEST(overrides_are_the_models)
{
	struct matrix a = matrix("5", "4", "");

	machine_start(PROFILE_7_2, false, "");
	apply_queue(STEP_OVERRIDE, 0x0504, 0);
	apply_queue(STEP_UNBIND, 0x0504, 0);
	apply_queue(STEP_PROBE, 0x0504, 0);
	apply_mask(STEP_APMASK, "6", -EINVAL);
	apply_uuid(STEP_CREATE, A, 0);
	apply_matrix(A, &a, 0);
	apply_uuid(STEP_REMOVE, A, 0);
	apply_queue(STEP_CLEAR_OVERRIDE, 0x0504, 0);
	apply_queue(STEP_UNBIND, 0x0504, 0);
	apply_queue(STEP_PROBE, 0x0504, 0);
	apply_mask(STEP_APMASK, "6", 0);
	apply_queue(STEP_OVERRIDE, 0x0504, -EINVAL);
	machine_stop();
}
END_TEST

START_TEST(hosts_without_parts_are_the_models)
{
	machine_start(PROFILE_6_12, false, "vfio_ap off");
	compare("no vfio_ap");
	machine_stop();
	machine_start(PROFILE_6_12, false, "apmask -0-255");
	compare("all for guests");
	control_and_compare("card 5 away");
	control_and_compare("domain 4 away");
	control_and_compare("card 5 back");
	machine_stop();
}
END_TEST

/* Where it would overrun a page the text of a large matrix is never read: machine_stop() asks. */
START_TEST(a_large_matrix_is_not_read)
{
	struct matrix large = matrix("0-255", "0-255", ""), edge = matrix("5, 6", "0-255", "");

	for (unsigned p = PROFILE_6_12; p <= PROFILE_7_2; p++) {
		machine_start((enum model_profile)p, false, "apmask -0-255");
		apply_uuid(STEP_CREATE, A, 0);
		apply_matrix(A, &edge, 0);
		apply_matrix(A, &large, 0);
		machine_stop();
	}
}
END_TEST

static void assign_by_hand(const char *attr, unsigned number)
{
	char path[128], text[8];

	snprintf(path, sizeof(path), "sys/devices/vfio_ap/matrix/" A "/%s", attr);
	snprintf(text, sizeof(text), "%u", number);
	ck_assert_int_eq(attr_write_at(fake_root, path, text), 0);
}

/* Somebody else's, on the kernel that has no ap_config to tell how large it is. */
START_TEST(a_foreign_matrix_is_read_only_where_it_must_be_small)
{
	machine_start(PROFILE_6_1, false, "apmask -5-6");
	ck_assert_int_eq(attr_write_at(fake_root,
				 "sys/devices/vfio_ap/matrix/mdev_supported_types/"
				 "vfio_ap-passthrough/create",
				 A),
		0);
	for (unsigned d = 0; d < 256; d++)
		assign_by_hand("assign_domain", d);
	for (unsigned a = 5; a <= 6; a++) {
		_cleanup_(cleanup_observed_free) struct observed *o = NULL;

		assign_by_hand("assign_adapter", a);
		o = scan();
		ck_assert_uint_eq(o->n_mdevs, 1);
		ck_assert(!o->mdevs[0].assigned_known && !o->mdevs[0].guest_known);
	}
	machine_stop();

	machine_start(PROFILE_6_1, false, "apmask -5");
	ck_assert_int_eq(attr_write_at(fake_root,
				 "sys/devices/vfio_ap/matrix/mdev_supported_types/"
				 "vfio_ap-passthrough/create",
				 A),
		0);
	assign_by_hand("assign_adapter", 5);
	assign_by_hand("assign_domain", 4);
	{
		_cleanup_(cleanup_observed_free) struct observed *o = scan();

		ck_assert(o->mdevs[0].assigned_known && o->mdevs[0].guest_known);
		ck_assert_uint_eq(matrix_n_queues(&o->mdevs[0].assigned), 1);
	}
	machine_stop();
}
END_TEST

START_TEST(without_the_module_the_process_is_found)
{
	for (unsigned p = PROFILE_6_1; p <= PROFILE_7_2; p++) {
		struct matrix a = matrix("5", "4", "");

		machine_start((enum model_profile)p, false, "apmask -5-6");
		apply_uuid(STEP_CREATE, A, 0);
		apply_matrix(A, &a, 0);
		control("attach " A " 4711 qemu-system-s39");
		{
			_cleanup_(cleanup_observed_free) struct observed *o = scan();
			const struct observed_mdev *m = &o->mdevs[0];

			ck_assert_uint_eq(m->attach, ATTACH_YES);
			ck_assert_uint_eq(m->vm_pid, 4711);
			ck_assert_str_eq(m->vm_name, "qemu-system-s39");
			ck_assert_uint_eq(m->attach_source,
				p == PROFILE_7_2 ? ATTACH_FROM_FDINFO : ATTACH_FROM_PROC);
			/* The kernel says it too: the queue is in use. */
			ck_assert_uint_eq(m->attach_confidence, CONFIDENCE_CERTAIN);
		}
		machine_stop();
	}
}
END_TEST

START_TEST(a_kernel_that_lies_is_caught)
{
	struct matrix a = matrix("5", "4", "");
	struct step s = {.type = STEP_AP_CONFIG, .uuid = A, .matrix = a};
	char detail[APPLY_DETAIL_SIZE];

	machine_start(PROFILE_6_12, false, "apmask -5-6");
	apply_uuid(STEP_CREATE, A, 0);
	control("fault */ap_config write lie 1");
	ck_assert_int_eq(sysfs_apply(fake_root, &s, detail, sizeof(detail)), -EIO);
	ck_assert_ptr_nonnull(strstr(detail, "reads back"));
	ck_assert_int_eq(model_apply(mirror, &s), -EIO);
	control("fault */ap_config write ENOMEM 1");
	apply(&s, -ENOMEM);
	apply(&s, 0);
	machine_stop();
}
END_TEST

static unsigned n_applied;
static int errors[4];

static void applied(_unused_ void *userdata, uint64_t id, int error, _unused_ const char *detail)
{
	n_applied++;
	errors[id] = error;
}

static void scanned(void *userdata, int error, struct observed *o)
{
	ck_assert_int_eq(error, 0);
	*(struct observed **)userdata = o;
}

static int observe(int root, struct observed **ret)
{
	return sysfs_scan(root, NULL, ret);
}

/* What the daemon lives through when a write does not return. */
START_TEST(a_write_that_hangs_holds_up_nobody)
{
	struct observed *seen = NULL;
	const struct workers_ops ops = {
		.userdata = &seen, .observe = observe, .scanned = scanned, .applied = applied};
	struct step s[] = {
		{.type = STEP_AP_CONFIG, .uuid = A, .matrix = matrix("5", "4", "")},
		{.type = STEP_AP_CONFIG, .uuid = B, .matrix = matrix("6", "4", "")},
	};
	struct workers *workers;
	sd_event *loop;

	machine_start(PROFILE_6_12, false, "apmask -5-6");
	apply_uuid(STEP_CREATE, A, 0);
	apply_uuid(STEP_CREATE, B, 0);
	control("fault */" A "/ap_config write hang 1");
	n_applied = 0;
	ck_assert_int_ge(sd_event_new(&loop), 0);
	ck_assert_int_eq(workers_new(loop, fake_root, &ops, NULL, &workers), 0);
	for (unsigned i = 0; i < 2; i++)
		ck_assert_int_eq(workers_apply(workers, i, &s[i]), 0);
	while (n_applied < 1)
		ck_assert_int_ge(sd_event_run(loop, 5000000), 0);
	ck_assert_int_eq(errors[1], 0);
	ck_assert_int_eq(workers_scan(workers), 0);
	while (!seen)
		ck_assert_int_ge(sd_event_run(loop, 5000000), 0);
	ck_assert_uint_eq(matrix_n_queues(&observed_find_mdev(seen, A)->assigned), 0);
	ck_assert_uint_eq(matrix_n_queues(&observed_find_mdev(seen, B)->assigned), 1);
	ck_assert_uint_eq(n_applied, 1);
	observed_free(seen);
	workers_free(workers);
	sd_event_unref(loop);
	machine_stop();
}
END_TEST

static unsigned pokes;

static void poke(_unused_ void *userdata)
{
	pokes++;
}

START_TEST(what_the_kernel_says_is_heard)
{
	static const char *const commands[] = {
		"config 5 0", "card 6 away", "card 6 back", "attach " A " 4711 qemu"};
	const struct event_ops ops = {.poke = poke, .poke_config = poke};
	struct matrix a = matrix("5", "4", "");
	struct event_options options;
	struct event *event;
	sd_event *loop;

	machine_start(PROFILE_6_12, true, "apmask -5-6");
	options = (struct event_options){.root = fake_root};
	ck_assert_int_ge(sd_event_new(&loop), 0);
	ck_assert_int_eq(event_new(loop, &options, &ops, &event), 0);
	pokes = 0;
	apply_uuid(STEP_CREATE, A, 0);
	while (pokes == 0)
		ck_assert_int_gt(sd_event_run(loop, 5000000), 0);
	apply_matrix(A, &a, 0);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		while (sd_event_run(loop, 0) > 0)
			;
		pokes = 0;
		control("%s", commands[i]);
		while (pokes == 0)
			ck_assert_msg(sd_event_run(loop, 5000000) > 0, "%s", commands[i]);
	}
	event_free(event);
	sd_event_unref(loop);
	machine_stop();
}
END_TEST

/* A private place: nothing of it is seen, or left, outside. */
static int enter_namespaces(void)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0 ||
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tmpfs", "/mnt", "tmpfs", 0, NULL) < 0)
		return -errno;
	return 0;
}

int main(int argc, char **argv)
{
	Suite *suite = suite_create("sysfs on simfs");
	TCase *c = tcase_create("simfs");

	simfs = argc == 2 ? realpath(argv[1], NULL) : NULL;
	if (!simfs || enter_namespaces() < 0) {
		fprintf(stderr, "test_sysfs_sim SIMFS (it mounts FUSE and needs root)\n");
		return EXIT_FAILURE;
	}
	tcase_add_loop_test(c, every_step_and_scan_is_the_models, 0, ARRAY_SIZE(machines));
	tcase_add_loop_test(c, assignments_one_by_one_are_the_models, 0, ARRAY_SIZE(machines));
	tcase_add_test(c, overrides_are_the_models);
	tcase_add_test(c, hosts_without_parts_are_the_models);
	tcase_add_test(c, a_large_matrix_is_not_read);
	tcase_add_test(c, a_foreign_matrix_is_read_only_where_it_must_be_small);
	tcase_add_test(c, without_the_module_the_process_is_found);
	tcase_add_test(c, a_kernel_that_lies_is_caught);
	tcase_add_test(c, a_write_that_hangs_holds_up_nobody);
	tcase_add_test(c, what_the_kernel_says_is_heard);
	suite_add_tcase(suite, c);
	return unit_main(suite);
}
