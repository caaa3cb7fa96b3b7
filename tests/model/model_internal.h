/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The model's state and what its files offer each other.  Bitmaps by queue carry everything that
 * is asked for often, so that a write costs no more than the adapters that it touches.
 */
#include <stdio.h>

#include "core/matrix.h"
#include "model.h"
#include "util/cleanup.h"

#define UUID_TEXT 37u
#define N_BUCKETS 4096u
#define MDEV_MAX 65536u
#define COMM_SIZE 16u

enum ap_driver { DRIVER_NONE, DRIVER_CEX4, DRIVER_VFIO_AP };

enum adapter_mode { MODE_ACCELERATOR, MODE_CCA, MODE_EP11 };

/* An adapter as the machine has it; the card device below shows what the last scan found. */
struct adapter {
	bool known;   /* the hardware description has it */
	bool present; /* in the host's AP configuration */
	bool config;
	bool chkstop;
	uint8_t hwtype;
	enum adapter_mode mode;
};

struct card {
	bool config;
	bool chkstop;
	bool online;
};

struct vm {
	uint32_t pid;
	char comm[COMM_SIZE];
	struct mdev *mdev; /* NULL: none attached */
};

struct mdev {
	char uuid[UUID_TEXT];
	uint32_t slot;
	int group;
	struct matrix matrix; /* assigned */
	struct matrix shadow; /* what the guest has or would have: shadow_apcb */
	struct matrix added;  /* during a scan: what the configuration gained (apm_add, ...) */
	struct matrix guard;  /* shadow when the last write ended, if attached */
	bool open;            /* by a process; since 6.1 the same as attached */
	bool attached;
	bool removing;   /* a writer of remove waits for the detach */
	uint32_t pid;    /* of the virtual machine that has it */
	uint32_t opener; /* of whoever has it open */
	/* our module's group apmatrix/ */
	uint64_t attach_count, attach_seq, attached_since;
	uint32_t module_pid;
	bool module_attached;
	struct mdev *next; /* in the bucket */
};

struct fault {
	char *glob;
	bool write;
	struct model_fault fault;
	unsigned left;
	bool endless;
};

struct model {
	enum model_profile profile;
	char release[65];
	uint64_t now;
	bool has_ap, has_vfio_ap, module;

	/* the machine */
	unsigned max_adapter, max_domain;
	struct adapter adapter[MASK_BITS];
	struct mask domains, control_domains;

	/* the AP bus */
	struct matrix qci; /* the host's AP configuration as of the last scan */
	struct mask apmask, aqmask;
	bool masks_in_use;    /* ap_apmask_aqmask_in_use */
	unsigned n_overrides; /* ap_driver_override_ctr */
	struct mask cards;    /* card devices */
	struct card card[MASK_BITS];
	struct queues present;  /* queue devices */
	struct queues host;     /* bound to cex4queue */
	struct queues vfio;     /* bound to vfio_ap */
	struct queues override; /* have a driver_override */
	struct queues override_vfio;
	struct queues offline;
	char **override_name; /* by APQN, lazily */
	uint64_t scans, complete_count;
	bool bindings_armed;
	unsigned config_time;
	int ap_domain;

	/* vfio_ap */
	struct mdev **mdevs; /* by slot, with holes */
	size_t n_slots, n_mdevs;
	struct mdev *bucket[N_BUCKETS];
	uint64_t group_used[MDEV_MAX / 64];
	struct queues assigned; /* to any mdev */
	uint32_t *owner;        /* by APQN: slot + 1, 0 none */

	struct vm **vms;
	size_t n_vms;
	unsigned kvm_created;
	uint64_t attach_seq;

	model_event_fn event;
	void *event_userdata;

	struct fault *faults;
	unsigned fault_clears;
	size_t n_faults;
	struct model_log_entry *log;
	size_t n_log;

	bool checks;
	bool clean;                /* the last check found nothing */
	const struct mdev *writer; /* whose attribute is being written */
	char violation[256];       /* the first, sticky */
	char fatal[256];
	unsigned hazard_unattached_config, hazard_refused_open;
};

#define APQN(adapter, domain) ((adapter) << 8 | (domain))

/* Until then (5.10) vfio_ap learned of a KVM by a notifier, and a guest's matrix was fixed. */
static inline bool since_6_1(const struct model *m)
{
	return m->profile >= PROFILE_6_1;
}

