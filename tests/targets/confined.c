/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * confined strict|children|list: under a seccomp filter that kills. `strict` is mode 1: read, write, exit, sigreturn.
 * `children` kills on whatever starts a process or waits for one, and on close_range(). `list` kills on everything but
 * what this program needs. Each line on standard input is answered by `alive`.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "victim.h"

#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define KILL BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
#define WITH(number, answer) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), answer

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

static void confine(const char *how)
{
	struct sock_filter children[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		WITH(SYS_clone, KILL),
#ifdef SYS_fork
		WITH(SYS_fork, KILL),
		WITH(SYS_vfork, KILL),
#endif
		WITH(SYS_clone3, KILL),
		WITH(SYS_wait4, KILL),
		WITH(SYS_waitid, KILL),
		WITH(SYS_close_range, KILL),
		ALLOW,
	};
	struct sock_filter list[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		WITH(SYS_read, ALLOW),
		WITH(SYS_write, ALLOW),
		WITH(SYS_exit, ALLOW),
		WITH(SYS_exit_group, ALLOW),
		WITH(SYS_restart_syscall, ALLOW),
		WITH(SYS_rt_sigreturn, ALLOW),
		KILL,
	};
	struct sock_fprog program = { sizeof(list) / sizeof(*list), list };

	if (!strcmp(how, "strict")) {
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0))
			skip("SECCOMP_MODE_STRICT");
		return;
	}
	if (!strcmp(how, "children"))
		program = (struct sock_fprog){ sizeof(children) / sizeof(*children), children };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		skip("SECCOMP_MODE_FILTER");
}

static void say(const char *text)
{
	if (write(STDOUT_FILENO, text, strlen(text)) < 0)
		syscall(SYS_exit, 1);
}

int main(int argc, char **argv)
{
	char *region = map_apart(2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1), line[64];
	ssize_t got;

	fill(region, 2, 60);
	fact("region", region);
	fflush(stdout);
	confine(argc > 1 ? argv[1] : "strict");
	say("ready\n");
	while ((got = read(STDIN_FILENO, line, sizeof(line))) > 0)
		say("alive\n");
	/* Not exit_group(): strict mode has only this one. */
	syscall(SYS_exit, got < 0);
}
