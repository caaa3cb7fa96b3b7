/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A scan of trees as three kernels show them. */
#include "sysfs/scan.h"

#include "faketree.h"
#include "sysfs/bound.h"
#include "sysfs/release.h"
#include "sysfs/tree.h"

#define A "2d5cb6e9-0000-4000-8000-00000000000a"
#define B "2d5cb6e9-0000-4000-8000-00000000000b"
#define ONES "0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\n"
#define ZEROS60 "000000000000000000000000000000000000000000000000000000000000"
/* Without 5 and 6; without 4 and 0xab is not needed. */
#define APMASK "0xf9ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\n"
#define MDEV "sys/devices/vfio_ap/matrix/"

static void put_queue(unsigned a, unsigned d, const char *driver)
{
	char path[256];

	fake_filef("1\n", "sys/devices/ap/card%02x/%02x.%04x/config", a, a, d);
	snprintf(path, sizeof(path), "sys/bus/ap/devices/%02x.%04x", a, d);
	fake_link(path, "../../../devices/ap/x");
	if (!driver)
		return;
	snprintf(path, sizeof(path), "sys/bus/ap/drivers/%s/%02x.%04x", driver, a, d);
	fake_link(path, "../../../../devices/ap/x");
	if (strcmp(driver, "vfio_ap") == 0)
		fake_filef("assigned\n", "sys/devices/ap/card%02x/%02x.%04x/status", a, a, d);
}

static void put_card(unsigned a, const char *uevent)
{
	char path[256];

	fake_filef(uevent, "sys/devices/ap/card%02x/uevent", a);
	fake_filef("1\n", "sys/devices/ap/card%02x/config", a);
	fake_filef("0\n", "sys/devices/ap/card%02x/chkstop", a);
	snprintf(path, sizeof(path), "sys/bus/ap/devices/card%02x", a);
	fake_link(path, "../../../devices/ap/x");
}

/* Cards 3 (host's) and 5, 6 (for guests), domains 4 and 0xab. */
static void put_tree(const char *release)
{
	fake_file("proc/sys/kernel/osrelease", release);
	fake_file("sys/bus/ap/apmask", APMASK);
	fake_file("sys/bus/ap/aqmask", ONES);
	fake_file("sys/bus/ap/ap_max_adapter_id", "255\n");
	fake_file("sys/bus/ap/ap_max_domain_id", "255\n");
	fake_file("sys/bus/ap/ap_adapter_mask", "0x1600" ZEROS60 "\n");
	fake_file("sys/bus/ap/ap_usage_domain_mask", "0x08\n");
	fake_file("sys/bus/ap/ap_control_domain_mask", "0x0c\n");
	fake_dir("sys/bus/ap/devices");
	fake_file("sys/bus/ap/drivers/vfio_ap/bind", "");
	fake_file("sys/bus/ap/drivers/cex4queue/bind", "");
	put_card(3, "DEVTYPE=ap_card\nDRIVER=cex4card\nDEV_TYPE=000E\nMODALIAS=ap:t0E\nMODE=cca\n");
	put_card(5, "DEVTYPE=ap_card\nMODALIAS=ap:t0D\nMODE=accel\n");
	put_card(6, "DEVTYPE=ap_card\n");
	fake_file("sys/devices/ap/card03/online", "1\n");
	fake_file("sys/devices/ap/card06/hwtype", "12\n");
	fake_file("sys/devices/ap/card06/type", "CEX6P\n");
	fake_file("sys/devices/ap/card06/chkstop", "1\n");
	put_queue(3, 4, "cex4queue");
	put_queue(5, 4, "vfio_ap");
	put_queue(6, 4, NULL);
}

static void put_matrix_device(const char *features)
{
	fake_file(MDEV "mdev_supported_types/vfio_ap-passthrough/create", "");
	if (features)
		fake_file(MDEV "features", features);
}

