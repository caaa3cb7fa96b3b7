/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Observations: the order of mdevs, who owns a queue, what makes two of them equal, and that the
 * flat form is read back, and refused when as much as one field could not have been written.
 */
#include "core/observed.h"

#include "random.h"
#include "unit.h"

#define UUID(n) "62177883-f1bb-47f0-914d-32a22e3a88" n

/* Two observations differ in one field of these. */
enum field {
	COMPLETE,
	INCOMPLETE,
	HAS_AP_BUS,
	HAS_MATRIX_DEVICE,
	RELEASE,
	FEATURES,
	HAZARDS,
	MAX_ADAPTER,
	MAX_DOMAIN,
	APMASK,
	AQMASK,
	HOST_ADAPTERS,
	HOST_DOMAINS,
	HOST_CONTROL_DOMAINS,
	CARDS,
	CARD_HWTYPE,
	CARD_MODE,
	CARD_CONFIG,
	CARD_CHKSTOP,
	CARD_ONLINE,
	PRESENT,
	VFIO,
	HOST,
	IN_USE,
	OVERRIDE,
	OVERRIDE_OTHER,
	MDEV_MORE,
	MDEV_ASSIGNED_KNOWN,
	MDEV_GUEST_KNOWN,
	MDEV_ASSIGNED,
	MDEV_GUEST,
	MDEV_VFIO_GROUP,
	MDEV_VFIO_CDEV,
	MDEV_ATTACH,
	MDEV_ATTACH_SOURCE,
	MDEV_ATTACH_CONFIDENCE,
	MDEV_VM_PID,
	MDEV_ATTACHED_SINCE,
	MDEV_ATTACH_COUNT,
	MDEV_ATTACH_SEQ,
	MDEV_VM_NAME,
	N_FIELDS,
};

static void change_mdev(struct observed *o, enum field field)
{
	struct observed_mdev *m = observed_find_mdev(o, UUID("04"));

	switch ((int)field) {
	case MDEV_MORE:
		observed_add_mdev(o, UUID("ff"));
		break;
	case MDEV_ASSIGNED_KNOWN:
		m->assigned_known = !m->assigned_known;
		break;
	case MDEV_GUEST_KNOWN:
		m->guest_known = !m->guest_known;
		break;
	case MDEV_ASSIGNED:
		mask_set(&m->assigned.control_domains, 77);
		break;
	case MDEV_GUEST:
		mask_set(&m->guest.adapters, 77);
		break;
	case MDEV_VFIO_GROUP:
		m->vfio_group++;
		break;
	case MDEV_VFIO_CDEV:
		strcpy(m->vfio_cdev, "vfio8");
		break;
	case MDEV_ATTACH:
		m->attach = ATTACH_YES;
		break;
	case MDEV_ATTACH_SOURCE:
		m->attach_source = ATTACH_FROM_STATUS;
		break;
	case MDEV_ATTACH_CONFIDENCE:
		m->attach_confidence = CONFIDENCE_LIKELY;
		break;
	case MDEV_VM_PID:
		m->vm_pid++;
		break;
	case MDEV_ATTACHED_SINCE:
		m->attached_since++;
		break;
	case MDEV_ATTACH_COUNT:
		m->attach_count++;
		break;
	case MDEV_ATTACH_SEQ:
		m->attach_seq++;
		break;
	case MDEV_VM_NAME:
		strcpy(m->vm_name, "other");
		break;
	}
}

static void change_bus(struct observed *o, enum field field)
{
	struct mask *const masks[] = {
		[APMASK] = &o->apmask,
		[AQMASK] = &o->aqmask,
		[HOST_ADAPTERS] = &o->host_adapters,
		[HOST_DOMAINS] = &o->host_domains,
		[HOST_CONTROL_DOMAINS] = &o->host_control_domains,
		[CARDS] = &o->cards,
	};
	struct queues *const queues[] = {
		[PRESENT] = &o->present,
		[VFIO] = &o->vfio,
		[HOST] = &o->host,
		[IN_USE] = &o->in_use,
		[OVERRIDE] = &o->override,
		[OVERRIDE_OTHER] = &o->override_other,
	};

	if (field < ARRAY_SIZE(masks) && masks[field])
		masks[field]->word[1] ^= 2;
	else if (field < ARRAY_SIZE(queues) && queues[field])
		queues[field]->row[200].word[3] ^= 4;
	else if (field == CARD_HWTYPE)
		o->card[255].hwtype = 14;
	else if (field == CARD_MODE)
		o->card[255].mode = CARD_EP11;
	else if (field == CARD_CONFIG)
		o->card[255].config = true;
	else if (field == CARD_CHKSTOP)
		o->card[255].chkstop = true;
	else if (field == CARD_ONLINE)
		o->card[255].online = true;
}

