/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One socket in the kernel's own group.  Only the kernel can send with port 0, so what comes from
 * elsewhere is not listened to.  A datagram is "ACTION@DEVPATH", a NUL, and "KEY=value"s, each with
 * a NUL at its end.
 */
#include "event/kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define KERNEL_GROUP 1u
#define DATAGRAM_MAX 8192u    /* the kernel's UEVENT_BUFFER_SIZE is 2048 */
#define BUFFER_SIZE (4 << 20) /* thousands of events at once */
#define BATCH 64u             /* then others have their turn */

struct kernel {
	sd_event_source *source;
	int fd;
	void (*event)(void *userdata, const struct kernel_event *e);
	void (*lost)(void *userdata);
	void *userdata;
};

const char *kernel_event_get(const struct kernel_event *e, const char *key)
{
	size_t length = strlen(key);

	for (const char *p = e->properties; p < e->end; p += strlen(p) + 1)
		if (strncmp(p, key, length) == 0 && p[length] == '=')
			return p + length + 1;
	return NULL;
}

bool kernel_event_parse(const char *data, size_t size, struct kernel_event *ret)
{
	const char *at;

	if (size == 0 || data[size - 1] != '\0')
		return false;
	at = strchr(data, '@');
	if (!at || at == data || at[1] != '/')
		return false;
	*ret = (struct kernel_event){
		.path = at + 1,
		.properties = data + strlen(data) + 1,
		.end = data + size,
	};
	return true;
}

static bool is_from_kernel(const struct msghdr *message)
{
	const struct sockaddr_nl *from = message->msg_name;

	return message->msg_namelen == sizeof(*from) && from->nl_pid == 0 &&
		!(message->msg_flags & MSG_TRUNC);
}

/* 1: one was read; 0: there is none. */
static int read_one(struct kernel *k)
{
	char data[DATAGRAM_MAX];
	struct sockaddr_nl from;
	struct iovec part = {data, sizeof(data)};
	struct msghdr message = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &part, .msg_iovlen = 1};
	struct kernel_event e;
	ssize_t n = recvmsg(k->fd, &message, MSG_DONTWAIT);

	if (n < 0 && errno == ENOBUFS) {
		k->lost(k->userdata);
		return 1;
	}
	if (n < 0)
		return 0;
	if (is_from_kernel(&message) && kernel_event_parse(data, (size_t)n, &e))
		k->event(k->userdata, &e);
	return 1;
}

static int on_readable(
	_unused_ sd_event_source *s, _unused_ int fd, _unused_ uint32_t events, void *userdata)
{
	struct kernel *k = userdata;

	for (unsigned i = 0; i < BATCH && read_one(k) > 0; i++)
		;
	return 0;
}

/* How a datagram must begin to be worth waking up for; each a multiple of four bytes long. */
static const char *const beginnings[] = {
	"change@/devices/vfio",
	"change@/devices/virtual/misc/kvm",
	"add@/module/",
	"remove@/modu",
};

/* Compares four bytes at a time. */
int kernel_filter(int fd)
{
	struct sock_filter code[64];
	struct sock_fprog program = {.filter = code};
	unsigned short n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++) {
		unsigned words = (unsigned)strlen(beginnings[i]) / 4;

		for (unsigned k = 0; k < words; k++) {
			uint32_t value;

			memcpy(&value, beginnings[i] + 4 * k, sizeof(value));
			code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4 * k);
			/* Not this: on to the next beginning, behind this one's last word. */
			code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
				ntohl(value), 0, (unsigned char)(2 * (words - k - 1) + 1));
		}
		code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	program.len = n;
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno
											   : 0;
}

int kernel_new(sd_event *loop, void (*event)(void *userdata, const struct kernel_event *e),
	void (*lost)(void *userdata), void *userdata, struct kernel **ret)
{
	_cleanup_(cleanup_kernel_free) struct kernel *k = calloc(1, sizeof(*k));
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP};
	int r;

	if (!k)
		return -ENOMEM;
	k->fd = -1;
	k->event = event;
	k->lost = lost;
	k->userdata = userdata;
	k->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
	if (k->fd < 0)
		return -errno;
	/* Without the privilege it is the size that everybody may have. */
	if (setsockopt(k->fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){BUFFER_SIZE}, sizeof(int)) < 0)
		(void)setsockopt(k->fd, SOL_SOCKET, SO_RCVBUF, &(int){BUFFER_SIZE}, sizeof(int));
	r = kernel_filter(k->fd);
	if (r < 0)
		return r;
	if (bind(k->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	r = sd_event_add_io(loop, &k->source, k->fd, EPOLLIN, on_readable, k);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(k);
	return 0;
}

void kernel_free(struct kernel *k)
{
	sd_event_source_disable_unref(k->source);
	cleanup_close(&k->fd);
	free(k);
}
