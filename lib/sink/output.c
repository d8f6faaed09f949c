/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file of the caller's own, with the care that dumps and cores are written with. */
#include "base/error.h"
#include "sink/file.h"

struct pidmem_output {
	struct file_sink file;
};

int pidmem_output_open(const char *path, bool force, struct pidmem_error *error, struct pidmem_output **out)
{
	AUTO_FREE struct pidmem_output *output = calloc(1, sizeof *output);

	if (!output)
		return fail_memory(error);
	output->file = (struct file_sink)FILE_SINK_INIT;
	int result = file_open(&output->file, path, force, error);
	if (result < 0) {
		file_close(&output->file);
		return result;
	}
	*out = take(output);
	return 0;
}

int pidmem_output_write(struct pidmem_output *output, const void *bytes, size_t size, struct pidmem_error *error)
{
	return file_write(&output->file, bytes, size, error);
}

int pidmem_output_finish(struct pidmem_output *output, struct pidmem_error *error)
{
	int result = file_complete(&output->file, error);

	return result < 0 ? result : file_name(&output->file, error);
}

void pidmem_output_close(struct pidmem_output *output)
{
	if (!output)
		return;
	file_close(&output->file);
	free(output);
}
