/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* core TARGET... - ELF core files of running processes. */
#include "command.h"
#include "confine.h"
#include "core.h"
#include "failure.h"
#include "pausing.h"
#include "ui/output.h"
#include "writing.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILTER_BITS 0x1ffUL /* of core(5) */

static struct core_wish wish;
static const char *output;

/* As /proc/PID/coredump_filter shows it: hex, with or without 0x. */
static int take_filter(struct invocation *invocation, const char *argument)
{
	const char *digits = argument + (!strncmp(argument, "0x", 2) || !strncmp(argument, "0X", 2) ? 2 : 0);
	unsigned long mask = strtoul(digits, NULL, 16);

	(void)invocation;
	if (!digits[0] || digits[strspn(digits, "0123456789abcdefABCDEF")]) {
		fail("--filter: \"%s\" is not a mask", argument);
		hint("it is hex, as in /proc/PID/coredump_filter: 33; core(5) tells what the bits are");
		return EXIT_FAILED;
	}
	if (mask & ~FILTER_BITS) {
		fail("--filter: \"%s\" has bits that mean nothing", argument);
		hint("core(5) knows bits 0 to 8: the mask is hex, and 1ff at most; --all takes everything");
		return EXIT_FAILED;
	}
	wish.filter = PIDMEM_CORE_FILTER | (unsigned)mask;
	return 0;
}

static int check_output(const struct invocation *invocation)
{
	if (!output)
		return 0;
	if (!output[0]) {
		fail("core: the name of the output is empty");
		hint("without -o the file is core.PID");
		return EXIT_FAILED;
	}
	if (!strcmp(output, "/dev/stdout")) {
		fail("%s is a symbolic link: not written to", output);
		hint("-o - writes to standard output");
		return EXIT_FAILED;
	}
	if (strcmp(output, "-") != 0)
		return 0;
	if (invocation->operand_count > 1 || wish.tree) {
		fail("core: several core files cannot go to standard output");
		hint("name what they begin with: -o PREFIX gives PREFIX.PID");
		return EXIT_FAILED;
	}
	if (isatty(STDOUT_FILENO)) {
		fail("core: standard output is a terminal, and a core file is no text");
		hint("write it to a file or a pipe: `pidmem core -z -o - %s >core.zst`", invocation->operands[0]);
		return EXIT_FAILED;
	}
	return 0;
}

static int check_options(const struct invocation *invocation)
{
	int failed;

	if (wish.all && wish.filter) {
		fail("core: --all takes everything, --filter does not");
		hint("use one of the two");
		return EXIT_FAILED;
	}
	failed = pausing_check(invocation);
	if (!failed)
		failed = writing_check(invocation, output && !strcmp(output, "-"));
	return failed ? failed : check_output(invocation);
}

static int run_core(const struct invocation *invocation)
{
	AUTO_SAVING saving = { NULL };
	int failed;

	failed = check_options(invocation);
	if (failed)
		return failed;
	wish.output = output ? output : "core";
	wish.numbered = !output || invocation->operand_count > 1 || wish.tree;
	if (output && !strcmp(output, "-"))
		output_to_stderr();
	confine_output(output);
	failed = core_save(&saving, invocation, &wish);
	return failed ? failed : saving_tell(&saving);
}

static const struct command_option options[] = {
	{ 'o', "output", "FILE",
	  "the file to write (default core.PID), - for standard output; of several processes what their files begin "
	  "with: "
	  "FILE.PID",
	  .text = &output },
	{ 'a', "all", NULL, "everything that can be read, whatever the filter and MADV_DONTDUMP say",
	  .flag = &wish.all },
	{ 0, "filter", "MASK",
	  "which kinds of regions: hex, as in /proc/PID/coredump_filter, which is the default; see core(5)",
	  .take = take_filter },
	{ 0, "tree", NULL, "all descendants as well, at the same moment", .flag = &wish.tree },
	PAUSING_OPTIONS,
	WRITING_OPTIONS,
	{ 0, "force", NULL, "replace files that exist", .flag = &wish.force },
};

const struct command command_core = {
	.name = "core",
	.operands = "TARGET...",
	.least = 1,
	.most = INT_MAX,
	.all_targets = true,
	.summary = "write an ELF core of a process that runs on, for a debugger",
	.help = "The process stops for a moment; the core, how it was then, is written while it runs on. The file is "
		"what the "
		"kernel itself would write: gdb, lldb and others open it. Zeros are holes. Several processes are "
		"stopped "
		"together, so that their cores are of one moment.\n"
		"Where no snapshot can be had, the process stays stopped while it is read; where it cannot be stopped, "
		"it is read while it runs: this is told, with the reason. A --consistency that is given by hand fails "
		"instead. Outputs get mode 0600, and their name only when they are complete. With -o - the report goes "
		"to standard error.\n"
		"JSON, one object for each process: target, name, output, format, consistency, engine, passes, "
		"fallback, pause_us, stops_us, threads, unstopped, untracked, shared (paused, after), account, holes, "
		"size (apparent, on_disk), elapsed_us, zombies.\n"
		"Exit status: 0 all that belongs into the core was read, 2 failure, nothing is left behind, 3 the core "
		"is there, but something that has content could not be read.",
	.common = COMMON_ALL,
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.run = run_core,
};
