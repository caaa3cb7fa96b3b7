// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/apsim.  Written, one command each:
 *
 *   add ID TYPE        a new adapter        present ID 0|1    it leaves the configuration, or returns
 *   config ID 0|1      standby, or back     chkstop ID 0|1    checkstopped, or not
 *   domain ID 0|1      a usage domain       cdomain ID 0|1    a control domain
 *
 * The kernel sees it with its next bus scan (echo 1 > /sys/bus/ap/scans).  Read, it gives the
 * hardware and counts of the instructions.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "apsim.h"

static struct dentry *control_file;

static int change_adapter(struct sim_adapter *a, const char *what, bool on)
{
	if (!a)
		return -ENODEV;
	if (!strcmp(what, "present"))
		a->present = on;
	else if (!strcmp(what, "config"))
		a->standby = !on;
	else
		a->checkstop = on;
	return 0;
}

static int change(const char *what, unsigned int id, bool on)
{
	static const char *const of_adapters[] = {"present", "config", "chkstop"};
	unsigned long flags;
	int r = 0;

	spin_lock_irqsave(&sim_hardware.lock, flags);
	if (match_string(of_adapters, ARRAY_SIZE(of_adapters), what) >= 0)
		r = change_adapter(sim_adapter_find(id), what, on);
	else if (!strcmp(what, "domain"))
		on ? __set_bit(id, sim_hardware.domains) : __clear_bit(id, sim_hardware.domains);
	else if (!strcmp(what, "cdomain"))
		on ? __set_bit(id, sim_hardware.control_domains)
		   : __clear_bit(id, sim_hardware.control_domains);
	else
		r = -EINVAL;
	spin_unlock_irqrestore(&sim_hardware.lock, flags);
	return r;
}

static ssize_t control_write(struct file *file, const char __user *user, size_t size, loff_t *pos)
{
	char text[80], what[16], number[16], value[16];
	unsigned int id;
	bool on;
	int r;

	if (size >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, user, size))
		return -EFAULT;
	text[size] = 0;
	if (sscanf(text, "%15s %15s %15s", what, number, value) != 3)
		return -EINVAL;
	if (kstrtouint(number, 0, &id) || id >= SIM_N_ADAPTERS)
		return -EINVAL;
	if (!strcmp(what, "add"))
		r = sim_adapter_add(id, value);
	else
		r = kstrtobool(value, &on) ? -EINVAL : change(what, id, on);
	return r ? r : size;
}

static void show_adapter(struct seq_file *m, unsigned int id)
{
	const struct sim_adapter *a = sim_adapter_find(id);
	unsigned int i;

	if (!a)
		return;
	seq_printf(m, "card %02x CEX%d%c present=%d config=%d chkstop=%d\n", id, a->type - 6,
		a->mode, a->present, !a->standby, a->checkstop);
	for_each_set_bit(i, sim_hardware.domains, SIM_N_DOMAINS)
		seq_printf(m, "  %02x.%04x irq=%d rapq=%u zapq=%u\n", id, i, a->queues[i].irq,
			a->queues[i].n_resets, a->queues[i].n_zeroizes);
}

static int control_show(struct seq_file *m, void *v)
{
	unsigned int i;

	seq_printf(m, "domains %*pbl\ncdomains %*pbl\n", SIM_N_DOMAINS, sim_hardware.domains,
		SIM_N_DOMAINS, sim_hardware.control_domains);
	for (i = 0; i < SIM_N_ADAPTERS; i++)
		show_adapter(m, i);
	sim_instructions_show(m);
	sim_kvm_show(m);
	return 0;
}

static int control_open(struct inode *inode, struct file *file)
{
	return single_open(file, control_show, NULL);
}

static const struct file_operations control_operations = {
	.owner = THIS_MODULE,
	.open = control_open,
	.read = seq_read,
	.write = control_write,
	.llseek = seq_lseek,
	.release = single_release,
};

void sim_control_init(void)
{
	control_file = debugfs_create_file("apsim", 0600, NULL, NULL, &control_operations);
}

void sim_control_done(void)
{
	debugfs_remove(control_file);
}
