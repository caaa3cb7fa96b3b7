/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hints: uevents in a network namespace of our own, where nobody else sends or listens, and
 * directories that come and go. */
#include "event/event.h"
#include "event/kernel.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include "faketree.h"

static const char *const directories[] = {"etc/apmatrix.d", "run/apmatrix.d", "usr/lib/apmatrix.d"};

static sd_event *loop;
static struct event *event;
static unsigned pokes, config_pokes;
static char attaches[256];
static int sender;

static void poke(_unused_ void *userdata)
{
	pokes++;
}

static void attach(_unused_ void *userdata, const struct event_attach *a)
{
	size_t n = strlen(attaches);

	snprintf(attaches + n, sizeof(attaches) - n, "%s %s %llu %u %s %d;", a->device, a->event,
		(unsigned long long)a->seq, a->pid, a->comm, a->result);
}

static void poke_config(_unused_ void *userdata)
{
	config_pokes++;
}

static void start(size_t receive_buffer)
{
	const struct event_options options = {
		.root = fake_root,
		.directories = directories,
		.n_directories = ARRAY_SIZE(directories),
		.quiet_usec = 2000,
		.receive_buffer = receive_buffer,
	};
	const struct event_ops ops = {.poke = poke, .poke_config = poke_config, .attach = attach};

	ck_assert_int_eq(event_new(loop, &options, &ops, &event), 0);
}

static void make(void)
{
	pokes = config_pokes = 0;
	attaches[0] = '\0';
	fake_make();
	ck_assert_int_ge(sd_event_new(&loop), 0);
	sender = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	ck_assert_int_ge(sender, 0);
}

static void unmake(void)
{
	event_free(event);
	event = NULL;
	sd_event_unref(loop);
	close(sender);
	fake_remove();
}

/* MurmurHash2 as udev's header carries it of the subsystem, for filters. */
static uint32_t murmur2(const char *text)
{
	const uint32_t m = 0x5bd1e995;
	const unsigned char *p = (const unsigned char *)text;
	size_t n = strlen(text);
	uint32_t h = (uint32_t)n, k;

	for (; n >= 4; n -= 4, p += 4) {
		memcpy(&k, p, 4);
		k *= m;
		k ^= k >> 24;
		h = h * m ^ k * m;
	}
	if (n >= 3)
		h ^= (uint32_t)p[2] << 16;
	if (n >= 2)
		h ^= (uint32_t)p[1] << 8;
	if (n >= 1)
		h = (h ^ p[0]) * m;
	h ^= h >> 13;
	h *= m;
	return h ^ h >> 15;
}

/* @more: properties, each with a newline behind it. */
static void send_uevent_with(const char *devpath, const char *subsystem, const char *more)
{
	struct {
		char prefix[8];
		uint32_t magic, header_size, offset, length, subsystem, devtype, bloom[2];
	} header = {"libudev", htonl(0xfeedcafe), sizeof(header), sizeof(header)};
	struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_groups = 2};
	char text[512];
	int n = snprintf(text, sizeof(text),
		"ACTION=change\nDEVPATH=%s\nSUBSYSTEM=%s\n%sSEQNUM=1\nUSEC_INITIALIZED=1", devpath,
		subsystem, more);
	struct iovec iov[] = {{&header, sizeof(header)}, {text, (size_t)n + 1}};
	struct msghdr message = {
		.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = iov, .msg_iovlen = 2};

	for (char *c = text; *c; c++)
		if (*c == '\n')
			*c = '\0';
	header.length = (uint32_t)n + 1;
	header.subsystem = htonl(murmur2(subsystem));
	ck_assert_int_gt(sendmsg(sender, &message, 0), 0);
}

static void send_uevent(const char *devpath, const char *subsystem)
{
	send_uevent_with(devpath, subsystem, "");
}

/* Until nothing more is to be done now. */
static void drain(void)
{
	while (sd_event_run(loop, 0) > 0)
		;
}

static void run_until(const unsigned *counter, unsigned n)
{
	for (unsigned i = 0; i < 10000 && *counter < n; i++)
		ck_assert_int_ge(sd_event_run(loop, 5000000), 0);
	ck_assert_uint_eq(*counter, n);
}

static const struct {
	const char *devpath, *subsystem;
	unsigned pokes;
} uevents[] = {
	{"/devices/ap", "ap", 1},
	{"/devices/ap/card05/05.0004", "ap", 1},
	{"/devices/vfio_ap/matrix", "matrix", 1},
	{"/devices/vfio_ap/matrix/2d5cb6e9-0000-4000-8000-00000000000a", "mdev", 1},
	{"/devices/virtual/misc/kvm", "misc", 1},
	{"/devices/virtual/misc/loop-control", "misc", 0},
	{"/module/apmatrix", "module", 1},
	{"/module/vfio_ap", "module", 1},
	{"/module/loop", "module", 0},
	{"/devices/virtual/mem/null", "mem", 0},
};

