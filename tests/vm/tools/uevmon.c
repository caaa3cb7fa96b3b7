/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * uevmon: prints the kernel's uevents as they come over netlink, one a line: seconds since boot,
 * then ACTION@DEVPATH and the properties.  Says "listening" first; says so and fails if the kernel
 * had to drop some.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void print_event(const char *text, size_t length)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	printf("%lld.%06ld", (long long)now.tv_sec, now.tv_nsec / 1000);
	for (const char *p = text; p < text + length; p += strlen(p) + 1)
		printf(" %s", p);
	putchar('\n');
}

int main(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	int size = 8 << 20;
	char text[8192];
	ssize_t n;

	/* The log may be emptied while we write: append, so that the next line is at its beginning. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		perror("uevmon");
		return 1;
	}
	puts("listening");
	while ((n = recv(fd, text, sizeof(text) - 1, 0)) > 0) {
		text[n] = 0;
		print_event(text, (size_t)n);
	}
	perror("uevmon");
	return 1;
}
