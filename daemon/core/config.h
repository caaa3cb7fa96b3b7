/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What the administrator wants: the drop-ins' settings, typed and merged, each with the file and
 * line that it came from.  Reading files is load/'s work; here their assignments become a config.
 *
 * Merge rules (as systemd does it): fragments come in order of their base names; a later
 * assignment overrides an earlier one; Adapters=, Domains=, ControlDomains= and KeepQueues=
 * append, and an empty value resets what came before.
 */
#include "core/matrix.h"
#include "core/problem.h"

#define UUID_SIZE 37u       /* lower-case text and NUL */
#define MATRIX_NAME_MAX 64u /* bytes: A-Z a-z 0-9 . _ - and no leading . or - */
#define GUEST_NAME_MAX 255u /* bytes: no control characters, no / */
#define CONFIG_MATRICES_MAX 4096u
#define CONFIG_KEEPS_MAX 1024u /* KeepQueues= in force; beyond, kept but told as an error */

enum pool_mode { POOL_AUTO, POOL_MASKS, POOL_DRIVER_OVERRIDE, POOL_EXTERNAL };
enum foreign_mode { FOREIGN_KEEP, FOREIGN_ADOPT, FOREIGN_REMOVE };
enum drift_mode { DRIFT_REPAIR, DRIFT_REPORT };
enum live_change { LIVE_NONE, LIVE_GROW, LIVE_ALL };
enum start_mode { START_BOOT, START_GUEST, START_MANUAL };
DECLARE_STRTAB(pool_mode, enum pool_mode);
DECLARE_STRTAB(foreign_mode, enum foreign_mode);
DECLARE_STRTAB(drift_mode, enum drift_mode);
DECLARE_STRTAB(live_change, enum live_change);
DECLARE_STRTAB(start_mode, enum start_mode);

enum section { SECTION_HOST, SECTION_MATRIX };

enum matrix_key {
	KEY_UUID,
	KEY_ADAPTERS,
	KEY_DOMAINS,
	KEY_CONTROL_DOMAINS,
	KEY_GUEST,
	KEY_START,
	KEY_LIVE_CHANGE,
	N_MATRIX_KEYS,
};
DECLARE_STRTAB(matrix_key, enum matrix_key); /* "UUID", "Adapters", ... as in the drop-ins */

enum host_key {
	KEY_KEEP_QUEUES,
	KEY_QUEUE_POOL,
	KEY_FOREIGN,
	KEY_DRIFT,
	KEY_HOST_LIVE_CHANGE,
	N_HOST_KEYS,
};
DECLARE_STRTAB(host_key, enum host_key);

/* A setting before it is judged: as it would stand in a drop-in. */
struct raw_setting {
	const char *key;   /* "Adapters", ... */
	const char *value; /* "" resets */
};

/* One "Key=value" of a drop-in, or (key == NULL) the header of a section. */
struct assignment {
	enum section section;
	char *name;  /* of the matrix; NULL in [Host] */
	char *key;   /* NULL: only the section's header, so that an empty section is seen */
	char *value; /* NULL with key */
	unsigned line;
};

/* One drop-in, split into assignments but not judged. */
struct fragment {
	char *path; /* as users write it, e.g. "/etc/apmatrix.d/10-db.conf" */
	struct assignment *items;
	size_t n_items;
};

struct fragment *fragment_new(const char *path); /* NULL: out of memory */
int fragment_add(struct fragment *f, enum section section, const char *name, const char *key,
	const char *value, unsigned line); /* copies; 0 or -ENOMEM */
void fragment_free(struct fragment *f);
DEFINE_CLEANUP(struct fragment, fragment_free)

/* Judges every assignment of @f by itself, as if no other file were there, and adds each mistake
 * (unknown key, bad number, reversed range, ...) to @p with the fragment's path and the line.
 * Returns the number of errors found (0: the fragment may be built), or -ENOMEM. */