START_TEST(uevents_of_ours_poke_and_others_do_not)
{
	start(0);
	for (size_t i = 0; i < ARRAY_SIZE(uevents); i++) {
		pokes = 0;
		send_uevent(uevents[i].devpath, uevents[i].subsystem);
		drain();
		ck_assert_msg(pokes == uevents[i].pokes, "%s: %u", uevents[i].devpath, pokes);
	}
	ck_assert_uint_eq(config_pokes, 0);
}
END_TEST

#define MDEV_PATH "/devices/vfio_ap/matrix/2d5cb6e9-0000-4000-8000-00000000000a"

START_TEST(what_the_module_says_is_handed_on)
{
	start(0);
	send_uevent_with(MDEV_PATH, "mdev",
		"APMATRIX_EVENT=attach\nAPMATRIX_SEQ=18446744073709551615\nAPMATRIX_PID=4711\n"
		"APMATRIX_COMM=CPU 0/KVM\nAPMATRIX_RET=0\n");
	send_uevent_with(MDEV_PATH, "mdev",
		"APMATRIX_EVENT=attach-failed\nAPMATRIX_SEQ=2\nAPMATRIX_PID=0\nAPMATRIX_RET=-22\n");
	/* Without a number, or with none that could be one, it is a hint and no more. */
	send_uevent_with(MDEV_PATH, "mdev", "APMATRIX_EVENT=detach\n");
	send_uevent_with(MDEV_PATH, "mdev", "APMATRIX_EVENT=detach\nAPMATRIX_SEQ=-1\n");
	drain();
	ck_assert_str_eq(attaches,
		"2d5cb6e9-0000-4000-8000-00000000000a attach 18446744073709551615 4711 CPU 0/KVM "
		"0;2d5cb6e9-0000-4000-8000-00000000000a attach-failed 2 0  -22;");
	ck_assert_uint_eq(pokes, 4);
}
END_TEST

/* What somebody sends who is not the kernel is not believed. */
START_TEST(only_the_kernel_is_heard_in_its_group)
{
	static const char text[] =
		"change@" MDEV_PATH "\0SUBSYSTEM=mdev\0APMATRIX_EVENT=attach\0APMATRIX_SEQ=1";
	struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_groups = 1};

	start(0);
	ck_assert_int_gt(
		sendto(sender, text, sizeof(text), 0, (struct sockaddr *)&to, sizeof(to)), 0);
	drain();
	ck_assert_str_eq(attaches, "");
	ck_assert_uint_eq(pokes, 0);
}
END_TEST

static const struct {
	const char *text;
	bool passes;
} datagrams[] = {
	{"change@" MDEV_PATH, true},
	{"change@/devices/virtual/misc/kvm", true},
	{"add@/module/apmatrix", true},
	{"remove@/module/apmatrix", true},
	{"change@/devices/virtual/misc/fuse", false},
	{"change@/devices/vfix", false},
	{"change@/devices/v", false},
	{"add@/devices/virtual/bdi/0:45", false},
	{"add@/modulo/x", false},
	{"remove@/devices/x", false},
	{"add", false},
	{"", false},
};

START_TEST(other_devices_wake_nobody)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
	ck_assert_int_eq(kernel_filter(fds[1]), 0);
	for (size_t i = 0; i < ARRAY_SIZE(datagrams); i++) {
		char buffer[128];
		bool passed;

		/* A filter that drops makes the sender's call fail, on a pair. */
		(void)!send(fds[0], datagrams[i].text, strlen(datagrams[i].text) + 1, MSG_DONTWAIT);
		passed = recv(fds[1], buffer, sizeof(buffer), MSG_DONTWAIT) > 0;
		ck_assert_msg(passed == datagrams[i].passes, "'%s'", datagrams[i].text);
	}
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(a_datagram_is_taken_apart)
{
	static const char text[] = "change@/devices/x\0ACTION=change\0A=\0AB=1=2\0SEQNUM=7";
	struct kernel_event e;

	ck_assert(kernel_event_parse(text, sizeof(text), &e));
	ck_assert_str_eq(e.path, "/devices/x");
	ck_assert_str_eq(kernel_event_get(&e, "A"), "");
	ck_assert_str_eq(kernel_event_get(&e, "AB"), "1=2");
	ck_assert_str_eq(kernel_event_get(&e, "SEQNUM"), "7");
	ck_assert_ptr_null(kernel_event_get(&e, "SEQ"));
	ck_assert(kernel_event_parse("add@/x", sizeof("add@/x"), &e));
	ck_assert_ptr_null(kernel_event_get(&e, "A"));
	ck_assert(!kernel_event_parse("add@/x", sizeof("add@/x") - 1, &e));
	ck_assert(!kernel_event_parse("libudev", sizeof("libudev"), &e));
	ck_assert(!kernel_event_parse("@/x", sizeof("@/x"), &e));
	ck_assert(!kernel_event_parse("", 0, &e));
}
END_TEST

