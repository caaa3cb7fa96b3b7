/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the hook reads out of a domain's XML: libvirt's own kinds of hostdev, places that look like
 * it, and what nobody should be able to do to it by XML.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <libxml/parser.h>

#include "../unit/unit.h"
#include "libvirt/domain.h"
#include "util/cleanup.h"

#define A "62177883-f1bb-47f0-914d-32a22e3a8804"
#define B "90c6c135-ad44-41d0-b1b7-bae47de48627"

#define DOMAIN(devices)                                                             \
	"<domain type='kvm'><name>guest1</name><memory unit='KiB'>65536</memory>"   \
	"<os><type arch='s390x' machine='s390-ccw-virtio'>hvm</type></os><devices>" \
	"<emulator>/usr/bin/qemu-system-s390x</emulator>" devices "</devices></domain>"

#define AP(source) "<hostdev mode='subsystem' type='mdev' model='vfio-ap'>" source "</hostdev>"
#define ADDRESS(uuid) "<source><address uuid='" uuid "'/></source>"

struct row {
	const char *name, *xml;
	int expected;
	const char *uuids[3];
};

/* clang-format off */
static const struct row rows[] = {
	{"no devices", "<domain><name>x</name></domain>", 0, {}},
	{"a vfio-ap hostdev", DOMAIN(AP(ADDRESS(A))), 1, {A}},
	{"two of them", DOMAIN(AP(ADDRESS(A)) AP(ADDRESS(B))), 2, {A, B}},
	{"live, with alias", DOMAIN("<hostdev mode='subsystem' type='mdev' managed='no' model='vfio-ap'>"
		"<source><address uuid='" A "'/></source><alias name='hostdev0'/></hostdev>"), 1, {A}},
	{"an address outside the source",
		DOMAIN(AP("<address type='ccw' uuid='" B "' cssid='0xfe'/>" ADDRESS(A))), 1, {A}},
	{"no source", DOMAIN(AP("<address uuid='" A "'/>")), 0, {}},
	{"no uuid", DOMAIN(AP("<source><address/></source>")), 0, {}},
	{"vfio-ccw", DOMAIN("<hostdev mode='subsystem' type='mdev' model='vfio-ccw'>" ADDRESS(A)
		"<address type='ccw' cssid='0xfe' ssid='0x0' devno='0x0001'/></hostdev>"), 0, {}},
	{"vfio-pci", DOMAIN("<hostdev mode='subsystem' type='mdev' model='vfio-pci' display='on'>"
		ADDRESS(A) "</hostdev>"), 0, {}},
	{"a PCI device", DOMAIN("<hostdev mode='subsystem' type='pci' managed='yes'><source>"
		"<address domain='0x0000' bus='0x06' slot='0x02' function='0x0'/></source></hostdev>"), 0, {}},
	{"one of several hostdevs", DOMAIN("<hostdev mode='subsystem' type='mdev' model='vfio-ccw'>"
		ADDRESS(B) "</hostdev>" AP(ADDRESS(A)) "<disk type='file' device='disk'/>"), 1, {A}},
	{"text that looks like it", DOMAIN("<!-- " AP(ADDRESS(A)) " --><x><![CDATA[" AP(ADDRESS(A))
		"]]></x>"), 0, {}},
	{"the same in the metadata", "<domain><metadata><devices>" AP(ADDRESS(A))
		"</devices></metadata><devices/></domain>", 0, {}},
	{"another domain inside", "<domain><metadata>" DOMAIN(AP(ADDRESS(A))) "</metadata></domain>", 0, {}},
	{"QEMU's namespace", "<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><devices>"
		AP(ADDRESS(A)) "</devices><qemu:commandline><qemu:arg value='-S'/></qemu:commandline></domain>",
		1, {A}},
	{"a foreign hostdev", "<domain xmlns:x='urn:x'><devices><x:hostdev type='mdev' model='vfio-ap'>"
		ADDRESS(A) "</x:hostdev></devices></domain>", 0, {}},
	{"a foreign model", "<domain xmlns:x='urn:x'><devices><hostdev type='mdev' x:model='vfio-ap'>"
		ADDRESS(A) "</hostdev></devices></domain>", 0, {}},
	{"a declaration and other quotes", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<domain>\n <devices>\n"
		"  <hostdev model=\"vfio-ap\" type=\"mdev\">\n<source><address uuid=\"" A "\"/></source>"
		"</hostdev></devices></domain>\n", 1, {A}},
	{"not a UUID", DOMAIN(AP(ADDRESS("../../x &amp; y&#10;"))), 1, {"../../x & y\n"}},
	{"an empty one", DOMAIN(AP(ADDRESS(""))), 1, {""}},
	{"what XInclude would do", "<domain xmlns:xi='http://www.w3.org/2001/XInclude'><devices>"
		"<xi:include href='file:///etc/passwd' parse='text'/>" AP(ADDRESS(A)) "</devices></domain>", 1, {A}},

	{"nothing", "", -EBADMSG, {}},
	{"not XML", "guest1 prepare begin -\n", -EBADMSG, {}},
	{"another document", "<network><name>default</name></network>", -EBADMSG, {}},
	{"a default namespace", "<domain xmlns='urn:x'><devices>" AP(ADDRESS(A)) "</devices></domain>",
		-EBADMSG, {}},
	{"cut", "<domain><devices>" AP(ADDRESS(A)), -EBADMSG, {}},
	{"cut in an attribute", "<domain><devices><hostdev type='mdev' mod", -EBADMSG, {}},
	{"something behind it", DOMAIN(AP(ADDRESS(A))) "<domain/>", -EBADMSG, {}},
	{"not UTF-8", "<domain><name>\xff\xfe</name></domain>", -EBADMSG, {}},
	{"an unknown entity", DOMAIN(AP(ADDRESS("&x;"))), -EBADMSG, {}},
	{"a plain document type", "<!DOCTYPE domain><domain><devices>" AP(ADDRESS(A))
		"</devices></domain>", -EBADMSG, {}},
	{"an internal entity", "<!DOCTYPE domain [<!ENTITY u '" A "'>]>" DOMAIN(AP(ADDRESS("&u;"))),
		-EBADMSG, {}},
	{"an external entity", "<!DOCTYPE domain [<!ENTITY u SYSTEM 'file:///etc/hostname'>]>"
		"<domain><name>&u;</name></domain>", -EBADMSG, {}},
	{"an external parameter entity", "<!DOCTYPE domain [<!ENTITY % p SYSTEM 'file:///etc/hostname'>"
		"%p;]><domain/>", -EBADMSG, {}},
	{"an external document type", "<!DOCTYPE domain SYSTEM 'http://127.0.0.1:9/x.dtd'><domain/>",
		-EBADMSG, {}},
	{"a billion laughs", "<!DOCTYPE domain [<!ENTITY a 'ha'>"
		"<!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'>"
		"<!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;'><!ENTITY e '&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;'>"
		"<!ENTITY f '&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;'><!ENTITY g '&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;'>"
		"<!ENTITY h '&g;&g;&g;&g;&g;&g;&g;&g;&g;&g;'><!ENTITY i '&h;&h;&h;&h;&h;&h;&h;&h;&h;&h;'>]>"
		"<domain><name>&i;</name><devices>" AP(ADDRESS("&i;")) "</devices></domain>", -EBADMSG, {}},
};
/* clang-format on */

