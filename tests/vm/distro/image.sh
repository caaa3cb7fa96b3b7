# shellcheck shell=sh disable=SC2086,SC2016,SC2154
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The root file system: Debian 13 for s390x with what a KVM host has.  apmatrixd is not in it: a case installs it, as an
# administrator would.  Sourced by setup-distro.
#
# Maintainer scripts would have to run under emulation, for half an hour on a busy machine.  They are not run: the packages
# are unpacked, dpkg's database says what is there, and ./configure and systemd's own first-boot tools (sysusers, presets,
# tmpfiles) do what is needed of them.
#
# systemd-container brings machined; jq, strace and python3 are for the cases.
image_packages="systemd systemd-sysv systemd-container udev dbus polkitd kmod procps iproute2 mount passwd login
	s390-tools mdevctl python3 jq strace mawk
	qemu-system-s390x libvirt-daemon-system libvirt-daemon-driver-qemu libvirt-clients
	libsystemd0 libuuid1 libinih1 libjson-c5 libxml2"
distro_root=$cache/distro-root
kernel=$cache/kernel-6.12
out=$cache/distro

root_tree() {
	echo "$image_packages" >"$cache/distro-packages"
	is_made distro-root "$cache/distro-packages" "$vm/distro/archive.sh" "$vm/distro/unpack" && return
	[ "$(id -u)" = 0 ] || die "the image needs root, for the owners of its files"
	begin "a Debian 13 root for s390x: packages"
	archive_fill $image_packages
	end
	begin "a Debian 13 root for s390x: unpacking"
	rm -rf "$distro_root"
	mkdir -p "$distro_root"
	archive_files $image_packages >"$cache/distro-files"
	"$vm/distro/unpack" "$distro_root" $(grep /base-files_ "$cache/distro-files") $(grep -v /base-files_ "$cache/distro-files")
	echo s390x >"$distro_root/var/lib/dpkg/arch"
	made distro-root "$cache/distro-packages" "$vm/distro/archive.sh" "$vm/distro/unpack"
	end
}

# The kernel needs virtio_blk and ext4 to find its root, and both are modules.
initramfs() {
	tree=$cache/distro-initramfs
	rm -rf "$tree"
	mkdir -p "$tree/bin" "$tree/proc" "$tree/sys" "$tree/dev" "$tree/root"
	cp "$cache/busybox/busybox" "$tree/bin/busybox"
	for command in sh mount modprobe switch_root sleep; do ln -s busybox "$tree/bin/$command"; done
	kernel_pick 6.12 "$tree" qemu_text virtio_blk ext4 crc32c_generic
	cp "$vm/distro/init" "$tree/init"
	chmod +x "$tree/init" "$tree/bin/busybox"
	pack_initramfs "$tree" "$1"
	rm -rf "$tree"
}

root_image() {
	release=$(cat "$kernel/release")
	set -- "$vm"/distro/*.sh "$vm"/distro/configure "$vm"/distro/init "$cache/stamps/modules-6.12" "$cache/stamps/apmatrix-6.12" "$cache/stamps/distro-root"
	is_made distro-image "$@" && return
	begin "the image"
	mkdir -p "$out"
	m=$distro_root/usr/lib/modules/$release
	rm -rf "$m"
	mkdir -p "$distro_root/usr/lib/modules"
	cp -a "$kernel/package/usr/lib/modules/$release" "$m"
	mkdir -p "$m/extra"
	for o in "$kernel"/modules/*.ko; do ${cross}strip -g -o "$m/extra/$(basename "$o")" "$o"; done
	depmod -b "$distro_root" "$release"
	sh "$vm/distro/configure" "$distro_root"
	rm -f "$out/root.ext4"
	mkfs.ext4 -q -L root -O ^has_journal -d "$distro_root" "$out/root.ext4" 2G
	initramfs "$out/initrd"
	cp "$kernel/image" "$out/kernel"
	made distro-image "$@"
	end
}

# The project as it is committed, in the packages that users get.
project_packages() {
	commit=$(git -C "$top" rev-parse HEAD)
	[ "$(cat "$out/packages/commit" 2>/dev/null)" = "$commit" ] && return
	"$top/tools/install-packages" package
	begin "the project's packages"
	rm -rf "$out/packages"
	mkdir -p "$out/packages"
	"$top/packaging/build-deb" --arch=s390x "$out/packages" >"$out/packages.log" 2>&1 || {
		tail -n 20 "$out/packages.log" >&2
		die "the project's packages for s390x do not build"
	}
	echo "$commit" >"$out/packages/commit"
	end
}
