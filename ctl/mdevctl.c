/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/mdevctl.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <string.h>

#include "util/cleanup.h"

#define JSON_DEPTH 8 /* a definition has four */

/* Why it cannot be read, as a new text in *ret_reason: -EINVAL or -ENOMEM. */
static int refuse(char **ret_reason, const char *format, ...) _printf_(2, 3);

static int refuse(char **ret_reason, const char *format, ...)
{
	char *reason;
	va_list ap;
	int r;

	va_start(ap, format);
	r = vasprintf(&reason, format, ap);
	va_end(ap);
	if (r < 0)
		return -ENOMEM;
	/* It may quote the file, which must neither drive a terminal nor break UTF-8. */
	for (char *c = reason; *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			*c = '?';
	*ret_reason = reason;
	return -EINVAL;
}

/* ---- text to JSON ---- */

static unsigned line_of(const char *text, size_t offset)
{
	unsigned line = 1;

	for (size_t i = 0; i < offset; i++)
		line += text[i] == '\n';
	return line;
}

static bool is_blank(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!strchr(" \t\r\n", text[i]) || !text[i])
			return false;
	return true;
}

#define TORN                                                                               \
	"it may be under way: try again; else restore or remove it (mdevctl itself fails " \
	"while it is like this)"

/* A torn file is the one that mdevctl leaves behind when it is killed: it neither writes
 * atomically nor syncs. */
static int read_json(const char *text, size_t size, struct json_object **ret, unsigned *ret_line,
	char **ret_reason)
{
	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH);
	struct json_object *root;
	enum json_tokener_error error;
	size_t end;

	if (!tokener)
		return -ENOMEM;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	root = json_tokener_parse_ex(tokener, text, (int)size);
	error = json_tokener_get_error(tokener);
	end = json_tokener_get_parse_end(tokener);
	json_tokener_free(tokener);
	*ret_line = line_of(text, end < size ? end : size);
	if (error == json_tokener_success && is_blank(text + end, size - end)) {
		*ret = root;
		return 0;
	}
	json_object_put(root);
	if (error == json_tokener_continue || error == json_tokener_error_parse_eof)
		return refuse(ret_reason, "the file is torn, it ends too early; " TORN);
	/* Anything else behind the end is an error of its own. */
	if (error == json_tokener_success)
		return refuse(ret_reason, "the file is torn, zeros are behind its end; " TORN);
	return refuse(ret_reason,
		"this is not JSON (%s); correct it, or have mdevctl write it anew",
		json_tokener_error_desc(error));
}

/* ---- values ---- */

/* strtoul() with base 0, as the kernel reads it: 0x hex, 0 octal.  0 or -EINVAL. */
static int read_number(const char *text, unsigned *ret)
{
	unsigned long n;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	n = strtoul(text, &end, 0);
	if (errno || *end || n >= MASK_BITS)
		return -EINVAL;
	*ret = (unsigned)n;
	return 0;
}

static int apply_numbers(
	struct mask *m, bool assign, const char *name, const char *value, char **ret_reason)
{
	_cleanup_free_ char *copy = strdup(value);
	char *rest = copy, *word;
	unsigned n;

	if (!copy)
		return -ENOMEM;
	while ((word = strsep(&rest, ","))) {
		size_t blanks = strspn(word, " ");

		word += blanks;
		word[strcspn(word, " \n")] = '\0';
		if (read_number(word, &n) < 0)
			return refuse(ret_reason,
				"%s: \"%.48s\" is not a number from 0 to 255; correct it", name,
				value);
		if (assign)
			mask_set(m, n);
		else
			mask_clear(m, n);
	}
	return 0;
}

