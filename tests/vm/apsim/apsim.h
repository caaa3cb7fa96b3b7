/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * apsim answers the AP instructions (PQAP, NQAP, DQAP) for the kernel's own AP code on a machine
 * that lacks them: an emulator of s390 without crypto adapters.  For test benches alone; it refuses
 * to load beside real adapters.
 *
 *   apsim_main.c          loading, the die notifier, facilities
 *   apsim_instructions.c  what an instruction does with the registers
 *   apsim_hardware.c      adapters, domains and queues, and the lists that describe them
 *   apsim_control.c       /sys/kernel/debug/apsim: changes of the hardware while it runs
 *   apsim_kvm.c           what kvm.ko needs so that a virtual machine can be made (and sleeps for ever)
 */
#include <linux/bitmap.h>
#include <linux/list.h>
#include <linux/ptrace.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#define SIM_N_ADAPTERS 256
#define SIM_N_DOMAINS 256
#define SIM_QUEUE_DEPTH 8

struct sim_message {
	struct list_head list;
	u64 id;
};

struct sim_queue {
	bool irq;
	unsigned int n_resets, n_zeroizes;
	unsigned long busy_until; /* jiffies; a reset is in progress until then */
	struct list_head replies;
	unsigned int n_replies;
};

struct sim_adapter {
	bool present, standby, checkstop;
	u8 type;                  /* as TAPQ tells it: 10 is CEX4, 14 is CEX8 */
	char mode;                /* 'C' CCA coprocessor, 'P' EP11, 'A' accelerator */
	struct sim_queue *queues; /* SIM_N_DOMAINS of them; NULL where there never was an adapter */
};

struct sim_hardware {
	spinlock_t lock; /* all below; taken in program check context too */
	struct sim_adapter adapters[SIM_N_ADAPTERS];
	DECLARE_BITMAP(domains, SIM_N_DOMAINS);
	DECLARE_BITMAP(control_domains, SIM_N_DOMAINS);
	unsigned int max_adapter, max_domain;
	unsigned int reset_ms;
};

extern struct sim_hardware sim_hardware;

int sim_hardware_init(const char *cards, const char *domains, const char *cdomains);
void sim_hardware_done(void);
int sim_adapter_add(unsigned int id, const char *type);
struct sim_adapter *sim_adapter_find(unsigned int id);
u64 sim_adapter_info(const struct sim_adapter *a);
void sim_queue_flush(struct sim_queue *q);

/* Both return true if they answered the instruction, whose length is 4 or 6 bytes. */
bool sim_instruction(struct pt_regs *regs, u32 instruction);
bool sim_kvm_instruction(struct pt_regs *regs, unsigned int length);
void sim_kvm_init(void);

void sim_instructions_show(struct seq_file *m);
void sim_kvm_show(struct seq_file *m);

void sim_control_init(void);
void sim_control_done(void);
