/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/seek_entries.h"

#include "format/seek_table.h"

#define HEAD 8
#define ENTRY 8

static void put_little(char *to, uint32_t value)
{
	for (size_t i = 0; i < sizeof value; i++)
		to[i] = (char)(value >> 8 * i);
}

/* What stands before the entries is told when their number is known. */
static int begin(struct buffer *table)
{
	static const char head[HEAD];

	return table->size ? 0 : buffer_append(table, head, sizeof head);
}

int seek_entries_add(struct buffer *table, uint32_t packed, uint32_t content)
{
	char entry[ENTRY];

	put_little(entry, packed);
	put_little(entry + 4, content);
	int result = begin(table);
	return result < 0 ? result : buffer_append(table, entry, sizeof entry);
}

int seek_entries_finish(struct buffer *table)
{
	char foot[SEEK_TABLE_FOOT] = { 0 }; /* the byte after the number is 0: there are no checksums of frames */
	int result = begin(table);

	if (result < 0)
		return result;
	put_little(foot, (uint32_t)((table->size - HEAD) / ENTRY));
	put_little(foot + 5, SEEKABLE_MAGIC);
	result = buffer_append(table, foot, sizeof foot);
	if (result < 0)
		return result;
	put_little(table->bytes, SEEK_TABLE_MAGIC);
	put_little(table->bytes + 4, (uint32_t)(table->size - HEAD));
	return 0;
}
