/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/content.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/read.h"

struct plain {
	struct content content;
	int fd;
};

static ssize_t read_plain(void *user, uint64_t offset, void *bytes, size_t size)
{
	const struct plain *plain = user;

	return read_at(plain->fd, bytes, size, offset);
}

/* Holes of the file. */
static uint64_t zeros_plain(struct content *content, uint64_t offset, uint64_t size)
{
	const struct plain *plain = (struct plain *)content;
	off_t data = lseek(plain->fd, (off_t)offset, SEEK_DATA);

	if (data < 0) /* ENXIO: no data up to the end, or it was cut meanwhile */
		data = errno == ENXIO ? lseek(plain->fd, 0, SEEK_END) : 0;
	if (data <= (off_t)offset)
		return 0;
	return (uint64_t)data - offset < size ? (uint64_t)data - offset : size;
}

static void close_plain(struct content *content)
{
	close(((struct plain *)content)->fd);
	free(content);
}

int content_open(int fd, const char *name, struct pidmem_error *error, struct content **out)
{
	struct stat status;
	struct plain *plain = calloc(1, sizeof *plain);

	if (!plain)
		return fail_memory(error);
	if (fstat(fd, &status) < 0) {
		int number = errno;
		free(plain);
		return fail_sys(error, number, "%s", name);
	}
	*plain = (struct plain){
		.content = { .reader = { read_plain, plain, (uint64_t)status.st_size },
			     .zeros = zeros_plain,
			     .close = close_plain,
			     .size_on_disk = (uint64_t)status.st_blocks * 512 },
		.fd = fd,
	};
	*out = &plain->content;
	return 0;
}

void content_close(struct content *content)
{
	if (content)
		content->close(content);
}
