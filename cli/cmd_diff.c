/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* diff A B - what is not the same in two targets. */
#include "command.h"
#include "diff.h"
#include "failure.h"
#include "ui/account.h"
#include "ui/output.h"
#include "ui/size.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct {
	bool summary, swapped;
	const char *every, *count;
	uint64_t every_us, rounds;
} chosen;

static bool is_process(const char *operand)
{
	return !strcmp(operand, "self") || !operand[strspn(operand, "0123456789")];
}

/* Each of the two as if it was the only one; --consistency is for processes, and another target may be a file. */
static int open_side(const struct invocation *invocation, int index, struct reading *side)
{
	static struct invocation owns[2]; /* the moment goes on to look at it */
	struct invocation *own = &owns[index];

	*own = *invocation;
	own->operands += index;
	own->operand_count = 1;
	if (is_process(invocation->operands[1 - index]) && !is_process(own->operands[0]))
		own->consistency_given = false;
	return reading_open(own, side);
}

static int compare(struct diff_job *job)
{
	struct reading *one = &job->sides[0], *other = &job->sides[1];
	struct pidmem_diff_options options = PIDMEM_INIT(options);
	struct pidmem_difference difference;
	struct pidmem_error error;
	int result;

	options.swapped = chosen.swapped;
	options.progress = moment_progress;
	options.user = &job->progress;
	if (pidmem_diff_open(one->source, other->source, &options, one->account, other->account, &error, &job->diff) <
	    0)
		return fail_with(&error);
	progress_begin(&job->progress, job->invocation);
	while ((result = pidmem_diff_next(job->diff, &error, &difference)) == 1 && !output_failed()) {
		job->differences++;
		diff_report(job, &difference);
	}
	progress_end(&job->progress, result < 0 ? 0
						: pidmem_account_totals(one->account)->by_class[PIDMEM_READ] +
							  pidmem_account_totals(other->account)->by_class[PIDMEM_READ]);
	if (result == 0)
		return 0;
	/* Whose error it is, is not told: of two processes the one that is gone. */
	bool first = !one->target.process || pidmem_process_check(one->target.process, NULL) < 0;
	return moment_fail_read(first ? &one->moment : &other->moment, 0, &error);
}

static int tell(struct diff_job *job)
{
	int status = EXIT_DONE;

	for (int i = 0; i < 2; i++) {
		moment_warn(&job->sides[i].moment, 0);
		if (account_status(job->sides[i].account, &job->sides[i].target))
			status = EXIT_INCOMPLETE;
	}
	return status ? status : job->differences ? EXIT_NOT : EXIT_DONE;
}

static int diff(struct diff_job *job)
{
	int failed = 0;

	for (int i = 0; !failed && i < 2; i++)
		failed = open_side(job->invocation, i, &job->sides[i]);
	if (!failed)
		failed = reading_keep_output(&job->sides[job->sides[0].moment.freeze ? 0 : 1]);
	if (!failed)
		failed = compare(job);
	for (int i = 0; !failed && i < 2; i++)
		failed = moment_release(&job->sides[i].moment);
	output_let_go();
	if (failed)
		return failed;
	diff_report_end(job);
	output_flush();
	return tell(job);
}

/* --------------------------------------------------------------------------------- a process over time --- */

/* "1s", "200ms", "2" (seconds). */
static int parse_every(void)
{
	char *end;
	double number = strtod(chosen.every, &end);
	double unit = !strcmp(end, "ms") ? 1e3 : !*end || !strcmp(end, "s") ? 1e6 : !strcmp(end, "min") ? 6e7 : 0;

	if (end == chosen.every || !(number > 0) || !unit || number * unit > 1e15 || number * unit < 1) {
		fail("diff: \"%s\" is not a time for --every", chosen.every);
		hint("it is a number with ms, s or min");
		return EXIT_FAILED;
	}
	chosen.every_us = (uint64_t)(number * unit);
	if (chosen.count && (!size_parse(chosen.count, &chosen.rounds) || !chosen.rounds)) {
		fail("diff: \"%s\" is not a number for --count", chosen.count);
		hint("it is how often the process is compared with what it was");
		return EXIT_FAILED;
	}
	return 0;
}

