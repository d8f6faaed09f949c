/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ELF cores: for each byte of each region, where it is in the file, or why it is not there. */
#include <errno.h>
#include <inttypes.h>

#include "base/error.h"
#include "base/text.h"
#include "source/recorded.h"

/* At first nothing is known of any region but that it was there. */
static int lay_ground(struct recorded *recorded, const struct pidmem_maps *maps)
{
	for (size_t i = 0; i < maps->count; i++)
		if (extents_add(&recorded->extents, &(struct extent){ .start = maps->regions[i].start,
								      .size = maps->regions[i].size,
								      .class_ = PIDMEM_EXCLUDED,
								      .why = PIDMEM_WHY_NOT_SAVED }) < 0)
			return -ENOMEM;
	return 0;
}

/* The part of a segment that is in the file, and the part that should be. */
static int add_load(struct extents *saved, const struct elf_segment *load, uint64_t file_end)
{
	uint64_t there = load->offset < file_end ? file_end - load->offset : 0;

	there = there < load->file_size ? there : load->file_size;
	if (there && extents_add(saved, &(struct extent){ .start = load->start,
							  .size = there,
							  .class_ = PIDMEM_READ,
							  .offset = load->offset }) < 0)
		return -ENOMEM;
	return there == load->file_size ? 0
					: extents_add(saved, &(struct extent){ .start = load->start + there,
									       .size = load->file_size - there,
									       .class_ = PIDMEM_UNREADABLE,
									       .why = PIDMEM_WHY_TRUNCATED });
}

static int lay_saved(struct recorded *recorded)
{
	const struct core_headers *headers = &recorded->headers;
	AUTO_EXTENTS saved = { 0 };

	for (size_t i = 0; i < headers->load_count; i++)
		if (add_load(&saved, &headers->loads[i], recorded->content->reader.size) < 0)
			return -ENOMEM;
	return extents_overlay(&recorded->extents, &saved);
}

/* What our own notes say of what is not in the file, and of what never had any content. */
static int lay_noted(struct recorded *recorded)
{
	const struct regions_list *regions = &recorded->facts.regions;
	const struct record *record = &recorded->facts.record;
	AUTO_EXTENTS left = { 0 };
	AUTO_EXTENTS holes = { 0 };
	int result = 0;

	for (size_t i = 0; i < regions->left_count && result == 0; i++)
		result = extents_add(&left, &(struct extent){ .start = regions->left[i].start,
							      .size = regions->left[i].size,
							      .class_ = (enum pidmem_class)regions->left[i].class_,
							      .why = (enum pidmem_why)regions->left[i].why });
	for (size_t i = 0; i < record->hole_count && result == 0; i++)
		result = extents_add(&holes, &(struct extent){ .start = record->holes[i].start,
							       .size = record->holes[i].size,
							       .class_ = record->holes[i].class_,
							       .why = record->holes[i].why });
	if (result == 0)
		result = extents_overlay(&recorded->extents, &left);
	return result < 0 ? result : extents_overlay(&recorded->extents, &holes);
}

/*
 * Pages of the kernel that no writer of cores can read, and for which all of them write zeros: its data, and the
 * old entry point for system calls where programs can only execute it. gdb cannot read that one in any case.
 */
static bool is_kernels(const struct recorded *recorded, const struct pidmem_region *region)
{
	if (region->kind != PIDMEM_KIND_VDSO)
		return false;
	if (begins(region->path, "[vvar"))
		return true;
	return begins(region->path, "[vsyscall]") && (recorded->facts.gdb || !(region->perms & PIDMEM_PERM_READ));
}

static int lay_kernels(struct recorded *recorded, const struct pidmem_maps *maps)
{
	AUTO_EXTENTS kernels = { 0 };

	for (size_t i = 0; i < maps->count; i++)
		if (is_kernels(recorded, &maps->regions[i]) &&
		    extents_add(&kernels, &(struct extent){ .start = maps->regions[i].start,
							    .size = maps->regions[i].size,
							    .class_ = PIDMEM_EXCLUDED,
							    .why = PIDMEM_WHY_KERNEL }) < 0)
			return -ENOMEM;
	return extents_overlay(&recorded->extents, &kernels);
}

/* --------------------------------------------------------------------------------------------- remarks --- */

