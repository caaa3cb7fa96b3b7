/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the module offer each other.
 *
 *	apmatrix_main.c    which matrices there are: loading, unloading, the mdev bus
 *	apmatrix_probe.c   the probes, and who a virtual machine is
 *	apmatrix_open.c    what vfio_ap does, since 6.1: where the probes go, and what is open
 *	apmatrix_notify.c  the same for 5.10; only one of the two is built
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
#include <linux/kprobes.h>
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
	bool touched;           /* apm_lock: a probe has news of it, a look is outdated */
};

typedef bool (*apm_match_fn)(struct device *dev, const void *p);

enum apm_what { APM_ATTACH, APM_ATTACH_FAILED, APM_DETACH };

struct kvm;
struct mdev_device;
struct notifier_block;
struct vfio_device;

/* What is kept of a call from its entry to its return. */
union apm_call {
	struct vfio_device *vdev;
	struct mdev_device *mdev;
	struct {
		const struct notifier_block *nb;
		const struct kvm *kvm;
	} notify;
};

/* A function of vfio_ap that is probed. */
struct apm_point {
	const char *function;
	kretprobe_handler_t entry, returned;
};

#define APM_N_POINTS 2

extern struct mutex apm_mutex;
extern spinlock_t apm_lock;

struct apm_device *apm_device_find(const struct device *dev);
struct apm_device *apm_device_search(apm_match_fn match, const void *p);
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
void apm_vm_of(const struct kvm *kvm, struct apm_vm *ret);

/* apmatrix_open.c or apmatrix_notify.c */
extern const struct apm_point apm_points[APM_N_POINTS];
bool apm_probe_look(struct apm_device *d);
int apm_learn_bus(const struct device_driver **ret);

#endif
