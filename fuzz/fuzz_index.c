/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A line of the index of a raw dump; what is accepted must survive being written and read again. */
#include "format/index.h"
#include "fuzz.h"

static void check_entry(const struct index_entry *entry)
{
	MUST(entry->size > 0 && entry->start + entry->size - 1 >= entry->start);
	MUST((entry->class_ >= PIDMEM_EXCLUDED) == (entry->why != PIDMEM_WHY_NONE));
	MUST(entry->path && strlen(entry->path) == entry->path_size);
	MUST(entry->offset <= INT64_MAX);
}

static void check_same(const struct index_entry *a, const struct index_entry *b)
{
	MUST(a->start == b->start && a->size == b->size && a->class_ == b->class_ && a->why == b->why);
	MUST(a->offset == b->offset && a->perms == b->perms && a->deleted == b->deleted);
	MUST(a->path_size == b->path_size && memcmp(a->path, b->path, a->path_size) == 0);
	MUST(!a->file == !b->file && (!a->file || strcmp(a->file, b->file) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pidmem_error error = { 0 };
	struct index_texts texts = { 0 }, again_texts = { 0 };
	struct index_entry entry, again;

	if (index_parse_line((const char *)data, size, &entry, &texts, &error) < 0) {
		MUST(error.code != PIDMEM_OK && error.text[0] && !texts.path && !texts.file);
		return 0;
	}
	check_entry(&entry);
	struct buffer lines = { 0 };
	MUST(index_append(&lines, "dump", &entry) == 0);
	MUST(index_parse_line((const char *)lines.bytes, lines.size, &again, &again_texts, &error) == 0);
	check_same(&entry, &again);
	buffer_done(&lines);
	index_texts_done(&texts);
	index_texts_done(&again_texts);
	return 0;
}
