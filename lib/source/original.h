/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files that were mapped, and that are the same ones still. It is proved
 *
 *   by the build-id: the core has the first page of a program or library, with a build-id in it, and the first page of
 *   the file is the same, byte for byte;
 *   or by what pidmem's own core has noted of the file: device, inode, size, the times of its last changes.
 */
#ifndef SOURCE_ORIGINAL_H
#define SOURCE_ORIGINAL_H

#include <sys/stat.h>

#include "base/buffer.h"
#include "format/origins.h"
#include "format/reader.h"
#include "process/backing.h"

struct pidmem_source;

#define ORIGINAL_PAGE 4096U

struct original {
	const struct pidmem_region *region, *head; /* one of its regions; the one that it begins with, or NULL */
	const struct origin_file *noted;
	bool same;
	struct stat status; /* of the file that is the same */
};

struct originals {
	struct original *items;
	size_t count, capacity;
	struct buffer missing; /* lines about files that are not the same, each with its NUL */
	size_t missing_count;
	bool full;           /* there are more than are looked at */
	struct backing open; /* the one that was read last */
	size_t open_index;
};
void originals_done(struct originals *originals);

/* The region that the same file begins with, at or below `region`; NULL if it is not near. */
const struct pidmem_region *original_head(const struct pidmem_maps *maps, const struct pidmem_region *region);
/* The first page of a program or library, with a build-id in it, as the core has it: false if it has none. */
bool original_read_head(struct pidmem_source *source, const struct pidmem_region *head,
			unsigned char page[ORIGINAL_PAGE]);
struct byte_reader original_reader(unsigned char page[ORIGINAL_PAGE]);

/* The number of the file of a region; -ENOENT if it is not the same one, which is told once; -ENOMEM. */
ssize_t originals_find(struct pidmem_source *source, const struct pidmem_region *region,
		       const struct origin_file *noted);

/* Open the file to read from it: NULL if it is not what it was any more. */
const struct backing *original_open(struct originals *originals, size_t index);
/* Is it the same still? To be asked when something was read. */
bool original_is_same(const struct originals *originals);

#endif
