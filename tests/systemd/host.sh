# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The machine of tests/daemon/machine.sh as a host that boots the real systemd: this machine's own
# root directory below an overlay, what `meson install` installs, simfs's tree as /sys.  It has a
# process namespace and a control group of its own, and shares the network namespace with simfs,
# whose uevents come that way.
#
# Besides what machine.sh needs: BUILD (the build directory), cgroup2, systemd, dbus, polkitd.
installed=/mnt/installed
# shellcheck source=tests/daemon/machine.sh
. "$(dirname "$0")/../daemon/machine.sh"
host=$work/host
cgroup='' leader='' init=''

# What is needed and not there is said before any test runs.
need_host()
{
	local what

	for what in /lib/systemd/systemd /usr/bin/dbus-daemon /usr/lib/polkit-1/polkitd /usr/bin/systemd-analyze \
		/usr/bin/jq; do
		[[ -x $what ]] || {
			echo "Bail out! $what is missing; 'tools/install-packages demo check' brings it"
			exit 1
		}
	done
	grep -q '\bcgroup2$' /proc/filesystems || {
		echo "Bail out! this kernel has no cgroup2, without which systemd does not start"
		exit 1
	}
}

# As an administrator of a prefix such as /usr/local has to: bus and polkit look
# for what they allow below /usr only.
install_tree()
{
	local prefix

	mount -t tmpfs tmpfs /mnt
	mkdir $installed
	meson install -C "$BUILD" --no-rebuild --quiet --destdir $installed >/mnt/install.log 2>&1 || {
		sed 's/^/# /' /mnt/install.log
		echo "Bail out! meson install failed"
		exit 1
	}
	prefix=$(dirname "$(dirname "$(find $installed -path '*/sbin/apmatrixd')")")
	[[ $prefix == $installed/usr ]] && return
	mkdir -p $installed/usr/share/dbus-1 $installed/usr/share/polkit-1
	cp -a "$prefix/share/dbus-1/system.d" $installed/usr/share/dbus-1/
	cp -a "$prefix/share/polkit-1/actions" $installed/usr/share/polkit-1/
}

# An own branch of the control groups, however the machine has mounted them.
make_cgroup()
{
	mkdir -p $work/cgroup
	mount -t cgroup2 cgroup2 $work/cgroup || fail "cgroup2 cannot be mounted"
	cgroup=$work/cgroup/apmatrix-test.$BASHPID
	mkdir "$cgroup" || fail "no control group can be made in cgroup2"
}

prepare_root()
{
	local unit

	mkdir -p $work/up $work/overlay $host
	mount -t overlay overlay -o lowerdir=$installed:/,upperdir=$work/up,workdir=$work/overlay $host ||
		fail "no overlay of this machine's root directory can be mounted"
	# Nothing of what this machine has enabled, and nothing that looks for hardware.
	rm -rf $host/etc/systemd/system/*.wants $host/etc/apmatrix.d $host/var/log/journal
	for unit in systemd-udevd.service systemd-udev-trigger.service systemd-udev-settle.service \
		systemd-udevd-kernel.socket systemd-udevd-control.socket systemd-logind.service getty.target \
		systemd-resolved.service systemd-networkd.service systemd-binfmt.service systemd-firstboot.service \
		e2scrub_reap.service ldconfig.service systemd-update-done.service systemd-hwdb-update.service; do
		ln -sfn /dev/null $host/etc/systemd/system/$unit
	done
	mkdir -p $host/etc/apmatrix.d $host/etc/systemd/system/apmatrixd.service.d $host/etc/polkit-1/rules.d
	echo 0123456789abcdef0123456789abcdef >$host/etc/machine-id
	: >$host/etc/fstab
	# sd-device takes only the kernel's own sysfs for one, unless it is told.
	cat >$host/etc/systemd/system/apmatrixd.service.d/simfs.conf <<-END
		[Service]
		Environment=SYSTEMD_DEVICE_VERIFY_SYSFS=0 ASAN_OPTIONS=detect_leaks=0
	END
	# vfio_ap is the simulation's; what would be loaded is said in the journal.
	rm -f $host/usr/sbin/modprobe
	cat >$host/usr/sbin/modprobe <<-END
		#!/bin/sh
		echo "modprobe \$*"
		exit 1
	END
	chmod +x $host/usr/sbin/modprobe
	etc=$host/etc/apmatrix.d
}

# Mounts what a container manager mounts, and becomes systemd.  /sys is simfs's tree, with a place
# for the control groups.
enter()
{
	local node directory

	mount --make-rprivate /
	mount -t proc proc $host/proc
	mount --bind $root/proc/sys/kernel/osrelease $host/proc/sys/kernel/osrelease
	mount -t tmpfs -o mode=755 tmpfs $host/sys
	for directory in "$sys"/*/; do
		directory=${directory%/}
		mkdir -p "$host/sys/${directory##*/}"
		mount --bind "$directory" "$host/sys/${directory##*/}"
	done
	mkdir -p $host/sys/fs
	mountpoint -q $host/sys/fs && umount $host/sys/fs
	mkdir -p $host/sys/fs/cgroup
	mount -t cgroup2 cgroup2 $host/sys/fs/cgroup
	mount -t tmpfs -o mode=755 tmpfs $host/run
	# Without a sign of udevd sd-device listens to nothing.
	mkdir $host/run/udev
	: >$host/run/udev/control
	mount -t tmpfs tmpfs $host/tmp
	mount -t tmpfs -o mode=755 tmpfs $host/dev
	for node in null zero full random urandom tty; do
		: >$host/dev/$node
		mount --bind /dev/$node $host/dev/$node
	done
	mkdir $host/dev/pts $host/dev/shm
	mount -t devpts -o newinstance,ptmxmode=0666 devpts $host/dev/pts
	ln -s pts/ptmx $host/dev/ptmx
	mount -t tmpfs tmpfs $host/dev/shm
	cd $host || exit
	mkdir -p mnt
	pivot_root . mnt
	umount --lazy mnt
	exec env -i container=apmatrix PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		/lib/systemd/systemd --system --unit=multi-user.target --show-status=no
}

