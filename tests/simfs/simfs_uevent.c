/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The model's uevents as udevd would pass them on: multicast to group 2 of the uevent netlink
 * family, in the format of libudev's monitor, seen in this network namespace only.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "simfs.h"
#include "util/cleanup.h"

#define UDEV_GROUP 2u
#define UDEV_MAGIC 0xfeedcafeu

struct udev_header {
	char prefix[8];
	uint32_t magic; /* network order, as the hashes */
	uint32_t header_size;
	uint32_t properties_offset;
	uint32_t properties_length;
	uint32_t subsystem_hash;
	uint32_t devtype_hash;
	uint32_t tag_bloom_high;
	uint32_t tag_bloom_low;
};

/* MurmurHash2 with seed 0: what the receivers' socket filter compares. */
static uint32_t hash(const char *text)
{
	const uint32_t factor = 0x5bd1e995;
	size_t left = strlen(text);
	uint32_t h = (uint32_t)left;

	for (; left >= 4; left -= 4, text += 4) {
		uint32_t k;

		memcpy(&k, text, sizeof(k));
		k *= factor;
		k ^= k >> 24;
		h = (h * factor) ^ (k * factor);
	}
	for (size_t i = left; i > 0; i--)
		h ^= (uint32_t)(unsigned char)text[i - 1] << (8 * (i - 1));
	if (left > 0)
		h *= factor;
	h ^= h >> 13;
	h *= factor;
	return h ^ h >> 15;
}

int uevent_open(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK};
	_cleanup_close_ int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static const char *find_property(const struct model_event *e, const char *prefix)
{
	for (size_t i = 0; i < e->n_properties; i++)
		if (strncmp(e->properties[i], prefix, strlen(prefix)) == 0)
			return e->properties[i] + strlen(prefix);
	return NULL;
}

/* The properties, NUL after each. */
static int write_properties(struct simfs *s, const struct model_event *e, char **ret, size_t *ret_n)
{
	FILE *out = open_memstream(ret, ret_n);

	if (!out)
		return -ENOMEM;
	fprintf(out, "ACTION=%s%cDEVPATH=%s%cSUBSYSTEM=%s%c", e->action, 0, e->devpath, 0,
		e->subsystem, 0);
	for (size_t i = 0; i < e->n_properties; i++)
		fprintf(out, "%s%c", e->properties[i], 0);
	fprintf(out, "SEQNUM=%llu%cUSEC_INITIALIZED=1%c", (unsigned long long)++s->seqnum, 0, 0);
	return fclose(out) == 0 ? 0 : -ENOMEM;
}

/* A receiver that is not there, or too slow, is no failure of the kernel. */
void uevent_send(void *userdata, const struct model_event *event)
{
	struct simfs *s = userdata;
	const char *devtype = find_property(event, "DEVTYPE=");
	_cleanup_free_ char *text = NULL;
	size_t n_text = 0;

	if (write_properties(s, event, &text, &n_text) < 0)
		return;

	struct udev_header header = {
		.prefix = "libudev",
		.magic = htonl(UDEV_MAGIC),
		.header_size = sizeof(header),
		.properties_offset = sizeof(header),
		.properties_length = (uint32_t)n_text,
		.subsystem_hash = htonl(hash(event->subsystem)),
		.devtype_hash = devtype ? htonl(hash(devtype)) : 0,
	};
	struct iovec parts[] = {{&header, sizeof(header)}, {text, n_text}};
	struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_groups = UDEV_GROUP};
	struct msghdr message = {
		.msg_name = &to,
		.msg_namelen = sizeof(to),
		.msg_iov = parts,
		.msg_iovlen = 2,
	};

	(void)!sendmsg(s->uevents, &message, 0);
}
