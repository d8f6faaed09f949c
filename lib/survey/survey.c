/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One pass over everything: what there is, and what it looks like, by cells and by regions. */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/options.h"
#include "base/worker.h"
#include "base/zero.h"
#include "process/maps.h"
#include "process/process.h"
#include "sink/watch.h"
#include "source/recorded.h"
#include "survey/blocks.h"
#include "survey/cells.h"
#include "survey/residence.h"

#define CELLS 32768
#define CELLS_LEAST 1024
#define CELLS_MOST (1UL << 20)
/* So many are looked at together. */
#define BLOCKS_AT_ONCE ((8UL << 20) / BLOCK)
/* Less than this is not worth a second thread. */
#define BLOCKS_ALONE 32
/* One block in so many is enough for a mean, and all of it would take longer than reading does. */
#define LEAST_SAMPLED 32U

struct pidmem_survey {
	struct pidmem_source *source, *before;
	struct cells cells;
	struct pidmem_survey_region *regions;
	size_t region_count, region; /* how many, and the one of the last span */
	struct residence residence;
	bool has_residence;
	struct worker *worker;
	struct mapped mapped;
	struct block_reader reader;
	struct block_facts facts[BLOCKS_AT_ONCE];
};

/* What is known of the same addresses in the other source. */
struct other {
	enum { OTHER_NONE, OTHER_UNKNOWN, OTHER_NEW, OTHER_ZERO, OTHER_BYTES } what;
	const unsigned char *bytes;
};

struct part {
	const struct block_reader *reader;
	uint64_t address;
	const unsigned char *bytes;
	size_t size;
	struct block_facts *facts;
};

static void read_part(void *argument)
{
	const struct part *part = argument;

	blocks_read(part->reader, part->address, part->bytes, part->size, part->facts);
}

/* By two threads, a half each. */
static void read_blocks(struct pidmem_survey *survey, uint64_t address, const unsigned char *bytes, size_t size)
{
	size_t half = size / BLOCK > BLOCKS_ALONE && survey->worker ? size / BLOCK / 2 * BLOCK : 0;
	struct part first = { &survey->reader, address, bytes, half, survey->facts };
	struct part second = { &survey->reader, address + half, bytes + half, size - half,
			       survey->facts + half / BLOCK };

	if (half)
		worker_begin(survey->worker, read_part, &first);
	read_part(&second);
	if (half)
		worker_wait(survey->worker);
}

static void note_mapped(struct mapped *mapped, const struct pidmem_maps *maps)
{
	mapped->lowest = UINT64_MAX;
	for (size_t i = 0; i < maps->count; i++) {
		uint64_t start = maps->regions[i].start, last = start + (maps->regions[i].size - 1);

		if (last >> 47 || last < start)
			continue;
		mapped->lowest = start < mapped->lowest ? start : mapped->lowest;
		mapped->highest = last > mapped->highest ? last : mapped->highest;
		for (uint64_t unit = start >> 30; unit <= last >> 30; unit++)
			mapped->bits[unit / 64] |= 1ULL << unit % 64;
	}
	if (mapped->lowest > mapped->highest)
		mapped->lowest = mapped->highest = 0;
}

/* The first bytes that say something. */
static void take_sample(struct cell *cell, uint64_t address, const unsigned char *bytes, size_t size)
{
	size_t skip = 0;

	while (size - skip >= 16 && is_zero(bytes + skip, 16))
		skip += 16;
	if (size - skip < 16)
		skip = 0;
	cell->told.sample_start = address + skip;
	cell->told.sample_size = size - skip < PIDMEM_SURVEY_SAMPLE ? size - skip : PIDMEM_SURVEY_SAMPLE;
	memcpy(cell->told.sample, bytes + skip, cell->told.sample_size);
}

