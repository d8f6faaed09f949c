/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Compressing what goes into an output file: zstd in the seekable format. Each stretch of PACK_FRAME bytes is a frame
 * of its own, so that threads compress several at a time, and a reader gets any of them without the others; `zstd -d`
 * gives the whole.
 */
#ifndef SINK_PACK_H
#define SINK_PACK_H

#include <stdint.h>

#include "pidmem.h"

/* With frames of this size the whole is as small as what zstd itself makes at its lower levels, within half a percent.
 */
#define PACK_FRAME (2U << 20)

/* So much is best read at a time: it is still in the caches when it is put into a frame, and no second thread reads. */
#define PACK_PIECE (256U << 10)

struct file_sink;
struct pack;

/* Compress what file_write() and file_skip() are given from now on. `level`: as of zstd, 1 to PIDMEM_ZSTD_MOST. */
int pack_begin(struct file_sink *file, int level, struct pidmem_error *error);

/* Bytes that are not in the file yet, the table of frames included; of what is being compressed as it is. */
uint64_t pack_pending(const struct pack *pack);
/* Write them now. */
int pack_flush(struct pack *pack, struct file_sink *file, struct pidmem_error *error);

/* For file.c. */
int pack_write(struct pack *pack, struct file_sink *file, const void *bytes, size_t size, struct pidmem_error *error);
int pack_skip(struct pack *pack, struct file_sink *file, uint64_t size, struct pidmem_error *error);
/* All is there: write what is left, and the table of frames. */
int pack_finish(struct pack *pack, struct file_sink *file, struct pidmem_error *error);
void pack_free(struct pack *pack);

#endif
