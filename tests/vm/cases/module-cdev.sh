#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: fast
# kernels: 7.2
# needs: cdev
# files: tests/vm/cases/module-events.sh
# The same as module-events where there is iommufd too: a device is opened by its node, and by its group.
[ -e /dev/iommu ] || modprobe iommufd
[ -e /dev/iommu ] || {
	echo "FAILED: there is no /dev/iommu"
	exit 1
}
# shellcheck source=tests/vm/cases/module-events.sh
. /bench/module-events.sh
