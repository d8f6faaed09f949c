/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ui/account.h"
#include "failure.h"
#include "target.h"
#include "ui/json.h"
#include "ui/output.h"
#include "ui/size.h"

#include <inttypes.h>
#include <unistd.h>

#define REASONS 32

/* By enum pidmem_why. */
struct reasons {
	struct pidmem_reason of[REASONS];
};

static void sum_excluded(const struct pidmem_account *account, struct reasons *reasons)
{
	for (int i = 0; i < REASONS; i++)
		reasons->of[i] = pidmem_account_excluded(account, (enum pidmem_why)i);
}

static void sum_holes(const struct pidmem_account *account, enum pidmem_class class_, struct reasons *reasons)
{
	size_t count = pidmem_account_hole_count(account);

	for (size_t i = 0; i < count; i++) {
		const struct pidmem_hole *hole = pidmem_account_hole(account, i);

		struct pidmem_reason *reason = &reasons->of[(unsigned)hole->why % REASONS];

		if (hole->class_ != class_)
			continue;
		if (!reason->count++)
			reason->first = hole->start;
		reason->size += hole->size;
	}
}

void account_json(const struct pidmem_account *account)
{
	const struct pidmem_totals *totals = pidmem_account_totals(account);
	size_t count = pidmem_account_hole_count(account);

	json_object("account");
	json_number("total", totals->total);
	for (int i = 0; i < PIDMEM_CLASSES; i++)
		json_number(pidmem_class_name((enum pidmem_class)i), totals->by_class[i]);
	if (pidmem_account_mapped(account).size)
		json_number("from_files", pidmem_account_mapped(account).size);
	json_object_end();
	json_array("holes");
	for (size_t i = 0; i < count; i++) {
		const struct pidmem_hole *hole = pidmem_account_hole(account, i);

		json_object(NULL);
		json_address("start", hole->start);
		json_end_address("end", hole->start, hole->size);
		json_text("class", pidmem_class_name(hole->class_));
		json_text("why", pidmem_why_name(hole->why));
		json_object_end();
	}
	json_array_end();
}

/* "28 KiB of the kernel": what was left out, in fewer words than pidmem_why_text() has. */
static const char *short_text(enum pidmem_why why)
{
	switch (why) {
	case PIDMEM_WHY_KERNEL:
		return "of the kernel";
	case PIDMEM_WHY_DEVICE:
		return "of devices";
	case PIDMEM_WHY_DUMP_RULES:
		return "left out by the rules for cores";
	case PIDMEM_WHY_SWAPPED:
		return "in swap";
	default:
		return pidmem_why_text(why);
	}
}

static void print_reasons(const struct reasons *reasons)
{
	for (int i = 0; i < REASONS; i++)
		if (reasons->of[i].size)
			output_format(", %s %s", size_text(reasons->of[i].size).text, short_text((enum pidmem_why)i));
}

void account_sentence(const struct pidmem_account *account, const char *zeros)
{
	const struct pidmem_totals *totals = pidmem_account_totals(account);
	struct reasons left_out, empty = { { { 0 } } };

	output_format("%s read", size_text(totals->by_class[PIDMEM_READ]).text);
	if (totals->by_class[PIDMEM_ZERO])
		output_format(", %s %s", size_text(totals->by_class[PIDMEM_ZERO]).text, zeros);
	if (pidmem_account_mapped(account).size)
		output_format(", %s of that from mapped files", size_text(pidmem_account_mapped(account).size).text);
	sum_excluded(account, &left_out);
	print_reasons(&left_out);
	sum_holes(account, PIDMEM_NO_CONTENT, &empty);
	print_reasons(&empty);
	if (totals->by_class[PIDMEM_UNREADABLE])
		output_format(", %s unreadable", size_text(totals->by_class[PIDMEM_UNREADABLE]).text);
	else
		output_text(", nothing unreadable");
}

static void warn_reasons(const struct reasons *reasons, const char *what)
{
	for (int i = 0; i < REASONS; i++) {
		const struct pidmem_reason *reason = &reasons->of[i];
		const char *why = pidmem_why_text((enum pidmem_why)i);
		struct size_text size = size_text(reason->size);

		if (reason->count == 1)
			warn("%s at 0x%" PRIx64 " %s: %s", size.text, reason->first, what, why);
		else if (reason->count)
			warn("%s in %" PRIu64 " ranges, the first at 0x%" PRIx64 ", %s: %s", size.text, reason->count,
			     reason->first, what, why);
	}
}

void account_warn(const struct pidmem_account *account)
{
	struct reasons left_out, empty = { { { 0 } } };

	sum_holes(account, PIDMEM_NO_CONTENT, &empty);
	warn_reasons(&empty, "have no content");
	sum_excluded(account, &left_out);
	warn_reasons(&left_out, "are left out");
}

/* Only what would help this caller: root has the rights that the others are told of. */
static void hint_way_out(enum pidmem_why why)
{
	bool root = geteuid() == 0;

	if (why == PIDMEM_WHY_SHARED)
		hint("run it %swith CAP_CHECKPOINT_RESTORE: the memory is then read past the process",
		     root ? "" : "as root, or ");
	else if (why == PIDMEM_WHY_FILE && !root)
		hint("run it as root, who may open the mapped file");
	else if (why == PIDMEM_WHY_PERMS)
		hint("the kernel parameter proc_mem.force_override=always allows it");
}

/* Regions that no account knows of. */
static int status_of_unknown(const struct target *target)
{
	struct pidmem_file file = PIDMEM_INIT(file);

	if (!target->file || pidmem_file_describe(target->file, NULL, &file) < 0 || !file.unknown)
		return EXIT_DONE;
	fail("%s: the file ends within its headers: what %" PRIu64 " of them told of could not be read", target->words,
	     file.unknown);
	return EXIT_INCOMPLETE;
}

int account_status(const struct pidmem_account *account, const struct target *target)
{
	struct reasons reasons = { { { 0 } } };
	int unknown = status_of_unknown(target);

	if (!pidmem_account_totals(account)->by_class[PIDMEM_UNREADABLE])
		return unknown;
	sum_holes(account, PIDMEM_UNREADABLE, &reasons);
	for (int i = 0; i < REASONS; i++) {
		const struct pidmem_reason *reason = &reasons.of[i];

		if (!reason->count)
			continue;
		/* Not a warning that -q leaves out: nothing may be missing without a word. */
		fail("%s of %s could not be read: %s (%" PRIu64 " %s, the first at 0x%" PRIx64 ")",
		     size_text(reason->size).text, target->words, pidmem_why_text((enum pidmem_why)i), reason->count,
		     reason->count == 1 ? "range" : "ranges", reason->first);
		hint_way_out((enum pidmem_why)i);
	}
	return EXIT_INCOMPLETE;
}
