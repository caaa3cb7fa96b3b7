/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Hints from the kernel that something may have changed: uevents of the AP bus, the matrix
 * device, mediated devices and virtual machines, and inotify on the directories of drop-ins.  A
 * hint carries no value: whoever gets it looks for himself.  Nothing is lost for good: after an
 * overflow there is a hint as well.
 *
 * The events of our own kernel module are handed on with what they say: of several that come
 * between two looks, a look sees only the last.
 */
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "util/cleanup.h"

/* APMATRIX_*= of the module's uevent on a mediated device. */
struct event_attach {
	const char *device; /* its name, a UUID */
	const char *event;  /* "attach", "attach-failed", "detach" */
	const char *comm;   /* or "" */
	uint64_t seq;
	uint32_t pid;
	int result; /* 0 or a negative errno */
};

struct event_ops {
	void *userdata;
	void (*poke)(void *userdata);        /* the kernel's tree may have changed */
	void (*poke_config)(void *userdata); /* the drop-ins may have changed */
	void (*attach)(void *userdata, const struct event_attach *a); /* then poke() follows */
};

struct event_options {
	int root;                       /* directory fd that @directories are relative to */
	const char *const *directories; /* to watch, whether they exist or not; borrowed */
	size_t n_directories;
	uint64_t quiet_usec;   /* poke_config() after so long without a change; 0: 100 ms */
	size_t receive_buffer; /* bytes for uevents; 0: libsystemd's default */
};

struct event;

/* Callbacks come from @loop, which must outlive the rest.  0 or a negative errno (no netlink, no
 * inotify). */
int event_new(sd_event *loop, const struct event_options *options, const struct event_ops *ops,
	struct event **ret);
void event_free(struct event *e);
DEFINE_CLEANUP(struct event, event_free)
