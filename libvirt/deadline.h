/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * One clock for the whole program: libvirt waits for the hook without a limit of its own, and a
 * guest with it.  Whatever the program is at when the time is over, it says what it was waiting
 * for and ends.
 */

/* From now on @seconds; then the program ends with @status. */
void deadline_arm(unsigned seconds, int status);

/* What is to be said then, one line without its end; NULL (at first): nothing.  Must outlive
 * the program's every step, as a string constant does. */
void deadline_say(const char *sentence);
