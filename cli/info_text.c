/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "info.h"
#include "ladder.h"
#include "ui/account.h"
#include "ui/colour.h"
#include "ui/output.h"
#include "ui/region.h"
#include "ui/size.h"
#include "ui/terminal.h"
#include "ui/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Ranges that are listed for people; JSON has all of them. */
#define MOST_RANGES 20
#define MOST_NOTE_KINDS 64

static void title(const char *text)
{
	output_format("\n%s%s%s\n", colour_stdout(COLOUR_TITLE), text, colour_stdout(COLOUR_END));
}

static void put_escaped(const char *text)
{
	output_escaped(text, strlen(text));
}

static void print_file(const struct info *info)
{
	const struct pidmem_file *file = &info->file;

	put_escaped(file->path);
	if (file->kind == PIDMEM_FILE_DUMP)
		output_text(": raw dump");
	else
		output_format(": ELF core, %s, %u bits", file->machine_name ? file->machine_name : "another machine",
			      file->bits);
	if (file->compression)
		output_format(", %s", file->compression);
	if (file->writer)
		output_format(", written by %s", file->writer);
	if (file->apparent)
		output_format(", %s (%s on disk)", size_text(file->apparent).text, size_text(file->size_on_disk).text);
	output_char('\n');
}

static void print_process(const struct info *info)
{
	const struct pidmem_file *file = &info->file;

	if (!info->target.pid)
		return;
	output_format("process %d", (int)info->target.pid);
	if (info->target.name[0]) {
		output_text(" (");
		put_escaped(info->target.name);
		output_char(')');
	}
	if (info->command && info->command[0]) {
		output_text(": ");
		put_escaped(info->command);
	}
	output_char('\n');
	if (info->target.file && file->signal)
		output_format("signal %d (SIG%s)\n", file->signal,
			      sigabbrev_np(file->signal) ? sigabbrev_np(file->signal) : "?");
}

static void print_moment(const struct info *info)
{
	struct pidmem_freeze_report report = PIDMEM_INIT(report);

	if (!info->file.has_consistency || pidmem_source_describe(info->source, NULL, &report) < 0)
		return;
	output_format("consistency %s", pidmem_consistency_name(report.consistency));
	if (pidmem_engine_name(report.engine))
		output_format(" (%s)", pidmem_engine_name(report.engine));
	if (report.stop_count)
		output_format(", paused %s", time_text(report.pause_us).text);
	if (report.unstopped)
		output_format(", %zu threads did not stop", report.unstopped);
	output_char('\n');
	if (report.fallback) {
		put_escaped(report.fallback);
		output_char('\n');
	}
}

static void print_threads(const struct info *info)
{
	const struct pidmem_thread *thread;

	if (!pidmem_threads_count(info->threads))
		return;
	title("    TID  S  THREAD");
	for (size_t i = 0; (thread = pidmem_threads_get(info->threads, i)) && !output_failed(); i++) {
		output_format("%7d  %c  ", (int)thread->tid, thread->state ? thread->state : '?');
		put_escaped(thread->name[0] ? thread->name : "?");
		output_char('\n');
	}
}

static void print_kinds(const struct info *info)
{
	output_char('\n');
	kinds_print(&info->kinds);
}

static void print_ladder(const struct info *info)
{
	if (!terminal_is() || !pidmem_maps_count(info->maps))
		return;
	title("         ADDRESS      SIZE  REGIONS");
	ladder_print(info->maps, info->target.process);
}

static void print_modules(const struct info *info)
{
	struct info_module module;
	size_t index = 0;
	bool any = false;

	while (info_module_next(info, &index, &module) && !output_failed()) {
		if (!any)
			title("     ADDRESS  BUILD-ID                                  MODULE");
		any = true;
		output_format("%12" PRIx64 "  %-40s  ", module.region->start,
			      module.build_id[0] ? module.build_id : "-");
		output_escaped(module.region->path, module.region->path_size);
		output_char('\n');
	}
}

/* Notes of one owner and type together: there may be many thousands of them. */
struct note_kinds {
	size_t count;
	struct {
		char owner[16];
		uint32_t type;
		const char *name;
		uint64_t count, size;
	} kinds[MOST_NOTE_KINDS];
};

static int count_note(void *user, const struct pidmem_file_note *note)
{
	struct note_kinds *all = user;
	size_t i = 0;

	while (i < all->count && (all->kinds[i].type != note->type || strcmp(all->kinds[i].owner, note->owner) != 0))
		i++;
	if (i == MOST_NOTE_KINDS)
		return 0;
	if (i == all->count) {
		snprintf(all->kinds[i].owner, sizeof(all->kinds[i].owner), "%s", note->owner);
		all->kinds[i].type = note->type;
		all->kinds[i].name = info_note_name(note);
		all->count++;
	}
	all->kinds[i].count++;
	all->kinds[i].size += note->size;
	return 0;
}

static void print_notes(const struct info *info)
{
	struct note_kinds all = { .count = 0 };

	pidmem_file_notes(info->source, count_note, &all, NULL);
	if (all.count)
		title("OWNER    COUNT       SIZE  NOTE");
	for (size_t i = 0; i < all.count; i++) {
		char owner[80];

		text_escape(owner, sizeof(owner), all.kinds[i].owner, strlen(all.kinds[i].owner));
		output_format("%-6s  %6" PRIu64 "  %9s  ", owner, all.kinds[i].count,
			      size_text(all.kinds[i].size).text);
		if (all.kinds[i].name)
			output_format("%s\n", all.kinds[i].name);
		else
			output_format("type 0x%" PRIx32 "\n", all.kinds[i].type);
	}
}

static void print_missing(const struct info *info)
{
	size_t count = pidmem_account_hole_count(info->account), shown = 0, more = 0;

	for (size_t i = 0; i < count; i++) {
		const struct pidmem_hole *hole = pidmem_account_hole(info->account, i);
		char end[24];

		if (hole->class_ != PIDMEM_UNREADABLE)
			continue;
		if (shown == MOST_RANGES) {
			more++;
			continue;
		}
		if (!shown++)
			title("MISSING");
		*put_end(end, hole->start, hole->size) = '\0';
		output_format("%" PRIx64 "-%s  %s: %s\n", hole->start, end, size_text(hole->size).text,
			      pidmem_why_text(hole->why));
	}
	if (more)
		output_format("and %zu more ranges: --json lists them all\n", more);
}

static void print_content(const struct info *info)
{
	output_char('\n');
	account_sentence(info->account, "zero (holes)");
	output_char('\n');
	for (size_t i = 0; i < info->file.remarks; i++)
		output_format("%s\n", pidmem_file_remark(info->source, i));
}

void info_text(struct info *info)
{
	if (info->target.file)
		print_file(info);
	print_process(info);
	if (info->target.file)
		print_moment(info);
	print_threads(info);
	print_kinds(info);
	print_ladder(info);
	print_modules(info);
	if (!info->target.file)
		return;
	print_notes(info);
	print_missing(info);
	print_content(info);
}
