# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Helpers for the scripts about apmatrix.ko, after lib.sh: . /bench/module.sh

# module_event UUID EVENT SEQ PID COMM RET: exactly this uevent came, or comes within 10 seconds
module_event() {
	uev_has "change@/devices/vfio_ap/matrix/$1 ACTION=change .* SUBSYSTEM=mdev APMATRIX_EVENT=$2 APMATRIX_SEQ=$3 APMATRIX_PID=$4 APMATRIX_COMM=$5 APMATRIX_RET=$6 DRIVER=$(mdev_driver) SEQNUM="
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

# kernel_is_calm: nothing in the kernel's log that a kernel developer would be called for
kernel_is_calm() {
	if dmesg | grep -iE "WARNING:|BUG:|Oops|illegal operation|circular locking|suspicious RCU usage|refcount_t|use-after-free|apmatrix: .*(missed|lost)"; then
		dmesg | grep -A 80 -E "WARNING:|BUG:|Oops|suspicious RCU usage"
		fail "the kernel complains"
	fi
	if [ -w /sys/kernel/debug/kmemleak ]; then
		echo scan >/sys/kernel/debug/kmemleak
		sleep 6
		echo scan >/sys/kernel/debug/kmemleak
		same "kmemleak" "$(grep -c apm_ /sys/kernel/debug/kmemleak)" 0
	fi
}
