# shellcheck shell=sh disable=SC2034
# SPDX-License-Identifier: LGPL-2.1-or-later
# Helpers of guest scripts (busybox ash and dash): . /bench/lib.sh
# Each assertion names what it found and ends the script with 1 where it does not hold.
AP=/sys/bus/ap
MDEV=/sys/bus/mdev/devices
MATRIX=/sys/devices/vfio_ap/matrix
TYPE=$MATRIX/mdev_supported_types/vfio_ap-passthrough
A=62177883-f1bb-47f0-914d-32a22e3a8804
B=cef03c3c-903d-4ecc-9a83-40694cb8aee4
C=9b2e0f6a-34c5-4c1e-8a53-0c8d2d5a7f11

fail() {
	echo "FAILED: $*"
	exit 1
}

# same WHAT FOUND EXPECTED
same() {
	[ "$2" = "$3" ] || fail "$1 is '$2', expected '$3'"
}

# Until 5.18 vfio_ap learned of a virtual machine by a notifier, its matrices did not change while they were attached, and
# mediated devices had a driver of their own.
by_notifier() { case $(uname -r) in 5.*) true ;; *) false ;; esac; }
mdev_driver() { if by_notifier; then echo vfio_mdev; else echo vfio_ap_mdev; fi; }

# shows FILE TEXT: the file's content, newlines as "|", the last one left out
content() { tr '\n' '|' <"$1" 2>/dev/null | sed 's/|$//'; }
shows() {
	[ -r "$1" ] || fail "$1 cannot be read"
	same "$1" "$(content "$1")" "$2"
}

# writes FILE TEXT [ERRNO]: one write(2), and what must come of it ("ok" unless said)
writes() {
	same "writing '$2' to $1" "$(/bench/w "$1" "$2")" "${3:-ok}"
}

# waits_for WHAT COMMAND...: until it holds, at most a minute (the machine may be busy)
waits_for() {
	what=$1 left=600
	shift
	until "$@" >/dev/null 2>&1; do
		left=$((left - 1))
		[ $left -gt 0 ] || fail "$what: not within a minute ($*)"
		sleep 0.1
	done
}

file_shows() { [ "$(content "$1")" = "$2" ]; }
absent() { [ ! -e "$1" ]; }

# The simulator, the AP bus, zcrypt, KVM, mdev and vfio_ap; then the first scan.  zcrypt would offer an adapter as a source of
# random numbers, and apsim has none: 5.10 then waits ten seconds, and whoever takes the adapter away with it.
load_ap() {
	for module in apsim apbus "zcrypt hwrng_seed=0" zcrypt_cex4 kvm vfio vfio_iommu_type1 mdev vfio_ap; do
		# shellcheck disable=SC2086 # with its parameters
		modprobe $module || return 1
	done
	! by_notifier || modprobe vfio_mdev || return 1
	if [ -e $AP/bindings ]; then
		waits_for "the first scan of the AP bus" grep -q complete $AP/bindings
	else
		scan
	fi
}

# sim WORD...: a change of the crypto hardware, and a whole scan of the bus after it
sim() {
	echo "$*" >/sys/kernel/debug/apsim || fail "apsim does not take '$*'"
	scan
}

# Kernels before 5.12 have no such attribute (apmods/apbus_module.c).
ask_scan() { if [ -e $AP/scans ]; then echo 1 >$AP/scans; else echo 1 >/sys/module/apbus/parameters/scan; fi; }

# A write asks for a scan; when the counter has gone up twice, one has begun and ended after the change.
scan() {
	if [ ! -e $AP/scans ]; then
		ask_scan # comes back after the scan
		return
	fi
	before=$(cat $AP/scans)
	for more in 1 2; do
		ask_scan
		waits_for "scan $more of the AP bus" eval "[ \$(cat $AP/scans) -ge $((before + more)) ]"
	done
}

# kvmattach as a coprocess: ka_start N, then ka N COMMAND... (see tools/kvmattach.c); ka_pid N.
# The answer is its line, "ok" or an errno's name; expect it with ka_says N ANSWER COMMAND...
ka_start() {
	mkfifo "/run/ka$1.in" "/run/ka$1.out"
	/bench/kvmattach <"/run/ka$1.in" >"/run/ka$1.out" 2>"/run/ka$1.err" &
	eval "ka_pid$1=$!"
	eval "exec $(($1 * 2 + 3))>/run/ka$1.in $(($1 * 2 + 4))</run/ka$1.out"
}
ka_pid() { eval "echo \$ka_pid$1"; }
ka() {
	number=$1
	shift
	echo "$*" >&$((number * 2 + 3))
	IFS= read -r answer <&$((number * 2 + 4)) || answer="(gone)"
	echo "$answer"
}
ka_says() {
	number=$1 expected=$2
	shift 2
	same "kvmattach $number: $*" "$(ka "$number" "$@")" "$expected"
}

# uevents off the wire: uev_start, then uev_has PATTERN (waits), uev_none PATTERN (at this moment), uev_forget
uev_start() {
	: >/run/uevents
	/bench/uevmon >>/run/uevents &
	uev_pid=$!
	waits_for "uevmon" grep -q listening /run/uevents
}
uev_has() {
	(waits_for "a uevent like '$1'" grep -qE "$1" /run/uevents) || {
		echo "the last uevents:"
		tail -n 12 /run/uevents
		exit 1
	}
}
uev_none() { ! grep -E "$1" /run/uevents || fail "there is a uevent like '$1'"; }
uev_forget() { : >/run/uevents; }

# The system bus and the daemon, as installed; daemon_start [OPTION...] returns when it answers.
bus_start() {
	mkdir -p /run/dbus /run/apmatrixd /run/lock /etc/apmatrix.d /etc/dbus-1/system.d
	dbus-daemon --config-file=/usr/share/dbus-1/system.conf --nopidfile --nofork --print-address >/run/bus.log 2>&1 &
	bus_pid=$!
	waits_for "the bus" grep -q unix: /run/bus.log
}
daemon_start() {
	apmatrixd "$@" >>/run/apmatrixd.log 2>&1 &
	daemon_pid=$!
	waits_for "apmatrixd on the bus" apmatrixctl list
}
daemon_stop() {
	kill "$daemon_pid"
	wait "$daemon_pid" || fail "apmatrixd ended with $?: $(tail -n 5 /run/apmatrixd.log)"
}

# matrix_has NAME LINE: "apmatrixctl show NAME" has that line
matrix_has() { apmatrixctl show "$1" 2>/dev/null | grep -qxF "$2"; }