static void put_mdev(const char *uuid, const char *ap_config, const char *matrix,
	const char *control, const char *guest)
{
	if (ap_config)
		fake_filef(ap_config, MDEV "%s/ap_config", uuid);
	if (matrix)
		fake_filef(matrix, MDEV "%s/matrix", uuid);
	if (control)
		fake_filef(control, MDEV "%s/control_domains", uuid);
	if (guest)
		fake_filef(guest, MDEV "%s/guest_matrix", uuid);
}

static struct observed *scan_with(const struct ledger *ours)
{
	struct observed *o = NULL;

	ck_assert_int_eq(sysfs_scan(fake_root, ours, &o), 0);
	ck_assert_ptr_nonnull(o);
	return o;
}

static struct observed *scan(void)
{
	return scan_with(NULL);
}

#define _cleanup_observed_ _cleanup_(cleanup_observed_free)

START_TEST(a_host_without_ap_is_a_complete_observation)
{
	_cleanup_observed_ struct observed *o = scan();

	ck_assert(o->complete);
	ck_assert(!o->has_ap_bus && !o->has_matrix_device);
	ck_assert_uint_eq(o->hazards, 0);
	ck_assert_uint_eq(o->n_mdevs, 0);
}
END_TEST

START_TEST(reads_masks_cards_and_queues)
{
	struct observed_card expected[] = {
		[3] = {14, CARD_CCA, true, false, true},
		[5] = {13, CARD_ACCELERATOR, true, false, false},
		[6] = {12, CARD_EP11, true, true, false},
	};

	put_tree("7.2.13\n");

	_cleanup_observed_ struct observed *o = scan();

	ck_assert_msg(o->complete, "%s", o->incomplete);
	ck_assert(o->has_ap_bus && !o->has_matrix_device);
	ck_assert_str_eq(o->release, "7.2.13");
	ck_assert_uint_eq(o->max_adapter, 255);
	ck_assert(!mask_test(&o->apmask, 5) && mask_test(&o->apmask, 7));
	ck_assert(mask_test(&o->host_adapters, 3) && mask_test(&o->host_adapters, 5));
	ck_assert_uint_eq(mask_count(&o->host_domains), 1);
	ck_assert_uint_eq(mask_count(&o->host_control_domains), 2);
	ck_assert_uint_eq(mask_count(&o->cards), 3);
	for (unsigned i = 3; i <= 6; i++)
		ck_assert_msg(memcmp(&o->card[i], &expected[i], sizeof(expected[i])) == 0,
			"card %u: type %u mode %u", i, o->card[i].hwtype, o->card[i].mode);
	ck_assert_int_eq(observed_owner(o, 3, 4), QUEUE_HOST);
	ck_assert_int_eq(observed_owner(o, 5, 4), QUEUE_VFIO);
	ck_assert_int_eq(observed_owner(o, 6, 4), QUEUE_UNBOUND);
	ck_assert_int_eq(observed_owner(o, 6, 5), QUEUE_GONE);
}
END_TEST

START_TEST(without_qci_the_devices_must_do)
{
	put_tree("6.12.1\n");
	fake_file("sys/bus/ap/ap_adapter_mask", "not supported\n");
	fake_file("sys/bus/ap/ap_usage_domain_mask", "not supported\n");
	fake_file("sys/bus/ap/ap_control_domain_mask", "not supported\n");

	_cleanup_observed_ struct observed *o = scan();

	ck_assert_msg(o->complete, "%s", o->incomplete);
	ck_assert(mask_equal(&o->host_adapters, &o->cards));
	ck_assert_uint_eq(mask_next(&o->host_domains, 0), 4);
	ck_assert_uint_eq(mask_count(&o->host_domains), 1);
}
END_TEST

