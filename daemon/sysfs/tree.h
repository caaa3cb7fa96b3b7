/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Where everything lies: the one place that spells out the kernel's paths.  All of them are
 * relative to the root directory fd ("sys/...", no leading slash), so that a test's tree is as
 * good as the machine's.  Names only: nothing here opens anything.
 */
#include "core/step.h"

#define TREE_PATH_SIZE 192u

/* The AP bus: masks, limits, listings.  Listings hold links named like the device. */
#define TREE_AP_BUS "sys/bus/ap"
#define TREE_AP_LISTING TREE_AP_BUS "/devices"
#define TREE_AP_DRIVERS TREE_AP_BUS "/drivers"
#define TREE_VFIO_DRIVER "vfio_ap" /* its name below TREE_AP_DRIVERS, and in driver_override */

/* Cards and, below them, queues. */
#define TREE_AP_DEVICES "sys/devices/ap"

/* The parent of all mediated devices, and its one type. */
#define TREE_MATRIX "sys/devices/vfio_ap/matrix"
#define TREE_MDEV_TYPE TREE_MATRIX "/mdev_supported_types/vfio_ap-passthrough"

#define TREE_MODULE "sys/module/apmatrix"
#define TREE_RELEASE "proc/sys/kernel/osrelease"
#define TREE_LOCK_DIR "run/lock"
#define TREE_LOCK TREE_LOCK_DIR "/s390apconfig.lock"

/* "cardAA/@attr" and "cardAA/AA.DDDD/@attr", relative to TREE_AP_DEVICES; "UUID/@attr", relative
 * to TREE_MATRIX.  Each returns @buf. */
const char *tree_card(char buf[static TREE_PATH_SIZE], unsigned adapter, const char *attr);
const char *tree_queue(
	char buf[static TREE_PATH_SIZE], unsigned adapter, unsigned domain, const char *attr);
const char *tree_mdev(char buf[static TREE_PATH_SIZE], const char *uuid, const char *attr);

/* The same from the root. */
const char *tree_queue_path(char buf[static TREE_PATH_SIZE], unsigned apqn, const char *attr);
const char *tree_mdev_path(char buf[static TREE_PATH_SIZE], const char *uuid, const char *attr);

/* The attribute that a step writes to.  Returns @buf. */
const char *tree_step_path(char buf[static TREE_PATH_SIZE], const struct step *step);

/* "proc/PID/comm" */
const char *tree_comm(char buf[static TREE_PATH_SIZE], unsigned pid);

/* Names of the listings: "card05", and "05.00ab" in the AP bus's own digits.  False: another
 * kind of name. */
bool tree_parse_card(const char *name, unsigned *ret_adapter);
bool tree_parse_queue(const char *name, unsigned *ret_adapter, unsigned *ret_domain);
