/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ui/json.h"
#include "ui/output.h"
#include "ui/region.h"
#include "ui/text.h"

#include <stdio.h>
#include <string.h>

static bool comma; /* something stands before, at this depth */

static void member(const char *key)
{
	if (comma)
		output_char(',');
	comma = true;
	if (key) {
		output_char('"');
		output_text(key);
		output_bytes("\":", 2);
	}
}

static void open_with(const char *key, char bracket)
{
	member(key);
	output_char(bracket);
	comma = false;
}

static void close_with(char bracket)
{
	output_char(bracket);
	comma = true;
}

void json_object(const char *key)
{
	open_with(key, '{');
}

void json_object_end(void)
{
	close_with('}');
}

void json_array(const char *key)
{
	open_with(key, '[');
}

void json_array_end(void)
{
	close_with(']');
}

void json_begin(const struct invocation *invocation, pid_t target)
{
	json_object(NULL);
	json_number("pidmem", 1);
	json_text("command", invocation->command->name);
	if (target)
		json_number("target", (uint64_t)target);
}

void json_finish(void)
{
	json_object_end();
	output_char('\n');
	comma = false;
}

/* One character that is not plain ASCII, or quote or backslash, or "<", which could end a script in a page of HTML; how
 * many bytes it took. */
static size_t put_special(const char *text, size_t size)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t length = utf8_length(bytes, size);

	if (length > 1)
		output_bytes(text, length);
	else if (length == 0)
		output_format("\\\\x%02x", bytes[0]);
	else if (bytes[0] == '"' || bytes[0] == '\\')
		output_format("\\%c", bytes[0]);
	else
		output_format("\\u%04x", bytes[0]);
	return length ? length : 1;
}

static void put_string(const char *text, size_t size)
{
	while (size) {
		size_t taken = 0;

		while (taken < size && text[taken] >= ' ' && text[taken] < 0x7f && text[taken] != '"' &&
		       text[taken] != '\\' && text[taken] != '<')
			taken++;
		output_bytes(text, taken);
		if (taken < size)
			taken += put_special(text + taken, size - taken);
		text += taken;
		size -= taken;
	}
}

static bool is_utf8(const char *text, size_t size)
{
	size_t length;

	for (; size; text += length, size -= length) {
		length = utf8_length((const unsigned char *)text, size);
		if (!length)
			return false;
	}
	return true;
}

void json_open_text(const char *key)
{
	member(key);
	output_char('"');
}

void json_add_text(const char *text)
{
	put_string(text, strlen(text));
}

void json_close_text(void)
{
	output_char('"');
}

void json_text(const char *key, const char *text)
{
	json_open_text(key);
	put_string(text, strlen(text));
	json_close_text();
}

void json_hex(const char *key, const void *bytes, size_t size)
{
	const unsigned char *byte = bytes;

	json_open_text(key);
	for (size_t i = 0; i < size; i++) {
		char digits[2];

		put_hex_fixed(digits, byte[i], 2);
		output_bytes(digits, sizeof(digits));
	}
	json_close_text();
}

void json_bytes(const char *key, const char *bytes, size_t size)
{
	char name[64];

	json_open_text(key);
	put_string(bytes, size);
	json_close_text();
	if (is_utf8(bytes, size))
		return;
	snprintf(name, sizeof(name), "%s_hex", key);
	json_hex(name, bytes, size);
}

void json_number(const char *key, uint64_t number)
{
	member(key);
	output_decimal(number);
}

void json_bool(const char *key, bool value)
{
	member(key);
	output_text(value ? "true" : "false");
}

void json_null(const char *key)
{
	member(key);
	output_text("null");
}

void json_text_or_null(const char *key, const char *text)
{
	if (text)
		json_bytes(key, text, strlen(text));
	else
		json_null(key);
}

void json_number_or_null(const char *key, uint64_t number, bool known)
{
	if (known)
		json_number(key, number);
	else
		json_null(key);
}

void json_address(const char *key, uint64_t address)
{
	member(key);
	output_text("\"0x");
	output_hex(address);
	output_char('"');
}

void json_end_address(const char *key, uint64_t start, uint64_t size)
{
	char digits[24] = "";

	member(key);
	output_text("\"0x");
	output_bytes(digits, (size_t)(put_end(digits, start, size) - digits));
	output_char('"');
}