static const struct {
	const char *release;
	uint32_t features, hazards;
} releases[] = {
	{"5.10.0-30-s390x", 0, HAZARD_MATRIX_OVERRUN},
	{"5.19.0", 0, HAZARD_MATRIX_OVERRUN | HAZARD_REFUSED_OPEN},
	{"6.1.176", FEATURE_GUEST_MATRIX,
		HAZARD_MATRIX_OVERRUN | HAZARD_UNATTACHED_CONFIG | HAZARD_REFUSED_OPEN},
	{"6.12.107+deb13-s390x", FEATURE_GUEST_MATRIX,
		HAZARD_MATRIX_OVERRUN | HAZARD_UNATTACHED_CONFIG | HAZARD_REFUSED_OPEN},
	{"6.19.0", FEATURE_GUEST_MATRIX | FEATURE_DRIVER_OVERRIDE | FEATURE_STRICT_MASKS,
		HAZARD_MATRIX_OVERRUN | HAZARD_UNATTACHED_CONFIG | HAZARD_REFUSED_OPEN},
	{"7.2.0", FEATURE_GUEST_MATRIX | FEATURE_DRIVER_OVERRIDE | FEATURE_STRICT_MASKS, 0},
	{"10.0", FEATURE_GUEST_MATRIX | FEATURE_DRIVER_OVERRIDE | FEATURE_STRICT_MASKS, 0},
	{"", 0, HAZARD_MATRIX_OVERRUN | HAZARD_UNATTACHED_CONFIG | HAZARD_REFUSED_OPEN},
	{"mainline", 0, HAZARD_MATRIX_OVERRUN | HAZARD_UNATTACHED_CONFIG | HAZARD_REFUSED_OPEN},
};

START_TEST(a_release_tells_features_and_hazards)
{
	for (size_t i = 0; i < ARRAY_SIZE(releases); i++) {
		ck_assert_msg(release_features(releases[i].release) == releases[i].features, "%s",
			releases[i].release);
		ck_assert_msg(release_hazards(releases[i].release) == releases[i].hazards, "%s",
			releases[i].release);
	}
}
END_TEST

START_TEST(reads_an_mdev_of_6_12)
{
	put_tree("6.12.107\n");
	put_matrix_device("guest_matrix hotplug ap_config\n");
	put_mdev(A, "0x06,0x08,0x08\n", "05.0004\n06.0004\n", "0004\n", "05.0004\n");
	fake_link(MDEV A "/iommu_group", "../../../../kernel/iommu_groups/17");
	fake_dir(MDEV A "/vfio-dev/vfio3");

	_cleanup_observed_ struct observed *o = scan();

	ck_assert_msg(o->complete, "%s", o->incomplete);
	ck_assert(o->has_matrix_device);
	ck_assert_uint_eq(o->features, FEATURE_AP_CONFIG | FEATURE_GUEST_MATRIX);
	ck_assert_uint_eq(o->n_mdevs, 1);

	const struct observed_mdev *m = &o->mdevs[0];

	ck_assert_str_eq(m->uuid, A);
	ck_assert(m->assigned_known && m->guest_known);
	ck_assert_uint_eq(matrix_n_queues(&m->assigned), 2);
	ck_assert(mask_test(&m->assigned.control_domains, 4));
	ck_assert_uint_eq(matrix_n_queues(&m->guest), 1);
	ck_assert_int_eq(m->vfio_group, 17);
	ck_assert_str_eq(m->vfio_cdev, "vfio3");
	/* Its queue says so: "assigned". */
	ck_assert_uint_eq(m->attach, ATTACH_NO);
	ck_assert_uint_eq(m->attach_source, ATTACH_FROM_STATUS);
	ck_assert_uint_eq(m->attach_confidence, CONFIDENCE_CERTAIN);
}
END_TEST

/* 6.1: no ap_config.  Adapters 5 and 6 with 256 domains are 512 queues: as far as the masks go it
 * could be too large to read. */
START_TEST(a_matrix_of_unknown_size_is_not_read_on_6_1)
{
	put_tree("6.1.176\n");
	put_matrix_device(NULL);
	put_mdev(A, NULL, "05.0004\n", "0004\n", "05.0004\n");

	_cleanup_observed_ struct observed *o = scan();

	ck_assert_msg(o->complete, "%s", o->incomplete);
	ck_assert_uint_eq(o->n_mdevs, 1);
	ck_assert(!o->mdevs[0].assigned_known && !o->mdevs[0].guest_known);
	ck_assert(!(o->features & FEATURE_AP_CONFIG));
}
END_TEST

