/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* read TARGET ADDR [LEN] - the bytes of one range. */
#include "command.h"
#include "failure.h"
#include "reading.h"
#include "stretch.h"
#include "ui/account.h"
#include "ui/hexdump.h"
#include "ui/json.h"
#include "ui/output.h"
#include "ui/size.h"

#include <inttypes.h>
#include <string.h>

static struct {
	bool raw, xxd;
} chosen;

/* What is being read, and how it is put out. */
struct job {
	const struct invocation *invocation;
	struct reading *from;
	struct range range;
	uint64_t done; /* bytes of the range that were put out */
	struct hexdump dump;
};

/* Nothing has left the buffer: it is as if nothing had been put out. Else what is out is a part, and that is said. */
static int fail_reading(const struct job *job, const struct pidmem_error *error)
{
	bool lines = !job->invocation->json && !chosen.raw;
	uint64_t end = lines ? job->dump.address : job->range.start + job->done;

	if (output_untouched()) {
		output_discard();
		return moment_fail_read(&job->from->moment, 0, error);
	}
	fail("%s: the output ends at 0x%" PRIx64 " and is incomplete", error->text, end);
	return EXIT_FAILED;
}

static void put_hex_bytes(const unsigned char *bytes, uint64_t size, bool known)
{
	for (uint64_t i = 0; i < size && !output_failed(); i++) {
		char digits[2] = { '?', '?' };

		if (known)
			put_hex_fixed(digits, bytes ? bytes[i] : 0, 2);
		output_bytes(digits, sizeof(digits));
	}
}

static void put_raw_zeros(uint64_t size)
{
	static const char zeros[4096];

	while (size && !output_failed()) {
		size_t part = size < sizeof(zeros) ? (size_t)size : sizeof(zeros);

		output_bytes(zeros, part);
		size -= part;
	}
}

/* With --raw a byte that is not known cannot be marked as such: then there is no result at all. */
static int refuse_raw(const struct job *job, const struct pidmem_span *span)
{
	const char *what = span->class_ == PIDMEM_EXCLUDED     ? "is left out"
			   : span->class_ == PIDMEM_UNREADABLE ? "cannot be read"
							       : "has no content";
	uint64_t before = span->start - job->range.start;

	fail("0x%" PRIx64 " in %s %s (%s): no raw output", span->start, job->from->target.words, what,
	     pidmem_why_text(span->why));
	if (before)
		hint("%" PRIu64 " bytes before it can be read: `pidmem read --raw %s 0x%" PRIx64 " %" PRIu64 "`",
		     before, job->invocation->operands[0], job->range.start, before);
	hint("without --raw such bytes are shown as ??");
	return EXIT_FAILED;
}

static void put_content(struct job *job, const struct pidmem_span *span, bool known)
{
	if (job->invocation->json)
		put_hex_bytes(span->bytes, span->size, known);
	else if (chosen.raw && span->bytes)
		output_bytes(span->bytes, span->size);
	else if (chosen.raw)
		put_raw_zeros(span->size);
	else if (span->bytes)
		hexdump_bytes(&job->dump, span->bytes, span->size);
	else
		hexdump_fill(&job->dump, known, span->size);
}

static int put_span(struct job *job, const struct pidmem_span *span)
{
	bool known = span->class_ == PIDMEM_READ || span->class_ == PIDMEM_ZERO;
	struct pidmem_error error;

	if (chosen.raw && !known) {
		output_discard();
		return refuse_raw(job, span);
	}
	if (pidmem_account_add(job->from->account, span, &error) < 0)
		return fail_with(&error);
	put_content(job, span, known);
	job->done += span->size;
	return 0;
}

/* Up to an offset into the range: what the walk passes over was mapped when the range was checked. */
static int put_gap(struct job *job, uint64_t end)
{
	struct pidmem_span gap = {
		.start = job->range.start + job->done,
		.size = end - job->done,
		.class_ = PIDMEM_NO_CONTENT,
		.why = PIDMEM_WHY_UNMAPPED,
	};

	return gap.size ? put_span(job, &gap) : 0;
}

static int put_all(struct job *job, struct pidmem_error *error)
{
	AUTO_WALK walk = NULL;
	struct pidmem_span span;
	int result;

	if (pidmem_walk_open(job->from->source, job->range.start, job->range.size, 0, error, &walk) < 0)
		return fail_reading(job, error);
	while ((result = pidmem_walk_next(walk, error, &span)) == 1 && !output_failed()) {
		int failed = put_gap(job, span.start - job->range.start);
		if (!failed)
			failed = put_span(job, &span);
		if (failed)
			return failed;
	}
	if (result < 0)
		return fail_reading(job, error);
	return result == 0 ? put_gap(job, job->range.size) : 0;
}