int fragment_check(const struct fragment *f, struct problems *p);

struct origin {
	const char *file; /* borrowed from the config */
	unsigned line;
};

/* One assignment that is in force, with what a list key contributed by it. */
struct setting {
	enum matrix_key key;
	struct origin origin;
	struct mask bits; /* KEY_ADAPTERS, KEY_DOMAINS, KEY_CONTROL_DOMAINS only */
	bool usage;       /* ControlDomains=usage: bits are the matrix's domains */
};

struct matrix_config {
	char *name;
	char uuid[UUID_SIZE]; /* "" until config_set_uuid() where no drop-in gives one */
	bool uuid_derived;    /* no drop-in gives UUID= */
	struct matrix want;   /* ControlDomains=usage is resolved */
	char *guest;          /* libvirt domain; the matrix's name by default */
	enum start_mode start;
	enum live_change live_change; /* [Host]'s by default */
	struct origin section;        /* the first [Matrix NAME] header */
	struct setting *settings;     /* in force, in order of their lines */
	size_t n_settings;
};

struct keep {
	struct queues queues;
	struct origin origin;
};

struct host_config {
	struct queues keep; /* union of all keeps */
	struct keep *keeps; /* one for every KeepQueues= in force */
	size_t n_keeps;
	enum pool_mode pool;
	enum foreign_mode foreign;
	enum drift_mode drift;
	enum live_change live_change;
	struct origin origin[N_HOST_KEYS]; /* file == NULL: the built-in default */
};

/* The masks that chzdev stored for the next boot: not ours to decide by, but it should agree. */
struct stored_masks {
	struct mask apmask, aqmask;         /* all ones where nothing is stored */
	struct origin apmask_at, aqmask_at; /* file NULL: not stored; static otherwise */
};

struct config {
	struct host_config host;
	struct stored_masks stored;     /* nothing, unless load/ found some (core/stored.h) */
	struct matrix_config *matrices; /* sorted by name */
	size_t n_matrices;
	char **paths; /* of all fragments, owned: what origins point to */
	size_t n_paths;
};

/* Merges fragments that passed fragment_check(), in the order given, into a new config.
 * What only the merge shows (a matrix without adapters, too many matrices) goes to @p.
 * Returns 0 or -ENOMEM (*ret untouched).  The caller owns *ret. */
int config_build(const struct fragment *const *fragments, size_t n_fragments, struct problems *p,
	struct config **ret);
void config_free(struct config *c);
DEFINE_CLEANUP(struct config, config_free)

/* A config without any setting: what holds where there are no drop-ins. NULL: out of memory */
struct config *config_new(void);

/* Gives a matrix without UUID= its derived one (load/ knows the machine-id). */
void config_set_uuid(struct matrix_config *m, const char uuid[static UUID_SIZE]);

/* Adds a problem "duplicate-uuid" for each matrix whose UUID another one has too (both stay).  For
 * the time after config_set_uuid().  Returns 0 or -ENOMEM. */
int config_check_uuids(const struct config *c, struct problems *p);

/* By name (binary search), or by UUID text in any case.  NULL: none. */
const struct matrix_config *config_find(const struct config *c, const char *name);
const struct matrix_config *config_find_uuid(const struct config *c, const char *uuid);

/* The line that set @key last (or first contributed number @bit, for the list keys); the
 * section's header where no line did. */
struct origin matrix_config_origin(const struct matrix_config *m, enum matrix_key key);
struct origin matrix_config_origin_of(
	const struct matrix_config *m, enum matrix_key key, unsigned bit);

/* The KeepQueues= line that keeps the queue; file NULL where none does. */
struct origin host_config_keep_origin(
	const struct host_config *h, unsigned adapter, unsigned domain);

/* True and the lower-case form if @text is a UUID (8-4-4-4-12 hex digits). */
bool uuid_normalize(const char *text, char ret[static UUID_SIZE]);
