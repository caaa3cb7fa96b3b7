/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs every file of a directory through a fuzz target once, where there is no libFuzzer. */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/fileio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_directory(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	unsigned n = 0;

	if (!dir) {
		perror(path);
		return -1;
	}
	while ((e = readdir(dir))) {
		_cleanup_free_ char *text = NULL;
		ssize_t size;

		if (*e->d_name == '.')
			continue;
		size = file_read_at(dirfd(dir), e->d_name, 1024 * 1024, &text);
		if (size < 0) {
			fprintf(stderr, "%s/%s: %s\n", path, e->d_name, strerror((int)-size));
			closedir(dir);
			return -1;
		}
		LLVMFuzzerTestOneInput((const uint8_t *)text, (size_t)size);
		n++;
	}
	closedir(dir);
	printf("%s: %u inputs\n", path, n);
	return n > 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (run_directory(argv[i]) < 0)
			return EXIT_FAILURE;
	return EXIT_SUCCESS;
}
