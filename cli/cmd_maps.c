/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* maps TARGET - the regions of a process. */
#include "columns.h"
#include "command.h"
#include "failure.h"
#include "pmap.h"
#include "selection.h"
#include "target.h"
#include "ui/json.h"
#include "ui/output.h"
#include "ui/region.h"
#include "ui/size.h"
#include "ui/strip.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static struct {
	const char *columns;
	bool extended;
} chosen;

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

static void json_region(const struct pidmem_region *region, bool usage)
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
	json_number("rss", region->resident);
	json_number("swap", region->swapped);
	if (usage)
		json_usage(region->usage);
	json_object_end();
}

static void print_json(const struct invocation *invocation, struct pidmem_process *process,
		       const struct pidmem_maps *maps, bool usage)
{
	const struct pidmem_region *region;

	json_begin(invocation, pidmem_process_pid(process));
	json_bytes("name", pidmem_process_name(process), strlen(pidmem_process_name(process)));
	json_array("regions");
	for (size_t i = 0; (region = pidmem_maps_get(maps, i)) && !output_failed(); i++)
		if (region_selected(invocation->select, region))
			json_region(region, usage);
	json_array_end();
	json_finish();
}

static void print_summary(size_t count, uint64_t size, uint64_t resident, uint64_t swapped)
{
	output_format("%zu %s, %s in all, %s resident, ", count, count == 1 ? "region" : "regions",
		      size_text(size).text, size_text(resident).text);
	if (swapped)
		output_format("%s swapped\n", size_text(swapped).text);
	else
		output_text("nothing swapped\n");
}

/* Not with chosen columns: those are for a program to read as much as for a person. */
static void print_table(const struct invocation *invocation, struct column_choice *choice,
			const struct pidmem_maps *maps)
{
	uint64_t size = 0, resident = 0, swapped = 0;
	const struct pidmem_region *region, *last = NULL;
	size_t count = 0;

	for (size_t i = pidmem_maps_count(maps); i-- > 0 && !last;)
		if (region_selected(invocation->select, pidmem_maps_get(maps, i)))
			last = pidmem_maps_get(maps, i);
	if (last)
		columns_fit(choice, last);
	table_title(choice->columns, choice->count);
	for (size_t i = 0; (region = pidmem_maps_get(maps, i)) && !output_failed(); i++) {
		if (!region_selected(invocation->select, region))
			continue;
		table_row(choice->columns, choice->count, region);
		count++;
		size += region->size;
		resident += region->resident;
		swapped += region->swapped;
	}
	if (!chosen.columns)
		print_summary(count, size, resident, swapped);
}

/* The strip is for people who look at a wide enough screen: with it lines are some 110 columns long. */
static bool room_for_strip(void)
{
	struct winsize window;

	if (!isatty(STDOUT_FILENO))
		return false;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) < 0 || !window.ws_col || window.ws_col >= 110;
}

static int choose_columns(const struct invocation *invocation, struct column_choice *choice)
{
	if (chosen.columns && chosen.extended) {
		fail("maps: -x has columns of its own, -o chooses others");
		hint("use one of the two");
		return EXIT_FAILED;
	}
	if (chosen.columns && invocation->json) {
		fail("maps: -o chooses columns of the table, JSON has every field");
		hint("use one of the two: -o, or --json and jq(1)");
		return EXIT_FAILED;
	}
	if (chosen.columns)
		return columns_choose(chosen.columns, choice);
	return columns_choose(room_for_strip() ? "range,perms,size,rss,swap,kind,strip,name"
					       : "range,perms,size,rss,swap,kind,name",
			      choice);
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

static int run_maps(const struct invocation *invocation)
{
	AUTO(process) process = NULL;
	AUTO(maps) maps = NULL;
	struct column_choice choice;
	struct pidmem_error error;
	unsigned needs;
	int failed;

	failed = check_consistency(invocation);
	if (!failed)
		failed = choose_columns(invocation, &choice);
	if (!failed)
		failed = target_open(invocation, invocation->operands[0], &process);
	if (failed)
		return failed;
	needs = choice.needs | (invocation->json ? PIDMEM_MAPS_RESIDENCE : 0) |
		(chosen.extended ? PIDMEM_MAPS_USAGE : 0);
	if (pidmem_maps_read(process, needs, &error, &maps) < 0)
		return fail_process(invocation, pidmem_process_pid(process), &error);
	failed = selection_check(invocation, process, maps);
	if (failed)
		return failed;
	strip_of(process);
	if (invocation->json)
		print_json(invocation, process, maps, needs & PIDMEM_MAPS_USAGE);
	else if (chosen.extended)
		pmap_print(process, maps, invocation->select);
	else
		print_table(invocation, &choice, maps);
	return EXIT_DONE;
}

static const struct command_option options[] = {
	{ 'o', "columns", "COL,...",
	  "these columns: range, start, end, perms, size, rss, swap, kind, name, path, offset, dev, inode, strip, and "
	  "from smaps: pss, shared_clean, shared_dirty, private_clean, private_dirty, referenced, anonymous, huge, "
	  "swap_pss, locked, flags",
	  .text = &chosen.columns },
	{ 'x', "extended", NULL, "exactly the columns of pmap -x", .flag = &chosen.extended },
};

const struct command command_maps = {
	.name = "maps",
	.operands = "TARGET",
	.least = 1,
	.most = 1,
	.summary = "list the regions of a process, what is resident and what is swapped",
	.help = "Regions stand in address order. On a terminal of 110 columns and more a strip shows which parts of a "
		"region are in memory: # all, + some, s swapped, g guard pages, . nothing, ? too large to look. In "
		"names, control characters are written as \\012, and as \\xff bytes that are not UTF-8 and characters "
		"that turn the direction of a line.\n"
		"JSON: the list `regions`, each with start, end, perms, offset, dev, inode, path (path_hex if it is "
		"not "
		"UTF-8), deleted, kind, size, rss and swap; with -x also usage, as in smaps.\n"
		"Exit status: 0 done, 2 failure.",
	.common = COMMON_ALL,
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.run = run_maps,
};
