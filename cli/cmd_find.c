/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* find TARGET PATTERN... - where something is in memory. */
#include "command.h"
#include "confine.h"
#include "failure.h"
#include "find.h"
#include "place.h"
#include "signals.h"
#include "ui/account.h"
#include "ui/json.h"
#include "ui/output.h"
#include "ui/progress.h"
#include "ui/size.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

/* Bytes around a match that people see where -C does not say. Strings are told as a whole. */
#define STANDARD_CONTEXT 16

static struct find_wish wish;

static int take_regex(struct invocation *invocation, const char *argument)
{
	(void)invocation;
	return find_wish_add(&wish, argument, PIDMEM_PATTERN_REGEX) ? 0 : fail("out of memory");
}

static int take_hex(struct invocation *invocation, const char *argument)
{
	(void)invocation;
	return find_wish_add(&wish, argument, PIDMEM_PATTERN_HEX) ? 0 : fail("out of memory");
}

static int take_rules(struct invocation *invocation, const char *argument)
{
	(void)invocation;
	return find_wish_add(&wish, argument, PIDMEM_PATTERN_RULES) ? 0 : fail("out of memory");
}

static int take_strings(struct invocation *invocation, const char *argument)
{
	uint64_t least = 0;

	(void)invocation;
	if (argument && (!size_parse(argument, &least) || !least)) {
		fail("find: \"%s\" is not a number of characters", argument);
		hint("--strings=8 shows strings of 8 characters and more");
		return EXIT_FAILED;
	}
	wish.strings = true;
	wish.least = (size_t)least;
	return 0;
}

static int parse_number(const char *option, const char *text, uint64_t *number)
{
	if (!text || size_parse(text, number))
		return 0;
	fail("find: \"%s\" is not a number for %s", text, option);
	hint("it is decimal, 0x hex, or has a suffix K, M, G or T");
	return EXIT_FAILED;
}

struct job {
	const struct invocation *invocation;
	struct reading *from;
	struct pidmem_patterns *patterns;
	struct pidmem_find *find;
	struct pidmem_find_options options;
	struct progress progress;
	uint64_t matches;
};

static int choose_options(struct job *job)
{
	struct pidmem_find_options *options = &job->options;
	uint64_t context = job->invocation->json || wish.strings ? 0 : STANDARD_CONTEXT, limit = 0;
	int failed = parse_number("--align", wish.align, &options->align);

	if (!failed)
		failed = parse_number("--limit", wish.limit, &limit);
	if (!failed)
		failed = parse_number("--context", wish.context, &context);
	if (failed)
		return failed;
	if (limit == 0 && wish.limit && !wish.save) {
		fail("find: a limit of 0 finds nothing");
		hint("with --save it is a limit of what is shown, and may be 0");
		return EXIT_FAILED;
	}
	/* With --save all are saved, and so many are shown. */
	options->limit = wish.save ? 0 : limit;
	wish.limited = wish.limit;
	wish.limit_count = limit;
	options->context = (size_t)context;
	options->swapped = wish.swapped;
	options->earlier = wish.earlier;
	options->change = wish.change;
	options->save = wish.save;
	options->force = wish.force;
	options->progress = moment_progress;
	options->user = &job->progress;
	return 0;
}

/* Before the target is opened, so that mistakes are told first, and nothing stands still for it; only pointers need its
 * regions. */
static int compile(struct job *job)
{
	struct pidmem_error error;

	if (pidmem_patterns_new(&error, &job->patterns) < 0)
		return fail_with(&error);
	return wish.value_type == PIDMEM_TYPE_PTR ? 0 : find_wish_compile(&wish, NULL, job->patterns);
}

static int open_find(struct job *job)
{
	struct pidmem_error error;
	int failed = 0;

	if (wish.value_type == PIDMEM_TYPE_PTR)
		failed = find_wish_compile(&wish, pidmem_source_maps(job->from->source), job->patterns);
	if (failed)
		return failed;
	if (pidmem_find_open(job->from->source, job->patterns, &job->options, job->from->account, &error, &job->find) <
	    0)
		return fail_with(&error);
	wish.value_type = pidmem_find_type(job->find);
	return 0;
}

static void report(const struct job *job, const struct pidmem_match *match)
{
	const struct pidmem_maps *maps = pidmem_source_maps(job->from->source);

	if (wish.limited && job->matches > wish.limit_count)
		return;
	if (job->invocation->json)
		find_report_json(job->invocation, &wish, maps, match);
	else
		find_report_text(&wish, maps, match);
}

static int find_all(struct job *job)
{
	struct pidmem_match match;
	struct pidmem_error error;
	int result;

	progress_begin(&job->progress, job->invocation);
	while ((result = pidmem_find_next(job->find, &error, &match)) == 1 && !output_failed()) {
		job->matches++;
		report(job, &match);
	}
	progress_end(&job->progress, result < 0 ? 0 : pidmem_account_totals(job->from->account)->by_class[PIDMEM_READ]);
	return result < 0 ? moment_fail_read(&job->from->moment, 0, &error) : 0;
}

