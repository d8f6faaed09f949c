/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* maps TARGET - the regions of a process. */
#include "columns.h"
#include "command.h"
#include "failure.h"
#include "kinds.h"
#include "ladder.h"
#include "pmap.h"
#include "saved.h"
#include "selection.h"
#include "target.h"
#include "ui/json.h"
#include "ui/output.h"
#include "ui/region.h"
#include "ui/size.h"
#include "ui/strip.h"
#include "ui/terminal.h"
#include "watch.h"

#include <string.h>

static struct {
	const char *columns, *watch;
	bool extended;
} chosen;

/* What is listed. */
struct subject {
	struct target target;
	const struct pidmem_maps *maps;
	struct pidmem_maps *own; /* the same, of a process */
	bool residence, usage;   /* are known */
};

static void json_usage(const struct pidmem_usage *usage)
{
	json_object("usage");
	json_number("rss", usage->rss);
	json_number("pss", usage->pss);
	json_number("shared_clean", usage->shared_clean);
	json_number("shared_dirty", usage->shared_dirty);
	json_number("private_clean", usage->private_clean);
	json_number("private_dirty", usage->private_dirty);
	json_number("referenced", usage->referenced);
	json_number("anonymous", usage->anonymous);
	json_number("anon_huge", usage->anon_huge);
	json_number("shared_hugetlb", usage->shared_hugetlb);
	json_number("private_hugetlb", usage->private_hugetlb);
	json_number("swap", usage->swap);
	json_number("swap_pss", usage->swap_pss);
	json_number("locked", usage->locked);
	json_object_end();
}

static void json_region(const struct pidmem_region *region, const struct subject *subject)
{
	char perms[8], dev[24];

	*put_perms(perms, region) = '\0';
	*put_dev(dev, region) = '\0';
	json_object(NULL);
	json_address("start", region->start);
	json_end_address("end", region->start, region->size);
	json_text("perms", perms);
	json_address("offset", region->offset);
	json_text("dev", dev);
	json_number("inode", region->inode);
	json_bytes("path", region->path, region->path_size);
	json_bool("deleted", region->deleted);
	json_text("kind", pidmem_kind_name(region->kind));
	json_number("size", region->size);
	json_number_or_null("rss", region->resident, subject->residence);
	json_number_or_null("swap", region->swapped, subject->residence);
	if (subject->target.file)
		json_number("saved", saved_size(region));
	if (subject->usage)
		json_usage(region->usage);
	json_object_end();
}

static void print_json(const struct invocation *invocation, const struct subject *subject)
{
	const struct pidmem_region *region;

	target_json(invocation, &subject->target);
	json_array("regions");
	for (size_t i = 0; (region = pidmem_maps_get(subject->maps, i)) && !output_failed(); i++)
		if (region_selected(invocation->select, region))
			json_region(region, subject);
	json_array_end();
	json_finish();
}

static void print_summary(const struct subject *subject, size_t count, uint64_t size, uint64_t resident,
			  uint64_t swapped)
{
	output_format("%zu %s, %s in all", count, count == 1 ? "region" : "regions", size_text(size).text);
	if (!subject->residence) {
		output_char('\n');
		return;
	}
	output_format(", %s resident, ", size_text(resident).text);
	if (swapped)
		output_format("%s swapped\n", size_text(swapped).text);
	else
		output_text("nothing swapped\n");
}

/* Whoever looks at a terminal sees the gaps, and what there is of each kind. */
static bool for_people(void)
{
	return terminal_is() && !chosen.columns;
}

static void fit_screen(const struct invocation *invocation, struct column_choice *choice, const struct subject *subject)
{
	const struct pidmem_region *last = NULL;
	size_t taken;

	for (size_t i = pidmem_maps_count(subject->maps); i-- > 0 && !last;)
		if (region_selected(invocation->select, pidmem_maps_get(subject->maps, i)))
			last = pidmem_maps_get(subject->maps, i);
	if (last)
		columns_fit(choice, last);
	taken = columns_width(choice);
	if (for_people() && terminal_width() > taken + 1)
		columns_cut_names(terminal_width() - taken);
}

