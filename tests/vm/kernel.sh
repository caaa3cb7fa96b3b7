# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced after common.sh: a kernel of the archive, unmodified, with the modules that its distribution leaves out.
# Debian builds the AP bus in (where it gives up at boot, for want of the instructions) and has no VFIO_AP; so the bus,
# zcrypt, mdev and vfio_ap (and vfio where it is missing too) are built beside the kernel out of the same source package.
#
# A kernel of which the archive has the source alone, and one that watches itself (VERSION-debug), is built here, from
# config/; what follows is then the same.
#
#   $cache/kernel-VERSION/release     its name, "6.12.107+deb13-s390x"
#   $cache/kernel-VERSION/image       what is booted
#   $cache/kernel-VERSION/package     linux-image and linux-headers, unpacked; or what "make modules_install" made
#   $cache/kernel-VERSION/source      linux-source, without what nothing here needs
#   $cache/kernel-VERSION/build       its build tree (kmake)
#   $cache/kernel-VERSION/modules     the modules built here: apsim, apbus, zcrypt, mdev, vfio_ap, ...
#   $cache/kernel-VERSION/cdev        7.2: those of VFIO once more, with iommufd and a device node for each device

kernel_suite() {
	case $1 in
	5.10 | 5.10-debug) echo bullseye ;;
	6.1) echo bookworm ;;
	6.12 | 6.12-debug) echo trixie ;;
	7.2) echo sid ;;
	*) die "no kernel is called '$1'; there are $kernels, 5.10-debug and 6.12-debug" ;;
	esac
}

# kernel_configs VERSION: what its configuration is made of; nothing where it is the package's.
kernel_configs() {
	case $1 in
	*-debug) echo "$vm/config/small" "$vm/config/${1%-debug}" "$vm/config/debug" ;;
	5.10) echo "$vm/config/small" "$vm/config/$1" ;;
	esac
}

# kernel_make VERSION ARGUMENT...
# Of what the compiler of Debian 12 lacks, one thing moves the members of a structure: 7.2's stack protector, which has a canary
# in struct task_struct.  Without this a module would read the process's name beside it.
kernel_make() {
	dir=$cache/kernel-$1
	case $1 in
	7.2) set -- "$@" KCFLAGS=-DCONFIG_STACKPROTECTOR=1 ;;
	esac
	shift
	make -s -C "$dir/build" ARCH=s390 CROSS_COMPILE=$cross KERNELRELEASE="$(cat "$dir/release")" "$@"
}

