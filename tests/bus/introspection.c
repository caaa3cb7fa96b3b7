/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Introspection as a sorted list of lines, so that order does not matter, and what is written down
 * twice shows up once too often.
 */
#include "introspection.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>

#include "room.h"

#define EMITS "org.freedesktop.DBus.Property.EmitsChangedSignal"
#define DOC "org.gtk.GDBus.DocString"

/* The members of one interface, one line each, sorted. */
struct members {
	char line[64][512];
	size_t n;
};

static const char *attribute(xmlNode *node, const char *name, char buf[static 2048])
{
	xmlChar *value = xmlGetProp(node, (const xmlChar *)name);

	snprintf(buf, 2048, "%s", value ? (const char *)value : "");
	xmlFree(value);
	return buf;
}

static bool is_element(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

static void add_text(char line[static 512], const char *text)
{
	snprintf(line + strlen(line), 512 - strlen(line), " %s", text);
}

static void describe_annotation(xmlNode *node, char line[static 512], bool *has_doc)
{
	char name[2048], value[2048];

	attribute(node, "name", name);
	attribute(node, "value", value);
	if (strcmp(name, DOC) == 0) {
		*has_doc = strlen(value) >= 10;
		return;
	}
	/* The specification's default: whether it is written down or not is the same. */
	if (strcmp(name, EMITS) == 0 && strcmp(value, "true") == 0)
		return;
	add_text(line, name);
	add_text(line, value);
}

/* Appends element, attributes and annotations of a member or argument, then its arguments'. */
static void describe(xmlNode *node, char line[static 512], bool documented, bool in_signal)
{
	static const char *const attributes[] = {"name", "type", "access"};
	bool has_doc = false;
	char buf[2048];

	add_text(line, (const char *)node->name);
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
		add_text(line, attribute(node, attributes[i], buf));
	if (is_element(node, "arg"))
		add_text(line, in_signal ? "out" : attribute(node, "direction", buf));
	for (xmlNode *c = node->children; c; c = c->next) {
		if (is_element(c, "annotation"))
			describe_annotation(c, line, &has_doc);
		if (is_element(c, "arg"))
			describe(c, line, documented, is_element(node, "signal"));
	}
	ck_assert_msg(has_doc || !documented, "%s has no doc text", line);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void collect(xmlDoc *doc, const char *interface, bool documented, struct members *ret)
{
	char buf[2048];
	bool found = false, has_doc = false;

	*ret = (struct members){};
	ck_assert_ptr_nonnull(doc);
	for (xmlNode *i = xmlDocGetRootElement(doc)->children; i; i = i->next) {
		if (!is_element(i, "interface") ||
			strcmp(attribute(i, "name", buf), interface) != 0)
			continue;
		found = true;
		for (xmlNode *c = i->children; c; c = c->next) {
			if (c->type != XML_ELEMENT_NODE)
				continue;
			ck_assert_uint_lt(ret->n, ARRAY_SIZE(ret->line));
			if (is_element(c, "annotation"))
				describe_annotation(c, ret->line[ret->n], &has_doc);
			else
				describe(c, ret->line[ret->n], documented, false);
			ret->n += ret->line[ret->n][0] != '\0';
		}
	}
	ck_assert_msg(found, "%s is not there", interface);
	ck_assert(has_doc || !documented);
	qsort(ret->line, ret->n, sizeof(ret->line[0]), compare_lines);
}

void introspection_compare(sd_bus *client, const char *path, const char *interface)
{
	static struct members file, live;
	sd_bus_message *m =
		call(client, path, "org.freedesktop.DBus.Introspectable", "Introspect", NULL);
	const char *text;
	char name[512];
	xmlDoc *doc;

	expect_return(m, "s");
	ck_assert_int_gt(sd_bus_message_read(m, "s", &text), 0);
	doc = xmlReadMemory(text, (int)strlen(text), "live", NULL, XML_PARSE_NONET);
	collect(doc, interface, false, &live);
	xmlFreeDoc(doc);
	sd_bus_message_unref(m);

	snprintf(name, sizeof(name), "%s/%s.xml", getenv("APMATRIX_DBUS_DIR"), interface);
	doc = xmlReadFile(name, NULL, XML_PARSE_NONET);
	collect(doc, interface, true, &file);
	xmlFreeDoc(doc);

	for (size_t i = 0; i < file.n && i < live.n; i++)
		ck_assert_str_eq(live.line[i], file.line[i]);
	ck_assert_msg(live.n == file.n, "%zu members live, %zu in %s: '%s'", live.n, file.n, name,
		live.n > file.n ? live.line[file.n] : file.line[live.n]);
}