/* The summary not with chosen columns: those are for a program to read as much as for a person. */
static void print_table(const struct invocation *invocation, struct column_choice *choice,
			const struct subject *subject)
{
	struct kinds kinds = { .resident = subject->residence, .saved = !subject->residence };
	const struct kind_sum *all = &kinds.of[KINDS];
	const struct pidmem_region *region, *last = NULL;
	uint64_t gap = 0;

	fit_screen(invocation, choice, subject);
	table_title(choice->columns, choice->count);
	for (size_t i = 0; (region = pidmem_maps_get(subject->maps, i)) && !output_failed(); i++, last = region) {
		gap += last ? ladder_between(last, region) : 0;
		if (!region_selected(invocation->select, region))
			continue;
		if (all->count && for_people())
			ladder_gap(gap);
		gap = 0;
		table_row(choice->columns, choice->count, region);
		kinds_add(&kinds, region, for_people() && kinds.saved ? saved_size(region) : 0);
	}
	if (for_people()) {
		output_char('\n');
		kinds_print(&kinds);
		if (!subject->target.file)
			strip_legend();
	}
	if (!chosen.columns)
		print_summary(subject, all->count, all->size, all->resident, all->swapped);
}

/* What fits: strips are for people, and lines are to stay lines. A terminal that does not tell is a wide one. */
static const char *screen_columns(unsigned width, unsigned *strip)
{
	*strip = width > 110 ? STRIP_WIDTH + (width - 110) / 3 : width ? STRIP_WIDTH / 2 : STRIP_WIDTH;
	if (width == 0 || width >= 110) {
		*strip = *strip < STRIP_WIDTH ? STRIP_WIDTH : *strip;
		return "range,perms,size,rss,swap,kind,strip,name";
	}
	return width >= 80 ? "start,perms,size,rss,strip,name" : "start,perms,size,strip,name";
}

static int choose_columns(const struct subject *subject, struct column_choice *choice)
{
	bool strips = subject->residence && !subject->target.file;
	const char *names = chosen.columns;
	unsigned strip = STRIP_WIDTH;
	int failed;

	if (!names && terminal_is() && strips)
		names = screen_columns(terminal_width(), &strip);
	else if (!names)
		names = !subject->residence ? "range,perms,size,saved,kind,name"
					    : "range,perms,size,rss,swap,kind,name";
	failed = columns_choose(names, choice);
	if (failed)
		return failed;
	strip = strip < STRIP_MOST ? strip : STRIP_MOST;
	columns_set_strip(choice, strip);
	strip_of(subject->target.process, strip);
	return 0;
}

static int check_options(const struct invocation *invocation)
{
	if (chosen.columns && chosen.extended) {
		fail("maps: -x has columns of its own, -o chooses others");
		hint("use one of the two");
		return EXIT_FAILED;
	}
	if (chosen.watch && (chosen.columns || chosen.extended || invocation->json)) {
		fail("maps: --watch has columns of its own");
		hint("leave out -o, -x and --json");
		return EXIT_FAILED;
	}
	if (chosen.columns && invocation->json) {
		fail("maps: -o chooses columns of the table, JSON has every field");
		hint("use one of the two: -o, or --json and jq(1)");
		return EXIT_FAILED;
	}
	return 0;
}

/* The kernel gives out the list region by region; to hold the process still for it would be much ado. */
static int check_consistency(const struct invocation *invocation)
{
	if (!invocation->consistency_given || invocation->consistency == PIDMEM_LIVE)
		return 0;
	fail("maps: regions are listed while the process runs on: there is no --consistency=%s",
	     pidmem_consistency_name(invocation->consistency));
	hint("read, dump and core have it");
	return EXIT_FAILED;
}

static int list_process(const struct invocation *invocation, struct subject *subject, unsigned needs)
{
	struct pidmem_error error;

	if (pidmem_maps_read(subject->target.process, needs & (PIDMEM_MAPS_RESIDENCE | PIDMEM_MAPS_USAGE), &error,
			     &subject->own) < 0)
		return target_fail(invocation, &subject->target, &error);
	subject->maps = subject->own;
	return 0;
}

