#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: fast
# kernels: 5.10 5.10-debug 6.1 6.12 6.12-debug 7.2
# What was open before the module came: known, with its pid, but not since when, and no news.  The same after a reload.
# shellcheck source=tests/vm/guest/lib.sh
. /bench/lib.sh
# shellcheck source=tests/vm/guest/module.sh
. /bench/module.sh

writes $TYPE/create $A
writes $TYPE/create $B
writes $TYPE/create $C
for n in 0 1; do
	ka_start $n
	ka_says $n ok vm 0
done
ka_says 0 ok attach 0 $A
ka_says 1 ok attach 0 $B
uev_start
# refused by the notifier, which leaves the first one whole: the module finds it by its hook
! by_notifier || ka_says 0 ok attach 0 $C

modprobe apmatrix || fail "apmatrix does not load"
module_shows $A 1 "$(ka_pid 0)" 1 0
module_shows $B 1 "$(ka_pid 1)" 1 0
module_shows $C 0 0 0 0
shows $MDEV/$A/apmatrix/attached_since 0
! by_notifier || ka_says 0 ok detach $C

echo "its detach is news"
ka_says 0 ok detach $A
module_shows $A 0 0 1 1
module_event $A detach 1 "$(ka_pid 0)" kvmattach 0
same "events so far" "$(module_events)" 1

echo "unloaded while attached, and loaded again: counted anew, the sequence too"
rmmod apmatrix || fail "apmatrix does not unload"
absent $MDEV/$B/apmatrix || fail "the attributes have stayed"
ka_says 0 ok attach 0 $A
modprobe apmatrix || fail "apmatrix does not load again"
module_shows $A 1 "$(ka_pid 0)" 1 0
module_shows $B 1 "$(ka_pid 1)" 1 0
shows $MDEV/$A/apmatrix/attached_since 0
ka_says 1 ok detach $B
module_event $B detach 1 "$(ka_pid 1)" kvmattach 0
ka_says 1 ok attach 0 $C
module_shows $C 1 "$(ka_pid 1)" 1 2
module_since $C
module_event $C attach 2 "$(ka_pid 1)" kvmattach 0
same "events at the end" "$(module_events)" 3
kernel_is_calm