static void check_row(const struct row *row)
{
	char **uuids = NULL;
	int n = domain_uuids(row->xml, strlen(row->xml), &uuids);

	ck_assert_msg(n == row->expected, "%s: %d instead of %d", row->name, n, row->expected);
	if (n < 0) {
		ck_assert_msg(!uuids, "%s: touched the result", row->name);
		return;
	}
	for (int i = 0; i < n; i++)
		ck_assert_msg(strcmp(uuids[i], row->uuids[i]) == 0, "%s: '%s' instead of '%s'",
			row->name, uuids[i], row->uuids[i]);
	ck_assert_msg(!uuids[n], "%s: the list has no end", row->name);
	domain_uuids_free(uuids);
}

START_TEST(finds_the_vfio_ap_hostdevs_and_nothing_else)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check_row(&rows[i]);
}
END_TEST

/* libvirt's pipe may end anywhere. */
START_TEST(refuses_every_beginning_of_a_domain)
{
	static const char xml[] = DOMAIN(AP(ADDRESS(A)));

	for (size_t size = 0; size < strlen(xml); size++) {
		char **uuids = NULL;

		ck_assert_msg(
			domain_uuids(xml, size, &uuids) == -EBADMSG, "the first %zu bytes", size);
	}
}
END_TEST

/* @text as often as it fits into @size bytes between the rest. */
static char *fill(const char *head, const char *text, const char *tail, size_t size, size_t *ret)
{
	size_t n = size / strlen(text);
	char *xml = malloc(strlen(head) + size + strlen(tail) + 1), *end = xml;

	ck_assert_ptr_nonnull(xml);
	end = stpcpy(end, head);
	while (n--)
		end = stpcpy(end, text);
	end = stpcpy(end, tail);
	*ret = (size_t)(end - xml);
	return xml;
}

START_TEST(reads_a_domain_as_large_as_libvirt_allows)
{
	char **uuids = NULL;
	size_t size;
	_cleanup_free_ char *xml =
		fill("<domain><metadata>", "<x:y xmlns:x='urn:x' z='1'>text</x:y>",
			"</metadata><devices>" AP(ADDRESS(A)) "</devices></domain>",
			4 * 1024 * 1024, &size);

	ck_assert_int_eq(domain_uuids(xml, size, &uuids), 1);
	ck_assert_str_eq(uuids[0], A);
	domain_uuids_free(uuids);
}
END_TEST

START_TEST(refuses_what_is_too_large_or_too_deep)
{
	char **uuids = NULL;
	size_t size;
	_cleanup_free_ char *large = fill("<domain>", " ", "</domain>", DOMAIN_XML_MAX, &size);

	ck_assert_int_eq(domain_uuids(large, size, &uuids), -EFBIG);

	_cleanup_free_ char *deep = fill("<domain>", "<a>", "", 1024 * 1024, &size);

	ck_assert_int_eq(domain_uuids(deep, size, &uuids), -EBADMSG);

	ck_assert_ptr_null(uuids);
}
END_TEST

START_TEST(reads_up_to_the_size_and_no_nul)
{
	static const char xml[] = "<domain><name>a\0b</name></domain>";
	static const char behind[] = "<domain/>\0<domain/>";
	char **uuids = NULL;

	ck_assert_int_eq(domain_uuids(xml, sizeof(xml) - 1, &uuids), -EBADMSG);
	ck_assert_int_eq(domain_uuids(behind, strlen(behind), &uuids), 0);
	domain_uuids_free(uuids);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hook domain");
	TCase *tests = tcase_create("domain");
	int status;

	tcase_add_test(tests, finds_the_vfio_ap_hostdevs_and_nothing_else);
	tcase_add_test(tests, refuses_every_beginning_of_a_domain);
	tcase_add_test(tests, reads_a_domain_as_large_as_libvirt_allows);
	tcase_add_test(tests, refuses_what_is_too_large_or_too_deep);
	tcase_add_test(tests, reads_up_to_the_size_and_no_nul);
	suite_add_tcase(suite, tests);
	status = unit_main(suite);
	xmlCleanupParser();
	return status;
}
