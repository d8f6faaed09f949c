/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch.h"
#include "columns.h"
#include "failure.h"
#include "selection.h"
#include "ui/colour.h"
#include "ui/output.h"
#include "ui/size.h"
#include "ui/strip.h"
#include "ui/terminal.h"
#include "ui/text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LEAST_SECONDS 0.05
#define MOST_SECONDS 86400.0
/* Lines beside the rows. */
#define OTHER_LINES 4
/* What the last line has at most beside the words for the process; on a narrow terminal it is two. */
#define SUM_WIDTH 72

static const struct pidmem_maps *before; /* NULL the first time */

int watch_parse(const char *text, double *seconds)
{
	char *end;

	*seconds = text[0] ? strtod(text, &end) : 1;
	if (text[0] && (*end || !(*seconds >= LEAST_SECONDS && *seconds <= MOST_SECONDS))) {
		fail("maps: --watch: \"%s\" is no number of seconds", text);
		hint("it is a number from 0.05 to 86400");
		return EXIT_FAILED;
	}
	if (terminal_is())
		return 0;
	fail("maps: --watch draws on a terminal, and standard output is none");
	hint("without it the regions are listed once");
	return EXIT_FAILED;
}

/* What overlaps it: mappings grow and shrink at both ends. */
static const struct pidmem_region *counterpart(const struct pidmem_maps *maps, const struct pidmem_region *region)
{
	const struct pidmem_region *there = maps ? pidmem_maps_find_next(maps, region->start) : NULL;

	return there && (there->start <= region->start || there->start - region->start < region->size) ? there : NULL;
}

static const struct pidmem_region *earlier(const struct pidmem_region *region)
{
	return counterpart(before, region);
}

static size_t count_gone(const struct pidmem_maps *maps)
{
	const struct pidmem_region *region;
	size_t count = 0;

	for (size_t i = 0; before && (region = pidmem_maps_get(before, i)); i++)
		count += !counterpart(maps, region);
	return count;
}

static bool is_new(const struct pidmem_region *region)
{
	return before && !earlier(region);
}

static int64_t change(const struct pidmem_region *region)
{
	const struct pidmem_region *then = earlier(region);

	return before ? (int64_t)region->resident - (int64_t)(then ? then->resident : 0) : 0;
}

static char *put_change(char *cell, const void *row)
{
	int64_t by = change(row);

	if (!by)
		return is_new(row) ? put_text(cell, "new") : cell;
	*cell++ = by > 0 ? '+' : '-';
	return put_size(cell, (uint64_t)(by > 0 ? by : -by));
}

/* What changed most before what did not, and that by its size. */
static int compare(const void *one, const void *other)
{
	const struct pidmem_region *first = *(const struct pidmem_region *const *)one;
	const struct pidmem_region *second = *(const struct pidmem_region *const *)other;
	int64_t left = llabs(change(first)) + is_new(first), right = llabs(change(second)) + is_new(second);

	if (left != right)
		return left > right ? -1 : 1;
	return (first->resident < second->resident) - (first->resident > second->resident);
}

static int by_address(const void *one, const void *other)
{
	const struct pidmem_region *first = *(const struct pidmem_region *const *)one;
	const struct pidmem_region *second = *(const struct pidmem_region *const *)other;

	return (first->start > second->start) - (first->start < second->start);
}

static void print_rows(const struct pidmem_region **rows, size_t count, const struct column_choice *choice)
{
	for (size_t i = 0; i < count; i++) {
		bool changed = change(rows[i]) || is_new(rows[i]);

		if (changed)
			output_text(colour_stdout(COLOUR_TITLE));
		table_row(choice->columns, choice->count, rows[i]);
		if (changed)
			output_text(colour_stdout(COLOUR_END));
	}
}

static void sum(const struct pidmem_maps *maps, uint64_t *resident, uint64_t *swapped)
{
	const struct pidmem_region *region;

	*resident = *swapped = 0;
	for (size_t i = 0; (region = pidmem_maps_get(maps, i)); i++) {
		*resident += region->resident;
		*swapped += region->swapped;
	}
}

