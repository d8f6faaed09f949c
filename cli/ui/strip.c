/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ui/strip.h"
#include "ui/colour.h"
#include "ui/output.h"
#include "ui/terminal.h"

#include <string.h>

/*
 * Where the kernel cannot scan page tables (before Linux 6.7), looking costs 8 bytes for each page of the region. In a
 * region without a page in memory or in swap only guard pages can be found, which are not worth as much.
 */
#define LARGEST (UINT64_C(256) << 30)
#define LARGEST_EMPTY (UINT64_C(16) << 30)

static struct pidmem_process *subject;
static unsigned columns = STRIP_WIDTH;

struct cell {
	uint64_t present, foreign, zero, swapped, guard; /* @foreign, @zero: of @present */
};

void strip_of(struct pidmem_process *process, unsigned width)
{
	subject = process;
	columns = width < STRIP_MOST ? width : STRIP_MOST;
}

static void count(struct cell *cell, uint32_t flags, uint64_t size)
{
	if (flags & PIDMEM_PAGE_GUARD)
		cell->guard += size;
	else if (flags & PIDMEM_PAGE_PRESENT) {
		cell->present += size;
		cell->foreign += flags & PIDMEM_PAGE_FILE ? size : 0;
		cell->zero += flags & PIDMEM_PAGE_ZERO ? size : 0;
	} else if (flags & PIDMEM_PAGE_SWAPPED)
		cell->swapped += size;
}

/* Share a run of pages out among the cells; `part` is the size of a cell. */
static void spread(struct cell *cells, uint64_t part, uint64_t offset, uint64_t size, uint32_t flags)
{
	while (size) {
		uint64_t index = offset / part < columns ? offset / part : columns - 1;
		uint64_t room = index + 1 < columns ? (index + 1) * part - offset : size;
		uint64_t piece = size < room ? size : room;

		count(&cells[index], flags, piece);
		offset += piece;
		size -= piece;
	}
}

static bool is_foreign(const struct cell *cell)
{
	return cell->foreign > cell->present / 2;
}

static char letter(const struct cell *cell, uint64_t part)
{
	if (cell->present && cell->zero == cell->present)
		return 'z';
	if (cell->present)
		return cell->present < part ? '+' : is_foreign(cell) ? '=' : '#';
	if (cell->swapped)
		return 's';
	return cell->guard ? 'g' : '.';
}

static const char *block(const struct cell *cell, uint64_t part)
{
	static const char *const heights[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };

	switch (letter(cell, part)) {
	case '#':
		return heights[7];
	case '=':
		return colour_stdout(COLOUR_FOREIGN)[0] ? heights[7] : "▓";
	case '+':
		return heights[cell->present < part ? cell->present * 7 / part : 6];
	case 'z':
		return "░";
	case 's':
		return "▒";
	case 'g':
		return "┊";
	default:
		return "·";
	}
}

static enum colour colour(const struct cell *cell, uint64_t part)
{
	switch (letter(cell, part)) {
	case '#':
	case '=':
	case '+':
		return is_foreign(cell) ? COLOUR_FOREIGN : COLOUR_OWN;
	case 's':
		return COLOUR_SWAPPED;
	default:
		return COLOUR_FAINT;
	}
}

/* One after the other, a colour for as many as share it. */
static void draw(const struct cell *cells, uint64_t part)
{
	bool blocks = terminal_has_blocks();
	enum colour now = COLOUR_END;

	for (size_t i = 0; i < columns; i++) {
		enum colour next = colour(&cells[i], part);

		if (next != now)
			output_format("%s%s", colour_stdout(COLOUR_END), colour_stdout(next));
		now = next;
		if (blocks)
			output_text(block(&cells[i], part));
		else
			output_char(letter(&cells[i], part));
	}
	output_text(colour_stdout(COLOUR_END));
}

/* A picture is not worth a failure: what cannot be seen any more is drawn as nothing. */
size_t strip_write(const void *row)
{
	const struct pidmem_region *region = row;
	struct cell cells[STRIP_MOST] = { { 0 } };
	uint64_t part = region->size / columns ? region->size / columns : 1;
	bool empty = region->resident + region->swapped == 0;
	struct pidmem_page_run run;
	struct pidmem_pages *pages;

	if (region->size > LARGEST && !empty) {
		output_pad('?', columns);
		return columns;
	}
	if (region->size <= (empty ? LARGEST_EMPTY : LARGEST) &&
	    pidmem_pages_open(subject, region->start, region->size, NULL, &pages) == 0) {
		while (pidmem_pages_next(pages, NULL, &run) == 1)
			spread(cells, part, run.start - region->start, run.size, run.flags);
		pidmem_pages_close(pages);
	}
	draw(cells, part);
	return columns;
}

void strip_legend(void)
{
	static const struct {
		enum colour colour;
		const char *block, *letter, *text;
	} signs[] = {
		{ COLOUR_OWN, "█", "#", "own" },         { COLOUR_FOREIGN, "▓", "=", "files or shared" },
		{ COLOUR_OWN, "▄", "+", "in part" },     { COLOUR_FAINT, "░", "z", "zeros" },
		{ COLOUR_SWAPPED, "▒", "s", "swapped" }, { COLOUR_FAINT, "┊", "g", "guard" },
		{ COLOUR_FAINT, "·", ".", "nothing" },
	};
	size_t width = terminal_width(), used = 0;

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		size_t length = strlen(signs[i].text) + 2;

		if (i)
			output_text(width && used + 2 + length > width ? "\n" : "  ");
		used = i && width && used + 2 + length > width ? length : used + 2 + length;
		const char *block =
			signs[i].colour == COLOUR_FOREIGN && colour_stdout(COLOUR_FOREIGN)[0] ? "█" : signs[i].block;

		output_format("%s%s%s %s", colour_stdout(signs[i].colour),
			      terminal_has_blocks() ? block : signs[i].letter, colour_stdout(COLOUR_END),
			      signs[i].text);
	}
	output_char('\n');
}

/* By eighths of a column, where there are blocks. */
void bar_write(uint64_t part, uint64_t whole, unsigned width)
{
	static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
	uint64_t filled = whole ? (uint64_t)((double)part / (double)whole * width * 8 + 0.5) : 0;

	filled = part && !filled ? 1 : filled;
	output_text(colour_stdout(COLOUR_OWN));
	for (uint64_t i = 0; i < filled / 8; i++)
		output_text(terminal_has_blocks() ? "█" : "#");
	if (terminal_has_blocks())
		output_text(eighths[filled % 8]);
	else if (filled % 8)
		output_char(filled < 8 ? '+' : '#');
	output_text(colour_stdout(COLOUR_END));
}
