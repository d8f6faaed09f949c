/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is told of a moment in the end. */
#include "failure.h"
#include "moment.h"
#include "pausing.h"
#include "ui/json.h"
#include "ui/output.h"
#include "ui/size.h"

#include <stdio.h>

/* Of a process that was not frozen: nothing was stopped. */
static struct pidmem_freeze_report look_up(const struct moment *moment, size_t index)
{
	struct pidmem_freeze_report report = PIDMEM_INIT(report);

	if (moment_file(moment))
		pidmem_source_describe(moment_file(moment)->file, NULL, &report);
	else if (moment->freeze)
		pidmem_freeze_describe(moment->freeze, index, NULL, &report);
	else
		report.threads = moment->running[index].threads;
	return report;
}

const char *moment_fallback(const struct moment *moment, const struct pidmem_freeze_report *report, char *text,
			    size_t size)
{
	if (moment->by_clone && report->engine == PIDMEM_ENGINE_PRECOPY && report->fallback)
		snprintf(text, size, "%s, %s", report->fallback, moment->by_clone);
	else if (moment->by_clone && report->engine == PIDMEM_ENGINE_CLONE && !report->fallback &&
		 !pausing_engine_given())
		snprintf(text, size, "not copied while it ran, %s; a copy by clone was made", moment->by_clone);
	else
		return report->fallback;
	return text;
}

/* NULL of a file that does not tell. */
static const char *consistency_name(const struct moment *moment, enum pidmem_consistency consistency)
{
	struct pidmem_file file = PIDMEM_INIT(file);

	if (moment_file(moment) && pidmem_file_describe(moment_file(moment)->file, NULL, &file) == 0 &&
	    !file.has_consistency)
		return NULL;
	return pidmem_consistency_name(consistency);
}

void moment_json(const struct moment *moment, size_t index)
{
	const struct pidmem_freeze_report report = look_up(moment, index);
	char text[FALLBACK_SIZE];

	json_text_or_null("consistency", consistency_name(moment, report.consistency));
	json_text_or_null("engine", pidmem_engine_name(report.engine));
	json_number("passes", report.passes);
	json_text_or_null("fallback", moment_fallback(moment, &report, text, sizeof(text)));
	json_number("pause_us", report.pause_us);
	json_array("stops_us");
	for (size_t i = 0; i < report.stop_count; i++)
		json_number(NULL, report.stops_us[i]);
	json_array_end();
	json_number("threads", report.threads);
	json_number("unstopped", report.unstopped);
	json_number("untracked", report.untracked);
	json_object("shared");
	json_number("paused", report.shared_paused);
	json_number("after", report.shared_after);
	json_object_end();
}

void moment_json_zombies(const struct moment *moment, size_t index)
{
	pid_t pid = moment_target(moment, index).pid;

	json_array("zombies");
	for (size_t i = 0; i < moment->ended.count; i++)
		if (moment->ended.items[i].parent == pid)
			json_number(NULL, (uint64_t)moment->ended.items[i].pid);
	json_array_end();
}

void moment_text(const struct moment *moment, size_t index)
{
	const struct pidmem_freeze_report report = look_up(moment, index);

	if (moment_file(moment)) {
		output_format("from %s, %zu %s", moment_file(moment)->words, report.threads,
			      report.threads == 1 ? "thread" : "threads");
		return;
	}
	if (report.consistency == PIDMEM_LIVE)
		output_text("live (the process ran on)");
	else
		output_format("paused %s (%s", time_text(report.pause_us).text,
			      pidmem_consistency_name(report.consistency));
	if (report.passes)
		output_format(", %u %s before", report.passes, report.passes == 1 ? "pass" : "passes");
	if (report.consistency != PIDMEM_LIVE)
		output_char(')');
	if (report.untracked)
		output_format(", %s not tracked", size_text(report.untracked).text);
	/* Of a snapshot the one part that is not of its moment. */
	if (report.shared_after)
		output_format(", %s of shared memory read after it", size_text(report.shared_after).text);
	output_format(", %zu %s", report.threads, report.threads == 1 ? "thread" : "threads");
}

void moment_text_way(const struct moment *moment, size_t index)
{
	const struct pidmem_freeze_report report = look_up(moment, index);
	char text[FALLBACK_SIZE];
	const char *fallback = moment_fallback(moment, &report, text, sizeof(text));

	if (!moment_file(moment) && report.consistency == PIDMEM_SNAPSHOT && fallback)
		output_format("; %s", fallback);
}

void moment_warn(const struct moment *moment, size_t index)
{
	const struct pidmem_freeze_report report = look_up(moment, index);

	if (moment_file(moment))
		target_warn(moment_file(moment));
	if (moment->max_pause_us && report.pause_us > moment->max_pause_us)
		warn("%s was paused for %s, which is longer than was allowed: more was to be done than was foretold",
		     moment_target(moment, index).words, time_text(report.pause_us).text);
	if (!moment_file(moment) && report.unstopped)
		warn("%zu of %zu threads of %s did not stop: they had ended or were in an uninterruptible "
		     "wait, "
		     "and their registers are not known",
		     report.unstopped, report.threads, moment_target(moment, index).words);
}
