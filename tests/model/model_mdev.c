/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vfio_ap's mediated devices (vfio_ap_ops.c): create and remove, the stores of their attributes,
 * and the filter that decides what a guest gets.
 */
#include <string.h>

#include "model_internal.h"

/* Until 5.15 mediated devices had one driver for all. */
const char *mdev_driver(const struct model *m)
{
	return since_6_1(m) ? "vfio_ap_mdev" : "vfio_mdev";
}

static unsigned bucket_of(const char *uuid)
{
	uint32_t hash = 2166136261u;

	for (; *uuid; uuid++)
		hash = (hash ^ (unsigned char)*uuid) * 16777619u;
	return hash % N_BUCKETS;
}

struct mdev *mdev_find(const struct model *m, const char *uuid)
{
	for (struct mdev *d = m->bucket[bucket_of(uuid)]; d; d = d->next)
		if (strcmp(d->uuid, uuid) == 0)
			return d;
	return NULL;
}

struct mdev *mdev_of_queue(const struct model *m, unsigned adapter, unsigned domain)
{
	uint32_t owner = m->owner[APQN(adapter, domain)];

	return owner ? m->mdevs[owner - 1] : NULL;
}

static int group_take(struct model *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(m->group_used); i++) {
		if (m->group_used[i] == UINT64_MAX)
			continue;

		unsigned bit = (unsigned)__builtin_ctzll(~m->group_used[i]);

		m->group_used[i] |= UINT64_C(1) << bit;
		return (int)(i * 64 + bit);
	}
	return -EUSERS;
}

static int slot_take(struct model *m, struct mdev *d)
{
	if (m->n_mdevs == MDEV_MAX)
		return -EUSERS;
	if (m->n_mdevs < m->n_slots) {
		for (uint32_t i = 0; i < m->n_slots; i++)
			if (!m->mdevs[i]) {
				d->slot = i;
				m->mdevs[i] = d;
				return 0;
			}
	}
	if ((m->n_slots & (m->n_slots - 1)) == 0) {
		size_t n = m->n_slots ? m->n_slots * 2 : 1;
		struct mdev **mdevs = reallocarray(m->mdevs, n, sizeof(*mdevs));

		if (!mdevs)
			return -ENOMEM;
		m->mdevs = mdevs;
	}
	d->slot = (uint32_t)m->n_slots;
	m->mdevs[m->n_slots++] = d;
	return 0;
}

int mdev_create(struct model *m, const char *text, size_t size)
{
	char uuid[UUID_TEXT];
	_cleanup_free_ struct mdev *d = NULL;
	int r;

	r = text_uuid(text, size, uuid);
	if (r < 0)
		return r;
	if (mdev_find(m, uuid))
		return -EEXIST;
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	memcpy(d->uuid, uuid, sizeof(uuid));
	r = slot_take(m, d);
	if (r < 0)
		return r;
	d->group = group_take(m);
	d->next = m->bucket[bucket_of(uuid)];
	m->bucket[bucket_of(uuid)] = d;
	m->n_mdevs++;
	event_mdev(m, TAKE_PTR(d), true);
	return 0;
}

/* Links (@on) or unlinks the queues of adapters x domains. */
static void own(struct model *m, struct mdev *d, const struct mask *adapters,
	const struct mask *domains, bool on)
{
	MASK_FOREACH (adapter, adapters)
		MASK_FOREACH (domain, domains) {
			m->owner[APQN(adapter, domain)] = on ? d->slot + 1 : 0;
			if (on)
				queues_set(&m->assigned, adapter, domain);
			else
				queues_clear(&m->assigned, adapter, domain);
		}
}

void mdev_destroy(struct model *m, struct mdev *d)
{
	struct mdev **link = &m->bucket[bucket_of(d->uuid)];

	while (*link != d)
		link = &(*link)->next;
	*link = d->next;
	own(m, d, &d->matrix.adapters, &d->matrix.domains, false);
	m->group_used[d->group / 64] &= ~(UINT64_C(1) << (d->group % 64));
	m->mdevs[d->slot] = NULL;
	m->n_mdevs--;
	event_mdev(m, d, false);
	free(d);
}

/* remove_store(): while a guest has it open, the writer waits, and the attributes are gone
 * already.  7.2 also takes the guest's queues at once. */
