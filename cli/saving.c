/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "saving.h"
#include "failure.h"
#include "ui/account.h"
#include "ui/json.h"
#include "ui/output.h"
#include "ui/size.h"
#include "ui/text.h"
#include "writing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int saving_begin(struct saving *saving, const struct invocation *invocation, const struct saver *saver)
{
	saving->invocation = invocation;
	saving->saver = saver;
	writing_begin();
	return moment_open(invocation, (size_t)invocation->operand_count, &saving->moment);
}

int saving_hold(struct saving *saving, struct pidmem_freeze_options *how)
{
	int failed = moment_hold(&saving->moment, PIDMEM_SNAPSHOT, how);
	struct pidmem_error error;

	if (failed)
		return failed;
	saving->count = moment_count(&saving->moment);
	saving->saves = calloc(saving->count, sizeof(*saving->saves));
	if (!saving->saves)
		return fail("out of memory");
	for (size_t i = 0; i < saving->count; i++) {
		struct save *save = &saving->saves[i];

		save->target = moment_target(&saving->moment, i);
		save->source = moment_source(&saving->moment, i);
		if (pidmem_account_new(&error, &save->account) < 0)
			return fail_with(&error);
	}
	return 0;
}

/* Its process runs on, and its copy is gone, when it has been read. */
static int write_one(struct saving *saving, size_t index)
{
	struct save *save = &saving->saves[index];
	struct pidmem_error error;
	int result;

	progress_begin(&saving->progress, saving->invocation);
	result = saving->saver->write(saving, save, &error);
	progress_end(&saving->progress, result < 0 ? 0 : pidmem_account_totals(save->account)->by_class[PIDMEM_READ]);
	if (result < 0)
		return moment_fail_read(&saving->moment, index, &error);
	save->written = true;
	save->elapsed_us = moment_clock() - saving->moment.begun_us;
	return 0;
}

/* Whoever sees exit status 2 expects nothing to be there. */
static void remove_all(const struct saving *saving)
{
	for (size_t i = 0; i < saving->count; i++)
		if (saving->saves[i].written)
			saving->saver->remove(&saving->saves[i]);
}

int saving_write(struct saving *saving)
{
	int failed = 0;

	writing_give_way(saving->moment.kept_running);
	for (size_t i = 0; !failed && i < saving->count; i++)
		failed = write_one(saving, i);
	if (!failed)
		failed = moment_release(&saving->moment);
	if (failed)
		remove_all(saving);
	return failed;
}

static void print_json(const struct saving *saving, size_t index)
{
	const struct save *save = &saving->saves[index];

	target_json(saving->invocation, &save->target);
	json_bytes("output", save->place, strlen(save->place));
	json_text("format", saving->saver->format);
	if (writing.zstd)
		json_text("compression", "zstd");
	else
		json_null("compression");
	moment_json(&saving->moment, index);
	account_json(save->account);
	json_object("size");
	json_number("apparent", save->apparent);
	json_number("on_disk", save->on_disk);
	json_number("content", save->content);
	json_object_end();
	json_number("elapsed_us", save->elapsed_us);
	if (saving->saver->json)
		saving->saver->json(saving, index);
	json_finish();
}

static void print_text(const struct saving *saving, size_t index)
{
	const struct save *save = &saving->saves[index];
	uint64_t read = pidmem_account_totals(save->account)->by_class[PIDMEM_READ];

	if (strcmp(save->place, "-") != 0)
		output_escaped(save->place, strlen(save->place));
	else
		output_text("standard output");
	output_text(": ");
	account_sentence(save->account, "zero (holes)");
	output_char('\n');
	moment_text(&saving->moment, index);
	output_format(", %s in all", time_text(save->elapsed_us).text);
	if (save->elapsed_us)
		output_format(", %s/s", size_text((uint64_t)((double)read / (double)save->elapsed_us * 1e6)).text);
	if (writing.zstd)
		output_format(", compressed to %s", size_text(save->apparent).text);
	moment_text_way(&saving->moment, index);
	output_char('\n');
}

int saving_tell(struct saving *saving)
{
	int number;

	for (size_t i = 0; i < saving->count; i++) {
		if (saving->invocation->json)
			print_json(saving, i);
		else
			print_text(saving, i);
	}
	number = output_finish();
	if (number) {
		remove_all(saving);
		return output_failure(number);
	}
	return saving_status(saving);
}

int saving_status(const struct saving *saving)
{
	int status = EXIT_DONE;

	for (size_t i = 0; i < saving->count; i++) {
		const struct save *save = &saving->saves[i];

		moment_warn(&saving->moment, i);
		if (account_status(save->account, &save->target) != EXIT_DONE)
			status = EXIT_INCOMPLETE;
	}
	return status;
}

void saving_close(struct saving *saving)
{
	for (size_t i = 0; i < saving->count; i++) {
		pidmem_account_free(saving->saves[i].account);
		free(saving->saves[i].place);
	}
	free(saving->saves);
	moment_close(&saving->moment);
}
