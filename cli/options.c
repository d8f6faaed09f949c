/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "options.h"
#include "failure.h"
#include "near.h"
#include "ui/colour.h"
#include "ui/output.h"

#include <getopt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MOST_OPTIONS 32
#define LONG_ONLY 256 /* values of options without a letter begin above every letter */

/* The tables in the form that getopt_long(3) wants. */
struct grammar {
	const struct command_option *options[MOST_OPTIONS];
	struct option longs[MOST_OPTIONS + 1];
	char shorts[3 * MOST_OPTIONS + 3];
	size_t count;
};

static void grammar_add(struct grammar *grammar, const struct command_option *options, size_t count)
{
	size_t end = strlen(grammar->shorts);

	for (size_t i = 0; i < count && grammar->count < MOST_OPTIONS; i++) {
		const struct command_option *option = &options[i];
		struct option *entry = &grammar->longs[grammar->count];

		entry->name = option->name;
		entry->has_arg = !option->argument            ? no_argument
				 : option->argument[0] == '[' ? optional_argument
							      : required_argument;
		entry->val = option->letter ? option->letter : LONG_ONLY + (int)grammar->count;
		if (option->letter) {
			grammar->shorts[end++] = option->letter;
			for (int colons = entry->has_arg; colons > 0; colons--) /* one, or two if it is optional */
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

/* getopt_long() also takes what begins like one name alone: a script would break with the next option of that kind. */
static bool is_abbreviation(const struct grammar *grammar, const char *word)
{
	size_t length = strcspn(word, "=");

	if (length < 3 || strncmp(word, "--", 2) != 0)
		return false;
	for (size_t i = 0; i < grammar->count; i++)
		if (strlen(grammar->longs[i].name) == length - 2 &&
		    !strncmp(grammar->longs[i].name, word + 2, length - 2))
			return false;
	return true;
}

static void hint_options(void)
{
	if (given.command)
		hint("`pidmem help %s` lists its options", given.command->name);
	else
		hint("`pidmem help` lists the options of all commands; those of one command stand behind its name");
}

static int no_long_option(const struct grammar *grammar, const char *word)
{
	const char *name = given.command ? given.command->name : "", *colon = given.command ? ": " : "";
	int length = (int)strcspn(word, "=");
	char wrong[64] = "";

	fail("%s%sthere is no option \"%.*s\"", name, colon, length, word);
	if (length > 2 && (size_t)length - 2 < sizeof(wrong))
		memcpy(wrong, word + 2, (size_t)length - 2);
	for (size_t i = 0; wrong[0] && i < grammar->count; i++) {
		const char *option = grammar->longs[i].name;

		if (!strncmp(option, wrong, strlen(wrong)) || near_distance(wrong, option) != SIZE_MAX)
			hint("did you mean --%s?", option);
	}
	hint_options();
	return EXIT_FAILED;
}

static int no_short_option(int argc, char **argv)
{
	const char *name = given.command ? given.command->name : "", *colon = given.command ? ": " : "";
	char letter = (char)optopt;
	/* The word is behind us if the letter was the last in it; else getopt() is still in the middle of it. */
	const char *word = optind < argc && argv[optind][0] == '-' && strchr(argv[optind], letter) ? argv[optind]
												   : argv[optind - 1];

	if (letter > ' ' && letter < 0x7f)
		fail("%s%sthere is no option \"-%c\"", name, colon, letter);
	else
		fail("%s%sthere is no option \"%s\"", name, colon, word); /* one byte of a character tells nothing */
	if (letter >= '0' && letter <= '9')
		hint("PIDs, addresses and lengths are never negative; what looks like an option stands behind --");
	else
		hint_options();
	return EXIT_FAILED;
}

static int bad_option(const struct grammar *grammar, int argc, char **argv, int result)
{
	const char *name = given.command ? given.command->name : "", *colon = given.command ? ": " : "";
	const struct command_option *known = optopt ? grammar_find(grammar, optopt) : NULL;
	const char *word = argv[optind - 1]; /* of long options the right one; of short ones maybe the one before */

	if (!optopt || (known && is_abbreviation(grammar, word)))
		return no_long_option(grammar, word);
	if (!known)
		return no_short_option(argc, argv);
	if (result == ':')
		fail("%s%sthe option --%s needs an argument: %s", name, colon, known->name, known->argument);
	else
		fail("%s%sthe option --%s takes no argument", name, colon, known->name);
	hint_options();
	return EXIT_FAILED;
}

static int take(const struct command_option *option)
{
	if (option_is_planned(option)) {
		fail("%s: %s", given.command->name, option->help);
		hint_options();
		return EXIT_FAILED;
	}
	if (option->take)
		return option->take(&given, optarg);
	if (option->text)
		*option->text = optarg ? optarg : "";
	else
		*option->flag = true;
	return 0;
}

/* Read options until the end, or with a leading '+' in the grammar until the first word that is none. */
static int read_options(int argc, char **argv, const struct grammar *grammar, unsigned long *seen)
{
	opterr = 0;
	optind = 0; /* start afresh: getopt(3), notes on glibc */
	while (true) {
		const struct command_option *option;
		int result, index = -1, failed;

		result = getopt_long(argc, argv, grammar->shorts, grammar->longs, &index);
		if (result == -1)
			return 0;
		option = result == '?' || result == ':' ? NULL : grammar_find(grammar, result);
		if (!option)
			return bad_option(grammar, argc, argv, result);
		if (index >= 0) {
			const char *word = argv[optind - 1] == optarg ? argv[optind - 2] : argv[optind - 1];

			if (is_abbreviation(grammar, word))
				return no_long_option(grammar, word);
		}
		failed = take(option);
		if (failed)
			return failed;
		*seen |= option->common;
		failure_quiet(given.quiet);
	}
}

/* An option that would do nothing is refused: whoever gave it expects something of it. */
static int check_common(const struct command *command, unsigned long seen)
{
	for (size_t i = 0; i < common_option_count; i++) {
		if (!(common_options[i].common & seen & ~command->common))
			continue;
		fail("%s: --%s has no meaning here", command->name, common_options[i].name);
		hint("`pidmem help %s` tells what %s does", command->name, command->name);
		return EXIT_FAILED;
	}
	return 0;
}

static int check_operands(const struct command *command)
{
	if (given.operand_count < command->least) {
		fail("%s needs %s", command->name, command->operands);
		hint("usage: pidmem %s [OPTIONS] %s", command->name, command->operands);
		return EXIT_FAILED;
	}
	if (given.operand_count > command->most) {
		fail("%s: one argument too many: \"%s\"", command->name, given.operands[command->most]);
		hint("usage: pidmem %s [OPTIONS] %s", command->name, command->operands);
		return EXIT_FAILED;
	}
	return 0;
}

/* Colours before anything else is read: what is wrong with the other options is told in them, or without. */
static void find_colour(int argc, char **argv)
{
	enum when when = WHEN_AUTO;

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (!strncmp(argv[i], "--color=", 8))
			parse_when(argv[i] + 8, &when);
		else if (!strcmp(argv[i], "--color") && i + 1 < argc)
			parse_when(argv[i + 1], &when);
	}
	colour_choose(when);
}

/* A link to pidmem of the name of a command that stands in for another program: it is that command. */
static const struct command *find_by_program(const char *program)
{
	const char *slash = strrchr(program, '/');
	const struct command *command = command_by_name(slash ? slash + 1 : program);

	return command && command->usage ? command : NULL;
}

/* What stands before the command: common options. 0 with *first, the place of its name or `argc` if there is none. */
static int read_until_command(int argc, char **argv, unsigned long *seen, int *first)
{
	struct grammar common = { .shorts = "+:" };
	int failed;

	given.command = argc > 0 ? find_by_program(argv[0]) : NULL;
	*first = 0;
	if (given.command)
		return 0;
	grammar_add(&common, common_options, common_option_count);
	failed = read_options(argc, argv, &common, seen);
	*first = optind;
	if (failed || given.version || (given.help && optind >= argc))
		return failed;
	if (optind >= argc) {
		fail("no command");
		hint("`pidmem help` lists the commands");
		return EXIT_FAILED;
	}
	given.command = command_by_name(argv[optind]);
	return given.command ? 0 : command_unknown(argv[optind]);
}

static int read_all(int argc, char **argv)
{
	struct grammar all = { .shorts = ":" };
	unsigned long seen = 0;
	int first, failed;

	failed = read_until_command(argc, argv, &seen, &first);
	if (failed || !given.command)
		return failed;
	/* Which other options there are depends on the command. */
	grammar_add(&all, common_options, common_option_count);
	grammar_add(&all, given.command->options, given.command->option_count);
	failed = read_options(argc - first, argv + first, &all, &seen);
	if (failed)
		return failed;
	given.operands = argv + first + optind;
	given.operand_count = argc - first - optind;
	if (given.help || given.version)
		return 0;
	failed = check_common(given.command, seen);
	return failed ? failed : check_operands(given.command);
}

int options_read(int argc, char **argv, struct invocation **invocation)
{
	int failed;

	unsetenv("POSIXLY_CORRECT"); /* options may stand behind operands: getopt(3) would take them for operands */
	find_colour(argc, argv);
	failed = read_all(argc, argv);
	if (failed && given.command && given.command->usage)
		output_format("%s\n", given.command->usage);
	*invocation = &given;
	return failed;
}
