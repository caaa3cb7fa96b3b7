# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A simulated machine around the real apmatrixd: simfs as its /sys, a private bus, a service manager
# that listens.  A script that sources this defines functions test_SENTENCE, each run on a machine
# of its own in a subshell, and ends with run_tests.  Output is TAP.
#
# Nothing here sleeps for a time in the hope that it is enough: await() looks until a condition
# holds, and fails when the deadline has passed.
#
# From meson: APMATRIXD, APMATRIXCTL, SIMFS, RECORDER; SANITIZED=yes where the programs carry
# sanitizers, which strace and memory figures do not get along with.
set -u

# A mount, network and process namespace of its own: uevents, mounts and processes end with it.
if [[ ${MACHINE_INSIDE-} != yes ]]; then
	if [[ $(id -u) != 0 ]]; then
		echo "Bail out! this needs root (it mounts FUSE and makes namespaces)"
		exit 1
	fi
	MACHINE_INSIDE=yes exec unshare --mount --net --pid --fork --kill-child --mount-proc \
		--propagation private "$0" "$@"
fi

export LC_ALL=C
A=62177883-f1bb-47f0-914d-32a22e3a8804
B=b0f5a79d-0a38-4d5a-9dd9-9b3bbcb3b3d2
C=a1b7c6e0-55ce-4d62-8f1f-5e0c2f9d7c43
work=/mnt/work
root=$work/root
sys=$root/sys
etc=$root/etc/apmatrix.d
matrix=$sys/devices/vfio_ap/matrix
sim=$sys/kernel/debug/apmatrix-sim
bus_name=org.s390.APMatrix
bus_path=/org/s390/APMatrix
export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$work/bus
DEADLINE=${DEADLINE:-20}
# Seconds in which comes what waits for nothing: shorter than any wait of the daemon's own (its step
# is overdue after 5), long enough for a busy machine; sanitizers take their time.
PROMPT=4
[[ ${SANITIZED-} == yes ]] && PROMPT=$DEADLINE
daemon='' simfs='' others=()

# ---- judging and waiting --------------------------------------------------------------------

# What went wrong ends the test.
fail()
{
	printf '# %s\n' "${*//$'\n'/$'\n'# }"
	exit 1
}

# is EXPECTED GOT WHAT
is()
{
	[[ $1 == "$2" ]] || fail "$3: expected \"$1\", got \"$2\""
}

# has PATTERN TEXT WHAT
has()
{
	# shellcheck disable=SC2053
	[[ $2 == *$1* ]] || fail "$3: \"$1\" is not in \"$2\""
}

now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

# Until COMMAND succeeds.
await()
{
	local end=$(($(now_ms) + DEADLINE * 1000))

	until "$@" >/dev/null 2>&1; do
		(($(now_ms) < end)) || fail "'$*' did not come true within $DEADLINE seconds"
		read -rt 0.01 <&"$nothing" || :
	done
}

not() { ! "$@"; }

# The daemon is on the bus ("busctl status" wants more of /proc than a container may show).
is_on_the_bus()
{
	busctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus \
		GetNameOwner s $bus_name
}

has_text() { grep -qF -- "$1" "$2"; }
has_lines() { (($(wc -l <"$2") >= $1)); }
has_ended() { not kill -0 "$1"; }

# The exit status of a child, which must end before the deadline.
end_of()
{
	await has_ended "$1"
	wait "$1" 2>/dev/null
}

# ---- the parts ------------------------------------------------------------------------------

# boot KERNEL [HARDWARE_LINE...], with simfs's options in $simfs_options
boot()
{
	local line

	printf '%s\n' "kernel $1" "adapter 4-6 cex8 cca" "domains 4, 0x47, 0xab, 0xff" >$work/hardware
	shift
	for line; do echo "$line"; done >>$work/hardware
	# shellcheck disable=SC2086,SC2153
	"$SIMFS" --foreground --hardware=$work/hardware --log=$work/writes --ready-fd=3 \
		${simfs_options-} $root 3>$work/ready >>$work/simfs.log 2>&1 &
	simfs=$!
	read -r line <$work/ready
	is READY=1 "$line" "simfs's first word"
}

unplug()
{
	kill "$simfs"
	end_of "$simfs" || fail "simfs ended with $?"
}

control() { echo "$*" >$sim/control || fail "control: $*"; }

start_bus()
{
	cat >$work/bus.conf <<-END
		<busconfig>
		  <type>system</type>
		  <listen>unix:path=$work/bus</listen>
		  <policy context="default">
		    <allow user="*"/><allow own="*"/><allow eavesdrop="true"/>
		    <allow send_destination="*"/><allow receive_sender="*"/>
		  </policy>
		</busconfig>
	END
	dbus-daemon --config-file=$work/bus.conf --nofork --nopidfile --nosyslog 2>$work/bus.log &
	others+=($!)
	await test -S $work/bus
}

