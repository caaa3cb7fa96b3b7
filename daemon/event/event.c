/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The uevent side: as udev hands events on (then links and permissions are in place); as the kernel
 * sends them, for virtual machines and our module, which need neither; and all put together.
 */
#include "event/event.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-device.h>
#include <linux/sock_diag.h>

#include "event/kernel.h"
#include "event/watch.h"

#define QUIET_USEC 100000u
#define MAX_ERRNO 4095
#define SEEN 256u

/* The AP bus, its cards and queues; the matrix device (MDEV_STATE=); mediated devices, with our
 * module's attach events; kvm.ko's misc device, where virtual machines come and go; modules, as
 * ours tells from then on, or no more. */
static const char *const subsystems[] = {"ap", "matrix", "mdev", "misc", "module"};

struct event {
	struct event_ops ops;
	struct watch *watch;
	sd_device_monitor *monitor;
	uint32_t drops; /* of the monitor's socket, last seen */
	struct kernel *kernel;
	uint64_t seen[SEEN]; /* SEQNUMs of what came from the kernel itself */
	size_t n_seen;
};

/*
 * sd-device swallows ENOBUFS.  But the kernel counts what it dropped, and drops on until the queue
 * has been read empty; so whatever was lost was lost before the last event that is left in the
 * queue is read, and there the count has changed.
 */
static bool event_lost(struct event *e)
{
	sd_event_source *source = sd_device_monitor_get_event_source(e->monitor);
	uint32_t info[SK_MEMINFO_VARS] = {0};
	socklen_t size = sizeof(info);
	int fd = source ? sd_event_source_get_io_fd(source) : -1;

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &size) < 0)
		return false;
	if (info[SK_MEMINFO_DROPS] == e->drops)
		return false;
	e->drops = info[SK_MEMINFO_DROPS];
	return true;
}

/* Of the misc devices and the modules only these are meant. */
static bool is_meant(const char *path)
{
	static const char *const paths[] = {
		"/devices/virtual/misc/kvm", "/module/apmatrix", "/module/vfio_ap"};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (strcmp(path, paths[i]) == 0)
			return true;
	return false;
}

static bool is_relevant(sd_device *device)
{
	const char *subsystem, *path;

	if (sd_device_get_subsystem(device, &subsystem) < 0 ||
		(strcmp(subsystem, "misc") != 0 && strcmp(subsystem, "module") != 0))
		return true;
	return sd_device_get_devpath(device, &path) >= 0 && is_meant(path);
}

/* What the module says, as texts; NULL where it does not. */
struct attach_texts {
	const char *device, *event, *seq, *pid, *comm, *ret;
};

/* A decimal number of at most @max; 0 for anything else. */
static uint64_t read_number(const char *text, uint64_t max)
{
	unsigned long long number;
	char *end;

	if (!text || *text < '0' || *text > '9')
		return 0;
	errno = 0;
	number = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && number <= max ? number : 0;
}

/* "0" or "-1": what open_device() returned. */
static int read_result(const char *text)
{
	char *end;
	long value = text ? strtol(text, &end, 10) : 0;

	return text && *text && *end == '\0' && value <= 0 && value >= -MAX_ERRNO ? (int)value : 0;
}

/* An event without a number cannot be put in order: it is a hint and no more. */
static void hand_on(struct event *e, const struct attach_texts *t)
{
	struct event_attach a = {
		.device = t->device,
		.event = t->event,
		.comm = t->comm ? t->comm : "",
		.seq = read_number(t->seq, UINT64_MAX),
		.pid = (uint32_t)read_number(t->pid, INT32_MAX),
		.result = read_result(t->ret),
	};

	if (e->ops.attach && a.device && a.event && a.seq != 0)
		e->ops.attach(e->ops.userdata, &a);
}

static const char *property(sd_device *device, const char *key)
{
	const char *value;

	return sd_device_get_property_value(device, key, &value) < 0 ? NULL : value;
}

