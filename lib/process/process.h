/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The handle on one live process, as the library sees it from inside. */
#ifndef PROCESS_PROCESS_H
#define PROCESS_PROCESS_H

#include "base/cleanup.h"
#include "pidmem.h"

/*
 * Everything is read through `dir`, an open /proc/PID: it refers to the process itself, so that after its end
 * every access fails with ESRCH even if the number is used again (fs/proc/base.c, get_proc_task).
 * `memory_dir` is the same, unless the first thread has ended and others go on: /proc/PID/maps and mem are then
 * empty, and those of a living thread, /proc/PID/task/TID, must be used.
 */
struct pidmem_process {
	pid_t pid;
	int dir, memory_dir, pidfd;
	int mem;               /* opened with the handle where that is allowed, else when first needed */
	int pagemap, maps;     /* opened when first needed */
	uint64_t user_end;     /* the first address that PAGEMAP_SCAN refuses, where that was found out; else 0 */
	bool no_pinned_read;   /* process_vm_readv is refused */
	struct worker *worker; /* for large reads, started when first needed */
	bool no_worker;
	uint64_t start_time;
	char name[64];
	const struct pidmem_process *origin; /* of a frozen copy: the process that it is a copy of; else NULL */
};

DEFINE_CLEANUP(cleanup_process, struct pidmem_process *, pidmem_process_close)
#define AUTO_PROCESS CLEANUP(cleanup_process) struct pidmem_process *

/*
 * Has the thread behind memory_dir ended while others go on? True if another one was found, and what failed, or showed
 * no memory, should be tried again. Descriptors of mem, pagemap and maps that are open already stay good: they refer to
 * the address space. To be asked after opening a new one, too: of a thread that has ended they may be opened, and are
 * empty.
 */
bool process_find_memory(struct pidmem_process *process);

/* The same, telling what hinders: 1, 0 or -errno. */
int process_seek_memory(struct pidmem_process *process, struct pidmem_error *error);

/* The file status below an open /proc/PID or task/TID: 0 or -errno. */
struct process_status;
int process_read_status(int dir, struct process_status *status);

/*
 * Take hold of the frozen copy of a process, which must outlive the handle. A copy has no open files, and it is read
 * through /proc/PID/mem alone: process_vm_readv(2) would pin its pages and copy each of them first.
 */
int process_open_copy(const struct pidmem_process *origin, pid_t copy, struct pidmem_error *error,
		      struct pidmem_process **out);

/* Its end: fills the error, -ESRCH. */
int process_gone(const struct pidmem_process *process, struct pidmem_error *error);
/* The end of the copy of a process. */
int process_copy_gone(const struct pidmem_process *origin, struct pidmem_error *error);

/* Has the process the number it is known by for this program as well, or does it come from another PID namespace? */
bool process_is_near(const struct pidmem_process *process);

/* How many pages its regions have in all, as the kernel keeps count (statm); by the number of another one beside it, if
 * that is not 0. 0 or -errno. */
int process_mapped_pages(const struct pidmem_process *process, pid_t other, uint64_t *pages);

/* Has the thread ended, as its state tells? */
bool process_state_is_end(char state);

/* Open a file of the process that shows its memory (maps, mem, pagemap, smaps); an fd or -errno with PIDMEM_ACCESS, ...
 */
int process_open_memory_file(struct pidmem_process *process, const char *name, struct pidmem_error *error);

/* The same, kept open in the handle: borrowed descriptors. */
int process_mem(struct pidmem_process *process, struct pidmem_error *error);
int process_pagemap(struct pidmem_process *process, struct pidmem_error *error);

/* PROCMAP_QUERY: 1 and the mapping at or above question->query_addr, of the kind that its flags ask for, 0 if there is
 * none, -1 if the kernel cannot tell (before 6.11). A name is given without escapes. */
struct procmap_query;
int process_query(struct pidmem_process *process, struct procmap_query *question);

/*
 * Read memory through /proc/PID/mem: up to the first byte that cannot be read. Returns the number of bytes (short
 * before the first bad page, at most 0x7ffff000 in one call), -EIO if already the first byte is bad, -ESRCH if the
 * address space is gone (the process ended or called exec).
 */
ssize_t process_read(struct pidmem_process *process, uint64_t address, void *bytes, size_t size,
		     struct pidmem_error *error);

/*
 * The fast way for what allows it: the number of bytes, or 0 where /proc/PID/mem must be used, for *size bytes, before
 * asking again. `mem` must be open.
 */
ssize_t process_read_pinned(struct pidmem_process *process, uint64_t address, void *bytes, size_t *size);

/* Has the address space that `mem` was opened on no users any more (exit or exec)? */
bool process_address_space_gone(const struct pidmem_process *process);

/*
 * Does the mapping of a region still hold an address? Cheap enough to ask for each gap: 1 or 0 (unmapped, or replaced),
 * with *size cut to what shares the answer, or -1 where the kernel has no PROCMAP_QUERY.
 */
int process_still_maps(struct pidmem_process *process, const struct pidmem_region *region, uint64_t address,
		       uint64_t *size);

/* The status of the file behind a region, without opening it. False if it cannot be had: that takes CAP_SYS_ADMIN or
 * CAP_CHECKPOINT_RESTORE, or a file that has its name still. */
struct stat;
bool process_stat_mapped(const struct pidmem_process *process, const struct pidmem_region *region, struct stat *status);

/* Is it a vDSO, with the same code as that of this program, at getauxval(AT_SYSINFO_EHDR)? A 32-bit process has another
 * one, below 4 GiB. */
bool process_vdso_is_own(const struct pidmem_region *region);

/* VmRSS and VmSwap, in bytes; 0 if they cannot be had. */
uint64_t process_memory_used(struct pidmem_process *process);

/* Why the kernel may write to its memory past the page tables, where that is not tracked: in a few words, or NULL. */
const char *process_pins_memory(struct pidmem_process *process);

/* Have both one address space (CLONE_VM)? */
bool process_shares_memory(const struct pidmem_process *one, const struct pidmem_process *other);
/* How many other processes have the same; -errno if not all could be looked at. Not a question for a stop: 1 us for
 * each process there is. */
int process_count_sharers(const struct pidmem_process *process);

/* Can it be that the process itself holds a userfaultfd? False only if that could be looked into. */
bool process_may_have_userfaultfd(const struct pidmem_process *process);
/* Can it be that some process holds a userfaultfd? False only if all could be looked into: some 30 us for each. */
bool process_userfaultfd_may_exist(struct pidmem_process *process);
/* About how many processes there are, without a look at them. */
uint64_t process_count_all(const struct pidmem_process *process);

/* Has the calling thread waited for a processor, for so long and twice as long as it had one? */
bool process_lacks_processor(uint64_t least_us);

#endif