START_TEST(our_own_matrix_is_read_on_6_1)
{
	_cleanup_(cleanup_ledger_free) struct ledger *ours = ledger_new();

	ledger_get(ours, A)->made = true;
	put_tree("6.1.176\n");
	put_matrix_device(NULL);
	put_mdev(A, NULL, "05.0004\n05.00ab\n", "0004\n", "05.0004\n");

	_cleanup_observed_ struct observed *o = scan_with(ours);

	ck_assert_msg(o->complete, "%s", o->incomplete);
	ck_assert(o->mdevs[0].assigned_known && o->mdevs[0].guest_known);
	ck_assert_uint_eq(matrix_n_queues(&o->mdevs[0].assigned), 2);
	ck_assert_uint_eq(matrix_n_queues(&o->mdevs[0].guest), 1);
	ck_assert(mask_test(&o->mdevs[0].assigned.control_domains, 4));
}
END_TEST

START_TEST(an_adopted_or_large_matrix_is_not_trusted_by_the_ledger)
{
	_cleanup_(cleanup_ledger_free) struct ledger *ours = ledger_new();
	struct ledger_entry *e = ledger_get(ours, A);

	e->made = e->adopted = true;
	e = ledger_get(ours, B);
	e->made = e->set_known = true;
	e->set.adapters = mask_up_to(1);
	e->set.domains = mask_full();
	put_tree("6.1.176\n");
	put_matrix_device(NULL);
	put_mdev(A, NULL, "05.0004\n", "", "");
	put_mdev(B, NULL, "05.0005\n", "", "");

	_cleanup_observed_ struct observed *o = scan_with(ours);

	ck_assert_uint_eq(o->n_mdevs, 2);
	ck_assert(!o->mdevs[0].assigned_known && !o->mdevs[1].assigned_known);
}
END_TEST

/* What is known of ours leaves a foreign one less than 512 queues. */
START_TEST(masks_and_known_matrices_bound_a_foreign_one)
{
	_cleanup_(cleanup_ledger_free) struct ledger *ours = ledger_new();

	ledger_get(ours, A)->made = true;
	put_tree("6.1.176\n");
	put_matrix_device(NULL);
	put_mdev(A, NULL, "05.0004\n", "", "05.0004\n");
	put_mdev(B, NULL, "06.0004\n", "0001\n", "");

	_cleanup_observed_ struct observed *o = scan_with(ours);

	ck_assert_uint_eq(o->n_mdevs, 2);
	ck_assert(o->mdevs[1].assigned_known);
	ck_assert(mask_test(&o->mdevs[1].assigned.adapters, 6));
	ck_assert(o->mdevs[1].guest_known);
}
END_TEST

START_TEST(a_large_matrix_is_not_read_where_that_overruns)
{
	put_tree("6.12.107\n");
	put_matrix_device("guest_matrix hotplug ap_config\n");
	/* two adapters, all domains */
	put_mdev(A,
		"0x06,"
		"0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff,0x\n",
		"05.0004\n", "", "05.0004\n");

	_cleanup_observed_ struct observed *o = scan();

	ck_assert(o->mdevs[0].assigned_known);
	ck_assert_uint_eq(matrix_n_queues(&o->mdevs[0].assigned), 512);
	ck_assert(!o->mdevs[0].guest_known);
}
END_TEST

START_TEST(a_guest_matrix_that_fills_the_page_is_not_believed_on_7_2)
{
	char text[4097] = "";

	put_tree("7.2.13\n");
	put_matrix_device("guest_matrix hotplug ap_config\n");
	for (unsigned i = 0; i < 511; i++)
		snprintf(text + 8 * i, 9, "%02x.%04x\n", 5 + i / 256, i % 256);
	put_mdev(A, "0x06,0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff,0x\n",
		NULL, NULL, text);

	_cleanup_observed_ struct observed *o = scan();

	ck_assert_msg(o->complete, "%s", o->incomplete);
	ck_assert(o->mdevs[0].assigned_known && !o->mdevs[0].guest_known);
}
END_TEST