static uint64_t count_changed(const unsigned char *bytes, size_t size, const struct other *other, size_t offset)
{
	uint64_t changed = 0;

	switch (other->what) {
	case OTHER_NEW:
		return size;
	case OTHER_ZERO:
		if (!bytes || is_zero(bytes, size))
			return 0;
		for (size_t i = 0; i < size; i++)
			changed += bytes[i] != 0;
		return changed;
	case OTHER_BYTES:
		if (bytes && memcmp(bytes, other->bytes + offset, size) == 0)
			return 0;
		for (size_t i = 0; i < size; i++)
			changed += other->bytes[offset + i] != (bytes ? bytes[i] : 0);
		return changed;
	default:
		return 0;
	}
}

static void add_changed(struct pidmem_survey *survey, uint64_t address, uint64_t changed)
{
	if (!changed)
		return;
	cells_at(&survey->cells, address, survey->region)->told.changed += changed;
	survey->regions[survey->region].changed += changed;
}

/* The blocks of a span that begin in a piece of it, which is within one cell. */
static void add_content(struct pidmem_survey *survey, const struct pidmem_span *span, uint64_t offset, uint64_t size,
			const struct other *other, uint64_t other_offset)
{
	for (size_t i = (offset + BLOCK - 1) / BLOCK; i * BLOCK < offset + size; i++) {
		const struct block_facts *facts = &survey->facts[i];
		const unsigned char *bytes = span->bytes + i * BLOCK;
		uint64_t address = span->start + i * BLOCK;
		struct cell *cell = cells_at(&survey->cells, address, survey->region);

		if (!cell->told.sample_size || is_zero(cell->told.sample, cell->told.sample_size))
			take_sample(cell, address, bytes, facts->size);
		cell->told.read += facts->size;
		cell->told.looked += facts->looked;
		cell->told.zeros += facts->zeros;
		cell->told.text += facts->text;
		cell->told.high += facts->high;
		cell->told.pointers += facts->pointers;
		cell_add_entropy(cell, facts->entropy, facts->entropy >= 0);
	}
	if (other->what == OTHER_UNKNOWN)
		cells_at(&survey->cells, span->start + offset, survey->region)->told.uncompared += size;
	add_changed(survey, span->start + offset, count_changed(span->bytes + offset, size, other, other_offset));
}

static void add_run(struct pidmem_survey *survey, const struct pidmem_page_run *run, bool zero)
{
	struct pidmem_survey_region *region = &survey->regions[survey->region];
	uint64_t start = run->start, size = run->size;
	bool resident = run->flags & PIDMEM_PAGE_PRESENT;

	*(resident ? &region->resident : &region->swapped) += size;
	region->zero += zero ? size : 0;
	for (uint64_t piece; size; start += piece, size -= piece) {
		struct cell *cell = cells_at(&survey->cells, start, survey->region);

		piece = cells_within(&survey->cells, start, size);
		*(resident ? &cell->told.resident : &cell->told.swapped) += piece;
		if (zero)
			cell->told.zero += piece;
	}
}

static void add_residence(struct pidmem_survey *survey, const struct pidmem_span *span, uint64_t start, uint64_t size)
{
	struct pidmem_page_run run;

	if (span->class_ == PIDMEM_EXCLUDED && span->why == PIDMEM_WHY_FILTER)
		return;
	while (size && residence_next(&survey->residence, span->region, start, size, &run)) {
		add_run(survey, &run, span->class_ == PIDMEM_ZERO);
		size -= run.start + run.size - start;
		start = run.start + run.size;
	}
}

