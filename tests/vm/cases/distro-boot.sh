# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: distro
# kernels: 6.12
# timeout: 1800
# cards: 3:8C,4:8C,5:8C,6:8C
# domains: 0,4-6
# reboots: 1
#
# The package is installed on a host with systemd, three drop-ins are written, the daemon is enabled: the matrices are there
# and the drivers' own attributes agree.  After a reboot systemd starts it, and they are there again.
. /bench/distro.sh

the_matrices_are_there() {
	state web active
	state db active
	shows $MDEV/$A/matrix "05.0004|06.0004"
	shows $MDEV/$A/guest_matrix "05.0004|06.0004"
	shows $MDEV/$A/control_domains "0004"
	shows $MDEV/$B/matrix "05.0005|05.0006"
	shows $MDEV/$B/guest_matrix "05.0005|05.0006"
	same "what 03.0000 is bound to" "$(basename "$(realpath $AP/devices/03.0000/driver)")" cex4queue
	same "what 05.0004 is bound to" "$(basename "$(realpath $AP/devices/05.0004/driver)")" vfio_ap
	same "State" "$(host State)" '"running"'
	agrees
}

nothing_went_wrong() {
	same "what the journal has of apmatrixd at warning and above" "$(journalctl -b -u apmatrixd -p warning -o cat --no-pager)" ""
	same "units that failed" "$(systemctl list-units --failed --plain --no-legend)" ""
}

if [ "$(boot_number)" = 1 ]; then
	install_package
	step "three drop-ins"
	dropin 00-host.conf <<-END
		[Host]
		KeepQueues=03.*
	END
	dropin 10-web.conf <<-END
		[Matrix web]
		UUID=$A
		Adapters=5, 6
		Domains=4
		ControlDomains=usage
	END
	dropin 20-db.conf <<-END
		[Matrix db]
		UUID=$B
		Adapters=5
		Domains=5, 6
	END
	apmatrixctl check || fail "the drop-ins are not right"

	step "systemctl enable --now apmatrixd"
	start_daemon
	the_matrices_are_there
	contains "the status line" "$(systemctl show -P StatusText apmatrixd)" "running"

	step "systemd-analyze security"
	systemd-analyze security --no-pager --threshold=20 apmatrixd.service >/run/security || {
		cat /run/security
		fail "the exposure is above 2.0"
	}
	tail -n 1 /run/security

	step "somebody without privileges"
	as_user="runuser -u operator --"
	contains "list" "$($as_user apmatrixctl list)" "^web +active +$A"
	$as_user apmatrixctl status web >/dev/null || fail "a user cannot see the status"
	refused "a user's stop" "denied|authori[sz]" $as_user apmatrixctl stop web
	refused "a user's define" "denied|authori[sz]" $as_user apmatrixctl define other Adapters=4 Domains=0
	the_matrices_are_there

	step "restart and reload leave the devices alone"
	before=$(stat -c %i $MDEV/$A/)
	systemctl reload apmatrixd
	systemctl restart apmatrixd
	the_matrices_are_there
	same "the device of web" "$(stat -c %i $MDEV/$A/)" "$before"
	nothing_went_wrong
	reboot_machine
fi

step "the second boot"
within 60 "systemd starts apmatrixd" systemctl is-active apmatrixd
the_matrices_are_there
nothing_went_wrong
# Nobody had to ask for it: it was up before the script could.
contains "systemd-analyze blame" "$(systemd-analyze blame --no-pager)" "apmatrixd.service"
systemd-analyze blame --no-pager | grep apmatrixd.service
step "done"
