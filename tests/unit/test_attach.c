/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who has an mdev open, from a /proc of plain links. */
#include "attach/attach.h"

#include "faketree.h"

#define A "2d5cb6e9-0000-4000-8000-00000000000a"
#define B "2d5cb6e9-0000-4000-8000-00000000000b"

static struct observed *o;

static void make(void)
{
	struct observed_mdev *m;

	fake_make();
	o = observed_new();
	m = observed_add_mdev(o, A);
	m->vfio_group = 17;
	strcpy(m->vfio_cdev, "vfio3");
	m = observed_add_mdev(o, B);
	m->vfio_group = 1;
	strcpy(m->vfio_cdev, "vfio31");
	/* Those who are always there: a kernel thread and a shell. */
	fake_dir("proc/2/fd");
	fake_link("proc/77/fd/0", "/dev/pts/0");
	fake_file("proc/uptime", "1\n");
}

static void unmake(void)
{
	observed_free(o);
	fake_remove();
}

static void put_process(const char *comm, const char *target)
{
	fake_file("proc/4711/comm", comm);
	fake_link("proc/4711/fd/0", "/dev/null");
	fake_link("proc/4711/fd/22", target);
}

static void expect(const struct observed_mdev *m, enum attach_state state,
	enum attach_source source, unsigned pid, const char *name)
{
	ck_assert_uint_eq(m->attach, state);
	ck_assert_uint_eq(m->attach_source, source);
	ck_assert_uint_eq(m->vm_pid, pid);
	ck_assert_str_eq(m->vm_name, name);
}

START_TEST(nobody_has_it)
{
	ck_assert_int_eq(attach_scan(fake_root, o), 0);
	expect(&o->mdevs[0], ATTACH_NO, ATTACH_FROM_PROC, 0, "");
	expect(&o->mdevs[1], ATTACH_NO, ATTACH_FROM_PROC, 0, "");
}
END_TEST

static const struct {
	const char *target;
	int mdev; /* -1: neither */
} nodes[] = {
	{"/dev/vfio/17", 0},
	{"/dev/vfio/1", 1},
	{"/dev/vfio/17 (deleted)", 0},
	{"/vfio/17", 0},
	{"/dev/vfio/devices/vfio3", 0},
	{"/dev/vfio/devices/vfio31", 1},
	{"/dev/vfio/devices/vfio31 (deleted)", 1},
	{"/dev/vfio/vfio", -1},
	{"/dev/vfio/18", -1},
	{"/dev/vfio/171", -1},
	{"/dev/vfio/17x", -1},
	{"/dev/vfio/-1", -1},
	{"/dev/vfio/", -1},
	{"/dev/vfio/devices/vfio", -1},
	{"/dev/vfio/devices/", -1},
	{"anon_inode:[eventfd]", -1},
	{"socket:[17]", -1},
};

START_TEST(an_open_group_or_device_node_is_an_attachment)
{
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		make();
		put_process("qemu-system-s39\n", nodes[i].target);
		ck_assert_int_eq(attach_scan(fake_root, o), 0);
		for (int k = 0; k < 2; k++) {
			bool mine = k == nodes[i].mdev;

			ck_assert_msg(o->mdevs[k].attach == (mine ? ATTACH_YES : ATTACH_NO),
				"%s: %d", nodes[i].target, k);
			ck_assert_msg(
				o->mdevs[k].vm_pid == (mine ? 4711 : 0), "%s", nodes[i].target);
		}
		unmake();
	}
}
END_TEST

START_TEST(a_file_of_such_a_name_is_none)
{
	char target[128];

	fake_file("home/vfio/17", "not a device\n");
	snprintf(target, sizeof(target), "%s/home/vfio/17", fake_path);
	put_process("evil\n", target);
	ck_assert_int_eq(attach_scan(fake_root, o), 0);
	expect(&o->mdevs[0], ATTACH_NO, ATTACH_FROM_PROC, 0, "");
}
END_TEST

START_TEST(fdinfo_names_the_mdev_and_beats_the_group)
{
	/* Another process holds the group, too; the device is what counts. */
	fake_link("proc/100/fd/9", "/dev/vfio/17");
	put_process("qemu-system-s39\n", "anon_inode:[vfio-device]");
	fake_file("proc/4711/fdinfo/22",
		"pos:\t0\nflags:\t02000002\nvfio-device-syspath: /sys/devices/vfio_ap/matrix/" A
		"\n");
	ck_assert_int_eq(attach_scan(fake_root, o), 0);
	expect(&o->mdevs[0], ATTACH_YES, ATTACH_FROM_FDINFO, 4711, "qemu-system-s39");
	expect(&o->mdevs[1], ATTACH_NO, ATTACH_FROM_PROC, 0, "");
}
END_TEST

