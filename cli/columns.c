/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "columns.h"
#include "failure.h"
#include "saved.h"
#include "ui/output.h"
#include "ui/region.h"
#include "ui/size.h"
#include "ui/strip.h"
#include "ui/text.h"

#include <stdio.h>
#include <string.h>

static char *put_some(char *cell, uint64_t bytes)
{
	return bytes ? put_size(cell, bytes) : put_text(cell, "-");
}

#define COLUMN(name, expression)                             \
	static char *put_##name(char *cell, const void *row) \
	{                                                    \
		const struct pidmem_region *region = row;    \
		return expression;                           \
	}

COLUMN(start_cell, put_hex(cell, region->start))
COLUMN(end_cell, put_end(cell, region->start, region->size))
COLUMN(perms_cell, put_perms(cell, region))
COLUMN(dev_cell, put_dev(cell, region))
COLUMN(size_cell, put_size(cell, region->size))
COLUMN(rss, put_some(cell, region->resident))
COLUMN(swap, put_some(cell, region->swapped))
COLUMN(saved, put_some(cell, saved_size(region)))
COLUMN(kind, put_text(cell, pidmem_kind_name(region->kind)))
COLUMN(offset, put_hex(cell, region->offset))
COLUMN(inode, put_decimal(cell, region->inode))
COLUMN(pss, put_some(cell, region->usage->pss))
COLUMN(shared_clean, put_some(cell, region->usage->shared_clean))
COLUMN(shared_dirty, put_some(cell, region->usage->shared_dirty))
COLUMN(private_clean, put_some(cell, region->usage->private_clean))
COLUMN(private_dirty, put_some(cell, region->usage->private_dirty))
COLUMN(referenced, put_some(cell, region->usage->referenced))
COLUMN(anonymous, put_some(cell, region->usage->anonymous))
COLUMN(huge, put_some(cell, region->usage->anon_huge))
COLUMN(swap_pss, put_some(cell, region->usage->swap_pss))
COLUMN(locked, put_some(cell, region->usage->locked))

static char *put_range(char *cell, const void *row)
{
	cell = put_start_cell(cell, row);
	*cell++ = '-';
	return put_end_cell(cell, row);
}

static char *put_flags(char *cell, const void *row)
{
	/* PIDMEM_VM_*, in their order; the words of VmFlags in proc_pid_smaps(5). */
	static const char words[][3] = { "io", "pf", "dd", "dc", "wf", "ht", "um", "uw", "ui", "lo", "dp" };
	const struct pidmem_region *region = row;
	char *end = cell;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!(region->usage->flags >> i & 1))
			continue;
		if (end > cell)
			*end++ = ' ';
		end = put_text(end, words[i]);
	}
	return end > cell ? end : put_text(cell, "-");
}

static bool has_no_name(const void *row)
{
	const struct pidmem_region *region = row;

	return !region->path_size && !region->deleted;
}

/* How many columns of the screen are left for a name, or 0: any number. */
static size_t name_room;

void columns_cut_names(size_t room)
{
	name_room = room;
}

static size_t write_path(const void *row)
{
	const struct pidmem_region *region = row;

	return output_escaped(region->path, region->path_size);
}

/* Path and mark of a deleted file. */
static size_t write_name(const void *row)
{
	const struct pidmem_region *region = row;
	const char *mark = region->deleted ? " (deleted)" : "";
	size_t room = name_room > strlen(mark) + 1 ? name_room - strlen(mark) : 2;
	size_t length = name_room ? output_end(region->path, region->path_size, room) : write_path(row);

	output_text(mark);
	return length + strlen(mark);
}

#define COLUMN_SAVED 0x100U /* of files alone */
#define COLUMN_STRIP 0x200U /* of processes alone */

