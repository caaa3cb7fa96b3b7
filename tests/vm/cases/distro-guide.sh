# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: distro
# kernels: 6.12
# timeout: 1800
# cards: 4:8C,5:8C,6:8C
# domains: 4,71,171,255
# reboots: 1
# files: docs/GUIDE.md
#
# docs/GUIDE.md on a host as it describes: with chzdev, mdevctl, virsh, a reboot, every command as it stands there, and every
# output.  tests/docs/replay does what it can of it without such a host.
. /bench/libvirt.sh

if [ "$(boot_number)" = 1 ]; then
	step "the host: two domains that have their devices already"
	mkdir -p /root/guide
	cp /bench/apmatrixd_*.deb /root/guide
	define web 62177883-f1bb-47f0-914d-32a22e3a8804
	define db b0f5a79d-0a38-4d5a-9dd9-9b3bbcb3b3d2
fi
step "the page"
cd /root/guide || exit 1
status=0
python3 /bench/guide.py /bench/GUIDE.md /root/guide.state || status=$?
[ $status != 3 ] || reboot_machine
[ $status = 0 ] || fail "the page and the machine differ"
same "units that failed" "$(systemctl list-units --failed --plain --no-legend)" ""
step "done"
