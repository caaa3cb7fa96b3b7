/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The model: the rules of tests/model/kernel.rules on every kernel that they hold for, then what
 * those scripts cannot say (uevents, links, sizes, the in-memory port).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/observed.h"
#include "core/plan.h"
#include "model.h"
#include "rules.h"
#include "unit.h"
#include "util/cleanup.h"

#define UUID_A RULES_UUID_A
#define UUID_B RULES_UUID_B
#define TYPE RULES_TYPE "/"

static const char hardware[] = "adapter 5 cex8 cca\n"
			       "adapter 6 cex8 ep11  # a comment\n"
			       "adapter 3 cex7 accelerator\n"
			       "domains 4, 0x47, 0xab, 0xff\n"
			       "control-domains 4, 0x47\n";

static struct model *make(enum model_profile profile, const char *text)
{
	_cleanup_free_ char *error = NULL;
	struct model *m = NULL;

	ck_assert_int_eq(model_new(profile, text, &error, &m), 0);
	return m;
}

static int write_model(void *userdata, const char *path, const char *text)
{
	return model_write(userdata, path, text, strlen(text));
}

static ssize_t read_model(void *userdata, const char *path, char *buf, size_t size)
{
	return model_read(userdata, path, buf, size);
}

static int control_model(void *userdata, const char *command)
{
	return model_control(userdata, command);
}

static void check_model(void *userdata, char *buf, size_t size)
{
	const char *sentence = model_check(userdata);

	snprintf(buf, size, "%s", sentence ? sentence : "ok");
}

/* Its uevents, each the properties with NUL after each, behind one another with their length. */
static struct {
	char text[1u << 18];
	size_t first, end;
} sent;

static void keep_event(_unused_ void *userdata, const struct model_event *e)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fprintf(f, "ACTION=%s%cDEVPATH=%s%cSUBSYSTEM=%s%c", e->action, 0, e->devpath, 0,
		e->subsystem, 0);
	for (size_t i = 0; i < e->n_properties; i++)
		fprintf(f, "%s%c", e->properties[i], 0);
	fclose(f);
	ck_assert_uint_le(sent.end + sizeof(size) + size, sizeof(sent.text));
	memcpy(sent.text + sent.end, &size, sizeof(size));
	memcpy(sent.text + sent.end + sizeof(size), text, size);
	sent.end += sizeof(size) + size;
	free(text);
}

static ssize_t next_event(_unused_ void *userdata, _unused_ int msec, char *buf, size_t size)
{
	size_t n;

	if (sent.first == sent.end) {
		sent.first = sent.end = 0;
		return -EAGAIN;
	}
	memcpy(&n, sent.text + sent.first, sizeof(n));
	ck_assert_uint_le(n, size);
	memcpy(buf, sent.text + sent.first + sizeof(n), n);
	sent.first += sizeof(n) + n;
	return (ssize_t)n;
}

static struct rules_target target_of(struct model *m)
{
	model_set_events(m, keep_event, NULL);
	sent.first = sent.end = 0;
	return (struct rules_target){
		m, write_model, read_model, control_model, check_model, NULL, next_event};
}

START_TEST(answers_as_the_kernel_does)
{
	struct rules rules;
	unsigned n = 0;

	ck_assert_int_eq(rules_load(KERNEL_RULES, &rules), 0);
	for (size_t i = 0; i < rules.n; i++)
		for (unsigned p = 0; p < N_PROFILES; p++) {
			if (!(rules.items[i].profiles & 1u << p))
				continue;

			_cleanup_model_ struct model *m =
				make((enum model_profile)p, rules.hardware);
			_cleanup_free_ char *error = NULL;
			struct rules_target target = target_of(m);

			model_set_checks(m, true);
			ck_assert_msg(rule_run(&target, &rules.items[i], &error) == 0,
				"%s on %s: %s", rules.items[i].name, rules_profile_name(p), error);
			n++;
		}
	ck_assert_uint_gt(n, 80);
	rules_done(&rules);
}
END_TEST

static int put(struct model *m, const char *path, const char *text)
{
	char full[400];

	rules_expand_path(path, full, sizeof(full));
	return model_write(m, full, text, strlen(text));
}

