/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * w FILE TEXT: writes the text to the file with one write(2) and prints "ok", or the name of the
 * errno.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *result(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return strerrorname_np(errno);
	n = write(fd, text, strlen(text));
	if (n < 0)
		return strerrorname_np(errno);
	return (size_t)n == strlen(text) ? "ok" : "short";
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "w FILE TEXT\n");
		return 2;
	}
	puts(result(argv[1], argv[2]));
	return 0;
}