static void hand_on_device(struct event *e, sd_device *device)
{
	struct attach_texts t = {
		.event = property(device, "APMATRIX_EVENT"),
		.seq = property(device, "APMATRIX_SEQ"),
		.pid = property(device, "APMATRIX_PID"),
		.comm = property(device, "APMATRIX_COMM"),
		.ret = property(device, "APMATRIX_RET"),
	};

	if (t.event && sd_device_get_sysname(device, &t.device) >= 0)
		hand_on(e, &t);
}

/* ---- before udev ---- */

static bool was_seen(const struct event *e, uint64_t seqnum)
{
	for (size_t i = 0; i < SEEN; i++)
		if (seqnum != 0 && e->seen[i] == seqnum)
			return true;
	return false;
}

static void on_kernel(void *userdata, const struct kernel_event *k)
{
	struct event *e = userdata;
	const char *subsystem = kernel_event_get(k, "SUBSYSTEM"), *name = strrchr(k->path, '/');
	struct attach_texts t = {
		.device = name ? name + 1 : NULL,
		.event = kernel_event_get(k, "APMATRIX_EVENT"),
		.seq = kernel_event_get(k, "APMATRIX_SEQ"),
		.pid = kernel_event_get(k, "APMATRIX_PID"),
		.comm = kernel_event_get(k, "APMATRIX_COMM"),
		.ret = kernel_event_get(k, "APMATRIX_RET"),
	};
	bool attach = subsystem && strcmp(subsystem, "mdev") == 0 && t.event;

	if (!attach && !is_meant(k->path))
		return;
	if (attach)
		hand_on(e, &t);
	e->seen[e->n_seen++ % SEEN] = read_number(kernel_event_get(k, "SEQNUM"), UINT64_MAX);
	e->ops.poke(e->ops.userdata);
}

static void on_kernel_lost(void *userdata)
{
	struct event *e = userdata;

	e->ops.poke(e->ops.userdata);
}

/* ---- by udev ---- */

static int on_device(_unused_ sd_device_monitor *m, sd_device *device, void *userdata)
{
	struct event *e = userdata;
	bool lost = event_lost(e);
	uint64_t seqnum = 0;

	sd_device_get_seqnum(device, &seqnum);
	if (!lost && (was_seen(e, seqnum) || !is_relevant(device)))
		return 0;
	hand_on_device(e, device);
	e->ops.poke(e->ops.userdata);
	return 0;
}

static int monitor_start(struct event *e, sd_event *loop, size_t receive_buffer)
{
	int r = sd_device_monitor_new(&e->monitor);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(subsystems); i++) {
		r = sd_device_monitor_filter_add_match_subsystem_devtype(
			e->monitor, subsystems[i], NULL);
		if (r < 0)
			return r;
	}
	if (receive_buffer > 0) {
		r = sd_device_monitor_set_receive_buffer_size(e->monitor, receive_buffer);
		if (r < 0)
			return r;
	}
	r = sd_device_monitor_attach_event(e->monitor, loop);
	if (r < 0)
		return r;
	return sd_device_monitor_start(e->monitor, on_device, e);
}

int event_new(sd_event *loop, const struct event_options *options, const struct event_ops *ops,
	struct event **ret)
{
	_cleanup_(cleanup_event_free) struct event *e = calloc(1, sizeof(*e));
	int r;

	if (!e)
		return -ENOMEM;
	e->ops = *ops;
	r = monitor_start(e, loop, options->receive_buffer);
	if (r < 0)
		return r;
	r = kernel_new(loop, on_kernel, on_kernel_lost, e, &e->kernel);
	if (r < 0)
		return r;
	r = watch_new(loop, options->root, options->directories, options->n_directories,
		options->quiet_usec ? options->quiet_usec : QUIET_USEC, e->ops.poke_config,
		e->ops.userdata, &e->watch);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(e);
	return 0;
}

void event_free(struct event *e)
{
	cleanup_watch_free(&e->watch);
	cleanup_kernel_free(&e->kernel);
	sd_device_monitor_unref(e->monitor);
	free(e);
}
