#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: fast
# kernels: 5.10 5.10-debug 6.1 6.12 6.12-debug 7.2
# Ends that nobody announced: the virtual machine is killed, or closed before the device; the matrix is removed under it.
# shellcheck source=tests/vm/guest/lib.sh
. /bench/lib.sh
# shellcheck source=tests/vm/guest/module.sh
. /bench/module.sh

modprobe apmatrix || fail "apmatrix does not load"
writes $TYPE/create $A
writes $TYPE/create $B
uev_start

echo "kill -9"
ka_start 0
ka_says 0 ok vm 0
ka_says 0 ok attach 0 $A
kill -9 "$(ka_pid 0)"
module_event $A detach 2 "$(ka_pid 0)" kvmattach 0
module_shows $A 0 0 1 2

ka_start 1
# 6.1: vfio_ap has the last reference and ends the virtual machine while VFIO holds the group's lock, for which KVM's VFIO
# device then asks: the process hangs for ever, with the module or without it.  5.10: vfio_ap holds its own lock then, and KVM
# asks for that of the group's notifier.  That can end the same way but rarely does; lockdep knows, and looks no further.
first=vm
case $(uname -r) in
6.1.*) first=device ;;
5.10.*) [ ! -e /proc/lockdep ] || first=device ;;
esac
ka_says 1 ok vm 0
ka_says 1 ok attach 0 $A
if [ $first = vm ]; then
	echo "the virtual machine is closed before the device: attached until the device is"
	ka_says 1 ok vmclose 0
	module_shows $A 1 "$(ka_pid 1)" 2 3
	ka_says 1 ok detach $A
else
	echo "the device is closed before the virtual machine: the other way round this kernel may deadlock (KERNELS.md)"
	ka_says 1 ok detach $A
	ka_says 1 ok vmclose 0
fi
module_event $A detach 4 "$(ka_pid 1)" kvmattach 0
module_shows $A 0 0 2 4

echo "removed while attached: the attributes stay as long as the matrix does, and detach is told before its end"
ka_says 1 ok vm 1
ka_says 1 ok attach 1 $B
echo 1 >$MATRIX/$B/remove &
remover=$!
waits_for "the removal to begin" absent $MATRIX/$B/assign_adapter
shows $MATRIX/$B/apmatrix/attached 1
shows $MATRIX/$B/apmatrix/vm_pid "$(ka_pid 1)"
ka_says 1 ok detach $B
wait $remover
waits_for "the matrix to be gone" absent $MATRIX/$B
module_event_at_end $B detach 6 "$(ka_pid 1)" kvmattach 0
uev_has "remove@/devices/vfio_ap/matrix/$B ACTION"
same "the order" "$(grep -E "(APMATRIX_EVENT=detach|ACTION=unbind|ACTION=remove .*SUBSYSTEM=mdev)" /run/uevents |
	grep "matrix/$B " | sed -E 's/^[^ ]* ([a-z]*)@.*/\1/' | tr '\n' ' ')" "change unbind remove "

echo "a matrix whose removal waits when the module comes is not begun any more; one that is unbound neither"
writes $TYPE/create $B
writes $TYPE/create $C
ka_says 1 ok attach 1 $B
module_event $B attach 7 "$(ka_pid 1)" kvmattach 0
echo 1 >$MATRIX/$B/remove &
remover=$!
waits_for "the removal to begin" absent $MATRIX/$B/assign_adapter
echo $C >"/sys/bus/mdev/drivers/$(mdev_driver)/unbind" || fail "unbind"
module_shows $C 0 0 0 0
rmmod apmatrix || fail "apmatrix does not unload while a removal waits"
modprobe apmatrix || fail "apmatrix does not load while a removal waits"
module_shows $A 0 0 0 0
absent $MATRIX/$B/apmatrix || fail "B is watched although it is on its way out"
absent $MATRIX/$C/apmatrix || fail "C is watched although it has no driver"
ka_says 1 ok detach $B
wait $remover
writes $MATRIX/$C/remove 1
waits_for "the matrices to be gone" absent $MATRIX/$C
same "number of events" "$(module_events)" 7
kernel_is_calm