/* 16 adapters x 32 domains are the first 512 queues. */
START_TEST(reading_512_queues_is_fatal_before_7_2)
{
	/* 5.10 assigns only what is there. */
	for (unsigned p = PROFILE_6_1; p < N_PROFILES; p++) {
		_cleanup_model_ struct model *m = make((enum model_profile)p, hardware);
		char buf[8192], number[8];

		ck_assert_int_eq(put(m, "bus/ap/apmask", "0x"), 0);
		ck_assert_int_eq(put(m, TYPE "create", UUID_A), 0);
		for (int i = 0; i < 32; i++) {
			snprintf(number, sizeof(number), "%d", i);
			ck_assert_int_eq(put(m, "A/assign_domain", number), 0);
			if (i < 16)
				ck_assert_int_eq(put(m, "A/assign_adapter", number), 0);
			if (i == 30)
				ck_assert_int_eq(
					model_read(m, "devices/vfio_ap/matrix/" UUID_A "/matrix",
						buf, sizeof(buf)),
					496 * 8);
		}
		ck_assert_ptr_null(model_check(m));
		ck_assert_int_eq(
			model_read(m, "devices/vfio_ap/matrix/" UUID_A "/matrix", buf, sizeof(buf)),
			4095);
		ck_assert_int_eq(model_check(m) != NULL, p < PROFILE_7_2);
	}
}
END_TEST

/* --- uevents -------------------------------------------------------------------------------- */

struct recorder {
	char text[16384];
};

static void record(void *userdata, const struct model_event *e)
{
	struct recorder *r = userdata;
	size_t used = strlen(r->text);

	used += (size_t)snprintf(r->text + used, sizeof(r->text) - used, "%s@%s %s", e->action,
		e->devpath, e->subsystem);
	for (size_t i = 0; i < e->n_properties; i++)
		used += (size_t)snprintf(
			r->text + used, sizeof(r->text) - used, " %s", e->properties[i]);
	snprintf(r->text + used, sizeof(r->text) - used, "|");
}

#define MDEV_A "/devices/vfio_ap/matrix/" UUID_A

static const struct {
	const char *action, *events, *result;
} event_rows[] = {
	{"create A",
		"add@" MDEV_A " mdev|add@/devices/virtual/vfio/0 vfio DEVNAME=vfio/0|"
		"add@" MDEV_A "/vfio-dev/vfio0 vfio-dev DEVNAME=vfio/devices/vfio0|"
		"bind@" MDEV_A " mdev DRIVER=vfio_ap_mdev|"},
	{"bus/ap/apmask = -6",
		"unbind@/devices/ap/card06/06.0004 ap DEVTYPE=ap_queue MODE=ep11|"
		"bind@/devices/ap/card06/06.0004 ap DEVTYPE=ap_queue DRIVER=vfio_ap MODE=ep11|"
		"change@/devices/ap ap "
		"APMASK=0xfdffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\n|"},
	{"A/assign_adapter = 6", ""},
	{"A/assign_domain = 4", ""},
	{"A/ap_config = 02,08,", ""},
	{"! scan", "change@/devices/ap ap BINDINGS=complete COMPLETECOUNT=2|"},
	{"! scan", ""},
	{"! attach A 77",
		"change@/devices/virtual/misc/kvm misc CREATED=1 COUNT=1 EVENT=create PID=77 "
		"STATS_PATH=/kvm/77-11 MAJOR=10 MINOR=232 DEVNAME=kvm|"
		"change@" MDEV_A " mdev APMATRIX_EVENT=attach APMATRIX_SEQ=1 APMATRIX_PID=77 "
		"APMATRIX_COMM=qemu-system-s39 APMATRIX_RET=0 DRIVER=vfio_ap_mdev|"},
	{"! attach A 78 x",
		"change@/devices/virtual/misc/kvm misc CREATED=2 COUNT=2 EVENT=create PID=78 "
		"STATS_PATH=/kvm/78-11 MAJOR=10 MINOR=232 DEVNAME=kvm|",
		"EBUSY"},
	{"! config 6 0",
		"change@/devices/ap/card06 ap CONFIG=0 DEVTYPE=ap_card DRIVER=cex4card "
		"DEV_TYPE=000E "
		"MODALIAS=ap:t0E MODE=ep11|"
		"change@/devices/ap/card06/06.0004 ap CONFIG=0 DEVTYPE=ap_queue DRIVER=vfio_ap "
		"MODE=ep11|"},
	{"! chkstop 6 1", ""},
	{"A/remove = 1", "remove@" MDEV_A "/vfio-dev/vfio0 vfio-dev|", "EINPROGRESS"},
	{"! kill 77",
		"change@" MDEV_A " mdev APMATRIX_EVENT=detach APMATRIX_SEQ=2 APMATRIX_PID=77 "
		"APMATRIX_COMM=qemu-system-s39 APMATRIX_RET=0 DRIVER=vfio_ap_mdev|"
		"remove@/devices/virtual/vfio/0 vfio DEVNAME=vfio/0|"
		"unbind@" MDEV_A " mdev|remove@" MDEV_A " mdev|"
		"change@/devices/virtual/misc/kvm misc CREATED=2 COUNT=1 EVENT=destroy PID=77 "
		"STATS_PATH=/kvm/77-11 MAJOR=10 MINOR=232 DEVNAME=kvm|"},
	{"! card 6 away",
		"unbind@/devices/ap/card06/06.0004 ap DEVTYPE=ap_queue MODE=ep11|"
		"remove@/devices/ap/card06/06.0004 ap DEVTYPE=ap_queue MODE=ep11|"
		"unbind@/devices/ap/card06 ap DEVTYPE=ap_card DEV_TYPE=000E MODALIAS=ap:t0E "
		"MODE=ep11|"
		"remove@/devices/ap/card06 ap DEVTYPE=ap_card DEV_TYPE=000E MODALIAS=ap:t0E "
		"MODE=ep11|"
		"change@/devices/ap ap BINDINGS=complete COMPLETECOUNT=3|"},
	{"! vfio_ap off",
		"change@/devices/vfio_ap/matrix matrix MDEV_STATE=unregistered DRIVER=vfio_ap|"
		"unbind@/devices/vfio_ap/matrix matrix|remove@/devices/vfio_ap/matrix matrix|"
		"remove@/module/vfio_ap module|"},
};