static void print_summary(const struct job *job)
{
	output_format("%" PRIu64 " %s in ", job->matches, job->matches == 1 ? "match" : "matches");
	account_sentence(job->from->account, "zero");
	output_char('\n');
}

static void print_json(const struct job *job)
{
	target_json(job->invocation, &job->from->target);
	json_number("matches", job->matches);
	account_json(job->from->account);
	moment_json(&job->from->moment, 0);
	json_finish();
}

static void hint_swapped(const struct job *job)
{
	if (pidmem_account_excluded(job->from->account, PIDMEM_WHY_SWAPPED).size)
		hint("--swapped looks at what is in swap as well; so does --consistency=snapshot, without changing "
		     "anything for the process");
}

static int find(struct job *job)
{
	int failed = reading_keep_output(job->from);

	if (!failed)
		failed = open_find(job);
	if (!failed)
		failed = find_all(job);
	if (!failed)
		failed = moment_release(&job->from->moment);
	output_let_go();
	if (failed)
		return failed;
	if (job->invocation->json)
		print_json(job);
	else
		print_summary(job);
	output_flush();
	moment_warn(&job->from->moment, 0);
	hint_swapped(job);
	failed = account_status(job->from->account, &job->from->target);
	return failed || job->matches ? failed : EXIT_NOT;
}

static int run_find(const struct invocation *invocation)
{
	AUTO_READING from = { .account = NULL };
	struct job job = { .invocation = invocation, .from = &from, .options = PIDMEM_INIT(job.options) };
	int failed = find_wish_complete(&wish, invocation);

	if (!failed)
		failed = choose_options(&job);
	if (!failed)
		failed = compile(&job);
	if (!failed && wish.save) {
		failed = place_check(wish.save, wish.force);
		signals_catch();
	}
	confine_input(wish.earlier);
	confine_output(wish.save);
	if (!failed)
		failed = reading_open(invocation, &from);
	if (wish.save)
		signals_end_at_once(false);
	if (!failed)
		failed = find(&job);
	pidmem_find_close(job.find);
	pidmem_patterns_free(job.patterns);
	find_wish_done(&wish);
	return failed;
}

static const struct command_option options[] = {
	{ 'e', "regex", "REGEX", "a regular expression as of PCRE2, over bytes (repeatable)", .take = take_regex },
	{ 'x', "hex", "HEX", "bytes in hex, ? for any digit: '48 8b ?? 4?' (repeatable)", .take = take_hex },
	{ 't', "type", "TYPE",
	  "patterns are values: u8 to u64, i8 to i64, f32, f64 or ptr; 5, 3..7, 1.5~0.01; of ptr also a region, "
	  "'[heap]'",
	  .text = &wish.type },
	{ 'y', "yara", "RULES", "what the rules of YARA in this file say (repeatable)", .take = take_rules },
	{ 0, "strings", "[=MIN]", "anything that reads as text of MIN characters (4)", .take = take_strings },
	{ 'f', "file", "FILE", "the lines of this file are patterns as well", .text = &wish.file },
	{ 'i', "ignore-case", NULL, "letters of ASCII fit in either case", .flag = &wish.any_case },
	{ 0, "wide", NULL, "text and strings in UTF-16 (little-endian)", .flag = &wish.wide },
	{ 'a', "align", "ALIGN", "only addresses that are multiples of it", .text = &wish.align },
	{ 'l', "limit", "LIMIT", "end after so many matches", .text = &wish.limit },
	{ 'C', "context", "BYTES", "show so many bytes around each match", .text = &wish.context },
	{ 0, "swapped", NULL, "look at what is in swap as well, which brings it back into memory",
	  .flag = &wish.swapped },
	{ 0, "save", "FILE", "save all matches, to narrow them later", .text = &wish.save },
	{ 0, "in", "FILE", "look at the places of saved matches alone", .text = &wish.earlier },
	{ 0, "force", NULL, "replace a FILE of --save that exists", .flag = &wish.force },
};

const struct command command_find = {
	.name = "find",
	.operands = "TARGET PATTERN...",
	.least = 1,
	.most = INT_MAX,
	.summary = "tell where something is in memory",
	.help = "A PATTERN is text as it stands, or what -e, -x or -t make of it. A line for each match: its address, "
		"the region and the offset in it, permissions, and what is there. What crosses the borders of pages "
		"or regions is found as well. Nothing is faulted in, and what is in swap is left out, and told, but "
		"with --swapped or a snapshot.\n"
		"With --in FILE, which --save FILE has made, only the places of those matches are looked at: for "
		"other patterns, or for whether they are changed, unchanged, increased or decreased (these words in "
		"place of PATTERN). With --save, -l limits what is shown: everything is saved.\n"
		"JSON: a line for each match with address, region, offset, perms, length, bytes, pattern, with -C "
		"before and behind, with --in was; then one with matches, account, holes, consistency, engine, "
		"fallback, pause_us, stops_us, threads, unstopped, shared.\n"
		"Exit status: 0 found, 1 not found, 2 failure, 3 something that has content could not be read.",
	.common = COMMON_ALL,
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.run = run_find,
};