static void change(struct observed *o, enum field field)
{
	switch ((int)field) {
	case COMPLETE:
		o->complete = !o->complete;
		break;
	case INCOMPLETE:
		strcpy(o->incomplete, "/sys/bus/ap/apmask: gone");
		break;
	case HAS_AP_BUS:
		o->has_ap_bus = !o->has_ap_bus;
		break;
	case HAS_MATRIX_DEVICE:
		o->has_matrix_device = !o->has_matrix_device;
		break;
	case RELEASE:
		strcpy(o->release, "7.2.13");
		break;
	case FEATURES:
		o->features ^= FEATURE_MODULE;
		break;
	case HAZARDS:
		o->hazards ^= HAZARD_REFUSED_OPEN;
		break;
	case MAX_ADAPTER:
		o->max_adapter = 63;
		break;
	case MAX_DOMAIN:
		o->max_domain = 15;
		break;
	default:
		change_bus(o, field);
		change_mdev(o, field);
	}
}

static struct observed *sample(void)
{
	struct observed *o = observed_new();
	struct observed_mdev *m;

	ck_assert_ptr_nonnull(o);
	o->has_ap_bus = o->has_matrix_device = o->complete = true;
	strcpy(o->release, "6.12.107");
	o->features = FEATURE_AP_CONFIG | FEATURE_GUEST_MATRIX;
	o->hazards = HAZARD_MATRIX_OVERRUN | HAZARD_REFUSED_OPEN;
	o->max_adapter = o->max_domain = 255;
	o->apmask = mask_up_to(4);
	o->aqmask = mask_full();
	o->card[5] = (struct observed_card){14, CARD_CCA, true, false, true};
	mask_set(&o->cards, 5);
	queues_set(&o->present, 5, 4);
	queues_set(&o->vfio, 5, 4);
	observed_add_mdev(o, UUID("09"));
	m = observed_add_mdev(o, UUID("04"));
	ck_assert_ptr_nonnull(m);
	m->assigned_known = true;
	m->assigned.adapters = mask_up_to(5);
	strcpy(m->vfio_cdev, "vfio0");
	m->attach = ATTACH_NO;
	strcpy(m->vm_name, "qemu-system-s39");
	return o;
}

START_TEST(a_change_of_any_field_is_seen_and_handed_over)
{
	for (int field = 0; field < N_FIELDS; field++) {
		_cleanup_(cleanup_observed_free) struct observed *a = sample(), *b = sample();
		_cleanup_(cleanup_observed_free) struct observed *back = NULL;
		_cleanup_free_ void *data = NULL;
		size_t size;

		ck_assert(observed_equal(a, b));
		change(b, (enum field)field);
		ck_assert_msg(!observed_equal(a, b), "field %d", field);
		ck_assert_int_eq(observed_pack(b, &data, &size), 0);
		ck_assert_msg(observed_unpack(data, size, &back) == 0, "field %d", field);
		ck_assert_msg(observed_equal(b, back), "field %d", field);
	}
}
END_TEST

START_TEST(mdevs_stay_in_order_and_are_found)
{
	_cleanup_(cleanup_observed_free) struct observed *o = observed_new();
	struct random random = {1};
	bool there[256] = {};

	for (int round = 0; round < 1000; round++) {
		unsigned n = random_below(&random, 256);
		struct observed_mdev *m;
		char uuid[UUID_SIZE];
		size_t wrong = 0;

		snprintf(uuid, sizeof(uuid), UUID("%02x"), n);
		ck_assert((observed_find_mdev(o, uuid) != NULL) == there[n]);
		m = observed_add_mdev(o, uuid);
		there[n] = true;
		ck_assert_str_eq(m->uuid, uuid);
		ck_assert_int_eq(m->vfio_group, -1);
		ck_assert_uint_eq(m->vm_pid, 0);
		m->vm_pid = 1;
		ck_assert_ptr_eq(observed_find_mdev(o, uuid), m);
		for (size_t i = 1; i < o->n_mdevs; i++)
			wrong += strcmp(o->mdevs[i - 1].uuid, o->mdevs[i].uuid) >= 0;
		ck_assert_uint_eq(wrong, 0);
	}
}
END_TEST

