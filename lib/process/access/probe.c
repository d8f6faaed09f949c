/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Questions that the kernel itself must answer. None of them changes this process or another one. */
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "base/buffer.h"
#include "process/access/facts.h"
#include "process/kernel.h"

#ifndef SYS_landlock_create_ruleset /* Linux 5.13 */
#define SYS_landlock_create_ruleset 444
#endif
#define LANDLOCK_VERSION 1U /* LANDLOCK_CREATE_RULESET_VERSION */

/* ------------------------------------------------------------------------------------------------ caller --- */

static void probe_capabilities(struct process_status *self)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &header, data) == 0) {
		self->cap_eff = data[0].effective | (uint64_t)data[1].effective << 32;
		self->cap_prm = data[0].permitted | (uint64_t)data[1].permitted << 32;
	}
	for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++)
		if (prctl(PR_CAPBSET_READ, capability) == 1)
			self->cap_bnd |= 1ULL << capability;
}

/* The calling thread, where this procfs does not show it. tgid stays 0: the target cannot be this process. */
void probe_self(struct process_status *self)
{
	*self = (struct process_status){ .kthread = 0 };
	getresuid(&self->uid[ID_REAL], &self->uid[ID_EFFECTIVE], &self->uid[ID_SAVED]);
	getresgid(&self->gid[ID_REAL], &self->gid[ID_EFFECTIVE], &self->gid[ID_SAVED]);
	self->uid[ID_FS] = (uid_t)setfsuid((uid_t)-1); /* an ID that cannot be: only tells the present one */
	self->gid[ID_FS] = (gid_t)setfsgid((gid_t)-1);
	self->seccomp = prctl(PR_GET_SECCOMP);
	self->no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	probe_capabilities(self);
}

/* --------------------------------------------------------------------------------------- system call filter --- */

/* Detaching from what one does not trace does nothing: ESRCH, before anything else is looked at. */
static int call_ptrace(void)
{
	if (syscall(SYS_ptrace, PTRACE_DETACH, syscall(SYS_getppid), NULL, NULL) < 0 && errno != ESRCH)
		return errno;
	return 0;
}

/* A transfer of nothing: 0. ENOSYS is also what a kernel without CROSS_MEMORY_ATTACH says. */
static int call_readv(void)
{
	return syscall(SYS_process_vm_readv, syscall(SYS_getppid), NULL, 0UL, NULL, 0UL, 0UL) < 0 ? errno : 0;
}

/*
 * A filter may also answer by killing (systemd's SystemCallFilter= does unless told otherwise), so a child asks.
 * Exit signal 0 and raw system calls: the program that uses this library sees no SIGCHLD, no wait() of its own
 * takes the child, and no handler of pthread_atfork() runs. All arguments are 0, so their order, which depends on
 * the architecture, does not matter.
 */
static struct filter_answer ask(int (*call)(void))
{
	struct filter_answer answer = { 0 };
	int status = 0;
	pid_t child = (pid_t)syscall(SYS_clone, 0UL, 0UL, 0UL, 0UL, 0UL);

	if (child == 0)
		_exit(call());
	if (child < 0)
		return answer;
	while (waitpid(child, &status, __WALL) < 0)
		if (errno != EINTR)
			return answer;
	answer.asked = true;
	answer.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	answer.error = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	return answer;
}

void probe_filter(struct facts *facts)
{
	facts->ptrace = ask(call_ptrace);
	facts->readv = ask(call_readv);
}

/* --------------------------------------------------------------------------------------- security modules --- */

static void add_module(struct facts *facts, const char *name, size_t size)
{
	size_t length = strlen(facts->modules);

	snprintf(facts->modules + length, sizeof facts->modules - length, "%s%.*s", length ? ", " : "", (int)size,
		 name);
}

/* Those whose rules may forbid to read another process. Yama has a check of its own. */
static bool may_refuse(const char *name, size_t size)
{
	static const char *const words[] = { "apparmor", "selinux", "smack" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strlen(words[i]) == size && !strncmp(name, words[i], size))
			return true;
	return false;
}

