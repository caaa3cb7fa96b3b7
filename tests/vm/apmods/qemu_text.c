// SPDX-License-Identifier: GPL-2.0-only
/*
 * qemu_text - no module runs what another one left behind
 *
 * QEMU translates code in blocks and drops a block when something is written there.  Where a store
 * writes many bytes at once (MVC, which memcpy() is made of), target/s390x names only the first of
 * them, so a block that begins behind it stays.  A module whose text comes to lie where another one's
 * was, in the same pages at the same address, then runs a piece of that one: rarely, and with any
 * result.  (QEMU's commit e43ced8be18d mended it in 10.0; Debian 12 has 7.2.)  Here the text of each
 * module is written once more before it runs, with stores that QEMU sees.  To be loaded first.
 */
#include <linux/io.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/version.h>
#include <linux/vmalloc.h>

/* By its real address, because it may be protected at the virtual one. */
static void write_again(const void *text, unsigned long real)
{
	asm volatile("sturg %0,%1" : : "d"(*(const u64 *)text), "a"(real) : "memory");
}

/* Text begins with a page. */
static void freshen(const void *text, unsigned int size)
{
	unsigned int at, i;

	for (at = 0; at < size; at += PAGE_SIZE) {
		struct page *page = vmalloc_to_page(text + at);

		if (!page)
			continue;
		for (i = 0; i < min_t(unsigned int, PAGE_SIZE, size - at); i += sizeof(u64))
			write_again(text + at + i, page_to_phys(page) + i);
	}
}

static int on_module(struct notifier_block *nb, unsigned long state, void *data)
{
	const struct module *module = data;

	if (state != MODULE_STATE_COMING)
		return NOTIFY_DONE;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	freshen(module->mem[MOD_TEXT].base, module->mem[MOD_TEXT].size);
	freshen(module->mem[MOD_INIT_TEXT].base, module->mem[MOD_INIT_TEXT].size);
#else
	freshen(module->core_layout.base, module->core_layout.text_size);
	freshen(module->init_layout.base, module->init_layout.text_size);
#endif
	return NOTIFY_DONE;
}

static struct notifier_block module_notifier = {.notifier_call = on_module, .priority = INT_MAX};

static int __init qemu_text_init(void)
{
	return register_module_notifier(&module_notifier);
}

static void __exit qemu_text_exit(void)
{
	unregister_module_notifier(&module_notifier);
}

module_init(qemu_text_init);
module_exit(qemu_text_exit);
MODULE_DESCRIPTION("No module runs what another one left behind in QEMU");
MODULE_LICENSE("GPL");
