/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * 50-apmatrix, a hook of libvirt's QEMU driver, which runs it as
 *   50-apmatrix DOMAIN OPERATION SUBOPERATION EXTRA
 * with the domain's XML on standard input.  "prepare begin" is the one place where a start may be
 * refused; a non-zero end of "reconnect" kills a running guest.  Standard output stays empty: for
 * some operations libvirt takes it for a new XML.  libvirt itself is never called: it waits for us.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "libvirt/call.h"
#include "libvirt/deadline.h"
#include "libvirt/domain.h"
#include "util/cleanup.h"
#include "util/fileio.h"

#define PREFIX "apmatrix: "
#define STRING_(x) #x
#define STRING(x) STRING_(x)

#define DEADLINE_SEC 10
#define DRAIN_SEC 1
#define PATIENCE_USEC UINT64_C(8000000) /* leaves time for the last answer */

DEFINE_CLEANUP(char *, domain_uuids_free)

struct operation {
	const char *name, *suboperation;
	const char *member;
	int refused;      /* the exit status where it fails */
	const char *late; /* what is said when the time is over */
};

#define NO_ANSWER "apmatrixd did not answer within " STRING(DEADLINE_SEC) " seconds: "

static const struct operation operations[] = {
	{"prepare", "begin", "PrepareGuest", EXIT_FAILURE,
		PREFIX NO_ANSWER "see 'systemctl status apmatrixd', then start the guest again"},
	/* Who has ended cannot be helped. */
	{"release", "end", "ReleaseGuest", EXIT_SUCCESS,
		PREFIX NO_ANSWER "see 'apmatrixctl status' for what is left of the guest's matrix"},
};

static const struct operation *find_operation(const char *name, const char *suboperation)
{
	for (size_t i = 0; i < ARRAY_SIZE(operations); i++)
		if (strcmp(operations[i].name, name) == 0 &&
			strcmp(operations[i].suboperation, suboperation) == 0)
			return &operations[i];
	return NULL;
}

/* One line to standard error, which libvirt shows to who wanted the guest. */
static void say(const char *format, ...) _printf_(1, 2);

static void say(const char *format, ...)
{
	char line[2048];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < ' ' || *c == '\x7f')
			*c = ' ';
	fprintf(stderr, PREFIX "%s\n", line);
}

/* The UUIDs of the domain on standard input, how many, or a negative errno that was explained. */
static int read_domain(const char *domain, char ***ret)
{
	_cleanup_free_ char *xml = NULL;
	ssize_t size;
	int r;

	deadline_say(PREFIX "the XML of the domain did not arrive on standard input in time");
	size = fd_read_all(STDIN_FILENO, DOMAIN_XML_MAX, &xml);
	deadline_say(PREFIX "the XML of the domain is too intricate to be read in time");
	r = size < 0 ? (int)size : domain_uuids(xml, (size_t)size, ret);
	if (r == -EBADMSG)
		say("what is on standard input is not the XML of domain %s, as libvirt writes it",
			domain);
	else if (r == -EFBIG)
		say("the XML of domain %s is larger than %zu MiB", domain,
			DOMAIN_XML_MAX / 1024 / 1024);
	else if (r < 0)
		say("the XML of domain %s cannot be read: %s", domain, strerror(-r));
	return r;
}

static int run(const struct operation *o, const char *domain)
{
	_cleanup_(cleanup_domain_uuids_free) char **uuids = NULL;
	_cleanup_free_ char *reason = NULL;
	int n;

	deadline_arm(DEADLINE_SEC, o->refused);
	n = read_domain(domain, &uuids);
	if (n < 0)
		return o->refused;
	if (n == 0)
		return EXIT_SUCCESS;
	deadline_say(o->late);
	if (call_guest(o->member, domain, uuids, PATIENCE_USEC, &reason) >= 0)
		return EXIT_SUCCESS;
	say("%s", reason ?: "out of memory");
	return o->refused;
}

/* libvirt need not be told that nobody wanted its XML. */
static int drain(void)
{
	char buffer[4096];

	deadline_arm(DRAIN_SEC, EXIT_SUCCESS);
	while (read(STDIN_FILENO, buffer, sizeof(buffer)) > 0)
		;
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	const struct operation *o;

	if (argc < 4) {
		say("this is a hook for libvirt, see apmatrix-hook(8); usage: %s DOMAIN OPERATION "
		    "SUBOPERATION EXTRA < DOMAIN_XML",
			argc > 0 ? argv[0] : HOOK_PATH);
		return 2;
	}
	o = find_operation(argv[2], argv[3]);
	return o ? run(o, argv[1]) : drain();
}
