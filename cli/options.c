/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "options.h"
#include "failure.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

static struct invocation chosen;

static int take_region(struct invocation *invocation, const char *argument)
{
	struct pidmem_error error;

	if (!invocation->select && pidmem_select_new(&error, &invocation->select) < 0)
		return fail_with(&error);
	if (pidmem_select_add(invocation->select, argument, &error) < 0)
		return fail_with(&error);
	return 0;
}

static int take_proc(struct invocation *invocation, const char *argument)
{
	if (!argument[0])
		return fail("--proc needs the directory of a mounted procfs");
	if (access(argument, X_OK) < 0)
		return fail("--proc=%s: %s", argument, strerror(errno));
	invocation->proc = argument;
	return 0;
}

static int take_consistency(struct invocation *invocation, const char *argument)
{
	(void)invocation;
	if (!strcmp(argument, "live"))
		return 0;
	if (strcmp(argument, "stopped") != 0 && strcmp(argument, "snapshot") != 0) {
		fail("%s is not a consistency", argument);
		hint("it is one of live, stopped, snapshot; this version has only live");
		return EXIT_FAILED;
	}
	fail("--consistency=%s is not there in this version: it reads only `live`, while the process runs on",
	     argument);
	hint("to hold the process still, send it SIGSTOP yourself, then SIGCONT");
	return EXIT_FAILED;
}

static int take_when(const char *option, const char *argument, enum when *when)
{
	static const char *const names[] = { "auto", "never", "always" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(argument, names[i])) {
			*when = (enum when)i;
			return 0;
		}
	}
	fail("--%s=%s: there is no such choice", option, argument);
	hint("it is one of auto, never, always");
	return EXIT_FAILED;
}

static int take_colour(struct invocation *invocation, const char *argument)
{
	return take_when("color", argument, &invocation->colour);
}

static int take_progress(struct invocation *invocation, const char *argument)
{
	return take_when("progress", argument, &invocation->progress);
}

const struct command_option common_options[] = {
	{ 'h', "help", NULL, "show this help and exit", .flag = &chosen.help },
	{ 'V', "version", NULL, "show the version and exit", .flag = &chosen.version },
	{ 'j', "json", NULL, "print JSON", .flag = &chosen.json },
	{ 'q', "quiet", NULL, "no progress, warnings or hints", .flag = &chosen.quiet },
	{ 'R', "region", "SELECT",
	  "only these regions (repeatable): heap, stack, anon, file, shared, vdso, START-END, NAME[:PERMS]; "
	  "!SELECT leaves out",
	  .take = take_region },
	{ 0, "consistency", "MODE", "live (stopped and snapshot are not there in this version)",
	  .take = take_consistency },
	{ 0, "color", "WHEN", "auto, never or always; auto obeys NO_COLOR", .take = take_colour },
	{ 0, "progress", "WHEN", "auto, never or always", .take = take_progress },
	{ 0, "proc", "DIR", "use the procfs mounted at DIR; PIDs are those of that procfs", .take = take_proc },
};
const size_t common_option_count = sizeof(common_options) / sizeof(common_options[0]);

#define MOST_OPTIONS 32
#define LONG_ONLY 256 /* values of options without a letter begin above every letter */

/* The tables in the form that getopt_long(3) wants. */
struct grammar {
	const struct command_option *options[MOST_OPTIONS];
	struct option longs[MOST_OPTIONS + 1];
	char shorts[2 * MOST_OPTIONS + 3];
	size_t count;
};

static void grammar_add(struct grammar *grammar, const struct command_option *options, size_t count)
{
	size_t end = strlen(grammar->shorts);

	for (size_t i = 0; i < count && grammar->count < MOST_OPTIONS; i++) {
		const struct command_option *option = &options[i];
		struct option *entry = &grammar->longs[grammar->count];

		entry->name = option->name;
		entry->has_arg = option->argument ? required_argument : no_argument;
		entry->val = option->letter ? option->letter : LONG_ONLY + (int)grammar->count;
		if (option->letter) {
			grammar->shorts[end++] = option->letter;
			if (option->argument)
				grammar->shorts[end++] = ':';
		}
		grammar->options[grammar->count++] = option;
	}
	grammar->shorts[end] = '\0';
}

