/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Building and taking apart the names of the kernel's tree.
 */
#include "sysfs/tree.h"

#include <stdio.h>
#include <string.h>

const char *tree_card(char buf[static TREE_PATH_SIZE], unsigned adapter, const char *attr)
{
	snprintf(buf, TREE_PATH_SIZE, "card%02x/%s", adapter, attr);
	return buf;
}

const char *tree_queue(
	char buf[static TREE_PATH_SIZE], unsigned adapter, unsigned domain, const char *attr)
{
	snprintf(buf, TREE_PATH_SIZE, "card%02x/%02x.%04x/%s", adapter, adapter, domain, attr);
	return buf;
}

const char *tree_mdev(char buf[static TREE_PATH_SIZE], const char *uuid, const char *attr)
{
	snprintf(buf, TREE_PATH_SIZE, "%s/%s", uuid, attr);
	return buf;
}

const char *tree_queue_path(char buf[static TREE_PATH_SIZE], unsigned apqn, const char *attr)
{
	char queue[TREE_PATH_SIZE];

	tree_queue(queue, apqn >> 8 & 0xff, apqn & 0xff, attr);
	snprintf(buf, TREE_PATH_SIZE, "%s/%.100s", TREE_AP_DEVICES, queue);
	return buf;
}

const char *tree_mdev_path(char buf[static TREE_PATH_SIZE], const char *uuid, const char *attr)
{
	snprintf(buf, TREE_PATH_SIZE, "%s/%s/%s", TREE_MATRIX, uuid, attr);
	return buf;
}

const char *tree_step_path(char buf[static TREE_PATH_SIZE], const struct step *step)
{
	switch (step->type) {
	case STEP_APMASK:
	case STEP_AQMASK:
	case STEP_PROBE:
		snprintf(
			buf, TREE_PATH_SIZE, "%s/%s", TREE_AP_BUS, step_type_to_string(step->type));
		return buf;
	case STEP_OVERRIDE:
	case STEP_CLEAR_OVERRIDE:
		return tree_queue_path(buf, step->number, "driver_override");
	case STEP_UNBIND:
		return tree_queue_path(buf, step->number, "driver/unbind");
	case STEP_CREATE:
		snprintf(buf, TREE_PATH_SIZE, "%s/create", TREE_MDEV_TYPE);
		return buf;
	default:
		return tree_mdev_path(buf, step->uuid, step_type_to_string(step->type));
	}
}

const char *tree_comm(char buf[static TREE_PATH_SIZE], unsigned pid)
{
	snprintf(buf, TREE_PATH_SIZE, "proc/%u/comm", pid);
	return buf;
}

/* The value of @n lower-case hex digits; ~0u where one of them is none. */
static unsigned parse_hex(const char *text, unsigned n)
{
	unsigned value = 0;

	for (unsigned i = 0; i < n; i++) {
		char c = text[i];

		if (c >= '0' && c <= '9')
			value = value << 4 | (unsigned)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (unsigned)(c - 'a' + 10);
		else
			return ~0u;
	}
	return value;
}

bool tree_parse_card(const char *name, unsigned *ret_adapter)
{
	unsigned adapter;

	if (strlen(name) != strlen("card00") || strncmp(name, "card", 4) != 0)
		return false;
	adapter = parse_hex(name + 4, 2);
	if (adapter >= MASK_BITS)
		return false;
	*ret_adapter = adapter;
	return true;
}

bool tree_parse_queue(const char *name, unsigned *ret_adapter, unsigned *ret_domain)
{
	unsigned adapter, domain;

	if (strlen(name) != QUEUE_NAME_SIZE - 1 || name[2] != '.')
		return false;
	adapter = parse_hex(name, 2);
	domain = parse_hex(name + 3, 4);
	if (adapter >= MASK_BITS || domain >= MASK_BITS)
		return false;
	*ret_adapter = adapter;
	*ret_domain = domain;
	return true;
}
