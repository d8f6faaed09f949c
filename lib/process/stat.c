/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The line of /proc/PID/stat. */
#include <errno.h>
#include <string.h>

#include "process/field.h"
#include "process/status.h"

static int skip_fields(struct cursor *cursor, unsigned count)
{
	while (count--) {
		field_skip_blanks(cursor);
		if (cursor->at == cursor->end)
			return -EBADMSG;
		while (cursor->at < cursor->end && *cursor->at != ' ')
			cursor->at++;
	}
	return 0;
}

/* A number that may be negative. */
static int read_signed(struct cursor *cursor, int *out)
{
	uint64_t number;

	field_skip_blanks(cursor);
	bool minus = cursor->at < cursor->end && *cursor->at == '-';
	if (minus && (++cursor->at == cursor->end || *cursor->at == ' '))
		return -EBADMSG;
	if (field_number(cursor, 10, INT32_MAX, &number) < 0)
		return -EBADMSG;
	*out = minus ? -(int)number : (int)number;
	return 0;
}

static int read_times(struct cursor *cursor, uint64_t times[4])
{
	int result = 0;

	for (int i = 0; i < 4 && result == 0; i++)
		result = field_number(cursor, 10, UINT64_MAX, &times[i]);
	return result;
}

/* Fields 3 to 22. */
static int read_fields(struct cursor *cursor, struct process_stat *stat)
{
	uint64_t flags, threads;

	if (field_state(cursor, &stat->state) < 0 || skip_fields(cursor, 1) < 0 || /* 3 state */
	    field_pid(cursor, &stat->ppid) < 0 ||                                  /* 4 ppid */
	    read_signed(cursor, &stat->pgrp) < 0 ||                                /* 5 pgrp */
	    read_signed(cursor, &stat->session) < 0 ||                             /* 6 session */
	    skip_fields(cursor, 2) < 0 ||                                          /* 7 tty_nr, 8 tpgid */
	    field_number(cursor, 10, UINT32_MAX, &flags) < 0 ||                    /* 9 flags */
	    skip_fields(cursor, 4) < 0 ||                                          /* 10 minflt - 13 cmajflt */
	    read_times(cursor, stat->times) < 0 ||                                 /* 14 utime - 17 cstime */
	    skip_fields(cursor, 1) < 0 ||                                          /* 18 priority */
	    read_signed(cursor, &stat->nice) < 0 ||                                /* 19 nice */
	    field_number(cursor, 10, UINT32_MAX, &threads) < 0 ||                  /* 20 num_threads */
	    skip_fields(cursor, 1) < 0 ||                                          /* 21 itrealvalue */
	    field_number(cursor, 10, UINT64_MAX, &stat->start_time) < 0)           /* 22 starttime */
		return -EBADMSG;
	stat->flags = (unsigned)flags;
	stat->threads = (unsigned)threads;
	return 0;
}

int stat_parse(const char *text, size_t size, struct process_stat *out)
{
	struct process_stat stat = { 0 };
	struct cursor cursor = { text, text + size };

	if (field_pid(&cursor, &stat.pid) < 0)
		return -EBADMSG;
	field_skip_blanks(&cursor);
	if (cursor.at == cursor.end || *cursor.at++ != '(')
		return -EBADMSG;
	/* The name may hold ')' itself, no field behind it can: so the last one counts. */
	const char *close = memrchr(cursor.at, ')', (size_t)(cursor.end - cursor.at));
	if (!close)
		return -EBADMSG;
	size_t length = (size_t)(close - cursor.at);
	memcpy(stat.name, cursor.at, length < sizeof stat.name ? length : sizeof stat.name - 1);
	cursor.at = close + 1;
	if (read_fields(&cursor, &stat) < 0)
		return -EBADMSG;
	/* Later kernels tell more. */
	if (skip_fields(&cursor, 25) == 0 && /* 23 vsize - 47 start_brk */
	    (field_number(&cursor, 10, UINT64_MAX, &stat.arg_start) < 0 ||
	     field_number(&cursor, 10, UINT64_MAX, &stat.arg_end) < 0))
		return -EBADMSG;
	*out = stat;
	return 0;
}

size_t stat_arguments(const struct process_stat *stat, size_t most)
{
	uint64_t size = stat->arg_start && stat->arg_end > stat->arg_start ? stat->arg_end - stat->arg_start : 0;

	return size < most ? (size_t)size : most;
}
