/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process/access/words.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "process/access/userns.h"

/* How many capabilities are named before "and N more". */
#define CAPABILITIES_TOLD 3

/* include/uapi/linux/capability.h, in the order of their bits; the last one came with Linux 5.9. */
static const char *const capabilities[] = {
	"CHOWN",
	"DAC_OVERRIDE",
	"DAC_READ_SEARCH",
	"FOWNER",
	"FSETID",
	"KILL",
	"SETGID",
	"SETUID",
	"SETPCAP",
	"LINUX_IMMUTABLE",
	"NET_BIND_SERVICE",
	"NET_BROADCAST",
	"NET_ADMIN",
	"NET_RAW",
	"IPC_LOCK",
	"IPC_OWNER",
	"SYS_MODULE",
	"SYS_RAWIO",
	"SYS_CHROOT",
	"SYS_PTRACE",
	"SYS_PACCT",
	"SYS_ADMIN",
	"SYS_BOOT",
	"SYS_NICE",
	"SYS_RESOURCE",
	"SYS_TIME",
	"SYS_TTY_CONFIG",
	"MKNOD",
	"LEASE",
	"AUDIT_WRITE",
	"AUDIT_CONTROL",
	"SETFCAP",
	"MAC_OVERRIDE",
	"MAC_ADMIN",
	"SYSLOG",
	"WAKE_ALARM",
	"BLOCK_SUSPEND",
	"AUDIT_READ",
	"PERFMON",
	"BPF",
	"CHECKPOINT_RESTORE",
};

struct words words_user(uid_t uid, bool overflow)
{
	struct passwd entry, *found = NULL;
	char buffer[4096];
	struct words words;

	if (overflow && uid == OVERFLOW_ID)
		snprintf(words.text, sizeof words.text, "a user from outside this user namespace");
	else if (getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) == 0 && found)
		snprintf(words.text, sizeof words.text, "%s", entry.pw_name);
	else
		snprintf(words.text, sizeof words.text, "UID %u", uid);
	return words;
}

struct words words_group(gid_t gid, bool overflow)
{
	struct group entry, *found = NULL;
	char buffer[4096];
	struct words words;

	if (overflow && gid == OVERFLOW_ID)
		snprintf(words.text, sizeof words.text, "a group from outside this user namespace");
	else if (getgrgid_r(gid, &entry, buffer, sizeof buffer, &found) == 0 && found)
		snprintf(words.text, sizeof words.text, "%s", entry.gr_name);
	else
		snprintf(words.text, sizeof words.text, "GID %u", gid);
	return words;
}

struct words words_capabilities(uint64_t set)
{
	struct words words = { "" };
	size_t length = 0;
	unsigned told = 0;

	for (unsigned i = 0; i < sizeof capabilities / sizeof *capabilities && told < CAPABILITIES_TOLD; i++) {
		if (!(set & 1ULL << i))
			continue;
		length += (size_t)snprintf(words.text + length, sizeof words.text - length, "%sCAP_%s",
					   told++ ? ", " : "", capabilities[i]);
		set &= ~(1ULL << i);
	}
	if (set)
		snprintf(words.text + length, sizeof words.text - length,
			 told ? " and %d more" : "%d unknown to pidmem", __builtin_popcountll(set));
	return words;
}

struct words words_errno(int number)
{
	const char *name = strerrorname_np(number);
	struct words words;

	if (name)
		snprintf(words.text, sizeof words.text, "%s", name);
	else
		snprintf(words.text, sizeof words.text, "errno %d", number);
	return words;
}
