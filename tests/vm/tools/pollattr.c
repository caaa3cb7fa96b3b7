/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pollattr FILE [SECONDS]: reads a sysfs attribute, says "waiting", waits until the kernel tells that it changed, and prints
 * what it is then.  Exit 1 if nothing was told in time (10 seconds unless said).
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char *argv[])
{
	struct pollfd p = {.events = POLLPRI};
	char text[4096];
	ssize_t n;

	if (argc < 2)
		return 2;
	p.fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (p.fd < 0 || read(p.fd, text, sizeof(text)) < 0) {
		perror(argv[1]);
		return 1;
	}
	puts("waiting");
	fflush(stdout);
	if (poll(&p, 1, argc > 2 ? 1000 * atoi(argv[2]) : 10000) != 1)
		return 1;
	n = pread(p.fd, text, sizeof(text), 0);
	if (n < 0)
		return 1;
	return write(1, text, (size_t)n) != n;
}