int mdev_store_remove(struct model *m, struct mdev *d, const char *text)
{
	unsigned long value;

	if (text_number(text, &value) < 0)
		return -EINVAL;
	if (value == 0)
		return 0;
	if (!d->open) {
		mdev_destroy(m, d);
		return 0;
	}
	d->removing = true;
	if (since_7_2(m))
		d->shadow = (struct matrix){0};
	if (since_6_1(m))
		event_send(m, "remove", "vfio-dev", NULL,
			"/devices/vfio_ap/matrix/%s/vfio-dev/vfio%d", d->uuid, d->group);
	return -EINPROGRESS;
}

/* vfio_ap_mdev_filter_matrix(): one queue that vfio_ap does not have drops its whole adapter.  5.10
 * has no filter: a guest gets what is assigned when it attaches. */
void mdev_filter(struct model *m, struct mdev *d)
{
	if (!since_6_1(m))
		return;
	d->shadow.adapters = mask_and(&d->matrix.adapters, &m->qci.adapters);
	d->shadow.domains = mask_and(&d->matrix.domains, &m->qci.domains);

	struct mask adapters = d->shadow.adapters;

	MASK_FOREACH (adapter, &adapters)
		if (!mask_is_subset(&d->shadow.domains, &m->vfio.row[adapter]))
			mask_clear(&d->shadow.adapters, adapter);
}

void mdev_filter_control_domains(struct model *m, struct mdev *d)
{
	if (!since_6_1(m))
		return;
	d->shadow.control_domains = mask_and(&d->matrix.control_domains, &m->qci.control_domains);
}

/* vfio_ap_mdev_verify_no_sharing() */
static int verify_no_sharing(const struct model *m, const struct mdev *d, const struct matrix *want)
{
	MASK_FOREACH (adapter, &want->adapters) {
		struct mask shared = mask_and(&m->assigned.row[adapter], &want->domains);

		if (mask_test(&d->matrix.adapters, adapter))
			shared = mask_andnot(&shared, &d->matrix.domains);
		if (!mask_is_empty(&shared))
			return -EADDRINUSE;
	}
	return 0;
}

/* vfio_ap_mdev_validate_masks() for a matrix that the mdev is to have: the host's queues first,
 * over the whole matrix, then those of other mdevs. */
static int validate(const struct model *m, const struct mdev *d, const struct matrix *want)
{
	if (ap_matrix_owned_by_host(m, want))
		return -EADDRNOTAVAIL;
	return verify_no_sharing(m, d, want);
}

/* vfio_ap_mdev_verify_queues_reserved_for_apid(), ..._apqi() of 5.10: what is added must be bound to
 * vfio_ap, with all that the mdev has of the other kind, or with any where it has none. */
static bool is_reserved(
	const struct model *m, const struct mdev *d, enum mdev_part part, unsigned number)
{
	if (part == PART_ADAPTER)
		return mask_is_empty(&d->matrix.domains)
			? !mask_is_empty(&m->vfio.row[number])
			: mask_is_subset(&d->matrix.domains, &m->vfio.row[number]);

	bool any = mask_is_empty(&d->matrix.adapters);
	const struct mask *adapters = any ? &m->cards : &d->matrix.adapters;

	MASK_FOREACH (adapter, adapters)
		if (mask_test(&m->vfio.row[adapter], number) == any)
			return any;
	return !any;
}

/* What an assignment needs; 5.10 also asks where it changes nothing. */
static int may_assign(const struct model *m, const struct mdev *d, enum mdev_part part,
	unsigned number, const struct matrix *want)
{
	if (part == PART_CONTROL_DOMAIN)
		return 0;
	if (since_6_1(m))
		return validate(m, d, want);
	if (!is_reserved(m, d, part, number))
		return -EADDRNOTAVAIL;
	return verify_no_sharing(m, d, want);
}

static struct mask *part_of(struct matrix *matrix, enum mdev_part part)
{
	switch (part) {
	case PART_ADAPTER:
		return &matrix->adapters;
	case PART_DOMAIN:
		return &matrix->domains;
	case PART_CONTROL_DOMAIN:
		break;
	}
	return &matrix->control_domains;
}

static int parse_part(const struct model *m, enum mdev_part part, const char *text, unsigned *ret)
{
	unsigned long number;
	int r = text_number(text, &number);

	if (r < 0)
		return r;
	if (number > (part == PART_ADAPTER ? m->max_adapter : m->max_domain))
		return -ENODEV;
	*ret = (unsigned)number;
	return 0;
}

