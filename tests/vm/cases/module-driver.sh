#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: fast
# kernels: 5.10 5.10-debug 6.1 6.12 6.12-debug 7.2
# vfio_ap goes and comes while the module is loaded, and the module before vfio_ap.  Neither holds the other.
# shellcheck source=tests/vm/guest/lib.sh
. /bench/lib.sh
# shellcheck source=tests/vm/guest/module.sh
. /bench/module.sh

used_by() { awk -v m="$1" '$1 == m {print $3}' /proc/modules; }

modprobe apmatrix || fail "apmatrix does not load"
uev_start
ka_start 0
ka_says 0 ok vm 0
seq=0
for round in 1 2 3; do
	echo "round $round"
	same "users of vfio_ap" "$(used_by vfio_ap)" 0
	writes $TYPE/create $A
	module_shows $A 0 0 0 0
	ka_says 0 ok attach 0 $A
	module_shows $A 1 "$(ka_pid 0)" 1 $((seq + 1))
	rmmod vfio_ap 2>/dev/null && fail "vfio_ap was unloaded although it is attached"
	ka_says 0 ok detach $A
	module_event $A detach $((seq + 2)) "$(ka_pid 0)" kvmattach 0
	seq=$((seq + 2))
	rmmod vfio_ap || fail "vfio_ap does not unload"
	absent $MATRIX || fail "the matrix device has stayed"
	if [ $round = 2 ]; then
		echo "without vfio_ap the module unloads and loads as well"
		rmmod apmatrix || fail "apmatrix does not unload"
		modprobe apmatrix || fail "apmatrix does not load without vfio_ap"
		seq=0
	fi
	modprobe vfio_ap || fail "vfio_ap does not load again"
done
rmmod apmatrix || fail "apmatrix does not unload"
writes $TYPE/create $A
ka_says 0 ok attach 0 $A
ka_says 0 ok detach $A
same "number of events" "$(module_events)" 6
kernel_is_calm
