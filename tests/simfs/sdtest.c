/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sd-device as a judge of the simulated tree: enumerates a subsystem, or prints the uevents that
 * its monitor receives.
 *
 *   sdtest enumerate SUBSYSTEM
 *   sdtest monitor COUNT [SUBSYSTEM [DEVTYPE]]     prints "listening" first
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-device.h>
#include <systemd/sd-event.h>

#include "util/cleanup.h"

#define SECONDS UINT64_C(1000000)

static const char *name_of_action(sd_device *device)
{
	static const char *const names[] = {[SD_DEVICE_ADD] = "add",
		[SD_DEVICE_REMOVE] = "remove",
		[SD_DEVICE_CHANGE] = "change",
		[SD_DEVICE_BIND] = "bind",
		[SD_DEVICE_UNBIND] = "unbind"};
	sd_device_action_t action;

	if (sd_device_get_action(device, &action) < 0 || (size_t)action >= ARRAY_SIZE(names) ||
		!names[action])
		return "?";
	return names[action];
}

static void print_property(sd_device *device, const char *key)
{
	const char *value;

	if (sd_device_get_property_value(device, key, &value) >= 0)
		printf(" %s=%s", key, value);
}

static int on_event(_unused_ sd_device_monitor *monitor, sd_device *device, void *userdata)
{
	unsigned *left = userdata;
	const char *path = "?";

	sd_device_get_devpath(device, &path);
	printf("%s@%s", name_of_action(device), path);
	print_property(device, "EVENT");
	print_property(device, "PID");
	print_property(device, "BINDINGS");
	print_property(device, "APMATRIX_EVENT");
	print_property(device, "APMATRIX_PID");
	print_property(device, "DRIVER");
	printf("\n");
	fflush(stdout);
	if (--*left == 0)
		return sd_event_exit(sd_device_monitor_get_event(monitor), 0);
	return 0;
}

/* Ends with 0 after @count events, or with 1 when they do not come. */
static int run_monitor(unsigned count, const char *subsystem, const char *devtype)
{
	sd_device_monitor *monitor = NULL;
	sd_event *event = NULL;
	int r;

	r = sd_event_new(&event);
	if (r >= 0)
		r = sd_device_monitor_new(&monitor);
	if (r >= 0)
		r = sd_device_monitor_attach_event(monitor, event);
	if (r >= 0 && subsystem)
		r = sd_device_monitor_filter_add_match_subsystem_devtype(
			monitor, subsystem, devtype);
	if (r >= 0)
		r = sd_device_monitor_start(monitor, on_event, &count);
	if (r >= 0)
		r = sd_event_add_time_relative(
			event, NULL, CLOCK_MONOTONIC, 10 * SECONDS, 0, NULL, (void *)(intptr_t)-1);
	if (r >= 0) {
		printf("listening\n");
		fflush(stdout);
		r = sd_event_loop(event);
	}
	if (r < 0)
		fprintf(stderr, "sdtest: %s\n", strerror(-r));
	sd_device_monitor_unref(monitor);
	sd_event_unref(event);
	return count == 0 && r >= 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void print_device(sd_device *device)
{
	const char *path = "?", *driver = "-", *parent_path = "-";
	sd_device *parent;

	sd_device_get_devpath(device, &path);
	sd_device_get_driver(device, &driver);
	if (sd_device_get_parent(device, &parent) >= 0)
		sd_device_get_devpath(parent, &parent_path);
	printf("%s driver %s parent %s\n", path, driver, parent_path);
}

static int run_enumerate(const char *subsystem)
{
	sd_device_enumerator *enumerator = NULL;
	int r = sd_device_enumerator_new(&enumerator);

	if (r >= 0)
		r = sd_device_enumerator_allow_uninitialized(enumerator);
	if (r >= 0)
		r = sd_device_enumerator_add_match_subsystem(enumerator, subsystem, 1);
	if (r >= 0)
		for (sd_device *d = sd_device_enumerator_get_device_first(enumerator); d;
			d = sd_device_enumerator_get_device_next(enumerator))
			print_device(d);
	sd_device_enumerator_unref(enumerator);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "enumerate") == 0)
		return run_enumerate(argv[2]);
	if (argc >= 3 && strcmp(argv[1], "monitor") == 0)
		return run_monitor((unsigned)atoi(argv[2]), argc > 3 ? argv[3] : NULL,
			argc > 4 ? argv[4] : NULL);
	fprintf(stderr, "sdtest enumerate SUBSYSTEM | monitor COUNT [SUBSYSTEM [DEVTYPE]]\n");
	return 2;
}