START_TEST(lost_events_poke_as_well)
{
	start(4096);
	/* By themselves these would be ignored. */
	for (unsigned i = 0; i < 1000; i++)
		send_uevent("/devices/virtual/misc/loop-control", "misc");
	drain();
	ck_assert_uint_ge(pokes, 1);
	/* And the monitor lives. */
	pokes = 0;
	send_uevent("/devices/virtual/misc/loop-control", "misc");
	drain();
	ck_assert_uint_eq(pokes, 0);
	send_uevent("/devices/ap", "ap");
	drain();
	ck_assert_uint_eq(pokes, 1);
}
END_TEST

START_TEST(a_changed_drop_in_pokes_once_for_a_burst)
{
	fake_dir("etc/apmatrix.d");
	start(0);
	for (unsigned i = 0; i < 20; i++)
		fake_filef("[Host]\n", "etc/apmatrix.d/%u.conf", i);
	run_until(&config_pokes, 1);
	drain();
	ck_assert_uint_eq(config_pokes, 1);
	ck_assert_int_eq(unlinkat(fake_root, "etc/apmatrix.d/3.conf", 0), 0);
	run_until(&config_pokes, 2);
	fake_link("etc/apmatrix.d/4.conf", "/dev/null");
	run_until(&config_pokes, 3);
	ck_assert_int_eq(renameat(fake_root, "etc/apmatrix.d/5.conf", fake_root, "etc/5"), 0);
	run_until(&config_pokes, 4);
	ck_assert_uint_eq(pokes, 0);
}
END_TEST

START_TEST(a_directory_that_is_made_later_is_watched)
{
	start(0);
	fake_dir("usr");
	run_until(&config_pokes, 1);
	fake_dir("usr/lib");
	run_until(&config_pokes, 2);
	fake_dir("usr/lib/apmatrix.d");
	run_until(&config_pokes, 3);
	fake_file("usr/lib/apmatrix.d/1.conf", "");
	run_until(&config_pokes, 4);
}
END_TEST

START_TEST(a_whole_path_at_once_is_not_missed)
{
	start(0);
	fake_file("run/apmatrix.d/1.conf", "");
	run_until(&config_pokes, 1);
	fake_file("run/apmatrix.d/2.conf", "");
	run_until(&config_pokes, 2);
}
END_TEST

START_TEST(a_directory_that_comes_back_is_watched_again)
{
	fake_dir("etc/apmatrix.d");
	start(0);
	ck_assert_int_eq(unlinkat(fake_root, "etc/apmatrix.d", AT_REMOVEDIR), 0);
	run_until(&config_pokes, 1);
	ck_assert_int_eq(unlinkat(fake_root, "etc", AT_REMOVEDIR), 0);
	run_until(&config_pokes, 2);
	fake_dir("etc/apmatrix.d");
	run_until(&config_pokes, 3);
	fake_file("etc/apmatrix.d/1.conf", "");
	run_until(&config_pokes, 4);
	ck_assert_int_eq(renameat(fake_root, "etc/apmatrix.d", fake_root, "etc/old"), 0);
	run_until(&config_pokes, 5);
	fake_file("etc/old/2.conf", "");
	drain();
	ck_assert_uint_eq(config_pokes, 5);
	fake_file("etc/apmatrix.d/3.conf", "");
	run_until(&config_pokes, 6);
}
END_TEST

START_TEST(neighbours_are_nobodys_business)
{
	fake_dir("etc");
	start(0);
	fake_file("etc/passwd", "");
	fake_file("etc/apmatrix.dx/1.conf", "");
	fake_file("var/log", "");
	drain();
	/* The timer's time has passed with this one at the latest. */
	fake_file("etc/apmatrix.d/1.conf", "");
	run_until(&config_pokes, 1);
	ck_assert_uint_eq(config_pokes, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("event");
	TCase *uevent = tcase_create("uevents"), *files = tcase_create("files");
	TCase *kernel = tcase_create("kernel");

	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
		perror("no network namespace of our own");
		return EXIT_FAILURE;
	}
	tcase_add_checked_fixture(uevent, make, unmake);
	tcase_add_test(uevent, uevents_of_ours_poke_and_others_do_not);
	tcase_add_test(uevent, what_the_module_says_is_handed_on);
	tcase_add_test(uevent, only_the_kernel_is_heard_in_its_group);
	tcase_add_test(uevent, lost_events_poke_as_well);
	tcase_add_checked_fixture(files, make, unmake);
	tcase_add_test(files, a_changed_drop_in_pokes_once_for_a_burst);
	tcase_add_test(files, a_directory_that_is_made_later_is_watched);
	tcase_add_test(files, a_whole_path_at_once_is_not_missed);
	tcase_add_test(files, a_directory_that_comes_back_is_watched_again);
	tcase_add_test(files, neighbours_are_nobodys_business);
	tcase_add_test(kernel, other_devices_wake_nobody);
	tcase_add_test(kernel, a_datagram_is_taken_apart);
	suite_add_tcase(suite, kernel);
	suite_add_tcase(suite, uevent);
	suite_add_tcase(suite, files);
	return unit_main(suite);
}
