#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: fast
# kernels: 5.10 5.10-debug 6.1 6.12 6.12-debug 7.2
# timeout: 240
# One process attaches and detaches; then four, 250 times each, while the bus is scanned; then eight at once: no event lost, out
# of order or wrong, and how late they are.
# shellcheck source=tests/vm/guest/lib.sh
. /bench/lib.sh
# shellcheck source=tests/vm/guest/module.sh
. /bench/module.sh

# storm ROUNDS UUID...
storm() {
	if /bench/attachstorm "$@" >/run/storm; then
		sed 's/^/summary: /' /run/storm
	else
		cat /run/storm
		fail "the events of $(($# - 1)) processes are not what happened"
	fi
}

modprobe apmatrix || fail "apmatrix does not load"
writes $AP/apmask 0x0
matrices=""
for n in 1 2 3 4 5 6 7 8; do
	matrix=0000000$n-0000-4000-8000-000000000000
	writes $TYPE/create $matrix
	writes $MATRIX/$matrix/assign_domain $((n - 1))
	writes $MATRIX/$matrix/assign_adapter 1
	matrices="$matrices $matrix"
done
# shellcheck disable=SC2046,SC2086 # a list
storm 100 $(echo $matrices | cut -d' ' -f1)
(
	while :; do
		ask_scan
		sleep 0.5
	done
) &
scanner=$!
# shellcheck disable=SC2046,SC2086 # a list
storm 250 $(echo $matrices | cut -d' ' -f1-4)
kill $scanner
# shellcheck disable=SC2086 # a list
storm 50 $matrices
total=0
for matrix in $matrices; do
	shows "$MDEV/$matrix/apmatrix/attached" 0
	total=$((total + $(cat "$MDEV/$matrix/apmatrix/attach_count")))
done
same "attaches counted" $total 1500
same "the last number" "$(cat "$MDEV"/*/apmatrix/attach_seq | sort -n | tail -n 1)" 3000
kernel_is_calm
