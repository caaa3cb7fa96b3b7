# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: fast
# kernels: 5.10 6.1 6.12 7.2
#
# A virtual machine opens a matrix and closes it; what the driver shows of it, and what it says by uevents: nothing.
. /bench/lib.sh
# what the driver shows of a guest, where it shows anything; before 6.0 only its EBUSY tells that there is one
guest_matrix() { by_notifier || shows $MDEV/$A/guest_matrix "$1"; }
is_status() {
	if ! by_notifier; then
		file_shows $AP/devices/05.0004/status "$1"
	elif [ "$1" = "in use" ]; then
		[ "$(/bench/w $MDEV/$A/assign_domain 4)" = EBUSY ]
	else
		[ "$(/bench/w $MDEV/$A/assign_domain 4)" = ok ]
	fi
}

writes $AP/apmask -5,-1
uev_start
writes $TYPE/create $A
uev_has " add@/devices/vfio_ap/matrix/$A .*SUBSYSTEM=mdev"
uev_has " bind@/devices/vfio_ap/matrix/$A .*DRIVER=$(mdev_driver)"
writes $MDEV/$A/assign_adapter 5
writes $MDEV/$A/assign_domain 4
writes $MDEV/$A/assign_domain 6
shows $MDEV/$A/matrix "05.0004|05.0006"
guest_matrix "05.0004|05.0006"
is_status assigned || fail "it is not assigned only"
by_notifier || shows $AP/devices/05.0005/status unassigned
ka_start 0
ka_says 0 ok vm 0
uev_has "/devices/virtual/misc/kvm .*EVENT=create .*PID=$(ka_pid 0)"
uev_forget
ka_says 0 ok attach 0 $A
is_status "in use" || fail "it is not in use"
ka_says 0 ok reset $A
ka_says 0 ok detach $A
is_status assigned || fail "it is not assigned only"
uev_none "mdev|$A"

echo "kill -9 detaches at once"
ka_says 0 ok attach 0 $A
is_status "in use" || fail "it is not in use"
kill -9 "$(ka_pid 0)"
wait "$(ka_pid 0)" 2>/dev/null
waits_for "the detach" is_status assigned

echo "an adapter leaves and returns, under a virtual machine"
ka_start 1
ka_says 1 ok vm 0
writes $MDEV/$A/assign_adapter 1
ka_says 1 ok attach 0 $A
sim present 5 0
shows $MDEV/$A/matrix "01.0004|01.0006|05.0004|05.0006"
guest_matrix "01.0004|01.0006"
sim present 5 1
guest_matrix "01.0004|01.0006|05.0004|05.0006"
is_status "in use" || fail "it is not in use"

echo "remove waits for the detach, and the attributes do not"
echo 1 >$MDEV/$A/remove &
remover=$!
waits_for "the attributes to go" absent $MDEV/$A/matrix
[ -d /proc/$remover ] || fail "remove of an attached matrix came back"
ka_says 1 ok detach $A
wait $remover || fail "remove failed"
waits_for "the mdev to go" absent $MDEV/$A
uev_has " remove@/devices/vfio_ap/matrix/$A .*SUBSYSTEM=mdev"
