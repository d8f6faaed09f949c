/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lines of /proc/PID/status. */
#include "process/status.h"

#include <errno.h>
#include <string.h>

#include "process/field.h"

static int read_ids(struct cursor *cursor, void *out)
{
	uint64_t number;

	for (unsigned i = 0; i < PROCESS_IDS; i++) {
		if (field_number(cursor, 10, UINT32_MAX, &number) < 0)
			return -EBADMSG;
		((uint32_t *)out)[i] = (uint32_t)number; /* uid_t and gid_t are both 32 bits */
	}
	return 0;
}

static int read_mask(struct cursor *cursor, void *out)
{
	return field_number(cursor, 16, UINT64_MAX, out);
}

static int read_small(struct cursor *cursor, void *out)
{
	uint64_t number;

	if (field_number(cursor, 10, INT32_MAX, &number) < 0)
		return -EBADMSG;
	*(int *)out = (int)number;
	return 0;
}

static int read_kilobytes(struct cursor *cursor, void *out)
{
	uint64_t number;

	if (field_number(cursor, 10, UINT64_MAX / 1024, &number) < 0)
		return -EBADMSG;
	*(uint64_t *)out = number * 1024;
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

	for (field_skip_blanks(cursor); cursor->at < cursor->end; field_skip_blanks(cursor)) {
		if (field_number(cursor, 10, INT32_MAX, &number) < 0)
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
	{ "State", field_state, MEMBER(state) },
	{ "Tgid", field_pid, MEMBER(tgid) },
	{ "Pid", field_pid, MEMBER(pid) },
	{ "PPid", field_pid, MEMBER(ppid) },
	{ "Uid", read_ids, MEMBER(uid) },
	{ "Gid", read_ids, MEMBER(gid) },
	{ "TracerPid", field_pid, MEMBER(tracer) },
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
	{ "VmPin", read_kilobytes, MEMBER(vm_pin) },
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
