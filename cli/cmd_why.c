/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* why PID - can it be read, and if not, why. */
#include "command.h"
#include "failure.h"
#include "target.h"
#include "ui/colour.h"
#include "ui/json.h"
#include "ui/output.h"
#include "ui/table.h"
#include "ui/text.h"

#include <string.h>

static const char *verdict_name(enum pidmem_verdict verdict)
{
	static const char *const names[] = {
		[PIDMEM_PASSED] = "passed",
		[PIDMEM_LIMITS] = "limits",
		[PIDMEM_REFUSES] = "refuses",
		[PIDMEM_UNKNOWN] = "unknown",
	};

	return names[verdict];
}

static void output_safe(const char *text)
{
	output_escaped(text, strlen(text));
}

static bool is_cause(const struct pidmem_check *check)
{
	return check->verdict == PIDMEM_REFUSES || check->verdict == PIDMEM_LIMITS;
}

static void json_cause(const struct pidmem_check *check)
{
	json_object(NULL);
	json_text("code", pidmem_cause_name(check->cause));
	json_text("fact", check->fact);
	json_text("fix", check->fix);
	json_bool("blocks", check->verdict == PIDMEM_REFUSES);
	json_object_end();
}

static void json_check(const struct pidmem_check *check)
{
	json_object(NULL);
	json_text("code", pidmem_cause_name(check->cause));
	json_text("verdict", verdict_name(check->verdict));
	json_text("fact", check->fact);
	json_text("fix", check->fix);
	json_object_end();
}

static void print_json(const struct invocation *invocation, pid_t pid, const struct pidmem_access *access)
{
	json_begin(invocation, pid);
	json_bytes("name", access->name, strlen(access->name));
	json_bool("readable", access->readable);
	json_object("abilities");
	json_bool("maps", access->maps);
	json_bool("mem", access->mem);
	json_bool("ptrace", access->ptrace);
	json_bool("pagemap", access->pagemap);
	json_object_end();
	json_array("causes");
	for (size_t i = 0; i < access->count; i++)
		if (is_cause(&access->checks[i]))
			json_cause(&access->checks[i]);
	json_array_end();
	json_array("checks");
	for (size_t i = 0; i < access->count; i++)
		json_check(&access->checks[i]);
	json_array_end();
	json_finish();
}

static const char *first_cause(const struct pidmem_access *access)
{
	for (size_t i = 0; i < access->count; i++)
		if (access->checks[i].verdict == PIDMEM_REFUSES)
			return access->checks[i].fact;
	return "the kernel refuses, and no check tells why";
}

static void print_verdict(pid_t pid, const struct pidmem_access *access)
{
	output_format("process %d", (int)pid);
	if (access->name[0]) {
		output_text(" (");
		output_safe(access->name);
		output_char(')');
	}
	output_text(colour_stdout(access->readable ? COLOUR_GOOD : COLOUR_BAD));
	output_text(access->readable ? " can be read" : " cannot be read");
	output_text(colour_stdout(COLOUR_END));
	if (!access->readable) {
		output_text(": ");
		output_safe(first_cause(access));
	}
	output_char('\n');
}

static void print_ability(const char *name, bool able, const char *end)
{
	output_format("%s %s%s", name, able ? "yes" : "no", end);
}

static size_t write_verdict(const void *row)
{
	static const enum colour colours[] = {
		[PIDMEM_PASSED] = COLOUR_GOOD,
		[PIDMEM_LIMITS] = COLOUR_WARN,
		[PIDMEM_REFUSES] = COLOUR_BAD,
		[PIDMEM_UNKNOWN] = COLOUR_FAINT,
	};
	const struct pidmem_check *check = row;
	const char *name = verdict_name(check->verdict);

	output_text(colour_stdout(colours[check->verdict]));
	output_text(name);
	output_text(colour_stdout(COLOUR_END));
	return strlen(name);
}

static char *put_cause(char *cell, const void *row)
{
	const struct pidmem_check *check = row;

	return put_text(cell, pidmem_cause_name(check->cause));
}

static size_t write_fact(const void *row)
{
	const struct pidmem_check *check = row;

	return output_escaped(check->fact, strlen(check->fact));
}

static const struct column columns[] = {
	{ "verdict", "VERDICT", 7, false, NULL, write_verdict },
	{ "check", "CHECK", 18, false, put_cause },
	{ "fact", "FACT", 32, false, NULL, write_fact },
};
#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))

/* Here the way out is what was asked for, so it stands with the result. One remedy may serve for several causes. */
static void print_fix(const struct pidmem_access *access, size_t index)
{
	const struct pidmem_check *check = &access->checks[index];

	if (!is_cause(check) || !check->fix[0])
		return;
	for (size_t i = 0; i < index; i++)
		if (is_cause(&access->checks[i]) && !strcmp(access->checks[i].fix, check->fix))
			return;
	output_text("fix: ");
	output_safe(check->fix);
	output_char('\n');
}

static void print_text(pid_t pid, const struct pidmem_access *access)
{
	print_verdict(pid, access);
	print_ability("abilities: maps", access->maps, ", ");
	print_ability("mem", access->mem, ", ");
	print_ability("ptrace", access->ptrace, ", ");
	print_ability("pagemap", access->pagemap, "\n\n");
	table_title(columns, COLUMN_COUNT);
	for (size_t i = 0; i < access->count; i++)
		table_row(columns, COLUMN_COUNT, &access->checks[i]);
	for (size_t i = 0; i < access->count; i++)
		print_fix(access, i);
}

static int run_why(const struct invocation *invocation)
{
	struct pidmem_open_options options = PIDMEM_INIT(options);
	struct pidmem_access access = PIDMEM_INIT(access);
	struct pidmem_error error;
	pid_t pid;
	int failed;

	failed = target_parse(invocation, invocation->operands[0], &pid);
	if (failed)
		return failed;
	options.proc = invocation->proc;
	if (pidmem_access_check(pid, &options, &error, &access) < 0)
		return fail_with(&error);
	if (invocation->json)
		print_json(invocation, pid, &access);
	else
		print_text(pid, &access);
	return access.readable ? EXIT_DONE : EXIT_NOT;
}

const struct command command_why = {
	.name = "why",
	.operands = "PID",
	.least = 1,
	.most = 1,
	.summary = "tell whether a process can be read, and if not, why",
	.help = "Every fact is checked on this machine, in the order in which the kernel checks; nothing is attached "
		"to "
		"and nothing is changed. `refuses` is in the way; `limits` leaves reading possible, but less than that "
		"is; `unknown` could not be checked or does not apply. Lines `fix:` are the ways out.\n"
		"JSON: readable, abilities (maps, mem, ptrace, pagemap), causes (code, fact, fix, blocks) and checks "
		"(code, verdict, fact, fix).\n"
		"Exit status: 0 the process can be read, 1 it cannot, 2 failure.",
	.common = COMMON_JSON | COMMON_PROC,
	.run = run_why,
};
