/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * status: the host at one glance, a line a matrix, and what is wrong with file and line.  What
 * there is to say about one matrix is matrix_status.c's.
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "ctl/ctl.h"
#include "ctl/matrix_status.h"
#include "ctl/object_text.h"
#include "ctl/table.h"

#define LABEL_WIDTH 10

struct words {
	const char *name, *text;
};

static const struct words state_words[] = {
	{"starting", "the first look at the host has not ended yet"},
	{"waiting",
		"there is no AP bus or no vfio_ap driver here yet ('modprobe vfio_ap' loads it)"},
	{"applying", "changes are under way"},
	{"running", "everything is as configured"},
	{"degraded", "something is not as configured, see below"},
};

static const struct words feature_words[] = {
	{"ap_config", "whole matrices in one write"},
	{"guest_matrix", "the guest's matrix shown"},
	{"driver_override", "queues reserved one by one"},
	{"strict_masks", "strict masks"},
	{"module", "attach events by apmatrix.ko"},
};

static const struct words hazard_words[] = {
	{"matrix-overrun",
		"reading a matrix of 512 or more queues overruns a page: such matrices are "
		"refused"},
	{"unattached-config-change",
		"a change of the machine's AP configuration while a matrix has no guest can crash "
		"this kernel: Start=guest keeps that time short"},
	{"refused-open",
		"a second matrix that is refused to a guest harms its first one: one matrix a "
		"guest"},
};

static const struct words pool_words[] = {
	{"auto", "not managed, no matrix needs it"},
	{"masks", "apmask and aqmask"},
	{"driver-override", "queue by queue (driver_override), the masks are untouched"},
	{"external", "left to others (QueuePool=external)"},
};

static const struct words source_words[] = {
	{"none", "that cannot be seen here yet"},
	{"module", "as apmatrix.ko says"},
	{"fdinfo", "as open files say (fdinfo)"},
	{"proc", "as open files say (/proc)"},
	{"status", "as the queues' status says"},
};

/* The sentence for a name; the name itself where a newer daemon knows more than we do. */
static const char *words_of(const struct words *table, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(table[i].name, name) == 0)
			return table[i].text;
	return name;
}
#define WORDS(table, name) words_of(table, ARRAY_SIZE(table), name)

/* "   Label: TEXT", wrapped under itself. */
static void line(const struct ctl *ctl, const char *label, const char *format, ...) _printf_(3, 4);
static void line(const struct ctl *ctl, const char *label, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;
	int r;

	va_start(ap, format);
	r = vasprintf(&text, format, ap);
	va_end(ap);
	if (r < 0) {
		text = NULL; /* not to be freed */
		return;
	}
	printf("%*s: ", LABEL_WIDTH, label);
	text_wrap(text, LABEL_WIDTH + 2, LABEL_WIDTH + 2, &ctl->term, stdout);
	putchar('\n');
}

static void kernel_line(const struct ctl *ctl, const struct client_host *h)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return;
	fputs(*h->kernel_release ? h->kernel_release : "not known yet", out);
	for (char **f = h->features; f && *f; f++)
		fprintf(out, "%s%s", f == h->features ? "; " : ", ", WORDS(feature_words, *f));
	if (fclose(out) == 0)
		line(ctl, "Kernel", "%s", text);
}

/* A mask in the list form; a mask with every bit set, as after boot, is "all". */
static const char *mask_words(const char *kernel, char buf[static MASK_LIST_SIZE])
{
	struct mask m, full = mask_full();

	if (mask_parse_kernel(kernel, &m) < 0)
		return *kernel ? kernel : "unknown";
	return mask_equal(&m, &full) ? "all" : numbers_format(&m, buf);
}

/* Without an AP bus there are neither ids nor masks, and zeros stand for them. */
static bool has_ap_bus(const struct client_host *h)
{
	struct mask adapters, domains;

	return h->max_adapter > 0 || mask_parse_kernel(h->adapter_mask, &adapters) < 0 ||
		mask_parse_kernel(h->domain_mask, &domains) < 0 || !mask_is_empty(&adapters) ||
		!mask_is_empty(&domains);
}

