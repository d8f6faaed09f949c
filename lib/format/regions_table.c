/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/regions_table.h"

#include <string.h>

#include "base/names.h"

#define VERSION 1
/* Some 300,000 regions. Whoever reads it needs that much memory. */
#define LARGEST (48U << 20)

struct head {
	uint32_t version, regions, left, threads;
	uint64_t paths;
};

void regions_table_done(struct regions_table *table)
{
	buffer_done(&table->regions);
	buffer_done(&table->left);
	buffer_done(&table->threads);
	buffer_done(&table->paths);
}

static bool same_path(const struct regions_table *table, const struct pidmem_region *region)
{
	return table->last_path && region->path_size && !strcmp(table->last_path, region->path);
}

int regions_table_region(struct regions_table *table, const struct pidmem_region *region, bool usage)
{
	bool same = same_path(table, region);
	struct region_entry entry = {
		.start = region->start,
		.size = region->size,
		.offset = region->offset,
		.inode = region->inode,
		.resident = usage ? region->resident : 0,
		.swapped = usage ? region->swapped : 0,
		.dev_major = region->dev_major,
		.dev_minor = region->dev_minor,
		.perms = region->perms,
		.kind = region->kind,
		.flags = (region->deleted ? REGION_DELETED : 0) | (usage ? REGION_USAGE : 0) |
			 (same ? REGION_SAME_PATH : 0),
		.path_size = same ? 0 : (uint32_t)region->path_size,
	};

	table->last_path = region->path;
	if (buffer_append(&table->regions, &entry, sizeof entry) < 0)
		return -ENOMEM;
	return same ? 0 : buffer_append(&table->paths, region->path, region->path_size);
}

int regions_table_left(struct regions_table *table, uint64_t start, uint64_t size, enum pidmem_class class_,
		       enum pidmem_why why)
{
	struct left_entry entry = { .start = start, .size = size, .class_ = class_, .why = why };

	return buffer_append(&table->left, &entry, sizeof entry);
}

int regions_table_thread(struct regions_table *table, pid_t tid, char state, const char *name)
{
	struct thread_entry entry = { .tid = (uint32_t)tid, .state = state };

	memcpy(entry.name, name, strnlen(name, sizeof entry.name - 1));
	return buffer_append(&table->threads, &entry, sizeof entry);
}

int regions_table_add(struct buffer *out, const struct regions_table *table)
{
	struct head head = {
		.version = VERSION,
		.regions = (uint32_t)(table->regions.size / sizeof(struct region_entry)),
		.left = (uint32_t)(table->left.size / sizeof(struct left_entry)),
		.threads = (uint32_t)(table->threads.size / sizeof(struct thread_entry)),
		.paths = table->paths.size,
	};

	if (table->regions.size + table->left.size + table->threads.size + table->paths.size + sizeof head > LARGEST)
		return 0;
	if (buffer_append(out, &head, sizeof head) < 0 ||
	    buffer_append(out, table->regions.bytes, table->regions.size) < 0 ||
	    buffer_append(out, table->left.bytes, table->left.size) < 0 ||
	    buffer_append(out, table->threads.bytes, table->threads.size) < 0)
		return -ENOMEM;
	return buffer_append(out, table->paths.bytes, table->paths.size);
}

/* -------------------------------------------------------------------------------------------- reading --- */

void regions_list_done(struct regions_list *list)
{
	free(list->bytes);
	*list = (struct regions_list){ 0 };
}

/* Is a range behind another one, and within the address space? *last is the last byte so far. */
static bool follows(uint64_t start, uint64_t size, bool first, uint64_t *last)
{
	if (!size || (!first && start <= *last) || start + (size - 1) < start)
		return false;
	*last = start + (size - 1);
	return true;
}

static bool check_regions(const struct regions_list *list, uint64_t paths)
{
	uint64_t last = 0, used = 0;

	for (size_t i = 0; i < list->region_count; i++) {
		const struct region_entry *entry = &list->regions[i];
		if (!follows(entry->start, entry->size, i == 0, &last) || entry->kind > PIDMEM_KIND_VDSO ||
		    (entry->flags & REGION_SAME_PATH && (i == 0 || entry->path_size)) ||
		    entry->path_size > paths - used || memchr(list->paths + used, 0, entry->path_size))
			return false;
		used += entry->path_size;
	}
	return used == paths;
}

static bool check_left(const struct regions_list *list)
{
	uint64_t last = 0;

	for (size_t i = 0; i < list->left_count; i++) {
		const struct left_entry *entry = &list->left[i];
		bool lack = why_is_lack((enum pidmem_why)entry->why), zero = entry->class_ == PIDMEM_ZERO;
		if (!follows(entry->start, entry->size, i == 0, &last) || entry->class_ < PIDMEM_ZERO ||
		    entry->class_ > PIDMEM_UNREADABLE || (zero ? entry->why != PIDMEM_WHY_NONE : !lack))
			return false;
	}
	return true;
}

static bool check_threads(const struct regions_list *list)
{
	for (size_t i = 0; i < list->thread_count; i++)
		if (!memchr(list->threads[i].name, 0, sizeof list->threads[i].name))
			return false;
	return true;
}

static bool settle(struct regions_list *list, uint64_t size)
{
	const char *at = list->bytes;
	struct head head;

	memcpy(&head, at, sizeof head);
	uint64_t wanted = sizeof head + head.regions * (uint64_t)sizeof(struct region_entry) +
			  head.left * (uint64_t)sizeof(struct left_entry) +
			  head.threads * (uint64_t)sizeof(struct thread_entry);
	if (head.version != VERSION || head.paths > size || wanted + head.paths != size)
		return false;
	/* All entries are a multiple of 8 bytes long, and so is the head. */
	list->regions = (const void *)(at += sizeof head);
	list->region_count = head.regions;
	list->left = (const void *)(at += head.regions * sizeof(struct region_entry));
	list->left_count = head.left;
	list->threads = (const void *)(at += head.left * sizeof(struct left_entry));
	list->thread_count = head.threads;
	list->paths = at + head.threads * sizeof(struct thread_entry);
	return check_regions(list, head.paths) && check_left(list) && check_threads(list);
}

int regions_list_read(struct regions_list *out, const struct byte_reader *reader, uint64_t offset, uint64_t size)
{
	AUTO_REGIONS_LIST list = { 0 };

	if (size < sizeof(struct head) || size > LARGEST)
		return -EBADMSG;
	int result = reader_copy(reader, offset, size, &list.bytes);
	if (result < 0)
		return result;
	if (!settle(&list, size))
		return -EBADMSG;
	*out = list;
	list = (struct regions_list){ 0 };
	return 0;
}
