/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the module offer each other.
 *
 *	apmatrix_main.c    which matrices there are: loading, unloading, the mdev bus
 *	apmatrix_probe.c   what vfio_ap does: the two probes, and a look at what is open already
 *	apmatrix_device.c  what is known of each matrix: its state and its attributes
 *	apmatrix_event.c   the news: sequence, queue, uevents
 *
 * There are two locks, taken in this order:
 *
 *	apm_mutex  which matrices are watched, and whether the probes are set.  Whoever holds it
 *		   may use the struct device of every watched matrix: the driver core tells that
 *		   a device is removed and waits for the answer, and the answer needs this mutex.
 *	apm_lock   the state of all matrices, the sequence and the queue of events.  A change, its
 *		   number and its place in the queue are one step under it: this is what makes
 *		   the order of the events the order of the numbers.  It is the only lock that
 *		   the probes take.  They run in the context of the process that opens or closes,
 *		   never in an interrupt, so a plain spinlock will do.
 */
#ifndef APMATRIX_H
#define APMATRIX_H

#include <linux/device.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>

/* The virtual machine that opens a matrix, or 0 and the opener where there is none. */
struct apm_vm {
	pid_t pid; /* thread group, in the first pid namespace */
	char comm[TASK_COMM_LEN];
};

struct apm_state {
	bool attached;
	struct apm_vm vm; /* pid 0 and no name while nothing is attached */
	u64 attach_count;
	u64 attach_seq;     /* number of the last event, 0: none yet */
	u64 attached_since; /* microseconds of the wall clock, 0: not attached, or unknown */
};

/* A watched matrix.  It lives from apm_device_add() to apm_device_drop(). */
struct apm_device {
	struct hlist_node node; /* both locks to change, either to look */
	struct device *dev;
	struct apm_state state; /* apm_lock */
};

enum apm_what { APM_ATTACH, APM_ATTACH_FAILED, APM_DETACH };

extern struct mutex apm_mutex;
extern spinlock_t apm_lock;

struct apm_device *apm_device_find(const struct device *dev);
struct apm_device *apm_device_add(struct device *dev);
void apm_device_drop(struct apm_device *d);
void apm_device_drop_all(void);
void apm_device_opened(const struct device *dev, const struct apm_vm *vm, int ret);
void apm_device_closed(const struct device *dev);
void apm_device_found_open(struct apm_device *d, const struct apm_vm *vm);

int apm_event_init(void);
void apm_event_exit(void);
void apm_event_post(struct apm_device *d, enum apm_what what, const struct apm_vm *vm, int ret);
void apm_event_flush(void);

int apm_probe_set(void);
void apm_probe_clear(void);
bool apm_probe_look(struct apm_device *d);

#endif
