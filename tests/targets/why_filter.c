/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * why_filter ptrace|readv|open|clone errno|kill COMMAND...: runs it under a system call filter that refuses ptrace(),
 * process_vm_readv(), or openat() relative to a directory. `clone` refuses both ptrace() and clone(). Not a victim: a
 * launcher.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "victim.h"

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip))
#define IF(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (skip), 0)
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, (action))

int main(int argc, char **argv)
{
	const char *what = argc > 3 ? argv[1] : "";
	unsigned action = argc > 3 && !strcmp(argv[2], "kill") ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ERRNO | EPERM;
	unsigned nr = !strcmp(what, "readv") ? SYS_process_vm_readv : SYS_ptrace;
	struct sock_filter code[] = {
		LOAD(nr),
		IF(!strcmp(what, "clone") ? SYS_clone : nr, 1),
		UNLESS(nr, 1),
		RETURN(action),
		RETURN(SECCOMP_RET_ALLOW),
	};
	/* The dynamic linker opens relative to AT_FDCWD, pidmem relative to the directory of the process. */
	struct sock_filter open_code[] = {
		LOAD(nr),       UNLESS(SYS_openat, 3),     LOAD(args[0]), IF((unsigned)AT_FDCWD, 1),
		RETURN(action), RETURN(SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(*code), .filter = code };

	if (argc < 4)
		return 2;
	if (!strcmp(what, "open"))
		program = (struct sock_fprog){ .len = sizeof(open_code) / sizeof(*open_code), .filter = open_code };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
		perror("why_filter");
		return 77;
	}
	execvp(argv[3], argv + 3);
	perror(argv[3]);
	return 127;
}
