/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Processes that hold matrices as a virtual machine does: kvmattach, one for each process id that
 * a script names.  The id is a name here; the real process has another.  0 is a process without a
 * virtual machine.
 */
#include <stdint.h>
#include <sys/types.h>

/* Each returns 0 or a negative errno: what the kernel said, or -ENOTCONN and -ESRCH where the
 * script names an attachment or a process that is none. */
int holder_attach(uint32_t id, const char *uuid);
int holder_detach(const char *uuid);
int holder_kill(uint32_t id);
void holder_kill_all(void);
