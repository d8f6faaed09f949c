/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* read TARGET ADDR [LEN] - the bytes of one range. */
#include "command.h"
#include "failure.h"
#include "selection.h"
#include "stretch.h"
#include "target.h"
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
	struct pidmem_process *process;
	struct pidmem_source *source;
	struct pidmem_account *account;
	struct range range;
	struct hexdump dump;
};

static int fail_reading(const struct job *job, const struct pidmem_error *error)
{
	return fail_process(job->invocation, pidmem_process_pid(job->process), error);
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
static int refuse_raw(const struct pidmem_span *span)
{
	fail("no raw output: 0x%" PRIx64 " has no byte to give: %s", span->start, pidmem_why_text(span->why));
	hint("without --raw such bytes are shown as ??");
	return EXIT_FAILED;
}

static int put_span(struct job *job, const struct pidmem_span *span)
{
	bool known = span->class_ == PIDMEM_READ || span->class_ == PIDMEM_ZERO;

	if (chosen.raw && !known) {
		output_discard();
		return refuse_raw(span);
	}
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
	return 0;
}

/* A span for what the walk passes over: it was mapped when the range was checked. */
static int put_gap(struct job *job, uint64_t start, uint64_t size)
{
	struct pidmem_span gap = {
		.start = start,
		.size = size,
		.class_ = PIDMEM_NO_CONTENT,
		.why = PIDMEM_WHY_UNMAPPED,
	};
	struct pidmem_error error;

	if (!size)
		return 0;
	if (pidmem_account_add(job->account, &gap, &error) < 0)
		return fail_with(&error);
	return put_span(job, &gap);
}

static int put_all(struct job *job)
{
	uint64_t done = 0;
	AUTO(walk) walk = NULL;
	struct pidmem_span span;
	struct pidmem_error error;
	int result;

	if (pidmem_walk_open(job->source, job->range.start, job->range.size, 0, &error, &walk) < 0)
		return fail_reading(job, &error);
	while ((result = pidmem_walk_next(walk, &error, &span)) == 1 && !output_failed()) {
		int failed = put_gap(job, job->range.start + done, span.start - job->range.start - done);
		if (failed)
			return failed;
		if (pidmem_account_add(job->account, &span, &error) < 0)
			return fail_with(&error);
		failed = put_span(job, &span);
		if (failed)
			return failed;
		done = span.start - job->range.start + span.size;
	}
	if (result < 0)
		return fail_reading(job, &error);
	return result == 0 ? put_gap(job, job->range.start + done, job->range.size - done) : 0;
}

/* Look for bytes that cannot be had before the first one is written. */
static int check_raw(const struct job *job)
{
	AUTO(walk) walk = NULL;
	struct pidmem_span span;
	struct pidmem_error error;
	int result;

	if (pidmem_walk_open(job->source, job->range.start, job->range.size, PIDMEM_WALK_STATES, &error, &walk) < 0)
		return fail_reading(job, &error);
	while ((result = pidmem_walk_next(walk, &error, &span)) == 1)
		if (span.class_ != PIDMEM_READ && span.class_ != PIDMEM_ZERO)
			return refuse_raw(&span);
	return result < 0 ? fail_reading(job, &error) : 0;
}

static int read_json(struct job *job)
{
	int failed;

	json_begin(job->invocation, pidmem_process_pid(job->process));
	json_text("name", pidmem_process_name(job->process));
	json_address("address", job->range.start);
	json_number("length", job->range.size);
	json_open_text("bytes");
	failed = put_all(job);
	if (failed) {
		output_discard();
		return failed;
	}
	json_close_text();
	account_json(job->account);
	json_finish();
	return 0;
}

static int read_dump(struct job *job)
{
	int failed;

	hexdump_begin(&job->dump, job->range.start, chosen.xxd);
	failed = put_all(job);
	if (!failed)
		hexdump_end(&job->dump);
	return failed;
}

static int read_raw(struct job *job)
{
	int failed = check_raw(job);

	return failed ? failed : put_all(job);
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
	struct pidmem_source_options how = PIDMEM_INIT(how);
	AUTO(process) process = NULL;
	AUTO(source) source = NULL;
	AUTO(account) account = NULL;
	struct job job = { .invocation = invocation };
	struct pidmem_error error;
	int failed;

	failed = check_form(invocation);
	if (!failed)
		failed = target_open(invocation, invocation->operands[0], &process);
	if (failed)
		return failed;
	how.select = invocation->select;
	if (pidmem_source_open(process, &how, &error, &source) < 0 || pidmem_account_new(&error, &account) < 0)
		return fail_process(invocation, pidmem_process_pid(process), &error);
	job.process = process;
	job.source = source;
	job.account = account;
	failed = selection_check(invocation, process, pidmem_source_maps(source));
	if (!failed)
		failed = range_parse(process, pidmem_source_maps(source), invocation->operands[1],
				     invocation->operand_count > 2 ? invocation->operands[2] : NULL, &job.range);
	if (failed)
		return failed;
	if (invocation->json)
		failed = read_json(&job);
	else
		failed = chosen.raw ? read_raw(&job) : read_dump(&job);
	return failed ? failed : account_status(account);
}

static const struct command_option options[] = {
	{ 0, "raw", NULL, "the bytes themselves; refused if one of them cannot be had", .flag = &chosen.raw },
	{ 0, "xxd", NULL, "in the format of xxd", .flag = &chosen.xxd },
};

const struct command command_read = {
	.name = "read",
	.operands = "TARGET ADDR [LEN]",
	.least = 2,
	.most = 3,
	.summary = "show the bytes of a range as hexdump -C does",
	.help = "ADDR is hex, with or without 0x, or NAME+OFFSET: [heap]+0x10, libc.so.6+0x1234. LEN is decimal, 0x "
		"hex,\n"
		"or has a suffix K, M, G, T (1024, ...); without it 256 bytes are shown, or fewer where the mapped\n"
		"stretch ends. Bytes that were not read are `??`: guard pages, for instance, have none.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.run = run_read,
};