static void hardware_lines(const struct ctl *ctl, const struct client_host *h)
{
	char adapters[MASK_LIST_SIZE], domains[MASK_LIST_SIZE];

	if (mask_is_empty(&h->host_adapters))
		line(ctl, "Hardware", "no adapter is configured for this system");
	else
		line(ctl, "Hardware", "adapters %s; domains %s",
			numbers_format(&h->host_adapters, adapters),
			numbers_format(&h->host_domains, domains));
	if (!has_ap_bus(h))
		return;
	line(ctl, "Pool", "%s", WORDS(pool_words, h->queue_pool));
	line(ctl, "apmask", "%s", mask_words(h->adapter_mask, adapters));
	line(ctl, "aqmask", "%s", mask_words(h->domain_mask, domains));
}

/* The state in a few words; a change that waits is neither trouble nor done. */
static const char *state_sentence(const struct client_host *h, const struct client_matrices *list)
{
	if (strcmp(h->state, "running") == 0)
		for (size_t i = 0; i < list->n; i++)
			if (strcmp(list->items[i].state, "pending") == 0)
				return "everything is as configured but what is pending";
	return WORDS(state_words, h->state);
}

static void print_host(
	const struct ctl *ctl, const struct client_host *h, const struct client_matrices *list)
{
	enum style style = state_style(h->state);

	printf("%s%s%s ", term_style(&ctl->term, style), state_mark(&ctl->term, h->state),
		term_reset(&ctl->term, style));
	printf("apmatrixd %s: %s%s%s, %s\n", h->version, term_style(&ctl->term, style), h->state,
		term_reset(&ctl->term, style), state_sentence(h, list));
	kernel_line(ctl, h);
	for (char **hazard = h->hazards; hazard && *hazard; hazard++)
		line(ctl, "Hazard", "%s", WORDS(hazard_words, *hazard));
	hardware_lines(ctl, h);
	line(ctl, "Matrices", "%" PRIu32 ", %" PRIu32 " attached (%s)", h->matrices, h->attached,
		WORDS(source_words, h->attach_source));
}

/* What the matrix has, or where it does not exist, what it is to have. */
static bool is_present(const struct client_matrix *m)
{
	const struct condition_item *c = client_matrix_condition(m, "Present");

	return c && c->status;
}

static void guest_cell(struct table *t, const struct client_matrix *m)
{
	const char *name = *m->vm_name ? m->vm_name : m->guest;

	if (m->attached && m->vm_pid)
		table_cell(t, STYLE_GOOD, "%s (PID %" PRIu32 ")", name, m->vm_pid);
	else if (m->attached)
		table_cell(t, STYLE_GOOD, "%s (running)", name);
	else
		table_cell(t, STYLE_DIM, "%s", *m->guest ? m->guest : "-");
}

/* Why a matrix is not fine; in full where the problems below do not say it. */
static void trouble_note(
	struct table *t, const struct client_matrix *m, const struct problem_list *problems)
{
	const struct condition_item *trouble = client_matrix_trouble(m);

	if (!trouble)
		return;
	for (size_t i = 0; i < problems->n; i++)
		if (problem_is_about(&problems->items[i], client_matrix_title(m))) {
			table_note(t, 1, STYLE_NONE, "%s, see below", trouble->reason);
			return;
		}
	table_note(t, 1, STYLE_NONE, "%s%s%s", trouble->reason, *trouble->message ? ": " : "",
		trouble->message);
}