static const struct {
	bool present, vfio, host;
	enum queue_owner owner;
} owners[] = {
	{false, false, false, QUEUE_GONE},
	{false, true, false, QUEUE_GONE},
	{true, false, false, QUEUE_UNBOUND},
	{true, true, false, QUEUE_VFIO},
	{true, false, true, QUEUE_HOST},
};

START_TEST(a_queue_has_one_owner)
{
	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		_cleanup_(cleanup_observed_free) struct observed *o = observed_new();

		if (owners[i].present)
			queues_set(&o->present, 5, 4);
		if (owners[i].vfio)
			queues_set(&o->vfio, 5, 4);
		if (owners[i].host)
			queues_set(&o->host, 5, 4);
		ck_assert_msg(observed_owner(o, 5, 4) == owners[i].owner, "row %zu", i);
		ck_assert_int_eq(observed_owner(o, 4, 5), QUEUE_GONE);
	}
}
END_TEST

static const struct {
	bool ap_bit, aq_bit, present, override, host;
	bool reserved;
} reservations[] = {
	{true, true, false, false, false, false},
	{true, false, false, false, false, true},
	{false, true, false, false, false, true},
	{false, false, true, false, false, true},
	{true, true, true, false, true, false},
	{true, true, true, false, false, false},
	{true, true, true, true, false, true},
	{true, true, true, true, true, false}, /* not yet rebound */
	{true, true, false, true, false, false},
};

START_TEST(masks_and_overrides_reserve_queues)
{
	for (size_t i = 0; i < ARRAY_SIZE(reservations); i++) {
		_cleanup_(cleanup_observed_free) struct observed *o = observed_new();

		if (reservations[i].ap_bit)
			mask_set(&o->apmask, 5);
		if (reservations[i].aq_bit)
			mask_set(&o->aqmask, 4);
		if (reservations[i].present)
			queues_set(&o->present, 5, 4);
		if (reservations[i].override)
			queues_set(&o->override, 5, 4);
		if (reservations[i].host)
			queues_set(&o->host, 5, 4);
		ck_assert_msg(observed_reserved_for_vfio(o, 5, 4) == reservations[i].reserved,
			"row %zu", i);
	}
}
END_TEST

START_TEST(a_full_observation_is_read_back)
{
	_cleanup_(cleanup_observed_free) struct observed *o = observed_new(), *back = NULL;
	struct random random = {2};
	_cleanup_free_ void *data = NULL;
	struct mask full = mask_full();
	size_t size;

	queues_add_product(&o->present, &full, &full);
	o->host = o->in_use = o->override = o->vfio = o->present;
	memset(o->incomplete, 'x', sizeof(o->incomplete) - 1);
	memset(o->release, 'x', sizeof(o->release) - 1);
	o->features = (1u << N_KERNEL_FEATURES) - 1;
	o->hazards = (1u << N_KERNEL_HAZARDS) - 1;
	for (unsigned i = 0; i < 256; i++) {
		struct observed_mdev *m;
		char uuid[UUID_SIZE];

		snprintf(uuid, sizeof(uuid), UUID("%02x"), i);
		m = observed_add_mdev(o, uuid);
		m->assigned.adapters = random_mask(&random, 8);
		m->vfio_group = i == 0 ? INT32_MAX : (int)i - 2;
		m->vm_pid = UINT32_MAX;
		m->attach_seq = UINT64_MAX;
		memset(m->vm_name, 'x', sizeof(m->vm_name) - 1);
		memset(m->vfio_cdev, 'x', sizeof(m->vfio_cdev) - 1);
	}
	ck_assert_int_eq(observed_pack(o, &data, &size), 0);
	ck_assert_int_eq(observed_unpack(data, size, &back), 0);
	ck_assert(observed_equal(o, back));
}
END_TEST

