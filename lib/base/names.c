/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stable words for the enumerations of pidmem.h. */
#include "base/names.h"

#define WORD(table, index) ((size_t)(index) < sizeof(table) / sizeof *(table) ? (table)[index] : "")

const char *pidmem_version(void)
{
	return PIDMEM_VERSION;
}

const char *pidmem_kind_name(enum pidmem_kind kind)
{
	static const char *const words[] = {
		[PIDMEM_KIND_ANON] = "anon", [PIDMEM_KIND_HEAP] = "heap",     [PIDMEM_KIND_STACK] = "stack",
		[PIDMEM_KIND_FILE] = "file", [PIDMEM_KIND_SHARED] = "shared", [PIDMEM_KIND_VDSO] = "vdso",
	};
	return WORD(words, kind);
}

const char *pidmem_class_name(enum pidmem_class class_)
{
	static const char *const words[PIDMEM_CLASSES] = {
		[PIDMEM_READ] = "read",
		[PIDMEM_ZERO] = "zero",
		[PIDMEM_EXCLUDED] = "excluded",
		[PIDMEM_NO_CONTENT] = "no_content",
		[PIDMEM_UNREADABLE] = "unreadable",
	};
	return WORD(words, class_);
}

const char *pidmem_why_name(enum pidmem_why why)
{
	static const char *const words[] = {
		[PIDMEM_WHY_NONE] = "",
		[PIDMEM_WHY_FILTER] = "filter",
		[PIDMEM_WHY_DEVICE] = "device",
		[PIDMEM_WHY_KERNEL] = "kernel",
		[PIDMEM_WHY_GUARD] = "guard",
		[PIDMEM_WHY_PAST_EOF] = "past-eof",
		[PIDMEM_WHY_UFFD] = "userfaultfd",
		[PIDMEM_WHY_UNMAPPED] = "unmapped",
		[PIDMEM_WHY_FILE] = "file",
		[PIDMEM_WHY_SHARED] = "shared",
		[PIDMEM_WHY_PERMS] = "permissions",
		[PIDMEM_WHY_SECRET] = "secret",
		[PIDMEM_WHY_POISONED] = "poisoned",
		[PIDMEM_WHY_IO] = "io",
		[PIDMEM_WHY_DUMP_RULES] = "dump-rules",
		[PIDMEM_WHY_NOT_COPIED] = "not-copied",
		[PIDMEM_WHY_NOT_SAVED] = "not-saved",
		[PIDMEM_WHY_TRUNCATED] = "truncated",
		[PIDMEM_WHY_LIMIT] = "limit",
		[PIDMEM_WHY_SWAPPED] = "swapped",
		[PIDMEM_WHY_NOT_SOUGHT] = "not-sought",
		[PIDMEM_WHY_MAPPED_FILE] = "mapped-file",
	};
	return WORD(words, why);
}

bool why_is_lack(enum pidmem_why why)
{
	return why != PIDMEM_WHY_MAPPED_FILE && *pidmem_why_name(why);
}

const char *pidmem_why_text(enum pidmem_why why)
{
	static const char *const texts[] = {
		[PIDMEM_WHY_NONE] = "",
		[PIDMEM_WHY_FILTER] = "not selected",
		[PIDMEM_WHY_DEVICE] = "memory of a device",
		[PIDMEM_WHY_KERNEL] = "pages of the kernel",
		[PIDMEM_WHY_GUARD] = "guard pages",
		[PIDMEM_WHY_PAST_EOF] = "past the end of the mapped file",
		[PIDMEM_WHY_UFFD] = "not yet supplied by a userfaultfd",
		[PIDMEM_WHY_UNMAPPED] = "not mapped any more, or replaced",
		[PIDMEM_WHY_FILE] = "not in memory, and the mapped file could not be read",
		[PIDMEM_WHY_SHARED] = "shared memory that is not in its page tables",
		[PIDMEM_WHY_PERMS] = "page protection, and this kernel does not let readers pass it",
		[PIDMEM_WHY_SECRET] = "secret memory (memfd_secret)",
		[PIDMEM_WHY_POISONED] = "poisoned pages",
		[PIDMEM_WHY_IO] = "the kernel reports an input/output error",
		[PIDMEM_WHY_DUMP_RULES] = "not part of core files",
		[PIDMEM_WHY_NOT_COPIED] = "not part of a copy, and not saved in the pause",
		[PIDMEM_WHY_NOT_SAVED] = "not saved in the file",
		[PIDMEM_WHY_TRUNCATED] = "the file ends before it",
		[PIDMEM_WHY_LIMIT] = "not saved before a limit was reached",
		[PIDMEM_WHY_SWAPPED] = "in swap, from where reading would bring it back",
		[PIDMEM_WHY_NOT_SOUGHT] = "not looked at",
		[PIDMEM_WHY_MAPPED_FILE] = "from the mapped file",
	};
	return WORD(texts, why);
}

const char *pidmem_consistency_name(enum pidmem_consistency consistency)
{
	static const char *const words[] = {
		[PIDMEM_LIVE] = "live",
		[PIDMEM_STOPPED] = "stopped",
		[PIDMEM_SNAPSHOT] = "snapshot",
	};
	return WORD(words, consistency);
}

const char *pidmem_engine_name(enum pidmem_engine engine)
{
	static const char *const names[] = { [PIDMEM_ENGINE_CLONE] = "clone", [PIDMEM_ENGINE_PRECOPY] = "precopy" };

	return (size_t)engine < sizeof names / sizeof *names ? names[engine] : NULL;
}

const char *pidmem_cause_name(enum pidmem_cause cause)
{
	static const char *const words[PIDMEM_CAUSES] = {
		[PIDMEM_CAUSE_NONE] = "",
		[PIDMEM_CAUSE_NO_SUCH_PROCESS] = "no-such-process",
		[PIDMEM_CAUSE_HIDEPID] = "hidepid",
		[PIDMEM_CAUSE_KERNEL_THREAD] = "kernel-thread",
		[PIDMEM_CAUSE_ZOMBIE] = "zombie",
		[PIDMEM_CAUSE_OTHER_USER] = "other-user",
		[PIDMEM_CAUSE_NOT_DUMPABLE] = "not-dumpable",
		[PIDMEM_CAUSE_MISSING_CAPABILITY] = "missing-capability",
		[PIDMEM_CAUSE_USER_NAMESPACE] = "user-namespace",
		[PIDMEM_CAUSE_YAMA_SCOPE] = "yama-scope",
		[PIDMEM_CAUSE_LSM] = "lsm",
		[PIDMEM_CAUSE_ALREADY_TRACED] = "already-traced",
		[PIDMEM_CAUSE_SECCOMP] = "seccomp",
		[PIDMEM_CAUSE_MEM_RESTRICTED] = "mem-restricted",
	};
	return WORD(words, cause);
}

const char *pidmem_difference_name(enum pidmem_difference_kind kind)
{
	static const char *const words[] = {
		[PIDMEM_WENT] = "went",           [PIDMEM_CAME] = "came",       [PIDMEM_REPLACED] = "replaced",
		[PIDMEM_OTHER_RIGHTS] = "rights", [PIDMEM_CONTENT] = "content", [PIDMEM_MOVED] = "moved",
	};
	return WORD(words, kind);
}
