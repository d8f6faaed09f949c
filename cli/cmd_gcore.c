/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gcore PID... - in place of gdb's gcore(1): its arguments, file names, messages and exit status. */
#include "command.h"
#include "core.h"
#include "failure.h"
#include "ui/output.h"

#include <limits.h>
#include <string.h>

/* gcore(1) ends with these; wrong usage is 2, as everywhere. */
enum {
	GCORE_SAVED = 0,
	GCORE_FAILED = 1,
};

static struct core_wish wish = { .output = "core", .numbered = true };

static int refuse(const char *operand)
{
	fail("gcore: \"%s\" is not a PID", operand);
	hint("`pidmem core -o FILE` converts core files and dumps");
	output_format("gcore: failed to create %s.%s\n", wish.output, operand);
	return EXIT_FAILED;
}

/* One after the other, as gcore does: each process stops for its own core alone. */
static int save_one(const struct invocation *invocation, int index)
{
	struct invocation one = *invocation;
	AUTO_SAVING saving = { NULL };
	int failed;

	/* gcore takes processes alone; a core of a file has no PID to be named by. */
	if (strspn(invocation->operands[index], "0123456789") != strlen(invocation->operands[index]))
		return refuse(invocation->operands[index]);
	one.operands = &invocation->operands[index];
	one.operand_count = 1;
	failed = core_save(&saving, &one, &wish);
	if (failed) {
		output_format("gcore: failed to create %s.%s\n", wish.output, one.operands[0]);
	} else {
		output_format("Saved corefile %s\n", saving.saves[0].place);
		saving_status(&saving); /* what could not be read is told; gcore succeeds all the same */
	}
	output_flush(); /* before the next one is begun */
	return failed;
}

static int run_gcore(const struct invocation *invocation)
{
	for (int i = 0; i < invocation->operand_count; i++)
		if (save_one(invocation, i))
			return GCORE_FAILED;
	return GCORE_SAVED;
}

static const struct command_option options[] = {
	{ 'a', "all", NULL, "everything that can be read, whatever the filter and MADV_DONTDUMP say",
	  .flag = &wish.all },
	{ 'o', "output", "PREFIX", "what the names of the files begin with (default core): PREFIX.PID",
	  .text = &wish.output },
	{ 0, "force", NULL, "replace files that exist", .flag = &wish.force },
};

const struct command command_gcore = {
	.name = "gcore",
	.operands = "PID...",
	.least = 1,
	.most = INT_MAX,
	.summary = "write cores as gdb's gcore does: arguments, names, messages",
	.usage = "usage:  gcore [-a] [-o prefix] pid1 [pid2...pidN]",
	.help = "A drop-in for gdb's gcore: also when pidmem is called by that name, through a link. The cores are "
		"those "
		"of `pidmem core`, one process after the other; the first failure ends it. Other than gcore it does "
		"not "
		"write over a file that exists, unless told to with --force.\n"
		"Exit status, as of gcore: 0 the cores are there, 1 failure, 2 wrong usage.",
	.common = COMMON_CONSISTENCY | COMMON_PROGRESS | COMMON_PROC,
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.run = run_gcore,
};
