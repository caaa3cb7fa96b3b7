/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads a domain's XML.  Parts of it, above all <metadata>, are written by people who may define
 * domains and no more, and this runs as root: so no document type is taken, hence no entities, no
 * other file is opened, and libxml2's own limits (depth, length of a text) stay on.
 *
 * It must not know what is done with the UUIDs, nor whether they are any.
 */
#include "libvirt/domain.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xpath.h>

#include "util/cleanup.h"

/* <address> stands outside of <source> too: there it is where the guest sees the device. */
#define UUIDS "/domain/devices/hostdev[@type='mdev'][@model='vfio-ap']/source/address/@uuid"

DEFINE_CLEANUP(xmlParserCtxt, xmlFreeParserCtxt)
DEFINE_CLEANUP(xmlDoc, xmlFreeDoc)
DEFINE_CLEANUP(xmlXPathContext, xmlXPathFreeContext)
DEFINE_CLEANUP(xmlXPathObject, xmlXPathFreeObject)
DEFINE_CLEANUP(char *, domain_uuids_free)

/* Of a document type, before anything in it is read. */
static void on_document_type(void *userdata, const xmlChar *name _unused_,
	const xmlChar *external _unused_, const xmlChar *system _unused_)
{
	xmlParserCtxt *parser = userdata;

	*(bool *)parser->_private = true;
	xmlStopParser(parser);
}

static int read_document(const char *xml, size_t size, xmlDoc **ret)
{
	_cleanup_(cleanup_xmlFreeParserCtxt) xmlParserCtxt *parser = xmlNewParserCtxt();
	_cleanup_(cleanup_xmlFreeDoc) xmlDoc *document = NULL;
	bool has_type = false;
	const xmlNode *root;

	if (!parser)
		return -ENOMEM;
	parser->_private = &has_type;
	parser->sax->internalSubset = on_document_type;
	document = xmlCtxtReadMemory(parser, xml, (int)size, NULL, NULL,
		XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (parser->errNo == XML_ERR_NO_MEMORY)
		return -ENOMEM;
	root = document && !has_type ? xmlDocGetRootElement(document) : NULL;
	if (!root || root->ns || strcmp((const char *)root->name, "domain") != 0)
		return -EBADMSG;
	*ret = TAKE_PTR(document);
	return 0;
}

static int copy_values(const xmlNodeSet *nodes, char ***ret)
{
	int n = nodes ? nodes->nodeNr : 0;
	_cleanup_(cleanup_domain_uuids_free) char **uuids = calloc((size_t)n + 1, sizeof(*uuids));

	if (!uuids)
		return -ENOMEM;
	for (int i = 0; i < n; i++) {
		xmlChar *value = xmlNodeGetContent(nodes->nodeTab[i]);

		uuids[i] = value ? strdup((const char *)value) : NULL;
		xmlFree(value);
		if (!uuids[i])
			return -ENOMEM;
	}
	*ret = TAKE_PTR(uuids);
	return n;
}

int domain_uuids(const char *xml, size_t size, char ***ret)
{
	_cleanup_(cleanup_xmlFreeDoc) xmlDoc *document = NULL;
	_cleanup_(cleanup_xmlXPathFreeContext) xmlXPathContext *context = NULL;
	_cleanup_(cleanup_xmlXPathFreeObject) xmlXPathObject *found = NULL;
	int r;

	if (size > DOMAIN_XML_MAX)
		return -EFBIG;
	r = read_document(xml, size, &document);
	if (r < 0)
		return r;
	context = xmlXPathNewContext(document);
	if (context)
		found = xmlXPathEvalExpression((const xmlChar *)UUIDS, context);
	return found ? copy_values(found->nodesetval, ret) : -ENOMEM;
}

void domain_uuids_free(char **uuids)
{
	for (char **u = uuids; u && *u; u++)
		free(*u);
	free(uuids);
}
