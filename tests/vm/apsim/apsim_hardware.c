// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine's crypto hardware: adapters, usage and control domains, and a queue for every adapter
 * and domain.  Knows nothing of instructions and registers.
 */
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "apsim.h"

struct sim_hardware sim_hardware = {
	.lock = __SPIN_LOCK_UNLOCKED(sim_hardware.lock),
	.max_adapter = SIM_N_ADAPTERS - 1,
	.max_domain = SIM_N_DOMAINS - 1,
};

/* NULL where there never was an adapter. */
struct sim_adapter *sim_adapter_find(unsigned int id)
{
	return id < SIM_N_ADAPTERS && sim_hardware.adapters[id].queues ? &sim_hardware.adapters[id]
								       : NULL;
}

/* What TAPQ puts into register 2: facilities, type, highest domain, depth of the queue less one. */
u64 sim_adapter_info(const struct sim_adapter *a)
{
	u32 facilities;

	/* bit 0 APSC, 1 4K modulus exponentiation, 2 4K CRT, 3 CCA, 4 accelerator, 5 EP11, 6 APXA */
	switch (a->mode) {
	case 'A':
		facilities = 0x6a000000;
		break;
	case 'P':
		facilities = 0x86000000;
		break;
	default:
		facilities = 0x92000000;
		break;
	}
	return (u64)facilities << 32 | (u32)a->type << 24 | (sim_hardware.max_domain & 0xff) << 16 |
		(SIM_QUEUE_DEPTH - 1);
}

void sim_queue_flush(struct sim_queue *q)
{
	struct sim_message *message, *next;

	list_for_each_entry_safe(message, next, &q->replies, list)
	{
		list_del(&message->list);
		kfree(message);
	}
	q->n_replies = 0;
}

static struct sim_queue *new_queues(void)
{
	struct sim_queue *queues = kcalloc(SIM_N_DOMAINS, sizeof(*queues), GFP_KERNEL);
	unsigned int i;

	for (i = 0; queues && i < SIM_N_DOMAINS; i++)
		INIT_LIST_HEAD(&queues[i].replies);
	return queues;
}

/*
 * A new adapter, or another one in an old one's place.  TYPE is "8C", "7A", ...
 * 0, -EINVAL for what is no number or type, -ENOMEM.
 */
int sim_adapter_add(unsigned int id, const char *type)
{
	struct sim_queue *queues = NULL;
	struct sim_adapter *a;
	unsigned long flags;

	if (id >= SIM_N_ADAPTERS || id > sim_hardware.max_adapter)
		return -EINVAL;
	if (type[0] < '4' || type[0] > '8' || !type[1] || !strchr("CPA", type[1]) || type[2])
		return -EINVAL;
	a = &sim_hardware.adapters[id];
	if (!a->queues) {
		queues = new_queues();
		if (!queues)
			return -ENOMEM;
	}
	spin_lock_irqsave(&sim_hardware.lock, flags);
	if (queues)
		a->queues = queues;
	a->type = type[0] - '4' + 10;
	a->mode = type[1];
	a->present = true;
	spin_unlock_irqrestore(&sim_hardware.lock, flags);
	return 0;
}

/* "5:8C,6:8P" */
static int add_adapters(char *list)
{
	char *word, *type;
	unsigned int id;
	int r = 0;

	while (r == 0 && (word = strsep(&list, ","))) {
		if (!*word)
			continue;
		type = strchr(word, ':');
		if (!type)
			return -EINVAL;
		*type++ = 0;
		r = kstrtouint(word, 0, &id);
		if (r == 0)
			r = sim_adapter_add(id, type);
	}
	return r;
}

/* 0, -EINVAL or -ERANGE for a list that is none, -ENOMEM; after an error call sim_hardware_done() all the same. */
int sim_hardware_init(const char *cards, const char *domains, const char *cdomains)
{
	char *copy = kstrdup(cards, GFP_KERNEL);
	int r = copy ? add_adapters(copy) : -ENOMEM;

	kfree(copy);
	if (r == 0)
		r = bitmap_parselist(domains, sim_hardware.domains, SIM_N_DOMAINS);
	if (r == 0)
		r = bitmap_parselist(cdomains, sim_hardware.control_domains, SIM_N_DOMAINS);
	return r;
}

void sim_hardware_done(void)
{
	struct sim_adapter *a;
	unsigned int i, j;

	for (i = 0; i < SIM_N_ADAPTERS; i++) {
		a = &sim_hardware.adapters[i];
		for (j = 0; a->queues && j < SIM_N_DOMAINS; j++)
			sim_queue_flush(&a->queues[j]);
		kfree(a->queues);
		*a = (struct sim_adapter){0};
	}
}
