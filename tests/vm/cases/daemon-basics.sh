# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: fast
# kernels: 5.10 6.1 6.12 7.2
#
# The installed daemon on the real driver: a drop-in becomes a matrix, a guest has it, it goes with its drop-in.
. /bench/lib.sh
mdev=$MDEV/$A
dropin() {
	printf '[Matrix one]\nUUID=%s\nAdapters=1, 5\nDomains=4, 6\nControlDomains=%s\n' $A "$1" >/etc/apmatrix.d/10-one.conf
	kill -HUP "$daemon_pid"
}
gone() { ! apmatrixctl show one >/dev/null 2>&1; }
host_has() { [ -e "$AP/drivers/cex4queue/$1" ]; }

bus_start
daemon_start
same "mdevs at first" "$(ls $MDEV)" ""

echo "a drop-in makes a matrix"
dropin 4,6
waits_for "the matrix to be active" matrix_has one "State=active"
shows $mdev/matrix "01.0004|01.0006|05.0004|05.0006"
by_notifier || shows $mdev/guest_matrix "01.0004|01.0006|05.0004|05.0006"
shows $mdev/control_domains "0004|0006"
matrix_has one "UUID=$A" || fail "apmatrixctl shows another UUID"
matrix_has one "Attached=no" || fail "apmatrixctl shows a guest"
# the daemon's own list of queues against the driver's
same "its queues by apmatrixctl" "$(apmatrixctl queues | awk '$NF == "one" { print $1 }' | sort | tr '\n' '|')" "$(content $mdev/matrix)|"
matrix_has one "AssignedAdapters=1,5" || fail "apmatrixctl shows other adapters"
if by_notifier; then guest=; else guest=4,6; fi # where the kernel tells
matrix_has one "GuestDomains=$guest" || fail "apmatrixctl shows the guest other domains"

echo "a guest opens it"
ka_start 0
ka_says 0 ok vm 0
ka_says 0 ok attach 0 $A
by_notifier || shows $AP/devices/05.0004/status "in use"
waits_for "the attach to be seen" matrix_has one "Attached=yes"

echo "the guest closes it"
ka_says 0 ok detach $A
waits_for "the detach to be seen" matrix_has one "Attached=no"

echo "its control domains change with the drop-in"
dropin 6
waits_for "the change" file_shows $mdev/control_domains 0006

echo "the drop-in goes, the matrix goes, the queues go back to the host"
rm /etc/apmatrix.d/10-one.conf
kill -HUP "$daemon_pid"
waits_for "the matrix to go" gone
waits_for "the mdev to go" absent $mdev
waits_for "the host to have its queue" host_has 05.0004
daemon_stop
