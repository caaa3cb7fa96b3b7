#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: fast
# kernels: 5.10 6.1 6.12 7.2
# timeout: 300
# The daemon on the real driver: who has which matrix, with the kernel module and without it; what it tells, and what it
# does when a guest detaches.  There is no udev here: the kernel is heard by itself.
# shellcheck source=tests/vm/guest/lib.sh
. /bench/lib.sh

export DBUS_SYSTEM_BUS_ADDRESS=unix:path=/run/bus
kernel=$(uname -r)
[ -x /usr/sbin/apmatrixd ] || fail "this initramfs has no daemon"

start_bus() {
	mkdir -p /etc/dbus-1 /run/dbus
	echo 0123456789abcdef0123456789abcdef >/etc/machine-id
	[ -e /etc/passwd ] || echo "root:x:0:0::/root:/bin/sh" >/etc/passwd
	cat >/etc/dbus-1/test.conf <<-END
		<busconfig><type>system</type><listen>unix:path=/run/bus</listen><auth>EXTERNAL</auth>
		<policy context="default"><allow user="*"/><allow own="*"/><allow eavesdrop="true"/>
		<allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>
	END
	dbus-daemon --config-file=/etc/dbus-1/test.conf --nofork --nopidfile --nosyslog 2>/run/bus.log &
	waits_for "the bus" test -S /run/bus
}

start_daemon() {
	apmatrixd 2>>/run/apmatrixd.log &
	daemon=$!
	waits_for "the daemon" apmatrixctl wait one --state=active,attached,pending --timeout=1
}
stop_daemon() {
	kill "$daemon"
	wait "$daemon" || fail "the daemon ended with $?"
}

# property NAME MATRIX: as apmatrixctl show prints it
property() { apmatrixctl show "$2" | sed -n "s/^$1=//p"; }
is_state() { [ "$(apmatrixctl list | awk -v m="$1" '$1 == m {print $2}')" = "$2" ]; }
awaits() { waits_for "$1 to be $2" is_state "$1" "$2"; }

monitor_start() {
	: >/run/monitor
	apmatrixctl --json=short monitor >/run/monitor &
	monitor=$!
	waits_for "the monitor" monitor_hears
}
# It hears the end of a reconcile that changes something: the ControlDomains of one.
monitor_hears() {
	kill -0 $monitor || return 1
	apmatrixctl update one ControlDomains=$((round = (${round:-0} + 1) % 2)) LiveChange=all >/dev/null
	grep -q ReconcileFinished /run/monitor
}
# What was told of guests: "Attached one 123 4;" ...
told() {
	grep -E '"Event":"Matrix(Attached|Detached|AttachFailed)"' /run/monitor |
		sed -E 's/.*"Event":"Matrix([A-Za-z]*)","Object":"([^"]*)".*"PID":([0-9]*),"Sequence":([0-9]*).*/\1 \2 \3 \4;/' | tr -d '\n'
}
is_told() { [ "$(told)" = "$1" ]; }
tells() {
	left=600
	until is_told "$1"; do
		left=$((left - 1))
		[ $left -gt 0 ] || fail "told is '$(told)', expected '$1'"
		sleep 0.1
	done
}
trap 'sed "s/^/  log: /" /run/apmatrixd.log; sed "s/^/  told: /" /run/monitor; cat /run/bus.log' EXIT

mkdir -p /etc/apmatrix.d
cat >/etc/apmatrix.d/guests.conf <<-END
	[Matrix one]
	UUID=$A
	Adapters=0
	Domains=0

	[Matrix two]
	UUID=$B
	Adapters=1
	Domains=0
END
start_bus

echo "with the module"
modprobe apmatrix || fail "apmatrix does not load"
start_daemon
awaits one active
awaits two active
monitor_start
ka_start 0
ka_says 0 ok vm 0
pid=$(ka_pid 0)
ka_says 0 ok attach 0 $A
awaits one attached
same AttachSource "$(property AttachSource one)" module
same AttachConfidence "$(property AttachConfidence one)" certain
same VMPid "$(property VMPid one)" "$pid"
same VMName "$(property VMName one)" kvmattach

echo "a second matrix for the same virtual machine"
if by_notifier; then
	ka_says 0 ok attach 0 $B # nobody else is told
