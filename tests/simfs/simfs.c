/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * simfs: mounts a simulated machine at ROOT/sys (see README.md).  Options, the loop, and the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>

#include "simfs.h"
#include "util/cleanup.h"
#include "util/fileio.h"

#define HARDWARE_MAX (64u * 1024u)

struct options {
	const char *hardware;
	const char *module;
	const char *log;
	const char *root;
	bool foreground;
	bool uevents;
	int ready_fd;
};

static const char usage[] =
	"simfs --hardware=FILE [--module=on|off] [--log=FILE] [--no-uevents] [--foreground]\n"
	"      [--ready-fd=N] ROOT\n"
	"Mounts a simulated machine's /sys at ROOT/sys and writes ROOT/proc; ends at SIGTERM.\n";

uint64_t simfs_now(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int complain(const char *what, int error)
{
	fprintf(stderr, "simfs: %s: %s\n", what, strerror(-error));
	return error;
}

/* --- log ------------------------------------------------------------------------------------ */

static void log_settle(struct simfs *s)
{
	const struct model_log_entry *log;
	size_t n = model_log(s->model, &log);

	if (s->n_logged > n)
		s->n_logged = 0;
	for (; s->n_logged < n; s->n_logged++) {
		const struct model_log_entry *e = &log[s->n_logged];

		if (s->log)
			fprintf(s->log, "%s %s %s\n",
				e->result < 0 ? strerrorname_np(-e->result) : "0", e->path,
				e->text);
	}
	if (s->log)
		fflush(s->log);
}

void simfs_record(struct simfs *s)
{
	proc_settle(s);
	log_settle(s);
}

void simfs_settle(struct simfs *s)
{
	park_settle(s);
	simfs_record(s);
}

/* --- start ---------------------------------------------------------------------------------- */

static int parse_options(int argc, char **argv, struct options *ret)
{
	enum { HARDWARE = 256, MODULE, LOG, NO_UEVENTS, FOREGROUND, READY_FD, HELP };
	static const struct option table[] = {
		{"hardware", required_argument, NULL, HARDWARE},
		{"module", required_argument, NULL, MODULE},
		{"log", required_argument, NULL, LOG},
		{"no-uevents", no_argument, NULL, NO_UEVENTS},
		{"foreground", no_argument, NULL, FOREGROUND},
		{"ready-fd", required_argument, NULL, READY_FD},
		{"help", no_argument, NULL, HELP},
		{0},
	};
	struct options o = {.uevents = true, .ready_fd = -1};
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) >= 0) {
		switch (c) {
		case HARDWARE:
			o.hardware = optarg;
			break;
		case MODULE:
			o.module = optarg;
			break;
		case LOG:
			o.log = optarg;
			break;
		case NO_UEVENTS:
			o.uevents = false;
			break;
		case FOREGROUND:
			o.foreground = true;
			break;
		case READY_FD:
			o.ready_fd = atoi(optarg);
			break;
		case HELP:
			fputs(usage, stdout);
			exit(EXIT_SUCCESS);
		default:
			return -EINVAL;
		}
	}
	if (!o.hardware || optind != argc - 1 ||
		(o.module && strcmp(o.module, "on") != 0 && strcmp(o.module, "off") != 0))
		return -EINVAL;
	o.root = argv[optind];
	*ret = o;
	return 0;
}

static int make_model(const struct options *o, struct simfs *s)
{
	_cleanup_free_ char *text = NULL, *error = NULL;
	ssize_t n = file_read_at(AT_FDCWD, o->hardware, HARDWARE_MAX, &text);
	int r;

	if (n < 0)
		return complain(o->hardware, (int)n);
	r = model_new(PROFILE_6_12, text, &error, &s->model);
	if (r < 0) {
		fprintf(stderr, "simfs: %s: %s\n", o->hardware, error ? error : strerror(-r));
		return r;
	}
	if (o->module)
		model_set_module(s->model, strcmp(o->module, "on") == 0);
	return 0;
}

static int open_root(const struct options *o, struct simfs *s)
{
	s->root = open(o->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->root < 0)
		return complain(o->root, -errno);
	if (mkdirat(s->root, "sys", 0755) < 0 && errno != EEXIST)
		return complain("ROOT/sys", -errno);

	int r = proc_init(s);

	return r < 0 ? complain("ROOT/proc", r) : 0;
}

