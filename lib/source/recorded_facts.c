/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of a file and of the process in it, besides its memory. */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/options.h"
#include "format/note_list.h"
#include "process/threads.h"
#include "source/recorded.h"

static int no_file(struct pidmem_error *error)
{
	return fail(error, PIDMEM_USAGE, EINVAL, "the source is a process, not a file");
}

bool recorded_has_usage(const struct recorded *recorded)
{
	const struct regions_list *regions = &recorded->facts.regions;

	for (size_t i = 0; i < regions->region_count; i++)
		if (!(regions->regions[i].flags & REGION_USAGE))
			return false;
	return regions->region_count > 0;
}

static const char *writer_of(const struct recorded *recorded)
{
	const struct core_facts *facts = &recorded->facts;

	if (recorded->kind == PIDMEM_FILE_DUMP || facts->has_regions || facts->has_record)
		return "pidmem";
	if (facts->gdb || recorded->headers.sections)
		return "gdb";
	/* Others write no CPU times, and so on: but nobody writes its name into it. */
	return facts->has_files && facts->has_auxv && facts->has_process ? "kernel" : NULL;
}

/* The kernel and gdb write cores while all threads are stopped. */
static bool has_consistency(const struct recorded *recorded)
{
	const char *writer = writer_of(recorded);

	return recorded->facts.has_record || (writer && strcmp(writer, "pidmem") != 0);
}

enum pidmem_consistency recorded_consistency(const struct recorded *recorded)
{
	if (recorded->facts.has_record)
		return recorded->facts.record.consistency;
	return has_consistency(recorded) ? PIDMEM_STOPPED : PIDMEM_LIVE; /* nothing is promised */
}

static const char *machine_name(uint16_t machine)
{
	static const struct {
		uint16_t machine;
		const char *name;
	} names[] = {
		{ EM_X86_64, "x86-64" },   { EM_386, "i386" },
		{ EM_AARCH64, "aarch64" }, { EM_ARM, "arm" },
		{ EM_RISCV, "riscv" },     { EM_PPC64, "ppc64" },
		{ EM_S390, "s390" },       { EM_LOONGARCH, "loongarch" },
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].machine == machine)
			return names[i].name;
	return NULL;
}

static void fill_core(const struct recorded *recorded, struct pidmem_file *file)
{
	const struct core_facts *facts = &recorded->facts;

	file->bits = recorded->headers.is_64 ? 64 : 32;
	file->machine = recorded->headers.machine;
	file->machine_name = machine_name(recorded->headers.machine);
	file->pid = facts->pid;
	file->uid = facts->uid;
	file->name = facts->name;
	file->arguments = facts->arguments;
	file->has_process = facts->has_process;
	file->signal = facts->task_count ? facts->tasks[0].signal : 0;
	file->threads = facts->task_count;
	file->notes = facts->notes;
	file->segments = recorded->headers.load_count;
	file->has_usage = recorded_has_usage(recorded);
	file->record = facts->has_record ? facts->record.text : NULL;
	file->complete = facts->has_record && !facts->record.omitted;
}

int pidmem_file_describe(const struct pidmem_source *source, struct pidmem_error *error, struct pidmem_file *out)
{
	const struct recorded *recorded = source->recorded;
	int result = options_check_room(out, error);

	if (result < 0)
		return result;
	if (!recorded)
		return no_file(error);
	const struct content *content = recorded->content;
	struct pidmem_file file = {
		.kind = recorded->kind,
		.path = recorded->path,
		.writer = writer_of(recorded),
		.compression = content ? content->compression : NULL,
		.name = "",
		.arguments = "",
		.size_on_disk = content ? content->size_on_disk : 0,
		.apparent = content && recorded->directory < 0 ? content->reader.size : 0,
		.expected = recorded->expected_size,
		.remarks = recorded->remark_count,
		.missing = recorded->originals.missing_count,
		.unknown = recorded->headers.missing,
	};
	file.has_consistency = has_consistency(recorded);
	file.truncated = recorded->headers.missing || (content && content->incomplete) || file.expected > file.apparent;
	if (recorded->kind == PIDMEM_FILE_CORE)
		fill_core(recorded, &file);
	else
		file.complete = !file.truncated;
	options_give(out, &file, sizeof file);
	return 0;
}

