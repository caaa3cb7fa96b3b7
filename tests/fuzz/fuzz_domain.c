/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as a domain's XML.  Besides not crashing: what is found stands in the text (unless
 * something in the text is written by its number), the list has its end, and a text with a document
 * type never gets through.
 */
#include <errno.h>
#include <string.h>

#include "libvirt/domain.h"
#include "fuzz.h"

/* In another encoding than UTF-8 anything can look like anything. */
static bool is_plain_text(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (data[i] == '&' || data[i] == '\0' || data[i] >= 0x7f)
			return false;
	return !memmem(data, size, "encoding", strlen("encoding"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool plain = is_plain_text(data, size);
	char **uuids = NULL;
	int n = domain_uuids((const char *)data, size, &uuids);

	must(n >= 0 || n == -EBADMSG || n == -EFBIG);
	must((n >= 0) == (uuids != NULL));
	for (int i = 0; i < n; i++) {
		must(uuids[i] != NULL);
		must(!plain || strpbrk(uuids[i], " ") ||
			memmem(data, size, uuids[i], strlen(uuids[i])));
	}
	must(n < 0 || uuids[n] == NULL);
	if (n >= 0 && plain && size > strlen("<!DOCTYPE"))
		must(memcmp(data, "<!DOCTYPE", strlen("<!DOCTYPE")) != 0);
	domain_uuids_free(uuids);
	return 0;
}
