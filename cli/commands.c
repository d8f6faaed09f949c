/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of commands. */
#include "command.h"
#include "failure.h"

#include <string.h>

const struct command *const commands[] = {
	&command_maps, &command_read, &command_dump, &command_why, &command_help,
};
const size_t command_count = sizeof(commands) / sizeof(commands[0]);

#define LONGEST_NAME 32

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < command_count; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many letters must be added, removed or replaced (Levenshtein); one row of the matrix is enough. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t row[LONGEST_NAME + 1];
	size_t length = strlen(b);

	if (length > LONGEST_NAME || strlen(a) > LONGEST_NAME)
		return LONGEST_NAME;
	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < length; j++) {
			size_t above = row[j + 1];

			row[j + 1] = least(least(above, row[j]) + 1, diagonal + (a[i] != b[j]));
			diagonal = above;
		}
	}
	return row[length];
}

void command_suggest(const char *wrong)
{
	size_t best = 3; /* further away than two slips it is another word */

	for (size_t i = 0; i < command_count; i++)
		best = least(best, edit_distance(wrong, commands[i]->name));
	for (size_t i = 0; best < 3 && i < command_count; i++)
		if (edit_distance(wrong, commands[i]->name) == best)
			hint("did you mean `pidmem %s`?", commands[i]->name);
	hint("`pidmem help` lists the commands");
}
