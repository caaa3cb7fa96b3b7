/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The files in dbus/ against what a service says of itself: the same members with the same arguments,
 * types and annotations, in the files' order or not, and in the files a doc text for every one.
 */
#include <systemd/sd-bus.h>

/* Fails the test, and says where, unless @interface of org.s390.APMatrix's object @path is as
 * dbus/@interface.xml. */
void introspection_compare(sd_bus *client, const char *path, const char *interface);
