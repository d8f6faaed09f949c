/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * oldkernel COMMAND...: runs it as if on an older kernel. The ioctls PAGEMAP_SCAN (Linux 6.7) and PROCMAP_QUERY (6.11)
 * give ENOTTY, pidfd_open (5.3) gives ENOSYS, O_TMPFILE (3.11) gives EISDIR. With --named in front: O_TMPFILE alone, as
 * on a file system without it. With --untried: userfaultfd(2) alone gives ENOSYS, by which is tried whether
 * PAGEMAP_SCAN tells of memory without page tables (2026). Not a victim: a launcher.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, (action))

int main(int argc, char **argv)
{
	/* The low half of an ioctl's number is its type and number, the high half the size of its argument. */
	struct sock_filter code[] = {
		LOAD(nr),
		UNLESS(SYS_pidfd_open, 1),
		RETURN(SECCOMP_RET_ERRNO | ENOSYS),
		UNLESS(SYS_openat, 3),
		LOAD(args[2]),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_TMPFILE & ~O_DIRECTORY, 0, 1),
		RETURN(SECCOMP_RET_ERRNO | EISDIR),
		LOAD(nr),
		UNLESS(SYS_ioctl, 5),
		LOAD(args[1]),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xffff),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ('f' << 8) | 16, 1, 0),
		UNLESS(('f' << 8) | 17, 1),
		RETURN(SECCOMP_RET_ERRNO | ENOTTY),
		RETURN(SECCOMP_RET_ALLOW),
	};
	struct sock_filter named[] = {
		LOAD(nr),
		UNLESS(SYS_openat, 3),
		LOAD(args[2]),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_TMPFILE & ~O_DIRECTORY, 0, 1),
		RETURN(SECCOMP_RET_ERRNO | EISDIR),
		RETURN(SECCOMP_RET_ALLOW),
	};
	struct sock_filter untried[] = {
		LOAD(nr),
		UNLESS(SYS_userfaultfd, 1),
		RETURN(SECCOMP_RET_ERRNO | ENOSYS),
		RETURN(SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(*code), .filter = code };

	if (argc > 2 && !strcmp(argv[1], "--named"))
		program = (struct sock_fprog){ .len = sizeof(named) / sizeof(*named), .filter = named };
	if (argc > 2 && !strcmp(argv[1], "--untried"))
		program = (struct sock_fprog){ .len = sizeof(untried) / sizeof(*untried), .filter = untried };
	if (program.filter != code) {
		argv++;
		argc--;
	}
	if (argc < 2)
		return 2;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
		perror("oldkernel");
		return 77;
	}
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 127;
}
