# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: fast
# kernels: 6.1 6.12 7.2
#
# A virtual machine opens a matrix and closes it; what the driver shows of it, and what it says by uevents: nothing.
. /bench/lib.sh
writes $AP/apmask -5,-1
uev_start
writes $TYPE/create $A
uev_has " add@/devices/vfio_ap/matrix/$A .*SUBSYSTEM=mdev"
uev_has " bind@/devices/vfio_ap/matrix/$A .*DRIVER=vfio_ap_mdev"
writes $MDEV/$A/assign_adapter 5
writes $MDEV/$A/assign_domain 4
writes $MDEV/$A/assign_domain 6
shows $MDEV/$A/matrix "05.0004|05.0006"
shows $MDEV/$A/guest_matrix "05.0004|05.0006"
shows $AP/devices/05.0004/status assigned
shows $AP/devices/05.0005/status unassigned
ka_start 0
ka_says 0 ok vm 0
uev_has "/devices/virtual/misc/kvm .*EVENT=create .*PID=$(ka_pid 0)"
uev_forget
ka_says 0 ok attach 0 $A
shows $AP/devices/05.0004/status "in use"
ka_says 0 ok reset $A
ka_says 0 ok detach $A
shows $AP/devices/05.0004/status assigned
uev_none "mdev|$A"

echo "kill -9 detaches at once"
ka_says 0 ok attach 0 $A
shows $AP/devices/05.0004/status "in use"
kill -9 "$(ka_pid 0)"
wait "$(ka_pid 0)" 2>/dev/null
waits_for "the detach" file_shows $AP/devices/05.0004/status assigned

echo "an adapter leaves and returns, under a virtual machine"
ka_start 1
ka_says 1 ok vm 0
writes $MDEV/$A/assign_adapter 1
ka_says 1 ok attach 0 $A
sim present 5 0
shows $MDEV/$A/matrix "01.0004|01.0006|05.0004|05.0006"
shows $MDEV/$A/guest_matrix "01.0004|01.0006"
sim present 5 1
shows $MDEV/$A/guest_matrix "01.0004|01.0006|05.0004|05.0006"
shows $AP/devices/05.0004/status "in use"

echo "remove waits for the detach, and the attributes do not"
echo 1 >$MDEV/$A/remove &
remover=$!
waits_for "the attributes to go" absent $MDEV/$A/matrix
[ -d /proc/$remover ] || fail "remove of an attached matrix came back"
ka_says 1 ok detach $A
wait $remover || fail "remove failed"
waits_for "the mdev to go" absent $MDEV/$A
uev_has " remove@/devices/vfio_ap/matrix/$A .*SUBSYSTEM=mdev"
