/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ui/size.h"
#include "ui/output.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t rounded(uint64_t bytes, unsigned shift)
{
	return (bytes >> shift) + (bytes >> (shift - 1) & 1);
}

/* One decimal below 100, none if it is a zero; to the nearest, so that 1023.9 KiB is 1 MiB. */
char *put_size(char *at, uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	unsigned shift = 10;
	uint64_t tenths;

	if (bytes < 1024) {
		at = put_decimal(at, bytes);
		return put_text(at, " B");
	}
	while (shift < 60 && rounded(bytes, shift) >= 1024)
		shift += 10;
	tenths = rounded(bytes, shift) * 10;
	if (tenths < 1000) {
		uint64_t part = bytes & ((UINT64_C(1) << shift) - 1);

		tenths = (bytes >> shift) * 10 + ((part * 10 + (UINT64_C(1) << (shift - 1))) >> shift);
	}
	at = put_decimal(at, tenths / 10);
	if (tenths % 10) {
		*at++ = '.';
		*at++ = (char)('0' + tenths % 10);
	}
	*at++ = ' ';
	*at++ = units[shift / 10 - 1];
	return put_text(at, "iB");
}

struct size_text size_text(uint64_t bytes)
{
	struct size_text result = { "" };

	*put_size(result.text, bytes) = '\0';
	return result;
}

struct size_text time_text(uint64_t microseconds)
{
	struct size_text result = { "" };

	if (microseconds < 1000)
		snprintf(result.text, sizeof(result.text), "%" PRIu64 " us", microseconds);
	else if (microseconds < 1000000)
		snprintf(result.text, sizeof(result.text), "%.1f ms", (double)microseconds / 1e3);
	else if (microseconds < 100000000)
		snprintf(result.text, sizeof(result.text), "%.1f s", (double)microseconds / 1e6);
	else
		snprintf(result.text, sizeof(result.text), "%" PRIu64 " min %" PRIu64 " s", microseconds / 60000000,
			 microseconds / 1000000 % 60);
	return result;
}

static unsigned unit_shift(const char *suffix)
{
	static const char letters[] = "KMGT";
	const char *letter = suffix[0] ? strchr(letters, toupper((unsigned char)suffix[0])) : NULL;

	if (!letter || (suffix[1] && strcmp(suffix + 1, "iB") != 0))
		return 0;
	return 10 * (unsigned)(letter - letters + 1);
}

bool size_parse(const char *text, uint64_t *bytes)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hex ? text + 2 : text;
	uint64_t number;
	unsigned shift;
	char *end;

	if (hex ? !isxdigit((unsigned char)*digits) : !isdigit((unsigned char)*digits))
		return false;
	if (hex && tolower((unsigned char)digits[1]) == 'x') /* strtoull() would take another 0x */
		return false;
	errno = 0;
	number = strtoull(digits, &end, hex ? 16 : 10);
	if (errno)
		return false;
	if (*end) {
		shift = unit_shift(end);
		if (!shift || number > UINT64_MAX >> shift)
			return false;
		number <<= shift;
	}
	*bytes = number;
	return true;
}