START_TEST(a_short_or_long_form_is_refused)
{
	_cleanup_(cleanup_observed_free) struct observed *o = sample(), *back = NULL;
	_cleanup_free_ void *data = NULL;
	size_t size;

	ck_assert_int_eq(observed_pack(o, &data, &size), 0);
	for (size_t n = 0; n < size; n++) {
		_cleanup_free_ void *cut = malloc(n ? n : 1);

		memcpy(cut, data, n);
		ck_assert_msg(observed_unpack(cut, n, &back) == -EBADMSG, "%zu", n);
		/* A header that agrees with the cut does not help. */
		if (n < 20)
			continue;
		memcpy((char *)cut + 12, &(uint64_t){n}, 8);
		ck_assert_msg(observed_unpack(cut, n, &back) == -EBADMSG, "%zu", n);
	}

	_cleanup_free_ void *more = calloc(1, size + 1);

	memcpy(more, data, size);
	memcpy((char *)more + 12, &(uint64_t){size + 1}, 8);
	ck_assert_int_eq(observed_unpack(more, size + 1, &back), -EBADMSG);
	ck_assert_ptr_null(back);
}
END_TEST

/* What a careless or hostile writer might hand over: each breaks one rule. */
static void spoil(struct observed *o, int rule)
{
	struct observed_mdev *m = &o->mdevs[0];

	switch (rule) {
	case 0:
		o->features = 1u << N_KERNEL_FEATURES;
		break;
	case 1:
		o->hazards = 1u << N_KERNEL_HAZARDS;
		break;
	case 2:
		o->max_adapter = 256;
		break;
	case 3:
		o->max_domain = ~0u;
		break;
	case 4:
		memset(o->incomplete, 'x', sizeof(o->incomplete));
		break;
	case 5:
		memset(o->release, 'x', sizeof(o->release));
		break;
	case 6:
		o->card[0].mode = CARD_EP11 + 1;
		break;
	case 7:
		m->attach = ATTACH_YES + 1;
		break;
	case 8:
		m->attach_source = ATTACH_FROM_STATUS + 1;
		break;
	case 9:
		m->vfio_group = -2;
		break;
	case 10:
		memset(m->vm_name, 'x', sizeof(m->vm_name));
		break;
	case 11:
		strcpy(o->mdevs[1].uuid, m->uuid);
		break;
	case 12:
		strcpy(m->uuid, UUID("aa"));
		break;
	case 13:
		m->uuid[0] = 'A';
		break;
	case 14:
		m->uuid[35] = '\0';
		break;
	case 15:
		strcpy(m->uuid, "");
		break;
	case 16:
		m->uuid[8] = '0';
		break;
	case 17:
		memset(m->vfio_cdev, 'x', sizeof(m->vfio_cdev));
		break;
	case 18:
		m->attach_confidence = CONFIDENCE_CERTAIN + 1;
		break;
	}
}

START_TEST(values_out_of_their_range_are_refused)
{
	for (int rule = 0; rule < 19; rule++) {
		_cleanup_(cleanup_observed_free) struct observed *o = sample(), *back = NULL;
		_cleanup_free_ void *data = NULL;
		size_t size;

		spoil(o, rule);
		ck_assert_int_eq(observed_pack(o, &data, &size), 0);
		ck_assert_msg(observed_unpack(data, size, &back) == -EBADMSG, "rule %d", rule);
		ck_assert_ptr_null(back);
	}
}
END_TEST

/* One set of queues must have one flat form: rows that hold nothing are not in it. */
START_TEST(a_row_without_queues_is_refused)
{
	_cleanup_(cleanup_observed_free) struct observed *o = sample(), *back = NULL;
	_cleanup_free_ void *data = NULL;
	struct mask rows[2] = {};
	uint8_t *at;
	size_t size;

	mask_set(&rows[0], 5); /* the adapters of sample()'s queues, then the row of adapter 5 */
	mask_set(&rows[1], 4);
	ck_assert_int_eq(observed_pack(o, &data, &size), 0);
	at = memmem(data, size, rows, sizeof(rows));
	ck_assert_ptr_nonnull(at);
	memset(at + sizeof(rows[0]), 0, sizeof(rows[1]));
	ck_assert_int_eq(observed_unpack(data, size, &back), -EBADMSG);
}
END_TEST

