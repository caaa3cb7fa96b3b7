/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A domain's XML as libvirt gives it to a hook, and the one thing in it that matters here: which
 * mediated devices of vfio_ap the domain is to have.
 */
#include <stddef.h>

/* More than libvirt takes for a definition (4 MiB in one message). */
#define DOMAIN_XML_MAX ((size_t)16 * 1024 * 1024)

/* The UUIDs of the vfio-ap hostdevs, as they are written, in a new NULL-terminated list.
 * Returns how many there are, -EBADMSG where @xml is not the XML of a domain, or is such as libvirt
 * never writes (a document type), -EFBIG above DOMAIN_XML_MAX, -ENOMEM.  *ret is the caller's, to
 * be freed with domain_uuids_free(). */
int domain_uuids(const char *xml, size_t size, char ***ret);
void domain_uuids_free(char **uuids);
