/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process/field.h"

#include <errno.h>
#include <sys/types.h>

void field_skip_blanks(struct cursor *cursor)
{
	while (cursor->at < cursor->end && (*cursor->at == ' ' || *cursor->at == '\t'))
		cursor->at++;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return 16;
}

int field_number(struct cursor *cursor, unsigned base, uint64_t max, uint64_t *number)
{
	uint64_t value = 0;
	const char *start;

	field_skip_blanks(cursor);
	for (start = cursor->at; cursor->at < cursor->end; cursor->at++) {
		unsigned digit = (unsigned)digit_value(*cursor->at);
		if (digit >= base)
			break;
		if (value > (max - digit) / base)
			return -EBADMSG;
		value = value * base + digit;
	}
	if (cursor->at == start)
		return -EBADMSG;
	*number = value;
	return 0;
}

int field_pid(struct cursor *cursor, void *out)
{
	uint64_t number;

	if (field_number(cursor, 10, INT32_MAX, &number) < 0)
		return -EBADMSG;
	*(pid_t *)out = (pid_t)number;
	return 0;
}

/* All are letters: proc_pid_stat(5). */
int field_state(struct cursor *cursor, void *out)
{
	field_skip_blanks(cursor);
	if (cursor->at == cursor->end || (*cursor->at | 0x20) < 'a' || (*cursor->at | 0x20) > 'z')
		return -EBADMSG;
	*(char *)out = *cursor->at;
	return 0;
}
