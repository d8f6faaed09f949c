/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Saving matches, to narrow them later. */
#include <errno.h>

#include "base/error.h"
#include "find/find.h"
#include "format/matches.h"

/* Written when there is so much. */
#define ENOUGH (256UL << 10)

struct save {
	struct file_sink file;
	struct buffer buffer;
	uint64_t last, count;
};

void save_close(struct save *save)
{
	if (!save)
		return;
	file_close(&save->file);
	buffer_done(&save->buffer);
	free(save);
}
DEFINE_CLEANUP(cleanup_save, struct save *, save_close)

static int flush(struct save *save, struct pidmem_error *error)
{
	int result = file_write(&save->file, save->buffer.bytes, save->buffer.size, error);

	save->buffer.size = 0;
	return result;
}

int save_open(const struct pidmem_find_options *options, enum pidmem_value_type type, struct pidmem_error *error,
	      struct save **out)
{
	CLEANUP(cleanup_save) struct save *save = calloc(1, sizeof *save);

	if (!save)
		return fail_memory(error);
	save->file = (struct file_sink)FILE_SINK_INIT;
	if (matches_put_head(&save->buffer, type) < 0)
		return fail_memory(error);
	int result = file_open(&save->file, options->save, options->force, error);
	if (result < 0)
		return result;
	*out = take(save);
	return 0;
}

int save_match(struct save *save, const struct pidmem_match *match, struct pidmem_error *error)
{
	uint64_t distance = match->address - save->last;

	save->last = match->address;
	save->count++;
	if (matches_put(&save->buffer, distance, match->bytes + match->before, match->length) < 0)
		return fail_memory(error);
	return save->buffer.size < ENOUGH ? 0 : flush(save, error);
}

int save_finish(struct save *save, struct pidmem_error *error)
{
	int result;

	if (matches_put_end(&save->buffer, save->count) < 0)
		return fail_memory(error);
	if ((result = flush(save, error)) < 0 || (result = file_complete(&save->file, error)) < 0)
		return result;
	return file_name(&save->file, error);
}
