/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Values as they stand in messages: texts, masks, problems, steps, conditions.  One place for
 * each, so that a property, a reply and a signal cannot differ.
 */
#include <string.h>

#include "bus/bus_private.h"

/* True for what both the D-Bus reference implementation and sd-bus take. */
static bool is_character(uint32_t c)
{
	return c <= 0x10ffff && (c & 0xfffff800) != 0xd800 && !(c >= 0xfdd0 && c <= 0xfdef) &&
		(c & 0xfffe) != 0xfffe;
}

/* Bytes of the UTF-8 sequence at @p, 0 where there is no valid one. */
static size_t sequence_length(const unsigned char *p)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint32_t c = n < 2 ? p[0] : p[0] & (0x7fu >> n);

	if (p[0] >= 0xf8)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	return n > 1 && (c < least[n] || !is_character(c)) ? 0 : n;
}

/* The first byte that is not part of a valid sequence, or the end. */
static const char *first_odd_byte(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	while (*p) {
		size_t n = sequence_length(p);

		if (n == 0)
			break;
		p += n;
	}
	return (const char *)p;
}

const char *bus_text_mend(const char *text, char **ret_copy)
{
	static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
	const char *odd = first_odd_byte(text);
	char *copy, *end;

	if (!*odd)
		return text;
	copy = malloc(3 * strlen(text) + 1);
	if (!copy)
		return NULL;
	end = copy;
	for (;; text = odd + 1, odd = first_odd_byte(text)) {
		end = mempcpy(end, text, (size_t)(odd - text));
		if (!*odd)
			break;
		end = mempcpy(end, replacement, sizeof(replacement) - 1);
	}
	*end = '\0';
	*ret_copy = copy;
	return copy;
}

int bus_append_text(sd_bus_message *m, const char *text)
{
	_cleanup_free_ char *copy = NULL;
	const char *mended = bus_text_mend(text, &copy);

	if (!mended)
		return -ENOMEM;
	return sd_bus_message_append_basic(m, 's', mended);
}

int bus_append_mask(sd_bus_message *m, const struct mask *mask)
{
	uint8_t numbers[MASK_BITS];
	size_t n = 0;

	MASK_FOREACH (i, mask)
		numbers[n++] = (uint8_t)i;
	return sd_bus_message_append_array(m, 'y', numbers, n);
}

int bus_append_texts(sd_bus_message *m, const char *const *texts, size_t n)
{
	int r;

	r = sd_bus_message_open_container(m, 'a', "s");
	for (size_t i = 0; i < n && r >= 0; i++)
		r = bus_append_text(m, texts[i]);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

/* The object stands before the text, as problem_format() puts it. */
static int append_problem(sd_bus_message *m, const struct problem *p)
{
	_cleanup_free_ char *text = NULL;
	int r;

	if (asprintf(&text, "%s%s%s", p->object, *p->object ? ": " : "", p->text) < 0)
		return -ENOMEM;
	r = sd_bus_message_open_container(m, 'r', "ssus");
	if (r < 0)
		return r;
	r = bus_append_text(m, problem_severity_to_string(p->severity));
	if (r < 0)
		return r;
	r = bus_append_text(m, p->file);
	if (r < 0)
		return r;
	r = sd_bus_message_append(m, "u", p->line);
	if (r < 0)
		return r;
	r = bus_append_text(m, text);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

int bus_append_problems(sd_bus_message *m, const struct problems *p)
{
	int r;

	r = sd_bus_message_open_container(m, 'a', "(ssus)");
	for (size_t i = 0; i < p->n && r >= 0; i++)
		r = append_problem(m, &p->items[i]);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_step(sd_bus_message *m, const struct step *s)
{
	char object[UUID_SIZE], value[STEP_VALUE_SIZE];

	step_value(s, value);
	return sd_bus_message_append(
		m, "(sss)", step_type_to_string(s->type), step_object(s, object), value);
}

int bus_append_plan(sd_bus_message *m, const struct plan *p)
{
	int r;

	r = sd_bus_message_open_container(m, 'a', "(sss)");
	for (size_t i = 0; i < p->n_steps && r >= 0; i++)
		r = append_step(m, &p->steps[i]);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_condition(sd_bus_message *m, enum condition_type type, const struct condition *c)
{
	_cleanup_free_ char *copy = NULL;
	const char *message = bus_text_mend(c->message, &copy);

	if (!message)
		return -ENOMEM;
	return sd_bus_message_append(
		m, "(sbss)", condition_type_to_string(type), (int)c->status, c->reason, message);
}

int bus_append_conditions(sd_bus_message *m, const struct condition *conditions)
{
	int r;

	r = sd_bus_message_open_container(m, 'a', "(sbss)");
	for (unsigned i = 0; i < N_CONDITIONS && r >= 0; i++)
		r = append_condition(m, (enum condition_type)i, &conditions[i]);
	return r < 0 ? r : sd_bus_message_close_container(m);
}