static int apply_attribute(struct matrix *m, const char *name, const char *value, char **ret_reason)
{
	const struct {
		const char *name;
		struct mask *mask;
		bool assign;
	} numbers[] = {
		{"assign_adapter", &m->adapters, true},
		{"assign_domain", &m->domains, true},
		{"assign_control_domain", &m->control_domains, true},
		{"unassign_adapter", &m->adapters, false},
		{"unassign_domain", &m->domains, false},
		{"unassign_control_domain", &m->control_domains, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (strcmp(numbers[i].name, name) == 0)
			return apply_numbers(
				numbers[i].mask, numbers[i].assign, name, value, ret_reason);
	if (strcmp(name, "ap_config") != 0)
		return refuse(ret_reason,
			"the attribute %.48s is none that a matrix's device has; remove it", name);
	if (matrix_parse_ap_config(value, m) < 0)
		return refuse(ret_reason,
			"ap_config: \"%.48s\" is not three masks with commas between them; correct "
			"it",
			value);
	return 0;
}

/* A string without NUL inside, or NULL. */
static const char *string_of(struct json_object *value)
{
	const char *text =
		json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;

	return text && strlen(text) == (size_t)json_object_get_string_len(value) ? text : NULL;
}

/* ---- the definition ---- */

static int read_attributes(struct json_object *attrs, struct matrix *m, char **ret_reason)
{
	size_t n = json_object_array_length(attrs);

	for (size_t i = 0; i < n; i++) {
		struct json_object *attr = json_object_array_get_idx(attrs, i);
		struct json_object_iterator it;
		const char *value;
		int r;

		if (!json_object_is_type(attr, json_type_object) ||
			json_object_object_length(attr) != 1)
			return refuse(ret_reason,
				"attrs: item %zu is not one {\"NAME\": \"VALUE\"}, which mdevctl "
				"refuses, too; correct it",
				i + 1);
		it = json_object_iter_begin(attr);
		value = string_of(json_object_iter_peek_value(&it));
		if (!value)
			return refuse(ret_reason,
				"attrs: the value of item %zu is not a text; put it in quotes",
				i + 1);
		r = apply_attribute(m, json_object_iter_peek_name(&it), value, ret_reason);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_start(struct json_object *root, bool *ret, char **ret_reason)
{
	struct json_object *start;
	const char *text =
		json_object_object_get_ex(root, "start", &start) ? string_of(start) : NULL;

	if (!text || (strcmp(text, "auto") != 0 && strcmp(text, "manual") != 0))
		return refuse(ret_reason,
			"start is not \"auto\" or \"manual\"; set it ('mdevctl modify --uuid UUID "
			"--auto' or '--manual')");
	*ret = *text == 'a';
	return 0;
}

static int read_definition(
	struct json_object *root, struct mdevctl_definition *ret, char **ret_reason)
{
	struct mdevctl_definition d = {0};
	struct json_object *type, *attrs;
	const char *text;
	int r;

	if (!json_object_is_type(root, json_type_object))
		return refuse(ret_reason,
			"this is not a definition, which is an object {...}; have mdevctl write it "
			"anew");
	text = json_object_object_get_ex(root, "mdev_type", &type) ? string_of(type) : NULL;
	if (!text)
		return refuse(ret_reason, "mdev_type is missing; it is to be \"" MDEVCTL_TYPE "\"");
	if (strcmp(text, MDEVCTL_TYPE) != 0)
		return refuse(ret_reason,
			"mdev_type is %.48s, not " MDEVCTL_TYPE "; such a device is no matrix",
			text);
	r = read_start(root, &d.autostart, ret_reason);
	if (r == 0 && json_object_object_get_ex(root, "attrs", &attrs) && attrs) {
		if (!json_object_is_type(attrs, json_type_array))
			return refuse(ret_reason, "attrs is not a list [...]; correct it");
		r = read_attributes(attrs, &d.matrix, ret_reason);
	}
	if (r == 0)
		*ret = d;
	return r;
}

int mdevctl_parse(const char *text, size_t size, struct mdevctl_definition *ret, unsigned *ret_line,
	char **ret_reason)
{
	struct json_object *root = NULL;
	unsigned line = 0;
	int r;

	if (is_blank(text, size))
		r = refuse(ret_reason, "the file is torn, nothing is in it; " TORN);
	else
		r = read_json(text, size, &root, &line, ret_reason);
	if (r == 0) {
		line = 0; /* json-c does not say where a value stood */
		r = read_definition(root, ret, ret_reason);
		json_object_put(root);
	}
	if (r == -EINVAL)
		*ret_line = line;
	return r;
}

/* ---- writing ---- */

void mdevctl_foreach(const struct matrix *m, mdevctl_attribute function, void *userdata)
{
	const struct {
		const char *name;
		int digits; /* as the kernel prints them */
		const struct mask *mask;
	} rows[] = {
		{"assign_adapter", 2, &m->adapters},
		{"assign_domain", 4, &m->domains},
		{"assign_control_domain", 4, &m->control_domains},
	};
	char value[12];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		MASK_FOREACH (n, rows[i].mask) {
			snprintf(value, sizeof(value), "0x%0*x", rows[i].digits, n);
			function(userdata, rows[i].name, value);
		}
}

struct printer {
	FILE *out;
	const char *separator;
};

static void print_attribute(void *userdata, const char *name, const char *value)
{
	struct printer *p = userdata;

	fprintf(p->out, "%s    {\n      \"%s\": \"%s\"\n    }", p->separator, name, value);
	p->separator = ",\n";
}

void mdevctl_print(const struct mdevctl_definition *d, FILE *out)
{
	struct printer p = {out, "\n"};

	fprintf(out,
		"{\n  \"mdev_type\": \"" MDEVCTL_TYPE "\",\n  \"start\": \"%s\",\n  \"attrs\": [",
		d->autostart ? "auto" : "manual");
	mdevctl_foreach(&d->matrix, print_attribute, &p);
	fprintf(out, "%s]\n}\n", matrix_is_empty(&d->matrix) ? "" : "\n  ");
}
