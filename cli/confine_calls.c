/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A list of the system calls that there are: reading and writing files that are open, opening more of them to read,
 * memory, threads, time, signals to itself, the size of the terminal. All others fail as if the kernel did not know
 * them, which the C library is prepared for: it may have other ways (clone3(2)).
 */
#include "confine.h"

#ifdef HAVE_SECCOMP
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41 /* names for memory: Linux 5.17, and malloc(3) of newer C libraries */
#endif

static const char *const always[] = {
	"read",
	"write",
	"readv",
	"writev",
	"pread64",
	"pwrite64",
	"preadv",
	"pwritev",
	"preadv2",
	"pwritev2",
	"lseek",
	"_llseek",
	"close",
	"close_range",
	"dup",
	"dup2",
	"dup3",
	"fcntl",
	"fcntl64",
	"sendfile",
	"sendfile64",
	"copy_file_range",
	"fadvise64",
	"fadvise64_64",
	"readahead",
	"memfd_create",
	"stat",
	"stat64",
	"fstat",
	"fstat64",
	"lstat",
	"lstat64",
	"newfstatat",
	"fstatat64",
	"statx",
	"statfs",
	"statfs64",
	"fstatfs",
	"fstatfs64",
	"access",
	"faccessat",
	"faccessat2",
	"readlink",
	"readlinkat",
	"getcwd",
	"getdents",
	"getdents64",
	"brk",
	"mmap",
	"mmap2",
	"munmap",
	"mremap",
	"mprotect",
	"madvise",
	"membarrier",
	"futex",
	"futex_time64",
	"set_robust_list",
	"get_robust_list",
	"rseq",
	"set_tid_address",
	"gettid",
	"getpid",
	"getppid",
	"sched_yield",
	"sched_getaffinity",
	"sched_getparam",
	"sched_getscheduler",
	"getcpu",
	"exit",
	"exit_group",
	"capget",
	"capset",
	"clock_gettime",
	"clock_gettime64",
	"clock_getres",
	"clock_nanosleep",
	"clock_nanosleep_time64",
	"nanosleep",
	"gettimeofday",
	"time",
	"times",
	"alarm",
	"setitimer",
	"getitimer",
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigreturn",
	"sigreturn",
	"rt_sigpending",
	"sigaltstack",
	"restart_syscall",
	"poll",
	"ppoll",
	"ppoll_time64",
	"select",
	"_newselect",
	"pselect6",
	"wait4",
	"waitid",
	"getuid",
	"geteuid",
	"getgid",
	"getegid",
	"getuid32",
	"geteuid32",
	"getgid32",
	"getegid32",
	"getpgrp",
	"getrandom",
	"getrlimit",
	"ugetrlimit",
	"getrusage",
	"sysinfo",
	"uname",
};

/* Where there are outputs; Landlock says where. The last two are --nice. */
static const char *const writing[] = {
	"open",       "openat",    "ftruncate",       "ftruncate64", "fallocate",
	"fsync",      "fdatasync", "sync_file_range", "fchmod",      "link",
	"linkat",     "rename",    "renameat",        "renameat2",   "unlink",
	"unlinkat",   "mkdir",     "mkdirat",         "rmdir",       "sched_setscheduler",
	"ioprio_set",
};

static int allow(scmp_filter_ctx filter, const char *const *names, size_t count)
{
	int result = 0;

	for (size_t i = 0; i < count && result == 0; i++) {
		int number = seccomp_syscall_resolve_name(names[i]);

		/* Not all of them are there on each architecture: those have numbers below 0. */
		if (number >= 0)
			result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
	}
	return result;
}

static int allow_some(scmp_filter_ctx filter, int number, struct scmp_arg_cmp argument)
{
	return number < 0 ? 0 : seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, 1, &argument);
}

static int allow_to_open_for_reading(scmp_filter_ctx filter)
{
	const scmp_datum_t writes = O_ACCMODE | O_CREAT | O_TRUNC;
	int result = allow_some(filter, SCMP_SYS(openat), SCMP_A2(SCMP_CMP_MASKED_EQ, writes, O_RDONLY));

	return result ? result : allow_some(filter, SCMP_SYS(open), SCMP_A1(SCMP_CMP_MASKED_EQ, writes, O_RDONLY));
}

/* Threads, and no processes; signals to itself; limits and names of itself; what kind of terminal it is. */
static int allow_parts(scmp_filter_ctx filter)
{
	const struct {
		int number;
		struct scmp_arg_cmp argument;
	} parts[] = {
		{ SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD) },
		{ SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()) },
		{ SCMP_SYS(prlimit64), SCMP_A0(SCMP_CMP_EQ, 0) },
		{ SCMP_SYS(prctl), SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME) },
		{ SCMP_SYS(prctl), SCMP_A0(SCMP_CMP_EQ, PR_SET_VMA) },
		{ SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, TCGETS) },
		{ SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, TIOCGWINSZ) },
	};
	int result = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && result == 0; i++)
		result = allow_some(filter, parts[i].number, parts[i].argument);
	return result;
}

void confine_calls(bool writes)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int result = filter ? allow(filter, always, sizeof(always) / sizeof(always[0])) : -ENOMEM;

	if (result == 0)
		result = allow_parts(filter);
	if (result == 0)
		result = writes ? allow(filter, writing, sizeof(writing) / sizeof(writing[0]))
				: allow_to_open_for_reading(filter);
	if (result == 0)
		seccomp_load(filter);
	seccomp_release(filter);
}
#else
void confine_calls(bool writes)
{
	(void)writes;
}
#endif
