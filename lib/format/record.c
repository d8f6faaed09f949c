/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/record.h"

#include <string.h>

#include "base/buffer.h"
#include "format/index.h"
#include "format/json.h"

#define AUTO_RECORD CLEANUP(record_done) struct record

/* Larger than any that is written. */
#define LARGEST (1U << 20)

void record_done(struct record *record)
{
	free(record->text);
	free(record->fallback);
	free(record->holes);
	*record = (struct record){ 0 };
}

static uint64_t number(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value > 0 ? (uint64_t)value : 0;
}

static bool read_consistency(struct record *record, const json_t *object)
{
	const char *text = json_string_value(json_object_get(object, "consistency"));
	const char *engine = json_string_value(json_object_get(object, "engine"));
	int consistency = PIDMEM_LIVE;

	if (!text)
		return false;
	while (consistency <= PIDMEM_SNAPSHOT &&
	       strcmp(text, pidmem_consistency_name((enum pidmem_consistency)consistency)) != 0)
		consistency++;
	record->consistency = (enum pidmem_consistency)consistency;
	for (int i = PIDMEM_ENGINE_NONE;
	     engine && (i == PIDMEM_ENGINE_NONE || pidmem_engine_name((enum pidmem_engine)i)); i++)
		if (i && !strcmp(engine, pidmem_engine_name((enum pidmem_engine)i)))
			record->engine = (enum pidmem_engine)i;
	return consistency <= PIDMEM_SNAPSHOT;
}

static int by_address(const void *one, const void *other)
{
	const struct pidmem_hole *a = one, *b = other;

	return (a->start > b->start) - (a->start < b->start);
}

/* The unreadable ones stand first. 0, -EBADMSG or -ENOMEM. */
static int read_holes(struct record *record, const json_t *object)
{
	const json_t *holes = json_object_get(object, "holes"), *hole;
	size_t i, count = json_array_size(holes);

	record->omitted = number(object, "holes_omitted");
	record->holes = calloc(count + 1, sizeof *record->holes);
	if (!record->holes)
		return -ENOMEM;
	json_array_foreach(holes, i, hole)
	{
		struct index_entry entry = { 0 };
		if (!index_parse_hole(hole, &entry))
			return -EBADMSG;
		record->holes[i] = (struct pidmem_hole){ entry.start, entry.size, entry.class_, entry.why };
	}
	record->hole_count = count;
	qsort(record->holes, count, sizeof *record->holes, by_address);
	for (i = 1; i < count; i++)
		if (record->holes[i - 1].start + (record->holes[i - 1].size - 1) >= record->holes[i].start)
			return -EBADMSG;
	return 0;
}

static int parse(struct record *record, const json_t *object)
{
	const char *fallback = json_string_value(json_object_get(object, "fallback"));

	if (!json_is_object(object) || !read_consistency(record, object))
		return -EBADMSG;
	record->fallback = fallback ? strdup(fallback) : NULL;
	if (fallback && !record->fallback)
		return -ENOMEM;
	record->paused = json_is_integer(json_object_get(object, "pause_us"));
	record->pause_us = number(object, "pause_us");
	record->threads = number(object, "threads");
	record->unstopped = number(object, "unstopped");
	return read_holes(record, object);
}

int record_read(struct record *out, const struct byte_reader *reader, uint64_t offset, uint64_t size)
{
	AUTO_RECORD record = { 0 };
	json_error_t error;

	if (size == 0 || size > LARGEST)
		return -EBADMSG;
	int result = reader_copy(reader, offset, size, &record.text);
	if (result < 0)
		return result;
	while (size && record.text[size - 1] == ' ')
		record.text[--size] = 0;
	AUTO_JSON object = json_loadb(record.text, size, JSON_REJECT_DUPLICATES, &error);
	result = object ? parse(&record, object) : -EBADMSG;
	if (result < 0)
		return result;
	*out = record;
	record = (struct record){ 0 };
	return 0;
}