START_TEST(sends_the_kernels_uevents_and_no_others)
{
	_cleanup_model_ struct model *m =
		make(PROFILE_6_12, "adapter 6 cex8 ep11\nadapter 3 cex8 cca\ndomains 4\n");
	struct recorder r = {""};
	struct rules_target target = target_of(m);

	model_set_events(m, record, &r);
	for (size_t i = 0; i < ARRAY_SIZE(event_rows); i++) {
		_cleanup_free_ char *error = NULL, *line = NULL;

		ck_assert_int_gt(asprintf(&line, "%s -> %s", event_rows[i].action,
					 event_rows[i].result ? event_rows[i].result : "ok"),
			0);
		r.text[0] = 0;
		ck_assert_msg(rules_run_line(&target, line, &error) == 0, "%s", error);
		ck_assert_msg(strcmp(r.text, event_rows[i].events) == 0, "row %zu: %s sent %s", i,
			event_rows[i].action, r.text);
	}
}
END_TEST

/* --- the tree ------------------------------------------------------------------------------- */

static const struct {
	const char *path, *target;
} links[] = {
	{"bus/ap/devices/card05", "../../../devices/ap/card05"},
	{"bus/ap/devices/05.0004", "../../../devices/ap/card05/05.0004"},
	{"devices/ap/card05/subsystem", "../../../bus/ap"},
	{"devices/ap/card05/05.0004/driver", "../../../../bus/ap/drivers/cex4queue"},
	{"bus/ap/drivers/cex4queue/05.0004", "../../../../devices/ap/card05/05.0004"},
	{"class/mdev_bus/matrix", "../../devices/vfio_ap/matrix"},
	{"bus/matrix/devices/matrix", "../../../devices/vfio_ap/matrix"},
	{"bus/mdev/devices/" UUID_A, "../../../devices/vfio_ap/matrix/" UUID_A},
	{"devices/vfio_ap/matrix/" UUID_A "/mdev_type",
		"../mdev_supported_types/vfio_ap-passthrough"},
	{"devices/vfio_ap/matrix/" UUID_A "/subsystem", "../../../../bus/mdev"},
	{"devices/vfio_ap/matrix/" UUID_A "/driver", "../../../../bus/mdev/drivers/vfio_ap_mdev"},
	{"devices/vfio_ap/matrix/" UUID_A "/iommu_group", "../../../../kernel/iommu_groups/0"},
	{"kernel/iommu_groups/0/devices/" UUID_A, "../../../../devices/vfio_ap/matrix/" UUID_A},
	{"devices/vfio_ap/matrix/" UUID_A "/vfio-dev/vfio0/device", "../../../" UUID_A},
};

