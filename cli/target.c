/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "target.h"
#include "failure.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* pidmem's own PID. In another procfs it has another number, which the link "self" there tells (proc(5)). */
static int own_pid(const char *proc, pid_t *pid)
{
	char path[PATH_MAX], number[32];
	ssize_t length;

	if (!proc) {
		*pid = getpid();
		return 0;
	}
	if ((size_t)snprintf(path, sizeof(path), "%s/self", proc) >= sizeof(path))
		return fail("--proc \"%s\": the path is too long", proc);
	length = readlink(path, number, sizeof(number) - 1);
	if (length <= 0)
		return fail("--proc \"%s\" does not know pidmem itself: %s", proc, strerror(errno));
	number[length] = '\0';
	*pid = (pid_t)strtol(number, NULL, 10);
	return 0;
}

static int no_such_target(const char *text)
{
	if (access(text, F_OK) == 0) {
		fail("\"%s\" is a file: core files and dumps cannot be read by this version yet", text);
		hint("give the PID of a live process");
	} else if (text[0] == '-' && text[1] && strspn(text + 1, "0123456789") == strlen(text + 1)) {
		fail("\"%s\" is not a process: a PID is a positive number", text);
		hint("a file of this name is written ./%s", text);
	} else {
		fail("\"%s\" is neither a PID nor a file", text);
		hint("a TARGET is a PID (digits only), `self`, or a path");
	}
	return EXIT_FAILED;
}

int target_parse(const struct invocation *invocation, const char *text, pid_t *pid)
{
	unsigned long long number;

	if (!text[0]) {
		fail("the TARGET is empty");
		hint("a TARGET is a PID (digits only), `self`, or a path");
		return EXIT_FAILED;
	}
	if (!strcmp(text, "self"))
		return own_pid(invocation->proc, pid);
	if (text[strspn(text, "0123456789")])
		return no_such_target(text);
	errno = 0;
	number = strtoull(text, NULL, 10);
	if (errno || number > INT_MAX) {
		fail("no process can have the PID \"%s\"", text);
		hint("PIDs go up to 4194303 (proc(5), pid_max); a file of this name is written ./%s", text);
		return EXIT_FAILED;
	}
	if (number == 0) {
		fail("PID 0 is not a process that can be read");
		hint("PIDs begin with 1; `self` is pidmem itself");
		return EXIT_FAILED;
	}
	*pid = (pid_t)number;
	return 0;
}

int target_open(const struct invocation *invocation, const char *text, struct pidmem_process **process)
{
	struct pidmem_open_options options = PIDMEM_INIT(options);
	struct pidmem_error error;
	pid_t pid = 0;
	int failed;

	failed = target_parse(invocation, text, &pid);
	if (failed)
		return failed;
	options.proc = invocation->proc;
	if (pidmem_process_open(pid, &options, &error, process) < 0)
		return fail_process(invocation, pid, &error);
	return 0;
}