static int remark_size(struct recorded *recorded)
{
	uint64_t size = recorded->content->reader.size, end = recorded->headers.end;
	int result = 0;

	if (recorded->content->incomplete)
		result = recorded_remark(recorded,
					 "the compressed file ends within a frame: what was behind is missing");
	if (result == 0 && end > size)
		result = recorded_remark(recorded,
					 "the file ends at offset 0x%" PRIx64 ", 0x%" PRIx64
					 " bytes too early: what was behind is missing",
					 size, end - size);
	if (result == 0 && recorded->headers.missing)
		result = recorded_remark(
			recorded, "%" PRIu64 " program headers are missing: nothing is known of what they told of",
			recorded->headers.missing);
	if (result == 0 && recorded->facts.incomplete)
		result = recorded_remark(recorded, "some of its notes are missing, or make no sense");
	return result;
}

/* What a debugger will miss. */
static int remark_notes(struct recorded *recorded)
{
	const struct core_facts *facts = &recorded->facts;
	const struct {
		bool holds;
		const char *text;
	} remarks[] = {
		{ !facts->task_count, "there is no NT_PRSTATUS note: debuggers will see no thread" },
		{ facts->task_count && !facts->has_registers, "there are no registers: debuggers will show no stack" },
		{ !facts->has_process, "there is no NT_PRPSINFO note: debuggers will not know the program" },
		{ !facts->has_auxv,
		  "there is no NT_AUXV note: debuggers will not find where a program of movable addresses was loaded" },
		{ facts->bad_files, "its NT_FILE note makes no sense" },
		{ !facts->has_files && !facts->bad_files,
		  "there is no NT_FILE note: which files were mapped where is not known" },
		{ facts->bad_regions, "pidmem's table of regions makes no sense" },
		{ facts->bad_origins, "pidmem's table of the files that hold what it leaves out makes no sense" },
		{ facts->bad_record, "pidmem's note about completeness makes no sense" },
		{ facts->has_regions && !facts->has_record && !facts->bad_record,
		  "pidmem's note about completeness, at the end, is missing: what had no content reads as zeros" },
		{ !facts->has_regions && !facts->has_record, "pidmem did not write it: what its writer could not read, "
							     "guard pages too, are zeros without a mark" },
	};

	for (size_t i = 0; i < sizeof remarks / sizeof *remarks; i++)
		if (remarks[i].holds && recorded_remark(recorded, "%s", remarks[i].text) < 0)
			return -ENOMEM;
	if (facts->record.omitted)
		return recorded_remark(
			recorded, "it does not tell of %" PRIu64 " more ranges without content: they read as zeros",
			facts->record.omitted);
	return 0;
}

static bool has_not_saved(const struct extents *extents)
{
	for (size_t i = 0; i < extents->count; i++)
		if (extents->items[i].why == PIDMEM_WHY_NOT_SAVED)
			return true;
	return false;
}

static int remark_not_saved(struct recorded *recorded)
{
	if (recorded->content->remark && recorded_remark(recorded, "%s", recorded->content->remark) < 0)
		return -ENOMEM;
	return has_not_saved(&recorded->extents)
		       ? recorded_remark(recorded, "it does not tell of what is not in it whether that was left out or "
						   "never touched")
		       : 0;
}

/* ----------------------------------------------------------------------------------------------- all --- */

int recorded_read_core(struct recorded *recorded, struct pidmem_maps *maps, struct pidmem_error *error)
{
	const struct byte_reader *reader = &recorded->content->reader;
	int result = core_headers_read(&recorded->headers, reader, error);

	if (result < 0)
		return result;
	recorded->kind = PIDMEM_FILE_CORE;
	result = core_facts_read(&recorded->facts, &recorded->headers, reader);
	if (result == -EIO)
		return fail_sys(error, EIO, "cannot read its notes");
	if (result < 0 || recorded_list_regions(recorded, maps) < 0 || lay_ground(recorded, maps) < 0 ||
	    lay_saved(recorded) < 0 || lay_noted(recorded) < 0 || lay_kernels(recorded, maps) < 0 ||
	    remark_size(recorded) < 0 || remark_notes(recorded) < 0 || remark_not_saved(recorded) < 0)
		return fail_memory(error);
	recorded->expected_size = recorded->headers.end;
	return 0;
}
