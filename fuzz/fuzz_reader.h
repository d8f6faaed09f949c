/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The input as a file: what parsers of files ask for bytes. */
#ifndef FUZZ_READER_H
#define FUZZ_READER_H

#include "format/reader.h"
#include "fuzz.h"

struct input {
	const uint8_t *data;
	size_t size;
};

static ssize_t read_input(void *user, uint64_t offset, void *bytes, size_t size)
{
	const struct input *input = user;
	size_t left = offset < input->size ? input->size - (size_t)offset : 0;

	size = size < left ? size : left;
	memcpy(bytes, input->data + (left ? offset : 0), size);
	return (ssize_t)size;
}

#endif
