/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How far a scan is from its floor: a program that only lists the same directories and reads the
 * same files, with the same calls.  On a tree of plain files; 16 adapters x 85 domains, N mdevs.
 *
 *   bench_scan [N [ROUNDS]]
 */
#include <dirent.h>
#include <sched.h>
#include <sys/mount.h>
#include <time.h>

/* A mount of our own; /tmp may hold the checkout. */
#define FAKE_PARENT "/mnt"
#include "../unit/faketree.h"
#include "attach/attach.h"
#include "sysfs/scan.h"
#include "sysfs/worker.h"

#define ADAPTERS 16u
#define DOMAINS 85u
#define MATRIX "sys/devices/vfio_ap/matrix"
#define TYPE MATRIX "/mdev_supported_types/vfio_ap-passthrough"

static unsigned n_mdevs = 256, rounds = 101;
static bool with_module;

static void uuid_of(unsigned i, char uuid[static 37])
{
	snprintf(uuid, 37, "2d5cb6e9-0000-4000-8000-%012x", i);
}

static void put_bus(void)
{
	char path[128];

	fake_file("proc/sys/kernel/osrelease", "7.2.13\n");
	fake_file("sys/bus/ap/apmask", "0x00\n");
	fake_file("sys/bus/ap/aqmask", "0xff\n");
	fake_file("sys/bus/ap/ap_max_adapter_id", "255\n");
	fake_file("sys/bus/ap/ap_max_domain_id", "84\n");
	fake_file("sys/bus/ap/ap_adapter_mask", "0xffff\n");
	fake_file("sys/bus/ap/ap_usage_domain_mask", "0xffff\n");
	fake_file("sys/bus/ap/ap_control_domain_mask", "0xffff\n");
	fake_file("sys/bus/ap/bindings_complete_count", "1\n");
	fake_dir("sys/bus/ap/drivers/cex4queue");
	fake_dir("sys/bus/ap/drivers/cex4card");
	for (unsigned a = 0; a < ADAPTERS; a++) {
		fake_filef("MODALIAS=ap:t0E\nMODE=cca\n", "sys/devices/ap/card%02x/uevent", a);
		fake_filef("1\n", "sys/devices/ap/card%02x/config", a);
		fake_filef("0\n", "sys/devices/ap/card%02x/chkstop", a);
		fake_filef("1\n", "sys/devices/ap/card%02x/online", a);
		snprintf(path, sizeof(path), "sys/bus/ap/devices/card%02x", a);
		fake_link(path, "x");
		for (unsigned d = 0; d < DOMAINS; d++) {
			snprintf(path, sizeof(path), "sys/bus/ap/devices/%02x.%04x", a, d);
			fake_link(path, "x");
			snprintf(path, sizeof(path), "sys/bus/ap/drivers/vfio_ap/%02x.%04x", a, d);
			fake_link(path, "x");
			fake_filef(
				"assigned\n", "sys/devices/ap/card%02x/%02x.%04x/status", a, a, d);
			fake_filef(
				"\n", "sys/devices/ap/card%02x/%02x.%04x/driver_override", a, a, d);
		}
	}
}

static void put_mdevs(void)
{
	char uuid[37], path[128], config[256], guest[32];

	fake_file(TYPE "/create", "");
	fake_file(MATRIX "/features", "guest_matrix hotplug ap_config\n");
	for (unsigned i = 0; i < n_mdevs; i++) {
		unsigned a = i % ADAPTERS, d = i / ADAPTERS % DOMAINS;
		struct matrix m = {0};

		mask_set(&m.adapters, a);
		mask_set(&m.domains, d);
		matrix_format_ap_config(&m, config);
		snprintf(guest, sizeof(guest), "%02x.%04x\n", a, d);
		uuid_of(i, uuid);
		fake_filef(config, MATRIX "/%s/ap_config", uuid);
		fake_filef(guest, MATRIX "/%s/guest_matrix", uuid);
		snprintf(path, sizeof(path), MATRIX "/%s/iommu_group", uuid);
		fake_link(path, "../../../../kernel/iommu_groups/1");
		snprintf(path, sizeof(path), MATRIX "/%s/vfio-dev/vfio%u", uuid, i);
		fake_dir(path);
		if (!with_module)
			continue;
		fake_filef("0\n", MATRIX "/%s/apmatrix/attached", uuid);
		fake_filef("0\n", MATRIX "/%s/apmatrix/attach_count", uuid);
		fake_filef("0\n", MATRIX "/%s/apmatrix/attach_seq", uuid);
	}
}

/* --- the floor ------------------------------------------------------------------------------ */

static void floor_read(int dir, const char *path)
{
	char text[4097];
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		(void)!read(fd, text, sizeof(text));
		close(fd);
	}
}

