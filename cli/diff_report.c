/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "diff.h"
#include "ui/account.h"
#include "ui/json.h"
#include "ui/output.h"
#include "ui/region.h"
#include "ui/size.h"
#include "ui/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Bytes that are shown to people of each side. */
#define MOST_SHOWN 8

struct perms_text {
	char text[8];
};

static struct perms_text perms_of(const struct pidmem_region *region)
{
	struct perms_text perms = { "" };

	*put_perms(perms.text, region) = '\0';
	return perms;
}

/* Where it is now, or was. */
static const struct pidmem_region *region_of(const struct pidmem_difference *difference)
{
	return difference->regions[1] ? difference->regions[1] : difference->regions[0];
}

static void put_name(const struct pidmem_region *region)
{
	if (region && region->path_size)
		output_escaped(region->path, region->path_size);
	else if (region)
		output_text(pidmem_kind_name(region->kind));
}

static void put_bytes(const struct pidmem_difference *difference, const unsigned char *bytes)
{
	for (size_t i = 0; i < difference->known && i < MOST_SHOWN && i < difference->size; i++)
		output_format(i ? " %02x" : "%02x", bytes[i]);
	if (difference->size > MOST_SHOWN)
		output_text(" …");
}

static void print_content(const struct pidmem_difference *difference)
{
	const struct pidmem_region *region = region_of(difference);

	output_format("0x%" PRIx64 "  ", difference->address);
	put_name(region);
	output_format("+0x%" PRIx64 "  %s  %s  ", difference->address - region->start, perms_of(region).text,
		      size_text(difference->size).text);
	put_bytes(difference, difference->before);
	output_text(" -> ");
	put_bytes(difference, difference->after);
	output_char('\n');
}

static void print_region(const struct pidmem_difference *difference)
{
	const struct pidmem_region *one = difference->regions[0], *other = difference->regions[1];
	char end[24];

	*put_end(end, difference->address, difference->size) = '\0';
	output_format("%-8s  %" PRIx64 "-%s  ", pidmem_difference_name(difference->kind), difference->address, end);
	if (one && other && difference->kind == PIDMEM_OTHER_RIGHTS)
		output_format("%s -> %s  ", perms_of(one).text, perms_of(other).text);
	else
		output_format("%s  ", perms_of(region_of(difference)).text);
	output_format("%s  ", size_text(difference->size).text);
	put_name(one ? one : other);
	if (difference->kind == PIDMEM_REPLACED) {
		output_text(" -> ");
		put_name(other);
	} else if (one && difference->kind == PIDMEM_MOVED) {
		output_format("  from %" PRIx64, one->start);
		if (difference->known)
			output_format(", %s changed", size_text(difference->changed).text);
	}
	output_char('\n');
}

/* The region whose changes have been counted is done. */
static void print_counted(struct diff_job *job)
{
	const struct pidmem_region *region = job->region;
	char end[24];

	if (!region)
		return;
	*put_end(end, region->start, region->size) = '\0';
	output_format("content   %" PRIx64 "-%s  %s  %s in %" PRIu64 " %s  ", region->start, end, perms_of(region).text,
		      size_text(job->bytes).text, job->ranges, job->ranges == 1 ? "range" : "ranges");
	put_name(region);
	output_char('\n');
}

static void count(struct diff_job *job, const struct pidmem_difference *difference)
{
	if (job->region != region_of(difference)) {
		print_counted(job);
		job->region = region_of(difference);
		job->ranges = job->bytes = 0;
	}
	job->ranges++;
	job->bytes += difference->size;
}

static void print_json(const struct diff_job *job, const struct pidmem_difference *difference)
{
	static const char *const perms[] = { "perms_before", "perms" }, *const paths[] = { "region_before", "region" };
	const struct pidmem_region *region = region_of(difference);
	bool both = difference->kind == PIDMEM_REPLACED || difference->kind == PIDMEM_OTHER_RIGHTS;

	json_begin(job->invocation, 0);
	json_text("kind", pidmem_difference_name(difference->kind));
	json_address("address", difference->address);
	json_number("size", difference->size);
	for (int i = both ? 0 : 1; i < 2; i++) {
		const struct pidmem_region *one = both ? difference->regions[i] : region;

		json_bytes(paths[i], one->path, one->path_size);
		json_text(perms[i], perms_of(one).text);
	}
	json_address("offset", difference->address - region->start);
	if (difference->kind == PIDMEM_MOVED) {
		json_address("from", difference->regions[0]->start);
		if (difference->known)
			json_number("changed", difference->changed);
		else
			json_null("changed");
	}
	if (difference->kind == PIDMEM_CONTENT) {
		json_hex("before", difference->before, difference->known);
		json_hex("after", difference->after, difference->known);
	}
	json_finish();
}

void diff_report(struct diff_job *job, const struct pidmem_difference *difference)
{
	if (job->invocation->json)
		print_json(job, difference);
	else if (difference->kind != PIDMEM_CONTENT)
		print_region(difference);
	else if (job->summary)
		count(job, difference);
	else
		print_content(difference);
}

static void print_json_end(const struct diff_job *job, const struct pidmem_diff_report *report)
{
	json_begin(job->invocation, 0);
	json_number("differences", job->differences);
	json_number("compared", report->compared);
	json_number("changed", report->changed);
	json_number("not_compared", report->not_compared);
	json_array("targets");
	for (int i = 0; i < 2; i++) {
		const struct reading *side = &job->sides[i];

		json_object(NULL);
		if (side->target.file)
			json_bytes("target", side->target.path, strlen(side->target.path));
		else
			json_number("target", (uint64_t)side->target.pid);
		json_bytes("name", side->target.name, strlen(side->target.name));
		account_json(side->account);
		moment_json(&side->moment, 0);
		json_object_end();
	}
	json_array_end();
	json_finish();
}

void diff_report_end(struct diff_job *job)
{
	struct pidmem_diff_report report = PIDMEM_INIT(report);

	pidmem_diff_describe(job->diff, NULL, &report);
	if (job->invocation->json) {
		print_json_end(job, &report);
		return;
	}
	print_counted(job);
	output_format("%" PRIu64 " %s: %s of %s that both have", job->differences,
		      job->differences == 1 ? "difference" : "differences", size_text(report.changed).text,
		      size_text(report.compared).text);
	if (report.not_compared)
		output_format("; %s that only one of them has could not be compared",
			      size_text(report.not_compared).text);
	output_char('\n');
}
