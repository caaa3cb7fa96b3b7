# shellcheck shell=sh disable=SC2034
# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced by every command of this directory: where things lie, how something is made only once, and packages of other
# suites and architectures without touching the machine's own apt.  Knows no kernel and no tier.
export LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
vm=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$vm/../.." && pwd)
cache=${APMATRIX_VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/apmatrix-vm}
case $cache in /*) ;; *) cache=$PWD/$cache ;; esac
cross=s390x-linux-gnu-
jobs=$(nproc)
kernels="5.10 6.1 6.12 7.2"

say() { echo "$(basename "$0"): $*" >&2; }
die() {
	say "$*"
	exit 1
}

# One setup at a time; the lock goes with the process.
lock_cache() {
	mkdir -p "$cache/stamps"
	exec 9>"$cache/lock"
	flock 9
}

# begin TEXT ... end: a step that takes long enough to be told about.
begin() {
	say "$*"
	started=$(date +%s)
}
end() { say "   $(($(date +%s) - started)) s"; }

# is_made NAME FILE...: was NAME made of these files as they are now?  made NAME FILE...: now it was.
digest() { cat "$@" | sha256sum; }
is_made() {
	name=$1
	shift
	[ "$(cat "$cache/stamps/$name" 2>/dev/null)" = "$(digest "$@")" ]
}
made() {
	name=$1
	shift
	digest "$@" >"$cache/stamps/$name"
}

# --- packages of other suites and architectures ----------------------------------------------------

# The Debian mirror that this machine's own apt uses.
mirror() {
	found=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | sort -u | head -n 1)
	[ -n "$found" ] || found=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -E '/debian/?$' | sort -u | head -n 1)
	[ -n "$found" ] || die "this machine's apt knows no Debian archive (apt-get indextargets shows none): add one to /etc/apt and run apt-get update"
	echo "$found"
}

# with_apt SUITE ARCHITECTURE COMMAND...: COMMAND sees SUITE for ARCHITECTURE alone.  Proxies and the like are still the
# machine's, because this is read after its own configuration.
with_apt() {
	suite=$1 architecture=$2 private=$cache/apt/$1-$2
	shift 2
	if [ ! -f "$private/ready" ]; then
		mkdir -p "$private/lists/partial" "$private/archives/partial" "$private/none.d"
		: >"$private/status"
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror) $suite main" >"$private/sources.list"
		cat >"$private/apt.conf" <<-END
			#clear APT::Architectures;
			APT::Architecture "$architecture";
			APT::Architectures "$architecture";
			APT::Default-Release "";
			APT::Sandbox::User "";
			Dir::State "$private";
			Dir::State::lists "$private/lists";
			Dir::State::status "$private/status";
			Dir::Cache "$private";
			Dir::Cache::archives "$private/archives";
			Dir::Etc::sourcelist "$private/sources.list";
			Dir::Etc::sourceparts "-";
			Dir::Etc::preferences "$private/none";
			Dir::Etc::preferencesparts "$private/none.d";
			Acquire::Languages "none";
		END
		APT_CONFIG=$private/apt.conf apt-get -qq update >&2
		: >"$private/ready"
	fi
	APT_CONFIG=$private/apt.conf "$@"
}

# unpack SUITE ARCHITECTURE DIRECTORY PACKAGE...: downloads, and unpacks below DIRECTORY.  Fails with DIRECTORY as it was.
unpack() {
	suite=$1 architecture=$2 directory=$3
	shift 3
	rm -rf "$directory.deb" "$directory.new"
	mkdir -p "$directory.deb" "$directory.new"
	(cd "$directory.deb" && with_apt "$suite" "$architecture" apt-get -qq download "$@" >&2) || {
		rm -rf "$directory.deb" "$directory.new"
		return 1
	}
	for package in "$directory.deb"/*.deb; do dpkg -x "$package" "$directory.new" || return 1; done
	rm -rf "$directory.deb" "$directory"
	mv "$directory.new" "$directory"
}

# --- initramfs -------------------------------------------------------------------------------------

# pack_initramfs DIRECTORY FILE
pack_initramfs() {
	(cd "$1" && find . | sort | cpio -o -H newc --quiet -R 0:0 | gzip -1) >"$2.new"
	mv "$2.new" "$2"
}

# The guest's busybox (static, s390x) in $cache/busybox.
get_busybox() {
	[ -x "$cache/busybox/busybox" ] && return
	unpack trixie s390x "$cache/busybox.package" busybox-static
	mkdir -p "$cache/busybox"
	cp "$(find "$cache/busybox.package" -type f -path '*/bin/busybox' | head -n 1)" "$cache/busybox/busybox"
	rm -rf "$cache/busybox.package"
}
