/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* report TARGET - everything as one page of HTML to look at. */
#include "command.h"
#include "confine.h"
#include "failure.h"
#include "page.h"
#include "place.h"
#include "reading.h"
#include "report.h"
#include "signals.h"
#include "ui/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
	const char *output;
	bool no_bytes, force;
} chosen;

/* What the second target is compared with. */
struct wish {
	struct reading before;
	bool compares;
};

static int check_options(void)
{
	if (chosen.output && !strcmp(chosen.output, "-")) {
		fail("report: a page is a file of its own, it does not go to standard output");
		hint("name a file: -o FILE.html; a file of the name `-` is written ./-");
		return EXIT_FAILED;
	}
	if (chosen.output && !chosen.output[0]) {
		fail("report: the name of the output is empty");
		hint("without -o the page is PID.html");
		return EXIT_FAILED;
	}
	return 0;
}

static int cannot_keep(struct pidmem_error *error, int number)
{
	*error = (struct pidmem_error){ .code = PIDMEM_SYSTEM, .sys = number };
	snprintf(error->text, sizeof(error->text), "the page could not be put together: %s", strerror(number));
	return -number;
}

static int copy_data(struct pidmem_output *output, int fd, struct pidmem_error *error)
{
	char bytes[65536];
	ssize_t size;
	int result = 0;

	while (result >= 0 && (size = read(fd, bytes, sizeof(bytes))) != 0)
		result = size < 0 ? cannot_keep(error, errno) : pidmem_output_write(output, bytes, (size_t)size, error);
	return result;
}

static int write_page(const struct save *save, int data, struct pidmem_error *error)
{
	struct pidmem_output *output;
	int result = pidmem_output_open(save->place, chosen.force, error, &output);

	if (result < 0)
		return result;
	if ((result = pidmem_output_write(output, page_head, page_head_size, error)) >= 0 &&
	    (result = copy_data(output, data, error)) >= 0 &&
	    (result = pidmem_output_write(output, page_tail, page_tail_size, error)) >= 0)
		result = pidmem_output_finish(output, error);
	pidmem_output_close(output);
	return result;
}

static int put_together(const struct report *report, struct pidmem_error *error)
{
	int fd, result = output_hold_back();

	if (result)
		return cannot_keep(error, result);
	report_json(report);
	fd = output_take();
	if (fd < 0)
		return cannot_keep(error, -fd);
	result = write_page(report->save, fd, error);
	close(fd);
	return result;
}

static void note_size(struct save *save)
{
	struct stat status;

	if (stat(save->place, &status) == 0) {
		save->apparent = save->content = (uint64_t)status.st_size;
		save->on_disk = (uint64_t)status.st_blocks * 512;
	}
}

static int write_report(struct saving *saving, struct save *save, struct pidmem_error *error)
{
	const struct wish *wish = saving->wish;
	struct pidmem_survey_options options = PIDMEM_INIT(options);
	struct pidmem_survey *survey;
	int result;

	options.before = wish->compares ? wish->before.source : NULL;
	options.progress = moment_progress;
	options.user = &saving->progress;
	result = pidmem_survey_new(save->source, &options, save->account, error, &survey);
	if (result < 0)
		return result;
	const struct report report = {
		.saving = saving,
		.index = (size_t)(save - saving->saves),
		.save = save,
		.survey = survey,
		.before = wish->compares ? &wish->before.target : NULL,
		.before_source = wish->before.source,
		.bytes = !chosen.no_bytes,
	};
	result = pidmem_source_release(save->source, error);
	if (result >= 0)
		result = put_together(&report, error);
	pidmem_survey_free(survey);
	if (result >= 0)
		note_size(save);
	return result;
}

static void remove_report(const struct save *save)
{
	place_remove(save->place);
}

static int report(struct saving *saving, const char *place)
{
	struct pidmem_freeze_options how = PIDMEM_INIT(how);
	int failed = place_check(place, chosen.force);

	if (failed)
		return failed;
	signals_catch();
	failed = saving_hold(saving, &how);
	if (failed)
		return failed;
	saving->saves[0].place = strdup(place);
	failed = saving->saves[0].place ? saving_write(saving) : fail("out of memory");
	return failed ? failed : saving_tell(saving);
}

/* What is asked for one of two targets; how to stop a process says nothing of a file. */
static struct invocation one_of(const struct invocation *invocation, int index)
{
	struct invocation one = *invocation;
	const char *text = invocation->operands[index];

	one.operands += index;
	one.operand_count = 1;
	if (invocation->operand_count > 1 && strcmp(text, "self") != 0 && text[strspn(text, "0123456789")])
		one.consistency_given = false;
	return one;
}

/* The last operand is shown; one before it is what it is compared with. */
static int run_report(const struct invocation *invocation)
{
	static const struct saver html = { "html", .write = write_report, .remove = remove_report };
	const struct invocation first = one_of(invocation, 0);
	const struct invocation shown = one_of(invocation, invocation->operand_count - 1);
	struct wish wish = { .compares = invocation->operand_count == 2 };
	AUTO_SAVING saving = { .wish = &wish };
	char standard[32];
	int failed = check_options();

	confine_output(chosen.output);
	if (!failed && wish.compares)
		failed = reading_open(&first, &wish.before);
	if (!failed)
		failed = saving_begin(&saving, &shown, &html);
	if (!failed && moment_file(&saving.moment) && !chosen.output)
		failed = target_refuse(moment_file(&saving.moment), "a report without -o",
				       "name the page to write: -o FILE.html");
	if (!failed) {
		if (!chosen.output)
			snprintf(standard, sizeof(standard), "%d.html",
				 (int)pidmem_process_pid(saving.moment.named[0]));
		failed = report(&saving, chosen.output ? chosen.output : standard);
	}
	if (wish.compares)
		reading_close(&wish.before);
	return failed;
}

static const struct command_option options[] = {
	{ 'o', "output", "FILE", "the page to write (default PID.html)", .text = &chosen.output },
	{ 0, "no-bytes", NULL, "leave all bytes of the memory out of the page", .flag = &chosen.no_bytes },
	{ 0, "force", NULL, "replace an output that exists", .flag = &chosen.force },
};

const struct command command_report = {
	.name = "report",
	.operands = "[BEFORE] TARGET",
	.least = 1,
	.most = 2,
	.all_targets = true,
	.summary = "show the memory of a process as one page of HTML",
	.help = "The page needs nothing but a browser: the account as a bar, the regions as a treemap, as a ladder and "
		"as a table, and a map of what is in memory, coloured by kind, permissions, residency, sort of bytes "
		"or entropy. Whoever points at a cell of the map sees its address, its region and its first bytes. "
		"The page contains memory of the process, unless --no-bytes is given; its mode is 0600. With two "
		"targets the second is shown, and what changed since the first. Without --consistency it is a "
		"snapshot, as of dump.\n"
		"JSON: as of dump, with the format html.\n"
		"Exit status: 0 all that has content was read, 2 failure, nothing is left behind, 3 the page is there, "
		"but something that has content could not be read.",
	.common = COMMON_ALL,
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.run = run_report,
};
