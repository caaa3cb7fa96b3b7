# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What test-hook and test-libvirt share: domains, and how to run the hook as libvirt does.
# shellcheck source=tests/daemon/machine.sh
. "$(dirname "$0")/../daemon/machine.sh"
calls=$work/calls

# domain NAME [UUID...]: its XML
domain()
{
	local uuid

	printf "<domain type='%s'><name>%s</name>" "${domain_type-kvm}" "${1//&/&amp;}"
	printf "<memory unit='MiB'>64</memory><vcpu cpuset='0'>1</vcpu>"
	printf "<os><type arch='s390x' machine='s390-ccw-virtio'>hvm</type></os><devices>"
	printf "<emulator>/usr/bin/qemu-system-s390x</emulator>"
	shift
	for uuid; do
		printf "<hostdev mode='subsystem' type='mdev' model='vfio-ap'>"
		printf "<source><address uuid='%s'/></source></hostdev>" "$uuid"
	done
	printf "<memballoon model='none'/></devices></domain>\n"
}

# hook NAME OPERATION SUBOPERATION [EXTRA] <XML: its status in $status, its reason in $reason, the
# milliseconds in $took; nothing else may come out of it
hook()
{
	local began

	began=$(now_ms)
	"$HOOK" "$1" "$2" "$3" "${4--}" >$work/hook.out 2>$work/hook.err
	status=$?
	took=$(($(now_ms) - began))
	reason=$(<$work/hook.err)
	is "" "$(<$work/hook.out)" "standard output of $*"
	(($(wc -l <$work/hook.err) <= 1)) || fail "$*: more than a line: $reason"
}

# prepare STATUS NAME UUID...
prepare()
{
	local expected=$1 name=$2

	shift
	domain "$@" >$work/xml
	hook "$name" prepare begin <$work/xml
	is "$expected" "$status" "exit status of prepare of $name ($reason)"
	((expected != 0)) || is "" "$reason" "what prepare of $name says"
}

# release NAME UUID...: never fails
release()
{
	domain "$@" >$work/xml
	hook "$1" release end "${extra-shutdown}" <$work/xml
	is 0 "$status" "exit status of release of $1 ($reason)"
}

# startable COMMAND...: a bus of its own that starts apmatrixd in that manner
startable()
{
	: >$calls
	mkdir -p $work/services
	printf '[D-BUS Service]\nName=%s\nExec=%s\n' $bus_name "$*" >$work/services/$bus_name.service
	cat >$work/startable.conf <<-END
		<busconfig>
		  <type>session</type>
		  <listen>unix:path=$work/startable</listen>
		  <servicedir>$work/services</servicedir>
		  <policy context="default">
		    <allow user="*"/><allow own="*"/>
		    <allow send_destination="*"/><allow receive_sender="*"/>
		  </policy>
		</busconfig>
	END
	export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$work/startable
	dbus-daemon --config-file=$work/startable.conf --nofork --nopidfile --nosyslog \
		2>>$work/bus.log &
	others+=($!)
	await test -S $work/startable
}
