/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Raw dumps: their index tells all. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "format/index.h"
#include "source/recorded.h"

/* A path of 4096 bytes takes 24 KiB at most, escaped and in hex. */
#define LONGEST_LINE (1UL << 20)

struct index_reader {
	struct recorded *recorded;
	struct pidmem_maps *maps;
	uint64_t line;
	uint64_t last;   /* byte of the last entry */
	uint64_t region; /* as the last entry has it */
	bool saved;      /* there was one with content */
	struct pidmem_error *error;
};

static int bad_line(struct index_reader *reader, const char *what)
{
	int result = fail(reader->error, PIDMEM_FORMAT, EBADMSG, "line %" PRIu64 " of the index of %s: %s",
			  reader->line, reader->recorded->path, what);

	return with_address(reader->error, result, reader->line);
}

static bool same_region(const struct index_reader *reader, const struct index_entry *entry)
{
	const struct pidmem_maps *maps = reader->maps;
	const struct pidmem_region *region = maps->count ? &maps->regions[maps->count - 1] : NULL;

	if (!region || region->start + region->size != entry->start)
		return false;
	if (entry->has_region)
		return entry->region == reader->region;
	return region->perms == entry->perms && region->deleted == entry->deleted &&
	       region->path_size == entry->path_size && !memcmp(region->path, entry->path, entry->path_size);
}

static int add_to_regions(struct index_reader *reader, const struct index_entry *entry)
{
	struct pidmem_region region = {
		.start = entry->start,
		.size = entry->size,
		.perms = entry->perms,
		.deleted = entry->deleted,
		.path = entry->path,
		.kind = entry->kind,
		.inode = entry->inode,
		.dev_major = entry->dev_major,
		.dev_minor = entry->dev_minor,
		.offset = entry->mapped_offset,
	};

	if (same_region(reader, entry)) {
		reader->maps->regions[reader->maps->count - 1].size += entry->size;
		return 0;
	}
	if (!entry->has_region) { /* of an older version: what the name tells */
		region.inode = entry->path[0] == '/';
		region.kind = region_kind(&region);
		region.inode = 0;
	}
	reader->region = entry->region;
	return recorded_add_region(reader->maps, &region, entry->path, entry->path_size);
}

/* The number of a file of a split dump: entries of one file follow one another. */
static int number_file(struct recorded *recorded, const char *name, uint32_t *number)
{
	size_t count = recorded->name_count;

	if (count && !strcmp(recorded->names.bytes + recorded->name_offsets[count - 1], name)) {
		*number = (uint32_t)count - 1;
		return 0;
	}
	size_t *offsets = array_grow(recorded->name_offsets, count, &recorded->name_capacity, sizeof *offsets);
	if (!offsets)
		return -ENOMEM;
	recorded->name_offsets = offsets;
	offsets[count] = recorded->names.size;
	if (buffer_append(&recorded->names, name, strlen(name) + 1) < 0)
		return -ENOMEM;
	recorded->name_count++;
	*number = (uint32_t)count;
	return 0;
}

/* The first entry with content tells whether it is compressed: offsets are those of the content then. */
static int learn_compression(struct index_reader *reader, const struct index_entry *entry)
{
	struct recorded *recorded = reader->recorded;

	if (reader->saved)
		return entry->zstd == recorded->zstd ? 0 : bad_line(reader, "not all of it is compressed alike");
	reader->saved = true;
	recorded->zstd = entry->zstd;
	if (!entry->zstd || recorded->directory >= 0)
		return 0;
	return content_open_zstd(recorded->content, recorded->path, reader->error, &recorded->content);
}

