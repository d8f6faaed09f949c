/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The descendants of processes. */
#ifndef PROCESS_CHILDREN_H
#define PROCESS_CHILDREN_H

#include "pidmem.h"

bool pid_is_among(pid_t pid, const pid_t *pids, size_t count);

/* A process and its parent. */
struct parentage {
	pid_t pid, parent;
	bool ended; /* a zombie, none of whose threads is left */
};

/* All processes that a procfs shows; *all is to be freed. 0 or -errno. */
int parentage_list(const char *proc, struct parentage **all, size_t *count);

/*
 * Which of `all` descend from those in `pids`? Appends them, parents before children, to pids[*count] and following,
 * where there is room for all of them. The children of `childless` are left out, with their own.
 */
void children_select(const struct parentage *all, size_t all_count, pid_t childless, pid_t *pids, size_t *count);

/*
 * Processes as they are now, zombies included, that descend from `roots` and are not among them: none is missing if all
 * their parents are stopped. Left out are children of this program: its helper processes are among them. `*pids` is to
 * be freed. 0 or -errno.
 */
int children_find(const pid_t *roots, size_t root_count, pid_t **pids, size_t *count);

#endif
