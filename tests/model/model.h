/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The kernel's rules, once, in memory: the AP bus, the vfio_ap matrix device with its mediated
 * devices, and the outside world that takes adapters away and attaches guests.  It answers by
 * paths below /sys as the kernel does, errno by errno (design: kernel-contract.md and
 * real-driver.md), for four kernels that differ.  It knows nothing of the daemon.
 *
 * Paths are relative to /sys without a leading slash ("bus/ap/apmask"); links inside a path are
 * followed.  Where a function fails, it returns a negative errno.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum model_profile { PROFILE_5_10, PROFILE_6_1, PROFILE_6_12, PROFILE_7_2, N_PROFILES };

struct model;

/* Makes a machine from a hardware description (tests/simfs/README.md), after its first bus scan.
 * @profile holds where the text has no "kernel" line.
 * Returns 0; -EINVAL with *ret_error a sentence "line N: ..." (the caller owns it); -ENOMEM. */
int model_new(
	enum model_profile profile, const char *hardware, char **ret_error, struct model **ret);
void model_free(struct model *m);
static inline void cleanup_model(struct model **m)
{
	if (*m)
		model_free(*m);
}
#define _cleanup_model_ __attribute__((cleanup(cleanup_model)))

enum model_profile model_profile(const struct model *m);
const char *model_release(const struct model *m);
unsigned model_config_time(const struct model *m); /* seconds between the bus's own scans */

/* What attached_since is taken from: microseconds, CLOCK_REALTIME.  0 at first. */
void model_set_time(struct model *m, uint64_t realtime_usec);

/* --- the tree ------------------------------------------------------------------------------- */

struct model_stat {
	mode_t mode; /* S_IFDIR, S_IFREG or S_IFLNK, and permissions */
	bool fixed;  /* is there for the model's whole life */
};

/* What @path is; a link in its last component is not followed. */
int model_stat(struct model *m, const char *path, struct model_stat *ret);

/* The relative target of a link, NUL-terminated, as the kernel would print it. */
int model_readlink(struct model *m, const char *path, char *buf, size_t size);

/* Calls @each for every name in a directory, without "." and "..". */
typedef void (*model_list_fn)(void *userdata, const char *name, mode_t mode);
int model_list(struct model *m, const char *path, model_list_fn each, void *userdata);

/* One write(2) of a whole value.  Returns 0, what the kernel would say, or -EINPROGRESS: the
 * writer would block (remove of an attached mdev, until it is detached; a "hang" fault). */
int model_write(struct model *m, const char *path, const char *text, size_t size);

/* One read of a whole value.  Returns its length; what does not fit in @buf is cut. */
ssize_t model_read(struct model *m, const char *path, char *buf, size_t size);

/* The same for any length: *ret is a new NUL-terminated string that the caller owns. */
ssize_t model_read_text(struct model *m, const char *path, char **ret);

/* --- uevents -------------------------------------------------------------------------------- */

struct model_event {
	const char *action;            /* "add", "change", ... */
	const char *devpath;           /* "/devices/ap/card05" */
	const char *subsystem;         /* "ap", "mdev", ... */
	const char *const *properties; /* "KEY=value", without the three above */
	size_t n_properties;
};

typedef void (*model_event_fn)(void *userdata, const struct model_event *event);

/* Exactly the kernel's uevents, and the module's. */
void model_set_events(struct model *m, model_event_fn callback, void *userdata);

/* --- the outside world ---------------------------------------------------------------------- */

/* Obeys one line of the control vocabulary (tests/simfs/README.md).
 * Returns 0, -EINVAL for what it does not understand, or what the kernel would say. */
int model_control(struct model *m, const char *command);

/* A virtual machine, @pid (0: a process without KVM), opens a matrix, and closes it again.
 * attach: -EINVAL (no KVM), -EPERM (the VM has another matrix), -EBUSY (somebody has it open),
 * -ENODEV (no such mdev).  @comm may be NULL.  detach: -ENODEV, -ENOTCONN (not attached). */
int model_attach(struct model *m, const char *uuid, uint32_t pid, const char *comm);
int model_detach(struct model *m, const char *uuid);
int model_kill(struct model *m, uint32_t pid); /* -ESRCH */

