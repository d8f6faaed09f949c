/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bytes of a file, plain or compressed. */
#ifndef SOURCE_CONTENT_H
#define SOURCE_CONTENT_H

#include "base/cleanup.h"
#include "format/reader.h"
#include "pidmem.h"

struct content {
	struct byte_reader reader;
	/* How many bytes from here on are known to be zero without reading them: 0 if none are, or that is not known.
	 */
	uint64_t (*zeros)(struct content *content, uint64_t offset, uint64_t size);
	void (*close)(struct content *content);
	const char *compression; /* NULL: none */
	const char *remark;      /* what its reader should know; NULL: nothing */
	uint64_t size_on_disk;
	bool incomplete; /* compressed, and its end is missing */
};

/* A file that was opened: takes the descriptor, in case of success. `name` is what messages call it. */
int content_open(int fd, const char *name, struct pidmem_error *error, struct content **content);
/* The content of a compressed file, which is taken in case of success. PIDMEM_FORMAT if it cannot be true. */
int content_open_zstd(struct content *file, const char *name, struct pidmem_error *error, struct content **content);
void content_close(struct content *content);
DEFINE_CLEANUP(cleanup_content, struct content *, content_close)
#define AUTO_CONTENT CLEANUP(cleanup_content) struct content *

#endif