START_TEST(links_are_relative_as_in_sysfs)
{
	_cleanup_model_ struct model *m = make(PROFILE_6_12, hardware);

	ck_assert_int_eq(put(m, TYPE "create", UUID_A), 0);
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		char target[200] = "";
		int r = model_readlink(m, links[i].path, target, sizeof(target));

		ck_assert_msg(r == 0 && strcmp(target, links[i].target) == 0, "%s -> %s (%d)",
			links[i].path, target, r);
	}
}
END_TEST

struct walk {
	struct model *m;
	char path[300];
	unsigned n;
};

/* Everything that is listed can be looked up, is of the type that the list says, and can be read
 * or says why not. */
static void visit(void *userdata, const char *name, mode_t mode)
{
	struct walk *w = userdata, below = {.m = w->m};
	struct model_stat st;
	char buf[4096];

	int size = snprintf(
		below.path, sizeof(below.path), "%s%s%s", w->path, w->path[0] ? "/" : "", name);

	ck_assert_int_lt(size, (int)sizeof(below.path));
	ck_assert_msg(model_stat(w->m, below.path, &st) == 0, "%s is not there", below.path);
	ck_assert_msg((st.mode & S_IFMT) == (mode & S_IFMT), "%s is of another type", below.path);
	w->n++;
	if (S_ISDIR(mode)) {
		ck_assert_int_eq(model_list(w->m, below.path, visit, &below), 0);
		w->n += below.n;
	} else if (S_ISLNK(mode)) {
		ck_assert_int_eq(model_readlink(w->m, below.path, buf, sizeof(buf)), 0);
	} else {
		ssize_t r = model_read(w->m, below.path, buf, sizeof(buf));

		ck_assert_msg(st.mode & 0444 ? r >= 0 : r == -EACCES, "reading %s gave %zd",
			below.path, r);
	}
}

START_TEST(whatever_is_listed_is_there)
{
	for (unsigned p = 0; p < N_PROFILES; p++) {
		_cleanup_model_ struct model *m = make((enum model_profile)p, hardware);
		struct walk w = {.m = m};

		ck_assert_int_eq(put(m, TYPE "create", UUID_A), 0);
		ck_assert_int_eq(put(m, TYPE "create", UUID_B), 0);
		ck_assert_int_eq(model_attach(m, UUID_B, 5, NULL), 0);
		ck_assert_int_eq(put(m, "B/remove", "1"), -EINPROGRESS);
		ck_assert_int_eq(model_list(m, "", visit, &w), 0);
		ck_assert_uint_gt(w.n, 300);
	}
}
END_TEST

START_TEST(logs_writes_by_their_real_path)
{
	_cleanup_model_ struct model *m = make(PROFILE_6_12, hardware);
	const struct model_log_entry *log;

	put(m, TYPE "create", UUID_A "\n");
	put(m, "bus/mdev/devices/" UUID_A "/assign_adapter", "0x05\n");
	put(m, "bus/mdev/devices/" UUID_B "/assign_adapter", "5");
	model_control(m, "scan");
	ck_assert_uint_eq(model_log(m, &log), 3);
	ck_assert_str_eq(log[0].text, UUID_A);
	ck_assert_str_eq(log[1].path, "devices/vfio_ap/matrix/" UUID_A "/assign_adapter");
	ck_assert_str_eq(log[1].text, "0x05");
	ck_assert_int_eq(log[2].result, -ENOENT);
}
END_TEST

static const struct {
	const char *text, *error;
} bad_hardware[] = {
	{"adapter 5 cex9 cca\n", "line 1:"},
	{"domains 4\nadapter 5 cex8\n", "line 2:"},
	{"adapter 300 cex8 cca\n", "line 1:"},
	{"\n\nkernel 5.4\n", "line 3:"},
	{"module maybe\n", "line 1:"},
	{"frobnicate\n", "line 1:"},
	{"max-domain 256\n", "line 1:"},
};

START_TEST(refuses_hardware_it_does_not_understand)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad_hardware); i++) {
		_cleanup_free_ char *error = NULL;
		_cleanup_model_ struct model *m = NULL;
		int r = model_new(PROFILE_6_12, bad_hardware[i].text, &error, &m);

		ck_assert_msg(r == -EINVAL && error &&
				strncmp(error, bad_hardware[i].error,
					strlen(bad_hardware[i].error)) == 0,
			"row %zu gave %d %s", i, r, error ? error : "");
	}
}
END_TEST

