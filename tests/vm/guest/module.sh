# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Helpers for the scripts about apmatrix.ko, after lib.sh: . /bench/module.sh

# module_event UUID EVENT SEQ PID COMM RET: exactly this uevent came, or comes within a minute
module_event() { module_event_with "DRIVER=$(mdev_driver) " "$@"; }

# The same of a matrix that is being removed: by then it may have no driver any more.
module_event_at_end() { module_event_with "(DRIVER=$(mdev_driver) )?" "$@"; }

module_event_with() {
	uev_has "change@/devices/vfio_ap/matrix/$2 ACTION=change .* SUBSYSTEM=mdev APMATRIX_EVENT=$3 APMATRIX_SEQ=$4 APMATRIX_PID=$5 APMATRIX_COMM=$6 APMATRIX_RET=$7 $1SEQNUM="
}

# module_events: how many uevents of the module came so far
module_events() { grep -c APMATRIX_EVENT /run/uevents; }

# module_shows UUID ATTACHED VM_PID COUNT SEQ: the attributes, now
module_shows() {
	shows "$MDEV/$1/apmatrix/attached" "$2"
	shows "$MDEV/$1/apmatrix/vm_pid" "$3"
	shows "$MDEV/$1/apmatrix/attach_count" "$4"
	shows "$MDEV/$1/apmatrix/attach_seq" "$5"
}

# module_since UUID: attached_since lies within the last ten seconds of the wall clock
module_since() {
	seconds=$(($(cat "$MDEV/$1/apmatrix/attached_since") / 1000000))
	now=$(date +%s)
	if [ $seconds -gt "$now" ] || [ $seconds -lt $((now - 10)) ]; then
		fail "attached_since says $seconds, it is $now"
	fi
}

# kernel_is_calm: nothing in the kernel's log that a kernel developer would be called for; and on a kernel that watches itself
# (config/debug) no memory of ours that nobody has any more
kernel_is_calm() {
	if dmesg | grep -iE "WARNING:|BUG:|Oops|illegal operation|circular locking|suspicious RCU usage|refcount_t|Poison overwritten|blocked for more|apmatrix: .*(missed|lost)"; then
		dmesg | grep -A 80 -E "WARNING:|BUG[ :]|Oops|suspicious RCU usage|blocked for more"
		fail "the kernel complains"
	fi
	[ ! -e /proc/lockdep ] || nothing_leaks
}

# kmemleak calls a leak what no pointer was found to in two looks, and what is older than five seconds.  Whose it is cannot be
# told when the module has been unloaded meanwhile, so there must be none at all.
nothing_leaks() {
	[ -w /sys/kernel/debug/kmemleak ] || fail "there is no kmemleak"
	sleep 6
	for look in 1 2; do echo scan >/sys/kernel/debug/kmemleak || fail "kmemleak does not look"; done
	leaks=$(cat /sys/kernel/debug/kmemleak) || fail "kmemleak cannot be read"
	[ -z "$leaks" ] || fail "memory is lost: $leaks"
}
