/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A pager behind standard output, as systemctl has it: only where the output is a terminal.
 */
#include <sys/types.h>

/* Starts $APMATRIX_PAGER, $PAGER or less and makes standard output its input.  Returns its PID, 0
 * where there is none to start ("" or "cat", or the output is no terminal). */
pid_t pager_start(void);

/* Ends standard output and waits until the user has left the pager. */
void pager_finish(pid_t pid);
