/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ui/text.h"
#include "ui/output.h"
#include "ui/terminal.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
size_t utf8_length(const unsigned char *text, size_t size)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length;
	uint32_t code;

	if (size == 0)
		return 0;
	if (text[0] < 0x80)
		return 1;
	length = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
	if (text[0] < 0xc2 || text[0] > 0xf4 || length > size)
		return 0;
	code = text[0] & (0x7fU >> length);
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	return length;
}

/* How many bytes at the start are printable ASCII. */
static size_t plain_length(const char *text, size_t size)
{
	size_t i = 0;

	while (i < size && text[i] >= ' ' && text[i] < 0x7f)
		i++;
	return i;
}

/* U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069: they end the line, or turn the order of what follows it. */
static bool turns_line(const unsigned char *bytes)
{
	if (bytes[0] != 0xe2)
		return false;
	if (bytes[1] == 0x80)
		return bytes[2] == 0x8e || bytes[2] == 0x8f || (bytes[2] >= 0xa8 && bytes[2] <= 0xae);
	return bytes[1] == 0x81 && bytes[2] >= 0xa6 && bytes[2] <= 0xa9;
}

/* One character, as it is or escaped, to `to` (4 bytes); how many bytes of the text it took. */
static size_t escape_one(const char *text, size_t size, char to[5], size_t *length)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t taken = utf8_length(bytes, size);
	/* U+0080 to U+009F are control characters as well: some terminals obey them. */
	bool control = bytes[0] < ' ' || bytes[0] == 0x7f;
	bool raw =
		taken > 1 && !(taken == 2 && bytes[0] == 0xc2 && bytes[1] < 0xa0) && !(taken == 3 && turns_line(bytes));

	if (control || !(raw || taken == 1)) {
		*length = (size_t)snprintf(to, 5, control ? "\\%03o" : "\\x%02x", bytes[0]);
		return 1;
	}
	memcpy(to, text, taken);
	*length = taken;
	return taken;
}

size_t output_escaped(const char *text, size_t size)
{
	size_t columns = 0;

	while (size) {
		size_t taken = plain_length(text, size), length;
		char escaped[5];

		output_bytes(text, taken);
		columns += taken;
		if (taken < size) {
			size_t special = escape_one(text + taken, size - taken, escaped, &length);

			output_bytes(escaped, length);
			columns += special > 1 ? 1 : length; /* a character as it is, or an escape of ASCII */
			taken += special;
		}
		text += taken;
		size -= taken;
	}
	return columns;
}

size_t output_end(const char *text, size_t size, size_t room)
{
	char escaped[4096], *at = escaped;
	size_t columns = 0;

	text_escape(escaped, sizeof(escaped), text, size);
	for (const char *byte = escaped; *byte; byte++)
		columns += (*byte & 0xc0) != 0x80;
	if (columns > room) {
		for (size_t skip = columns - (room - 1); skip; skip--)
			at += utf8_length((const unsigned char *)at, 4);
		output_text(terminal_has_blocks() ? "…" : "<");
	}
	output_text(at);
	return columns < room ? columns : room;
}

void text_escape(char *to, size_t room, const char *text, size_t size)
{
	size_t used = 0;

	while (size) {
		char escaped[5];
		size_t length, taken = escape_one(text, size, escaped, &length);

		if (used + length + 1 > room)
			break;
		memcpy(to + used, escaped, length);
		used += length;
		text += taken;
		size -= taken;
	}
	to[used] = '\0';
}
