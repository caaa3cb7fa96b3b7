// SPDX-License-Identifier: GPL-2.0-only
/* The bus of kernels before 6.10 could not be a module and does not say what a module must. */
#include <linux/module.h>

MODULE_DESCRIPTION("AP bus of this kernel, beside the one that is built in");
MODULE_LICENSE("GPL");
