/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The service manager's end of NOTIFY_SOCKET: prints what is sent to it, a line each, as it comes.
 *
 *   recorder SOCKET
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "util/cleanup.h"

int main(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char text[4096];

	if (argc != 2 || strlen(argv[1]) >= sizeof(address.sun_path) || fd < 0)
		return EXIT_FAILURE;
	strcpy(address.sun_path, argv[1]);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return EXIT_FAILURE;
	for (;;) {
		ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

		if (n < 0)
			return EXIT_FAILURE;
		text[n] = '\0';
		puts(text);
		fflush(stdout);
	}
}
