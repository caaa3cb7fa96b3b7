/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scenario/attribute.h"

#include <string.h>

#define MATRIX_DEVICE "devices/vfio_ap/matrix/"
#define OVERRIDE "driver_override"
#define CREATE MATRIX_DEVICE "mdev_supported_types/vfio_ap-passthrough/create"

/* ---- out ---- */

void attribute_print_matrix(FILE *f, const struct matrix *m)
{
	char adapters[MASK_LIST_SIZE], domains[MASK_LIST_SIZE], control[MASK_LIST_SIZE];

	mask_format_list(&m->adapters, adapters);
	mask_format_list(&m->domains, domains);
	mask_format_list(&m->control_domains, control);
	fprintf(f, "%s x %s", adapters[0] ? adapters : "none", domains[0] ? domains : "none");
	if (control[0])
		fprintf(f, " control %s", control);
}

/* "{guest1}" for a UUID that a drop-in gives a name; the UUID otherwise. */
static void print_uuid(FILE *f, struct world *w, const char *uuid)
{
	const char *name = world_name(w, uuid);

	fprintf(f, name ? "{%s}" : "%s", name ? name : uuid);
}

static bool is_mask(const char *name)
{
	return strcmp(name, "apmask") == 0 || strcmp(name, "aqmask") == 0;
}

static void print_value(FILE *f, struct world *w, const char *name, const char *text)
{
	struct matrix matrix;
	struct mask mask, full = mask_full();
	char list[MASK_LIST_SIZE];

	if (strcmp(name, "ap_config") == 0 && matrix_parse_ap_config(text, &matrix) == 0) {
		attribute_print_matrix(f, &matrix);
	} else if (is_mask(name) && strlen(text) == MASK_KERNEL_SIZE - 1 &&
		mask_parse_kernel(text, &mask) == 0) {
		mask = mask_andnot(&full, &mask);
		mask_format_list(&mask, list);
		fprintf(f, "all%s%s", list[0] ? " but " : "", list);
	} else if (strcmp(name, "create") == 0) {
		print_uuid(f, w, text);
	} else {
		fputs(text[0] ? text : "nothing", f);
	}
}

void attribute_print_write(FILE *f, struct world *w, const struct model_log_entry *e)
{
	const char *error = e->result < 0 ? strerrorname_np(-e->result) : NULL;
	const char *slash = strrchr(e->path, '/'), *name = slash ? slash + 1 : e->path;
	const char *mdev = strncmp(e->path, MATRIX_DEVICE, strlen(MATRIX_DEVICE)) == 0
		? e->path + strlen(MATRIX_DEVICE)
		: NULL;

	if (mdev && name == mdev + UUID_SIZE) {
		_cleanup_free_ char *uuid = strndup(mdev, UUID_SIZE - 1);

		print_uuid(f, w, uuid);
		fputc('/', f);
	}
	if (strcmp(name, OVERRIDE) == 0)
		fprintf(f, "%.*s/", (int)QUEUE_NAME_SIZE - 1, name - QUEUE_NAME_SIZE);
	fprintf(f, "%s = ", name);
	print_value(f, w, name, e->text);
	fprintf(f, "%s%s\n", error ? " -> " : "", error ? error : "");
}

/* ---- in ---- */

static char *join(const char *a, const char *b)
{
	char *joined = NULL;

	if (asprintf(&joined, "%s%s", a, b) < 0)
		abort();
	return joined;
}

char *attribute_path(const char *name)
{
	char uuid[UUID_SIZE] = "", ignored[UUID_SIZE];

	if (strcmp(name, "create") == 0)
		return strdup(CREATE);
	if (is_mask(name))
		return join("bus/ap/", name);
	if (strlen(name) == QUEUE_NAME_SIZE + strlen(OVERRIDE) &&
		strcmp(name + QUEUE_NAME_SIZE, OVERRIDE) == 0) {
		char *path = NULL;

		if (asprintf(&path, "devices/ap/card%.2s/%s", name, name) < 0)
			abort();
		return path;
	}
	snprintf(uuid, sizeof(uuid), "%s", name);
	return join(uuid_normalize(uuid, ignored) ? MATRIX_DEVICE : "", name);
}

/* "all but 5,6" */
static char *mask_value(const char *value)
{
	struct mask mask = {}, full = mask_full();
	char hex[MASK_KERNEL_SIZE];

	if (strncmp(value, "all", 3) != 0)
		return strdup(value);
	if (value[3] &&
		(strncmp(value, "all but ", 8) != 0 || mask_parse_list(value + 8, &mask, NULL) < 0))
		return strdup(value);
	mask = mask_andnot(&full, &mask);
	mask_format_kernel(&mask, hex);
	return strdup(hex);
}

static bool take_list(char *text, struct mask *ret)
{
	return text && (strcmp(text, "none") == 0 || mask_parse_list(text, ret, NULL) == 0);
}

/* "5,6 x 4,0xab control 4" */
static char *matrix_value(const char *value)
{
	_cleanup_free_ char *copy = strdup(value);
	char text[MATRIX_AP_CONFIG_SIZE];
	struct matrix m = {};
	char *domains = strstr(copy, " x "), *control = strstr(copy, " control ");

	if (domains) {
		*domains = '\0';
		domains += 3;
	}
	if (control) {
		*control = '\0';
		control += 9;
	}
	if (!take_list(copy, &m.adapters) || !take_list(domains, &m.domains) ||
		(control && !take_list(control, &m.control_domains)))
		return strdup(value);
	matrix_format_ap_config(&m, text);
	return strdup(text);
}

char *attribute_value(const char *name, const char *value)
{
	const char *slash = strrchr(name, '/');

	if (is_mask(name))
		return mask_value(value);
	if (slash && strcmp(slash, "/ap_config") == 0)
		return matrix_value(value);
	if (slash && strcmp(slash + 1, OVERRIDE) == 0 && strcmp(value, "nothing") == 0)
		return strdup("\n");
	return strdup(value);
}
