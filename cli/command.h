/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * command - what a command of pidmem is
 *
 * To add a command:
 *   1. write cmd_NAME.c: its options, its work, and last of all `const struct command command_NAME`;
 *   2. declare it at the end of this file and put it in the table in commands.c (help prints in that order);
 *   3. name the file in meson.build;
 *   4. write man/pidmem-NAME.1.scd, add NAME to the completions and a tests/cli/test_NAME.py.
 * Help and option parsing come from the struct: there is nothing else to keep in step.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "pidmem.h"

#include <stdbool.h>
#include <stddef.h>

/* Exit status, as promised to scripts. */
enum {
	EXIT_DONE = 0,       /* everything is accounted for as readable or legitimately without content */
	EXIT_NOT = 1,        /* nothing found, differs, not readable */
	EXIT_FAILED = 2,     /* usage or failure; nothing half-written left behind */
	EXIT_INCOMPLETE = 3, /* done, but something that has content could not be read */
};

enum when {
	WHEN_AUTO,
	WHEN_NEVER,
	WHEN_ALWAYS,
};

/* What the user asked for, apart from the options that one command alone has. */
struct invocation {
	const struct command *command;
	bool json, quiet, help, version, files;
	struct pidmem_select *select; /* NULL: everything */
	const char **terms;           /* of -R, as they were written */
	size_t term_count;
	enum when progress;
	const char *proc; /* NULL: /proc */
	bool consistency_given;
	enum pidmem_consistency consistency; /* if it was given */
	char **operands;
	int operand_count;
};

/*
 * An option: with @argument its text goes to *@text or to @take, without one *@flag is set. If @argument stands in
 * brackets it may be left out: @take gets NULL then, and *@text is "". One that has none of these is for a later
 * version, and known by the contract: it is refused with the words of @help, and does not stand in the help.
 */
struct command_option {
	char letter; /* 0: only the long name */
	const char *name;
	const char *argument; /* its name in the help, NULL for a switch; "[=NAME]" if it may be left out */
	const char *help;
	bool *flag;
	const char **text;
	int (*take)(struct invocation *invocation, const char *argument); /* 0, or the exit status after a message */
	unsigned long common;                                             /* COMMON_*, or 0 */
};

static inline bool option_is_planned(const struct command_option *option)
{
	return !option->flag && !option->text && !option->take;
}

/* Common options that some commands have no use for, as bits. */
enum {
	COMMON_JSON = 1,
	COMMON_REGION = 2,
	COMMON_CONSISTENCY = 4,
	COMMON_PROGRESS = 8,
	COMMON_PROC = 16,
	COMMON_FILES = 32,
	COMMON_ALL = 63,
};

struct command {
	const char *name;
	const char *operands; /* as in the usage line */
	int least, most;      /* how many operands */
	bool all_targets;     /* each of them is a TARGET, and not the first alone */
	const char *summary;  /* one line */
	const char *usage; /* for who called it wrongly, on stdout: of a command that stands in for another program */
	const char *help;  /* paragraphs under the usage line, a newline between them */
	unsigned long common; /* COMMON_*: what it takes of them */
	const struct command_option *options;
	size_t option_count;
	int (*run)(const struct invocation *invocation); /* the exit status */
};

extern const struct command *const commands[];
extern const size_t command_count;

/* The command of this name, or NULL. */
const struct command *command_by_name(const char *name);
/* Say that there is no such command, and what may have been meant; returns EXIT_FAILED. */
int command_unknown(const char *wrong);

extern const struct command command_maps;
extern const struct command command_read;
extern const struct command command_dump;
extern const struct command command_core;
extern const struct command command_gcore;
extern const struct command command_find;
extern const struct command command_diff;
extern const struct command command_info;
extern const struct command command_report;
extern const struct command command_why;
extern const struct command command_help;

#endif