else
	ka_says 0 EPERM attach 0 $B
fi
tells "Attached one $pid 1;AttachFailed two $pid 2;"
apmatrixctl status | grep -q "was refused two: it has one already" || fail "no problem names the two matrices: $(apmatrixctl status)"
case $kernel in
5.* | 7.*) apmatrixctl status | grep -q "restart the guest" && fail "a harm that this kernel does not do is told" ;;
*) apmatrixctl status | grep -q "restart the guest" || fail "the harm is not told" ;;
esac

! by_notifier || ka_says 0 ok detach $B

if by_notifier; then
	echo "nothing changes under a guest, nor is it tried: the daemon knows, and says so"
	apmatrixctl update one ControlDomains=5 LiveChange=all 2>/run/refused && fail "an update under a guest was taken"
	grep -q "changes nothing under a guest" /run/refused || fail "it is refused by: $(cat /run/refused)"
	writes $MDEV/$A/assign_control_domain 5 EBUSY
fi

echo "detach and attach at once, and a change that waits"
sed -i '/Matrix one/,/Domains/s/^Domains=0/Domains=1/' /etc/apmatrix.d/guests.conf
awaits one pending
ka_says 0 ok detach $A
awaits one active
same "the domains of one" "$(content $MDEV/$A/matrix)" "00.0001"
ka_says 0 ok attach 0 $A
ka_says 0 ok detach $A
ka_says 0 ok attach 0 $A
tells "Attached one $pid 1;AttachFailed two $pid 2;Detached one $pid 3;Attached one $pid 4;Detached one $pid 5;Attached one $pid 6;"
same "AttachCount" "$(property AttachCount one)" "$(content $MDEV/$A/apmatrix/attach_count)"
apmatrixctl status | grep -q "was refused two" && fail "the problem outlives what it was about"

echo "killed while no daemon runs"
stop_daemon
kill -9 "$pid"
ka_start 1
ka_says 1 ok vm 0
other=$(ka_pid 1)
ka_says 1 ok attach 0 $B
start_daemon
awaits one active
awaits two attached
tells "Attached one $pid 1;AttachFailed two $pid 2;Detached one $pid 3;Attached one $pid 4;Detached one $pid 5;Attached one $pid 6;Detached one $pid 7;Attached two $other 8;"

# 6.1 deadlocks by itself there, with the daemon or without: vfio_ap's close ends the virtual machine under the lock
# that kvm_arch_destroy_vm() takes (kvm_s390_clear_float_irqs()).
case $kernel in
6.1.*) echo "(6.1: the virtual machine is not closed before the device)" ;;
*)
	echo "the virtual machine is closed before the device: attached until the device is"
	ka_says 1 ok vmclose 0
	is_state two attached || fail "two is not attached any more"
	;;
esac
ka_says 1 ok detach $B
awaits two active

echo "without the module"
rmmod apmatrix || fail "apmatrix does not unload"
waits_for "the daemon to notice" eval '! apmatrixctl show | grep -q "^Features=.*module"'
: >/run/monitor
ka_says 1 ok vm 1
ka_says 1 ok attach 1 $A
awaits one attached
same VMPid "$(property VMPid one)" "$other"
if by_notifier; then confidence=likely; else confidence=certain; fi # a queue's status would prove it
same AttachConfidence "$(property AttachConfidence one)" $confidence
case $kernel in
7.*) same AttachSource "$(property AttachSource one)" fdinfo ;;
*) same AttachSource "$(property AttachSource one)" proc ;;
esac
tells "Attached one $other 0;"

echo "unplugged: nothing tells, the daemon looks"
sed -i '/Matrix one/,/Domains/s/^Domains=1/Domains=2/' /etc/apmatrix.d/guests.conf
awaits one pending
ka_says 1 ok detach $A
left=40
until is_state one active; do
	left=$((left - 1))
	[ $left -gt 0 ] || fail "nobody noticed within 40 seconds"
	sleep 1
done
same "the domains of one" "$(content $MDEV/$A/matrix)" "00.0002"
ka_says 1 ok attach 1 $A
awaits one attached
kill -9 "$other"
awaits one active
stop_daemon
trap - EXIT
