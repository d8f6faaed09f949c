/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A core file: whatever it says, each byte of each region is told once, within bounds, and can be asked for. */
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check_source.h"
#include "format/build_id.h"
#include "fuzz_reader.h"

static void look_for_build_id(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	struct byte_reader reader = { read_input, &input, size };
	unsigned char id[BUILD_ID_LARGEST];

	MUST(build_id_find(&reader, id) <= sizeof id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct pidmem_error error = { 0 };
	struct pidmem_source *source;
	struct pidmem_file_options options = PIDMEM_INIT(options);
	char path[64];

	if (fd < 0)
		fd = memfd_create("core", MFD_CLOEXEC);
	MUST(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	look_for_build_id(data, size);
	options.files = size % 2;
	if (pidmem_source_open_file(path, &options, &error, &source) < 0) {
		MUST(error.code != PIDMEM_OK && error.text[0]);
		return 0;
	}
	check_source(source);
	pidmem_source_close(source);
	return 0;
}