START_TEST(limits_follow_the_machine)
{
	_cleanup_model_ struct model *m = make(PROFILE_6_12,
		"kernel 7.2\nrelease 7.2.1-test\nadapter 5-7 cex8 cca\ndomains 1\n"
		"max-adapter 63\nmax-domain 15\napmask -5\nmodule off\n");

	ck_assert_int_eq(model_profile(m), PROFILE_7_2);
	ck_assert_str_eq(model_release(m), "7.2.1-test");
	ck_assert_int_eq(put(m, TYPE "create", UUID_A), 0);
	ck_assert_int_eq(put(m, "A/assign_adapter", "64"), -ENODEV);
	ck_assert_int_eq(put(m, "A/assign_adapter", "63"), 0);
	ck_assert_int_eq(put(m, "A/assign_domain", "16"), -ENODEV);
	ck_assert_int_eq(put(m, "A/ap_config", "0x00000000000000008,0x,0x"), -ENODEV);
	ck_assert_int_eq(put(m, "A/apmatrix/attached", "1"), -ENOENT);
}
END_TEST

/* --- the in-memory port --------------------------------------------------------------------- */

START_TEST(observes_what_is_there)
{
	_cleanup_model_ struct model *m = make(PROFILE_7_2, hardware);
	_cleanup_(cleanup_observed_free) struct observed *o = NULL;

	model_set_time(m, 1234567);
	ck_assert_int_eq(put(m, "bus/ap/apmask", "-5,-6"), 0);
	ck_assert_int_eq(put(m, TYPE "create", UUID_B), 0);
	ck_assert_int_eq(put(m, TYPE "create", UUID_A), 0);
	ck_assert_int_eq(put(m, "A/ap_config", "04,08,08"), 0);
	ck_assert_int_eq(model_control(m, "attach " UUID_A " 99"), 0);
	ck_assert_int_eq(model_observe(m, &o), 0);
	ck_assert(o->complete && o->has_ap_bus && o->has_matrix_device);
	ck_assert_uint_eq(o->hazards, 0);
	ck_assert_uint_eq(o->n_mdevs, 2);
	ck_assert_str_eq(o->mdevs[0].uuid, UUID_A);
	ck_assert_uint_eq(o->mdevs[0].attach, ATTACH_YES);
	ck_assert_uint_eq(o->mdevs[0].attach_source, ATTACH_FROM_MODULE);
	ck_assert_uint_eq(o->mdevs[0].vm_pid, 99);
	ck_assert_uint_eq(o->mdevs[0].attached_since, 1234567);
	ck_assert(mask_test(&o->mdevs[0].guest.adapters, 5));
	ck_assert(queues_test(&o->in_use, 5, 4));
	ck_assert(queues_test(&o->host, 3, 4));
	ck_assert(queues_test(&o->vfio, 6, 0xff));
	ck_assert_uint_eq(queues_count(&o->present), 12);
	ck_assert_uint_eq(o->card[3].hwtype, 13);
}
END_TEST

START_TEST(observes_attach_by_status_without_the_module)
{
	_cleanup_model_ struct model *m = make(PROFILE_6_12, hardware);
	_cleanup_(cleanup_observed_free) struct observed *o = NULL;

	model_set_module(m, false);
	ck_assert_int_eq(put(m, "bus/ap/apmask", "-5,-6"), 0);
	ck_assert_int_eq(put(m, TYPE "create", UUID_A), 0);
	ck_assert_int_eq(put(m, TYPE "create", UUID_B), 0);
	ck_assert_int_eq(put(m, "A/ap_config", "04,08,08"), 0);
	ck_assert_int_eq(model_attach(m, UUID_A, 99, NULL), 0);
	ck_assert_int_eq(model_observe(m, &o), 0);
	ck_assert_uint_eq(o->mdevs[0].attach, ATTACH_YES);
	ck_assert_uint_eq(o->mdevs[0].attach_source, ATTACH_FROM_STATUS);
	ck_assert_uint_eq(o->mdevs[0].vm_pid, 0);
	ck_assert_uint_eq(o->mdevs[1].attach, ATTACH_UNKNOWN);
	ck_assert_uint_eq(o->features & FEATURE_MODULE, 0);
}
END_TEST

