/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a raw dump goes: one file and its index, or a directory with a file for each region. */
#ifndef SAVE_DUMP_H
#define SAVE_DUMP_H

#include "base/buffer.h"
#include "format/index.h"
#include "save/limits.h"
#include "sink/file.h"

struct dump_target {
	const char *command;
	struct file_sink data; /* split: of the region that is being written */
	struct file_sink index;
	char *split, *directory; /* the final and the temporary name of the directory; NULL without split */
	bool inside;             /* `directory` is in `split`, which was there: files move up when complete */
	const struct pidmem_region *region; /* split: that `data` belongs to */
	char name[64];                      /* split: of `data` */
	int zstd;                           /* level, or 0 */
	struct limits limits;
	uint64_t apparent, on_disk, content;
	struct buffer lines; /* of the index, not written yet */
};

#define DUMP_TARGET_INIT                                        \
	{                                                       \
		.data = FILE_SINK_INIT, .index = FILE_SINK_INIT \
	}
#define AUTO_DUMP_TARGET CLEANUP(dump_target_close) struct dump_target

int dump_target_open(struct dump_target *target, const struct pidmem_dump_options *options, struct pidmem_error *error);
/* Content of `region` follows: where in which file does it go? */
int dump_target_content(struct dump_target *target, const struct pidmem_region *region, uint64_t *offset,
			struct pidmem_error *error);
int dump_target_line(struct dump_target *target, struct index_entry *entry, struct pidmem_error *error);
/* Complete: everything gets its name. */
int dump_target_finish(struct dump_target *target, struct pidmem_error *error);
/* Close; what is not finished is removed. */
void dump_target_close(struct dump_target *target);

#endif
