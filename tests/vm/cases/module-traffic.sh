#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: fast
# kernels: 5.10 5.10-debug 6.1 6.12 6.12-debug 7.2
# timeout: 240
# The module is loaded and unloaded 30 times while four processes attach and detach and matrices come and go: every attach
# succeeds, and what the module then says is the truth.
# shellcheck source=tests/vm/guest/lib.sh
. /bench/lib.sh
# shellcheck source=tests/vm/guest/module.sh
. /bench/module.sh

matrices=""
for n in 1 2 3 4; do
	matrices="$matrices 0000000$n-0000-4000-8000-000000000000"
	writes $TYPE/create 0000000$n-0000-4000-8000-000000000000
done
# shellcheck disable=SC2086 # a list
/bench/attachstorm -q 1000000 $matrices &
storm=$!
while :; do
	echo $C >$TYPE/create
	echo 1 >$MATRIX/$C/remove
done &
churn=$!
for n in $(seq 30); do
	modprobe apmatrix || fail "load $n"
	[ $((n % 3)) = 0 ] || sleep 0.0$((n % 10))
	rmmod apmatrix || fail "unload $n"
done
modprobe apmatrix || fail "the last load"
kill -0 $storm 2>/dev/null || fail "an attach failed meanwhile"
kill $churn
# Its processes are stopped one by one in the midst of what they do.
kill $storm
for process in $(pidof attachstorm); do kill "$process" 2>/dev/null; done
for matrix in $matrices; do
	waits_for "the detach of $matrix" file_shows "$MDEV/$matrix/apmatrix/attached" 0
	shows "$MDEV/$matrix/apmatrix/vm_pid" 0
done
[ "$(cat "$MDEV/00000001-0000-4000-8000-000000000000/apmatrix/attach_count")" -gt 0 ] || fail "nobody attached"
rmmod apmatrix || fail "the last unload"
kernel_is_calm
