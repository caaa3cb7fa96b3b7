#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: fast
# kernels: 5.10 6.1 6.12 7.2
# cards: 0:8C,1:8C,2:8C,3:8P
# domains: 0-4
# cdomains: 0-4
# needs: mdevctl
# timeout: 2400
#
# 200 operations at random: virtual machines attach, detach and are killed, matrices change under them, adapters leave
# and return, somebody writes to the masks and makes and removes devices, by mdevctl or by hand.  After each of them what
# the daemon shows must be what the drivers show: devices, assigned and guest matrix, who is attached, every queue's owner.
# Attach, detach and kill are told by the kernel itself, and what mdevctl does by our notifier; there is no udev here, so
# what it would tell is told by "apmatrixctl reconcile".
# SEED and the number of operations may be given as arguments.
# shellcheck source=tests/vm/guest/lib.sh
. /bench/lib.sh
seed=${1:-20181125} rounds=${2:-200}
first_seed=$seed

# random N: 0 to N-1, in $r
random() {
	seed=$(((seed * 1103515245 + 12345) & 0x7fffffff))
	r=$((seed / 65536 % $1))
}

# --- the two views ---------------------------------------------------------------------------------
# A matrix a line, "UUID assigned ADAPTERS.DOMAINS guest ADAPTERS.DOMAINS vm PID" or "UUID absent"; then a queue a line.
# No number here is greater than 4, so that a digit is a number.

# "01.0003" a line, also "01." and ".0003" where the other kind is missing
sets_of_driver() {
	awk -F. '$1 != "" {a[substr($1, 2)]} $2 != "" {d[substr($2, 4)]} END {
		for (i = 0; i < 5; i++) if (i in a) s = s i
		s = s "."
		for (i = 0; i < 5; i++) if (i in d) s = s i
		print s
	}' "$1"
}
driver_view() {
	for uuid in $A $B $C; do
		if [ ! -e "$MDEV/$uuid/matrix" ]; then
			echo "$uuid absent"
			continue
		fi
		# before 6.0 nobody shows what a guest has
		if ! by_notifier; then guest=$(sets_of_driver "$MDEV/$uuid/guest_matrix"); else guest=.; fi
		echo "$uuid assigned $(sets_of_driver "$MDEV/$uuid/matrix") guest $guest" \
			"vm $(cat "$MDEV/$uuid/apmatrix/vm_pid")"
	done
	for queue in "$AP"/devices/*.*; do
		[ -e "$queue" ] || continue # no adapter is left
		case $(readlink "$queue/driver") in
		*/vfio_ap) owner=vfio ;;
		*/cex4queue) owner=host ;;
		*) owner=unbound ;;
		esac
		echo "$(basename "$queue") $owner"
	done
}
daemon_view() {
	for uuid in $A $B $C; do
		apmatrixctl show "$uuid" 2>/dev/null | awk -F= -v uuid="$uuid" '
		function digits(list, n, i, j, part, range, s) {
			n = split(list, part, ",")
			for (i = 1; i <= n; i++) {
				if (split(part[i], range, "-") < 2) range[2] = range[1]
				for (j = range[1]; j <= range[2]; j++) s = s j
			}
			return s
		}
		$1 == "AssignedAdapters" {a = digits($2)}
		$1 == "AssignedDomains" {d = digits($2)}
		$1 == "GuestAdapters" {ga = digits($2)}
		$1 == "GuestDomains" {gd = digits($2)}
		$1 == "VMPid" {pid = $2}
		$2 ~ /^Present yes/ {present = 1}
		END {
			if (present) print uuid, "assigned", a "." d, "guest", ga "." gd, "vm", pid
			else print uuid, "absent"
		}'
	done
	apmatrixctl queues | awk 'NR > 1 && $2 != "gone" {print $1, $2}'
}
agree() {
	daemon_view >/run/view.daemon
	driver_view >/run/view.driver
	# Without ap_config, what others assigned may be too much to be read safely (matrix-overrun): then it is not shown.
	if [ ! -e $MDEV/$C/ap_config ] && grep -q "^$C assigned \. guest \. " /run/view.daemon; then
		sed -i "s/^\($C assigned\) .* vm/\1 . guest . vm/" /run/view.driver
	fi
	cmp -s /run/view.daemon /run/view.driver
}

# --- the operations ---------------------------------------------------------------------------------
matrix_of() { if [ "$1" = 0 ]; then echo $A; else echo $B; fi; }
attached() { [ "$(cat "$MDEV/$(matrix_of "$1")/apmatrix/attached" 2>/dev/null)" = 1 ]; }
vm_runs() { eval "[ -n \"\$runs$1\" ]"; }
vm_start() {
	rm -f "/run/ka$1.in" "/run/ka$1.out"
	ka_start "$1"
	ka_says "$1" ok vm 0
	eval "runs$1=1"
}

told_by_udev() { apmatrixctl reconcile >/dev/null 2>&1; }

