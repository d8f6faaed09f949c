/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tables of pidmem's in a core file, for what notes do not tell. The regions stand in a segment of a type of their own,
 * which all other readers pass over; not in a note, because `readelf -n` would print each byte of it. All regions as
 * /proc/PID/maps had them, with what was in memory and in swap; what the file does not hold, and why; the threads by
 * name. Numbers in the byte order of the file:
 *
 *   head       version 1, numbers of the entries that follow, size of the paths
 *   regions    struct region_entry, by address
 *   left out   struct left_entry, by address: zero, excluded, unreadable
 *   threads    struct thread_entry
 *   paths      of the regions, one behind the other
 */
#ifndef FORMAT_REGIONS_TABLE_H
#define FORMAT_REGIONS_TABLE_H

#include "base/buffer.h"
#include "format/reader.h"
#include "pidmem.h"

#define PIDMEM_NOTE_OWNER "pidmem"
#define PIDMEM_SEGMENT 0x6f504d52 /* p_type, of those that systems may choose: PT_LOOS to PT_HIOS of elf.h */

struct region_entry {
	uint64_t start, size, offset, inode, resident, swapped;
	uint32_t dev_major, dev_minor, perms, kind;
	uint32_t flags; /* REGION_* */
	uint32_t path_size;
};
#define REGION_DELETED 1U
#define REGION_USAGE 2U     /* resident and swapped are known */
#define REGION_SAME_PATH 4U /* as of the region before it; path_size is 0 */

struct left_entry {
	uint64_t start, size;
	uint32_t class_, why;
};

struct thread_entry {
	uint32_t tid;
	char state;
	char name[19]; /* NUL-terminated */
};

/* Writing: put together item by item; begin with zeros. */
struct regions_table {
	struct buffer regions, left, threads, paths;
	const char *last_path;
};
void regions_table_done(struct regions_table *table);
#define AUTO_REGIONS_TABLE CLEANUP(regions_table_done) struct regions_table

/* `usage`: what of it was in memory and in swap is known. 0 or -ENOMEM. */
int regions_table_region(struct regions_table *table, const struct pidmem_region *region, bool usage);
int regions_table_left(struct regions_table *table, uint64_t start, uint64_t size, enum pidmem_class class_,
		       enum pidmem_why why);
int regions_table_thread(struct regions_table *table, pid_t tid, char state, const char *name);
/* Append it; of one that would be too large to be read, nothing. */
int regions_table_add(struct buffer *out, const struct regions_table *table);

/* Reading. */
struct regions_list {
	const struct region_entry *regions;
	size_t region_count;
	const struct left_entry *left;
	size_t left_count;
	const struct thread_entry *threads;
	size_t thread_count;
	const char *paths;
	char *bytes; /* what all of that is in */
};
void regions_list_done(struct regions_list *list);
#define AUTO_REGIONS_LIST CLEANUP(regions_list_done) struct regions_list

/* 0, -EBADMSG if it cannot be true, -ENOMEM, -EIO. What it returns is in order, without overlaps, and within bounds. */
int regions_list_read(struct regions_list *list, const struct byte_reader *reader, uint64_t offset, uint64_t size);

#endif
