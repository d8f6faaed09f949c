/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Regions and cells as columns: the values of one field after the other, in the order of bytes of this machine (little
 * endian, as browsers have it). A page of 65,000 regions and 32,768 cells has to stay below 10 MiB.
 */
#include "report.h"
#include "ui/json.h"
#include "ui/output.h"
#include "ui/text.h"

#include <string.h>

/* All names together, roughly; what comes then has none. */
#define NAMES_ROOM (3U << 19)
#define NAME_LEAST 32U
#define NAME_MOST 512U

static const struct pidmem_maps *maps_of(const struct report *report)
{
	return pidmem_source_maps(report->save->source);
}

/* What a column of regions is made of, and what a column of cells is. */
struct row {
	const struct pidmem_region *region;
	const struct pidmem_survey_region *looks;
	const struct pidmem_survey_cell *cell;
	uint32_t name;
	bool usage; /* of files: resident and swapped are told */
};

typedef union {
	uint64_t u64;
	double f64;
	float f32;
	uint32_t u32;
	uint8_t u8;
} value;

struct field {
	const char *name;
	size_t size; /* in bytes, of each value */
	value (*get)(const struct row *row);
	bool changes; /* only where two targets are compared */
};

#define FIELD(name, type, expression)                   \
	static value get_##name(const struct row *row)  \
	{                                               \
		return (value){ .type = (expression) }; \
	}
#define SHARE(of) (uint8_t)(row->cell->looked ? (of)*255 / row->cell->looked : 0)

FIELD(start, u64, row->region->start)
FIELD(size, f64, (double)row->region->size)
FIELD(offset, f64, (double)row->region->offset)
FIELD(kind, u8, (uint8_t)row->region->kind)
FIELD(perms, u8, (uint8_t)row->region->perms)
FIELD(marks, u8, (uint8_t)(row->region->deleted | row->looks->is_new << 1))
FIELD(name, u32, row->name)
FIELD(rss, f32, (float)(row->usage ? row->region->resident : row->looks->resident))
FIELD(swap, f32, (float)(row->usage ? row->region->swapped : row->looks->swapped))
FIELD(read, f32, (float)row->looks->by_class[PIDMEM_READ])
/* As in cells. */
FIELD(zero, f32, (float)row->looks->zero)
FIELD(lost, f32, (float)row->looks->by_class[PIDMEM_UNREADABLE])
FIELD(changed, f32, (float)row->looks->changed)

FIELD(cell_start, u64, row->cell->start)
FIELD(cell_region, u32, (uint32_t)row->cell->region)
FIELD(cell_read, f32, (float)row->cell->read)
FIELD(cell_zero, f32, (float)row->cell->zero)
FIELD(cell_lost, f32, (float)row->cell->unreadable)
FIELD(cell_rss, f32, (float)row->cell->resident)
FIELD(cell_swap, f32, (float)row->cell->swapped)
FIELD(cell_changed, f32, (float)row->cell->changed)
FIELD(cell_uncompared, f32, (float)row->cell->uncompared)
FIELD(cell_zeros, u8, SHARE(row->cell->zeros))
FIELD(cell_text, u8, SHARE(row->cell->text))
FIELD(cell_high, u8, SHARE(row->cell->high))
FIELD(cell_pointers, u8, SHARE(row->cell->pointers))
/* 255: not known */
FIELD(cell_entropy, u8, (uint8_t)(row->cell->entropy < 0 ? 255 : row->cell->entropy * 31.75))
FIELD(cell_at, u64, row->cell->sample_start)
FIELD(cell_count, u8, (uint8_t)row->cell->sample_size)

static const struct field region_fields[] = {
	{ "start", 8, get_start, false },    { "size", 8, get_size, false },   { "offset", 8, get_offset, false },
	{ "kind", 1, get_kind, false },      { "perms", 1, get_perms, false }, { "marks", 1, get_marks, false },
	{ "name", 4, get_name, false },      { "rss", 4, get_rss, false },     { "swap", 4, get_swap, false },
	{ "read", 4, get_read, false },      { "zero", 4, get_zero, false },   { "unreadable", 4, get_lost, false },
	{ "changed", 4, get_changed, true },
};
static const struct field cell_fields[] = {
	{ "start", 8, get_cell_start, false },
	{ "region", 4, get_cell_region, false },
	{ "read", 4, get_cell_read, false },
	{ "zero", 4, get_cell_zero, false },
	{ "unreadable", 4, get_cell_lost, false },
	{ "rss", 4, get_cell_rss, false },
	{ "swap", 4, get_cell_swap, false },
	{ "changed", 4, get_cell_changed, true },
	{ "uncompared", 4, get_cell_uncompared, true },
	{ "zeros", 1, get_cell_zeros, false },
	{ "text", 1, get_cell_text, false },
	{ "high", 1, get_cell_high, false },
	{ "pointers", 1, get_cell_pointers, false },
	{ "entropy", 1, get_cell_entropy, false },
};
/* Left out with --no-bytes. */
static const struct field sample_fields[] = {
	{ "sample_start", 8, get_cell_at, false },
	{ "sample_size", 1, get_cell_count, false },
};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool same_name(const struct pidmem_region *one, const struct pidmem_region *other)
{
	return one->path_size == other->path_size && !memcmp(one->path, other->path, one->path_size);
}

