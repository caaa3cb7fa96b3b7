# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Helpers of the cases of the distribution tier: . /bench/distro.sh (which brings lib.sh).
# Waiting is always for a condition, by waits_for; this machine is slow, so its limit is longer here.
. /bench/lib.sh
BUS=org.s390.APMatrix
ROOT=/org/s390/APMatrix
export LC_ALL=C NO_COLOR=1
started=$(cut -d. -f1 /proc/uptime)

# step TEXT: the steps are in the output, with the time since the case began
step() { echo "[$(($(cut -d. -f1 /proc/uptime) - started)) s] $*"; }

# within SECONDS WHAT COMMAND...: until it holds.  A limit is there to end what hangs, and measures nothing: machines that
# emulate this one may be busy, so it is four times what an idle one needs.
within() {
	limit=$(($1 * 4)) what=$2 begun=$(cut -d. -f1 /proc/uptime)
	shift 2
	until "$@" >/dev/null 2>&1; do
		[ $(($(cut -d. -f1 /proc/uptime) - begun)) -lt "$limit" ] || fail "$what: not within $limit seconds ($*)"
		sleep 0.2
	done
}

# contains WHAT TEXT PATTERN (of grep -E)
contains() { echo "$2" | grep -qE -e "$3" || fail "$1 has no '$3': $2"; }

# refused WHAT PATTERN COMMAND...: it fails, and says PATTERN
refused() {
	what=$1 pattern=$2
	shift 2
	if output=$("$@" 2>&1); then fail "$what: was not refused ($*): $output"; fi
	contains "$what" "$output" "$pattern"
}

# --- the machine -----------------------------------------------------------------------------------

boot_number() { grep -c . /bench/boots 2>/dev/null || echo 1; }

# Ends this boot; the script runs again, from its beginning, in the next one.
reboot_machine() {
	step "the machine reboots"
	: >/bench/again
	exit 0
}

# What the project builds, as an administrator gets it.
install_package() {
	step "installs $(cd /bench && echo apmatrixd_*.deb)"
	dpkg -i /bench/apmatrixd_*.deb || fail "the package does not install"
	systemctl daemon-reload
	same "apmatrixd, as it was installed, is" "$(systemctl is-active apmatrixd)" inactive
}

# dropin NAME <TEXT
dropin() {
	mkdir -p /etc/apmatrix.d
	cat >"/etc/apmatrix.d/.$1.new"
	mv "/etc/apmatrix.d/.$1.new" "/etc/apmatrix.d/$1"
}

# load_module | unload_module: apmatrix.ko, which tells of attaching
load_module() { modprobe apmatrix || fail "apmatrix.ko does not load: $(dmesg | tail -n 5)"; }
unload_module() { [ ! -d /sys/module/apmatrix ] || rmmod apmatrix || fail "apmatrix.ko does not go"; }

# --- the daemon ------------------------------------------------------------------------------------

start_daemon() {
	systemctl enable --now apmatrixd || {
		journalctl -b -u apmatrixd --no-pager | tail -n 20
		fail "apmatrixd does not start"
	}
}

daemon_has_looked() { [ "$(host State)" != '"starting"' ] && [ "$(host State)" != '"applying"' ]; }
settled() { within 30 "the daemon has looked" daemon_has_looked; }

# host PROPERTY, guest UUID PROPERTY: as JSON
host() { busctl --json=short get-property $BUS $ROOT $BUS.Manager "$1" | jq -c .data; }
guest() { busctl --json=short get-property $BUS "$ROOT/matrix/$(echo "$1" | tr - _)" $BUS.Matrix "$2" | jq -c .data; }
call() { busctl --json=short call $BUS $ROOT $BUS.Manager "$@"; }

is_in_state() { apmatrixctl wait "$1" --state="$2" --timeout=0; }
# state NAME STATE
state() { within 30 "$1 is $2" is_in_state "$1" "$2"; }

# condition UUID TYPE: "true Reason"
condition() { guest "$1" Conditions | jq -r ".[] | select(.[0] == \"$2\") | \"\(.[1]) \(.[2])\""; }

agrees() { python3 /bench/agree.py "$@" || fail "the daemon and the driver differ"; }

# The daemon's signals: signals_start, then heard PATTERN; unheard PATTERN at this moment; signals_forget
# busctl does not say when it listens: but then it sees who comes to the bus, such as the one that asks.
signals_start() {
	: >/run/signals
	stdbuf -oL busctl --json=short --match="type='signal',interface='$BUS.Manager'" \
		--match="type='signal',member='NameOwnerChanged'" monitor >>/run/signals 2>/dev/null &
	within 20 "busctl listens" somebody_is_seen
}
somebody_is_seen() { host State && grep -q NameOwnerChanged /run/signals; }
heard() { within "${2:-15}" "a signal like '$1'" grep -qE "$1" /run/signals; }
unheard() { ! grep -E "$1" /run/signals || fail "there was a signal like '$1'"; }
signals_forget() { : >/run/signals; }

# --- virtual machines ------------------------------------------------------------------------------

# qemu NAME ARGUMENT...: paused, with KVM; ends only by qmp NAME quit, or qemu_kill
qemu() {
	name=$1
	shift
	timeout 60 qemu-system-s390x -accel kvm -M s390-ccw-virtio -cpu host -m 128 -display none -nodefaults -S \
		-name "guest=$name" -qmp "unix:/run/$name.qmp,server=on,wait=off" -pidfile "/run/$name.pid" -daemonize "$@"
}
vfio_ap() { echo "vfio-ap,id=ap0,sysfsdev=$MDEV/$1"; }
qemu_pid() { cat "/run/$1.pid"; }
qmp() { python3 /bench/qmp.py "/run/$1.qmp" "$2" ${3:+"$3"}; }
qemu_ended() { [ ! -d "/proc/$(qemu_pid "$1")" ]; }
qemu_quit() {
	pid=$(qemu_pid "$1")
	qmp "$1" quit >/dev/null || fail "QEMU $1 does not quit"
	within 20 "QEMU $1 ends" test ! -d "/proc/$pid"
}
qemu_kill() {
	pid=$(qemu_pid "$1")
	kill -9 "$pid"
	within 20 "QEMU $1 ends" test ! -d "/proc/$pid"
}
