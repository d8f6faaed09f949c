/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The holes for which there was no room in pidmem's note: behind everything else in the file, since their number is
 * known when all is written. `struct left_entry` by address, then "PMHOLES1" and their number in 64 bits. All holes,
 * not just the rest.
 */
#ifndef FORMAT_HOLES_TABLE_H
#define FORMAT_HOLES_TABLE_H

#include "format/regions_table.h"

/* Append the end of it, behind `count` entries. 0 or -ENOMEM. */
int holes_table_end(struct buffer *out, uint64_t count);

/* From the end of a file: 0 and *count, which is 0 if there is no table or if it cannot be true; or -ENOMEM. To be
 * freed.
 */
int holes_table_read(const struct byte_reader *reader, struct pidmem_hole **holes, size_t *count);

#endif
