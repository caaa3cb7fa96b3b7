# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Helpers for cases with libvirt: . /bench/libvirt.sh (which brings distro.sh)
# A domain has KVM and no disk; nothing here executes an instruction of a guest, so it is started paused.
. /bench/distro.sh
export LIBVIRT_DEFAULT_URI=qemu:///system

# domain_xml NAME [UUID...]: a domain with these matrices
domain_xml() {
	cat <<-END
		<domain type='kvm'>
		  <name>$1</name>
		  <memory unit='MiB'>128</memory>
		  <vcpu>1</vcpu>
		  <os><type arch='s390x' machine='s390-ccw-virtio'>hvm</type></os>
		  <cpu mode='host-passthrough'/>
		  <devices>
		    <emulator>/usr/bin/qemu-system-s390x</emulator>
	END
	shift
	for uuid in "$@"; do
		cat <<-END
			    <hostdev mode='subsystem' type='mdev' model='vfio-ap'>
			      <source><address uuid='$uuid'/></source>
			    </hostdev>
		END
	done
	printf "    <memballoon model='none'/>\n  </devices>\n</domain>\n"
}

# define NAME [UUID...]
define() {
	domain_xml "$@" >"/run/$1.xml"
	virsh -q define "/run/$1.xml" || fail "virsh define $1"
}

starts() { virsh -q start --paused "$1" || fail "virsh start $1"; }
ends() { virsh -q destroy "$1" || fail "virsh destroy $1"; }

# not_started NAME PATTERN: virsh start fails, says PATTERN, and leaves no virtual machine
not_started() {
	refused "virsh start $1" "$2" virsh -q start --paused "$1"
	echo "$output" | grep -o 'apmatrix: .*'
	same "$1 is" "$(virsh domstate "$1" | head -n 1)" "shut off"
}

# has_matrix DOMAIN MATRIX UUID QUEUE: the domain has that device, with that queue, on every side
has_matrix() {
	same "$1 is" "$(virsh domstate "$1" | head -n 1)" paused
	state "$2" attached
	same "VMName" "$(guest "$3" VMName)" "\"$1\""
	same "VMPid" "$(guest "$3" VMPid)" "$(domain_pid "$1")"
	shows "$MDEV/$3/guest_matrix" "$4"
	contains "the status of queue $4" "$(cat "$AP/devices/$4/status")" "in use"
	agrees
}
domain_pid() { cat "/run/libvirt/qemu/$1.pid"; }
