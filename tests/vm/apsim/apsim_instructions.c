// SPDX-License-Identifier: GPL-2.0-only
/*
 * What PQAP, NQAP and DQAP do with the registers of whoever executed them.  Not here: BAPQ and AAPQ
 * (secure execution), adapter interrupts, and replies with content: every request is answered at
 * once with "malformed message".
 */
#include <linux/atomic.h>
#include <linux/build_bug.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "apsim.h"

enum {
	OPCODE_NQAP = 0xb2ad,
	OPCODE_DQAP = 0xb2ae,
	OPCODE_PQAP = 0xb2af,
};

/* function codes of PQAP, bits 24 to 31 (from the right) of register 0 */
enum {
	PQAP_TAPQ,
	PQAP_RAPQ,
	PQAP_ZAPQ,
	PQAP_AQIC,
	PQAP_QCI,
	PQAP_QACT,
	N_PQAP,
};

/* response codes of a queue's status word */
enum {
	RESPONSE_NORMAL = 0x00,
	RESPONSE_NOT_AVAILABLE = 0x01,
	RESPONSE_RESET_IN_PROGRESS = 0x02,
	RESPONSE_STANDBY = 0x03,
	RESPONSE_CHECKSTOP = 0x04,
	RESPONSE_OTHERWISE_CHANGED = 0x07,
	RESPONSE_FULL_OR_EMPTY = 0x10,
};

#define STATUS_EMPTY 0x80000000u
#define STATUS_REPLIES 0x40000000u
#define STATUS_IRQ 0x01000000u

static atomic64_t n_pqap[N_PQAP], n_nqap, n_dqap;

static const char *const pqap_names[N_PQAP] = {[PQAP_TAPQ] = "tapq",
	[PQAP_RAPQ] = "rapq",
	[PQAP_ZAPQ] = "zapq",
	[PQAP_AQIC] = "aqic",
	[PQAP_QCI] = "qci",
	[PQAP_QACT] = "qact"};

static void set_condition_code(struct pt_regs *regs, unsigned long cc)
{
	regs->psw.mask = (regs->psw.mask & ~PSW_MASK_CC) | (cc << 44);
}

/* The queue that register 0 names, or NULL, and the response code that its state alone gives. */
static struct sim_queue *find_queue(const struct pt_regs *regs, int *ret_response)
{
	struct sim_adapter *a = sim_adapter_find((regs->gprs[0] >> 8) & 0xff);
	unsigned int domain = regs->gprs[0] & 0xff;
	struct sim_queue *q;

	if (!a || !a->present || !test_bit(domain, sim_hardware.domains)) {
		*ret_response = RESPONSE_NOT_AVAILABLE;
		return NULL;
	}
	q = &a->queues[domain];
	if (a->standby)
		*ret_response = RESPONSE_STANDBY;
	else if (a->checkstop)
		*ret_response = RESPONSE_CHECKSTOP;
	else if (time_before(jiffies, q->busy_until))
		*ret_response = RESPONSE_RESET_IN_PROGRESS;
	else
		*ret_response = RESPONSE_NORMAL;
	return q;
}

/* The status word in register 1, and the condition code that goes with it. */
static void answer(struct pt_regs *regs, const struct sim_queue *q, int response)
{
	u32 status = (u32)response << 16;

	if (q) {
		status |= q->n_replies ? STATUS_REPLIES : STATUS_EMPTY;
		if (q->irq)
			status |= STATUS_IRQ;
	}
	regs->gprs[1] = status;
	set_condition_code(regs, response == RESPONSE_NORMAL ? 0 : 3);
}

static void set_mask(u32 *words, const unsigned long *bits)
{
	unsigned int i;

	for_each_set_bit(i, bits, 256) words[i / 32] |= 0x80000000u >> (i % 32);
}

/* What QCI stores.  The architecture's, not the kernel's struct, whose names differ by version. */
struct configuration {
	u8 flags; /* AP special command, extended addressing, query compatible type */
	u8 reserved0[3];
	u8 max_adapter, max_domain;
	u8 reserved1[10];
	u32 adapters[8], domains[8], control_domains[8];
	u8 reserved2[16];
};

#define CONFIGURATION_FLAGS 0xe0

static void query_configuration(struct pt_regs *regs)
{
	struct configuration *c = (void *)regs->gprs[2];
	DECLARE_BITMAP(adapters, SIM_N_ADAPTERS) = {0};
	unsigned int i;

	BUILD_BUG_ON(sizeof(*c) != 128);
	for (i = 0; i < SIM_N_ADAPTERS; i++)
		if (sim_hardware.adapters[i].present)
			__set_bit(i, adapters);
	memset(c, 0, sizeof(*c));
	c->flags = CONFIGURATION_FLAGS;
	c->max_adapter = sim_hardware.max_adapter;
	c->max_domain = sim_hardware.max_domain;
	set_mask(c->adapters, adapters);
	set_mask(c->domains, sim_hardware.domains);
	set_mask(c->control_domains, sim_hardware.control_domains);
	set_condition_code(regs, 0);
}

static void reset_queue(struct sim_queue *q, bool zeroize)
{
	sim_queue_flush(q);
	q->irq = false;
	if (zeroize)
		q->n_zeroizes++;
	else
		q->n_resets++;
	if (sim_hardware.reset_ms)
		q->busy_until = jiffies + msecs_to_jiffies(sim_hardware.reset_ms);
}

