/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes as lines of sixteen: as `hexdump -C` or as xxd. Bytes that could not be had are `??`. */
#ifndef UI_HEXDUMP_H
#define UI_HEXDUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEXDUMP_LINE 16

struct hexdump {
	bool xxd;
	uint64_t address; /* of the line being filled */
	unsigned filled;
	unsigned char bytes[HEXDUMP_LINE];
	unsigned known; /* a bit for each byte */
	/* The line before, for squeezing equal ones to `*`. */
	bool has_last, squeezing;
	unsigned char last_bytes[HEXDUMP_LINE];
	unsigned last_known;
};

void hexdump_begin(struct hexdump *dump, uint64_t address, bool xxd);
void hexdump_bytes(struct hexdump *dump, const unsigned char *bytes, uint64_t size);
/* `size` zeros, or if not `known` bytes that could not be had; as canonical dump it costs nothing, whatever the size.
 */
void hexdump_fill(struct hexdump *dump, bool known, uint64_t size);
void hexdump_end(struct hexdump *dump);

#endif