static const struct command_option *grammar_find(const struct grammar *grammar, int value)
{
	for (size_t i = 0; i < grammar->count; i++)
		if (grammar->longs[i].val == value)
			return grammar->options[i];
	return NULL;
}

/* `word` is the one read last; in a bundle such as -abc it may be the one before. */
static int bad_option(const struct grammar *grammar, const char *word, int result)
{
	const char *name = chosen.command ? chosen.command->name : "", *colon = chosen.command ? ": " : "";
	const struct command_option *known = grammar_find(grammar, optopt);

	if (result == ':')
		fail("%s%sthe option --%s needs an argument: %s", name, colon, known->name, known->argument);
	else if (known)
		fail("%s%sthe option --%s takes no argument", name, colon, known->name);
	else if (optopt)
		fail("%s%sthere is no option -%c", name, colon, optopt);
	else
		fail("%s%sthere is no option %s", name, colon, word);
	if (isdigit(optopt))
		hint("PIDs, addresses and lengths are never negative");
	else if (chosen.command)
		hint("`pidmem help %s` lists its options", chosen.command->name);
	else
		hint("`pidmem help` lists the options of all commands; those of one command stand behind its name");
	return EXIT_FAILED;
}

/* Read options until the end, or with a leading '+' in the grammar until the first word that is none. */
static int read_options(int argc, char **argv, const struct grammar *grammar)
{
	opterr = 0;
	optind = 0; /* start afresh: getopt(3), notes on glibc */
	while (true) {
		const struct command_option *option;
		int result, failed = 0;

		result = getopt_long(argc, argv, grammar->shorts, grammar->longs, NULL);
		if (result == -1)
			return 0;
		option = result == '?' || result == ':' ? NULL : grammar_find(grammar, result);
		if (!option)
			return bad_option(grammar, argv[optind - 1], result);
		if (option->flag)
			*option->flag = true;
		else if (option->text)
			*option->text = optarg;
		else
			failed = option->take(&chosen, optarg);
		if (failed)
			return failed;
		failure_quiet(chosen.quiet);
	}
}

static int check_operands(const struct command *command)
{
	if (chosen.operand_count < command->least) {
		fail("%s needs %s", command->name, command->operands);
		hint("usage: pidmem %s [OPTIONS] %s", command->name, command->operands);
		return EXIT_FAILED;
	}
	if (chosen.operand_count > command->most) {
		fail("%s: one argument too many: %s", command->name, chosen.operands[command->most]);
		hint("usage: pidmem %s [OPTIONS] %s", command->name, command->operands);
		return EXIT_FAILED;
	}
	return 0;
}

int options_read(int argc, char **argv, struct invocation **invocation)
{
	struct grammar common = { .shorts = "+:" }, all = { .shorts = ":" };
	const struct command *command;
	int first, failed;

	/* Common options may stand before the command; which other options there are depends on it. */
	grammar_add(&common, common_options, common_option_count);
	failed = read_options(argc, argv, &common);
	if (failed)
		return failed;
	*invocation = &chosen;
	first = optind;
	if (chosen.version || (chosen.help && first >= argc))
		return 0;
	if (first >= argc) {
		fail("no command");
		hint("`pidmem help` lists the commands");
		return EXIT_FAILED;
	}
	command = command_find(argv[first]);
	if (!command) {
		fail("there is no command `%s`", argv[first]);
		command_suggest(argv[first]);
		return EXIT_FAILED;
	}
	chosen.command = command;
	grammar_add(&all, common_options, common_option_count);
	grammar_add(&all, command->options, command->option_count);
	failed = read_options(argc - first, argv + first, &all);
	if (failed)
		return failed;
	chosen.operands = argv + first + optind;
	chosen.operand_count = argc - first - optind;
	return chosen.help || chosen.version ? 0 : check_operands(command);
}
