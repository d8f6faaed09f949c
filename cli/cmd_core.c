/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* core TARGET... - ELF core files of running processes. */
#include "command.h"
#include "core.h"
#include "failure.h"
#include "ui/output.h"
#include "ui/size.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILTER_BITS 0x1ffUL /* of core(5) */

static struct core_wish wish;
static const char *output;
static bool shared_given;

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

static int take_shared(struct invocation *invocation, const char *argument)
{
	static const char *const names[] = {
		[PIDMEM_SHARED_AUTO] = "auto",
		[PIDMEM_SHARED_PAUSED] = "paused",
		[PIDMEM_SHARED_AFTER] = "after",
	};

	(void)invocation;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(argument, names[i]) != 0)
			continue;
		wish.shared = (enum pidmem_shared)i;
		shared_given = true;
		return 0;
	}
	fail("--shared: there is no choice \"%s\"", argument);
	hint("it is one of auto, paused, after");
	return EXIT_FAILED;
}

static int take_shared_limit(struct invocation *invocation, const char *argument)
{
	(void)invocation;
	if (size_parse(argument, &wish.shared_limit) && wish.shared_limit)
		return 0;
	fail("--shared-limit: \"%s\" is not a size", argument);
	hint("it is a number of bytes with K, M, G or T for 1024 and so on: 64M; for none there is --shared=after");
	return EXIT_FAILED;
}

static int take_engine(struct invocation *invocation, const char *argument)
{
	(void)invocation;
	if (!strcmp(argument, "auto") || !strcmp(argument, "clone"))
		return 0;
	if (!strcmp(argument, "precopy"))
		fail("--engine=precopy is not there in this version");
	else
		fail("--engine: there is no choice \"%s\"", argument);
	hint("it is auto or clone, which is the same in this version");
	return EXIT_FAILED;
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
	if (strcmp(output, "-") != 0)
		return 0;
	if (invocation->operand_count > 1 || wish.tree) {
		fail("core: several core files cannot go to standard output");
		hint("name what they begin with: -o PREFIX gives PREFIX.PID");
		return EXIT_FAILED;
	}
	if (isatty(STDOUT_FILENO)) {
		fail("core: standard output is a terminal, and a core file is no text");
		hint("write it to a file or a pipe: `pidmem core -o - %s | zstd >core.zst`", invocation->operands[0]);
		return EXIT_FAILED;
	}
	return 0;
}

static int check_options(const struct invocation *invocation)
{
	bool live = invocation->consistency_given && invocation->consistency == PIDMEM_LIVE;

	if (wish.all && wish.filter) {
		fail("core: --all takes everything, --filter does not");
		hint("use one of the two");
		return EXIT_FAILED;
	}
	if (wish.shared_limit && wish.shared != PIDMEM_SHARED_AUTO) {
		fail("core: --shared-limit is for --shared=auto");
		hint("use one of the two");
		return EXIT_FAILED;
	}
	if (live && (wish.tree || shared_given || wish.shared_limit)) {
		fail("core: --consistency=live does not stop anything: %s has no meaning", wish.tree ? "--tree"
											   : wish.shared_limit
												   ? "--shared-limit"
												   : "--shared");
		hint("use --consistency=snapshot, or leave it out");
		return EXIT_FAILED;
	}
	return check_output(invocation);
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
	{ 0, "shared", "WHEN",
	  "when shared memory is read, which runs on: paused, while the process is stopped; after; auto: paused up to "
	  "a "
	  "limit",
	  .take = take_shared },
	{ 0, "shared-limit", "SIZE", "the limit of --shared=auto (default 4M)", .take = take_shared_limit },
	{ 0, "engine", "ENGINE", "how a snapshot is made: auto, or clone, a copy by one clone(2)",
	  .take = take_engine },
	{ 0, "force", NULL, "replace files that exist", .flag = &wish.force },
	{ 'z', "zstd", NULL, "compressed cores (-z) are not there in this version: `-o - | zstd` compresses one" },
	{ 0, "max-pause", "MS", "--max-pause is not there in this version" },
};

const struct command command_core = {
	.name = "core",
	.operands = "TARGET...",
	.least = 1,
	.most = INT_MAX,
	.summary = "write an ELF core of a process that runs on, for a debugger",
	.help = "The process stops for a moment, about as long as a fork() takes; a frozen copy of it is then written "
		"while it runs on. The file is what the kernel itself would write: gdb, lldb and others open it. Zeros "
		"are holes. Several processes are stopped together, so that their cores are of one moment.\n"
		"Where a copy cannot be had, the process stays stopped while it is written; where it cannot be "
		"stopped, "
		"it is read while it runs: this is told, with the reason. A --consistency that is given by hand fails "
		"instead. Outputs get mode 0600, and their name only when they are complete. With -o - the report goes "
		"to standard error.\n"
		"JSON, one object for each process: target, name, output, format, consistency, engine, fallback, "
		"pause_us, stops_us, threads, unstopped, shared (paused, after), account, holes, size (apparent, "
		"on_disk), elapsed_us.\n"
		"Exit status: 0 all that belongs into the core was read, 2 failure, nothing is left behind, 3 the core "
		"is there, but something that has content could not be read.",
	.common = COMMON_ALL,
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.run = run_core,
};