/* Landlock binds only who asked for it, which takes no_new_privs or CAP_SYS_ADMIN: landlock_restrict_self(2). */
static bool may_be_landlocked(const struct process_status *self)
{
	if (self->no_new_privs != 1 && !(self->cap_eff & 1ULL << CAP_SYS_ADMIN))
		return false;
	return syscall(SYS_landlock_create_ruleset, NULL, 0UL, LANDLOCK_VERSION) > 0;
}

void probe_modules(int root, struct facts *facts)
{
	AUTO_BUFFER list = { 0 };

	if (buffer_read_file(&list, AT_FDCWD, "/sys/kernel/security/lsm") == 0) {
		for (const char *word = list.bytes; *word; word += strcspn(word, ",\n"), word += *word != 0)
			if (may_refuse(word, strcspn(word, ",\n")))
				add_module(facts, word, strcspn(word, ",\n"));
	} else {
		/* Without securityfs: both leave marks elsewhere. */
		if (faccessat(root, "self/attr/apparmor/current", F_OK, 0) == 0)
			add_module(facts, "apparmor", 8);
		if (access("/sys/fs/selinux/enforce", F_OK) == 0)
			add_module(facts, "selinux", 7);
	}
	if (may_be_landlocked(&facts->self))
		add_module(facts, "landlock", 8);
}

/* ------------------------------------------------------------------------------------------------- memory --- */

/* Enough of the list for the program's own first pages; a whole one may have 65,000 lines. */
#define MAPS_ENOUGH 16384
#define PAGES_ENOUGH 16

static size_t read_some(int fd, char *text, size_t size)
{
	size_t have = 0;
	ssize_t got;

	while (have < size - 1 && (got = read(fd, text + have, size - 1 - have)) > 0)
		have += (size_t)got;
	text[have] = 0;
	return have;
}

/* A private readable region that is no device's: only such pages may be read without a second thought. */
static bool plain_region(const char *line, uint64_t *start, uint64_t *end)
{
	unsigned long long from, to;
	char perms[5], path[16] = "";

	if (sscanf(line, "%llx-%llx %4s %*x %*s %*u%*[ ]%15[^\n]", &from, &to, perms, path) < 3)
		return false;
	*start = from;
	*end = to;
	return perms[0] == 'r' && perms[3] == 'p' && strncmp(path, "/dev/", 5) != 0 && strncmp(path, "[v", 2) != 0 &&
	       to <= INT64_MAX;
}

/* Is a present byte of the region readable? 1 yes, 0 if none of its first pages is present, else -errno. */
static int read_present(int mem, int pagemap, uint64_t start, uint64_t end)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), entries[PAGES_ENOUGH] = { 0 };
	uint64_t pages = (end - start) / page < PAGES_ENOUGH ? (end - start) / page : PAGES_ENOUGH;
	ssize_t got = pread(pagemap, entries, pages * sizeof *entries, (off_t)(start / page * sizeof *entries));
	char byte;

	for (size_t i = 0; got > 0 && i < (size_t)got / sizeof *entries; i++)
		if (entries[i] & PAGEMAP_PRESENT)
			return pread(mem, &byte, 1, (off_t)(start + i * page)) < 0 ? -errno : 1;
	return 0;
}

int probe_read(int maps, int mem, int pagemap)
{
	AUTO_FREE char *text = malloc(MAPS_ENOUGH);
	const char *line = text;
	uint64_t start, end;
	int error = 0;

	if (maps < 0 || mem < 0 || pagemap < 0 || !text || !read_some(maps, text, MAPS_ENOUGH))
		return 0;
	for (const char *next; (next = strchr(line, '\n')); line = next + 1) {
		int result = plain_region(line, &start, &end) ? read_present(mem, pagemap, start, end) : 0;
		if (result > 0)
			return 0; /* one page may be bad for reasons of its own: only if all fail, reading fails */
		error = error ? error : -result;
	}
	return error;
}