static int check_operands(const struct invocation *invocation)
{
	if (!chosen.every && chosen.count) {
		fail("diff: --count is how often --every compares");
		hint("use both, or none");
		return EXIT_FAILED;
	}
	if (!chosen.every && invocation->operand_count < 2) {
		fail("diff needs A B");
		hint("usage: pidmem diff [OPTIONS] A B; one process over time: pidmem diff PID --every 1s");
		return EXIT_FAILED;
	}
	if (chosen.every && (invocation->operand_count > 1 || !is_process(invocation->operands[0]))) {
		fail("diff: --every is for one process over time");
		hint("usage: pidmem diff PID --every 1s --count 10");
		return EXIT_FAILED;
	}
	return chosen.every ? parse_every() : 0;
}

static void wait_a_while(void)
{
	struct timespec left = { (time_t)(chosen.every_us / 1000000), (long)(chosen.every_us % 1000000) * 1000 };

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

/* One round: what it is now against what it was, which is let go. */
static int compare_again(struct diff_job *job, const struct invocation *own)
{
	struct pidmem_error error;
	int status = reading_open(own, &job->sides[1]);

	if (!status)
		status = compare(job);
	if (status)
		return status;
	diff_report_end(job);
	output_flush();
	status = tell(job);
	pidmem_diff_close(job->diff);
	reading_close(&job->sides[0]);
	job->sides[0] = job->sides[1];
	job->sides[1] = (struct reading){ .account = NULL };
	job->diff = NULL;
	job->differences = 0;
	job->region = NULL;
	pidmem_account_free(job->sides[0].account);
	job->sides[0].account = NULL;
	return pidmem_account_new(&error, &job->sides[0].account) < 0 ? fail_with(&error) : status;
}

/* Each moment by a snapshot: it is what the next one is compared with. */
static int watch(struct diff_job *job)
{
	struct invocation own = *job->invocation;
	int status, worst = EXIT_DONE;

	if (own.consistency_given && own.consistency != PIDMEM_SNAPSHOT) {
		fail("diff: --every compares snapshots: what a process was is not there any more otherwise");
		hint("leave out --consistency");
		return EXIT_FAILED;
	}
	own.consistency = PIDMEM_SNAPSHOT;
	own.consistency_given = true;
	status = reading_open(&own, &job->sides[0]);
	for (uint64_t i = 0; status != EXIT_FAILED && (!chosen.rounds || i < chosen.rounds) && !output_failed(); i++) {
		wait_a_while();
		status = compare_again(job, &own);
		worst = status > worst ? status : worst;
	}
	return status == EXIT_FAILED ? status : worst;
}

static int run_diff(const struct invocation *invocation)
{
	struct diff_job job = { .invocation = invocation, .summary = chosen.summary };
	int status = check_operands(invocation);

	if (status)
		return status;
	status = chosen.every ? watch(&job) : diff(&job);
	pidmem_diff_close(job.diff);
	for (int i = 0; i < 2; i++)
		reading_close(&job.sides[i]);
	return status;
}

static const struct command_option options[] = {
	{ 0, "summary", NULL, "a line for each region, not for each change", .flag = &chosen.summary },
	{ 0, "swapped", NULL, "look at what is in swap as well, which brings it back into memory",
	  .flag = &chosen.swapped },
	{ 0, "every", "TIME", "of one process: what has changed, each TIME (1s, 200ms)", .text = &chosen.every },
	{ 0, "count", "N", "so often, and not for ever", .text = &chosen.count },
};

const struct command command_diff = {
	.name = "diff",
	.operands = "A B",
	.least = 1,
	.most = 2,
	.all_targets = true,
	.summary = "tell what is not the same in two processes, or files of them",
	.help = "A and B are TARGETs with the same layout of addresses: two moments of one process, mostly. First the "
		"regions that went, came, moved, have other permissions or another file behind them; then the ranges "
		"whose "
		"bytes have changed, with what was there before and is there now. What only one of the two has the "
		"content of, is not compared, and told. With --every, one process is compared with what it was, again "
		"and again, by snapshots.\n"
		"JSON: a line for each difference with kind (went, came, moved, replaced, rights, content), address, "
		"size, "
		"region, perms, offset, of replaced and rights also region_before and perms_before, of moved "
		"from and changed, of content before and after (the first 64 bytes); then one with differences, "
		"compared, changed, not_compared, "
		"targets (of each target, name, account, holes, consistency and so on).\n"
		"Exit status: 0 the same, 1 different, 2 failure, 3 something that has content could not be read.",
	.common = COMMON_ALL,
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.run = run_diff,
};
