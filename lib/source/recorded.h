/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A source without a process: what a file holds of one
 *
 *   recorded.c         opening: what kind of file is it?
 *   recorded_core.c    ELF cores: what is where in the file, and what is not
 *   recorded_names.c   their regions: which, and what they are called
 *   recorded_dump.c    raw dumps and their index
 *   recorded_files.c   what a core leaves out of mapped files, from these (original.c)
 *   recorded_walk.c    telling and reading it
 *   recorded_facts.c   what else is known, for pidmem.h
 */
#ifndef SOURCE_RECORDED_H
#define SOURCE_RECORDED_H

#include "base/buffer.h"
#include "format/core_facts.h"
#include "process/maps.h"
#include "source/content.h"
#include "source/extents.h"
#include "source/original.h"
#include "source/source.h"

struct recorded {
	enum pidmem_file_kind kind;
	char *path;
	struct content *content;
	struct extents extents; /* each byte of each region is in exactly one */

	struct core_headers headers; /* of a core; else zeros */
	struct core_facts facts;

	int directory;        /* of a split dump; else -1 */
	struct buffer names;  /* of its files, each with its NUL */
	size_t *name_offsets; /* within `names`, by extent.file */
	size_t name_count, name_capacity;
	uint32_t open_file; /* which one `content` is */
	bool zstd;          /* of a dump: its files are compressed */

	uint64_t expected_size;     /* of the file, if nothing of it is missing */
	struct originals originals; /* of mapped files, from which it takes what it leaves out itself */
	struct buffer remarks;      /* lines, each with its NUL */
	size_t remark_count;
};
void recorded_free(struct recorded *recorded);
DEFINE_CLEANUP(cleanup_recorded, struct recorded *, recorded_free)
#define AUTO_RECORDED CLEANUP(cleanup_recorded) struct recorded *

/* Find out what is in the file, which is open as `content`. */
int recorded_read_core(struct recorded *recorded, struct pidmem_maps *maps, struct pidmem_error *error);
/* The same of a dump, by its index. */
int recorded_read_index(struct recorded *recorded, int index, struct pidmem_maps *maps, struct pidmem_error *error);

/* The regions of a core. 0 or -ENOMEM. */
int recorded_list_regions(const struct recorded *recorded, struct pidmem_maps *maps);
/* Add one, with everything but its path taken from `region`. */
int recorded_add_region(struct pidmem_maps *maps, const struct pidmem_region *region, const char *path, size_t size);

/* Take what it leaves out of mapped files from those that are the same ones still. */
int recorded_add_files(struct pidmem_source *source, struct pidmem_error *error);

/* How it was frozen, as far as that is told. */
enum pidmem_consistency recorded_consistency(const struct recorded *recorded);
void recorded_report(const struct recorded *recorded, struct pidmem_freeze_report *report);

/* How many bytes of what is selected are in the file. */
uint64_t recorded_saved_size(const struct pidmem_source *source);

/* Does it tell what of each region was in memory and in swap? */
bool recorded_has_usage(const struct recorded *recorded);

/* Say something about the file. 0 or -ENOMEM. */
int recorded_remark(struct recorded *recorded, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
