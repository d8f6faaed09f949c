/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ui/table.h"
#include "ui/colour.h"
#include "ui/output.h"

#include <string.h>

/* Two blanks between columns. They are owed until something follows them, so that no line ends in blanks. */
struct line {
	size_t owed;
};

static void pay(struct line *line)
{
	output_pad(' ', line->owed);
	line->owed = 0;
}

static void put_cell(struct line *line, const struct column *column, const char *text, size_t length)
{
	size_t padding = length < column->width ? column->width - length : 0;

	if (column->right)
		line->owed += padding;
	if (length) {
		pay(line);
		output_bytes(text, length);
	}
	line->owed += (column->right ? 0 : padding) + 2;
}

static void write_cell(struct line *line, const struct column *column, const void *row)
{
	size_t length = 0;

	if (!column->empty || !column->empty(row)) {
		pay(line);
		length = column->write(row);
	}
	line->owed += (length < column->width ? column->width - length : 0) + 2;
}

void table_title(const struct column *columns, size_t count)
{
	struct line line = { 0 };

	output_text(colour_stdout(COLOUR_TITLE));
	for (size_t i = 0; i < count; i++)
		put_cell(&line, &columns[i], columns[i].title, strlen(columns[i].title));
	output_text(colour_stdout(COLOUR_END));
	output_char('\n');
}

void table_row(const struct column *columns, size_t count, const void *row)
{
	struct line line = { 0 };

	for (size_t i = 0; i < count; i++) {
		char cell[CELL_SIZE];

		if (columns[i].write)
			write_cell(&line, &columns[i], row);
		else
			put_cell(&line, &columns[i], cell, (size_t)(columns[i].put(cell, row) - cell));
	}
	output_char('\n');
}
