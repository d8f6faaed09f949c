/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"
#include "confine.h"
#include "failure.h"
#include "options.h"
#include "target.h"
#include "ui/output.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * A descriptor that is closed would be given to the next file that is opened, and what is meant for stdout would end
 * up in a dump. Returns whether stdout was open.
 */
static bool occupy_standard_descriptors(void)
{
	bool usable = fcntl(STDOUT_FILENO, F_GETFD) >= 0;

	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		/* cppcheck-suppress leakReturnValNotUsed ; open until the end, that is the point */
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) < 0)
			return false;
	return usable;
}

/*
 * As far as can be known before: a reader that has gone already, or a descriptor that cannot be written to. Else a dump
 * would be made whose report cannot be given.
 */
static int check_output(bool usable)
{
	struct pollfd standard = { .fd = STDOUT_FILENO };
	int flags = fcntl(STDOUT_FILENO, F_GETFL);

	if (!usable) {
		fail("standard output is closed");
		hint("redirect it to /dev/null if the result is not wanted");
		return EXIT_FAILED;
	}
	if (flags >= 0 && (flags & O_ACCMODE) == O_RDONLY)
		return output_failure(EBADF);
	if (poll(&standard, 1, 0) == 1 && standard.revents & POLLERR) /* a pipe without a reader: poll(2) */
		return output_failure(EPIPE);
	return 0;
}

/* A full disk or a reader that went away is an error, not a detail; one message is enough. */
static int finish_output(int status)
{
	int number = output_finish();

	return number && status != EXIT_FAILED ? output_failure(number) : status;
}

static int run(const struct invocation *invocation)
{
	if (invocation->version) {
		output_format("pidmem %s\n", pidmem_version());
		return EXIT_DONE;
	}
	if (!invocation->command || invocation->help)
		return command_help.run(invocation);
	if (target_check_files(invocation))
		return EXIT_FAILED;
	confine_expect(invocation);
	return invocation->command->run(invocation);
}

int main(int argc, char **argv)
{
	bool usable = occupy_standard_descriptors();
	struct invocation *invocation;
	int status;

	mallopt(M_ARENA_MAX, 1);  /* threads work by turns, and what one of them has freed is of use to the next */
	signal(SIGPIPE, SIG_IGN); /* write(2) then fails with EPIPE, so that there is time to clean up */
	signal(SIGXFSZ, SIG_IGN); /* the same for a limit on the size of files: EFBIG */
	status = options_read(argc, argv, &invocation);
	if (status) {
		output_flush();
		return status;
	}
	status = check_output(usable);
	if (status)
		return status;
	status = finish_output(run(invocation));
	pidmem_select_free(invocation->select);
	free(invocation->terms);
	return status;
}