static const struct {
	struct column column;
	unsigned needs;
} table[] = {
	{ { "range", "RANGE", 25, false, put_range }, 0 },
	{ { "start", "START", 12, true, put_start_cell }, 0 },
	{ { "end", "END", 12, true, put_end_cell }, 0 },
	{ { "perms", "PERM", 4, false, put_perms_cell }, 0 },
	{ { "size", "SIZE", 8, true, put_size_cell }, 0 },
	{ { "rss", "RESIDENT", 8, true, put_rss }, PIDMEM_MAPS_RESIDENCE },
	{ { "swap", "SWAPPED", 8, true, put_swap }, PIDMEM_MAPS_RESIDENCE },
	{ { "saved", "SAVED", 8, true, put_saved }, COLUMN_SAVED },
	{ { "kind", "KIND", 6, false, put_kind }, 0 },
	{ { "name", "NAME", 32, false, NULL, write_name, has_no_name }, 0 },
	{ { "path", "PATH", 32, false, NULL, write_path, has_no_name }, 0 },
	{ { "offset", "OFFSET", 8, true, put_offset }, 0 },
	{ { "dev", "DEV", 5, false, put_dev_cell }, 0 },
	{ { "inode", "INODE", 10, true, put_inode }, 0 },
	{ { "strip", "PAGES", STRIP_WIDTH, false, NULL, strip_write }, PIDMEM_MAPS_RESIDENCE | COLUMN_STRIP },
	{ { "pss", "PSS", 8, true, put_pss }, PIDMEM_MAPS_USAGE },
	{ { "shared_clean", "SH.CLEAN", 8, true, put_shared_clean }, PIDMEM_MAPS_USAGE },
	{ { "shared_dirty", "SH.DIRTY", 8, true, put_shared_dirty }, PIDMEM_MAPS_USAGE },
	{ { "private_clean", "PR.CLEAN", 8, true, put_private_clean }, PIDMEM_MAPS_USAGE },
	{ { "private_dirty", "PR.DIRTY", 8, true, put_private_dirty }, PIDMEM_MAPS_USAGE },
	{ { "referenced", "REFERNCD", 8, true, put_referenced }, PIDMEM_MAPS_USAGE },
	{ { "anonymous", "ANON", 8, true, put_anonymous }, PIDMEM_MAPS_USAGE },
	{ { "huge", "HUGE", 8, true, put_huge }, PIDMEM_MAPS_USAGE },
	{ { "swap_pss", "SWAP PSS", 8, true, put_swap_pss }, PIDMEM_MAPS_USAGE },
	{ { "locked", "LOCKED", 8, true, put_locked }, PIDMEM_MAPS_USAGE },
	{ { "flags", "FLAGS", 8, false, put_flags }, PIDMEM_MAPS_USAGE },
};
#define TABLE_SIZE (sizeof(table) / sizeof(table[0]))

static int unknown_column(const char *name, size_t length)
{
	char names[512] = "";
	size_t used = 0;

	for (size_t i = 0; i < TABLE_SIZE; i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", i ? ", " : "",
					 table[i].column.name);
	fail("maps has no column \"%.*s\"", (int)length, name);
	hint("columns are %s", names);
	return EXIT_FAILED;
}

int columns_choose(const char *names, struct column_choice *choice)
{
	choice->count = 0;
	choice->needs = 0;
	while (true) {
		size_t length = strcspn(names, ","), i = 0;

		while (i < TABLE_SIZE &&
		       (strncmp(table[i].column.name, names, length) != 0 || table[i].column.name[length] != '\0'))
			i++;
		if (i == TABLE_SIZE)
			return unknown_column(names, length);
		if (choice->count == MOST_COLUMNS)
			return fail("more than %d columns", MOST_COLUMNS);
		choice->columns[choice->count++] = table[i].column;
		choice->needs |= table[i].needs;
		if (!names[length])
			return 0;
		names += length + 1;
	}
}

int columns_check_file(const struct column_choice *choice, const char *path, bool usage)
{
	unsigned refused = PIDMEM_MAPS_USAGE | COLUMN_STRIP | (usage ? 0 : PIDMEM_MAPS_RESIDENCE);

	for (size_t i = 0; i < choice->count; i++) {
		size_t at = 0;

		while (strcmp(table[at].column.name, choice->columns[i].name) != 0)
			at++;
		if (!(table[at].needs & refused))
			continue;
		fail("maps: %s does not tell what the column %s shows", path, choice->columns[i].name);
		hint("columns of every file are range, start, end, perms, size, saved, kind, name, path, offset");
		return EXIT_FAILED;
	}
	return 0;
}

void columns_set_strip(struct column_choice *choice, unsigned width)
{
	for (size_t i = 0; i < choice->count; i++)
		if (choice->columns[i].write == strip_write)
			choice->columns[i].width = width;
}

size_t columns_width(const struct column_choice *choice)
{
	size_t width = 0;

	for (size_t i = 0; i < choice->count; i++)
		if (choice->columns[i].write != write_name)
			width += choice->columns[i].width + 2;
	return width;
}

void columns_fit(struct column_choice *choice, const struct pidmem_region *last)
{
	for (size_t i = 0; i < choice->count; i++) {
		struct column *column = &choice->columns[i];
		char cell[CELL_SIZE];
		size_t width;

		if (column->put != put_range && column->put != put_start_cell && column->put != put_end_cell)
			continue;
		width = (size_t)(column->put(cell, last) - cell);
		if (width > column->width)
			column->width = (unsigned)width;
	}
}