static inline bool since_6_12(const struct model *m)
{
	return m->profile >= PROFILE_6_12;
}

static inline bool since_7_2(const struct model *m)
{
	return m->profile >= PROFILE_7_2;
}

/* model_text.c: numbers and masks as the kernel reads them; 0, -EINVAL, -ERANGE */
int text_number(const char *text, unsigned long *ret);
int text_mask(const char *text, struct mask *ret);
int text_mask_update(const char *text, struct mask *m);
int text_ap_config(const char *text, size_t size, struct matrix *ret);
int text_uuid(const char *text, size_t size, char ret[static UUID_TEXT]);
bool text_queue(const char *text, unsigned *ret_adapter, unsigned *ret_domain);

/* model_hardware.c */
int hardware_parse(struct model *m, const char *text, char **ret_error);

/* model_ap.c */
int ap_store_mask(struct model *m, bool adapters, const char *text);
bool ap_matrix_owned_by_host(const struct model *m, const struct matrix *matrix);
enum ap_driver ap_driver_of(const struct model *m, unsigned adapter, unsigned domain);
int ap_bind(struct model *m, enum ap_driver driver, unsigned adapter, unsigned domain);
void ap_unbind(struct model *m, unsigned adapter, unsigned domain);
void ap_attach_driver(struct model *m, unsigned adapter, unsigned domain);
int ap_store_override(struct model *m, unsigned adapter, unsigned domain, const char *text);
void ap_count_bindings(const struct model *m, unsigned *ret_bound, unsigned *ret_all);
void ap_check_bindings(struct model *m);
const char *ap_driver_name(enum ap_driver driver); /* of queues; NULL for DRIVER_NONE */
const char *adapter_mode_name(enum adapter_mode mode);

/* model_scan.c */
void scan_bus(struct model *m);

/* model_mdev.c */
enum mdev_part { PART_ADAPTER, PART_DOMAIN, PART_CONTROL_DOMAIN };

const char *mdev_driver(const struct model *m);
struct mdev *mdev_find(const struct model *m, const char *uuid);
struct mdev *mdev_of_queue(const struct model *m, unsigned adapter, unsigned domain);
int mdev_create(struct model *m, const char *text, size_t size);
int mdev_store_remove(struct model *m, struct mdev *d, const char *text);
void mdev_destroy(struct model *m, struct mdev *d);
int mdev_assign(struct model *m, struct mdev *d, enum mdev_part part, const char *text);
int mdev_unassign(struct model *m, struct mdev *d, enum mdev_part part, const char *text);
int mdev_store_ap_config(struct model *m, struct mdev *d, const char *text, size_t size);
void mdev_filter(struct model *m, struct mdev *d);
void mdev_filter_control_domains(struct model *m, struct mdev *d);
void mdev_queue_probed(struct model *m, unsigned adapter, unsigned domain);
void mdev_queue_removed(struct model *m, unsigned adapter, unsigned domain);
void mdev_config_changed(struct model *m, const struct matrix *now);
void mdev_scan_complete(struct model *m);

/* The body may free @d.  "break" ends the body, not the loop. */
#define MDEV_FOREACH(m, d)                                    \
	for (size_t _slot = 0; _slot < (m)->n_slots; _slot++) \
		for (struct mdev *d = (m)->mdevs[_slot]; d; d = NULL)

/* model_guest.c */
void guest_module_event(struct model *m, struct mdev *d, const char *event, uint32_t pid,
	const char *comm, int result);

/* model_event.c: @properties is a NULL-terminated list of "KEY=value" */
void event_send(struct model *m, const char *action, const char *subsystem,
	const char *const *properties, const char *devpath, ...) _printf_(5, 6);
void event_card(struct model *m, const char *action, unsigned adapter, const char *extra);
void event_queue(
	struct model *m, const char *action, unsigned adapter, unsigned domain, const char *extra);
void event_module(struct model *m, const char *name, bool on);
void event_matrix_device(struct model *m, bool on);
void event_mdev(struct model *m, const struct mdev *d, bool added);
void event_kvm(struct model *m, const struct vm *vm, bool created);

/* model_check.c */
void check_after(struct model *m, bool control);
void check_fatal(struct model *m, const char *format, ...) _printf_(2, 3);