/* Adapters and domains leave or enter the host's AP configuration; the bus scans at once, as
 * after the machine's notification. */
int model_set_adapter(struct model *m, unsigned adapter, bool present);
int model_set_domain(struct model *m, unsigned domain, bool present);
int model_set_control_domain(struct model *m, unsigned domain, bool present);
int model_set_config(struct model *m, unsigned adapter, bool configured);
int model_set_chkstop(struct model *m, unsigned adapter, bool checkstopped);

/* What an administrator's hands do: unbind a queue, give it to whom the masks leave it. */
int model_unbind(struct model *m, unsigned adapter, unsigned domain);
int model_bind(struct model *m, unsigned adapter, unsigned domain);

void model_set_module(struct model *m, bool on); /* our kernel module */
int model_set_vfio_ap(struct model *m, bool on); /* -EAGAIN: an mdev is attached */
void model_scan(struct model *m);                /* a bus scan */

struct model_vm {
	uint32_t pid;
	char comm[16];
	const char *uuid; /* of the attached matrix, or NULL */
	int vfio_group;   /* of that matrix */
};

/* The virtual machines that run, in no order; false behind the last. */
bool model_vm(const struct model *m, size_t i, struct model_vm *ret);

/* True while a writer of that mdev's remove would wait. */
bool model_is_removing(const struct model *m, const char *uuid);

/* --- faults --------------------------------------------------------------------------------- */

enum model_fault_kind {
	FAULT_NONE,
	FAULT_ERRNO, /* fails */
	FAULT_DELAY, /* takes its time (simfs; in memory it is done at once) */
	FAULT_HANG,  /* never ends */
	FAULT_LIE,   /* is accepted, but not done */
};

struct model_fault {
	enum model_fault_kind kind;
	int error;      /* FAULT_ERRNO: positive */
	unsigned delay; /* FAULT_DELAY: milliseconds */
};

/* The next @count writes (or reads) of every attribute that matches the fnmatch(3) @glob meet the
 * fault; @count 0: all of them.  -EINVAL: nonsense; -ENOMEM. */
int model_fault_add(
	struct model *m, const char *glob, bool write, struct model_fault fault, unsigned count);
void model_fault_clear(struct model *m);
unsigned model_fault_clears(const struct model *m); /* how often: then those that hang go on */

/* For those that can wait (simfs): takes the fault that the next access of @path meets, then does
 * the access without asking for faults again. */
struct model_fault model_fault_take(struct model *m, const char *path, bool write);
int model_write_now(struct model *m, const char *path, const char *text, size_t size);
ssize_t model_read_now(struct model *m, const char *path, char **ret);

/* Logs a write that was not done, with its result. */
void model_log_write(struct model *m, const char *path, const char *text, size_t size, int result);

/* --- what tests read ------------------------------------------------------------------------ */

struct model_log_entry {
	char *path; /* links resolved */
	char *text; /* without trailing newline */
	int result;
};

size_t model_log(const struct model *m, const struct model_log_entry **ret);
void model_log_clear(struct model *m);

/* After every write: do two mdevs share a queue, does an mdev have a queue of the host, did an
 * attached guest lose something that neither a control command nor a write to its own mdev took?
 * Off at first. */
void model_set_checks(struct model *m, bool on);

/* The first sentence of such a check, or of a kernel bug that was tripped on (a matrix of 512
 * or more queues was read where that overruns a page); NULL: all is well. */
const char *model_check(struct model *m);

/* How often a known kernel hazard was met that does no harm here: an AP configuration change with
 * an unattached mdev; a refused second open. */
unsigned model_hazard_unattached_config(const struct model *m);
unsigned model_hazard_refused_open(const struct model *m);

/* Overrides that are counted although their queues have gone: masks are refused from then on. */
unsigned model_lost_overrides(const struct model *m);

/* --- the in-memory port --------------------------------------------------------------------- */

struct observed;
struct step;

/* The truth as a scan of the tree would see it: attach state from the module where it is on,
 * else from queue status, else unknown.  0 or -ENOMEM; the caller owns *ret. */
int model_observe(struct model *m, struct observed **ret);

/* Applies one step by a write to the attribute that a daemon would write, and looks whether it is
 * done.  0, the write's error, or -EIO: accepted but not done. */
int model_apply(struct model *m, const struct step *step);