# on COMMAND...: runs it on the host
on()
{
	nsenter --target "$init" --mount --pid --ipc --uts --cgroup --root --wd env -i LC_ALL=C TERM=dumb \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

is_up() { [[ $(on systemctl is-system-running) =~ running|degraded ]]; }

# power_on KERNEL [HARDWARE_LINE...]
power_on()
{
	boot "$@"
	make_cgroup
	prepare_root
	export -f enter
	export host sys root
	(
		echo "$BASHPID" >"$cgroup/cgroup.procs" || exit
		exec unshare --mount --pid --fork --ipc --uts --cgroup --kill-child=KILL \
			bash -c enter </dev/null >>$work/console 2>&1
	) &
	leader=$!
	await pgrep --parent $leader --exact 'systemd'
	init=$(pgrep --parent $leader)
	await is_up
}

# As machine.sh, without its private bus: the host has its own.
build_machine()
{
	mkdir -p $work
	mount -t tmpfs tmpfs $work
	mkdir -p $etc $root/run $root/usr/lib
	mkfifo $work/ready $work/nothing
	exec {nothing}<>$work/nothing
	: >$work/writes
	: >$work/log
}

remove_cgroup()
{
	local n

	# The kernel takes a moment for the last process.
	for ((n = 0; n < 100; n++)); do
		find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null
		[[ -e $cgroup ]] || return 0
		read -rt 0.05 <&"$nothing" || :
	done
}

end_machine()
{
	local status=$?

	trap - EXIT
	if ((status != 0)) && [[ -n $init ]]; then
		on journalctl --no-pager -b -o short-monotonic -n 60 2>&1 | sed 's/^/#   /'
	fi
	((status != 0)) && [[ -e $work/console ]] && tail -n 20 $work/console | sed 's/^/#   console: /'
	if [[ -n $leader ]]; then
		kill -KILL "$leader" 2>/dev/null
		wait "$leader" 2>/dev/null
	fi
	if [[ -n $simfs ]]; then
		kill -KILL "$simfs" 2>/dev/null
		wait "$simfs" 2>/dev/null
	fi
	[[ -z $cgroup ]] || remove_cgroup
	umount --lazy $work
	exit $status
}

# ---- asking ---------------------------------------------------------------------------------

ctl() { on apmatrixctl --no-pager "$@"; }
unit() { on systemctl show --property="$1" --value "${2-apmatrixd.service}"; }
unit_is() { [[ $(unit "$1") == "$2" ]]; }
host_is() { ctl status | head -n 1 | grep -q "$1"; }
journal() { on journalctl --no-pager -b -u apmatrixd "$@"; }
journal_has() { journal -o cat | grep -qF -- "$1"; }
enable() { on systemctl enable --now --quiet apmatrixd || fail "systemctl enable --now apmatrixd failed"; }