/* The attributes vanish at once, the device when its holder lets go. */
START_TEST(an_mdev_under_removal_is_there_but_unknown)
{
	put_tree("6.12.107\n");
	put_matrix_device("guest_matrix hotplug ap_config\n");
	fake_dir(MDEV A);

	_cleanup_observed_ struct observed *o = scan();

	ck_assert_msg(o->complete, "%s", o->incomplete);
	ck_assert_uint_eq(o->n_mdevs, 1);
	ck_assert(!o->mdevs[0].assigned_known && !o->mdevs[0].guest_known);
}
END_TEST

START_TEST(the_module_tells_who_has_it)
{
	put_tree("7.2.13\n");
	put_matrix_device("guest_matrix hotplug ap_config\n");
	put_mdev(A, "0x04,0x08,0x\n", NULL, NULL, "05.0004\n");
	put_mdev(B, "0x,0x,0x\n", NULL, NULL, "");
	fake_file(MDEV A "/apmatrix/attached", "1\n");
	fake_file(MDEV A "/apmatrix/vm_pid", "4711\n");
	fake_file(MDEV A "/apmatrix/attach_count", "3\n");
	fake_file(MDEV A "/apmatrix/attach_seq", "7\n");
	fake_file(MDEV A "/apmatrix/attached_since", "1700000000000000\n");
	fake_file(MDEV B "/apmatrix/attached", "0\n");
	fake_file(MDEV B "/apmatrix/attach_count", "0\n");
	fake_file(MDEV B "/apmatrix/attach_seq", "0\n");

	_cleanup_observed_ struct observed *o = scan();

	ck_assert_msg(o->complete, "%s", o->incomplete);
	ck_assert(o->features & FEATURE_MODULE);
	ck_assert_uint_eq(o->mdevs[0].attach, ATTACH_YES);
	ck_assert_uint_eq(o->mdevs[0].attach_source, ATTACH_FROM_MODULE);
	ck_assert_uint_eq(o->mdevs[0].vm_pid, 4711);
	ck_assert_uint_eq(o->mdevs[0].attach_count, 3);
	ck_assert_uint_eq(o->mdevs[0].attach_seq, 7);
	ck_assert_uint_eq(o->mdevs[0].attached_since, UINT64_C(1700000000000000));
	ck_assert_uint_eq(o->mdevs[1].attach, ATTACH_NO);
}
END_TEST

START_TEST(one_queue_in_use_shows_that_the_matrix_is_attached)
{
	put_tree("6.12.107\n");
	put_queue(5, 5, "vfio_ap");
	put_matrix_device("guest_matrix hotplug ap_config\n");
	put_mdev(A, "0x04,0x0c,0x\n", NULL, NULL, "05.0004\n05.0005\n");
	fake_file("sys/devices/ap/card05/05.0004/status", "in use\n");

	_cleanup_observed_ struct observed *o = scan();

	ck_assert_uint_eq(o->mdevs[0].attach, ATTACH_YES);
	ck_assert_uint_eq(o->mdevs[0].attach_source, ATTACH_FROM_STATUS);
	ck_assert_uint_eq(o->mdevs[0].vm_pid, 0);
	/* 05.0005 was not read: it follows. */
	ck_assert(queues_test(&o->in_use, 5, 4) && queues_test(&o->in_use, 5, 5));
}
END_TEST

START_TEST(reads_overrides_of_all_queues_where_both_masks_are_untouched)
{
	put_tree("7.2.13\n");
	fake_file("sys/bus/ap/apmask", ONES);
	fake_file("sys/devices/ap/card03/03.0004/driver_override", "cex4queue\n");
	fake_file("sys/devices/ap/card05/05.0004/driver_override", "vfio_ap\n");
	fake_file("sys/devices/ap/card06/06.0004/driver_override", "\n");

	_cleanup_observed_ struct observed *o = scan();

	ck_assert_msg(o->complete, "%s", o->incomplete);
	ck_assert(o->features & FEATURE_DRIVER_OVERRIDE);
	ck_assert_uint_eq(queues_count(&o->override_other), 1);
	ck_assert(queues_test(&o->override_other, 3, 4));
	ck_assert_uint_eq(queues_count(&o->override), 1);
	ck_assert(queues_test(&o->override, 5, 4));
}
END_TEST

