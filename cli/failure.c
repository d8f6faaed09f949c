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

int fail_with(const struct pidmem_error *error)
{
	fail("%s", error->text);
	if (error->hint[0])
		hint("%s", error->hint);
	return EXIT_FAILED;
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

int fail_process(const struct invocation *invocation, pid_t pid, const struct pidmem_error *error)
{
	struct pidmem_open_options options = PIDMEM_INIT(options);
	struct pidmem_access access = PIDMEM_INIT(access);

	options.proc = invocation->proc;
	if (!is_denial(error->code) || pidmem_access_check(pid, &options, NULL, &access) < 0 || access.readable)
		return fail_with(error);
	for (size_t i = 0; i < access.count; i++) {
		const struct pidmem_check *check = &access.checks[i];

		if (check->verdict != PIDMEM_REFUSES)
			continue;
		if (check->cause == PIDMEM_CAUSE_NO_SUCH_PROCESS)
			fail("%s", check->fact);
		else if (access.name[0])
			fail("cannot read process %d (%s): %s", (int)pid, access.name, check->fact);
		else
			fail("cannot read process %d: %s", (int)pid, check->fact);
		if (check->fix[0])
			hint("%s; `pidmem why %d` lists every check", check->fix, (int)pid);
		else
			hint("`pidmem why %d` lists every check", (int)pid);
		return EXIT_FAILED;
	}
	return fail_with(error);
}