/* A part of a span, of which the other source says one thing. Cells come in order: one is done with before the next. */
static void add_part(struct pidmem_survey *survey, const struct pidmem_span *span, uint64_t start, uint64_t size,
		     const struct other *other)
{
	uint64_t offset = start - span->start, done = 0, piece;

	/* What may be terabytes is not cut into cells where it holds nothing. */
	if (span->class_ != PIDMEM_READ && span->class_ != PIDMEM_UNREADABLE && other->what != OTHER_BYTES) {
		add_residence(survey, span, start, size);
		return;
	}
	for (; done < size; done += piece) {
		piece = cells_within(&survey->cells, start + done, size - done);
		if (span->class_ == PIDMEM_READ)
			add_content(survey, span, offset + done, piece, other, done);
		else if (span->class_ == PIDMEM_UNREADABLE)
			cells_at(&survey->cells, start + done, survey->region)->told.unreadable += piece;
		else
			add_changed(survey, start + done, count_changed(NULL, piece, other, done));
		add_residence(survey, span, start + done, piece);
	}
}

static struct other other_of(const struct pidmem_span *there)
{
	struct other other = { there->class_ == PIDMEM_READ   ? OTHER_BYTES
			       : there->class_ == PIDMEM_ZERO ? OTHER_ZERO
							      : OTHER_UNKNOWN,
			       there->bytes };

	return other;
}

/* What the other source has at the addresses of a span; where nothing is mapped there, all is new. */
static int compare(struct pidmem_survey *survey, const struct pidmem_span *span, struct pidmem_error *error)
{
	const struct other none = { .what = OTHER_NEW };
	AUTO_WALK walk = NULL;
	struct pidmem_span there;
	uint64_t done = 0;
	int result = pidmem_walk_open(survey->before, span->start, span->size, 0, error, &walk);

	if (result < 0)
		return result;
	while ((result = pidmem_walk_next(walk, error, &there)) == 1) {
		struct other other = other_of(&there);

		if (there.start - span->start > done)
			add_part(survey, span, span->start + done, there.start - span->start - done, &none);
		add_part(survey, span, there.start, there.size, &other);
		done = there.start + there.size - span->start;
	}
	if (result == 0 && done < span->size)
		add_part(survey, span, span->start + done, span->size - done, &none);
	return result;
}

static int add_content_span(struct pidmem_survey *survey, const struct pidmem_span *span, struct pidmem_error *error)
{
	uint64_t every = survey->cells.size / BLOCK;

	survey->reader.every = (unsigned)(every < LEAST_SAMPLED ? every : LEAST_SAMPLED);
	survey->reader.first = !cells_at(&survey->cells, span->start, survey->region)->sampled;
	read_blocks(survey, span->start, span->bytes, span->size);
	if (survey->before)
		return compare(survey, span, error);
	add_part(survey, span, span->start, span->size, &(struct other){ .what = OTHER_NONE });
	return 0;
}

static int add_span(struct pidmem_survey *survey, const struct pidmem_span *span, struct pidmem_error *error)
{
	struct pidmem_span part = *span;
	int result = 0;

	survey->region = (size_t)(span->region - survey->source->maps->regions);
	survey->regions[survey->region].by_class[span->class_] += span->size;
	if (span->class_ == PIDMEM_ZERO && survey->before)
		return compare(survey, span, error);
	if (span->class_ != PIDMEM_READ) {
		add_part(survey, span, span->start, span->size, &(struct other){ .what = OTHER_NONE });
		return 0;
	}
	for (uint64_t done = 0; result >= 0 && done < span->size; done += part.size) {
		uint64_t left = span->size - done;

		part.start = span->start + done;
		part.size = left < BLOCKS_AT_ONCE * BLOCK ? left : BLOCKS_AT_ONCE * BLOCK;
		part.bytes = span->bytes + done;
		result = add_content_span(survey, &part, error);
	}
	return result;
}

static int look(struct pidmem_survey *survey, struct watch *watch, struct pidmem_account *account,
		struct pidmem_error *error)
{
	AUTO_WALK walk = NULL;
	struct pidmem_span span;
	int result = pidmem_walk_open(survey->source, 0, UINT64_MAX, 0, error, &walk);

	while (result >= 0 && (result = pidmem_walk_next(walk, error, &span)) == 1) {
		if ((result = pidmem_account_add(account, &span, error)) < 0 ||
		    (result = add_span(survey, &span, error)) < 0)
			return result;
		if (watch_is_cancelled(watch, &span))
			return file_cancelled(error);
	}
	return result;
}

