/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* help [COMMAND] - printed from the tables, so that it cannot differ from what is parsed. */
#include "command.h"
#include "options.h"
#include "ui/output.h"

#include <string.h>

#define OPTION_WIDTH 28
#define LINE_WIDTH 80

/* Words into lines; every line but the first begins at `indent`. A newline ends a paragraph. */
static void print_wrapped(const char *text, size_t column, size_t indent)
{
	bool first = true;

	while (*text) {
		size_t word = strcspn(text, " \n");

		if (!first && column + 1 + word > LINE_WIDTH) {
			output_char('\n');
			output_pad(' ', indent);
			column = indent;
		} else if (!first) {
			output_char(' ');
			column++;
		}
		output_bytes(text, word);
		column += word;
		text += word;
		first = *text == '\n';
		if (first) {
			output_text("\n\n");
			output_pad(' ', indent);
			column = indent;
		}
		text += *text != '\0';
	}
	output_char('\n');
}

/* Of those that all commands have, without the ones that this one refuses. */
static void print_options(const char *title, const struct command_option *options, size_t count, unsigned long common)
{
	output_format("\n%s:\n", title);
	for (size_t i = 0; i < count; i++) {
		const struct command_option *option = &options[i];
		uint64_t start = output_position();
		size_t length;

		if (option_is_planned(option) || option->common & ~common)
			continue;
		if (option->letter)
			output_format("  -%c, --%s", option->letter, option->name);
		else
			output_format("      --%s", option->name);
		if (option->argument)
			output_format("%s%s", option->argument[0] == '[' ? "" : "=", option->argument);
		output_text("  ");
		length = (size_t)(output_position() - start);
		if (length < OPTION_WIDTH)
			output_pad(' ', OPTION_WIDTH - length);
		print_wrapped(option->help, length < OPTION_WIDTH ? OPTION_WIDTH : length, OPTION_WIDTH);
	}
}

static void print_command_help(const struct command *command)
{
	output_format("pidmem %s - %s\n\nusage: pidmem %s [OPTIONS]%s%s\n", command->name, command->summary,
		      command->name, command->operands[0] ? " " : "", command->operands);
	if (command->help) {
		output_char('\n');
		print_wrapped(command->help, 0, 0);
	}
	if (command->option_count)
		print_options("options", command->options, command->option_count, 0);
	print_options("common options", common_options, common_option_count, command->common);
}

static void print_overview(void)
{
	output_text("pidmem - read the memory of Linux processes\n\n"
		    "usage: pidmem COMMAND [OPTIONS] TARGET [ARGUMENT...]\n\n");
	print_wrapped("TARGET is a PID (digits only), `self`, or the path of a core file or a raw dump. Options may "
		      "stand anywhere before `--`.",
		      0, 0);
	output_text("\ncommands:\n");
	for (size_t i = 0; i < command_count; i++) {
		output_format("  %-8s", commands[i]->name);
		output_format("%s\n", commands[i]->summary);
	}
	print_options("options", common_options, common_option_count, COMMON_ALL);
	output_char('\n');
	print_wrapped("Exit status: 0 done; 1 nothing found (find), not readable (why); 2 usage or failure, nothing "
		      "half-written left "
		      "behind; 3 done, but something that has content could not be read.\n"
		      "`pidmem help COMMAND` tells more about one command.",
		      0, 0);
}

static int run_help(const struct invocation *invocation)
{
	const struct command *command = invocation->command;

	if (invocation->operand_count > 0 && command == &command_help) {
		command = command_by_name(invocation->operands[0]);
		if (!command)
			return command_unknown(invocation->operands[0]);
	} else if (command == &command_help && !invocation->help) {
		command = NULL;
	}
	if (command)
		print_command_help(command);
	else
		print_overview();
	return EXIT_DONE;
}

const struct command command_help = {
	.name = "help",
	.operands = "[COMMAND]",
	.least = 0,
	.most = 1,
	.summary = "explain pidmem or one command",
	.run = run_help,
};
