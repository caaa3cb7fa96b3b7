/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The uevent side, as udev hands events on (then links and permissions are in place), and the
 * two halves put together.
 */
#include "event/event.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-device.h>
#include <linux/sock_diag.h>

#include "event/watch.h"

#define QUIET_USEC 100000u
#define MAX_ERRNO 4095

/* The AP bus, its cards and queues; the matrix device (MDEV_STATE=); mediated devices, with our
 * module's attach events; kvm.ko's misc device, where virtual machines come and go; modules, as
 * ours tells from then on, or no more. */
static const char *const subsystems[] = {"ap", "matrix", "mdev", "misc", "module"};

struct event {
	struct event_ops ops;
	struct watch *watch;
	sd_device_monitor *monitor;
	uint32_t drops; /* of the monitor's socket, last seen */
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
static bool is_relevant(sd_device *device)
{
	static const char *const paths[] = {
		"/devices/virtual/misc/kvm", "/module/apmatrix", "/module/vfio_ap"};
	const char *subsystem, *path;

	if (sd_device_get_subsystem(device, &subsystem) < 0 ||
		(strcmp(subsystem, "misc") != 0 && strcmp(subsystem, "module") != 0))
		return true;
	if (sd_device_get_devpath(device, &path) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (strcmp(path, paths[i]) == 0)
			return true;
	return false;
}

/* A decimal number of at most @max; 0 and false for anything else. */
static bool read_number(sd_device *device, const char *key, uint64_t max, uint64_t *ret)
{
	unsigned long long number;
	const char *text;
	char *end;

	*ret = 0;
	if (sd_device_get_property_value(device, key, &text) < 0 || *text < '0' || *text > '9')
		return false;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno != 0 || *end != '\0' || number > max)
		return false;
	*ret = number;
	return true;
}

/* "0" or "-1": what open_device() returned. */
static int read_result(sd_device *device)
{
	const char *text;
	char *end;
	long value;

	if (sd_device_get_property_value(device, "APMATRIX_RET", &text) < 0)
		return 0;
	value = strtol(text, &end, 10);
	return *text && *end == '\0' && value <= 0 && value >= -MAX_ERRNO ? (int)value : 0;
}

/* An event without a number cannot be put in order: it is a hint and no more. */
static void hand_on_attach(struct event *e, sd_device *device)
{
	struct event_attach a = {.comm = ""};
	uint64_t pid;

	if (!e->ops.attach ||
		sd_device_get_property_value(device, "APMATRIX_EVENT", &a.event) < 0 ||
		sd_device_get_sysname(device, &a.device) < 0 ||
		!read_number(device, "APMATRIX_SEQ", UINT64_MAX, &a.seq) || a.seq == 0)
		return;
	read_number(device, "APMATRIX_PID", INT32_MAX, &pid);
	a.pid = (uint32_t)pid;
	sd_device_get_property_value(device, "APMATRIX_COMM", &a.comm);
	a.result = read_result(device);
	e->ops.attach(e->ops.userdata, &a);
}

static int on_device(_unused_ sd_device_monitor *m, sd_device *device, void *userdata)
{
	struct event *e = userdata;
	bool lost = event_lost(e);

	if (lost || is_relevant(device)) {
		hand_on_attach(e, device);
		e->ops.poke(e->ops.userdata);
	}
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
	sd_device_monitor_unref(e->monitor);
	free(e);
}