static int set_interrupts(struct sim_queue *q, bool on)
{
	bool same = q->irq == on;

	q->irq = on;
	return same ? RESPONSE_OTHERWISE_CHANGED : RESPONSE_NORMAL;
}

/*
 * QACT says which type of adapter the kernel is to take this one for: its own, or the newest that
 * the kernel knows and asks for.  Mode and type have fixed places in both registers.
 */
static u64 compatible_type(const struct sim_adapter *a, u64 asked)
{
	u64 type = min_t(u64, (asked >> 24) & 0xff, a->type);

	return (asked & 0x1c00000000000000ull) | type << 24;
}

static bool do_pqap(struct pt_regs *regs)
{
	unsigned int function = (regs->gprs[0] >> 24) & 0xff;
	struct sim_adapter *a = sim_adapter_find((regs->gprs[0] >> 8) & 0xff);
	struct sim_queue *q;
	int response;

	if (function >= N_PQAP)
		return false;
	atomic64_inc(&n_pqap[function]);
	if (function == PQAP_QCI) {
		query_configuration(regs);
		return true;
	}
	q = find_queue(regs, &response);
	switch (function) {
	case PQAP_TAPQ:
		regs->gprs[2] = q ? sim_adapter_info(a) : 0;
		break;
	case PQAP_QACT:
		if (q)
			regs->gprs[2] = compatible_type(a, regs->gprs[1]);
		break;
	case PQAP_RAPQ:
	case PQAP_ZAPQ:
		if (response == RESPONSE_NORMAL)
			reset_queue(q, function == PQAP_ZAPQ);
		break;
	case PQAP_AQIC:
		if (response == RESPONSE_NORMAL)
			response = set_interrupts(q, (regs->gprs[1] >> 47) & 1);
		break;
	}
	answer(regs, q, response);
	return true;
}

static void do_nqap(struct pt_regs *regs, unsigned int r1, unsigned int r2)
{
	struct sim_message *message = NULL;
	struct sim_queue *q;
	int response;

	atomic64_inc(&n_nqap);
	q = find_queue(regs, &response);
	if (response == RESPONSE_NORMAL) {
		if (q->n_replies < SIM_QUEUE_DEPTH)
			message = kmalloc(sizeof(*message), GFP_ATOMIC);
		if (message) {
			message->id = regs->gprs[r1] << 32 | (u32)regs->gprs[r1 + 1];
			list_add_tail(&message->list, &q->replies);
			q->n_replies++;
			regs->gprs[r2] += regs->gprs[r2 + 1];
			regs->gprs[r2 + 1] = 0;
		} else {
			response = RESPONSE_FULL_OR_EMPTY;
		}
	}
	answer(regs, q, response);
}

static void do_dqap(struct pt_regs *regs, unsigned int r1, unsigned int r2)
{
	/* type 0x82, reply code 0x40 */
	static const u8 malformed[16] = {0x00, 0x82, 0x00, 0x00, 0x40};
	struct sim_message *message;
	struct sim_queue *q;
	size_t length;
	int response;

	atomic64_inc(&n_dqap);
	q = find_queue(regs, &response);
	if (response == RESPONSE_NORMAL) {
		message = list_first_entry_or_null(&q->replies, struct sim_message, list);
		if (message) {
			length = min_t(size_t, sizeof(malformed), regs->gprs[r2 + 1]);
			memcpy((void *)regs->gprs[r2], malformed, length);
			regs->gprs[r2] += length;
			regs->gprs[r2 + 1] -= length;
			regs->gprs[r1] = message->id >> 32;
			regs->gprs[r1 + 1] = (u32)message->id;
			regs->gprs[2] = 0;
			list_del(&message->list);
			kfree(message);
			q->n_replies--;
		} else {
			response = RESPONSE_FULL_OR_EMPTY;
		}
	}
	answer(regs, q, response);
}

bool sim_instruction(struct pt_regs *regs, u32 instruction)
{
	unsigned int r1 = (instruction >> 4) & 0xf, r2 = instruction & 0xf;
	unsigned long flags;
	bool answered = true;

	switch (instruction >> 16) {
	case OPCODE_NQAP:
	case OPCODE_DQAP:
	case OPCODE_PQAP:
		break;
	default:
		return false;
	}
	spin_lock_irqsave(&sim_hardware.lock, flags);
	switch (instruction >> 16) {
	case OPCODE_NQAP:
		do_nqap(regs, r1, r2);
		break;
	case OPCODE_DQAP:
		do_dqap(regs, r1, r2);
		break;
	case OPCODE_PQAP:
		answered = do_pqap(regs);
		break;
	}
	spin_unlock_irqrestore(&sim_hardware.lock, flags);
	return answered;
}

void sim_instructions_show(struct seq_file *m)
{
	unsigned int i;

	for (i = 0; i < N_PQAP; i++)
		seq_printf(m, "%s %lld\n", pqap_names[i], (long long)atomic64_read(&n_pqap[i]));
	seq_printf(m, "nqap %lld\ndqap %lld\n", (long long)atomic64_read(&n_nqap),
		(long long)atomic64_read(&n_dqap));
}
