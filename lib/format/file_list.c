/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/file_list.h"

#include <errno.h>
#include <string.h>

/* The kernel's own limit (MAX_FILE_NOTE_SIZE, core_file_note_size_limit) is 4 MiB, and can be raised to 16 MiB. */
#define LARGEST (32U << 20)

void file_list_done(struct file_list *list)
{
	free(list->files);
	free(list->bytes);
	*list = (struct file_list){ 0 };
}

static uint64_t word(const char *bytes, size_t size)
{
	uint32_t small;
	uint64_t large;

	if (size == sizeof large) {
		memcpy(&large, bytes, sizeof large);
		return large;
	}
	memcpy(&small, bytes, sizeof small);
	return small;
}

static int by_address(const void *one, const void *other)
{
	const struct mapped_file *a = one, *b = other;

	return (a->start > b->start) - (a->start < b->start);
}

/* In order, and none overlapping another? */
static bool settle(struct file_list *list)
{
	bool sorted = true;

	for (size_t i = 1; i < list->count; i++)
		sorted &= list->files[i].start > list->files[i - 1].start;
	if (!sorted)
		qsort(list->files, list->count, sizeof *list->files, by_address);
	for (size_t i = 1; i < list->count; i++)
		if (list->files[i - 1].start + (list->files[i - 1].size - 1) >= list->files[i].start)
			return false;
	return true;
}

/* count, unit of offsets, then start, end, offset of each, then the names. */
static bool parse(struct file_list *list, size_t size, size_t step, uint64_t unit)
{
	const char *at = list->bytes + 2 * step, *name = at + list->count * 3 * step, *end = list->bytes + size;

	for (size_t i = 0; i < list->count; i++, at += 3 * step) {
		const char *name_end = name < end ? memchr(name, 0, (size_t)(end - name)) : NULL;
		struct mapped_file *file = &list->files[i];
		uint64_t last;
		*file = (struct mapped_file){ .start = word(at, step), .path = name };
		file->size = word(at + step, step) - file->start;
		if (!name_end || !file->size || __builtin_add_overflow(file->start, file->size - 1, &last) ||
		    __builtin_mul_overflow(word(at + 2 * step, step), unit, &file->offset))
			return false;
		file->path_size = (size_t)(name_end - name);
		name = name_end + 1;
	}
	return settle(list);
}

int file_list_read(struct file_list *out, const struct byte_reader *reader, bool is_64, uint64_t offset, uint64_t size)
{
	size_t step = is_64 ? 8 : 4;
	AUTO_FILE_LIST list = { 0 };

	if (size < 2 * step || size > LARGEST)
		return -EBADMSG;
	int result = reader_copy(reader, offset, size, &list.bytes);
	if (result < 0)
		return result;
	uint64_t count = word(list.bytes, step);
	if (count > (size - 2 * step) / (3 * step + 1)) /* each has a NUL at least */
		return -EBADMSG;
	list.count = count;
	list.files = calloc(count + 1, sizeof *list.files);
	if (!list.files)
		return -ENOMEM;
	if (!parse(&list, size, step, word(list.bytes + step, step)))
		return -EBADMSG;
	*out = list;
	list = (struct file_list){ 0 };
	return 0;
}
