/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a scan saw, as a value: its names for people, its mdevs in order, and the kernel's rule of
 * who may use a queue.  It does not know how anything was read.
 */
#include "core/observed.h"

#include <assert.h>

static const char *const card_mode_table[] = {
	[CARD_UNKNOWN] = "unknown",
	[CARD_ACCELERATOR] = "accelerator",
	[CARD_CCA] = "cca",
	[CARD_EP11] = "ep11",
};
DEFINE_STRTAB(card_mode, enum card_mode)

static const char *const attach_state_table[] = {
	[ATTACH_UNKNOWN] = "unknown",
	[ATTACH_NO] = "detached",
	[ATTACH_YES] = "attached",
};
DEFINE_STRTAB(attach_state, enum attach_state)

static const char *const attach_source_table[] = {
	[ATTACH_FROM_NOTHING] = "none",
	[ATTACH_FROM_MODULE] = "module",
	[ATTACH_FROM_FDINFO] = "fdinfo",
	[ATTACH_FROM_PROC] = "proc",
	[ATTACH_FROM_STATUS] = "status",
};
DEFINE_STRTAB(attach_source, enum attach_source)

static const char *const attach_confidence_table[] = {
	[CONFIDENCE_NONE] = "none",
	[CONFIDENCE_LIKELY] = "likely",
	[CONFIDENCE_CERTAIN] = "certain",
};
DEFINE_STRTAB(attach_confidence, enum attach_confidence)

static const char *const queue_owner_table[] = {
	[QUEUE_GONE] = "gone",
	[QUEUE_HOST] = "host",
	[QUEUE_VFIO] = "vfio",
	[QUEUE_UNBOUND] = "unbound",
};
DEFINE_STRTAB(queue_owner, enum queue_owner)

const char *kernel_feature_name(unsigned flag)
{
	switch (flag) {
	case FEATURE_AP_CONFIG:
		return "ap_config";
	case FEATURE_GUEST_MATRIX:
		return "guest_matrix";
	case FEATURE_DRIVER_OVERRIDE:
		return "driver_override";
	case FEATURE_STRICT_MASKS:
		return "strict_masks";
	case FEATURE_MODULE:
		return "module";
	default:
		return NULL;
	}
}

const char *kernel_hazard_name(unsigned flag)
{
	switch (flag) {
	case HAZARD_MATRIX_OVERRUN:
		return "matrix-overrun";
	case HAZARD_UNATTACHED_CONFIG:
		return "unattached-config-change";
	case HAZARD_REFUSED_OPEN:
		return "refused-open";
	default:
		return NULL;
	}
}

const char *kernel_hazard_text(unsigned flag)
{
	switch (flag) {
	case HAZARD_MATRIX_OVERRUN:
		return "Reading the matrix or guest_matrix attribute of a mediated device with 512 "
		       "or more queues overruns a page of kernel memory and may crash the host; "
		       "give no matrix more than 511 queues on this kernel.";
	case HAZARD_UNATTACHED_CONFIG:
		return "Adding or removing an adapter or domain of the host's AP configuration may "
		       "crash this kernel while a mediated device exists that no guest has "
		       "attached; stop unattached matrices before such a change, or make them "
		       "with Start=guest.";
	case HAZARD_REFUSED_OPEN:
		return "This kernel refuses to attach a second matrix to a guest only after it has "
		       "damaged the interrupt handling of the first one; never give a guest two "
		       "matrices.";
	default:
		return NULL;
	}
}

struct observed *observed_new(void)
{
	return calloc(1, sizeof(struct observed));
}

void observed_free(struct observed *o)
{
	if (!o)
		return;
	free(o->mdevs);
	free(o);
}