/* Every type of step, and a write that is accepted but not done. */
START_TEST(applies_steps_and_looks_whether_they_are_done)
{
	_cleanup_model_ struct model *m = make(PROFILE_7_2, hardware);
	struct step s = {.type = STEP_OVERRIDE, .number = 5 << 8 | 4};
	static const struct {
		enum step_type type;
		unsigned number;
		int result;
	} rows[] = {
		{STEP_OVERRIDE, 5 << 8 | 4, 0},
		{STEP_UNBIND, 5 << 8 | 4, 0},
		{STEP_UNBIND, 5 << 8 | 4, 0},
		{STEP_PROBE, 5 << 8 | 4, 0},
		{STEP_CLEAR_OVERRIDE, 5 << 8 | 4, 0},
		{STEP_OVERRIDE, 9 << 8 | 4, -ENOENT},
		{STEP_CREATE, 0, 0},
		{STEP_CREATE, 0, -EEXIST},
		{STEP_AP_CONFIG, 0, 0},
		{STEP_ASSIGN_ADAPTER, 5, 0},
		{STEP_ASSIGN_DOMAIN, 4, -EADDRNOTAVAIL},
		{STEP_UNASSIGN_ADAPTER, 5, 0},
		{STEP_ASSIGN_DOMAIN, 4, 0},
		{STEP_UNASSIGN_DOMAIN, 4, 0},
		{STEP_ASSIGN_CONTROL_DOMAIN, 4, 0},
		{STEP_UNASSIGN_CONTROL_DOMAIN, 4, 0},
		{STEP_APMASK, 0, 0},
		{STEP_AQMASK, 0, 0},
		{STEP_REMOVE, 0, 0},
		{STEP_REMOVE, 0, -ENOENT},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		s = (struct step){.type = rows[i].type, .number = rows[i].number, .uuid = UUID_A};
		ck_assert_msg(model_apply(m, &s) == rows[i].result, "row %zu", i);
	}
	s = (struct step){.type = STEP_APMASK, .mask = mask_full()};
	ck_assert_int_eq(model_control(m, "fault bus/ap/apmask write lie 1"), 0);
	ck_assert_int_eq(model_apply(m, &s), -EIO);
	ck_assert_int_eq(model_apply(m, &s), 0);
}
END_TEST

/* A full machine: 65536 queues, 4096 mdevs.  Each write must stay cheap; the time limit of the
 * suite is what fails here. */
START_TEST(scales_to_a_full_machine)
{
	_cleanup_model_ struct model *m =
		make(PROFILE_6_12, "adapter 0-255 cex8 cca\ndomains 0-255\n");
	_cleanup_(cleanup_observed_free) struct observed *o = NULL;
	char path[128], uuid[40], number[8];

	model_set_checks(m, false);
	ck_assert_int_eq(put(m, "bus/ap/apmask", "0x"), 0);
	for (unsigned i = 0; i < 4096; i++) {
		snprintf(uuid, sizeof(uuid), "00000000-0000-4000-8000-%012x", i);
		ck_assert_int_eq(put(m, TYPE "create", uuid), 0);
		snprintf(path, sizeof(path), "devices/vfio_ap/matrix/%s/assign_adapter", uuid);
		snprintf(number, sizeof(number), "%u", i % 256);
		ck_assert_int_eq(put(m, path, number), 0);
		snprintf(path, sizeof(path), "devices/vfio_ap/matrix/%s/assign_domain", uuid);
		for (unsigned d = 0; d < 16; d++) {
			snprintf(number, sizeof(number), "%u", i / 256 * 16 + d);
			ck_assert_int_eq(put(m, path, number), 0);
		}
	}
	ck_assert_int_eq(put(m, path, "0"), -EADDRINUSE);
	ck_assert_int_eq(put(m, "bus/ap/apmask", "+3"), -EBUSY);
	model_set_checks(m, true);
	ck_assert_int_eq(put(m, "bus/ap/scans", "1"), 0);
	ck_assert_ptr_null(model_check(m));
	ck_assert_int_eq(model_observe(m, &o), 0);
	ck_assert_uint_eq(o->n_mdevs, 4096);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("model");
	TCase *tc = tcase_create("model");

	tcase_add_test(tc, answers_as_the_kernel_does);
	tcase_add_test(tc, reading_512_queues_is_fatal_before_7_2);
	tcase_add_test(tc, sends_the_kernels_uevents_and_no_others);
	tcase_add_test(tc, links_are_relative_as_in_sysfs);
	tcase_add_test(tc, whatever_is_listed_is_there);
	tcase_add_test(tc, logs_writes_by_their_real_path);
	tcase_add_test(tc, refuses_hardware_it_does_not_understand);
	tcase_add_test(tc, limits_follow_the_machine);
	tcase_add_test(tc, observes_what_is_there);
	tcase_add_test(tc, observes_attach_by_status_without_the_module);
	tcase_add_test(tc, applies_steps_and_looks_whether_they_are_done);
	tcase_add_test(tc, scales_to_a_full_machine);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