static void matrix_row(const struct ctl *ctl, struct table *t, const struct client_matrix *m,
	const struct problem_list *problems)
{
	const struct condition_item *applying = client_matrix_condition(m, "Applying");
	char adapters[MASK_LIST_SIZE], domains[MASK_LIST_SIZE];
	bool present = is_present(m);

	table_cell(t, state_style(m->state), "%s", state_mark(&ctl->term, m->state));
	table_cell(t, STYLE_BOLD, "%s", client_matrix_title(m));
	table_cell(t, state_style(m->state), "%s", m->state);
	table_cell(t, STYLE_NONE, "%s",
		numbers_format(
			present ? &m->assigned_adapters : &m->configured_adapters, adapters));
	table_cell(t, STYLE_NONE, "%s",
		numbers_format(present ? &m->assigned_domains : &m->configured_domains, domains));
	guest_cell(t, m);
	trouble_note(t, m, problems);
	if (applying && applying->status)
		table_note(t, 1, STYLE_DIM, "a change is under way");
}

static int print_matrices(const struct ctl *ctl, const struct client_matrices *list,
	const struct problem_list *problems)
{
	static const char *const headers[] = {
		" ", "MATRIX", "STATE", "ADAPTERS", "DOMAINS", "GUEST"};
	_cleanup_(cleanup_table_free) struct table *t = table_new(headers, ARRAY_SIZE(headers));

	if (!t)
		return -ENOMEM;
	putchar('\n');
	if (list->n == 0) {
		puts("There are no matrices. Define one in /etc/apmatrix.d/NAME.conf (see "
		     "apmatrix.d(5)), or\nwith 'apmatrixctl define NAME Adapters=... "
		     "Domains=...'.");
		return 0;
	}
	for (size_t i = 0; i < list->n; i++)
		matrix_row(ctl, t, &list->items[i], problems);
	return table_print(t, &ctl->term, stdout);
}

static void print_problems(const struct ctl *ctl, const struct problem_list *l)
{
	const char *bold = term_style(&ctl->term, STYLE_BOLD);

	if (l->n == 0)
		return;
	printf("\n%sPROBLEMS%s\n", bold, term_reset(&ctl->term, STYLE_BOLD));
	problem_list_print(l, &ctl->term, stdout);
}

static struct json_object *status_json(
	const struct client_host *host, const struct client_matrices *list)
{
	struct json_object *value = json_object_new_object();
	struct json_object *matrices = json_object_new_array();

	for (size_t i = 0; i < list->n; i++)
		json_object_array_add(matrices,
			json_of_object(matrix_properties, N_MATRIX_PROPERTIES, &list->items[i],
				UINT32_MAX));
	json_put(value, "Host",
		json_of_object(host_properties, N_HOST_PROPERTIES, host, UINT32_MAX));
	json_put(value, "Matrices", matrices);
	return value;
}

static int status_host(struct ctl *ctl)
{
	struct client_matrices list = {0};
	struct client_host host = {0};
	int status, r;

	r = client_read_host(&ctl->client, &host);
	if (r >= 0)
		r = client_read_matrices(&ctl->client, &list);
	if (r < 0)
		status = ctl_fail(ctl, r);
	else if (ctl->json != JSON_OFF)
		status = ctl_json(ctl, status_json(&host, &list));
	else {
		print_host(ctl, &host, &list);
		status = ctl_result(print_matrices(ctl, &list, &host.problems));
		print_problems(ctl, &host.problems);
	}
	client_matrices_done(&list);
	client_host_done(&host);
	return status;
}

static uint64_t now_realtime(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static int status_matrix(struct ctl *ctl, const char *name)
{
	struct client_matrix m = {0};
	struct client_host host = {0};
	int status, r;

	r = client_read_matrix(&ctl->client, name, &m);
	if (r >= 0)
		r = client_read_host(&ctl->client, &host);
	if (r < 0)
		status = ctl_fail(ctl, r);
	else if (ctl->json != JSON_OFF)
		status = ctl_json(ctl,
			json_of_object(matrix_properties, N_MATRIX_PROPERTIES, &m, UINT32_MAX));
	else
		status = ctl_result(matrix_status_print(
			&m, &host.problems, now_realtime(), &ctl->term, stdout));
	client_host_done(&host);
	client_matrix_done(&m);
	return status;
}

int verb_status(struct ctl *ctl, char **args)
{
	return args[0] ? status_matrix(ctl, args[0]) : status_host(ctl);
}
