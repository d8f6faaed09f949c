/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The head of a report: what was read, when and how, and the account. */
#include "report.h"
#include "ui/json.h"
#include "ui/text.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>

#define COMMAND_LINE 4096
#define REASONS 32 /* room for all of enum pidmem_why */

static void put_escaped(const char *key, const char *text, size_t size)
{
	char escaped[COMMAND_LINE];

	text_escape(escaped, sizeof(escaped), text, size);
	json_text(key, escaped);
}

static void put_command_line(const struct report *report)
{
	const struct target *target = &report->save->target;
	struct pidmem_file file = PIDMEM_INIT(file);
	char line[COMMAND_LINE];
	ssize_t size;

	if (target->file) {
		if (pidmem_file_describe(target->file, NULL, &file) == 0 && file.has_process)
			put_escaped("command_line", file.arguments, strlen(file.arguments));
		return;
	}
	size = pidmem_process_command(moment_process(&report->saving->moment, report->index), line, sizeof(line), NULL);
	while (size > 0 && !line[size - 1])
		size--;
	for (ssize_t i = 0; i < size; i++)
		line[i] = line[i] ? line[i] : ' ';
	if (size > 0)
		put_escaped("command_line", line, (size_t)size);
}

static void put_time(const char *key, time_t time)
{
	struct tm local;
	char text[64];

	if (localtime_r(&time, &local) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %z", &local))
		json_text(key, text);
}

/* Of a file, what it tells of is older than the page. */
static void put_made(const struct target *target)
{
	struct utsname machine;
	struct stat status;

	put_time("made", time(NULL));
	if (target->file && stat(target->path, &status) == 0)
		put_time("written", status.st_mtime);
	if (uname(&machine) == 0) {
		put_escaped("host", machine.nodename, strlen(machine.nodename));
		json_text("kernel", machine.release);
	}
}

static void put_reasons(const struct pidmem_account *account)
{
	uint64_t sizes[REASONS] = { 0 };

	for (int i = 0; i < REASONS; i++)
		sizes[i] = pidmem_account_excluded(account, (enum pidmem_why)i).size;
	for (size_t i = 0; i < pidmem_account_hole_count(account); i++) {
		const struct pidmem_hole *hole = pidmem_account_hole(account, i);

		sizes[(unsigned)hole->why % REASONS] += hole->size;
	}
	json_array("reasons");
	for (int i = 0; i < REASONS; i++) {
		if (!sizes[i])
			continue;
		json_object(NULL);
		json_text("text", pidmem_why_text((enum pidmem_why)i));
		json_number("size", sizes[i]);
		json_object_end();
	}
	json_array_end();
}

/* Regions of the other one of which nothing is left. */
static void put_before(const struct report *report)
{
	const struct pidmem_maps *then = pidmem_source_maps(report->before_source);
	const struct pidmem_maps *now = pidmem_source_maps(report->save->source);
	uint64_t count = 0, size = 0;
	const struct pidmem_region *region;

	for (size_t i = 0; (region = pidmem_maps_get(then, i)); i++) {
		const struct pidmem_region *there = pidmem_maps_find_next(now, region->start);

		if (there && (there->start <= region->start || there->start - region->start < region->size))
			continue;
		count++;
		size += region->size;
	}
	json_object("before");
	put_escaped("words", report->before->words, strlen(report->before->words));
	json_number("gone", count);
	json_number("gone_size", size);
	json_object_end();
}

void report_json(const struct report *report)
{
	const struct save *save = report->save;
	const struct pidmem_totals *totals = pidmem_account_totals(save->account);

	target_json(report->saving->invocation, &save->target);
	json_text("version", pidmem_version());
	put_escaped("words", save->target.words, strlen(save->target.words));
	put_command_line(report);
	put_made(&save->target);
	moment_json(&report->saving->moment, report->index);
	json_bool("bytes", report->bytes);
	json_object("account");
	json_number("total", totals->total);
	for (int i = 0; i < PIDMEM_CLASSES; i++)
		json_number(pidmem_class_name((enum pidmem_class)i), totals->by_class[i]);
	json_object_end();
	put_reasons(save->account);
	if (report->before)
		put_before(report);
	report_regions_json(report);
	report_cells_json(report);
	json_finish();
}
