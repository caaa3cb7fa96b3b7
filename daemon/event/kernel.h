/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Uevents as the kernel sends them, before udev has seen them.  For events that need nothing of
 * what udev does: they come sooner, and where udev is busy, stuck or not there.  Internal to event/.
 */
#include <stddef.h>
#include <systemd/sd-event.h>

#include "util/cleanup.h"

struct kernel_event {
	const char *path; /* DEVPATH */
	const char *properties, *end;
};

/* The value of a property, or NULL. */
const char *kernel_event_get(const struct kernel_event *e, const char *key);

/* Takes a datagram apart, which @ret borrows.  False: it is none of the kernel's. */
bool kernel_event_parse(const char *data, size_t size, struct kernel_event *ret);

/* Has the kernel drop what nobody here wants, so that other devices wake nobody.
 * 0 or a negative errno. */
int kernel_filter(int fd);

struct kernel;

/* @event is called for uevents of mediated devices of vfio_ap, of /dev/kvm and of modules, @lost when some did not fit into the socket.
 * 0 or a negative errno. */
int kernel_new(sd_event *loop, void (*event)(void *userdata, const struct kernel_event *e),
	void (*lost)(void *userdata), void *userdata, struct kernel **ret);
void kernel_free(struct kernel *k);
DEFINE_CLEANUP(struct kernel, kernel_free)