# The archive's index may be ahead of what the mirror has: take the newest that can be had as a whole.
kernel_download() {
	version=$1 dir=$cache/kernel-$1 from=$(kernel_suite "$1")
	begin "kernel $version: packages from $from"
	mkdir -p "$dir"
	for image in $(with_apt "$from" s390x apt-cache search --names-only "^linux-image-$version[.].*-s390x\$" | sed 's/ .*//' | sort -rV); do
		release=${image#linux-image-}
		exact=$(with_apt "$from" s390x apt-cache show "$image" | sed -n 's/^Version: //p' | head -n 1)
		set -- "$image" "linux-headers-$release" "linux-source-$version=$exact"
		for part in binary modules base; do # since 7.x the image is in parts
			! with_apt "$from" s390x apt-cache show "linux-$part-$release" >/dev/null 2>&1 || set -- "$@" "linux-$part-$release"
		done
		unpack "$from" s390x "$dir/package" "$@" || continue
		cp "$(find "$dir/package" -name 'vmlinuz*' -type f | head -n 1)" "$dir/image"
		echo "$release" >"$dir/release.new"
		break
	done
	[ -f "$dir/release.new" ] || die "the mirror has no complete set of linux-image, linux-headers and linux-source $version for s390x in $from"
	end
}

# All of the source that "make modules_prepare" and modules below drivers/s390 and drivers/vfio need; every Kconfig and
# Makefile stays, so that the package's configuration means the same.
kernel_unpack_source() {
	dir=$cache/kernel-$1
	begin "kernel $1: source"
	rm -rf "$dir/source"
	mkdir -p "$dir/source"
	tar -xJf "$dir/package/usr/src/linux-source-$1.tar.xz" -C "$dir/source" --strip-components=1 \
		--exclude='*/Documentation/*.rst' --exclude='*/tools/testing/*' --exclude='*.dts*' --exclude='*/sound/*.[ch]' \
		--exclude='*/fs/*.c' --exclude='*/net/*.c' --exclude='*/drivers/[a-hj-rt-u]*/*.[ch]'
	rm -f "$dir/package/usr/src/linux-source-$1.tar.xz"
	end
}

# A source package is of no architecture, and bullseye has none for s390x any more: it is asked for as another one's.
kernel_download_source() {
	from=$(kernel_suite "$1")
	begin "kernel $1: source package from $from"
	mkdir -p "$cache/kernel-$1"
	for exact in $(with_apt "$from" amd64 apt-cache show "linux-source-${1%-debug}" | sed -n 's/^Version: //p' | sort -rV); do
		! unpack "$from" amd64 "$cache/kernel-$1/package" "linux-source-${1%-debug}=$exact" || break
	done
	[ -d "$cache/kernel-$1/package" ] || die "the mirror has no linux-source-${1%-debug} in $from"
	end
}

kernel_unpack_all() {
	dir=$cache/kernel-$1
	begin "kernel $1: source"
	rm -rf "$dir/source" "$dir/source.new"
	mkdir -p "$dir/source.new"
	tar -xJf "$dir/package/usr/src/linux-source-${1%-debug}.tar.xz" -C "$dir/source.new" --strip-components=1 \
		--exclude='*/Documentation/*.rst' --exclude='*/tools/testing/*' --exclude='*.dts*' --exclude='*/sound/*.[ch]' \
		--exclude='*/arch/[a-rt-z]*/*.[chS]' --exclude='*/drivers/gpu/*.[ch]' --exclude='*/drivers/infiniband/*.[ch]' \
		--exclude='*/drivers/media/*.[ch]' --exclude='*/drivers/net/*/*.[ch]' --exclude='*/drivers/scsi/*.[ch]' \
		--exclude='*/drivers/staging/*.[ch]' --exclude='*/drivers/usb/*.[ch]'
	mv "$dir/source.new" "$dir/source"
	rm -rf "$dir/package/usr/src"
	end
}

# The small kernel of config/, with its modules where those of a package are.  The compiler is newer than the sources
# and warns of much: that goes to the log.
kernel_build() {
	version=$1 dir=$cache/kernel-$1
	begin "kernel $version: built"
	rm -rf "$dir/build" "$dir/package/lib" "$dir/release"
	mkdir -p "$dir/build"
	set -- -s -C "$dir/source" O="$dir/build" ARCH=s390 CROSS_COMPILE=$cross -j"$jobs"
	# shellcheck disable=SC2046 # a list of files
	awk '!said[$0]++' $(kernel_configs "$version") >"$dir/config"
	KCONFIG_ALLCONFIG=$dir/config make "$@" allnoconfig
	while read -r line; do
		case $line in CONFIG_*=n | '#'* | '') continue ;; esac
		grep -qxF "$line" "$dir/build/.config" || die "kernel $version does not take $line"
	done <"$dir/config"
	make "$@" bzImage modules >"$dir/log" 2>&1 || {
		tail -n 30 "$dir/log" >&2
		die "kernel $version does not build"
	}
	make "$@" INSTALL_MOD_PATH="$dir/package" modules_install
	cp "$dir/build/arch/s390/boot/bzImage" "$dir/image"
	find "$dir/build" -name '*.o' ! -path "$dir/build/scripts/*" -delete
	make "$@" kernelrelease >"$dir/release.new"
	mv "$dir/release.new" "$dir/release"
	# shellcheck disable=SC2046 # a list of files
	made "kernel-$version" $(kernel_configs "$version")
	end
}

