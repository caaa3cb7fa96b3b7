// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the distribution's kvm.ko would export if its configuration had VFIO_AP.  It is asked when
 * a guest enables the interrupts of a queue, and no guest here executes an instruction.
 */
#include <linux/kvm_host.h>

bool kvm_s390_is_gpa_in_memslot(struct kvm *kvm, gpa_t gpa);
bool kvm_s390_is_gpa_in_memslot(struct kvm *kvm, gpa_t gpa)
{
	WARN_ONCE(1, "a guest executed PQAP(AQIC)");
	return false;
}
