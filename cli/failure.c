/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "failure.h"
#include "ui/colour.h"
#include "ui/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool quiet_;

void failure_quiet(bool quiet)
{
	quiet_ = quiet;
}

/* Names of processes and files are part of messages: a newline or an escape sequence in one must stay in its line. */
__attribute__((format(printf, 3, 0))) static void message(const char *prefix, enum colour colour, const char *format,
							  va_list arguments)
{
	char text[2048], safe[4096];
	int length = vsnprintf(text, sizeof(text), format, arguments);

	if (length < 0)
		return;
	if ((size_t)length >= sizeof(text))
		length = sizeof(text) - 1;
	text_escape(safe, sizeof(safe), text, (size_t)length);
	fprintf(stderr, "%s%s:%s %s\n", colour_stderr(colour), prefix, colour_stderr(COLOUR_END), safe);
}

int fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	message("pidmem", COLOUR_BAD, format, arguments);
	va_end(arguments);
	return EXIT_FAILED;
}

void warn(const char *format, ...)
{
	va_list arguments;

	if (quiet_)
		return;
	va_start(arguments, format);
	message("pidmem", COLOUR_WARN, format, arguments);
	va_end(arguments);
}

void hint(const char *format, ...)
{
	va_list arguments;

	if (quiet_)
		return;
	va_start(arguments, format);
	message("hint", COLOUR_WARN, format, arguments);
	va_end(arguments);
}

int fail_with_hint(const struct pidmem_error *error, const char *other)
{
	fail("%s", error->text);
	if (other[0])
		hint("%s", other);
	return EXIT_FAILED;
}

int fail_with(const struct pidmem_error *error)
{
	if (error->hint[0])
		return fail_with_hint(error, error->hint);
	if (error->sys == EMFILE)
		return fail_with_hint(error, "allow more open files: `ulimit -n 1024`");
	if (error->code == PIDMEM_EXECED)
		return fail_with_hint(error, "try again: it is read as the program that it is now");
	return fail_with_hint(error, "");
}

int output_failure(int number)
{
	if (number == EPIPE) {
		fail("standard output: the reader went away");
		hint("what it has is incomplete; a reader such as head(1) stops pidmem when it has enough");
		return EXIT_FAILED;
	}
	fail("standard output: %s", strerror(number));
	if (number == ENOSPC || number == EDQUOT || number == EFBIG)
		hint("what was written is incomplete: make room, or write it elsewhere");
	else
		hint("redirect it to a file or to /dev/null");
	return EXIT_FAILED;
}

static bool is_denial(enum pidmem_code code)
{
	switch (code) {
	case PIDMEM_NO_PROCESS:
	case PIDMEM_KERNEL_THREAD:
	case PIDMEM_ZOMBIE:
	case PIDMEM_ACCESS:
		return true;
	default:
		return false;
	}
}

static int fail_denied(pid_t pid, pid_t named, const struct pidmem_access *access, const struct pidmem_check *check)
{
	char name[80] = "", relation[64] = "";

	if (access->name[0])
		snprintf(name, sizeof(name), " (%s)", access->name);
	if (named != pid)
		snprintf(relation, sizeof(relation), ", a descendant of %d", (int)named);
	if (check->cause == PIDMEM_CAUSE_NO_SUCH_PROCESS)
		fail("%s", check->fact);
	else
		fail("cannot read process %d%s%s: %s", (int)pid, name, relation, check->fact);
	if (check->fix[0])
		hint("%s; `pidmem why %d` lists every check", check->fix, (int)pid);
	else
		hint("`pidmem why %d` lists every check", (int)pid);
	return EXIT_FAILED;
}

int fail_descendant(const struct invocation *invocation, pid_t pid, pid_t named, const struct pidmem_error *error)
{
	struct pidmem_open_options options = PIDMEM_INIT(options);
	struct pidmem_access access = PIDMEM_INIT(access);

	options.proc = invocation->proc;
	if (!is_denial(error->code) || pidmem_access_check(pid, &options, NULL, &access) < 0 || access.readable)
		return fail_with(error);
	for (size_t i = 0; i < access.count; i++)
		if (access.checks[i].verdict == PIDMEM_REFUSES)
			return fail_denied(pid, named, &access, &access.checks[i]);
	return fail_with(error);
}

int fail_process(const struct invocation *invocation, pid_t pid, const struct pidmem_error *error)
{
	return fail_descendant(invocation, pid, pid, error);
}
