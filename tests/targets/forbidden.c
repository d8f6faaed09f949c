/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loaded into pidmem (LD_PRELOAD): in the place of its first read of a file, tries what code in there could want to do
 * that a parser does not need. Prints "NAME=1" for each that works, "NAME=0" for those that do not, on stderr.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static void tell(const char *name, long result)
{
	char line[64];
	int length = snprintf(line, sizeof line, "%s=%d\n", name, result >= 0);

	if (write(STDERR_FILENO, line, (size_t)length) < 0)
		abort();
}

/* All of them harmless should they work. */
static void try_all(void)
{
	const char *outside = getenv("FORBIDDEN_FILE"), *place = getenv("FORBIDDEN_PLACE");
	char byte;
	struct iovec own = { &byte, 1 };
	char *const nothing[] = { NULL };
	pid_t child = (pid_t)syscall(SYS_clone, (unsigned long)SIGCHLD, 0UL, 0UL, 0UL, 0UL);

	if (child == 0)
		_exit(0);
	tell("fork", child);
	tell("execve", syscall(SYS_execveat, -1, "", nothing, nothing, 0) < 0 ? -1 : 0);
	tell("socket", socket(AF_UNIX, SOCK_STREAM, 0));
	tell("ptrace", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	tell("process_vm_readv", process_vm_readv(getpid(), &own, 1, &own, 1, 0));
	tell("kill", kill(getpid(), 0));
	tell("unshare", unshare(CLONE_FS));
	tell("mount", mount("none", "/", NULL, MS_REMOUNT | MS_BIND, NULL));
	tell("setuid", setuid(geteuid()));
	tell("bpf", syscall(SYS_bpf, BPF_PROG_GET_NEXT_ID, NULL, 0U));
	tell("read", open("/proc/self/status", O_RDONLY | O_CLOEXEC));
	tell("write", open(outside, O_WRONLY | O_CLOEXEC));
	tell("truncate", truncate(outside, 4));
	tell("create", open(place, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
	tell("unlink", unlink(outside));
}

ssize_t pread64(int fd, void *bytes, size_t size, off_t offset);

ssize_t pread64(int fd, void *bytes, size_t size, off_t offset)
{
	static ssize_t (*real)(int, void *, size_t, off_t);

	if (!real) {
		void *found = dlsym(RTLD_NEXT, "pread64");
		memcpy(&real, &found, sizeof real);
		try_all();
	}
	return real(fd, bytes, size, offset);
}