static const char *line_at(const struct buffer *lines, size_t count, size_t index)
{
	const char *text = lines->bytes;

	if (index >= count)
		return NULL;
	for (; index; index--)
		text += strlen(text) + 1;
	return text;
}

const char *pidmem_file_remark(const struct pidmem_source *source, size_t index)
{
	const struct recorded *recorded = source->recorded;

	return recorded ? line_at(&recorded->remarks, recorded->remark_count, index) : NULL;
}

const char *pidmem_file_missing(const struct pidmem_source *source, size_t index)
{
	const struct recorded *recorded = source->recorded;

	return recorded ? line_at(&recorded->originals.missing, recorded->originals.missing_count, index) : NULL;
}

int pidmem_file_notes(const struct pidmem_source *source, int (*each)(void *user, const struct pidmem_file_note *note),
		      void *user, struct pidmem_error *error)
{
	const struct recorded *recorded = source->recorded;
	AUTO_FREE struct note_list *list = malloc(sizeof *list);
	struct note note;
	int result = 0;

	if (!list)
		return fail_memory(error);
	if (!recorded)
		return no_file(error);
	if (recorded->kind != PIDMEM_FILE_CORE)
		return 0;
	note_list_begin(list, &recorded->headers, &recorded->content->reader);
	while (result == 0 && note_list_next(list, &note)) {
		struct pidmem_file_note told = {
			.owner = note.owner, .type = note.type, .offset = note.offset, .size = note.size
		};
		result = each(user, &told);
	}
	return result;
}

/* ------------------------------------------------------------------------- of processes and of files --- */

/* They are noted in the order of their NT_PRSTATUS. */
static const struct thread_entry *noted_thread(const struct regions_list *list, size_t index, pid_t tid)
{
	return index < list->thread_count && list->threads[index].tid == (uint32_t)tid ? &list->threads[index] : NULL;
}

static int list_recorded(const struct recorded *recorded, struct pidmem_threads *threads)
{
	const struct core_facts *facts = &recorded->facts;

	for (size_t i = 0; i < facts->task_count; i++) {
		const struct thread_entry *noted = noted_thread(&facts->regions, i, facts->tasks[i].tid);
		struct pidmem_thread thread = { .tid = facts->tasks[i].tid };
		if (noted) {
			thread.state = noted->state;
			memcpy(thread.name, noted->name, strlen(noted->name));
		} else if (thread.tid == facts->pid) { /* the only one whose name a core has */
			memcpy(thread.name, facts->name, sizeof facts->name);
		}
		if (threads_add(threads, &thread) < 0)
			return -ENOMEM;
	}
	threads_sort(threads);
	return 0;
}

int pidmem_source_threads(struct pidmem_source *source, struct pidmem_error *error, struct pidmem_threads **out)
{
	AUTO_THREADS threads = NULL;

	if (!source->recorded)
		return pidmem_threads_read(source->target, error, out);
	threads = threads_new();
	if (!threads || list_recorded(source->recorded, threads) < 0)
		return fail_memory(error);
	*out = take(threads);
	return 0;
}

void recorded_report(const struct recorded *recorded, struct pidmem_freeze_report *report)
{
	const struct record *record = &recorded->facts.record;

	*report = (struct pidmem_freeze_report){ .consistency = recorded_consistency(recorded),
						 .threads = recorded->facts.task_count };
	if (!recorded->facts.has_record)
		return;
	report->engine = record->engine;
	report->fallback = record->fallback;
	report->pause_us = record->pause_us;
	report->stops_us = &record->pause_us;
	report->stop_count = record->paused;
	report->unstopped = record->unstopped;
}

int pidmem_source_describe(struct pidmem_source *source, struct pidmem_error *error, struct pidmem_freeze_report *out)
{
	struct pidmem_freeze_report report = PIDMEM_INIT(report);
	int result = options_check_room(out, error);

	if (result < 0 || (result = source_report(source, error, &report)) < 0)
		return result;
	options_give(out, &report, sizeof report);
	return 0;
}
