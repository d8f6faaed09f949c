/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process/status.h"

#include <errno.h>
#include <string.h>

/* What is left of a line, or of the whole text. */
struct cursor {
	const char *at, *end;
};

static void skip_blanks(struct cursor *cursor)
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

/* An unsigned number that is not above `max`, with the blanks before it. */
static int read_number(struct cursor *cursor, unsigned base, uint64_t max, uint64_t *number)
{
	uint64_t value = 0;
	const char *start;

	skip_blanks(cursor);
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

/* ------------------------------------------------------------------------------------- /proc/PID/status --- */

static int read_pid(struct cursor *cursor, void *out)
{
	uint64_t number;

	if (read_number(cursor, 10, INT32_MAX, &number) < 0)
		return -EBADMSG;
	*(pid_t *)out = (pid_t)number;
	return 0;
}

static int read_ids(struct cursor *cursor, void *out)
{
	uint64_t number;

	for (unsigned i = 0; i < PROCESS_IDS; i++) {
		if (read_number(cursor, 10, UINT32_MAX, &number) < 0)
			return -EBADMSG;
		((uint32_t *)out)[i] = (uint32_t)number; /* uid_t and gid_t are both 32 bits */
	}
	return 0;
}

static int read_mask(struct cursor *cursor, void *out)
{
	return read_number(cursor, 16, UINT64_MAX, out);
}

static int read_small(struct cursor *cursor, void *out)
{
	uint64_t number;

	if (read_number(cursor, 10, INT32_MAX, &number) < 0)
		return -EBADMSG;
	*(int *)out = (int)number;
	return 0;
}

static int read_kilobytes(struct cursor *cursor, void *out)
{
	uint64_t number;

	if (read_number(cursor, 10, UINT64_MAX / 1024, &number) < 0)
		return -EBADMSG;
	*(uint64_t *)out = number * 1024;
	return 0;
}

/* All are letters: proc_pid_stat(5). */
static int read_state(struct cursor *cursor, void *out)
{
	skip_blanks(cursor);
	if (cursor->at == cursor->end || (*cursor->at | 0x20) < 'a' || (*cursor->at | 0x20) > 'z')
		return -EBADMSG;
	*(char *)out = *cursor->at;
	return 0;
}

/* Undo the kernel's escapes: "\n" and "\\" alone (fs/proc/array.c, proc_task_name). */
static int read_name(struct cursor *cursor, void *out)
{
	char *name = out;
	size_t length = 0;

	if (cursor->at < cursor->end && *cursor->at == '\t')
		cursor->at++;
	for (; cursor->at < cursor->end && length < 63; cursor->at++) {
		char c = *cursor->at;
		if (c == '\\' && cursor->at + 1 < cursor->end) {
			cursor->at++;
			c = *cursor->at == 'n' ? '\n' : *cursor->at;
		}
		name[length++] = c;
	}
	name[length] = 0;
	return 0;
}

static int count_pids(struct cursor *cursor, void *out)
{
	uint64_t number;
	unsigned count = 0;

	for (skip_blanks(cursor); cursor->at < cursor->end; skip_blanks(cursor)) {
		if (read_number(cursor, 10, INT32_MAX, &number) < 0)
			return -EBADMSG;
		count++;
	}
	*(unsigned *)out = count;
	return 0;
}

/* To read one more line: add a member to struct process_status and a row here. The required rows come first. */
#define REQUIRED 7U
#define MEMBER(name) offsetof(struct process_status, name)
static const struct line {
	const char *key;
	int (*read)(struct cursor *cursor, void *out);
	size_t member;
} lines[] = {
	{ "Name", read_name, MEMBER(name) },
	{ "State", read_state, MEMBER(state) },
	{ "Tgid", read_pid, MEMBER(tgid) },
	{ "Pid", read_pid, MEMBER(pid) },
	{ "PPid", read_pid, MEMBER(ppid) },
	{ "Uid", read_ids, MEMBER(uid) },
	{ "Gid", read_ids, MEMBER(gid) },
	{ "TracerPid", read_pid, MEMBER(tracer) },
	{ "Threads", read_small, MEMBER(threads) },
	{ "SigPnd", read_mask, MEMBER(sig_pending) },
	{ "SigBlk", read_mask, MEMBER(sig_blocked) },
	{ "CapInh", read_mask, MEMBER(cap_inh) },
	{ "CapPrm", read_mask, MEMBER(cap_prm) },
	{ "CapEff", read_mask, MEMBER(cap_eff) },
	{ "CapBnd", read_mask, MEMBER(cap_bnd) },
	{ "Seccomp", read_small, MEMBER(seccomp) },
	{ "NoNewPrivs", read_small, MEMBER(no_new_privs) },
	{ "Kthread", read_small, MEMBER(kthread) },
	{ "NSpid", count_pids, MEMBER(ns_pid_count) },
	{ "VmSize", read_kilobytes, MEMBER(vm_size) },
	{ "VmRSS", read_kilobytes, MEMBER(vm_rss) },
	{ "RssAnon", read_kilobytes, MEMBER(rss_anon) },
	{ "RssShmem", read_kilobytes, MEMBER(rss_shmem) },
	{ "VmPTE", read_kilobytes, MEMBER(vm_pte) },
	{ "VmSwap", read_kilobytes, MEMBER(vm_swap) },
	{ "HugetlbPages", read_kilobytes, MEMBER(hugetlb) },
};
#define LINES (sizeof lines / sizeof *lines)

/* Which row is this line for? LINES if for none. */
static unsigned line_index(const char *key, size_t length)
{
	unsigned i;

	for (i = 0; i < LINES; i++)
		if (strlen(lines[i].key) == length && !memcmp(lines[i].key, key, length))
			break;
	return i;
}

int status_parse(const char *text, size_t size, struct process_status *out)
{
	struct process_status status = { .seccomp = -1, .no_new_privs = -1, .kthread = -1 };
	const char *end = text + size;
	uint32_t seen = 0;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *line_end = newline ? newline : end;
		const char *colon = memchr(text, ':', (size_t)(line_end - text));
		unsigned index = colon ? line_index(text, (size_t)(colon - text)) : LINES;
		if (index < LINES) {
			struct cursor cursor = { colon + 1, line_end };
			if (lines[index].read(&cursor, (char *)&status + lines[index].member) < 0)
				return -EBADMSG;
			status.has_memory |= lines[index].member == MEMBER(vm_size);
			seen |= 1U << index;
		}
		text = newline ? newline + 1 : end;
	}
	if ((seen & ((1U << REQUIRED) - 1)) != (1U << REQUIRED) - 1)
		return -EBADMSG;
	*out = status;
	return 0;
}

