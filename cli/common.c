/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options that every command takes. */
#include "failure.h"
#include "options.h"
#include "selection.h"
#include "ui/colour.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct invocation given;

static int take_proc(struct invocation *invocation, const char *argument)
{
	if (!argument[0])
		return fail("--proc needs the directory of a mounted procfs");
	if (access(argument, X_OK) < 0)
		return fail("--proc \"%s\": %s", argument, strerror(errno));
	invocation->proc = argument;
	return 0;
}

static int take_consistency(struct invocation *invocation, const char *argument)
{
	for (int i = PIDMEM_LIVE; i <= PIDMEM_SNAPSHOT; i++) {
		if (strcmp(argument, pidmem_consistency_name((enum pidmem_consistency)i)) != 0)
			continue;
		invocation->consistency = (enum pidmem_consistency)i;
		invocation->consistency_given = true;
		return 0;
	}
	fail("\"%s\" is not a consistency", argument);
	hint("it is one of live, stopped, snapshot");
	return EXIT_FAILED;
}

static const char *const choices[] = { "auto", "never", "always" };

bool parse_when(const char *text, enum when *when)
{
	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		if (!strcmp(text, choices[i])) {
			*when = (enum when)i;
			return true;
		}
	}
	return false;
}

static int take_when(const char *option, const char *argument, enum when *when)
{
	if (parse_when(argument, when))
		return 0;
	fail("--%s: there is no choice \"%s\"", option, argument);
	hint("it is one of auto, never, always");
	return EXIT_FAILED;
}

static int take_colour(struct invocation *invocation, const char *argument)
{
	(void)invocation;
	enum when when = WHEN_AUTO;
	int failed = take_when("color", argument, &when);

	if (!failed)
		colour_choose(when);
	return failed;
}

static int take_progress(struct invocation *invocation, const char *argument)
{
	return take_when("progress", argument, &invocation->progress);
}

const struct command_option common_options[] = {
	{ 'h', "help", NULL, "show this help and exit", .flag = &given.help },
	{ 'V', "version", NULL, "show the version and exit", .flag = &given.version },
	{ 'j', "json", NULL, "print JSON", .flag = &given.json, .common = COMMON_JSON },
	{ 'q', "quiet", NULL, "no progress, warnings or hints", .flag = &given.quiet },
	{ 'R', "region", "SELECT",
	  "only these regions (repeatable): heap, stack, anon, file, shared, vdso, START-END, NAME[:PERMS]; "
	  "!SELECT leaves out",
	  .take = selection_add, .common = COMMON_REGION },
	{ 0, "consistency", "MODE",
	  "live: read while it runs; stopped: hold it meanwhile; snapshot: stop it for a moment, read it as it was "
	  "then",
	  .take = take_consistency, .common = COMMON_CONSISTENCY },
	{ 0, "files", NULL, "of a core: what it leaves out of mapped files from these, if they are the same ones still",
	  .flag = &given.files, .common = COMMON_FILES },
	{ 0, "color", "WHEN", "auto, never or always; auto obeys NO_COLOR", .take = take_colour },
	{ 0, "progress", "WHEN", "auto, never or always", .take = take_progress, .common = COMMON_PROGRESS },
	{ 0, "proc", "DIR", "use the procfs mounted at DIR; PIDs are those of that procfs", .take = take_proc,
	  .common = COMMON_PROC },
};
const size_t common_option_count = sizeof(common_options) / sizeof(common_options[0]);