do_attach() {
	vm_runs "$1" || vm_start "$1"
	did="attach $1: $(ka "$1" attach 0 "$(matrix_of "$1")")"
}
do_detach() { did="detach $1: $(ka "$1" detach "$(matrix_of "$1")")"; }
do_kill() {
	vm_runs "$1" || vm_start "$1"
	kill -9 "$(ka_pid "$1")"
	wait "$(ka_pid "$1")" 2>/dev/null
	eval "runs$1="
	did="kill $1"
}
# One has domains 0 and 1, two has 2 and 3: they never want the same queue.
do_plug() {
	random 15
	adapters=''
	for bit in 0 1 2 3; do [ $(((r + 1) >> bit & 1)) = 0 ] || adapters="$adapters $bit"; done
	random 3
	case $r in 0) live=grow ;; 1) live=none ;; *) live=all ;; esac
	if [ "$1" = 0 ]; then domains='0 1'; else domains='2 3'; fi
	printf '[Matrix m%s]\nUUID=%s\nAdapters=%s\nDomains=%s\nLiveChange=%s\n' "$1" "$(matrix_of "$1")" "$adapters" "$domains" $live \
		>/etc/apmatrix.d/m"$1".conf
	apmatrixctl reload >/dev/null 2>&1
	did="drop-in $1: adapters$adapters, LiveChange=$live"
}
do_card() {
	random 4
	eval "there=\${card$r:-1}"
	there=$((1 - there))
	eval "card$r=$there"
	sim present "$r" $there
	told_by_udev
	did="adapter $r: $there"
}
do_mask() {
	random 5
	bit=$r
	random 2
	if [ $r = 0 ]; then mask=apmask; else mask=aqmask; fi
	random 2
	if [ $r = 0 ]; then text=+$bit; else text=-$bit; fi
	did="$text to $mask by hand: $(/bench/w $AP/$mask "$text")"
	told_by_udev
}
# by_mdevctl WORD...: what it does, in $said the errno's words or "ok"
by_mdevctl() { if said=$(mdevctl "$@" 2>&1); then said=ok; fi; }
# A device that no drop-in names.
do_stranger() {
	random 2
	way=$r
	if [ $way = 0 ] && [ -e $MDEV/$C ]; then
		by_mdevctl stop -u $C
		did="mdevctl-stop $C: $said"
	elif [ $way = 0 ]; then
		random 4
		printf '{"mdev_type":"vfio_ap-passthrough","start":"manual","attrs":[{"assign_adapter":"%s"},{"assign_domain":"4"}]}\n' "$r" >/run/stranger
		by_mdevctl start -u $C -p matrix --jsonfile /run/stranger
		did="mdevctl-start $C with 0$r.0004: $said"
	elif [ -e $MDEV/$C ]; then
		did="remove $C by hand: $(/bench/w $MDEV/$C/remove 1)"
		told_by_udev
	else
		random 4
		did="create $C by hand: $(/bench/w $TYPE/create $C) $(/bench/w $MDEV/$C/assign_adapter "$r") $(/bench/w $MDEV/$C/assign_domain 4)"
		told_by_udev
	fi
}
# A matrix of ours is removed (while a guest has it that would wait for the guest) or changed.
do_steal() {
	random 2
	if [ $r = 0 ] && [ -e "$MDEV/$(matrix_of "$1")" ] && ! attached "$1"; then
		by_mdevctl stop -u "$(matrix_of "$1")"
		did="mdevctl-stop $1: $said"
	elif [ -e "$MDEV/$(matrix_of "$1")" ] && ! attached "$1"; then
		did="remove $1 by hand: $(/bench/w "$MDEV/$(matrix_of "$1")/remove" 1)"
		told_by_udev
	else
		random 4
		did="assign adapter $r to $1 by hand: $(/bench/w "$MDEV/$(matrix_of "$1")/assign_adapter" "$r")"
		told_by_udev
	fi
}

operate() {
	random 2
	which=$r
	random 13
	case $r in
	0 | 1 | 2 | 3)
		if attached $which; then
			random 3
			if [ $r = 0 ]; then do_kill $which; else do_detach $which; fi
		else
			do_attach $which
		fi
		;;
	4 | 5 | 6) do_plug $which ;;
	7) do_card ;;
	8 | 9) do_mask ;;
	10 | 12) do_stranger ;;
	11) do_steal $which ;;
	esac
}

modprobe apmatrix || fail "apmatrix does not load"
bus_start
# shellcheck disable=SC2119 # the arguments are the script's own
daemon_start
do_plug 0
do_plug 1
n=0
while [ $n -lt "$rounds" ]; do
	n=$((n + 1))
	operate
	left=20
	until agree; do
		left=$((left - 1))
		if [ $left = 0 ]; then
			diff /run/view.daemon /run/view.driver
			apmatrixctl status
			tail -n 20 /run/apmatrixd.log
			fail "operation $n of seed $first_seed: the daemon (-) and the drivers (+) do not agree after '$did'"
		fi
		sleep 0.5
	done
	echo "$n ${did%%:*}:$(echo "${did#*:}" | tr '\n' ' ')"
	kinds="$kinds ${did%% *}"
done
daemon_stop
! dmesg | grep -E 'BUG:|WARNING:|Oops' || fail "the kernel complains"
summary=$(for kind in $kinds; do echo "$kind"; done | sort | uniq -c | awk '{printf "%s%s %s", (NR > 1 ? ", " : ""), $1, $2}')
echo "summary: $rounds operations of seed $first_seed, the two views equal after each: $summary"
