/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What ap-check of s390-tools does for mdevctl, after its rules and written anew: Debian does not
 * ship it.  A call-out of mdevctl,
 *   ap_check -t TYPE -e EVENT -a ACTION -s STATE -u UUID -p PARENT < DEFINITION
 * that takes s390apconfig.lock in the name of mdevctl, its parent, before an action and drops it
 * after, and refuses what would give a queue to two or to the host and a guest.  And a judge:
 *   ap_check judge
 * says what of the devices that exist ap-check would not have let happen.
 *
 * $AP_CHECK_ROOT is where /sys, /etc and /run are; with $AP_CHECK_KILLS mdevctl is killed once it has
 * the lock.  The lock's protocol is written here a second time
 * on purpose: it must fit the daemon's, not be the daemon's.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ctl/mdevctl.h"
#include "util/cleanup.h"
#include "util/fileio.h"

#define DEVICES "sys/devices/vfio_ap/matrix"
#define DEFINITIONS "etc/mdevctl.d/matrix"
#define RULE "etc/udev/rules.d/41-ap.rules"
#define LOCK "run/lock/s390apconfig.lock"
#define TRIES 3000
#define PAUSE_NSEC 30000000L
#define NOT_MINE 2

static int root;

static int complain(const char *format, ...) _printf_(1, 2);

