// SPDX-License-Identifier: GPL-2.0-only
/*
 * What kvm.ko needs on a machine without SIE, so that a virtual machine can be made and its matrix
 * opened.  A started guest goes into an enabled wait at once: it counts as running, sleeps for
 * ever, and never executes an instruction.
 */
#include <linux/atomic.h>
#include <linux/io.h>
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <asm/sclp.h>

#include "apsim.h"

#define OPCODE_PLO 0xee
#define PLO_TEST 0x100
#define N_PLO_FUNCTIONS 24

static bool fake_sie = true;
module_param(fake_sie, bool, 0444);
MODULE_PARM_DESC(fake_sie, "let kvm.ko load, and answer SIE with an enabled wait");

static atomic64_t n_sie;

/* PLO with the test bit: kvm.ko asks at load which functions there are. */
static bool test_plo(struct pt_regs *regs)
{
	unsigned long cc = (regs->gprs[0] & 0xff) < N_PLO_FUNCTIONS ? 0 : 3;

	if (*(u8 *)(regs->psw.addr - 6) != OPCODE_PLO || !(regs->gprs[0] & PLO_TEST))
		return false;
	regs->psw.mask = (regs->psw.mask & ~PSW_MASK_CC) | cc << 44;
	return true;
}

/*
 * The program check handler has seen the guest's address space in control register 1 and moved the
 * PSW to sie_exit; general register 14 is the real address of the SIE control block.
 */
static void enter_wait(struct pt_regs *regs)
{
	struct kvm_s390_sie_block *block = phys_to_virt(regs->gprs[14]);

	atomic64_inc(&n_sie);
	block->gpsw.mask |= PSW_MASK_WAIT | PSW_MASK_EXT | PSW_MASK_IO | PSW_MASK_MCHECK;
	block->icptcode = ICPT_WAIT;
}

bool sim_kvm_instruction(struct pt_regs *regs, unsigned int length)
{
	if (!fake_sie)
		return false;
	if (length == 6)
		return test_plo(regs);
	if (length != 4 || regs->psw.addr != (unsigned long)&sie_exit)
		return false;
	enter_wait(regs);
	return true;
}

void sim_kvm_init(void)
{
	if (!fake_sie)
		return;
	sclp.has_sief2 = 1;
	sclp.has_64bscao = 1;
}

void sim_kvm_show(struct seq_file *m)
{
	seq_printf(m, "sie %lld\n", (long long)atomic64_read(&n_sie));
}
