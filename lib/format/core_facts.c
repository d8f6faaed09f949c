/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/core_facts.h"

#include <elf.h>
#include <string.h>

#include "base/buffer.h"
#include "format/holes_table.h"
#include "format/note_list.h"

/* Entries of the auxiliary vector: the kernel has some 25. */
#define MOST_AUXV 4096

struct facts_reader {
	struct core_facts *facts;
	const struct core_headers *headers;
	const struct byte_reader *reader;
	const struct core_layout *layout;
};

void core_facts_done(struct core_facts *facts)
{
	free(facts->tasks);
	file_list_done(&facts->files);
	regions_list_done(&facts->regions);
	origins_done(&facts->origins);
	record_done(&facts->record);
	*facts = (struct core_facts){ 0 };
}

static int take_status(const struct facts_reader *from, const struct note *note)
{
	const struct prstatus_layout *at = &from->layout->prstatus;
	struct core_facts *facts = from->facts;
	unsigned char status[128] = { 0 };
	size_t size = at->registers;

	if (note->size < size || !reader_get(from->reader, note->offset, status, size))
		return 0;
	struct core_task *tasks = array_grow(facts->tasks, facts->task_count, &facts->task_capacity, sizeof *tasks);
	if (!tasks)
		return -ENOMEM;
	facts->tasks = tasks;
	tasks[facts->task_count++] = (struct core_task){ .tid = (pid_t)field_get(status, at->pid),
							 .signal = (int)field_get(status, at->current_signal) };
	facts->has_registers |= note->size > size;
	return 0;
}

static int take_process(const struct facts_reader *from, const struct note *note)
{
	const struct prpsinfo_layout *at = &from->layout->prpsinfo;
	struct core_facts *facts = from->facts;
	char info[UINT8_MAX] = { 0 };

	if (note->size != at->size || !reader_get(from->reader, note->offset, info, at->size))
		return 0;
	facts->has_process = true;
	facts->pid = (pid_t)field_get(info, at->pid);
	facts->uid = (uid_t)field_get(info, at->uid);
	memcpy(facts->name, info + at->name, PRPSINFO_NAME);
	memcpy(facts->arguments, info + at->arguments, PRPSINFO_ARGUMENTS);
	return 0;
}

static int take_auxv(const struct facts_reader *from, const struct note *note)
{
	struct field word = { 0, from->layout->word };
	size_t step = 2UL * word.size;
	uint64_t entries = note->size / step;
	unsigned char entry[16];

	for (uint64_t i = 0; i < entries && i < MOST_AUXV; i++) {
		if (!reader_get(from->reader, note->offset + i * step, entry, step))
			break;
		uint64_t type = field_get(entry, word), value = field_get(entry + word.size, word);
		if (type == AT_NULL)
			break;
		from->facts->has_auxv = true;
		if (type == AT_SYSINFO_EHDR)
			from->facts->vdso = value;
		else if (type == AT_RANDOM)
			from->facts->random = value;
	}
	return 0;
}

/* A list is there once; -EBADMSG marks it as bad, others are failures. */
static int took(int result, bool *has, bool *bad)
{
	*has |= result == 0;
	*bad |= result == -EBADMSG;
	return result == -EBADMSG ? 0 : result;
}

static int take_files(const struct facts_reader *from, const struct note *note)
{
	struct core_facts *facts = from->facts;

	if (facts->has_files)
		return 0;
	return took(file_list_read(&facts->files, from->reader, from->headers->is_64, note->offset, note->size),
		    &facts->has_files, &facts->bad_files);
}

static int take_regions(const struct facts_reader *from)
{
	const struct elf_segment *tables = &from->headers->tables;
	struct core_facts *facts = from->facts;

	if (!tables->file_size)
		return 0;
	if (tables->offset > from->reader->size || tables->file_size > from->reader->size - tables->offset) {
		facts->incomplete = true;
		return 0;
	}
	return took(regions_list_read(&facts->regions, from->reader, tables->offset, tables->file_size),
		    &facts->has_regions, &facts->bad_regions);
}

/* Without it, or if it makes no sense, nothing is known of the files: that is no failure. */
static int take_origins(const struct facts_reader *from)
{
	const struct elf_segment *table = &from->headers->origins;
	struct core_facts *facts = from->facts;
	bool has = false;

	if (!table->file_size)
		return 0;
	if (table->offset > from->reader->size || table->file_size > from->reader->size - table->offset) {
		facts->incomplete = true;
		return 0;
	}
	return took(origins_read(&facts->origins, from->reader, table->offset, table->file_size), &has,
		    &facts->bad_origins);
}

/* What found no room in the record. */
static int take_holes(const struct facts_reader *from)
{
	struct record *record = &from->facts->record;
	AUTO_FREE struct pidmem_hole *holes = NULL;
	size_t count;
	int result = holes_table_read(from->reader, &holes, &count);

	if (result < 0 || count < record->omitted || !count)
		return result;
	free(record->holes);
	record->holes = take(holes);
	record->hole_count = count;
	record->omitted = 0;
	return 0;
}

static int take_record(const struct facts_reader *from, const struct note *note)
{
	struct core_facts *facts = from->facts;

	if (facts->has_record)
		return 0;
	return took(record_read(&facts->record, from->reader, note->offset, note->size), &facts->has_record,
		    &facts->bad_record);
}

static const struct {
	const char *owner;
	uint32_t type;
	int (*read)(const struct facts_reader *from, const struct note *note);
} kinds[] = {
	{ "CORE", NT_PRSTATUS, take_status },
	{ "CORE", NT_PRPSINFO, take_process },
	{ "CORE", NT_AUXV, take_auxv },
	{ "CORE", NT_FILE, take_files },
	{ PIDMEM_NOTE_OWNER, RECORD_TYPE, take_record },
};

int core_facts_read(struct core_facts *out, const struct core_headers *headers, const struct byte_reader *reader)
{
	AUTO_CORE_FACTS facts = { 0 };
	AUTO_FREE struct note_list *list = malloc(sizeof *list);
	struct facts_reader from = { &facts, headers, reader, core_layout_of(headers->is_64) };
	struct note note;
	int result = 0;

	if (!list)
		return -ENOMEM;
	note_list_begin(list, headers, reader);
	while (result == 0 && note_list_next(list, &note)) {
		facts.notes++;
		facts.gdb |= !strcmp(note.owner, "GDB");
		for (size_t i = 0; i < sizeof kinds / sizeof *kinds && result == 0; i++)
			if (note_is(&note, kinds[i].owner, kinds[i].type))
				result = kinds[i].read(&from, &note);
	}
	facts.incomplete = list->incomplete;
	if (result == 0)
		result = take_regions(&from);
	if (result == 0)
		result = take_origins(&from);
	if (result == 0 && facts.record.omitted)
		result = take_holes(&from);
	if (result < 0)
		return result;
	if (!facts.pid && facts.task_count)
		facts.pid = facts.tasks[0].tid;
	*out = facts;
	facts = (struct core_facts){ 0 };
	return 0;
}