# The build tree has the package's own configuration and symbol versions; what differs is the compiler.
kernel_prepare() {
	dir=$cache/kernel-$1
	begin "kernel $1: build tree"
	rm -rf "$dir/build"
	mkdir -p "$dir/build"
	release=$(cat "$dir/release.new")
	find "$dir/package" -type f \( -name "config-$release" -o -path "*/modules/$release/config" \) -exec cp {} "$dir/build/.config" \;
	cp "$dir/package/usr/src/linux-headers-$release/Module.symvers" "$dir/build/"
	set -- -s -C "$dir/source" O="$dir/build" ARCH=s390 CROSS_COMPILE=$cross KERNELRELEASE="$release" -j"$jobs"
	make "$@" olddefconfig
	make "$@" modules_prepare
	mv "$dir/release.new" "$dir/release"
	end
}

# What vmlinux exports already for its own, idle AP bus must have another name in ours.
kernel_rename_header() {
	sed -nE 's/^EXPORT_SYMBOL(_GPL)?\(([a-z_0-9]+)\).*/#define \2 bench_\2/p' "$1"/ap_*.c | sort -u
}

kernel_modules() {
	version=$1 dir=$cache/kernel-$1 out=$cache/kernel-$1/modules
	# shellcheck disable=SC2046 # a list of files
	set -- "$vm"/apsim/* "$vm"/apmods/* "$vm/kernel.sh" "$dir/release" $(kernel_configs "$version")
	is_made "modules-$version" "$@" && return
	begin "kernel $version: modules of the AP bus, zcrypt, vfio_ap and apsim"
	rm -rf "$out"
	mkdir -p "$out"
	cp "$dir"/source/drivers/s390/crypto/ap_*.[ch] "$dir"/source/drivers/s390/crypto/zcrypt_*.[ch] \
		"$dir"/source/drivers/s390/crypto/vfio_ap_*.[ch] "$dir"/source/drivers/vfio/*.[ch] \
		"$dir"/source/drivers/vfio/mdev/*.[ch] "$out/"
	cp "$vm"/apsim/*.[ch] "$vm"/apmods/* "$out/"
	# vmlinux exports the bus's tracepoints already, and their names are in too many macros to be renamed
	sed -i '/^EXPORT_TRACEPOINT_SYMBOL(s390_ap_/d' "$out"/ap_*.c
	# a bus that could not be a module may not know how to begin as one
	sed -i 's|^#include <linux/init.h>$|&\n#include <linux/module.h>|' "$out/ap_bus.c"
	kernel_rename_header "$out" >"$out/rename.h"
	kernel_make "$version" -j"$jobs" M="$out" modules
	rm -f "$out"/*.o "$out"/.*.cmd
	made "modules-$version" "$@"
	end
}

# Everything of VERSION up to its modules, from nothing or from what is there.
kernel_get() {
	if [ -n "$(kernel_configs "$1")" ]; then
		[ -d "$cache/kernel-$1/source" ] || {
			kernel_download_source "$1"
			kernel_unpack_all "$1"
		}
		# shellcheck disable=SC2046 # a list of files
		is_made "kernel-$1" $(kernel_configs "$1") || kernel_build "$1"
	elif [ ! -f "$cache/kernel-$1/release" ]; then
		kernel_download "$1"
		kernel_unpack_source "$1"
		kernel_prepare "$1"
	fi
	kernel_modules "$1"
}

# Distributions leave iommufd and VFIO's device nodes out, and with them the way by which newer virtual machines open a
# device.  Three things are to be known: iommufd.c of VFIO and the module iommufd cannot be in one directory, some structures
# have a member more (so everything that knows them is built again), and vmlinux has not all of lib/interval_tree.c.
kernel_cdev() {
	version=$1 dir=$cache/kernel-$1 out=$cache/kernel-$1/cdev
	set -- "$vm"/cdev/* "$vm/kernel.sh" "$dir/release" "$cache/stamps/modules-$1" "$top"/kmod/*.[ch] "$top/kmod/Kbuild"
	is_made "cdev-$version" "$@" && return
	begin "kernel $version: VFIO with iommufd and device nodes"
	rm -rf "$out"
	mkdir -p "$out/modules" "$out/iommu/iommufd" "$out/vfio" "$out/apmatrix"
	cp "$dir/source/drivers/iommu/iommu-priv.h" "$out/iommu/"
	cp "$dir"/source/drivers/iommu/iommufd/*.[ch] "$dir/source/lib/interval_tree.c" "$out/iommu/iommufd/"
	cp "$vm/cdev/iommufd.Kbuild" "$out/iommu/iommufd/Kbuild"
	cp "$dir"/source/drivers/vfio/*.[ch] "$dir"/source/drivers/vfio/mdev/*.[ch] "$dir"/modules/ap_*.h "$dir"/modules/zcrypt_*.h \
		"$dir"/modules/vfio_ap_*.[ch] "$dir/modules/rename.h" "$out/vfio/"
	cp "$vm/cdev/vfio.Kbuild" "$out/vfio/Kbuild"
	cp "$top"/kmod/*.[ch] "$out/apmatrix/"
	cat "$vm/cdev/flags.Kbuild" "$top/kmod/Kbuild" >"$out/apmatrix/Kbuild"
	cp "$vm/cdev/flags.Kbuild" "$out/iommu/iommufd/"
	cp "$vm/cdev/flags.Kbuild" "$out/vfio/"
	symbols=$dir/modules/Module.symvers
	for part in iommu/iommufd vfio apmatrix; do
		kernel_make "$version" -j"$jobs" M="$out/$part" KBUILD_EXTRA_SYMBOLS="$symbols" modules
		symbols="$out/$part/Module.symvers $symbols"
		cp "$out/$part"/*.ko "$out/modules/"
		rm -f "$out/$part"/*.o "$out/$part"/.*.cmd
	done
	made "cdev-$version" "$@"
	end
}

# kernel_pick VERSION DIRECTORY MODULE...: these and what they depend on, ours before the package's, uncompressed, as
# DIRECTORY/lib/modules/RELEASE.  From $prefer (a directory), if it has one.
kernel_pick() {
	version=$1 dir=$cache/kernel-$1 to=$2
	release=$(cat "$dir/release")
	to=$to/lib/modules/$release
	shift 2
	mkdir -p "$to"
	while [ $# -gt 0 ]; do
		module=$1
		shift
		[ ! -e "$to/$module.ko" ] || continue
		if [ -e "${prefer:-/nowhere}/$module.ko" ]; then
			${cross}strip -g -o "$to/$module.ko" "$prefer/$module.ko"
		elif [ -e "$dir/modules/$module.ko" ]; then
			${cross}strip -g -o "$to/$module.ko" "$dir/modules/$module.ko"
		else
			# a file of modules is named with "-" or "_"
			file=$(find "$dir/package" -path "*/modules/$release/kernel/*" -name "$(echo "$module" | sed 's/[-_]/[-_]/g').ko*" | head -n 1)
			[ -n "$file" ] || continue # built in
			case $file in
			*.xz) xz -dc "$file" >"$to/$module.ko" ;;
			*) cp "$file" "$to/$module.ko" ;;
			esac
		fi
		# shellcheck disable=SC2046 # a list of names
		set -- "$@" $(modinfo -F depends "$to/$module.ko" | tr ',-' ' _')
	done
	for list in modules.builtin modules.order modules.builtin.modinfo; do
		find "$dir/package" -path "*/modules/$release/$list" -exec cp {} "$to/" \;
	done
	depmod -b "$to/../../.." "$release"
}