/* So large that all that is in memory fits; more than that is made room for as it comes. */
static uint64_t first_size(const struct pidmem_source *source, size_t most)
{
	uint64_t size = BLOCK, held = source->select     ? 0
				      : source->recorded ? recorded_saved_size(source)
							 : process_memory_used(source->target);

	while (held / most >= size)
		size *= 2;
	return size;
}

static void find_new(struct pidmem_survey *survey)
{
	const struct pidmem_maps *maps = survey->source->maps;

	for (size_t i = 0; survey->before && i < maps->count; i++) {
		const struct pidmem_region *region = &maps->regions[i];
		const struct pidmem_region *there = pidmem_maps_find_next(survey->before->maps, region->start);

		survey->regions[i].is_new =
			!there || (there->start > region->start && there->start - region->start >= region->size);
	}
}

static int prepare(struct pidmem_survey *survey, struct pidmem_source *source,
		   const struct pidmem_survey_options *options)
{
	survey->source = source;
	survey->before = options->before;
	survey->region_count = source->maps->count;
	survey->regions = calloc(survey->region_count + 1, sizeof *survey->regions);
	if (!survey->regions || cells_init(&survey->cells, options->cells, first_size(source, options->cells)) < 0)
		return -ENOMEM;
	note_mapped(&survey->mapped, source->maps);
	block_reader_init(&survey->reader, &survey->mapped);
	find_new(survey);
	residence_init(&survey->residence, source);
	survey->has_residence = survey->residence.known;
	survey->worker = worker_new();
	return 0;
}

DEFINE_CLEANUP(cleanup_survey, struct pidmem_survey *, pidmem_survey_free)

int pidmem_survey_new(struct pidmem_source *source, const struct pidmem_survey_options *given,
		      struct pidmem_account *account, struct pidmem_error *error, struct pidmem_survey **out)
{
	CLEANUP(cleanup_survey) struct pidmem_survey *survey = NULL;
	struct pidmem_survey_options options;
	struct watch watch;
	int result = options_take(&options, sizeof options, given, error);

	if (result < 0)
		return result;
	options.cells = options.cells ? options.cells : CELLS;
	if (options.cells < CELLS_LEAST || options.cells > CELLS_MOST)
		return fail(error, PIDMEM_USAGE, EINVAL, "a survey has from %d to %lu cells", CELLS_LEAST, CELLS_MOST);
	survey = calloc(1, sizeof *survey);
	if (!survey || prepare(survey, source, &options) < 0)
		return fail_memory(error);
	watch_init(&watch, options.progress, options.user);
	if (options.progress)
		watch.state.expected =
			source->recorded ? recorded_saved_size(source) : process_memory_used(source->target);
	result = look(survey, &watch, account, error);
	residence_done(&survey->residence);
	worker_free(take(survey->worker));
	if (result < 0)
		return result;
	*out = take(survey);
	return 0;
}

void pidmem_survey_free(struct pidmem_survey *survey)
{
	if (!survey)
		return;
	residence_done(&survey->residence);
	worker_free(survey->worker);
	cells_done(&survey->cells);
	free(survey->regions);
	free(survey);
}

size_t pidmem_survey_count(const struct pidmem_survey *survey)
{
	return survey->cells.count;
}

const struct pidmem_survey_cell *pidmem_survey_get(const struct pidmem_survey *survey, size_t index)
{
	return index < survey->cells.count ? &survey->cells.cells[index].told : NULL;
}

const struct pidmem_survey_region *pidmem_survey_get_region(const struct pidmem_survey *survey, size_t index)
{
	return index < survey->region_count ? &survey->regions[index] : NULL;
}

bool pidmem_survey_has_residence(const struct pidmem_survey *survey)
{
	return survey->has_residence;
}