/* --------------------------------------------------------------------------------------- /proc/PID/stat --- */

static int skip_fields(struct cursor *cursor, unsigned count)
{
	while (count--) {
		skip_blanks(cursor);
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

	skip_blanks(cursor);
	bool minus = cursor->at < cursor->end && *cursor->at == '-';
	if (minus && (++cursor->at == cursor->end || *cursor->at == ' '))
		return -EBADMSG;
	if (read_number(cursor, 10, INT32_MAX, &number) < 0)
		return -EBADMSG;
	*out = minus ? -(int)number : (int)number;
	return 0;
}

static int read_times(struct cursor *cursor, uint64_t times[4])
{
	int result = 0;

	for (int i = 0; i < 4 && result == 0; i++)
		result = read_number(cursor, 10, UINT64_MAX, &times[i]);
	return result;
}

/* Fields 3 to 22. */
static int read_fields(struct cursor *cursor, struct process_stat *stat)
{
	uint64_t flags;

	if (read_state(cursor, &stat->state) < 0 || skip_fields(cursor, 1) < 0 || /* 3 state */
	    read_pid(cursor, &stat->ppid) < 0 ||                                  /* 4 ppid */
	    read_signed(cursor, &stat->pgrp) < 0 ||                               /* 5 pgrp */
	    read_signed(cursor, &stat->session) < 0 ||                            /* 6 session */
	    skip_fields(cursor, 2) < 0 ||                                         /* 7 tty_nr, 8 tpgid */
	    read_number(cursor, 10, UINT32_MAX, &flags) < 0 ||                    /* 9 flags */
	    skip_fields(cursor, 4) < 0 ||                                         /* 10 minflt - 13 cmajflt */
	    read_times(cursor, stat->times) < 0 ||                                /* 14 utime - 17 cstime */
	    skip_fields(cursor, 1) < 0 ||                                         /* 18 priority */
	    read_signed(cursor, &stat->nice) < 0 ||                               /* 19 nice */
	    skip_fields(cursor, 2) < 0 ||                                         /* 20 num_threads, 21 itrealvalue */
	    read_number(cursor, 10, UINT64_MAX, &stat->start_time) < 0)           /* 22 starttime */
		return -EBADMSG;
	stat->flags = (unsigned)flags;
	return 0;
}

int stat_parse(const char *text, size_t size, struct process_stat *out)
{
	struct process_stat stat = { 0 };
	struct cursor cursor = { text, text + size };

	if (read_pid(&cursor, &stat.pid) < 0)
		return -EBADMSG;
	skip_blanks(&cursor);
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
	    (read_number(&cursor, 10, UINT64_MAX, &stat.arg_start) < 0 ||
	     read_number(&cursor, 10, UINT64_MAX, &stat.arg_end) < 0))
		return -EBADMSG;
	*out = stat;
	return 0;
}
