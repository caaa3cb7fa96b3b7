/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Links the whole core with the C library and nothing else: if this links, the core is pure. */
int main(void)
{
	return 0;
}