/* 03.0004 is the host's by masks and driver: it cannot have an override, and is not read. */
START_TEST(reads_no_override_where_masks_explain_the_drivers)
{
	put_tree("7.2.13\n");
	fake_file("sys/devices/ap/card03/03.0004/driver_override", "cex4queue\n");
	put_card(7, "MODALIAS=ap:t0E\nMODE=cca\n");
	put_queue(7, 4, "vfio_ap");
	fake_file("sys/devices/ap/card07/07.0004/driver_override", "vfio_ap\n");

	_cleanup_observed_ struct observed *o = scan();

	ck_assert(queues_is_empty(&o->override_other));
	ck_assert(queues_test(&o->override, 7, 4));
}
END_TEST

static const struct {
	const char *file, *text;
} damages[] = {
	{"sys/bus/ap/apmask", "zebra\n"},
	{"sys/bus/ap/aqmask", ""},
	{"sys/bus/ap/ap_max_domain_id", "256\n"},
	{"sys/bus/ap/ap_adapter_mask", "0xzz\n"},
	{"sys/devices/ap/card05/config", "maybe\n"},
	{MDEV A "/ap_config", "0x1,0x2\n"},
	{MDEV A "/guest_matrix", "05.0004\nfish\n"},
	{MDEV A "/apmatrix/attached", "2\n"},
};

START_TEST(what_is_not_understood_makes_it_incomplete_and_is_named)
{
	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		fake_make();
		put_tree("7.2.13\n");
		put_matrix_device("guest_matrix hotplug ap_config\n");
		put_mdev(A, "0x04,0x08,0x\n", NULL, NULL, "05.0004\n");
		fake_file(damages[i].file, damages[i].text);

		_cleanup_observed_ struct observed *o = scan();

		ck_assert_msg(!o->complete, "%s", damages[i].file);
		ck_assert_msg(strstr(o->incomplete, damages[i].file), "%s: %s", damages[i].file,
			o->incomplete);
		/* The scan went on. */
		ck_assert_msg(o->n_mdevs == 1, "%s", damages[i].file);
		fake_remove();
	}
}
END_TEST

START_TEST(a_directory_in_an_attributes_place_is_an_error)
{
	put_tree("7.2.13\n");
	ck_assert_int_eq(unlinkat(fake_root, "sys/bus/ap/aqmask", 0), 0);
	fake_dir("sys/bus/ap/aqmask");

	_cleanup_observed_ struct observed *o = scan();

	ck_assert(!o->complete);
	ck_assert_str_eq(o->incomplete, "/sys/bus/ap/aqmask: Is a directory");
}
END_TEST

START_TEST(a_missing_mask_makes_it_incomplete)
{
	put_tree("7.2.13\n");
	ck_assert_int_eq(unlinkat(fake_root, "sys/bus/ap/apmask", 0), 0);

	_cleanup_observed_ struct observed *o = scan();

	ck_assert(!o->complete);
}
END_TEST

START_TEST(only_uuids_and_queue_names_count)
{
	unsigned a, d;

	put_tree("7.2.13\n");
	put_matrix_device("ap_config\n");
	fake_dir(MDEV "power");
	fake_dir(MDEV "2D5CB6E9-0000-4000-8000-00000000000A");

	_cleanup_observed_ struct observed *o = scan();

	ck_assert_uint_eq(o->n_mdevs, 0);
	ck_assert(tree_parse_queue("ff.00fe", &a, &d) && a == 0xff && d == 0xfe);
	ck_assert(!tree_parse_queue("05.0100", &a, &d) && !tree_parse_queue("05.00AB", &a, &d));
	ck_assert(!tree_parse_queue("5.0004", &a, &d) && !tree_parse_queue("05.00041", &a, &d));
	ck_assert(tree_parse_card("card0a", &a) && a == 10);
	ck_assert(!tree_parse_card("cardx1", &a) && !tree_parse_card("card001", &a));
}
END_TEST

