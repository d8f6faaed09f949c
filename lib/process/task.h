/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What /proc tells of one thread, and of the process as the kernel started it: for the notes of core files. */
#ifndef PROCESS_TASK_H
#define PROCESS_TASK_H

#include "base/buffer.h"
#include "pidmem.h"
#include "process/status.h"

/*
 * stat and status of a thread; of the process as a whole (CPU time of all its threads) with `tid` 0. 0 or -errno: of a
 * thread that has ended, -ENOENT or -ESRCH.
 */
int process_read_task(const struct pidmem_process *process, pid_t tid, struct process_stat *stat,
		      struct process_status *status);

/* Where a thread that waits in a system call is: program counter and stack pointer, from /proc/PID/task/TID/syscall.
 * False if it runs, or if that may not be read. */
bool process_task_place(const struct pidmem_process *process, pid_t tid, uint64_t *pc, uint64_t *sp);
/* The same, from the text of the file. */
bool task_place_parse(const char *text, uint64_t *pc, uint64_t *sp);

/*
 * The auxiliary vector (getauxval(3)) in the words of the process itself, its end (AT_NULL) included, and whether it is
 * a 64-bit process. Empty where it cannot be had.
 */
void process_read_auxv(const struct pidmem_process *process, struct buffer *auxv, bool *is_64);
/* How many bytes of the vector are there, and is it of a 64-bit process? 0 if it is none. */
size_t auxv_parse(const void *bytes, size_t size, bool *is_64);

#endif
