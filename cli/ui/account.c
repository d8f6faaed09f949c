/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ui/account.h"
#include "failure.h"
#include "ui/json.h"
#include "ui/output.h"
#include "ui/size.h"

#include <inttypes.h>

#define MOST_REASONS 32

/* Holes of one reason taken together. */
struct reason {
	uint64_t size, first, count;
};

static void sum_reasons(const struct pidmem_account *account, enum pidmem_class class_, struct reason *reasons)
{
	size_t count = pidmem_account_hole_count(account);

	for (size_t i = 0; i < count; i++) {
		const struct pidmem_hole *hole = pidmem_account_hole(account, i);
		struct reason *reason = &reasons[(unsigned)hole->why % MOST_REASONS];

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

void account_sentence(const struct pidmem_account *account)
{
	const struct pidmem_totals *totals = pidmem_account_totals(account);
	struct reason reasons[MOST_REASONS] = { { 0 } };

	output_format("%s read", size_text(totals->by_class[PIDMEM_READ]).text);
	if (totals->by_class[PIDMEM_ZERO])
		output_format(", %s zero (holes)", size_text(totals->by_class[PIDMEM_ZERO]).text);
	if (totals->by_class[PIDMEM_EXCLUDED])
		output_format(", %s left out", size_text(totals->by_class[PIDMEM_EXCLUDED]).text);
	sum_reasons(account, PIDMEM_NO_CONTENT, reasons);
	for (int i = 0; i < MOST_REASONS; i++)
		if (reasons[i].size)
			output_format(", %s %s", size_text(reasons[i].size).text, pidmem_why_text((enum pidmem_why)i));
	if (totals->by_class[PIDMEM_UNREADABLE])
		output_format(", %s unreadable", size_text(totals->by_class[PIDMEM_UNREADABLE]).text);
	else
		output_text(", nothing unreadable");
}

int account_status(const struct pidmem_account *account)
{
	struct reason reasons[MOST_REASONS] = { { 0 } };

	if (!pidmem_account_totals(account)->by_class[PIDMEM_UNREADABLE])
		return EXIT_DONE;
	sum_reasons(account, PIDMEM_UNREADABLE, reasons);
	for (int i = 0; i < MOST_REASONS; i++) {
		const struct reason *reason = &reasons[i];

		if (!reason->count)
			continue;
		/* Not a warning that -q leaves out: nothing may be missing without a word. */
		fail("%s could not be read: %s (%" PRIu64 " %s, the first at 0x%" PRIx64 ")",
		     size_text(reason->size).text, pidmem_why_text((enum pidmem_why)i), reason->count,
		     reason->count == 1 ? "range" : "ranges", reason->first);
	}
	return EXIT_INCOMPLETE;
}
