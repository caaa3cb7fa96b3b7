/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What one scan of the tree saw: the AP bus with its masks, cards and queues, the vfio_ap matrix
 * device and its mediated devices, who has them attached, and what this kernel can and cannot do.
 * Flat but for the array of mdevs, so that a worker can hand it over as bytes.
 */
#include "core/config.h"
#include "core/matrix.h"

enum card_mode { CARD_UNKNOWN, CARD_ACCELERATOR, CARD_CCA, CARD_EP11 };
DECLARE_STRTAB(card_mode, enum card_mode); /* "unknown", "accelerator", "cca", "ep11" */

struct observed_card {
	uint8_t hwtype; /* 14 is a CEX8; 0 unknown */
	uint8_t mode;   /* enum card_mode */
	bool config;    /* configured, not in standby */
	bool chkstop;
	bool online;
};

enum attach_state { ATTACH_UNKNOWN, ATTACH_NO, ATTACH_YES };
DECLARE_STRTAB(attach_state, enum attach_state); /* "unknown", "detached", "attached" */

/* Where the answer comes from, the best first. */
enum attach_source {
	ATTACH_FROM_NOTHING,
	ATTACH_FROM_MODULE, /* apmatrix/attached, our kernel module */
	ATTACH_FROM_FDINFO, /* vfio-device-syspath in /proc/PID/fdinfo (6.18 and later) */
	ATTACH_FROM_PROC,   /* /proc/PID/fd links to /dev/vfio/N */
	ATTACH_FROM_STATUS, /* a queue's status says "in use": no process known */
};
DECLARE_STRTAB(
	attach_source, enum attach_source); /* "none", "module", "fdinfo", "proc", "status" */

enum attach_confidence {
	CONFIDENCE_NONE,    /* nothing is known */
	CONFIDENCE_LIKELY,  /* what processes have open, or have not: it may be a moment early */
	CONFIDENCE_CERTAIN, /* the kernel says so */
};
DECLARE_STRTAB(attach_confidence, enum attach_confidence); /* "none", "likely", "certain" */

#define VM_NAME_SIZE 64u

struct observed_mdev {
	char uuid[UUID_SIZE];
	bool assigned_known; /* false: unreadable, or reading it would trip a kernel bug */
	bool guest_known;    /* likewise; false on kernels without guest_matrix */
	struct matrix assigned;
	struct matrix guest; /* what the guest may use; no control domains (the kernel has none) */
	int vfio_group;      /* N of /dev/vfio/N, or -1 */
	char vfio_cdev[16];  /* "vfioN" below /dev/vfio/devices, or "" */
	uint8_t attach;      /* enum attach_state */
	uint8_t attach_source;     /* enum attach_source */
	uint8_t attach_confidence; /* enum attach_confidence */
	uint32_t vm_pid;           /* 0: unknown or detached */
	uint64_t attached_since;   /* microseconds, CLOCK_REALTIME; 0 unknown */
	uint64_t attach_count;
	uint64_t attach_seq;
	char vm_name[VM_NAME_SIZE]; /* of the virtual machine, or else of its process, or "" */
};

enum kernel_feature {
	FEATURE_AP_CONFIG = 1 << 0,    /* mdevs have ap_config */
	FEATURE_GUEST_MATRIX = 1 << 1, /* mdevs have guest_matrix, and may change under a guest */
	FEATURE_DRIVER_OVERRIDE = 1 << 2, /* queues have driver_override (6.19 and later) */
	FEATURE_STRICT_MASKS = 1 << 3, /* setting a mask bit that any mdev uses is EBUSY (6.19) */
	FEATURE_MODULE = 1 << 4,       /* our kernel module exports attach state */
	N_KERNEL_FEATURES = 5,
};

enum kernel_hazard {
	HAZARD_MATRIX_OVERRUN = 1 << 0, /* reading matrix with 512 or more queues overruns a page */
	HAZARD_UNATTACHED_CONFIG = 1
		<< 1,                 /* AP configuration change with an unattached mdev: oops */
	HAZARD_REFUSED_OPEN = 1 << 2, /* a refused second open harms the first attachment */
	N_KERNEL_HAZARDS = 3,
};

/* Queues an mdev may have where HAZARD_MATRIX_OVERRUN exists: 511 lines of 8 bytes fit a page. */
#define MATRIX_SAFE_QUEUES 511u

/* Names of single flags: "ap_config", "guest_matrix", "driver_override", "strict_masks", "module";
 * "matrix-overrun", "unattached-config-change", "refused-open".  NULL for anything else. */
const char *kernel_feature_name(unsigned flag);
const char *kernel_hazard_name(unsigned flag);

/* One sentence for people about a hazard. */
const char *kernel_hazard_text(unsigned flag);

struct observed {
	bool complete;          /* false forbids every step that removes something */
	char incomplete[160];   /* why not, naming the file; "" where complete */
	bool has_ap_bus;        /* /sys/bus/ap */
	bool has_matrix_device; /* /sys/devices/vfio_ap/matrix with its mdev type */
	char release[65];       /* of the kernel, utsname */
	uint32_t features, hazards;
	unsigned max_adapter, max_domain; /* highest ids, 255 with APXA */
	struct mask apmask, aqmask;
	struct mask host_adapters; /* in the host's AP configuration (QCI) */
	struct mask host_domains;  /* usage domains */
	struct mask host_control_domains;
	struct mask cards; /* cards that exist */
	struct observed_card card[MASK_BITS];
	struct queues present;        /* queue devices that exist */
	struct queues vfio;           /* bound to vfio_ap */
	struct queues host;           /* bound to another driver */
	struct queues in_use;         /* status says "in use" */
	struct queues override;       /* driver_override is vfio_ap */
	struct queues override_other; /* driver_override is another name */
	struct observed_mdev *mdevs;  /* sorted by UUID, owned */
	size_t n_mdevs;
};

enum queue_owner { QUEUE_GONE, QUEUE_HOST, QUEUE_VFIO, QUEUE_UNBOUND };
DECLARE_STRTAB(queue_owner, enum queue_owner); /* "gone", "host", "vfio", "unbound" */

struct observed *observed_new(void); /* nothing seen, not complete; NULL: out of memory */
void observed_free(struct observed *o);
DEFINE_CLEANUP(struct observed, observed_free)

/* Adds an mdev (uuid lower case) in its place of the order, zeroed, vfio_group -1.
 * Returns it, valid until the next call, or NULL: out of memory. */
struct observed_mdev *observed_add_mdev(struct observed *o, const char *uuid);

/* NULL: no such mdev. */
struct observed_mdev *observed_find_mdev(const struct observed *o, const char *uuid);

/* Who drives a queue now: gone (no device), vfio, host, unbound. */
enum queue_owner observed_owner(const struct observed *o, unsigned adapter, unsigned domain);

/* True if the masks and overrides leave the queue, present or not, to vfio_ap
 * (ap_owned_by_def_drv() in ap_bus.c says no). */
bool observed_reserved_for_vfio(const struct observed *o, unsigned adapter, unsigned domain);

bool observed_equal(const struct observed *a, const struct observed *b);

/* The flat form, for handing over between processes: a new buffer, or -ENOMEM; and back:
 * 0, -EBADMSG (not what observed_pack() made), -ENOMEM. */
int observed_pack(const struct observed *o, void **ret, size_t *ret_size);
int observed_unpack(const void *data, size_t size, struct observed **ret);
