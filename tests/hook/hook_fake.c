/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An apmatrixd that knows the hook's two methods only, and can misbehave:
 *   hook_fake LOG [ok | refuse NAME MESSAGE | busy N | quit N | silent]
 *   hook_fake LOG deaf SOCKET
 * Each call is a line of LOG (MEMBER GUEST UUID...).  busy, quit: the first N calls of LOG are
 * answered with Busy, or not at all since it ends; silent: none is ever answered; deaf: a bus at
 * SOCKET that takes connections and says nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "util/cleanup.h"

#define ERROR "org.s390.APMatrix.Error."

static struct fake {
	const char *log, *manner;
	char **args;
} fake;

static unsigned count_calls(void)
{
	_cleanup_fclose_ FILE *f = fopen(fake.log, "re");
	unsigned n = 0;

	for (int c; f && (c = getc(f)) != EOF;)
		n += c == '\n';
	return n;
}

static int note(sd_bus_message *m)
{
	_cleanup_fclose_ FILE *f = fopen(fake.log, "ae");
	const char *guest, *uuid;
	int r = sd_bus_message_read(m, "s", &guest);

	if (!f || r < 0)
		return -EINVAL;
	fprintf(f, "%s %s", sd_bus_message_get_member(m), guest);
	r = sd_bus_message_enter_container(m, 'a', "s");
	while (r >= 0 && (r = sd_bus_message_read(m, "s", &uuid)) > 0)
		fprintf(f, " %s", uuid);
	fputc('\n', f);
	return r;
}

static int on_call(sd_bus_message *m, void *userdata _unused_, sd_bus_error *error)
{
	unsigned before = count_calls();
	int r = note(m);

	if (r < 0)
		return r;
	if (strcmp(fake.manner, "silent") == 0)
		return 1;
	if (strcmp(fake.manner, "refuse") == 0) {
		_cleanup_free_ char *name = NULL;

		if (asprintf(&name, ERROR "%s", fake.args[0]) < 0)
			return -ENOMEM;
		return sd_bus_error_set(error, name, fake.args[1]);
	}
	if (strcmp(fake.manner, "busy") == 0 && before < strtoul(fake.args[0], NULL, 10))
		return sd_bus_error_set(
			error, ERROR "Busy", "the host has not been read yet; try again");
	if (strcmp(fake.manner, "quit") == 0 && before < strtoul(fake.args[0], NULL, 10))
		_exit(EXIT_SUCCESS);
	return sd_bus_reply_method_return(m, NULL);
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("PrepareGuest", "sas", "", on_call, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("ReleaseGuest", "sas", "", on_call, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

static int be_deaf(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		return EXIT_FAILURE;
	strcpy(address.sun_path, path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 16) < 0)
		return EXIT_FAILURE;
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	sd_bus *bus = NULL;
	int r;

	if (argc < 3)
		return 2;
	fake = (struct fake){argv[1], argv[2], argv + 3};
	if (strcmp(fake.manner, "deaf") == 0)
		return be_deaf(fake.args[0]);
	r = sd_bus_open_system(&bus);
	if (r >= 0)
		r = sd_bus_add_object_vtable(
			bus, NULL, "/org/s390/APMatrix", "org.s390.APMatrix.Manager", vtable, NULL);
	if (r >= 0)
		r = sd_bus_request_name(bus, "org.s390.APMatrix", 0);
	while (r >= 0) {
		r = sd_bus_process(bus, NULL);
		if (r == 0)
			r = sd_bus_wait(bus, UINT64_MAX);
	}
	fprintf(stderr, "hook_fake: %s\n", strerror(-r));
	return EXIT_FAILURE;
}
