/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* dump TARGET - everything that has content, region after region, in a file with an index. */
#include "command.h"
#include "failure.h"
#include "selection.h"
#include "target.h"
#include "ui/account.h"
#include "ui/json.h"
#include "ui/output.h"
#include "ui/progress.h"
#include "ui/size.h"
#include "ui/text.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct {
	const char *output, *split;
	bool force;
} chosen;

static volatile sig_atomic_t interrupted;

/* A signal that comes just before a write blocks does not end that write: knock again every second. */
static void on_signal(int number)
{
	if (number != SIGALRM)
		interrupted = number;
	alarm(1);
}

/*
 * Not the default action: the library is told to stop and takes its half-written files away. Without SA_RESTART, so
 * that a write into a full pipe ends as well.
 */
static void catch_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM };
	struct sigaction action = { .sa_handler = on_signal, }, old;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN) /* nohup(1) */
			sigaction(numbers[i], &action, NULL);
}

static int on_progress(void *user, const struct pidmem_progress *progress)
{
	if (interrupted)
		return 1;
	progress_update(user, progress->done, progress->expected);
	return 0;
}

static int check_output(void)
{
	if (chosen.output && chosen.split) {
		fail("dump: -o names one file, --split a directory of files");
		hint("use one of the two");
		return EXIT_FAILED;
	}
	if (chosen.output && !strcmp(chosen.output, "-")) {
		fail("a dump is two files, the bytes and their index: it cannot go to standard output");
		hint("name a file: -o FILE; a file of the name `-` is written ./-");
		return EXIT_FAILED;
	}
	if ((chosen.output && !chosen.output[0]) || (chosen.split && !chosen.split[0])) {
		fail("dump: the name of the output is empty");
		hint("without -o the file is PID.mem");
		return EXIT_FAILED;
	}
	return 0;
}

static size_t count_threads(struct pidmem_process *process)
{
	struct pidmem_threads *threads;
	size_t count;

	if (pidmem_threads_read(process, NULL, &threads) < 0)
		return 0;
	count = pidmem_threads_count(threads);
	pidmem_threads_free(threads);
	return count;
}

static void print_json(const struct invocation *invocation, struct pidmem_process *process, const char *place,
		       size_t threads, const struct pidmem_account *account, const struct pidmem_dump_report *report)
{
	json_begin(invocation, pidmem_process_pid(process));
	json_text("name", pidmem_process_name(process));
	json_bytes("output", place, strlen(place));
	json_text("format", chosen.split ? "split" : "raw");
	json_text("consistency", pidmem_consistency_name(PIDMEM_LIVE));
	json_null("engine");
	json_null("fallback");
	json_number("pause_us", 0); /* live: no thread was stopped */
	json_array("stops_us");
	json_array_end();
	json_number("threads", threads);
	account_json(account);
	json_object("size");
	json_number("apparent", report->apparent);
	json_number("on_disk", report->on_disk);
	json_object_end();
	json_number("elapsed_us", report->elapsed_us);
	json_bool("indexed", report->indexed);
	json_finish();
}

static void print_text(const char *place, size_t threads, const struct pidmem_account *account,
		       const struct pidmem_dump_report *report)
{
	uint64_t read = pidmem_account_totals(account)->by_class[PIDMEM_READ];

	output_escaped(place, strlen(place));
	output_text(": ");
	account_sentence(account);
	output_format("\nlive (the process ran on), %zu %s, %s", threads, threads == 1 ? "thread" : "threads",
		      time_text(report->elapsed_us).text);
	if (report->elapsed_us)
		output_format(", %s/s", size_text((uint64_t)((double)read / (double)report->elapsed_us * 1e6)).text);
	output_char('\n');
	if (!report->indexed)
		output_text("no index: the output is a stream\n");
}

static int dump_failed(const struct invocation *invocation, struct pidmem_process *process,
		       const struct pidmem_error *error)
{
	if (interrupted && (error->code == PIDMEM_CANCELLED || error->sys == EINTR))
		return fail("interrupted by SIG%s: nothing is left behind", sigabbrev_np(interrupted));
	return fail_process(invocation, pidmem_process_pid(process), error);
}

/* What the dump is called in the result. */
static const char *output_name(struct pidmem_process *process, char *standard, size_t size)
{
	if (chosen.split)
		return chosen.split;
	if (chosen.output)
		return chosen.output;
	snprintf(standard, size, "%d.mem", (int)pidmem_process_pid(process));
	return standard;
}

static int run_dump(const struct invocation *invocation)
{
	struct pidmem_source_options how = PIDMEM_INIT(how);
	struct pidmem_dump_options options = PIDMEM_INIT(options);
	struct pidmem_dump_report report;
	AUTO(process) process = NULL;
	AUTO(source) source = NULL;
	AUTO(account) account = NULL;
	struct progress progress;
	struct pidmem_error error;
	char standard[32];
	const char *place;
	size_t threads;
	int result;

	result = check_output();
	if (!result)
		result = target_open(invocation, invocation->operands[0], &process);
	if (result)
		return result;
	how.select = invocation->select;
	if (pidmem_source_open(process, &how, &error, &source) < 0 || pidmem_account_new(&error, &account) < 0)
		return fail_process(invocation, pidmem_process_pid(process), &error);
	result = selection_check(invocation, process, pidmem_source_maps(source));
	if (result)
		return result;
	place = output_name(process, standard, sizeof(standard));
	options.path = chosen.split ? NULL : place;
	options.split = chosen.split;
	options.force = chosen.force;
	options.progress = on_progress;
	options.user = &progress;
	threads = count_threads(process);
	catch_signals();
	progress_begin(&progress, invocation);
	result = pidmem_dump(source, &options, account, &error, &report);
	progress_end(&progress, result < 0 ? 0 : pidmem_account_totals(account)->total);
	if (result < 0)
		return dump_failed(invocation, process, &error);
	if (invocation->json)
		print_json(invocation, process, place, threads, account, &report);
	else
		print_text(place, threads, account, &report);
	return account_status(account);
}

static const struct command_option options[] = {
	{ 'o', "output", "FILE", "the file to write (default PID.mem); its index is FILE.index",
	  .text = &chosen.output },
	{ 0, "split", "DIR", "write a file per region into DIR instead, and one index", .text = &chosen.split },
	{ 0, "force", NULL, "replace an output that exists", .flag = &chosen.force },
};

const struct command command_dump = {
	.name = "dump",
	.operands = "TARGET",
	.least = 1,
	.most = 1,
	.summary = "write the memory of a process into a file, with an index",
	.help = "FILE has everything that has content, region after region in address order. FILE.index has a line of\n"
		"JSON for each range: where it was, where it is in FILE, and what is not in FILE, and why. The "
		"process\n"
		"runs on meanwhile. Outputs get mode 0600 and their name only when they are complete.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.run = run_dump,
};