/* Whatever is written over the bytes, what is accepted is an observation that packs to them. */
START_TEST(what_is_accepted_packs_to_the_same_bytes)
{
	_cleanup_(cleanup_observed_free) struct observed *o = sample();
	_cleanup_free_ void *data = NULL;
	struct random random = {3};
	int accepted = 0, refused = 0;
	size_t size;

	ck_assert_int_eq(observed_pack(o, &data, &size), 0);
	for (size_t round = 0; round < 3 * size; round++) {
		_cleanup_(cleanup_observed_free) struct observed *back = NULL;
		_cleanup_free_ uint8_t *bytes = malloc(size);
		_cleanup_free_ void *again = NULL;
		size_t size_again;

		memcpy(bytes, data, size);
		bytes[round % size] ^= (uint8_t)(1 + random_below(&random, 255));
		if (observed_unpack(bytes, size, &back) < 0) {
			refused++;
			continue;
		}
		accepted++;
		ck_assert_int_eq(observed_pack(back, &again, &size_again), 0);
		ck_assert_uint_eq(size_again, size);
		ck_assert_int_eq(memcmp(again, bytes, size), 0);
	}
	ck_assert_int_gt(accepted, 100);
	ck_assert_int_gt(refused, 100);
}
END_TEST

START_TEST(flags_have_names_and_hazards_a_sentence)
{
	for (unsigned i = 0; i < 32; i++) {
		ck_assert((kernel_feature_name(1u << i) != NULL) == (i < N_KERNEL_FEATURES));
		ck_assert((kernel_hazard_name(1u << i) != NULL) == (i < N_KERNEL_HAZARDS));
		ck_assert((kernel_hazard_text(1u << i) != NULL) == (i < N_KERNEL_HAZARDS));
	}
	ck_assert_ptr_null(kernel_feature_name(0));
	ck_assert_ptr_null(kernel_feature_name(3));
	ck_assert_str_eq(kernel_feature_name(FEATURE_DRIVER_OVERRIDE), "driver_override");
	ck_assert_str_eq(kernel_hazard_name(HAZARD_UNATTACHED_CONFIG), "unattached-config-change");
	ck_assert_ptr_nonnull(strstr(kernel_hazard_text(HAZARD_MATRIX_OVERRUN), "511"));
}
END_TEST

START_TEST(states_have_names)
{
	ck_assert_str_eq(card_mode_to_string(CARD_EP11), "ep11");
	ck_assert_str_eq(attach_state_to_string(ATTACH_NO), "detached");
	ck_assert_str_eq(attach_source_to_string(ATTACH_FROM_NOTHING), "none");
	ck_assert_str_eq(attach_source_to_string(ATTACH_FROM_STATUS), "status");
	ck_assert_str_eq(queue_owner_to_string(QUEUE_UNBOUND), "unbound");
	ck_assert_int_eq(card_mode_from_string("cca"), CARD_CCA);
	ck_assert_int_eq(queue_owner_from_string("gone"), QUEUE_GONE);
	ck_assert_int_eq(attach_state_from_string("Attached"), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("observed");
	TCase *values = tcase_create("values"), *flat = tcase_create("flat");

	tcase_add_test(values, mdevs_stay_in_order_and_are_found);
	tcase_add_test(values, a_queue_has_one_owner);
	tcase_add_test(values, masks_and_overrides_reserve_queues);
	tcase_add_test(values, flags_have_names_and_hazards_a_sentence);
	tcase_add_test(values, states_have_names);
	tcase_add_test(flat, a_change_of_any_field_is_seen_and_handed_over);
	tcase_add_test(flat, a_full_observation_is_read_back);
	tcase_add_test(flat, a_short_or_long_form_is_refused);
	tcase_add_test(flat, values_out_of_their_range_are_refused);
	tcase_add_test(flat, a_row_without_queues_is_refused);
	tcase_add_test(flat, what_is_accepted_packs_to_the_same_bytes);
	suite_add_tcase(suite, values);
	suite_add_tcase(suite, flat);
	return unit_main(suite);
}