static void print_sum(const struct target *target, const struct pidmem_maps *maps, size_t shown, size_t count)
{
	uint64_t resident, swapped, then, then_swapped;
	size_t gone = count_gone(maps);

	sum(maps, &resident, &swapped);
	sum(before ? before : maps, &then, &then_swapped);
	if (shown < count)
		output_format("%zu of %zu regions: what changed, and the largest\n", shown, count);
	output_escaped(target->words, strlen(target->words));
	output_format(": %s resident", size_text(resident).text);
	if (resident != then)
		output_format(" (%c%s)", resident > then ? '+' : '-',
			      size_text(resident > then ? resident - then : then - resident).text);
	output_format(", %s swapped", size_text(swapped).text);
	if (gone)
		output_format(", %zu %s gone", gone, gone == 1 ? "region" : "regions");
	output_char('\n');
}

static void draw(const struct invocation *invocation, const struct target *target, const struct pidmem_maps *maps,
		 struct column_choice *choice, const struct pidmem_region **rows)
{
	unsigned height = terminal_height() ? terminal_height() : 24, width = terminal_width();
	size_t other = OTHER_LINES + (width ? (strlen(target->words) + SUM_WIDTH) / width : 0);
	size_t count = 0, most = height > other + 1 ? height - other : 1, shown;
	const struct pidmem_region *region;

	for (size_t i = 0; (region = pidmem_maps_get(maps, i)); i++)
		if (region_selected(invocation->select, region))
			rows[count++] = region;
	shown = count < most ? count : most;
	qsort(rows, count, sizeof(void *), compare);
	qsort(rows, shown, sizeof(void *), by_address);
	/* From the upper left corner, on an empty screen: console_codes(4). */
	output_text(terminal_can_clear() ? "\033[H\033[2J" : before ? "\n" : "");
	if (width > columns_width(choice) + 2)
		columns_cut_names(width - columns_width(choice));
	table_title(choice->columns, choice->count);
	print_rows(rows, shown, choice);
	print_sum(target, maps, shown, count);
	output_flush();
}

static int choose(struct column_choice *choice, const struct target *target)
{
	static const struct column column = { "change", "CHANGE", 10, true, .put = put_change };
	unsigned width = terminal_width(), strip = width > 110 ? STRIP_WIDTH : STRIP_WIDTH / 2;
	int failed = columns_choose(width && width < 80 ? "start,rss,strip,name" : "start,perms,size,rss,strip,name",
				    choice);

	if (failed)
		return failed;
	strip_of(target->process, strip);
	columns_set_strip(choice, strip);
	choice->columns[0].width = 16;
	for (size_t i = choice->count++; i > 1; i--)
		choice->columns[i] = choice->columns[i - 1];
	choice->columns[1] = column;
	return 0;
}

static int draw_again(const struct invocation *invocation, const struct target *target, struct column_choice *choice,
		      struct pidmem_maps *maps)
{
	const struct pidmem_region **rows = calloc(pidmem_maps_count(maps) + 1, sizeof(struct pidmem_region *));

	if (!rows)
		return fail("out of memory");
	draw(invocation, target, maps, choice, rows);
	free(rows);
	return 0;
}

int watch_run(const struct invocation *invocation, const struct target *target, double seconds)
{
	struct timespec pause = { .tv_sec = (time_t)seconds,
				  .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9) };
	struct pidmem_maps *last = NULL, *maps;
	bool drawn = false;
	struct pidmem_error error;
	struct column_choice choice;
	int failed = choose(&choice, target), result = 0;

	while (!failed && !output_failed()) {
		result = pidmem_maps_read(target->process, PIDMEM_MAPS_RESIDENCE, &error, &maps);
		if (result < 0)
			break;
		failed = draw_again(invocation, target, &choice, maps);
		pidmem_maps_free(last);
		before = last = maps;
		drawn = true;
		nanosleep(&pause, NULL);
	}
	pidmem_maps_free(last);
	before = NULL;
	if (failed || result >= 0)
		return failed;
	/* Its end is what ends this. */
	if (drawn && (error.code == PIDMEM_GONE || error.code == PIDMEM_EXECED)) {
		warn("%s", error.text);
		return EXIT_DONE;
	}
	return target_fail(invocation, target, &error);
}
