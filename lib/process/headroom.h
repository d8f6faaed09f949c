/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Is there room for a frozen copy of a process? Asked before one is made, so that the process is not harmed by the lack
 * of it. Each answers true, or false and a few words in `reason`. `status` is that of a thread that has memory.
 */
#ifndef PROCESS_HEADROOM_H
#define PROCESS_HEADROOM_H

#include <stdbool.h>
#include <stddef.h>

#include "pidmem.h"

struct process_status;

/* Memory, of the machine and of the process's control groups. *promised is what copies of other processes, made at the
 * same time, may need; this one's is added to it. */
bool headroom_has_memory(struct pidmem_process *process, const struct process_status *status, uint64_t *promised,
			 char *reason, size_t size);

/*
 * Pages of the hugetlb pool for its private ones. Without them, a process that writes to a page it shares with its copy
 * takes it from the copy at best, and gets SIGBUS at worst (hugetlb_wp() in mm/hugetlb.c).
 */
bool headroom_has_huge_pages(struct pidmem_process *process, const struct process_status *status, char *reason,
			     size_t size);

/* After clone(2) said EAGAIN: which limit was it? */
void headroom_explain_processes(struct pidmem_process *process, char *reason, size_t size);

/* After clone(2) said ENOMEM. */
void headroom_explain_memory(struct pidmem_process *process, char *reason, size_t size);

/* From the text of smaps: hugetlb memory of private mappings in pages of `page_size` bytes. Private_Hugetlb alone does
 * not tell: it counts what is mapped once, be the mapping private or not. */
uint64_t headroom_private_huge(const char *smaps, uint64_t page_size);

#endif