/* model_tree.c and model_attr.c: the tree by path.  An object is what a directory stands for. */
struct object {
	unsigned adapter, domain;
	struct mdev *mdev;
};

struct entry;
struct node;

struct dir {
	const struct entry *entries;
	size_t n_entries;
	/* Children that come and go.  find: 0 or -ENOENT.  list: calls @each for every one. */
	int (*find)(struct model *m, const struct object *o, const char *name, struct node *ret);
	void (*list)(struct model *m, const struct object *o, model_list_fn each, void *userdata);
};

#define LINK_SIZE 160u

struct entry {
	const char *name;
	mode_t mode; /* type and permissions */
	const struct dir *dir;
	/* Files: the text.  Returns 0 or a negative errno. */
	int (*show)(struct model *m, const struct object *o, FILE *out);
	int (*store)(struct model *m, const struct object *o, const char *text, size_t size);
	/* Links: the target's path below /sys. */
	void (*link)(const struct model *m, const struct object *o, char buf[static LINK_SIZE]);
	bool (*exists)(const struct model *m, const struct object *o); /* NULL: always */
};

#define DIR_ENTRY(n, d, ...)                                                   \
	{                                                                      \
		.name = (n), .mode = S_IFDIR | 0755, .dir = (d), ##__VA_ARGS__ \
	}
#define LINK_ENTRY(n, l, ...)                                                   \
	{                                                                       \
		.name = (n), .mode = S_IFLNK | 0777, .link = (l), ##__VA_ARGS__ \
	}
#define RO_ENTRY(n, s, ...)                                                     \
	{                                                                       \
		.name = (n), .mode = S_IFREG | 0444, .show = (s), ##__VA_ARGS__ \
	}
#define WO_ENTRY(n, s, ...)                                                      \
	{                                                                        \
		.name = (n), .mode = S_IFREG | 0200, .store = (s), ##__VA_ARGS__ \
	}
#define RW_ENTRY(n, r, w, ...)                                                                \
	{                                                                                     \
		.name = (n), .mode = S_IFREG | 0644, .show = (r), .store = (w), ##__VA_ARGS__ \
	}
#define DIR_TABLE(t) .entries = (t), .n_entries = ARRAY_SIZE(t)

struct node {
	mode_t mode;
	const struct dir *dir;     /* directories */
	const struct entry *entry; /* what a table describes */
	struct object object;
	bool fixed;
	char link[LINK_SIZE]; /* links: target below /sys */
};

/* What find() hands out. */
int node_dir(struct node *ret, const struct dir *dir, const struct object *o);
int node_link(struct node *ret, const char *format, ...) _printf_(2, 3);

/* model_attr.c */
extern const struct dir tree_root;
int uevent_store(struct model *m, const char *subsystem, const char *devpath, const char *text);
int text_bool(const char *text); /* as sscanf("%d"): 0, 1 or -EINVAL */
bool entry_ap(const struct model *m, const struct object *o);
bool entry_6_1(const struct model *m, const struct object *o);
bool entry_6_12(const struct model *m, const struct object *o);
bool entry_7_2(const struct model *m, const struct object *o);
bool entry_vfio_ap(const struct model *m, const struct object *o);
bool entry_module(const struct model *m, const struct object *o);

/* model_attr_card.c */
bool text_card(const char *text, unsigned *ret);
void list_queue_names(
	const struct queues *q, unsigned adapter, mode_t mode, model_list_fn each, void *userdata);
void list_card_names(const struct model *m, mode_t mode, model_list_fn each, void *userdata);

/* The tables of model_attr_ap.c, model_attr_card.c, model_attr_mdev.c, model_attr_vfio.c */
extern const struct dir bus_ap_dir, devices_ap_dir;
extern const struct dir bus_mdev_dir, bus_matrix_dir, devices_vfio_ap_dir, mdev_bus_dir;
extern const struct dir class_vfio_dir, class_vfio_dev_dir, virtual_vfio_dir, iommu_groups_dir;
extern const struct dir mdev_vfio_dev_dir;

#define PATH_SIZE 320u

/* Follows links but for a last one; ret_path is the path that it led to (it may be @path). */
int tree_find(struct model *m, const char *path, struct node *ret, char ret_path[static PATH_SIZE]);