static int list_file(struct subject *subject, const struct column_choice *choice)
{
	if (chosen.extended)
		return target_refuse(&subject->target, "-x", "without it, what the file tells is listed");
	subject->maps = pidmem_source_maps(subject->target.file);
	saved_of(subject->target.file);
	return columns_check_file(choice, subject->target.path, subject->residence);
}

/* Of a process, everything can be asked for. */
static bool has_usage(const struct target *target)
{
	struct pidmem_file file = PIDMEM_INIT(file);

	return !target->file || (pidmem_file_describe(target->file, NULL, &file) == 0 && file.has_usage);
}

static int watch(const struct invocation *invocation, const struct subject *subject)
{
	double seconds = 1;
	int failed = subject->target.file ? target_refuse(&subject->target, "--watch", "a file does not change")
					  : watch_parse(chosen.watch, &seconds);

	return failed ? failed : watch_run(invocation, &subject->target, seconds);
}

static int list(const struct invocation *invocation, struct subject *subject)
{
	struct column_choice choice;
	unsigned needs;
	int failed;

	subject->residence = has_usage(&subject->target);
	failed = choose_columns(subject, &choice);
	if (failed)
		return failed;
	needs = choice.needs | (invocation->json ? PIDMEM_MAPS_RESIDENCE : 0) |
		(chosen.extended ? PIDMEM_MAPS_USAGE : 0);
	subject->usage = needs & PIDMEM_MAPS_USAGE;
	failed = subject->target.file ? list_file(subject, &choice) : list_process(invocation, subject, needs);
	if (!failed)
		failed = selection_check(invocation, &subject->target, subject->maps);
	if (failed)
		return failed;
	target_warn(&subject->target);
	if (invocation->json)
		print_json(invocation, subject);
	else if (chosen.extended)
		pmap_print(subject->target.process, subject->maps, invocation->select);
	else
		print_table(invocation, &choice, subject);
	return EXIT_DONE;
}

static int run_maps(const struct invocation *invocation)
{
	struct subject subject = { .maps = NULL };
	int failed;

	failed = check_consistency(invocation);
	if (!failed)
		failed = check_options(invocation);
	if (!failed)
		failed = target_open(invocation, invocation->operands[0], &subject.target);
	if (!failed)
		failed = chosen.watch ? watch(invocation, &subject) : list(invocation, &subject);
	pidmem_maps_free(subject.own);
	target_close(&subject.target);
	return failed;
}

static const struct command_option options[] = {
	{ 'o', "columns", "COL,...",
	  "these columns: range, start, end, perms, size, rss, swap, kind, name, path, offset, dev, inode, strip, of a "
	  "file saved, and "
	  "from smaps: pss, shared_clean, shared_dirty, private_clean, private_dirty, referenced, anonymous, huge, "
	  "swap_pss, locked, flags",
	  .text = &chosen.columns },
	{ 0, "watch", "[=SEC]", "on a terminal: again each second, or each SEC seconds, with what grew or shrank",
	  .text = &chosen.watch },
	{ 'x', "extended", NULL, "exactly the columns of pmap -x", .flag = &chosen.extended },
};

const struct command command_maps = {
	.name = "maps",
	.operands = "TARGET",
	.least = 1,
	.most = 1,
	.summary = "list the regions of a process, what is resident and what is swapped",
	.help = "Regions stand in address order. On a terminal a strip shows which parts of a region are in memory, as "
		"blocks or, without UTF-8, # all, = all, of files or shared, + some, z zeros, s swapped, g guard "
		"pages, . nothing, ? too large to "
		"look; large gaps are told, and there is a table by kind. In "
		"names, control characters are written as \\012, and as \\xff bytes that are not UTF-8 and characters "
		"that turn the direction of a line.\n"
		"JSON: the list `regions`, each with start, end, perms, offset, dev, inode, path (path_hex if it is "
		"not "
		"UTF-8), deleted, kind, size, rss and swap (null where a file does not tell them), of a file also "
		"saved; with -x also usage, as in smaps.\n"
		"Exit status: 0 done, 2 failure.",
	.common = COMMON_ALL & ~(unsigned long)COMMON_FILES,
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.run = run_maps,
};
