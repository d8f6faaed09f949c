/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ui/hexdump.h"
#include "ui/colour.h"
#include "ui/output.h"

#include <string.h>

void hexdump_begin(struct hexdump *dump, uint64_t address, bool xxd)
{
	memset(dump, 0, sizeof(*dump));
	dump->address = address;
	dump->xxd = xxd;
}

static char *put_byte(char *at, const struct hexdump *dump, unsigned i)
{
	return dump->known >> i & 1 ? put_hex_fixed(at, dump->bytes[i], 2) : put_text(at, "??");
}

static char *put_ascii(char *at, const struct hexdump *dump)
{
	for (unsigned i = 0; i < dump->filled; i++) {
		char byte = (char)dump->bytes[i];

		if (!(dump->known >> i & 1))
			byte = '?';
		else if (byte < ' ' || byte == 0x7f)
			byte = '.'; /* above 0x7f char is negative */
		*at++ = byte;
	}
	return at;
}

/* "ADDRESS  xx xx xx xx xx xx xx xx  xx xx xx xx xx xx xx xx  |................|" */
static char *put_canonical(char *at, const struct hexdump *dump)
{
	at = put_hex_fixed(at, dump->address, 16);
	for (unsigned i = 0; i < HEXDUMP_LINE; i++) {
		*at++ = ' ';
		if (i % 8 == 0)
			*at++ = ' ';
		if (i < dump->filled) {
			at = put_byte(at, dump, i);
		} else {
			at = put_text(at, "  ");
		}
	}
	at = put_ascii(put_text(at, "  |"), dump);
	*at++ = '|';
	return at;
}

/* "ADDRESS: xxxx xxxx xxxx xxxx xxxx xxxx xxxx xxxx  ................" */
static char *put_xxd(char *at, const struct hexdump *dump)
{
	at = put_hex_fixed(at, dump->address, 16);
	*at++ = ':';
	for (unsigned i = 0; i < HEXDUMP_LINE; i++) {
		if (i % 2 == 0)
			*at++ = ' ';
		if (i < dump->filled) {
			at = put_byte(at, dump, i);
		} else {
			at = put_text(at, "  ");
		}
	}
	return put_ascii(put_text(at, "  "), dump);
}

static void print_line(const struct hexdump *dump)
{
	char line[128];
	char *end = dump->xxd ? put_xxd(line, dump) : put_canonical(line, dump);
	bool whole = dump->known == (1U << dump->filled) - 1;

	if (!whole)
		output_text(colour_stdout(COLOUR_BAD));
	output_bytes(line, (size_t)(end - line));
	if (!whole)
		output_text(colour_stdout(COLOUR_END));
	output_char('\n');
}

static bool repeats(const struct hexdump *dump)
{
	return !dump->xxd && dump->has_last && dump->known == dump->last_known &&
	       !memcmp(dump->bytes, dump->last_bytes, HEXDUMP_LINE);
}

/* A full line: print it, or squeeze it into the `*` of its equals. */
static void line_full(struct hexdump *dump)
{
	if (!repeats(dump)) {
		print_line(dump);
		dump->squeezing = false;
		dump->has_last = true;
		memcpy(dump->last_bytes, dump->bytes, HEXDUMP_LINE);
		dump->last_known = dump->known;
	} else if (!dump->squeezing) {
		output_text("*\n");
		dump->squeezing = true;
	}
	dump->address += HEXDUMP_LINE;
	dump->filled = 0;
	dump->known = 0;
}

/* `bytes` is NULL for fillings. Bytes that are not known are kept as 0, so that lines can be compared. */
static uint64_t add(struct hexdump *dump, const unsigned char *bytes, bool known, uint64_t size)
{
	unsigned room = HEXDUMP_LINE - dump->filled;
	unsigned part = size < room ? (unsigned)size : room;

	if (bytes)
		memcpy(dump->bytes + dump->filled, bytes, part);
	else
		memset(dump->bytes + dump->filled, 0, part);
	if (known)
		dump->known |= ((1U << part) - 1) << dump->filled;
	dump->filled += part;
	if (dump->filled == HEXDUMP_LINE)
		line_full(dump);
	return part;
}

void hexdump_bytes(struct hexdump *dump, const unsigned char *bytes, uint64_t size)
{
	while (size && !output_failed()) {
		uint64_t part = add(dump, bytes, true, size);

		bytes += part;
		size -= part;
	}
}

void hexdump_fill(struct hexdump *dump, bool known, uint64_t size)
{
	while (size && !output_failed()) {
		bool full = dump->filled == 0 && size >= HEXDUMP_LINE;

		size -= add(dump, NULL, known, size);
		/* After two equal lines all that follow are the same: step over them. */
		if (full && dump->squeezing) {
			dump->address += size - size % HEXDUMP_LINE;
			size %= HEXDUMP_LINE;
		}
	}
}

void hexdump_end(struct hexdump *dump)
{
	uint64_t end = dump->address + dump->filled;
	char digits[20];

	if (dump->filled)
		print_line(dump);
	if (dump->xxd)
		return;
	if (end == 0) /* 2^64 */
		output_char('1');
	output_bytes(digits, (size_t)(put_hex_fixed(digits, end, 16) - digits));
	output_char('\n');
}
