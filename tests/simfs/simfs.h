/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The model as a mounted /sys.  One thread: a request that the kernel would let wait is kept
 * aside, unanswered, while others go on.
 */
#define FUSE_USE_VERSION 35
#include <fuse3/fuse_lowlevel.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "model.h"

struct handle;
struct inodes;
struct parked;
struct processes;

struct simfs {
	struct model *model;
	struct inodes *inodes;
	struct handle *handles;
	struct parked *parked;
	struct processes *processes;
	int root; /* directory fd of ROOT */
	FILE *log;
	size_t n_logged;
	int uevents; /* netlink socket, or -1 */
	uint64_t seqnum;
};

uint64_t simfs_now(clockid_t clock); /* microseconds */

/* Writes log and /proc: after a change and before its writer hears that it is done. */
void simfs_record(struct simfs *s);

/* After every change: answers those that wait no more. */
void simfs_settle(struct simfs *s);

/* simfs_fs.c */
extern const struct fuse_lowlevel_ops simfs_ops;
struct inodes *inodes_new(void);
void inodes_free(struct inodes *i);
void handles_done(struct simfs *s);

/* simfs_park.c: does a read or write with its faults, now or later. */
void park_write(struct simfs *s, fuse_req_t req, const char *path, const char *text, size_t size);
void park_read(struct simfs *s, fuse_req_t req, const char *path, char **text, size_t *n_text,
	size_t size, off_t offset);
void park_settle(struct simfs *s);
int park_timeout(const struct simfs *s); /* milliseconds for poll(2), -1: none */
void park_abort(struct simfs *s);        /* every waiting request fails with ENODEV */

/* simfs_proc.c: ROOT/proc */
int proc_init(struct simfs *s);
void proc_settle(struct simfs *s);
void proc_done(struct simfs *s); /* the processes end */

/* simfs_uevent.c */
int uevent_open(void);
void uevent_send(void *userdata, const struct model_event *event);
