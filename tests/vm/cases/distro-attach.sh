# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: distro
# kernels: 6.12
# timeout: 1800
# cards: 3:8C,5:8C,6:8C
# domains: 0,4-6
#
# A real QEMU attaches, with apmatrix.ko and without it: signals, hot plug and unplug as LiveChange= allows, an adapter that
# leaves and comes back, changes that wait for the detach, and a virtual machine that is killed.
. /bench/distro.sh

define_guests() {
	dropin guests.conf <<-END
		[Matrix one]
		UUID=$A
		Adapters=5
		Domains=4

		[Matrix two]
		UUID=$B
		Adapters=6
		Domains=4
	END
	apmatrixctl reload
	state one active
	state two active
	shows $MDEV/$A/matrix "05.0004"
}

# qemu_attaches NAME UUID MATRIX
qemu_attaches() {
	signals_forget
	qemu "$1" -device "$(vfio_ap "$2")" || fail "QEMU does not start"
	heard "\"MatrixAttached\".*\"$3\",$(qemu_pid "$1"),"
	state "$3" attached
	same "what 'GetMatrixByPID' finds" "$(call GetMatrixByPID u "$(qemu_pid "$1")" | jq -r '.data[0]')" \
		"$ROOT/matrix/$(echo "$2" | tr - _)"
	agrees
}

# The kernel tells nobody that a virtual machine that goes on got or gave up a device; apmatrix.ko does.
look() { [ "$1" = SeenByModule ] || apmatrixctl plan >/dev/null; }

hears_detach() { heard "\"MatrixDetached\".*\"$1\","; }

# story REASON: what Attached is to say
story() {
	define_guests
	step "$1: QEMU attaches"
	qemu_attaches vm $A one
	same "how it is known" "$(condition $A Attached)" "true $1"
	contains "queue status" "$(cat $AP/devices/05.0004/status)" "in use"

	step "$1: hot plug, which LiveChange=grow allows"
	apmatrixctl update one Domains=+5 >/dev/null || fail "hot plug"
	shows $MDEV/$A/guest_matrix "05.0004|05.0005"
	agrees

	step "$1: hot unplug, which it does not allow, and LiveChange=all does"
	refused "hot unplug" "LiveChange" apmatrixctl update one Domains=-4
	shows $MDEV/$A/guest_matrix "05.0004|05.0005"
	apmatrixctl update one Domains=-4 LiveChange=all >/dev/null || fail "hot unplug with LiveChange=all"
	shows $MDEV/$A/guest_matrix "05.0005"
	agrees
	apmatrixctl update one Domains=4,5 LiveChange=all >/dev/null || fail "back"

	step "$1: the adapter leaves and comes back"
	sim present 5 0
	waits_for "nothing is left of it in the guest" file_shows $MDEV/$A/guest_matrix ".0004|.0005"
	shows $MDEV/$A/matrix "05.0004|05.0005"
	state one degraded
	agrees
	sim present 5 1
	waits_for "the guest has it again" file_shows $MDEV/$A/guest_matrix "05.0004|05.0005"
	state one attached
	agrees

	step "$1: what may not change now waits for the detach"
	dropin guests.conf <<-END
		[Matrix one]
		UUID=$A
		Adapters=5
		Domains=6

		[Matrix two]
		UUID=$B
		Adapters=6
		Domains=4
	END
	state one pending
	same "why" "$(condition $A Assigned)" "false WaitsForDetach"
	contains "the guest's queues" "$(content $MDEV/$A/guest_matrix)" "05.0004"
	agrees
	refused "stop under a guest" "guest" apmatrixctl stop one
	signals_forget
	qemu_quit vm
	hears_detach one
	state one active
	shows $MDEV/$A/matrix "05.0006"
	shows $MDEV/$A/guest_matrix "05.0006"
	agrees

	step "$1: QEMU's own hot unplug and plug of the device"
	qemu_attaches vm $A one
	signals_forget
	qmp vm device_del '{"id":"ap0"}' >/dev/null || fail "device_del"
	look "$1"
	hears_detach one
	state one active
	qmp vm device_add "{\"driver\":\"vfio-ap\",\"id\":\"ap1\",\"sysfsdev\":\"$MDEV/$A\"}" >/dev/null || fail "device_add"
	look "$1"
	heard "\"MatrixAttached\".*\"one\",$(qemu_pid vm),"
	agrees

	step "$1: the daemon is restarted, and a second virtual machine comes meanwhile"
	systemctl stop apmatrixd
	qemu other -device "$(vfio_ap $B)" || fail "the second QEMU does not start"
	systemctl start apmatrixd
	state one attached
	state two attached
	same "one's process" "$(guest $A VMPid)" "$(qemu_pid vm)"
	same "two's process" "$(guest $B VMPid)" "$(qemu_pid other)"
	agrees

	step "$1: both are killed"
	signals_forget
	qemu_kill vm
	hears_detach one
	qemu_kill other
	hears_detach two
	state one active
	state two active
	agrees
}

install_package
dropin 00-host.conf <<-END
	[Host]
	KeepQueues=03.*
	LiveChange=grow
END
unload_module
start_daemon
signals_start
story SeenInProc
load_module
systemctl restart apmatrixd
same "AttachSource" "$(host AttachSource)" '"module"'
story SeenByModule
same "what the journal has of apmatrixd at err and above" "$(journalctl -b -u apmatrixd -p err -o cat --no-pager)" ""
step "done"