start_recorder()
{
	"$RECORDER" $work/notify.socket >>$work/notify 2>&1 &
	others+=($!)
	await test -S $work/notify.socket
}

# Starts the daemon, under the command in the array $under if there is one.
launch()
{
	: >$work/notify
	NOTIFY_SOCKET=$work/notify.socket "${under[@]}" "$APMATRIXD" --root=$root \
		2>>$work/log &
	daemon=$!
}

is_ready() { has_text READY=1 $work/notify; }

# The same, until it is ready.
serve()
{
	launch
	await is_ready
}

# The daemon must end cleanly.
stop()
{
	local status

	kill -TERM "$daemon"
	end_of "$daemon"
	status=$?
	is 0 $status "the daemon's exit status"
	daemon=''
}

# As a service manager does it: nobody is started before everything of the dead one has gone.
crash()
{
	kill -KILL "$daemon"
	end_of "$daemon"
	daemon=''
	await not is_on_the_bus
}

dropin() { cat >"$etc/$1"; }

three_guests()
{
	dropin guests.conf <<-END
		[Matrix guest1]
		UUID=$A
		Adapters=5, 6
		Domains=4, 0xab

		[Matrix guest2]
		UUID=$B
		Adapters=5
		Domains=0x47, 0xff

		[Matrix guest3]
		UUID=$C
		Adapters=6
		Domains=0x47, 0xff
	END
}

# ---- asking ---------------------------------------------------------------------------------

ctl() { "$APMATRIXCTL" --no-pager "$@"; }

state() { ctl wait "$1" --state="$2" --timeout="$DEADLINE" >/dev/null || fail "$1 is not $2"; }

call()
{
	busctl call $bus_name $bus_path $bus_name.Manager "$@"
}

property() { busctl get-property $bus_name $bus_path $bus_name.Manager "$1"; }

# matrix_property UUID NAME
matrix_property()
{
	busctl get-property $bus_name "$bus_path/matrix/${1//-/_}" $bus_name.Matrix "$2"
}

# queues UUID: what the device has, on one line; nothing where there is none
queues() { tr '\n' ' ' <"$matrix/$1/matrix"; }

# writes: what was written since the log was cleared, but for the uevents that a test asks for
writes() { grep -v '/uevent change$' $sim/log; }
no_writes() { is "" "$(writes)" "the kernel's log of writes, $1"; }

is_the_example()
{
	is "05.0004 05.00ab 06.0004 06.00ab " "$(queues $A)" "guest1's queues"
	is "05.0047 05.00ff " "$(queues $B)" "guest2's queues"
	is "06.0047 06.00ff " "$(queues $C)" "guest3's queues"
}

# What the simulated kernel watches for: no queue with two owners, no guest that loses one, ...
kernel_is_content() { is ok "$(cat $sim/check)" "the simulated kernel's check"; }

# ---- running --------------------------------------------------------------------------------

build_machine()
{
	mount -t tmpfs tmpfs /mnt
	mkdir -p $etc $root/run $root/usr/lib
	echo 0123456789abcdef0123456789abcdef >$root/etc/machine-id
	mkfifo $work/ready $work/nothing
	exec {nothing}<>$work/nothing
	: >$work/writes
	: >$work/log
	under=()
	start_bus
	start_recorder
}

end_machine()
{
	local status=$? pid

	trap - EXIT
	for pid in $daemon $simfs "${others[@]}"; do
		kill -KILL "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	if ((status != 0)); then
		sed 's/^/#   /' $work/log
		[[ -e $work/signals ]] && sed 's/^/#   signal: /' $work/signals
		[[ -e $sim/log ]] && sed 's/^/#   write: /' $sim/log
	fi
	umount --lazy $sys 2>/dev/null
	umount --lazy /mnt
	exit $status
}

# In the order of the script.
list_tests()
{
	grep -oE '^test_[a-z0-9_]+' "$0"
}

run_tests()
{
	local name n=0 failures=0 only=${1-}

	for name in $(list_tests); do
		[[ -z $only || $name == *"$only"* ]] || continue
		n=$((n + 1))
		if (
			trap end_machine EXIT
			build_machine
			"$name"
		); then
			echo "ok $n - ${name#test_}"
		else
			echo "not ok $n - ${name#test_}"
			failures=$((failures + 1))
		fi
	done
	echo "1..$n"
	((failures == 0))
}
