/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The MESSAGE_ID of what the journal's catalog explains (systemd/apmatrixd.catalog, listed in
 * apmatrixd(8)).  An ID stays with what it means for good: others match it.
 */
#define MESSAGE_ATTACHED "907554b5322f499abfdf4203468e067a"       /* a guest opened a matrix */
#define MESSAGE_DETACHED "f6d13a5426f24ab38ad3b2621e66b66e"       /* it closed it */
#define MESSAGE_ATTACH_REFUSED "827b2e3165b14d67a395793fd6587b3a" /* the kernel did not let it */
#define MESSAGE_PROBLEM "b40ce1c8327e41bc9a3bd4d4860406ce"     /* a drop-in is wrong, or in vain */
#define MESSAGE_STEP_FAILED "5333e938247549a7bf9b71b84d3f7810" /* the kernel refused a write */
#define MESSAGE_NO_EFFECT "66b4d1a85c944fa180b4519cb8e0c85d"   /* a write did not last */
#define MESSAGE_WRITE_HANGS "7a29e220c4874919ae77bc7080529ac2" /* a write has not returned */
#define MESSAGE_RECONCILED "daf63b8e7da846329f8ab2651f8ddcb8"  /* steps were done */
