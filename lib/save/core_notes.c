/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "save/core_notes.h"

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "arch/arch.h"
#include "base/error.h"
#include "format/file_note.h"
#include "format/note.h"
#include "format/status_notes.h"
#include "format/xsave_note.h"
#include "process/process.h"
#include "process/task.h"
#include "save/core_threads.h"
#include "source/precopy.h"

/* What the notes are made from. */
struct notes {
	struct buffer *out;
	struct regions_table *regions;
	struct pidmem_source *source;
	const struct pidmem_process *process;
	const struct arch *arch;
	const struct core_layout *layout;
};

static const struct register_set *set_of(const struct stopped_thread *thread, uint32_t note)
{
	for (size_t i = 0; i < thread->set_count; i++)
		if (thread->sets[i].note == note)
			return &thread->sets[i];
	return NULL;
}

static struct core_ids ids_of(const struct process_stat *stat, pid_t pid)
{
	return (struct core_ids){ .pid = pid, .ppid = stat->ppid, .pgrp = stat->pgrp, .sid = stat->session };
}

static void set_times(struct core_thread *told, const struct process_stat *stat)
{
	uint64_t tick = 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);

	for (int i = 0; i < 4; i++)
		told->microseconds[i] = stat->times[i] * tick;
}

/* The first thread bears the signal that it was about to take, or SIGSTOP: debuggers want exactly one that has one. */
static int signal_of(const struct stopped_thread *thread, bool first)
{
	int signal;

	memcpy(&signal, thread->siginfo, sizeof signal);
	if (!first)
		return 0;
	return signal > 0 && signal <= SIGRTMAX ? signal : SIGSTOP;
}

static int add_status(const struct notes *notes, const struct stopped_thread *thread, bool first)
{
	const struct register_set *registers = set_of(thread, NT_PRSTATUS);
	struct process_stat stat = { 0 };
	struct process_status status = { 0 };
	struct core_thread told = {
		.signal = signal_of(thread, first),
		.registers = registers ? registers->bytes : NULL,
		.registers_size = notes->arch->registers_size,
		.pc = thread->pc,
		.sp = thread->sp,
		.floating_point = set_of(thread, NT_PRFPREG),
	};
	bool leader = thread->tid == notes->process->pid;

	/* The first one stands for all: CPU time. Of another one that has ended since it was stopped these stay zero.
	 */
	if (leader)
		source_leader(notes->source, &stat, &status);
	else
		process_read_task(notes->process, thread->tid, &stat, &status);
	set_times(&told, &stat);
	told.ids = ids_of(&stat, thread->tid);
	told.pending = status.sig_pending;
	told.blocked = thread->stopped ? thread->blocked : status.sig_blocked;
	if (regions_table_thread(notes->regions, thread->tid, thread->state ? thread->state : stat.state, stat.name) <
	    0)
		return -ENOMEM;
	return prstatus_add(notes->out, notes->layout, notes->arch->machine, &told);
}

/* The other register sets, in the order of the architecture. */
static int add_sets(const struct notes *notes, const struct stopped_thread *thread)
{
	int result = 0;

	for (size_t i = 0; i < notes->arch->set_count && result == 0; i++) {
		const struct arch_set *kind = &notes->arch->sets[i];
		const struct register_set *set = set_of(thread, kind->note);
		if (set && kind->note != NT_PRSTATUS)
			result = note_add(notes->out, kind->owner, kind->note, set->bytes, set->size);
	}
	return result;
}

static int add_process(const struct notes *notes, const struct stopped_thread *first)
{
	char arguments[PRPSINFO_ARGUMENTS];
	struct process_stat stat;
	struct process_status status;
	ssize_t got = 0;

	source_leader(notes->source, &stat, &status);
	size_t size = stat_arguments(&stat, sizeof arguments);
	if (notes->source->precopy)
		got = (ssize_t)precopied_arguments(notes->source->precopy, arguments, size);
	else if (size)
		got = pidmem_source_read(notes->source, stat.arg_start, arguments, size, NULL, NULL);
	struct core_process told = {
		.ids = ids_of(&stat, notes->process->pid),
		.state = first->state ? first->state : stat.state,
		.nice = stat.nice,
		.flags = stat.flags,
		.uid = status.uid[ID_REAL],
		.gid = status.gid[ID_REAL],
		.name = stat.name,
		.arguments = arguments,
		.arguments_size = got > 0 ? (size_t)got : 0,
	};
	return prpsinfo_add(notes->out, notes->layout, &told);
}

static int add_files(const struct notes *notes)
{
	const struct pidmem_maps *maps = pidmem_source_maps(notes->source);
	const struct pidmem_region *region;
	AUTO_FILE_NOTE files = { 0 };
	int result = 0;

	for (size_t i = 0; result == 0 && (region = pidmem_maps_get(maps, i)); i++)
		if (region->inode || region->dev_major || region->dev_minor)
			result = file_note_map(&files, notes->layout, region->start, region->size, region->offset,
					       region->path, region->deleted);
	return result < 0 ? result : file_note_add(notes->out, notes->layout, &files);
}

/* What stands behind the status of the first thread. */
static int add_common(const struct notes *notes, const struct stopped_thread *first, const struct buffer *auxv)
{
	int result = add_process(notes, first);

	if (result == 0)
		result = siginfo_add(notes->out, notes->layout, signal_of(first, true), first->siginfo);
	if (result == 0 && auxv->size)
		result = note_add(notes->out, "CORE", NT_AUXV, auxv->bytes, auxv->size);
	return result < 0 ? result : add_files(notes);
}

static int add_all(const struct notes *notes, const struct stopped_threads *threads, const struct buffer *auxv)
{
	const struct register_set *xstate = NULL;
	int result = 0;

	for (size_t i = 0; i < threads->count && result == 0; i++) {
		const struct stopped_thread *thread = &threads->threads[i];
		result = add_status(notes, thread, i == 0);
		if (result == 0 && i == 0)
			result = add_common(notes, thread, auxv);
		if (result == 0)
			result = add_sets(notes, thread);
		xstate = xstate ? xstate : set_of(thread, NT_X86_XSTATE);
	}
	return result == 0 && xstate ? xsave_note_add(notes->out, xstate->bytes, xstate->size) : result;
}

int core_notes_add(struct buffer *out, struct regions_table *regions, struct pidmem_source *source,
		   struct pidmem_error *error, struct core_kind *kind, size_t *count)
{
	AUTO_CORE_THREADS threads = { 0 };
	AUTO_BUFFER auxv = { 0 };
	bool is_64 = sizeof(long) == 8;
	int result = core_threads_get(&threads, source, error);

	if (result < 0)
		return result;
	if (source_auxv(source, &auxv, &is_64) < 0)
		return fail_memory(error);
	const struct arch *arch = threads.list->arch ? threads.list->arch : arch_of_class(is_64);
	if (!arch)
		return fail(error, PIDMEM_UNSUPPORTED, EOPNOTSUPP,
			    "core files of this architecture are not possible with this version");
	struct notes notes = {
		.out = out,
		.regions = regions,
		.source = source,
		.process = source->target,
		.arch = arch,
		.layout = core_layout_of(arch->is_64),
	};
	if (add_all(&notes, threads.list, &auxv) < 0)
		return fail_memory(error);
	*kind = (struct core_kind){ .is_64 = arch->is_64, .machine = arch->machine };
	*count = threads.list->count;
	return 0;
}