/* assign_adapter_store() and its two siblings */
int mdev_assign(struct model *m, struct mdev *d, enum mdev_part part, const char *text)
{
	struct matrix want = d->matrix;
	unsigned number;
	int r;

	if (!since_6_1(m) && d->attached)
		return -EBUSY;
	r = parse_part(m, part, text, &number);
	if (r < 0)
		return r;
	if (since_6_1(m) && mask_test(part_of(&d->matrix, part), number))
		return 0;
	mask_set(part_of(&want, part), number);
	r = may_assign(m, d, part, number, &want);
	if (r < 0)
		return r;
	if (part == PART_CONTROL_DOMAIN) {
		d->matrix = want;
		mdev_filter_control_domains(m, d);
		return 0;
	}

	struct mask one = {0};

	mask_set(&one, number);
	if (part == PART_ADAPTER)
		own(m, d, &one, &want.domains, true);
	else
		own(m, d, &want.adapters, &one, true);
	d->matrix = want;
	mdev_filter(m, d);
	return 0;
}

/* unassign_adapter_store() and its two siblings: the filter does not run, so that an adapter that
 * was filtered stays out. */
int mdev_unassign(struct model *m, struct mdev *d, enum mdev_part part, const char *text)
{
	unsigned number;
	int r;

	if (!since_6_1(m) && d->attached)
		return -EBUSY;
	r = parse_part(m, part, text, &number);
	if (r < 0)
		return r;
	if (!mask_test(part_of(&d->matrix, part), number))
		return 0;

	struct mask one = {0};

	mask_set(&one, number);
	if (part == PART_ADAPTER)
		own(m, d, &one, &d->matrix.domains, false);
	else if (part == PART_DOMAIN)
		own(m, d, &d->matrix.adapters, &one, false);
	mask_clear(part_of(&d->matrix, part), number);
	mask_clear(part_of(&d->shadow, part), number);
	return 0;
}

/* ap_config_store(): all or nothing. */
int mdev_store_ap_config(struct model *m, struct mdev *d, const char *text, size_t size)
{
	struct matrix want;
	struct mask adapters = mask_up_to(m->max_adapter), domains = mask_up_to(m->max_domain);
	int r;

	r = text_ap_config(text, size, &want);
	if (r < 0)
		return r;
	r = validate(m, d, &want);
	if (r < 0)
		return r;
	if (!mask_is_subset(&want.adapters, &adapters) ||
		!mask_is_subset(&want.domains, &domains) ||
		!mask_is_subset(&want.control_domains, &domains))
		return -ENODEV;
	own(m, d, &d->matrix.adapters, &d->matrix.domains, false);
	own(m, d, &want.adapters, &want.domains, true);
	d->matrix = want;
	mdev_filter(m, d);
	mdev_filter_control_domains(m, d);
	return 0;
}

/* vfio_ap_mdev_probe_queue(): within a scan that adds configuration, the filter waits for its end. */
void mdev_queue_probed(struct model *m, unsigned adapter, unsigned domain)
{
	struct mdev *d = mdev_of_queue(m, adapter, domain);

	if (d && !d->removing && mask_is_empty(&d->added.adapters) &&
		mask_is_empty(&d->added.domains))
		mdev_filter(m, d);
}

/* vfio_ap_mdev_remove_queue(): a guest cannot lose one queue, so it loses the adapter. */
void mdev_queue_removed(struct model *m, unsigned adapter, unsigned domain)
{
	struct mdev *d = mdev_of_queue(m, adapter, domain);

	if (d && since_6_1(m) && mask_test(&d->shadow.adapters, adapter) &&
		mask_test(&d->shadow.domains, domain))
		mask_clear(&d->shadow.adapters, adapter);
}

/* vfio_ap_on_cfg_changed(): at the start of a scan. */
void mdev_config_changed(struct model *m, const struct matrix *now)
{
	struct matrix come = {
		mask_andnot(&now->adapters, &m->qci.adapters),
		mask_andnot(&now->domains, &m->qci.domains),
		mask_andnot(&now->control_domains, &m->qci.control_domains),
	};

	if (!since_6_1(m))
		return;
	MDEV_FOREACH (m, d) {
		d->shadow = matrix_and(&d->shadow, now);
		d->added = matrix_and(&d->matrix, &come);
		if (!d->attached && !since_7_2(m))
			m->hazard_unattached_config++;
	}
}

/* vfio_ap_on_scan_complete() */
void mdev_scan_complete(struct model *m)
{
	MDEV_FOREACH (m, d) {
		if (!mask_is_empty(&d->added.adapters) || !mask_is_empty(&d->added.domains))
			mdev_filter(m, d);
		if (!mask_is_empty(&d->added.control_domains))
			mdev_filter_control_domains(m, d);
		d->added = (struct matrix){0};
	}
}
