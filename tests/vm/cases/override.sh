# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: fast
# kernels: 7.2
# cards: 0:8C,1:8C,5:8C
# domains: 4-7
# cdomains: 4-7
# timeout: 600
#
# The daemon splits the pool queue by queue on the real driver: exactly, also what comes later; from masks to
# overrides and back, not under a virtual machine; it clears only what it set; and what the kernel makes of
# an override whose queue goes away.
. /bench/lib.sh

apmatrixd --version || fail "there is no apmatrixd in this guest"
[ -s /etc/machine-id ] || echo 62177883f1bb47f0914d32a22e3a8804 >/etc/machine-id
mkdir -p /etc/apmatrix.d

host() { printf '[Host]\n' >/etc/apmatrix.d/00-host.conf && printf '%s\n' "$@" >>/etc/apmatrix.d/00-host.conf; }
# matrix NAME UUID ADAPTERS DOMAINS
matrix() {
	printf '[Matrix %s]\nUUID=%s\nAdapters=%s\nDomains=%s\n' "$@" >"/etc/apmatrix.d/$1.conf"
}
# reconciles [STATUS]: one reconcile by the daemon, and what it ends with: 0 if all is as configured
reconciles() {
	status=0
	apmatrixd --once --log-level=info >/run/once 2>&1 || status=$?
	[ "$status" = "${1:-0}" ] || { cat /run/once; fail "apmatrixd --once ended with $status"; }
	if [ "$status" = 0 ]; then same "the second plan" "$(apmatrixd --plan)" "nothing to do"; fi
}
driver() { basename "$(readlink "$AP/devices/$1/driver")"; }
# split QUEUE...: exactly these have our override and vfio_ap, all others neither
split() {
	for queue in "$AP"/devices/??.????; do
		queue=$(basename "$queue")
		case " $* " in
		*" $queue "*)
			shows "$AP/devices/$queue/driver_override" vfio_ap
			same "the driver of $queue" "$(driver "$queue")" vfio_ap
			;;
		*)
			shows "$AP/devices/$queue/driver_override" ""
			same "the driver of $queue" "$(driver "$queue")" cex4queue
			;;
		esac
	done
}
full=0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff
untouched() {
	shows $AP/apmask $full
	shows $AP/aqmask $full
}

echo "exactly the queues that are wanted"
host KeepQueues=00.0005
matrix one $A 0,1 4
matrix two $B 5 5,6
reconciles
untouched
split 00.0004 01.0004 05.0005 05.0006
shows $MDEV/$A/matrix "00.0004|01.0004"
shows $MDEV/$A/guest_matrix "00.0004|01.0004"
shows $MDEV/$B/guest_matrix "05.0005|05.0006"

echo "a queue moves, one is given back"
matrix one $A 0 4
matrix two $B 1,5 5
reconciles
split 00.0004 01.0005 05.0005
shows $MDEV/$B/guest_matrix "01.0005|05.0005"

echo "to masks: not under a guest, then through the host"
ka_start 0
ka_says 0 ok vm 0
ka_says 0 ok attach 0 $B
host QueuePool=masks
reconciles
untouched
split 00.0004 01.0005 05.0005
shows $AP/devices/05.0005/status "in use"
ka_says 0 ok detach $B
reconciles
[ "$(cat $AP/apmask),$(cat $AP/aqmask)" != $full,$full ] || fail "the masks are untouched"
for queue in 00.0004 01.0005 05.0005; do
	shows $AP/devices/$queue/driver_override ""
	same "the driver of $queue" "$(driver $queue)" vfio_ap
done
shows $MDEV/$A/guest_matrix "00.0004"
shows $MDEV/$B/guest_matrix "01.0005|05.0005"
writes $AP/devices/05.0007/driver_override vfio_ap EINVAL

echo "and back: not under a guest, then through the host"
host QueuePool=driver-override
ka_says 0 ok attach 0 $B
reconciles
shows $AP/devices/05.0005/status "in use"
shows $AP/devices/05.0005/driver_override ""
ka_says 0 ok detach $B
reconciles
untouched
split 00.0004 01.0005 05.0005
shows $MDEV/$A/guest_matrix "00.0004"
shows $MDEV/$B/guest_matrix "01.0005|05.0005"

echo "an override of a queue in use that somebody cleared is set again, and the guest notices nothing"
ka_says 0 ok attach 0 $B
printf '\n' >$AP/devices/05.0005/driver_override
reconciles
split 00.0004 01.0005 05.0005
shows $AP/devices/05.0005/status "in use"

echo "a queue that comes back under a guest is its guest's again; a new one comes when it is there"
sim present 1 0
shows $MDEV/$B/guest_matrix "05.0005"
matrix three $C 0,1 6
reconciles 1
split 00.0004 05.0005 00.0006
shows $MDEV/$C/matrix "00.0006"
sim present 1 1
same "the driver of 01.0005 at first" "$(driver 01.0005)" cex4queue
reconciles
split 00.0004 01.0005 05.0005 00.0006 01.0006
shows $MDEV/$B/guest_matrix "01.0005|05.0005"
shows $MDEV/$C/guest_matrix "00.0006|01.0006"
shows $AP/devices/01.0005/status "in use"

echo "to masks now: the kernel still counts what went away, and all is as before"
host QueuePool=masks
ka_says 0 ok detach $B
reconciles 1
grep -q "apmask\|aqmask" /run/once || { cat /run/once; fail "no mask was tried"; }
untouched
split 00.0004 01.0005 05.0005 00.0006 01.0006
shows $MDEV/$B/guest_matrix "01.0005|05.0005"
writes $AP/apmask -9 EINVAL

echo "nothing is left of ours, and what is somebody else's stays"
writes $AP/devices/05.0007/driver_override vfio_ap
host QueuePool=driver-override
rm /etc/apmatrix.d/one.conf /etc/apmatrix.d/two.conf /etc/apmatrix.d/three.conf
reconciles
absent $MDEV/$A || fail "the device of one is still there"
shows $AP/devices/05.0007/driver_override vfio_ap
writes $AP/devices/05.0007/driver_override "
"
split
echo "held"
