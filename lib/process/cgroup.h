/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The control groups of a process: cgroups(7), both versions.
 */
#ifndef PROCESS_CGROUP_H
#define PROCESS_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pidmem.h"

/*
 * From the text of /proc/PID/cgroup the path below the hierarchy of a controller ("memory", "pids"): version 1 of it
 * if there is one (*v2 false), else version 2. False if it is in none.
 */
bool cgroup_parse(const char *text, const char *controller, char *path, size_t size, bool *v2);

/*
 * Look at the group that a process is in for a controller, and at each one above it as far as they can be seen: visit()
 * gets an open directory, until it returns false.
 */
void cgroup_each(const struct pidmem_process *process, const char *controller,
		 bool (*visit)(int dir, bool v2, void *user), void *user);

/* A file that holds one number; UINT64_MAX for "max", and if it is not there. */
uint64_t cgroup_number(int dir, const char *name);

/* The number behind a key in a file such as memory.stat; 0 if it is not there. */
uint64_t cgroup_value(int dir, const char *name, const char *key);

#endif