static const char *const fdinfos[] = {
	"",
	"pos:\t0\n",
	"vfio-device-syspath: /sys/devices/pci0000:00/0000:00:01.0\n",
	"vfio-device-syspath: /sys/devices/vfio_ap/matrix/2d5cb6e9-0000-4000-8000-0000000000ff\n",
	"vfio-device-syspath:",
	"vfio-device-syspath: /",
};

START_TEST(other_devices_are_nobodys_business)
{
	for (size_t i = 0; i < ARRAY_SIZE(fdinfos); i++) {
		make();
		put_process("qemu\n", "anon_inode:[vfio-device]");
		fake_file("proc/4711/fdinfo/22", fdinfos[i]);
		ck_assert_int_eq(attach_scan(fake_root, o), 0);
		ck_assert_msg(o->mdevs[0].attach == ATTACH_NO && o->mdevs[1].attach == ATTACH_NO,
			"'%s'", fdinfos[i]);
		unmake();
	}
}
END_TEST

START_TEST(a_queue_in_use_is_proof_without_a_process)
{
	o->mdevs[0].attach = ATTACH_YES;
	o->mdevs[0].attach_source = ATTACH_FROM_STATUS;
	ck_assert_int_eq(attach_scan(fake_root, o), 0);
	expect(&o->mdevs[0], ATTACH_YES, ATTACH_FROM_STATUS, 0, "");
}
END_TEST

START_TEST(a_queue_in_use_gets_its_process)
{
	o->mdevs[0].attach = ATTACH_YES;
	o->mdevs[0].attach_source = ATTACH_FROM_STATUS;
	put_process("qemu\n", "/dev/vfio/17");
	ck_assert_int_eq(attach_scan(fake_root, o), 0);
	expect(&o->mdevs[0], ATTACH_YES, ATTACH_FROM_PROC, 4711, "qemu");
}
END_TEST

/* Who handed the device on still has the group open; who has the virtual machine counts, wherever
 * it comes. */
START_TEST(the_virtual_machines_process_counts)
{
	static const unsigned pids[] = {100, 9000};

	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		char path[64];

		make();
		snprintf(path, sizeof(path), "proc/%u/fd/9", pids[i]);
		fake_link(path, "/dev/vfio/17");
		put_process("qemu\n", "/dev/vfio/17");
		fake_link("proc/4711/fd/11", "anon_inode:kvm-vm");
		ck_assert_int_eq(attach_scan(fake_root, o), 0);
		expect(&o->mdevs[0], ATTACH_YES, ATTACH_FROM_PROC, 4711, "qemu");
		unmake();
	}
}
END_TEST

static const struct {
	enum attach_state status; /* what a queue said */
	const char *target;       /* what process 4711 has open, or NULL */
	enum attach_state state;
	enum attach_source source;
	enum attach_confidence confidence;
} merges[] = {
	{ATTACH_UNKNOWN, NULL, ATTACH_NO, ATTACH_FROM_PROC, CONFIDENCE_LIKELY},
	{ATTACH_UNKNOWN, "/dev/vfio/17", ATTACH_YES, ATTACH_FROM_PROC, CONFIDENCE_LIKELY},
	{ATTACH_UNKNOWN, "anon_inode:[vfio-device]", ATTACH_YES, ATTACH_FROM_FDINFO,
		CONFIDENCE_CERTAIN},
	{ATTACH_NO, NULL, ATTACH_NO, ATTACH_FROM_STATUS, CONFIDENCE_CERTAIN},
	{ATTACH_NO, "/dev/vfio/17", ATTACH_YES, ATTACH_FROM_PROC, CONFIDENCE_LIKELY},
	{ATTACH_YES, NULL, ATTACH_YES, ATTACH_FROM_STATUS, CONFIDENCE_CERTAIN},
	{ATTACH_YES, "/dev/vfio/17", ATTACH_YES, ATTACH_FROM_PROC, CONFIDENCE_CERTAIN},
	{ATTACH_YES, "anon_inode:[vfio-device]", ATTACH_YES, ATTACH_FROM_FDINFO,
		CONFIDENCE_CERTAIN},
};

START_TEST(all_sources_make_one_answer)
{
	for (size_t i = 0; i < ARRAY_SIZE(merges); i++) {
		struct observed_mdev *m;

		make();
		m = &o->mdevs[0];
		m->attach = (uint8_t)merges[i].status;
		if (merges[i].status != ATTACH_UNKNOWN) {
			m->attach_source = ATTACH_FROM_STATUS;
			m->attach_confidence = CONFIDENCE_CERTAIN;
		}
		if (merges[i].target)
			put_process("qemu\n", merges[i].target);
		fake_file("proc/4711/fdinfo/22",
			"vfio-device-syspath: /sys/devices/vfio_ap/matrix/" A "\n");
		ck_assert_int_eq(attach_scan(fake_root, o), 0);
		ck_assert_msg(m->attach == merges[i].state &&
				m->attach_source == merges[i].source &&
				m->attach_confidence == merges[i].confidence,
			"row %zu: %u %u %u", i, m->attach, m->attach_source, m->attach_confidence);
		unmake();
	}
}
END_TEST

