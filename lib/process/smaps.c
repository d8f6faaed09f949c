/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lines of /proc/PID/smaps below each region: proc_pid_smaps(5). */
#include <errno.h>
#include <string.h>

#include "process/maps.h"

static const struct {
	const char *key;
	size_t field;
} sizes[] = {
	{ "Rss", offsetof(struct pidmem_usage, rss) },
	{ "Pss", offsetof(struct pidmem_usage, pss) },
	{ "Shared_Clean", offsetof(struct pidmem_usage, shared_clean) },
	{ "Shared_Dirty", offsetof(struct pidmem_usage, shared_dirty) },
	{ "Private_Clean", offsetof(struct pidmem_usage, private_clean) },
	{ "Private_Dirty", offsetof(struct pidmem_usage, private_dirty) },
	{ "Referenced", offsetof(struct pidmem_usage, referenced) },
	{ "Anonymous", offsetof(struct pidmem_usage, anonymous) },
	{ "AnonHugePages", offsetof(struct pidmem_usage, anon_huge) },
	{ "Shared_Hugetlb", offsetof(struct pidmem_usage, shared_hugetlb) },
	{ "Private_Hugetlb", offsetof(struct pidmem_usage, private_hugetlb) },
	{ "Swap", offsetof(struct pidmem_usage, swap) },
	{ "SwapPss", offsetof(struct pidmem_usage, swap_pss) },
	{ "Locked", offsetof(struct pidmem_usage, locked) },
};

static const struct {
	char letters[3];
	uint32_t flag;
} flags[] = {
	{ "io", PIDMEM_VM_IO },           { "pf", PIDMEM_VM_PFNMAP },     { "dd", PIDMEM_VM_DONTDUMP },
	{ "dc", PIDMEM_VM_DONTCOPY },     { "wf", PIDMEM_VM_WIPEONFORK }, { "ht", PIDMEM_VM_HUGETLB },
	{ "um", PIDMEM_VM_UFFD_MISSING }, { "uw", PIDMEM_VM_UFFD_WP },    { "ui", PIDMEM_VM_UFFD_MINOR },
	{ "lo", PIDMEM_VM_LOCKED },       { "dp", PIDMEM_VM_DROPPABLE },
};

/* Two letters each, separated by spaces; the list can be empty. */
static void parse_flags(struct pidmem_usage *usage, const char *at, const char *end)
{
	for (; end - at >= 2; at++) {
		for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
			if (!memcmp(at, flags[i].letters, 2))
				usage->flags |= flags[i].flag;
		at = memchr(at, ' ', (size_t)(end - at));
		if (!at)
			return;
	}
}

/* "   1234 kB", in bytes. */
static int parse_size(const char *at, const char *end, uint64_t *bytes)
{
	uint64_t sum = 0;
	bool digits = false;

	while (at < end && *at == ' ')
		at++;
	for (; at < end && *at >= '0' && *at <= '9'; at++, digits = true) {
		if (sum > (UINT64_MAX / 1024 - 9) / 10)
			return -EBADMSG;
		sum = sum * 10 + (uint64_t)(*at - '0');
	}
	if (!digits || end - at != 3 || memcmp(at, " kB", 3) != 0)
		return -EBADMSG;
	*bytes = sum * 1024;
	return 0;
}

int smaps_parse_line(struct pidmem_usage *usage, const char *line, size_t size)
{
	const char *end = line + size, *colon = memchr(line, ':', size);

	if (!colon)
		return -EBADMSG;
	size_t length = (size_t)(colon - line);
	if (length == strlen("VmFlags") && !memcmp(line, "VmFlags", length)) {
		const char *first = colon + 1;
		while (first < end && *first == ' ')
			first++;
		parse_flags(usage, first, end);
		return 0;
	}
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		if (length == strlen(sizes[i].key) && !memcmp(line, sizes[i].key, length))
			return parse_size(colon + 1, end, (uint64_t *)(void *)((char *)usage + sizes[i].field));
	return 0;
}