static int open_outlets(const struct options *o, struct simfs *s)
{
	if (o->log) {
		s->log = fopen(o->log, "ae");
		if (!s->log)
			return complain(o->log, -errno);
	}
	if (o->uevents) {
		s->uevents = uevent_open();
		if (s->uevents < 0)
			return complain("uevent socket", s->uevents);
		model_set_events(s->model, uevent_send, s);
	}
	s->inodes = inodes_new();
	return s->inodes ? 0 : -ENOMEM;
}

static void simfs_done(struct simfs *s)
{
	if (s->model) {
		proc_done(s);
		model_free(s->model);
	}
	handles_done(s);
	if (s->inodes)
		inodes_free(s->inodes);
	if (s->log)
		fclose(s->log);
	if (s->uevents >= 0)
		close(s->uevents);
	if (s->root >= 0)
		close(s->root);
}

/* --- loop ----------------------------------------------------------------------------------- */

/* Once in config_time seconds the bus scans by itself. */
static void arm_scan(const struct simfs *s, int fd)
{
	struct itimerspec next = {.it_value.tv_sec = model_config_time(s->model)};

	timerfd_settime(fd, 0, &next, NULL);
}

static int serve(struct simfs *s, struct fuse_session *session, int signals)
{
	_cleanup_close_ int scan = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	struct fuse_buf buffer = {.mem = NULL};
	struct pollfd fds[] = {
		{fuse_session_fd(session), POLLIN, 0}, {signals, POLLIN, 0}, {scan, POLLIN, 0}};
	int r = 0;

	arm_scan(s, scan);
	while (!fuse_session_exited(session)) {
		if (poll(fds, ARRAY_SIZE(fds), park_timeout(s)) < 0 && errno != EINTR) {
			r = -errno;
			break;
		}
		if (fds[1].revents)
			break;
		if (fds[2].revents) {
			model_scan(s->model);
			arm_scan(s, scan);
		}
		if (fds[0].revents) {
			r = fuse_session_receive_buf(session, &buffer);
			if (r == -EINTR)
				continue;
			if (r <= 0)
				break;
			fuse_session_process_buf(session, &buffer);
		}
		simfs_settle(s);
	}
	park_abort(s);
	free(buffer.mem);
	return r < 0 ? r : 0;
}

/* Says that the tree is there, to whom asked for it, and goes to the background: the process that
 * was started then ends, so that a script need not wait for anything else. */
static int announce(const struct options *o)
{
	pid_t pid = o->foreground ? 0 : fork();

	if (pid < 0)
		return complain("fork", -errno);
	if (pid > 0 || o->foreground) {
		printf("ready %d\n", pid > 0 ? (int)pid : (int)getpid());
		fflush(stdout);
	}
	if (pid > 0)
		_exit(EXIT_SUCCESS);
	if (o->ready_fd >= 0) {
		(void)!write(o->ready_fd, "READY=1\n", 8);
		close(o->ready_fd);
	}
	if (o->foreground) {
		/* A test that is killed leaves no machine behind. */
		prctl(PR_SET_PDEATHSIG, SIGTERM);
	} else {
		_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		setsid();
		if (null >= 0) {
			dup2(null, STDIN_FILENO);
			dup2(null, STDOUT_FILENO);
		}
	}
	return 0;
}

static int run(const struct options *o, struct simfs *s)
{
	char *argv[] = {(char[]){"simfs"}, (char[]){"-o"},
		(char[]){"allow_other,default_permissions,fsname=apmatrix-sim,subtype=simfs"},
		NULL};
	struct fuse_args args = FUSE_ARGS_INIT(3, argv);
	_cleanup_free_ char *point = NULL;
	_cleanup_close_ int signals = -1;
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (signals < 0 || asprintf(&point, "%s/sys", o->root) < 0)
		return -ENOMEM;

	struct fuse_session *session = fuse_session_new(&args, &simfs_ops, sizeof(simfs_ops), s);

	fuse_opt_free_args(&args);
	if (!session)
		return complain("fuse_session_new", -EINVAL);
	r = fuse_session_mount(session, point) == 0 ? 0 : complain(point, -EIO);
	if (r == 0) {
		r = announce(o);
		if (r == 0)
			r = serve(s, session, signals);
		fuse_session_unmount(session);
	}
	fuse_session_destroy(session);
	return r;
}

int main(int argc, char **argv)
{
	struct simfs s = {.root = -1, .uevents = -1};
	struct options o;
	int r = parse_options(argc, argv, &o);

	if (r < 0) {
		fputs(usage, stderr);
		return 2;
	}
	r = make_model(&o, &s);
	if (r == 0)
		r = open_root(&o, &s);
	if (r == 0)
		r = open_outlets(&o, &s);
	if (r == 0)
		r = run(&o, &s);
	simfs_done(&s);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
