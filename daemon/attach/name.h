/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What a virtual machine is called, by its process.  Internal to attach/.
 */
#include "core/observed.h"

/* The name under which systemd-machined has it (libvirt's "qemu-1-" before the domain's is left
 * out), else the process's; @name is untouched where there is neither.  Reads below @root. */
void attach_read_name(int root, unsigned pid, char name[static VM_NAME_SIZE]);
