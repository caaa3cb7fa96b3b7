# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Where the image's packages come from: a private apt for s390x, so that the host's own configuration
# and its list of installed packages stay out of it.  Sourced by setup-distro, after common.sh.
#
# A mirror may be ahead of itself: its index names versions that its pool does not have (seen for days
# after a point release, for s390x alone).  What is not there is ruled out by version, and comes from
# the next suite; what then goes with it is taken from there too.  Everything stays authenticated by apt.
image_suite=trixie next_suite=forky
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
archive=$cache/distro-apt

sources() {
	mirror=$(mirror)
	printf "deb [signed-by=$keyring] %s %s main\n" "$mirror" $image_suite "$mirror" $next_suite
}

# pin FILE PACKAGE WHICH PRIORITY
pin() {
	printf 'Package: %s\nPin: %s\nPin-Priority: %s\n\n' "$2" "$3" "$4" >>"$archive/preferences.d/$1"
}

archive_open() {
	if [ ! -f "$archive/ready" ]; then
		rm -rf "$archive"
		mkdir -p "$archive/lists/partial" "$archive/archives/partial" "$archive/preferences.d"
		: >"$archive/status"
		sources >"$archive/sources.list"
		pin 10-suites '*' "release n=$next_suite" 90
		cat >"$archive/apt.conf" <<-END
			#clear APT::Architectures;
			APT::Architecture "s390x";
			APT::Architectures "s390x";
			APT::Sandbox::User "root";
			APT::Install-Recommends "false";
			Dir::State "$archive";
			Dir::State::status "$archive/status";
			Dir::Cache "$archive";
			Dir::Etc::sourcelist "$archive/sources.list";
			Dir::Etc::sourceparts "-";
			Dir::Etc::preferences "-";
			Dir::Etc::preferencesparts "$archive/preferences.d";
			Acquire::Languages "none";
			Acquire::Check-Valid-Until "false";
		END
		foreign apt-get -q update >&2
		: >"$archive/ready"
	fi
}

foreign() { APT_CONFIG=$archive/apt.conf "$@"; }

# What apt could not fetch, as lines "PACKAGE VERSION".
missing_of() {
	sed -nE 's,^E: Failed to fetch .*/([^/_]+)_([^_]+)_[^_]+\.deb .* 404 .*,\1 \2,p' "$1" |
		sed 's/%2b/+/g; s/%7e/~/g; s/%3a/:/g'
}

# archive_fill PACKAGE...: these, all that they need, and what every root has lie in $archive/archives
archive_fill() {
	log=$archive/fill.log
	set -- '?essential' "$@"
	for round in 1 2 3 4 5 6; do
		if foreign apt-get -qy --download-only install "$@" >"$log" 2>&1; then
			return 0
		fi
		missing_of "$log" | while read -r package version; do
			say "   not in the mirror: $package $version"
			pin "20-missing" "$package" "version *$version" -1
		done
		grep -oE '(Depends|Breaks|PreDepends): [^ ]+ \(' "$log" | cut -d' ' -f2 | sort -u |
			while read -r package; do pin "30-with-it-$round" "$package" "release n=$next_suite" 990; done
	done
	tail -n 20 "$log" >&2
	die "the archive does not have what the image needs"
}

# archive_files PACKAGE...: the files of what archive_fill got, those of suites ruled out meanwhile left out
archive_files() {
	foreign apt-get -qq --simulate install '?essential' "$@" | sed -nE 's/^Inst ([^ ]+) \(([^ ]+) .*/\1_\2_/p' | sed 's/:/%3a/' |
		while read -r start; do ls "$archive/archives/$start"*.deb; done
}