static const struct {
	const char *cgroup, *unit, *machine, *name;
} names[] = {
	{"0::/machine.slice/machine-qemu\\x2d1\\x2done.scope/libvirt/emulator\n",
		"machine-qemu\\x2d1\\x2done.scope", "qemu-1-one", "one"},
	{"0::/machine.slice/machine-qemu\\x2d12\\x2da\\x2db.scope\n",
		"machine-qemu\\x2d12\\x2da\\x2db.scope", "qemu-12-a-b", "a-b"},
	{"4:cpu:/other\n1:name=systemd:/machine.slice/machine-web.scope\n0::/\n",
		"machine-web.scope", "web", "web"},
	{"0::/machine.slice/machine-qemu.scope\n", "machine-qemu.scope", "qemu-1-", "qemu-1-"},
	/* Not registered, and no machine at all. */
	{"0::/machine.slice/machine-web.scope\n", "machine-other.scope", "other", "qemu"},
	{"0::/user.slice/user-0.slice\n", "machine-web.scope", "web", "qemu"},
};

START_TEST(machined_knows_the_virtual_machines_name)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[128];

		make();
		put_process("qemu\n", "/dev/vfio/17");
		fake_file("proc/4711/cgroup", names[i].cgroup);
		snprintf(path, sizeof(path), "run/systemd/machines/unit:%s", names[i].unit);
		fake_link(path, names[i].machine);
		ck_assert_int_eq(attach_scan(fake_root, o), 0);
		ck_assert_msg(strcmp(o->mdevs[0].vm_name, names[i].name) == 0, "row %zu: '%s'", i,
			o->mdevs[0].vm_name);
		unmake();
	}
}
END_TEST

START_TEST(the_module_is_believed_and_its_process_named)
{
	o->mdevs[0].attach = ATTACH_YES;
	o->mdevs[0].attach_source = ATTACH_FROM_MODULE;
	o->mdevs[0].vm_pid = 77;
	o->mdevs[1].attach = ATTACH_NO;
	o->mdevs[1].attach_source = ATTACH_FROM_MODULE;
	fake_file("proc/77/comm", "qemu\n");
	put_process("other\n", "/dev/vfio/1");
	ck_assert_int_eq(attach_scan(fake_root, o), 0);
	expect(&o->mdevs[0], ATTACH_YES, ATTACH_FROM_MODULE, 77, "qemu");
	expect(&o->mdevs[1], ATTACH_NO, ATTACH_FROM_MODULE, 0, "");
}
END_TEST

START_TEST(what_could_not_be_seen_stays_unknown)
{
	/* Not to be listed, as another user's would not be. */
	fake_file("proc/500/fd", "");
	put_process("qemu\n", "/dev/vfio/17");
	ck_assert_int_eq(attach_scan(fake_root, o), 0);
	expect(&o->mdevs[0], ATTACH_YES, ATTACH_FROM_PROC, 4711, "qemu");
	expect(&o->mdevs[1], ATTACH_UNKNOWN, ATTACH_FROM_NOTHING, 0, "");
}
END_TEST

START_TEST(without_proc_nothing_is_known)
{
	ck_assert_int_eq(renameat(fake_root, "proc", fake_root, "crop"), 0);
	o->mdevs[1].attach = ATTACH_YES;
	o->mdevs[1].attach_source = ATTACH_FROM_STATUS;
	ck_assert_int_eq(attach_scan(fake_root, o), 0);
	expect(&o->mdevs[0], ATTACH_UNKNOWN, ATTACH_FROM_NOTHING, 0, "");
	expect(&o->mdevs[1], ATTACH_YES, ATTACH_FROM_STATUS, 0, "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("attach");
	TCase *c = tcase_create("proc"), *tables = tcase_create("tables");

	tcase_add_checked_fixture(c, make, unmake);
	tcase_add_test(c, nobody_has_it);
	tcase_add_test(c, a_file_of_such_a_name_is_none);
	tcase_add_test(c, fdinfo_names_the_mdev_and_beats_the_group);
	tcase_add_test(c, a_queue_in_use_is_proof_without_a_process);
	tcase_add_test(c, a_queue_in_use_gets_its_process);
	tcase_add_test(c, the_module_is_believed_and_its_process_named);
	tcase_add_test(c, what_could_not_be_seen_stays_unknown);
	tcase_add_test(c, without_proc_nothing_is_known);
	tcase_add_test(tables, an_open_group_or_device_node_is_an_attachment);
	tcase_add_test(tables, the_virtual_machines_process_counts);
	tcase_add_test(tables, all_sources_make_one_answer);
	tcase_add_test(tables, machined_knows_the_virtual_machines_name);
	tcase_add_test(tables, other_devices_are_nobodys_business);
	suite_add_tcase(suite, c);
	suite_add_tcase(suite, tables);
	return unit_main(suite);
}