static void floor_list(int dir, const char *path)
{
	DIR *d = fdopendir(openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	while (readdir(d))
		;
	closedir(d);
}

static void floor_bus(int root)
{
	static const char *const names[] = {"apmask", "aqmask", "ap_max_adapter_id",
		"ap_max_domain_id", "ap_adapter_mask", "ap_usage_domain_mask",
		"ap_control_domain_mask"};
	static const char *const attrs[] = {"uevent", "config", "chkstop", "online"};
	int bus = openat(root, "sys/bus/ap", O_PATH), ap = openat(root, "sys/devices/ap", O_PATH);
	char path[64];

	floor_read(root, "proc/sys/kernel/osrelease");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		floor_read(bus, names[i]);
	floor_list(bus, "devices");
	floor_list(bus, "drivers");
	floor_list(bus, "drivers/vfio_ap");
	floor_list(bus, "drivers/cex4queue");
	floor_list(bus, "drivers/cex4card");
	for (unsigned a = 0; a < ADAPTERS; a++)
		for (size_t i = 0; i < ARRAY_SIZE(attrs); i++) {
			snprintf(path, sizeof(path), "card%02x/%s", a, attrs[i]);
			floor_read(ap, path);
		}
	close(bus);
	close(ap);
}

static void floor_mdevs(int root)
{
	int matrix = openat(root, MATRIX, O_PATH), ap = openat(root, "sys/devices/ap", O_PATH);
	char uuid[37], path[128], target[64];

	floor_list(matrix, ".");
	for (unsigned i = 0; i < n_mdevs; i++) {
		unsigned a = i % ADAPTERS, d = i / ADAPTERS % DOMAINS;

		uuid_of(i, uuid);
		snprintf(path, sizeof(path), "%s/ap_config", uuid);
		floor_read(matrix, path);
		snprintf(path, sizeof(path), "%s/guest_matrix", uuid);
		floor_read(matrix, path);
		snprintf(path, sizeof(path), "%s/iommu_group", uuid);
		(void)!readlinkat(matrix, path, target, sizeof(target));
		snprintf(path, sizeof(path), "%s/apmatrix/attached", uuid);
		floor_read(matrix, path);
		if (with_module) {
			snprintf(path, sizeof(path), "%s/apmatrix/attach_count", uuid);
			floor_read(matrix, path);
			snprintf(path, sizeof(path), "%s/apmatrix/attach_seq", uuid);
			floor_read(matrix, path);
		} else {
			snprintf(path, sizeof(path), "%s/vfio-dev", uuid);
			floor_list(matrix, path);
			snprintf(path, sizeof(path), "card%02x/%02x.%04x/status", a, a, d);
			floor_read(ap, path);
		}
	}
	close(matrix);
	close(ap);
}

/* --- the measurements ----------------------------------------------------------------------- */

static void run_floor(void)
{
	floor_bus(fake_root);
	floor_mdevs(fake_root);
}

static void run_scan(void)
{
	struct observed *o = NULL;

	if (sysfs_scan(fake_root, NULL, &o) < 0 || !o->complete || o->n_mdevs != n_mdevs)
		abort();
	observed_free(o);
}

/* Against the machine's own /proc: what is there decides. */
static void run_attach(void)
{
	static struct observed *o;
	static int root = -1;

	if (!o) {
		sysfs_scan(fake_root, NULL, &o);
		root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	attach_scan(root, o);
}

static struct workers *workers;
static sd_event *loop;
static bool answered;

static int observe(int root, struct observed **ret)
{
	return sysfs_scan(root, NULL, ret);
}

static void scanned(_unused_ void *userdata, int error, struct observed *o)
{
	if (error < 0)
		abort();
	observed_free(o);
	answered = true;
}

static void run_worker(void)
{
	const struct workers_ops ops = {.observe = observe, .scanned = scanned};

	if (!workers) {
		sd_event_new(&loop);
		workers_new(loop, fake_root, &ops, NULL, &workers);
	}
	answered = false;
	workers_scan(workers);
	while (!answered)
		sd_event_run(loop, UINT64_MAX);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

#define N_RUNS 4

/* The contenders take turns, so that a busy moment hits all of them. */
static void measure(const char *title)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} runs[N_RUNS] = {{"floor", run_floor}, {"sysfs_scan", run_scan},
		{"the same in a worker", run_worker}, {"attach_scan of this /proc", run_attach}};
	double *times = calloc(N_RUNS * rounds, sizeof(*times)), medians[N_RUNS];

	for (unsigned i = 0; i < rounds; i++)
		for (size_t k = 0; k < N_RUNS; k++) {
			double start = now();

			runs[k].run();
			times[k * rounds + i] = now() - start;
		}
	printf("%s, %u mdevs, %u queues, median of %u:\n", title, n_mdevs, ADAPTERS * DOMAINS,
		rounds);
	for (size_t k = 0; k < N_RUNS; k++) {
		qsort(times + k * rounds, rounds, sizeof(*times), compare);
		medians[k] = times[k * rounds + rounds / 2];
		printf("  %-26s %8.0f us  %5.2f x floor\n", runs[k].name, medians[k],
			medians[k] / medians[0]);
	}
	free(times);
}

/* A test only because the fake tree's helpers want to be in one. */
START_TEST(bench)
{
	fake_make();
	put_bus();
	put_mdevs();
	measure("without module");
	with_module = true;
	put_mdevs();
	measure("with module");
	workers_free(workers);
	fake_remove();
}
END_TEST

int main(int argc, char **argv)
{
	Suite *suite = suite_create("bench");
	TCase *c = tcase_create("scan");

	if (argc > 1)
		n_mdevs = (unsigned)atoi(argv[1]);
	if (argc > 2)
		rounds = (unsigned)atoi(argv[2]);
	/* Memory, where that is allowed: a disk would not be what is measured. */
	if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
		(void)!mount("tmpfs", "/mnt", "tmpfs", 0, NULL);
	tcase_add_test(c, bench);
	suite_add_tcase(suite, c);
	return unit_main(suite);
}
