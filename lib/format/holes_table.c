/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/holes_table.h"

#include <string.h>

#include "base/names.h"

#define MOST_HOLES (1U << 20)

struct end {
	char magic[8];
	uint64_t count;
};
static const char magic[8] = { 'P', 'M', 'H', 'O', 'L', 'E', 'S', '1' };

int holes_table_end(struct buffer *out, uint64_t count)
{
	struct end end = { .count = count };

	memcpy(end.magic, magic, sizeof magic);
	return buffer_append(out, &end, sizeof end);
}

static bool take_hole(const struct left_entry *entry, bool first, uint64_t *last, struct pidmem_hole *hole)
{
	uint64_t end;

	if (!entry->size || __builtin_add_overflow(entry->start, entry->size - 1, &end) ||
	    (!first && entry->start <= *last) || entry->class_ < PIDMEM_NO_CONTENT ||
	    entry->class_ > PIDMEM_UNREADABLE || !why_is_lack((enum pidmem_why)entry->why))
		return false;
	*last = end;
	*hole = (struct pidmem_hole){ entry->start, entry->size, (enum pidmem_class)entry->class_,
				      (enum pidmem_why)entry->why };
	return true;
}

int holes_table_read(const struct byte_reader *reader, struct pidmem_hole **out, size_t *count)
{
	uint64_t at, last = 0;
	struct end end;

	*count = 0;
	if (reader->size < sizeof end || !reader_get(reader, reader->size - sizeof end, &end, sizeof end) ||
	    memcmp(end.magic, magic, sizeof magic) != 0 || end.count > MOST_HOLES ||
	    end.count * sizeof(struct left_entry) > reader->size - sizeof end)
		return 0;
	at = reader->size - sizeof end - end.count * sizeof(struct left_entry);
	AUTO_FREE struct left_entry *entries = malloc(end.count * sizeof *entries + 1);
	AUTO_FREE struct pidmem_hole *holes = malloc(end.count * sizeof *holes + 1);
	if (!entries || !holes)
		return -ENOMEM;
	if (!reader_get(reader, at, entries, end.count * sizeof *entries))
		return 0;
	for (size_t i = 0; i < end.count; i++)
		if (!take_hole(&entries[i], i == 0, &last, &holes[i]))
			return 0;
	*out = take(holes);
	*count = end.count;
	return 0;
}