/* Look for bytes that cannot be had before the first one is written. */
static int check_raw(const struct job *job)
{
	AUTO_WALK walk = NULL;
	struct pidmem_span span;
	struct pidmem_error error;
	int result;

	if (pidmem_walk_open(job->from->source, job->range.start, job->range.size, PIDMEM_WALK_STATES, &error, &walk) <
	    0)
		return fail_reading(job, &error);
	while ((result = pidmem_walk_next(walk, &error, &span)) == 1)
		if (span.class_ != PIDMEM_READ && span.class_ != PIDMEM_ZERO)
			return refuse_raw(job, &span);
	return result < 0 ? fail_reading(job, &error) : 0;
}

/* What is out already is made whole JSON, so that whoever reads it learns what happened. */
static int read_json(struct job *job)
{
	struct pidmem_error error = { .text = "" };
	int failed;

	target_json(job->invocation, &job->from->target);
	json_address("address", job->range.start);
	json_number("length", job->range.size);
	json_open_text("bytes");
	failed = put_all(job, &error);
	if (failed && output_position() == 0)
		return failed;
	if (failed)
		put_gap(job, job->range.size);
	json_close_text();
	account_json(job->from->account);
	if (!failed)
		failed = moment_release(&job->from->moment);
	moment_json(&job->from->moment, 0);
	if (failed)
		json_text("error", error.text);
	json_finish();
	return failed;
}

static int read_dump(struct job *job)
{
	struct pidmem_error error;
	int failed;

	hexdump_begin(&job->dump, job->range.start, chosen.xxd);
	failed = put_all(job, &error);
	if (!failed)
		hexdump_end(&job->dump);
	return failed;
}

static int read_raw(struct job *job)
{
	struct pidmem_error error;
	int failed = check_raw(job);

	return failed ? failed : put_all(job, &error);
}

static int check_form(const struct invocation *invocation)
{
	if (chosen.raw + chosen.xxd + invocation->json < 2)
		return 0;
	fail("read: --raw, --xxd and --json exclude each other");
	hint("use one of them");
	return EXIT_FAILED;
}

static int run_read(const struct invocation *invocation)
{
	const char *length = invocation->operand_count > 2 ? invocation->operands[2] : NULL;
	AUTO_READING from = { .account = NULL };
	struct job job = { .invocation = invocation, .from = &from };
	int failed;

	failed = check_form(invocation);
	if (!failed)
		failed = reading_open(invocation, &from);
	if (!failed)
		failed = range_parse(&from.target, pidmem_source_maps(from.source), invocation->operands[1], length,
				     &job.range);
	if (!failed)
		failed = reading_keep_output(&from);
	if (failed)
		return failed;
	if (invocation->json)
		failed = read_json(&job);
	else
		failed = chosen.raw ? read_raw(&job) : read_dump(&job);
	if (!failed)
		failed = moment_release(&from.moment);
	if (failed)
		return failed;
	output_let_go();
	output_flush(); /* the result, then what is to be said of it */
	moment_warn(&from.moment, 0);
	account_warn(from.account);
	return account_status(from.account, &from.target);
}

static const struct command_option options[] = {
	{ 0, "raw", NULL, "the bytes themselves; refused if one of them cannot be had", .flag = &chosen.raw },
	{ 0, "xxd", NULL, "in the format of xxd, but with addresses of 16 digits", .flag = &chosen.xxd },
};

const struct command command_read = {
	.name = "read",
	.operands = "TARGET ADDR [LEN]",
	.least = 2,
	.most = 3,
	.summary = "show the bytes of a range as hexdump -C does",
	.help = "ADDR is hex, with or without 0x, or NAME+OFFSET: [heap]+0x10, libc.so.6+0x1234. LEN is decimal, 0x "
		"hex, or has a suffix K, M, G, T (1024, ...); without it 256 bytes are shown, or fewer where the "
		"mapped stretch ends. Bytes that were not read are ??: guard pages, for instance, have none. Why is "
		"told on standard error.\n"
		"JSON: address, length, bytes (hex, two digits each, ?? for those that were not read), account, holes, "
		"consistency, engine, fallback, pause_us, stops_us, threads, unstopped, shared; and error if the "
		"process ended meanwhile.\n"
		"Exit status: 0 every byte is known or has no content, 2 failure or not mapped, 3 a byte has content "
		"that could not be read.",
	.common = COMMON_ALL,
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.run = run_read,
};
