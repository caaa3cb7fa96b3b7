#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: fast
# kernels: 5.10 5.10-debug 6.1 6.12 6.12-debug 7.2
# attach, attach-failed and detach: the uevent with all its properties, the attributes at once, and a poll that wakes up.
# shellcheck source=tests/vm/guest/lib.sh
. /bench/lib.sh
# shellcheck source=tests/vm/guest/module.sh
. /bench/module.sh

modprobe apmatrix || fail "apmatrix does not load"
uev_start
writes $TYPE/create $A
writes $TYPE/create $B
module_shows $A 0 0 0 0
shows $MDEV/$A/apmatrix/attached_since 0
ka_start 0
ka_says 0 ok vm 0
pid=$(ka_pid 0)

echo "attach: known when the call returns, the uevent says who, a poll wakes up"
/bench/pollattr $MDEV/$A/apmatrix/attached >/run/poll &
poll=$!
waits_for "pollattr" grep -q waiting /run/poll
ka_says 0 ok attach 0 $A
module_shows $A 1 "$pid" 1 1
module_since $A
wait $poll || fail "nobody was told that attached changed"
same "attached after the poll" "$(tail -n 1 /run/poll)" 1
module_event $A attach 1 "$pid" kvmattach 0

echo "a second matrix for the same virtual machine: refused, and told with the machine's pid"
if by_notifier; then
	ka_says 0 ok attach 0 $B # nobody else is told
else
	ka_says 0 EPERM attach 0 $B
fi
module_shows $B 0 0 0 2
shows $MDEV/$B/apmatrix/attached_since 0
module_event $B attach-failed 2 "$pid" kvmattach -1
module_shows $A 1 "$pid" 1 1
! by_notifier || ka_says 0 ok detach $B
module_shows $B 0 0 0 2

echo "a second opener of the same matrix does not reach the driver: no event"
ka_start 1
ka_says 1 ok vm 0
ka_says 1 EBUSY attach 0 $A

seq=3
if by_notifier; then
	echo "without a KVM: that is no attach; when it is told of one, that is"
	ka_says 1 ok nokvm $B
	module_shows $B 0 0 0 2
	ka_says 1 ok join 0 $B
	module_shows $B 1 "$(ka_pid 1)" 1 3
	module_event $B attach 3 "$(ka_pid 1)" kvmattach 0
	echo "and told of its end, it is detached before it is closed; without a KVM the close is no news"
	ka_says 1 ok leave $B
	module_shows $B 0 0 1 4
	module_event $B detach 4 "$(ka_pid 1)" kvmattach 0
	ka_says 1 ok detach $B
	module_shows $B 0 0 1 4
	seq=4
else
	echo "without a KVM: refused, and there is no machine to name"
	ka_says 1 EINVAL nokvm $B
	module_shows $B 0 0 0 3
	module_event $B attach-failed 3 0 kvmattach -22
fi

echo "the other virtual machine gets the other matrix"
ka_says 1 ok vm 1
ka_says 1 ok attach 1 $B
module_shows $B 1 "$(ka_pid 1)" $((seq - 2)) $((seq + 1))
module_event $B attach $((seq + 1)) "$(ka_pid 1)" kvmattach 0

echo "detach, and once more"
ka_says 0 ok detach $A
module_shows $A 0 0 1 $((seq + 2))
shows $MDEV/$A/apmatrix/attached_since 0
module_event $A detach $((seq + 2)) "$pid" kvmattach 0
ka_says 0 ok attach 0 $A
ka_says 0 ok detach $A
module_shows $A 0 0 2 $((seq + 4))
module_event $A detach $((seq + 4)) "$pid" kvmattach 0

if [ -e /dev/iommu ]; then
	echo "by the device node and iommufd"
	ka_says 0 ok cdev 0 $A
	module_shows $A 1 "$pid" 3 $((seq + 5))
	module_event $A attach $((seq + 5)) "$pid" kvmattach 0
	ka_says 1 EINVAL cdev 1 $A # vfio_df_open(): nobody shares a device node's device
	ka_says 0 ok detach $A
	module_shows $A 0 0 3 $((seq + 6))
	module_event $A detach $((seq + 6)) "$pid" kvmattach 0
else
	echo "this kernel has no iommufd: see module-cdev for the device node's way"
fi
same "number of events" "$(module_events)" "$(cat $MDEV/$A/apmatrix/attach_seq)"
kernel_is_calm
