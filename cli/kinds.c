/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kinds.h"
#include "ui/colour.h"
#include "ui/output.h"
#include "ui/size.h"
#include "ui/strip.h"
#include "ui/terminal.h"

#include <inttypes.h>

/* Of the table without its bars. */
#define WIDTH 49
#define BAR_MOST 40

void kinds_add(struct kinds *kinds, const struct pidmem_region *region, uint64_t saved)
{
	struct kind_sum *const counted[] = { &kinds->of[region->kind], &kinds->of[KINDS] };

	for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++) {
		counted[i]->count++;
		counted[i]->size += region->size;
		counted[i]->resident += region->resident;
		counted[i]->swapped += region->swapped;
		counted[i]->saved += saved;
	}
}

static void put_size_cell(uint64_t size)
{
	output_format("  %9s", size ? size_text(size).text : "-");
}

static uint64_t held(const struct kinds *kinds, int kind)
{
	return kinds->resident ? kinds->of[kind].resident : kinds->of[kind].saved;
}

static unsigned bar_room(const struct kinds *kinds)
{
	unsigned width = terminal_width(), taken = kinds->resident && kinds->saved ? WIDTH + 11 : WIDTH;

	if (!terminal_is() || (width && width < taken + 8))
		return 0;
	return !width || width > taken + BAR_MOST ? BAR_MOST : width - taken;
}

static void put_bar(const struct kinds *kinds, int kind, unsigned room)
{
	if (!room || kind == KINDS || !held(kinds, kind))
		return;
	output_text("  ");
	bar_write(held(kinds, kind), held(kinds, KINDS), room);
}

void kinds_print(const struct kinds *kinds)
{
	unsigned room = bar_room(kinds);

	output_format("%s%s%s\n", colour_stdout(COLOUR_TITLE),
		      kinds->saved ? kinds->resident ? "KIND     COUNT    VIRTUAL   RESIDENT    SWAPPED      SAVED"
						     : "KIND     COUNT    VIRTUAL      SAVED"
				   : "KIND     COUNT    VIRTUAL   RESIDENT    SWAPPED",
		      colour_stdout(COLOUR_END));
	for (int i = 0; i <= KINDS; i++) {
		const struct kind_sum *kind = &kinds->of[i];

		if (!kind->count)
			continue;
		output_format("%-6s  %6" PRIu64, i < KINDS ? pidmem_kind_name((enum pidmem_kind)i) : "all",
			      kind->count);
		put_size_cell(kind->size);
		if (kinds->resident) {
			put_size_cell(kind->resident);
			put_size_cell(kind->swapped);
		}
		if (kinds->saved)
			put_size_cell(kind->saved);
		put_bar(kinds, i, room);
		output_char('\n');
	}
}
