# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced after common.sh: this project built for s390x with the cross compiler and installed by its own install step.
#
#   $cache/sysroot         libraries of Debian 12 for s390x, to link with and to run on
#   $cache/project/build   meson's build directory
#   $cache/project/root    what "meson install" made, and where a guest has nothing, the libraries beside it

sysroot_libraries=usr/lib/s390x-linux-gnu
sysroot_packages="libsystemd-dev libsystemd0 uuid-dev libuuid1 libinih-dev libinih1 libjson-c-dev libjson-c5 libxml2-dev
	libxml2 libc6 libgcc-s1 libstdc++6 libcap2 liblzma5 libzstd1 liblz4-1 libgcrypt20 libgpg-error0 libicu72 zlib1g
	dbus-daemon dbus-bin dbus-system-bus-common libdbus-1-3 libexpat1 libapparmor1 libaudit1 libcap-ng0 libselinux1 libpcre2-8-0
	mdevctl systemd libsystemd-shared libacl1 libblkid1 libcrypt1 libip4tc2 libkmod2 libmount1 libpam0g libseccomp2 libssl3"

get_sysroot() {
	[ "$(cat "$cache/sysroot/ready" 2>/dev/null)" = "$sysroot_packages" ] && return
	begin "libraries of s390x"
	# shellcheck disable=SC2086 # a list of names
	unpack bookworm s390x "$cache/sysroot" $sysroot_packages
	# one place for libraries, as on a system with merged /usr
	cp -a "$cache/sysroot/lib/." "$cache/sysroot/usr/lib/"
	rm -rf "$cache/sysroot/lib"
	ln -s usr/lib "$cache/sysroot/lib"
	cp "$cache/sysroot/$sysroot_libraries/systemd/"*.so "$cache/sysroot/$sysroot_libraries/"
	echo "$sysroot_packages" >"$cache/sysroot/ready"
	end
}

cross_file() {
	cat <<-END
		[binaries]
		c = '${cross}gcc'
		ar = '${cross}ar'
		strip = '${cross}strip'
		pkgconfig = 'pkg-config'
		[properties]
		sys_root = '$cache/sysroot'
		pkg_config_libdir = '$cache/sysroot/$sysroot_libraries/pkgconfig:$cache/sysroot/usr/share/pkgconfig'
		[built-in options]
		c_link_args = ['-Wl,-rpath-link,$cache/sysroot/$sysroot_libraries']
		[host_machine]
		system = 'linux'
		cpu_family = 's390x'
		cpu = 's390x'
		endian = 'big'
	END
}

project_sources() {
	find "$top/daemon" "$top/ctl" "$top/libvirt" "$top/mdevctl" "$top/dbus" "$top/systemd" "$top/conf" "$top/docs/man" \
		"$top/meson.build" "$top/meson_options.txt" "$vm/cross.sh" -type f | sort
}

# build_project: in $cache/project/root what is installed on s390x
build_project() {
	get_sysroot
	# shellcheck disable=SC2046 # no blanks in the tree
	set -- $(project_sources)
	is_made project "$@" && return
	begin "the project for s390x"
	mkdir -p "$cache/project"
	cross_file >"$cache/project/cross"
	if [ -f "$cache/project/build/build.ninja" ]; then reconfigure=--reconfigure; else reconfigure=; fi
	meson setup $reconfigure --cross-file "$cache/project/cross" --prefix=/usr --sysconfdir=/etc -Dtests=false \
		"$cache/project/build" "$top" >"$cache/project/log" 2>&1 || {
		cat "$cache/project/log" >&2
		die "the project cannot be configured for s390x"
	}
	ninja -C "$cache/project/build" >"$cache/project/log" 2>&1 || {
		tail -n 30 "$cache/project/log" >&2
		die "the project does not build for s390x"
	}
	rm -rf "$cache/project/root"
	DESTDIR=$cache/project/root meson install -C "$cache/project/build" --no-rebuild --strip --quiet
	made project "$@"
	end
}

# libraries_for DIRECTORY: copies what the programs of DIRECTORY need, and the loader, from the sysroot into it
libraries_for() {
	directory=$1
	mkdir -p "$directory/$sysroot_libraries" "$directory/lib"
	cp -L "$cache/sysroot/usr/lib/ld64.so.1" "$directory/lib/ld64.so.1"
	while :; do
		needed=$(find "$directory" -type f \( -perm -100 -o -name '*.so*' \) -exec ${cross}readelf -d {} + 2>/dev/null |
			sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort -u)
		copied=
		for library in $needed; do
			[ ! -e "$directory/$sysroot_libraries/$library" ] || continue
			[ "$library" != ld64.so.1 ] || continue
			[ -e "$cache/sysroot/$sysroot_libraries/$library" ] || die "the sysroot has no $library"
			cp -L "$cache/sysroot/$sysroot_libraries/$library" "$directory/$sysroot_libraries/$library"
			copied=1
		done
		[ -n "$copied" ] || break
	done
}
