/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Matrices as sets, and the texts of an mdev's attributes.  It does not know which mdev, nor
 * whether a matrix is configured, assigned or a guest's.
 */
#include "core/matrix.h"

#include <errno.h>
#include <string.h>

#include "core/term.h"

bool matrix_equal(const struct matrix *a, const struct matrix *b)
{
	return mask_equal(&a->adapters, &b->adapters) && mask_equal(&a->domains, &b->domains) &&
		mask_equal(&a->control_domains, &b->control_domains);
}

bool matrix_is_empty(const struct matrix *m)
{
	return mask_is_empty(&m->adapters) && mask_is_empty(&m->domains) &&
		mask_is_empty(&m->control_domains);
}

unsigned matrix_n_queues(const struct matrix *m)
{
	return mask_count(&m->adapters) * mask_count(&m->domains);
}

bool matrix_overlaps(const struct matrix *a, const struct matrix *b)
{
	return mask_intersects(&a->adapters, &b->adapters) &&
		mask_intersects(&a->domains, &b->domains);
}

bool matrix_is_subset(const struct matrix *a, const struct matrix *b)
{
	return mask_is_subset(&a->adapters, &b->adapters) &&
		mask_is_subset(&a->domains, &b->domains) &&
		mask_is_subset(&a->control_domains, &b->control_domains);
}

struct matrix matrix_and(const struct matrix *a, const struct matrix *b)
{
	return (struct matrix){
		.adapters = mask_and(&a->adapters, &b->adapters),
		.domains = mask_and(&a->domains, &b->domains),
		.control_domains = mask_and(&a->control_domains, &b->control_domains),
	};
}

void matrix_format_ap_config(const struct matrix *m, char buf[static MATRIX_AP_CONFIG_SIZE])
{
	const size_t width = MASK_KERNEL_SIZE - 1;

	mask_format_kernel(&m->adapters, buf);
	buf[width] = ',';
	mask_format_kernel(&m->domains, buf + width + 1);
	buf[2 * width + 1] = ',';
	mask_format_kernel(&m->control_domains, buf + 2 * (width + 1));
}

/* Reads one mask up to a comma or the end of the line, and sets *text to what follows it. */
static int parse_field(const char **text, struct mask *ret)
{
	size_t length = strcspn(*text, ",\n");
	char field[MASK_KERNEL_SIZE];

	if (length >= sizeof(field))
		return -EINVAL;
	memcpy(field, *text, length);
	field[length] = '\0';
	*text += length;
	return mask_parse_kernel(field, ret);
}

int matrix_parse_ap_config(const char *text, struct matrix *ret)
{
	struct matrix m;

	/* Stricter than the kernel, which drops what follows the third mask without a word. */
	if (parse_field(&text, &m.adapters) < 0 || *text++ != ',' ||
		parse_field(&text, &m.domains) < 0 || *text++ != ',' ||
		parse_field(&text, &m.control_domains) < 0)
		return -EINVAL;
	if (*text == '\n')
		text++;
	if (*text)
		return -EINVAL;
	*ret = m;
	return 0;
}

/* Reads exactly @n_digits hex digits of a number up to 255, as the kernel's %02lx and %04lx write
 * them: fewer are the end of a line that was cut off. */
static int parse_digits(const char **text, unsigned n_digits, unsigned *ret)
{
	unsigned value = 0;

	for (unsigned i = 0; i < n_digits; i++) {
		int digit = term_hex_digit((*text)[i]);

		if (digit < 0)
			return -EINVAL;
		value = value * 16 + (unsigned)digit;
	}
	if (value >= MASK_BITS)
		return -EINVAL;
	*text += n_digits;
	*ret = value;
	return 0;
}

/* The end of a line, or of the text. */
static bool skip_line_end(const char **text)
{
	if (**text == '\n')
		(*text)++;
	else if (**text)
		return false;
	return true;
}

static int parse_queue_line(
	const char **text, struct queues *seen, struct mask *adapters, struct mask *domains)
{
	unsigned adapter = MASK_BITS, domain = MASK_BITS;

	if (**text != '.' && parse_digits(text, 2, &adapter) < 0)
		return -EINVAL;
	if (*(*text)++ != '.')
		return -EINVAL;
	if (term_hex_digit(**text) >= 0 && parse_digits(text, 4, &domain) < 0)
		return -EINVAL;
	if (!skip_line_end(text))
		return -EINVAL;
	if (adapter == MASK_BITS && domain == MASK_BITS)
		return -EINVAL;
	if (adapter < MASK_BITS)
		mask_set(adapters, adapter);
	if (domain < MASK_BITS)
		mask_set(domains, domain);
	if (adapter < MASK_BITS && domain < MASK_BITS)
		queues_set(seen, adapter, domain);
	return 0;
}

int matrix_parse_queues(const char *text, struct mask *ret_adapters, struct mask *ret_domains)
{
	struct matrix m = {};
	struct queues seen = {};

	while (*text) {
		int r = parse_queue_line(&text, &seen, &m.adapters, &m.domains);

		if (r < 0)
			return r;
	}
	/* The kernel writes a whole product; a page that was full ends before it (kernel-contract,
	 * finding 1), and the masks of what is left would be wrong. */
	if (queues_count(&seen) != matrix_n_queues(&m))
		return -EINVAL;
	*ret_adapters = m.adapters;
	*ret_domains = m.domains;
	return 0;
}

int matrix_parse_control_domains(const char *text, struct mask *ret)
{
	struct mask m = {};

	while (*text) {
		unsigned domain;

		if (parse_digits(&text, 4, &domain) < 0 || !skip_line_end(&text))
			return -EINVAL;
		mask_set(&m, domain);
	}
	*ret = m;
	return 0;
}
