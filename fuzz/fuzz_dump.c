/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The index of a raw dump as a whole, beside a file of a few pages. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "check_source.h"
#include "fuzz.h"
#include "source/recorded.h"

#define DATA 10000

/* As pidmem_source_open_file() does it, with the index in a file without a name. */
static struct pidmem_source *open_dump(int data, int index)
{
	struct recorded *recorded = calloc(1, sizeof *recorded);
	struct pidmem_source *source = calloc(1, sizeof *source);
	struct pidmem_maps *maps = maps_new();
	struct pidmem_error error = { 0 };

	MUST(recorded && source && maps);
	recorded->directory = -1;
	recorded->path = strdup("dump");
	MUST(content_open(dup(data), "dump", &error, &recorded->content) == 0);
	source->recorded = recorded;
	source->maps = maps;
	if (recorded_read_index(recorded, index, maps, &error) == 0)
		return source;
	MUST(error.code != PIDMEM_OK && error.text[0]);
	pidmem_source_close(source);
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int file = -1, index = -1;
	char bytes[DATA];

	if (file < 0) {
		file = memfd_create("data", MFD_CLOEXEC);
		index = memfd_create("index", MFD_CLOEXEC);
		memset(bytes, 'x', sizeof bytes);
		memset(bytes + 4096, 0, 4096);
		MUST(file >= 0 && index >= 0 && write(file, bytes, sizeof bytes) == sizeof bytes);
	}
	MUST(ftruncate(index, 0) == 0 && pwrite(index, data, size, 0) == (ssize_t)size);
	MUST(lseek(index, 0, SEEK_SET) == 0);
	struct pidmem_source *source = open_dump(file, index);
	if (source)
		check_source(source);
	pidmem_source_close(source);
	return 0;
}