static struct queues product(unsigned adapters, unsigned domains)
{
	struct mask a = mask_up_to(adapters - 1), d = mask_up_to(domains - 1);
	struct queues q;

	memset(&q, 0, sizeof(q));
	queues_add_product(&q, &a, &d);
	return q;
}

START_TEST(the_bound_of_a_product_is_itself)
{
	static const struct {
		unsigned adapters, domains;
	} rows[] = {{1, 1}, {2, 256}, {256, 1}, {7, 73}, {256, 256}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct queues q = product(rows[i].adapters, rows[i].domains);

		ck_assert_msg(bound_product(&q) == rows[i].adapters * rows[i].domains, "%u x %u",
			rows[i].adapters, rows[i].domains);
	}
}
END_TEST

START_TEST(the_bound_counts_and_does_not_search)
{
	struct queues q;

	memset(&q, 0, sizeof(q));
	for (unsigned i = 0; i < MASK_BITS; i++)
		queues_set(&q, i, i);
	/* By counting, 256 adapters have one domain each. */
	ck_assert_uint_eq(bound_product(&q), 256);
	ck_assert_uint_eq(queues_count(&q), 256);
}
END_TEST

START_TEST(nothing_is_free_where_the_host_owns_all)
{
	struct observed *o = observed_new();
	struct queues q;

	o->max_adapter = o->max_domain = 255;
	o->apmask = o->aqmask = mask_full();
	bound_free_queues(o, &q);
	ck_assert(queues_is_empty(&q));
	mask_clear(&o->aqmask, 7);
	bound_free_queues(o, &q);
	ck_assert_uint_eq(bound_product(&q), 256);
	observed_free(o);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scan");
	TCase *trees = tcase_create("trees"), *alone = tcase_create("alone");

	tcase_add_checked_fixture(trees, fake_make, fake_remove);
	tcase_add_test(trees, a_host_without_ap_is_a_complete_observation);
	tcase_add_test(trees, reads_masks_cards_and_queues);
	tcase_add_test(trees, without_qci_the_devices_must_do);
	tcase_add_test(trees, reads_an_mdev_of_6_12);
	tcase_add_test(trees, a_matrix_of_unknown_size_is_not_read_on_6_1);
	tcase_add_test(trees, our_own_matrix_is_read_on_6_1);
	tcase_add_test(trees, an_adopted_or_large_matrix_is_not_trusted_by_the_ledger);
	tcase_add_test(trees, masks_and_known_matrices_bound_a_foreign_one);
	tcase_add_test(trees, a_large_matrix_is_not_read_where_that_overruns);
	tcase_add_test(trees, a_guest_matrix_that_fills_the_page_is_not_believed_on_7_2);
	tcase_add_test(trees, an_mdev_under_removal_is_there_but_unknown);
	tcase_add_test(trees, the_module_tells_who_has_it);
	tcase_add_test(trees, one_queue_in_use_shows_that_the_matrix_is_attached);
	tcase_add_test(trees, reads_overrides_of_all_queues_where_both_masks_are_untouched);
	tcase_add_test(trees, reads_no_override_where_masks_explain_the_drivers);
	tcase_add_test(trees, a_directory_in_an_attributes_place_is_an_error);
	tcase_add_test(trees, a_missing_mask_makes_it_incomplete);
	tcase_add_test(trees, only_uuids_and_queue_names_count);
	tcase_add_test(alone, what_is_not_understood_makes_it_incomplete_and_is_named);
	tcase_add_test(alone, a_release_tells_features_and_hazards);
	tcase_add_test(alone, the_bound_of_a_product_is_itself);
	tcase_add_test(alone, the_bound_counts_and_does_not_search);
	tcase_add_test(alone, nothing_is_free_where_the_host_owns_all);
	suite_add_tcase(suite, trees);
	suite_add_tcase(suite, alone);
	return unit_main(suite);
}
