/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The hardware description: a few lines of text that say what machine and kernel are simulated
 * (tests/simfs/README.md).
 */
#include <string.h>

#include "model_internal.h"

static int parse_kernel(struct model *m, char *value)
{
	static const char *const names[N_PROFILES] = {[PROFILE_5_10] = "5.10",
		[PROFILE_6_1] = "6.1",
		[PROFILE_6_12] = "6.12",
		[PROFILE_7_2] = "7.2"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(value, names[i]) == 0) {
			m->profile = (enum model_profile)i;
			return 0;
		}
	return -EINVAL;
}

static int parse_release(struct model *m, char *value)
{
	if (strlen(value) >= sizeof(m->release))
		return -EINVAL;
	strcpy(m->release, value);
	return 0;
}

/* LIST cex4..cex8 accelerator|cca|ep11 */
static int parse_adapter(struct model *m, char *value)
{
	static const char *const modes[] = {
		[MODE_ACCELERATOR] = "accelerator", [MODE_CCA] = "cca", [MODE_EP11] = "ep11"};
	char *mode = strrchr(value, ' ');
	char *type = NULL;
	struct mask adapters;
	size_t i;

	if (!mode)
		return -EINVAL;
	*mode++ = 0;
	type = strrchr(value, ' ');
	if (!type)
		return -EINVAL;
	*type++ = 0;
	for (i = 0; i < ARRAY_SIZE(modes) && strcmp(mode, modes[i]) != 0; i++)
		;
	if (i == ARRAY_SIZE(modes) || strncmp(type, "cex", 3) != 0 || type[3] < '4' ||
		type[3] > '8' || type[4])
		return -EINVAL;
	if (mask_parse_list(value, &adapters, NULL) < 0 || mask_is_empty(&adapters))
		return -EINVAL;
	MASK_FOREACH (adapter, &adapters)
		m->adapter[adapter] = (struct adapter){
			.known = true,
			.present = true,
			.config = true,
			.hwtype = (uint8_t)(type[3] - '4' + 10),
			.mode = (enum adapter_mode)i,
		};
	return 0;
}

static int parse_domains(struct model *m, char *value)
{
	return mask_parse_list(value, &m->domains, NULL);
}

static int parse_control_domains(struct model *m, char *value)
{
	return mask_parse_list(value, &m->control_domains, NULL);
}

/* As the kernel's parameters ap.apmask= and ap.aqmask=; relative to all ones. */
static int parse_apmask(struct model *m, char *value)
{
	return text_mask_update(value, &m->apmask);
}

static int parse_aqmask(struct model *m, char *value)
{
	return text_mask_update(value, &m->aqmask);
}

static int parse_switch(const char *value, bool *ret)
{
	bool on = strcmp(value, "on") == 0;

	if (!on && strcmp(value, "off") != 0)
		return -EINVAL;
	*ret = on;
	return 0;
}

static int parse_module(struct model *m, char *value)
{
	return parse_switch(value, &m->module);
}

static int parse_vfio_ap(struct model *m, char *value)
{
	return parse_switch(value, &m->has_vfio_ap);
}

static int parse_ap(struct model *m, char *value)
{
	return parse_switch(value, &m->has_ap);
}

static int parse_max(const char *value, unsigned *ret)
{
	unsigned long number;

	if (text_number(value, &number) < 0 || number >= MASK_BITS)
		return -EINVAL;
	*ret = (unsigned)number;
	return 0;
}

static int parse_max_adapter(struct model *m, char *value)
{
	return parse_max(value, &m->max_adapter);
}

static int parse_max_domain(struct model *m, char *value)
{
	return parse_max(value, &m->max_domain);
}

static const struct key {
	const char *name;
	int (*parse)(struct model *m, char *value);
} keys[] = {
	{"kernel", parse_kernel},
	{"release", parse_release},
	{"adapter", parse_adapter},
	{"domains", parse_domains},
	{"control-domains", parse_control_domains},
	{"apmask", parse_apmask},
	{"aqmask", parse_aqmask},
	{"module", parse_module},
	{"vfio_ap", parse_vfio_ap},
	{"ap", parse_ap},
	{"max-adapter", parse_max_adapter},
	{"max-domain", parse_max_domain},
};

/* Cuts comment and blanks; *ret_value is behind the first word, "" where there is nothing. */
static char *split_line(char *line, char **ret_value)
{
	line[strcspn(line, "#")] = 0;
	for (char *p = line; *p; p++)
		if (*p == '\t' || *p == '\r')
			*p = ' ';
	line += strspn(line, " ");
	for (size_t n = strlen(line); n > 0 && line[n - 1] == ' '; n--)
		line[n - 1] = 0;

	char *value = line + strcspn(line, " ");

	if (*value)
		*value++ = 0;
	*ret_value = value + strspn(value, " ");
	return line;
}

static int parse_line(struct model *m, char *line, bool *has_control)
{
	char *value, *name = split_line(line, &value);

	if (!*name)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(name, keys[i].name) != 0)
			continue;
		if (keys[i].parse == parse_control_domains)
			*has_control = true;
		return keys[i].parse(m, value);
	}
	return -EINVAL;
}

int hardware_parse(struct model *m, const char *text, char **ret_error)
{
	_cleanup_free_ char *copy = strdup(text);
	char *rest = copy, *line;
	bool has_control = false;

	if (!copy)
		return -ENOMEM;
	for (unsigned n = 1; (line = strsep(&rest, "\n")); n++) {
		_cleanup_free_ char *shown = strdup(line);

		if (!shown)
			return -ENOMEM;
		if (parse_line(m, line, &has_control) == 0)
			continue;
		if (asprintf(ret_error, "line %u: cannot be understood: %s", n, shown) < 0)
			return -ENOMEM;
		return -EINVAL;
	}
	if (!has_control)
		m->control_domains = m->domains;
	return 0;
}
