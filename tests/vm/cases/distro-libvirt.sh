# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: distro
# kernels: 6.12
# timeout: 1800
# cards: 3:8C,5:8C,6:8C
# domains: 0,4-6
#
# A real libvirtd with the hook as the package brings it: matrices for each boot and for a guest's time, starts that are
# refused, a daemon that is away or hangs, a libvirtd that is restarted, and virsh nodedev beside it all.
. /bench/libvirt.sh

one_has_it() { has_matrix one one $A 05.0004; }
two_has_it() { has_matrix two second $B 06.0004; }
one_lives() {
	same "one's process" "$(domain_pid one)" "$one_pid"
	[ -d "/proc/$one_pid" ] || fail "guest one has ended"
}
second_is_gone() {
	state second defined
	absent $MDEV/$B || fail "a matrix with Start=guest is there without its guest"
	agrees
}

# ends_in SECONDS COMMAND...: at most; four times that on a busy machine
ends_in() {
	limit=$(($1 * 4)) begun=$(cut -d. -f1 /proc/uptime)
	shift
	"$@"
	took=$(($(cut -d. -f1 /proc/uptime) - begun))
	[ $took -le $limit ] || fail "$*: took $took seconds"
}

hangs() { kill -STOP "$(systemctl show -P MainPID apmatrixd)"; }
goes_on() { kill -CONT "$(systemctl show -P MainPID apmatrixd)"; }

install_package
dropin 00-host.conf <<-END
	[Host]
	KeepQueues=03.*
END
dropin guests.conf <<-END
	[Matrix one]
	UUID=$A
	Adapters=5
	Domains=4

	[Matrix second]
	UUID=$B
	Guest=two
	Start=guest
	Adapters=6
	Domains=4

	[Matrix greedy]
	UUID=$C
	Start=guest
	Adapters=5
	Domains=4-5
END
start_daemon
state one active
second_is_gone
define one $A
define two $B
define greedy $C
define thief $A
define plain
refused "a domain with two matrices" "Only one hostdev" virsh define /dev/stdin <<-END
	$(domain_xml both $A $B)
END

step "one, whose matrix is there since boot"
starts one
one_has_it
one_pid=$(domain_pid one)

step "two, whose matrix comes and goes with it"
starts two
two_has_it
same "mediated devices that libvirt sees" "$(virsh nodedev-list --cap mdev | grep . | sort | tr '\n' ' ')" \
	"mdev_$(echo $A | tr - _)_matrix mdev_$(echo $B | tr - _)_matrix "
refused "nodedev-destroy under a guest" "in use|busy" virsh nodedev-destroy "mdev_$(echo $A | tr - _)_matrix"
one_has_it
ends two
second_is_gone

step "starts that are refused"
not_started thief "apmatrix: matrix one is for guest one .*guests.conf:1.*, not for thief"
one_has_it
not_started greedy "apmatrix: .*05.0004 .*one"
absent $MDEV/$C || fail "greedy's matrix is there"
one_has_it
apmatrixctl start second >/dev/null || fail "apmatrixctl start second"
qemu other -device "$(vfio_ap $B)" || fail "QEMU does not start"
state second attached
not_started two "apmatrix: matrix second is attached to process $(qemu_pid other)"
state second attached
[ "$(guest $B VMName)" != '"two"' ] || fail "who was refused is said to have it"
agrees
qemu_kill other
state second active
apmatrixctl stop second >/dev/null || fail "apmatrixctl stop second"
second_is_gone
one_lives

step "apmatrixd does not run: D-Bus starts it"
systemctl stop apmatrixd
starts two
two_has_it
one_has_it

step "another tool has the lock: a guest ends in bounded time, and its matrix goes afterwards"
sleep 1000 &
holder=$!
echo $holder >/run/lock/s390apconfig.lock
ends_in 15 ends two
state second pending
kill $holder
wait $holder || :
second_is_gone
one_has_it

step "apmatrixd hangs: a guest ends in bounded time"
systemctl service-watchdogs no
starts two
two_has_it
hangs
ends_in 15 ends two
goes_on
# It cannot know any more who asked, so that the matrix waits for the guest's next time.
state second active
agrees

step "apmatrixd hangs: the start is refused in bounded time"
hangs
ends_in 25 not_started two "apmatrix: apmatrixd did not answer within 10 seconds: see"
one_lives
goes_on
state second active
one_has_it

step "apmatrixd dies while it is asked: the next one answers"
hangs
virsh -q start --paused two &
asked=$!
within 30 "the hook asks" pgrep -x 50-apmatrix
systemctl kill --kill-whom=main -s KILL apmatrixd
wait $asked || fail "the start was refused"
two_has_it
one_has_it
systemctl service-watchdogs yes

step "libvirtd is restarted"
systemctl restart libvirtd
one_has_it
two_has_it
one_lives

step "apmatrixd cannot be started: libvirtd is restarted, guests run on, others start"
ends two
second_is_gone
systemctl mask --quiet --runtime --now apmatrixd
systemctl restart libvirtd
same "one is" "$(virsh domstate one | head -n 1)" paused
one_lives
ends_in 10 not_started two "apmatrix: apmatrixd cannot be started .*: see 'systemctl status apmatrixd'"
starts plain
ends plain
one_lives
systemctl unmask --quiet --runtime apmatrixd
systemctl start apmatrixd
one_has_it
second_is_gone

step "the virtual machine is killed; virsh destroys the device, and apmatrixd makes it again"
kill -9 "$one_pid"
state one active
within 20 "libvirt knows" test ! -e /run/libvirt/qemu/one.pid
before=$(stat -c %i $MDEV/$A/)
virsh nodedev-destroy "mdev_$(echo $A | tr - _)_matrix" || fail "nodedev-destroy"
made_again() { [ "$(stat -c %i $MDEV/$A/)" != "$before" ]; }
within 20 "the device is made again" made_again
state one active
shows $MDEV/$A/matrix 05.0004
agrees
starts one
one_has_it
ends one
state one active
same "what the journal has of apmatrixd at err and above" "$(journalctl -b -u apmatrixd -p err -o cat --no-pager)" ""
step "done"