static int complain(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fputs("ap-check: ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
	return EXIT_FAILURE;
}

/* ---- the lock ---- */

static long lock_owner(time_t *ret_age)
{
	int fd = openat(root, LOCK, O_RDONLY | O_CLOEXEC);
	char text[32] = "";
	struct stat st;
	long pid;

	if (fd < 0)
		return -1;
	pid = fstat(fd, &st) < 0 || read(fd, text, sizeof(text) - 1) < 0 ? -1 : atol(text);
	*ret_age = time(NULL) - st.st_mtime;
	close(fd);
	return pid;
}

static bool lock_once(pid_t owner)
{
	char temp[128], text[32];
	bool ours;
	int fd, n;

	snprintf(temp, sizeof(temp), LOCK "%05d%02x", (int)getpid(), (unsigned)time(NULL) & 255);
	n = snprintf(text, sizeof(text), "%d\n", (int)owner);
	fd = openat(root, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return false;
	ours = write(fd, text, (size_t)n) == n && linkat(root, temp, root, LOCK, 0) == 0;
	close(fd);
	unlinkat(root, temp, 0);
	return ours;
}

static void lock_clear_stale(void)
{
	time_t age = 0;
	long pid = lock_owner(&age);

	if (pid < 0)
		return;
	if (pid > 0 ? kill((pid_t)pid, 0) < 0 && errno == ESRCH : age > 120)
		unlinkat(root, LOCK, 0);
}

static bool lock_take(pid_t owner)
{
	time_t age;

	for (unsigned i = 0; i < TRIES; i++) {
		if (lock_once(owner) || lock_owner(&age) == owner)
			return true;
		lock_clear_stale();
		nanosleep(&(struct timespec){.tv_nsec = PAUSE_NSEC}, NULL);
	}
	return false;
}

static void lock_drop(pid_t owner)
{
	time_t age;

	if (lock_owner(&age) == owner)
		unlinkat(root, LOCK, 0);
}

/* ---- what is there ---- */

/* The lines of "matrix": "05.0004", "05." or ".0004". */
static void add_queue(struct matrix *m, const char *line)
{
	const char *dot = strchr(line, '.');

	if (!dot)
		return;
	if (dot != line)
		mask_set(&m->adapters, (unsigned)strtoul(line, NULL, 16));
	if (isxdigit((unsigned char)dot[1]))
		mask_set(&m->domains, (unsigned)strtoul(dot + 1, NULL, 16));
}

static struct matrix read_device(const char *uuid)
{
	_cleanup_free_ char *queues = NULL, *control = NULL;
	struct matrix m = {};
	char path[128], *rest, *line;

	snprintf(path, sizeof(path), DEVICES "/%s/matrix", uuid);
	if (file_read_at(root, path, 65536, &queues) >= 0)
		for (rest = queues; (line = strsep(&rest, "\n"));)
			add_queue(&m, line);
	snprintf(path, sizeof(path), DEVICES "/%s/control_domains", uuid);
	if (file_read_at(root, path, 65536, &control) >= 0)
		for (rest = control; (line = strsep(&rest, "\n"));)
			if (*line)
				mask_set(&m.control_domains, (unsigned)strtoul(line, NULL, 16));
	return m;
}

static bool read_definition(const char *uuid, struct mdevctl_definition *ret)
{
	_cleanup_free_ char *text = NULL, *reason = NULL;
	char path[128];
	unsigned line;
	ssize_t n;

	snprintf(path, sizeof(path), DEFINITIONS "/%s", uuid);
	n = file_read_at(root, path, MDEVCTL_FILE_MAX, &text);
	return n >= 0 && mdevctl_parse(text, (size_t)n, ret, &line, &reason) == 0;
}

static struct mask active_mask(const char *name)
{
	struct mask m = mask_full();
	char path[64], text[128];

	snprintf(path, sizeof(path), "sys/bus/ap/%s", name);
	if (attr_read_at(root, path, text, sizeof(text)) > 0)
		mask_parse_kernel(text, &m);
	return m;
}

/* As chzdev stored it; a mask that it did not store is the active one. */
static struct mask persistent_mask(const char *name)
{
	_cleanup_free_ char *text = NULL;
	struct mask m = active_mask(name);
	char token[64], value[MASK_KERNEL_SIZE] = "";
	const char *at;

	snprintf(token, sizeof(token), "ATTR{../../bus/ap/%s}=\"", name);
	if (file_read_at(root, RULE, 65536, &text) < 0)
		return m;
	at = strstr(text, token);
	if (at && sscanf(at + strlen(token), "%66[^\"]", value) == 1)
		mask_parse_kernel(value, &m);
	return m;
}

/* ---- the rules ---- */

static int judge_masks(const char *uuid, const struct matrix *m, const struct mask *ap,
	const struct mask *aq, const char *which)
{
	struct mask a = mask_and(&m->adapters, ap), d = mask_and(&m->domains, aq);

	if (mask_is_empty(&a) || mask_is_empty(&d))
		return EXIT_SUCCESS;
	return complain("%s: %02x.%04x is the host's by the %s masks", uuid, mask_next(&a, 0),
		mask_next(&d, 0), which);
}

static int judge_two(const char *uuid, const struct matrix *m, const char *other,
	const struct matrix *o, const char *what)
{
	struct mask a = mask_and(&m->adapters, &o->adapters);
	struct mask d = mask_and(&m->domains, &o->domains);

	if (!matrix_overlaps(m, o))
		return EXIT_SUCCESS;
	return complain("%s: the %s %s has %02x.%04x", uuid, what, other, mask_next(&a, 0),
		mask_next(&d, 0));
}

/* Calls @judge for every other UUID below @path. */
static int judge_others(const char *path, const char *uuid, const struct matrix *m,
	int (*judge)(const char *uuid, const struct matrix *m, const char *other))
{
	int fd = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = EXIT_SUCCESS;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char other[UUID_SIZE];

	for (struct dirent *e; dir && r == EXIT_SUCCESS && (e = readdir(dir));)
		if (uuid_normalize(e->d_name, other) && strcmp(other, uuid) != 0)
			r = judge(uuid, m, other);
	if (dir)
		closedir(dir);
	return r;
}

static int judge_device(const char *uuid, const struct matrix *m, const char *other)
{
	struct matrix o = read_device(other);

	return judge_two(uuid, m, other, &o, "device");
}

static int judge_active(const char *uuid, const struct matrix *m)
{
	struct mask ap = active_mask("apmask"), aq = active_mask("aqmask");
	int r = judge_others(DEVICES, uuid, m, judge_device);

	if (r == EXIT_SUCCESS)
		r = judge_masks(uuid, m, &ap, &aq, "active");
	if (r == EXIT_SUCCESS && !mask_is_empty(&m->control_domains) && mask_is_empty(&m->domains))
		r = complain("%s: control domains without a usage domain", uuid);
	return r;
}

static int judge_definition_of(const char *uuid, const struct matrix *m, const char *other)
{
	struct mdevctl_definition o;

	if (!read_definition(other, &o) || !o.autostart)
		return EXIT_SUCCESS;
	return judge_two(uuid, m, other, &o.matrix, "definition");
}

static int judge_persistent(const char *uuid, const struct mdevctl_definition *d)
{
	struct mask ap = persistent_mask("apmask"), aq = persistent_mask("aqmask");
	int r;

	if (!d->autostart)
		return EXIT_SUCCESS;
	r = judge_others(DEFINITIONS, uuid, &d->matrix, judge_definition_of);
	return r == EXIT_SUCCESS ? judge_masks(uuid, &d->matrix, &ap, &aq, "persistent") : r;
}

static int judge_one(const char *uuid _unused_, const struct matrix *m _unused_, const char *other)
{
	struct matrix o = read_device(other);

	return judge_active(other, &o);
}

/* ---- the call-out ---- */

static bool exists(const char *path, const char *uuid)
{
	char name[128];
	struct stat st;

	snprintf(name, sizeof(name), "%s/%s", path, uuid);
	return fstatat(root, name, &st, 0) == 0;
}

/* Of a live modify the definition says what the device is to have. */
static int judge_action(const char *action, const char *uuid)
{
	_cleanup_free_ char *text = NULL, *reason = NULL;
	struct mdevctl_definition d;
	unsigned line;
	ssize_t n;

	if (strcmp(action, "stop") == 0 || strcmp(action, "undefine") == 0)
		return EXIT_SUCCESS;
	n = fd_read_all(STDIN_FILENO, MDEVCTL_FILE_MAX, &text);
	if (n < 0 || mdevctl_parse(text, (size_t)n, &d, &line, &reason) < 0)
		return complain("%s: the definition cannot be read: %s", uuid, reason ?: "");
	if (strcmp(action, "start") == 0)
		return judge_active(uuid, &d.matrix);
	if (strcmp(action, "define") == 0 && exists(DEFINITIONS, uuid))
		return complain("%s is defined already", uuid);
	if (strcmp(action, "modify") == 0 && !exists(DEFINITIONS, uuid))
		return complain("%s is not defined", uuid);
	return judge_persistent(uuid, &d);
}

static void print_number(void *userdata, const char *name, const char *value)
{
	bool *any = userdata;

	printf("%s{\"%s\":\"%s\"}", *any ? "," : "", name, value);
	*any = true;
}

static int get_attributes(const char *uuid)
{
	struct matrix m = read_device(uuid);
	bool any = false;

	putchar('[');
	mdevctl_foreach(&m, print_number, &any);
	puts(any ? "]" : "{}]");
	return EXIT_SUCCESS;
}

static int callout(const char *event, const char *action, const char *uuid)
{
	pid_t owner = getppid();
	int r;

	if (strcmp(event, "get") == 0)
		return strcmp(action, "attributes") == 0 ? get_attributes(uuid) : NOT_MINE;
	if (strcmp(event, "post") == 0) {
		lock_drop(owner);
		return EXIT_SUCCESS;
	}
	if (strcmp(event, "pre") != 0)
		return NOT_MINE;
	if (!lock_take(owner))
		return complain("s390apconfig.lock could not be had");
	r = judge_action(action, uuid);
	if (r != EXIT_SUCCESS)
		lock_drop(owner);
	else if (getenv("AP_CHECK_KILLS"))
		kill(owner, SIGKILL);
	return r;
}

int main(int argc, char **argv)
{
	const char *path = getenv("AP_CHECK_ROOT");
	const char *type = "", *event = "", *action = "", *uuid = "";
	int option;

	root = open(path ?: "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return complain("%s: %s", path ?: "/", strerror(errno));
	if (argc == 2 && strcmp(argv[1], "judge") == 0)
		return judge_others(DEVICES, "", &(struct matrix){}, judge_one);
	while ((option = getopt(argc, argv, "t:e:a:s:u:p:")) != -1) {
		switch (option) {
		case 't':
			type = optarg;
			break;
		case 'e':
			event = optarg;
			break;
		case 'a':
			action = optarg;
			break;
		case 'u':
			uuid = optarg;
			break;
		case 's':
		case 'p':
			break;
		default:
			return NOT_MINE;
		}
	}
	return strcmp(type, MDEVCTL_TYPE) == 0 ? callout(event, action, uuid) : NOT_MINE;
}
