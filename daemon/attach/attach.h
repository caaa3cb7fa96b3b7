/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Who has which mediated device open, where our kernel module does not tell: from the processes'
 * open files.  It reads /proc only; what sysfs tells (the module's attributes, queue status,
 * group numbers) is in the observation already.
 */
#include "core/observed.h"

/*
 * Completes the attach state of every mdev of @o, the best source first:
 *   module   stays as it is
 *   fdinfo   an open device names the mdev in /proc/PID/fdinfo (6.18 and later): attached
 *   proc     somebody has /dev/vfio/N or /dev/vfio/devices/vfioN open: taken for attached, though
 *            it may be a moment before or after
 *   status   a queue's status said "in use": attached, by an unknown process
 * Of several processes that one counts that has a virtual machine (KVM), too.  An mdev that nobody
 * has open is detached if a queue's status says so, or all processes could be looked at; if some
 * could not (no /proc, no permission), it stays unknown.  The kernel's word, by module, fdinfo or
 * status, is certain; what is concluded from open nodes is likely.
 * vm_name is what systemd-machined calls the virtual machine, else the process's name.
 *
 * @root: the directory below which proc/ lies.  The cost is a listing of every process's open
 * files and a readlink for each of them (hundreds of milliseconds on a large host), and nothing
 * where the module tells all.
 *
 * Returns 0 or -ENOMEM.
 */
int attach_scan(int root, struct observed *o);
