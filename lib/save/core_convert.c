/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "save/core_convert.h"

#include <errno.h>
#include <string.h>

#include "arch/arch.h"
#include "base/error.h"
#include "format/file_note.h"
#include "format/note_list.h"
#include "source/recorded.h"

/* ---------------------------------------------------------------------------------------------- notes --- */

static int copy_note(const struct recorded *recorded, const struct note *note, struct buffer *out)
{
	size_t head = (size_t)(note->offset - note->begin), size = head + note->size, whole = (size + 3) & ~(size_t)3;

	if (buffer_reserve(out, whole) < 0)
		return -ENOMEM;
	memset(out->bytes + out->size, 0, whole);
	if (!reader_get(&recorded->content->reader, note->begin, out->bytes + out->size, size))
		return -EIO;
	out->size += whole;
	return 0;
}

static int copy_notes(const struct recorded *recorded, struct buffer *out)
{
	AUTO_FREE struct note_list *list = malloc(sizeof *list);
	struct note note;
	int result = list ? 0 : -ENOMEM;

	if (list)
		note_list_begin(list, &recorded->headers, &recorded->content->reader);
	while (result == 0 && note_list_next(list, &note))
		if (strcmp(note.owner, PIDMEM_NOTE_OWNER) != 0)
			result = copy_note(recorded, &note, out);
	return result;
}

/* Of a raw dump: which files were mapped. */
static int list_files(const struct pidmem_source *source, const struct core_layout *layout, struct buffer *out)
{
	const struct pidmem_maps *maps = source->maps;
	AUTO_FILE_NOTE files = { 0 };

	for (size_t i = 0; i < maps->count; i++) {
		const struct pidmem_region *region = &maps->regions[i];
		if (region->path[0] == '/' && file_note_map(&files, layout, region->start, region->size, region->offset,
							    region->path, region->deleted) < 0)
			return -ENOMEM;
	}
	return file_note_add(out, layout, &files);
}

/* ----------------------------------------------------------------------------------------------- plan --- */

/* A part that is being put together: what is in the file, then what is not. */
struct draft {
	struct core_plan *plan;
	struct core_part part;
};

static int flush(struct draft *draft)
{
	int result = draft->part.size ? core_plan_add(draft->plan, &draft->part) : 0;

	draft->part.size = 0;
	return result;
}

/* Has it a place in the file? What cannot be read has one, of zeros, as in every core. */
static bool is_in_file(const struct extent *extent)
{
	switch (extent->class_) {
	case PIDMEM_READ:
	case PIDMEM_NO_CONTENT:
		return true;
	case PIDMEM_EXCLUDED:
		return extent->why == PIDMEM_WHY_KERNEL;
	case PIDMEM_UNREADABLE:
		return extent->why != PIDMEM_WHY_TRUNCATED;
	default:
		return false;
	}
}

static int add_piece(struct draft *draft, const struct pidmem_region *region, const struct extent *extent,
		     uint64_t start, uint64_t size)
{
	struct core_part *part = &draft->part;
	bool known = extent->class_ == PIDMEM_ZERO, in_file = is_in_file(extent);
	bool has_rest = part->size > part->file_size;
	/* Guard pages in what was never touched belong to it: it would be two segments else. */
	bool within = has_rest && part->known && extent->class_ == PIDMEM_NO_CONTENT;
	bool same = has_rest && !in_file && part->known == known && part->why == extent->why;
	int result = 0;

	if (has_rest && !within && !same)
		result = flush(draft);
	if (part->size == 0)
		*part = (struct core_part){ .region = region, .start = start };
	if (in_file && !within) {
		part->file_size += size;
		draft->plan->expected += extent->class_ == PIDMEM_READ ? size : 0;
	} else if (!within) {
		part->known = known;
		part->why = extent->why;
	}
	part->size += size;
	return result;
}

/* Part of a region that is selected as a whole, or not at all. */
static int add_run(struct draft *draft, const struct extents *extents, const struct pidmem_region *region,
		   uint64_t start, uint64_t size, bool selected)
{
	static const struct extent left_out = { .class_ = PIDMEM_EXCLUDED, .why = PIDMEM_WHY_FILTER };
	int result = 0;

	if (!selected)
		return add_piece(draft, region, &left_out, start, size);
	for (size_t i = extents_find(extents, start); size && result == 0; i++) {
		const struct extent *extent = &extents->items[i];
		uint64_t rest = extent->size - (start - extent->start), piece = rest < size ? rest : size;
		result = add_piece(draft, region, extent, start, piece);
		start += piece;
		size -= piece;
	}
	return result;
}

static int make_plan(struct draft *draft, const struct pidmem_source *source)
{
	const struct pidmem_maps *maps = source->maps;
	uint64_t run;
	int result = 0;

	for (size_t i = 0; i < maps->count && result == 0; i++) {
		const struct pidmem_region *region = &maps->regions[i];
		for (uint64_t at = 0; at < region->size && result == 0; at += run) {
			uint64_t start = region->start + at;
			bool selected = pidmem_select_test(source->select, region, start, &run);
			run = run < region->size - at ? run : region->size - at;
			result = add_run(draft, &source->recorded->extents, region, start, run, selected);
		}
		if (result == 0)
			result = flush(draft);
	}
	return result;
}

/* ------------------------------------------------------------------------------------------------ all --- */

static struct core_kind kind_of(const struct pidmem_source *source)
{
	const struct recorded *recorded = source->recorded;

	if (recorded->kind == PIDMEM_FILE_CORE)
		return (struct core_kind){ recorded->headers.is_64, recorded->headers.machine };
	const struct arch *arch = arch_native();
	return (struct core_kind){ arch ? arch->is_64 : true, arch ? arch->machine : 0 };
}

int core_convert(struct pidmem_source *source, struct buffer *notes, struct core_plan *plan, struct pidmem_error *error,
		 struct core_kind *kind, size_t *threads)
{
	const struct recorded *recorded = source->recorded;
	struct draft draft = { .plan = plan };
	int result;

	*kind = kind_of(source);
	*threads = recorded->facts.task_count;
	if (recorded->kind == PIDMEM_FILE_CORE)
		result = copy_notes(recorded, notes);
	else
		result = list_files(source, core_layout_of(kind->is_64), notes);
	if (result == -EIO)
		return fail_sys(error, EIO, "cannot read the notes of %s", recorded->path);
	return result < 0 || make_plan(&draft, source) < 0 ? fail_memory(error) : 0;
}
