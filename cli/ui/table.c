/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ui/table.h"
#include "ui/colour.h"
#include "ui/output.h"

#include <string.h>

/* Two blanks between columns; none after the last one. */
static void put_cell(const struct column *column, const char *text, size_t length, bool last)
{
	size_t padding = length < column->width ? column->width - length : 0;

	if (column->right)
		output_pad(' ', padding);
	output_bytes(text, length);
	if (!column->right && !last)
		output_pad(' ', padding);
	if (!last)
		output_bytes("  ", 2);
}

static void write_cell(const struct column *column, const void *row, bool last)
{
	uint64_t start = output_position();

	column->write(row);
	if (last)
		return;
	for (uint64_t length = output_position() - start; length < column->width; length++)
		output_char(' ');
	output_bytes("  ", 2);
}

void table_title(const struct column *const *columns, size_t count)
{
	output_text(colour_stdout(COLOUR_TITLE));
	for (size_t i = 0; i < count; i++)
		put_cell(columns[i], columns[i]->title, strlen(columns[i]->title), i + 1 == count);
	output_text(colour_stdout(COLOUR_END));
	output_char('\n');
}

void table_row(const struct column *const *columns, size_t count, const void *row)
{
	for (size_t i = 0; i < count; i++) {
		char cell[CELL_SIZE];

		if (columns[i]->write)
			write_cell(columns[i], row, i + 1 == count);
		else
			put_cell(columns[i], cell, (size_t)(columns[i]->put(cell, row) - cell), i + 1 == count);
	}
	output_char('\n');
}
