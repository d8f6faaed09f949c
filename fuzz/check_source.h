/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What must hold of a source that a file of arbitrary bytes gave. */
#ifndef CHECK_SOURCE_H
#define CHECK_SOURCE_H

#include "check_maps.h"
#include "fuzz.h"
#include "pidmem.h"

/* A few: a file may claim that it has terabytes of zeros. */
#define MOST_SPANS 4096

static inline int check_note(void *user, const struct pidmem_file_note *note)
{
	const struct pidmem_file *file = user;

	MUST(note->owner && strlen(note->owner) < 16);
	MUST(note->offset <= file->apparent && note->size <= file->apparent - note->offset);
	return 0;
}

static inline void check_file(const struct pidmem_source *source)
{
	struct pidmem_file file = PIDMEM_INIT(file);

	MUST(pidmem_file_describe(source, NULL, &file) == 0);
	MUST(file.path && file.name && file.arguments && strlen(file.name) < 64);
	for (size_t i = 0; i < file.remarks; i++)
		MUST(*pidmem_file_remark(source, i));
	MUST(!pidmem_file_remark(source, file.remarks));
	MUST(pidmem_file_notes(source, check_note, &file, NULL) == 0);
}

/* Each byte of each region in exactly one span, in order. */
static inline void check_spans(struct pidmem_source *source)
{
	const struct pidmem_maps *maps = pidmem_source_maps(source);
	struct pidmem_error error = { 0 };
	struct pidmem_walk *walk;
	struct pidmem_span span;
	size_t index = 0, spans = 0;
	uint64_t at = 0; /* within the region */
	int result = 1;

	MUST(pidmem_walk_open(source, 0, UINT64_MAX, PIDMEM_WALK_STATES, &error, &walk) == 0);
	while (spans++ < MOST_SPANS && (result = pidmem_walk_next(walk, &error, &span)) == 1) {
		const struct pidmem_region *region = pidmem_maps_get(maps, index);
		MUST(region && span.region == region && span.start == region->start + at);
		MUST(span.size && span.size <= region->size - at);
		MUST((span.class_ <= PIDMEM_ZERO) ==
		     (span.why == PIDMEM_WHY_NONE || span.why == PIDMEM_WHY_MAPPED_FILE));
		MUST(!span.bytes);
		at += span.size;
		if (at == region->size) {
			at = 0;
			index++;
		}
	}
	MUST(result >= 0 || error.text[0]);
	MUST(result != 0 || index == pidmem_maps_count(maps));
	pidmem_walk_close(walk);
}

/* The beginning of a region, read; a buffer for all of it takes more time than all else. */
static inline void check_bytes(struct pidmem_source *source, const struct pidmem_region *region)
{
	uint64_t size = region->size < 16384 ? region->size : 16384, told = 0;
	struct pidmem_error error = { 0 };
	struct pidmem_walk *walk;
	struct pidmem_span span;
	char bytes[64];
	int result;

	MUST(pidmem_walk_open(source, region->start, size, 0, &error, &walk) == 0);
	while ((result = pidmem_walk_next(walk, &error, &span)) == 1) {
		MUST(span.region == region && span.start == region->start + told);
		MUST((span.bytes != NULL) == (span.class_ == PIDMEM_READ));
		told += span.size;
	}
	MUST(result < 0 ? error.text[0] != 0 : told == size);
	pidmem_walk_close(walk);
	MUST(pidmem_source_read(source, region->start, bytes, sizeof bytes, NULL, NULL) <= (ssize_t)sizeof bytes);
}

static inline void check_source(struct pidmem_source *source)
{
	struct pidmem_threads *threads;
	struct pidmem_freeze_report report = PIDMEM_INIT(report);
	const struct pidmem_maps *maps = pidmem_source_maps(source);

	check_regions(maps);
	check_file(source);
	check_spans(source);
	MUST(pidmem_source_threads(source, NULL, &threads) == 0);
	pidmem_threads_free(threads);
	MUST(pidmem_source_describe(source, NULL, &report) == 0);
	for (size_t i = 0; i < pidmem_maps_count(maps) && i < 8; i++)
		check_bytes(source, pidmem_maps_get(maps, i));
}

#endif
