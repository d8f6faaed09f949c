/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of commands. */
#include "command.h"
#include "failure.h"
#include "near.h"

#include <stdint.h>
#include <string.h>

const struct command *const commands[] = {
	&command_maps,  &command_read, &command_find,   &command_diff, &command_dump, &command_core,
	&command_gcore, &command_info, &command_report, &command_why,  &command_help,
};
const size_t command_count = sizeof(commands) / sizeof(commands[0]);

const struct command *command_by_name(const char *name)
{
	for (size_t i = 0; i < command_count; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static void suggest(const char *wrong)
{
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < command_count; i++)
		if (near_distance(wrong, commands[i]->name) < best)
			best = near_distance(wrong, commands[i]->name);
	for (size_t i = 0; best < SIZE_MAX && i < command_count; i++)
		if (near_distance(wrong, commands[i]->name) == best)
			hint("did you mean `pidmem %s`?", commands[i]->name);
}

int command_unknown(const char *wrong)
{
	fail("there is no command \"%s\"", wrong);
	if (wrong[0] && !wrong[strspn(wrong, "0123456789")])
		hint("a command stands before the PID: `pidmem maps %s`", wrong);
	suggest(wrong);
	hint("`pidmem help` lists the commands");
	return EXIT_FAILED;
}