static size_t count_names(const struct pidmem_maps *maps)
{
	const struct pidmem_region *region, *last = NULL;
	size_t count = 1;

	for (size_t i = 0; (region = pidmem_maps_get(maps, i)); i++) {
		count += !last || !same_name(region, last);
		last = region;
	}
	return count;
}

/* The base name tells more than the root. */
static void put_name(const struct pidmem_region *region, size_t room)
{
	size_t cut = region->path_size > room ? region->path_size - room : 0;
	char name[4 * NAME_MOST + 4];

	text_escape(name, sizeof(name), region->path + cut, region->path_size - cut);
	json_open_text(NULL);
	if (cut)
		output_text("\u2026");
	json_add_text(name);
	json_close_text();
}

/* Neighbours have the same one more often than not. Name 0 is none. */
static void put_names(const struct report *report)
{
	const struct pidmem_maps *maps = maps_of(report);
	size_t room = NAMES_ROOM / count_names(maps);
	const struct pidmem_region *region, *last = NULL;
	uint64_t begun = output_position();

	room = room < NAME_LEAST ? NAME_LEAST : room > NAME_MOST ? NAME_MOST : room;
	json_array("names");
	json_text(NULL, "");
	for (size_t i = 0; (region = pidmem_maps_get(maps, i)); i++) {
		if (last && same_name(region, last))
			continue;
		if (output_position() - begun < NAMES_ROOM)
			put_name(region, room);
		last = region;
	}
	json_array_end();
}

static void add(struct base64 *base64, const struct field *field, const struct row *row)
{
	value got = field->get(row);

	json_add_base64(base64, &got, field->size);
}

static void put_region_field(const struct report *report, const struct field *field)
{
	const struct pidmem_maps *maps = maps_of(report);
	struct pidmem_file file = PIDMEM_INIT(file);
	const struct pidmem_region *last = NULL;
	struct base64 base64;
	struct row row = { .name = 0 };

	row.usage = report->save->target.file && pidmem_file_describe(report->save->target.file, NULL, &file) == 0 &&
		    file.has_usage;
	json_open_base64(field->name, &base64);
	for (size_t i = 0; (row.region = pidmem_maps_get(maps, i)); i++) {
		row.looks = pidmem_survey_get_region(report->survey, i);
		if (!last || !same_name(row.region, last))
			row.name++;
		last = row.region;
		add(&base64, field, &row);
	}
	json_close_base64(&base64);
}

void report_regions_json(const struct report *report)
{
	struct pidmem_file file = PIDMEM_INIT(file);

	put_names(report);
	json_object("regions");
	json_number("count", pidmem_maps_count(maps_of(report)));
	json_bool("residence",
		  pidmem_survey_has_residence(report->survey) ||
			  (report->save->target.file &&
			   pidmem_file_describe(report->save->target.file, NULL, &file) == 0 && file.has_usage));
	for (size_t i = 0; i < COUNT(region_fields); i++)
		if (!region_fields[i].changes || report->before)
			put_region_field(report, &region_fields[i]);
	json_object_end();
}

static void put_cell_field(const struct report *report, const struct field *field)
{
	struct base64 base64;
	struct row row = { .name = 0 };

	json_open_base64(field->name, &base64);
	for (size_t i = 0; (row.cell = pidmem_survey_get(report->survey, i)); i++)
		add(&base64, field, &row);
	json_close_base64(&base64);
}

static void put_samples(const struct report *report)
{
	const struct pidmem_survey_cell *cell;
	struct base64 base64;

	for (size_t i = 0; i < COUNT(sample_fields); i++)
		put_cell_field(report, &sample_fields[i]);
	json_open_base64("sample", &base64);
	for (size_t i = 0; (cell = pidmem_survey_get(report->survey, i)); i++)
		json_add_base64(&base64, cell->sample, sizeof(cell->sample));
	json_close_base64(&base64);
}

void report_cells_json(const struct report *report)
{
	const struct pidmem_survey_cell *first = pidmem_survey_get(report->survey, 0);

	json_object("cells");
	json_number("count", pidmem_survey_count(report->survey));
	json_number("size", first ? first->size : 0);
	json_bool("residence", pidmem_survey_has_residence(report->survey));
	for (size_t i = 0; i < COUNT(cell_fields); i++)
		if (!cell_fields[i].changes || report->before)
			put_cell_field(report, &cell_fields[i]);
	if (report->bytes)
		put_samples(report);
	json_object_end();
}
