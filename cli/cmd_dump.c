/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* dump TARGET - everything that has content, region after region, in a file with an index. */
#include "command.h"
#include "failure.h"
#include "reading.h"
#include "ui/account.h"
#include "ui/json.h"
#include "ui/output.h"
#include "ui/progress.h"
#include "ui/size.h"
#include "ui/text.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
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
	if (chosen.split && chosen.force) {
		fail("dump: --force does not go with --split: files of an older dump would stay among the new ones");
		hint("remove the directory first, or name another one");
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

/* A dump, as far as it is told of in the end. */
struct job {
	const struct invocation *invocation;
	struct reading from;
	const char *place; /* what it is called */
	bool was_there;    /* the directory of --split */
	char standard[32];
	size_t threads;
	struct pidmem_dump_report report;
};

/* Nobody counts why something was left out, but regions and selection tell. */
static void find_left_out(const struct job *job, struct reasons *left_out)
{
	const struct pidmem_maps *maps = pidmem_source_maps(job->from.source);
	uint64_t rest = pidmem_account_totals(job->from.account)->by_class[PIDMEM_EXCLUDED], run;
	const struct pidmem_region *region;

	for (size_t i = 0; (region = pidmem_maps_get(maps, i)); i++) {
		bool kernel = region->kind == PIDMEM_KIND_VDSO && strcmp(region->path, "[vdso]") != 0;

		for (uint64_t done = 0; done < region->size; done += run) {
			uint64_t start = region->start + done;
			bool selected = pidmem_select_test(job->invocation->select, region, start, &run);

			if ((selected && !kernel) || run > rest)
				continue;
			reasons_add(left_out, selected ? PIDMEM_WHY_KERNEL : PIDMEM_WHY_FILTER, start, run);
			rest -= run;
		}
	}
	if (rest)
		reasons_add(left_out, PIDMEM_WHY_DEVICE, 0, rest);
}

static void print_json(const struct job *job)
{
	const struct pidmem_dump_report *report = &job->report;
	const char *name = pidmem_process_name(job->from.process);

	json_begin(job->invocation, pidmem_process_pid(job->from.process));
	json_bytes("name", name, strlen(name));
	json_bytes("output", job->place, strlen(job->place));
	json_text("format", chosen.split ? "split" : "raw");
	json_text("consistency", pidmem_consistency_name(PIDMEM_LIVE));
	json_null("engine");
	json_null("fallback");
	json_number("pause_us", 0); /* live: no thread was stopped */
	json_array("stops_us");
	json_array_end();
	json_number("threads", job->threads);
	account_json(job->from.account);
	json_object("size");
	json_number("apparent", report->apparent);
	json_number("on_disk", report->on_disk);
	json_object_end();
	json_number("elapsed_us", report->elapsed_us);
	json_bool("indexed", report->indexed);
	json_finish();
}

static void print_text(const struct job *job)
{
	uint64_t read = pidmem_account_totals(job->from.account)->by_class[PIDMEM_READ];
	const struct pidmem_dump_report *report = &job->report;
	struct reasons left_out = { { { 0 } } };

	find_left_out(job, &left_out);
	output_escaped(job->place, strlen(job->place));
	output_text(": ");
	account_sentence(job->from.account, &left_out);
	output_format("\nlive (the process ran on), %zu %s, %s", job->threads, job->threads == 1 ? "thread" : "threads",
		      time_text(report->elapsed_us).text);
	if (report->elapsed_us)
		output_format(", %s/s", size_text((uint64_t)((double)read / (double)report->elapsed_us * 1e6)).text);
	output_char('\n');
}

/* A file for one region, or the index: what the library makes there, and nothing else. */
static bool is_of_a_split(const char *name)
{
	return !strcmp(name, "index") || (strspn(name, "0123456789abcdef") == 16 && !strcmp(name + 16, ".mem"));
}

static void remove_split(const struct job *job)
{
	DIR *stream = opendir(job->place);

	for (struct dirent *entry; stream && (entry = readdir(stream));)
		if (is_of_a_split(entry->d_name))
			unlinkat(dirfd(stream), entry->d_name, 0);
	if (stream)
		closedir(stream);
	if (!job->was_there)
		rmdir(job->place);
}

/* A dump without its account is worth little, and whoever sees exit status 2 expects nothing to be there. */
static void remove_output(const struct job *job)
{
	char index[PATH_MAX];

	if (!job->report.indexed)
		return;
	if (chosen.split) {
		remove_split(job);
		return;
	}
	snprintf(index, sizeof(index), "%s.index", job->place);
	unlink(job->place);
	unlink(index);
}

static int tell(const struct job *job)
{
	int number;

	if (job->invocation->json)
		print_json(job);
	else
		print_text(job);
	number = output_finish();
	if (number) {
		remove_output(job);
		return output_failure(number);
	}
	if (!job->report.indexed)
		warn("\"%s\" is a stream: there is no index", job->place);
	return account_status(job->from.account, job->from.process);
}

static int dump_failed(const struct invocation *invocation, struct pidmem_process *process,
		       const struct pidmem_error *error)
{
	if (interrupted && (error->code == PIDMEM_CANCELLED || error->sys == EINTR))
		return fail("interrupted by SIG%s: nothing is left behind", sigabbrev_np(interrupted));
	return fail_process(invocation, pidmem_process_pid(process), error);
}

static void choose_place(struct job *job)
{
	snprintf(job->standard, sizeof(job->standard), "%d.mem", (int)pidmem_process_pid(job->from.process));
	job->place = chosen.split ? chosen.split : chosen.output ? chosen.output : job->standard;
	job->was_there = chosen.split && access(chosen.split, F_OK) == 0;
}

static int dump(struct job *job)
{
	struct pidmem_dump_options options = PIDMEM_INIT(options);
	struct progress progress;
	struct pidmem_error error;
	uint64_t read;
	int result;

	choose_place(job);
	options.path = chosen.split ? NULL : job->place;
	options.split = chosen.split;
	options.force = chosen.force;
	options.progress = on_progress;
	options.user = &progress;
	job->threads = count_threads(job->from.process);
	catch_signals();
	progress_begin(&progress, job->invocation);
	result = pidmem_dump(job->from.source, &options, job->from.account, &error, &job->report);
	read = pidmem_account_totals(job->from.account)->by_class[PIDMEM_READ];
	progress_end(&progress, result < 0 ? 0 : read);
	return result < 0 ? dump_failed(job->invocation, job->from.process, &error) : 0;
}

static int run_dump(const struct invocation *invocation)
{
	struct job job = { .invocation = invocation, .report = PIDMEM_INIT(job.report) };
	int failed;

	failed = check_output();
	if (!failed)
		failed = reading_open(invocation, &job.from);
	if (!failed)
		failed = dump(&job);
	if (!failed)
		failed = tell(&job);
	reading_close(&job.from);
	return failed;
}

static const struct command_option options[] = {
	{ 'o', "output", "FILE", "the file to write (default PID.mem); its index is FILE.index",
	  .text = &chosen.output },
	{ 0, "split", "DIR", "write a file per region into DIR instead, and one index", .text = &chosen.split },
	{ 0, "force", NULL, "replace an output that exists; not with --split", .flag = &chosen.force },
};

const struct command command_dump = {
	.name = "dump",
	.operands = "TARGET",
	.least = 1,
	.most = 1,
	.summary = "write the memory of a process into a file, with an index",
	.help = "FILE has everything that has content, region after region in address order. FILE.index has a line of "
		"JSON for each range: where it was, where it is in FILE, and what is not in FILE, and why. The "
		"process runs on meanwhile. Outputs get mode 0600, and their name only when they are complete. If the "
		"report cannot be written, they are removed.\n"
		"JSON: target, name, output, format, consistency, engine, fallback, pause_us, stops_us, threads, "
		"account, holes, size (apparent, on_disk), elapsed_us, indexed.\n"
		"Exit status: 0 all that has content was read, 2 failure, nothing is left behind, 3 the dump is there, "
		"but something that has content could not be read.",
	.common = COMMON_ALL,
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.run = run_dump,
};