static int add_saved(struct index_reader *reader, const struct index_entry *entry)
{
	struct recorded *recorded = reader->recorded;
	int result = learn_compression(reader, entry);

	if (result < 0)
		return result;
	struct extent extent = { entry->start, entry->size, PIDMEM_READ, PIDMEM_WHY_NONE, entry->offset, 0 };
	uint64_t end = entry->offset + entry->size, there = entry->size;

	if (recorded->directory >= 0) {
		if (!entry->file || !*entry->file || *entry->file == '.' || strchr(entry->file, '/'))
			return bad_line(reader, "it names no file of the directory");
		if (number_file(recorded, entry->file, &extent.file) < 0)
			return fail_memory(reader->error);
	} else {
		uint64_t size = recorded->content->reader.size;
		there = entry->offset < size ? size - entry->offset : 0;
		there = there < entry->size ? there : entry->size;
		recorded->expected_size = end > recorded->expected_size ? end : recorded->expected_size;
	}
	extent.size = there;
	if (there && extents_add(&recorded->extents, &extent) < 0)
		return fail_memory(reader->error);
	extent = (struct extent){
		entry->start + there, entry->size - there, PIDMEM_UNREADABLE, PIDMEM_WHY_TRUNCATED, 0, 0
	};
	return extent.size && extents_add(&recorded->extents, &extent) < 0 ? fail_memory(reader->error) : 0;
}

static int add_entry(struct index_reader *reader, const struct index_entry *entry)
{
	struct extent extent = { entry->start, entry->size, entry->class_, entry->why, 0, 0 };

	if (reader->maps->count && entry->start <= reader->last)
		return bad_line(reader, "it is not in the order of addresses");
	reader->last = entry->start + (entry->size - 1);
	if (add_to_regions(reader, entry) < 0)
		return fail_memory(reader->error);
	if (entry->class_ == PIDMEM_READ)
		return add_saved(reader, entry);
	return extents_add(&reader->recorded->extents, &extent) < 0 ? fail_memory(reader->error) : 0;
}

static int read_line(struct index_reader *reader, const char *line, size_t size)
{
	struct index_texts texts = { 0 };
	struct pidmem_error cause;
	struct index_entry entry;

	reader->line++;
	if (index_parse_line(line, size, &entry, &texts, &cause) < 0)
		return bad_line(reader, cause.text);
	int result = add_entry(reader, &entry);
	index_texts_done(&texts);
	return result;
}

/* All whole lines of the piece; *held is what is left of it. */
static int read_lines(struct index_reader *reader, char *piece, size_t *held, size_t got)
{
	char *line = piece, *end = piece + *held + got, *newline;

	while ((newline = memchr(line, '\n', (size_t)(end - line)))) {
		int result = read_line(reader, line, (size_t)(newline - line));
		if (result < 0)
			return result;
		line = newline + 1;
	}
	*held = (size_t)(end - line);
	memmove(piece, line, *held);
	return *held < LONGEST_LINE ? 0 : bad_line(reader, "it is too long");
}

static int read_index(struct index_reader *reader, int index)
{
	AUTO_FREE char *piece = malloc(LONGEST_LINE);
	size_t held = 0;

	if (!piece)
		return fail_memory(reader->error);
	for (;;) {
		ssize_t got = read(index, piece + held, LONGEST_LINE - held);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail_sys(reader->error, errno, "the index of %s", reader->recorded->path);
		if (got == 0)
			break;
		int result = read_lines(reader, piece, &held, (size_t)got);
		if (result < 0)
			return result;
	}
	if (held && recorded_remark(reader->recorded, "its index ends within a line: what was behind is not known") < 0)
		return fail_memory(reader->error);
	return 0;
}

int recorded_read_index(struct recorded *recorded, int index, struct pidmem_maps *maps, struct pidmem_error *error)
{
	struct index_reader reader = { .recorded = recorded, .maps = maps, .error = error };
	int result = read_index(&reader, index);

	if (result < 0)
		return result;
	recorded->kind = PIDMEM_FILE_DUMP;
	if (recorded->content && recorded->content->reader.size < recorded->expected_size &&
	    recorded_remark(
		    recorded,
		    "the file ends at offset 0x%" PRIx64 ", 0x%" PRIx64 " bytes too early: what was behind is missing",
		    recorded->content->reader.size, recorded->expected_size - recorded->content->reader.size) < 0)
		return fail_memory(error);
	return 0;
}
