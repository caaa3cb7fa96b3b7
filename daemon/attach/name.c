/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * machined leaves a link from each scope that it registered to the machine's name; the scope is in
 * the process's cgroup.  So nobody need be asked, and nobody waited for.
 */
#include "attach/name.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/fileio.h"

#define CGROUP_MAX 4096u
#define SCOPE_MAX 256u

/* The scope among the parts of a cgroup path, of any hierarchy: "machine-qemu\\x2d1\\x2done.scope". */
static bool find_scope(char *text, char scope[static SCOPE_MAX])
{
	static const char end[] = ".scope";
	char *save = NULL;

	for (char *part = strtok_r(text, "/\n", &save); part; part = strtok_r(NULL, "/\n", &save)) {
		size_t n = strlen(part);

		if (strncmp(part, "machine-", strlen("machine-")) != 0 || n >= SCOPE_MAX ||
			n < strlen(end) || strcmp(part + n - strlen(end), end) != 0)
			continue;
		memcpy(scope, part, n + 1);
		return true;
	}
	return false;
}

/* "qemu-12-db" is how libvirt registers its domain "db". */
static const char *skip_driver(const char *machine)
{
	const char *p = machine;
	size_t digits;

	if (strncmp(p, "qemu-", strlen("qemu-")) != 0)
		return machine;
	p += strlen("qemu-");
	digits = strspn(p, "0123456789");
	return digits > 0 && p[digits] == '-' && p[digits + 1] ? p + digits + 1 : machine;
}

static bool machine_name(int root, unsigned pid, char name[static VM_NAME_SIZE])
{
	char path[64 + SCOPE_MAX], cgroup[CGROUP_MAX], scope[SCOPE_MAX], machine[VM_NAME_SIZE + 32];
	const char *text;
	ssize_t n;

	snprintf(path, sizeof(path), "proc/%u/cgroup", pid);
	if (attr_read_at(root, path, cgroup, sizeof(cgroup)) <= 0 || !find_scope(cgroup, scope))
		return false;
	snprintf(path, sizeof(path), "run/systemd/machines/unit:%s", scope);
	n = readlinkat(root, path, machine, sizeof(machine) - 1);
	if (n <= 0)
		return false;
	machine[n] = '\0';
	text = skip_driver(machine);
	n = (ssize_t)strlen(text);
	if (n >= (ssize_t)VM_NAME_SIZE)
		return false;
	memcpy(name, text, (size_t)n + 1);
	return true;
}

void attach_read_name(int root, unsigned pid, char name[static VM_NAME_SIZE])
{
	char path[32], comm[VM_NAME_SIZE];

	if (machine_name(root, pid, name))
		return;
	snprintf(path, sizeof(path), "proc/%u/comm", pid);
	if (attr_read_at(root, path, comm, sizeof(comm)) > 0)
		snprintf(name, VM_NAME_SIZE, "%s", comm);
}