/* Where the mdev is, or else would have to be inserted. */
static size_t mdev_position(const struct observed *o, const char *uuid, bool *ret_found)
{
	size_t low = 0, high = o->n_mdevs;

	*ret_found = false;
	/* A tree read in order is the common case, and then the place is the end. */
	if (high > 0 && strcmp(o->mdevs[high - 1].uuid, uuid) < 0)
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(o->mdevs[middle].uuid, uuid);

		if (order == 0) {
			*ret_found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* An mdev that is there already is reset, so that each UUID occurs once. */
struct observed_mdev *observed_add_mdev(struct observed *o, const char *uuid)
{
	size_t length = strlen(uuid);
	bool found;
	size_t at = mdev_position(o, uuid, &found);

	assert(length < UUID_SIZE);
	if (!found) {
		struct observed_mdev *mdevs =
			reallocarray(o->mdevs, o->n_mdevs + 1, sizeof(*mdevs));

		if (!mdevs)
			return NULL;
		o->mdevs = mdevs;
		memmove(mdevs + at + 1, mdevs + at, (o->n_mdevs - at) * sizeof(*mdevs));
		o->n_mdevs++;
	}

	struct observed_mdev *m = &o->mdevs[at];

	*m = (struct observed_mdev){.vfio_group = -1};
	memcpy(m->uuid, uuid, length);
	return m;
}

struct observed_mdev *observed_find_mdev(const struct observed *o, const char *uuid)
{
	bool found;
	size_t at = mdev_position(o, uuid, &found);

	return found ? &o->mdevs[at] : NULL;
}

enum queue_owner observed_owner(const struct observed *o, unsigned adapter, unsigned domain)
{
	if (!queues_test(&o->present, adapter, domain))
		return QUEUE_GONE;
	if (queues_test(&o->vfio, adapter, domain))
		return QUEUE_VFIO;
	if (queues_test(&o->host, adapter, domain))
		return QUEUE_HOST;
	return QUEUE_UNBOUND;
}

bool observed_reserved_for_vfio(const struct observed *o, unsigned adapter, unsigned domain)
{
	/* An override counts before the masks, but until the queue is rebound the kernel judges
	 * by the driver that it has. */
	if (queues_test(&o->present, adapter, domain) && queues_test(&o->override, adapter, domain))
		return !queues_test(&o->host, adapter, domain);
	return !mask_test(&o->apmask, adapter) || !mask_test(&o->aqmask, domain);
}

static bool card_equal(const struct observed_card *a, const struct observed_card *b)
{
	return a->hwtype == b->hwtype && a->mode == b->mode && a->config == b->config &&
		a->chkstop == b->chkstop && a->online == b->online;
}

static bool mdev_equal(const struct observed_mdev *a, const struct observed_mdev *b)
{
	return strcmp(a->uuid, b->uuid) == 0 && a->assigned_known == b->assigned_known &&
		a->guest_known == b->guest_known && matrix_equal(&a->assigned, &b->assigned) &&
		matrix_equal(&a->guest, &b->guest) && a->vfio_group == b->vfio_group &&
		strcmp(a->vfio_cdev, b->vfio_cdev) == 0 && a->attach == b->attach &&
		a->attach_source == b->attach_source &&
		a->attach_confidence == b->attach_confidence && a->vm_pid == b->vm_pid &&
		a->attached_since == b->attached_since && a->attach_count == b->attach_count &&
		a->attach_seq == b->attach_seq && strcmp(a->vm_name, b->vm_name) == 0;
}

static bool bus_equal(const struct observed *a, const struct observed *b)
{
	for (unsigned i = 0; i < MASK_BITS; i++)
		if (!card_equal(&a->card[i], &b->card[i]))
			return false;
	return mask_equal(&a->apmask, &b->apmask) && mask_equal(&a->aqmask, &b->aqmask) &&
		mask_equal(&a->host_adapters, &b->host_adapters) &&
		mask_equal(&a->host_domains, &b->host_domains) &&
		mask_equal(&a->host_control_domains, &b->host_control_domains) &&
		mask_equal(&a->cards, &b->cards) && a->max_adapter == b->max_adapter &&
		a->max_domain == b->max_domain;
}

bool observed_equal(const struct observed *a, const struct observed *b)
{
	if (a->complete != b->complete || strcmp(a->incomplete, b->incomplete) != 0 ||
		a->has_ap_bus != b->has_ap_bus || a->has_matrix_device != b->has_matrix_device ||
		strcmp(a->release, b->release) != 0 || a->features != b->features ||
		a->hazards != b->hazards || a->n_mdevs != b->n_mdevs || !bus_equal(a, b))
		return false;
	for (size_t i = 0; i < a->n_mdevs; i++)
		if (!mdev_equal(&a->mdevs[i], &b->mdevs[i]))
			return false;
	return queues_equal(&a->present, &b->present) && queues_equal(&a->vfio, &b->vfio) &&
		queues_equal(&a->host, &b->host) && queues_equal(&a->in_use, &b->in_use) &&
		queues_equal(&a->override, &b->override) &&
		queues_equal(&a->override_other, &b->override_other);
}
