/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"
#include "failure.h"
#include "options.h"
#include "ui/colour.h"
#include "ui/output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
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

/* A full disk or a reader that went away is an error, not a detail. */
static int finish_output(int status)
{
	int number = output_finish();

	if (!number)
		return status;
	if (number == EPIPE)
		return fail("standard output: the reader went away");
	return fail("standard output: %s", strerror(number));
}

static int run(const struct invocation *invocation)
{
	if (invocation->version) {
		output_format("pidmem %s\n", pidmem_version());
		return EXIT_DONE;
	}
	if (!invocation->command || invocation->help)
		return command_help.run(invocation);
	return invocation->command->run(invocation);
}

int main(int argc, char **argv)
{
	bool usable = occupy_standard_descriptors();
	struct invocation *invocation;
	int status;

	signal(SIGPIPE, SIG_IGN); /* write(2) then fails with EPIPE, so that there is time to clean up */
	signal(SIGXFSZ, SIG_IGN); /* the same for a limit on the size of files: EFBIG */
	status = options_read(argc, argv, &invocation);
	if (status)
		return status;
	colour_choose(invocation->colour);
	if (!usable) {
		fail("standard output is closed");
		hint("redirect it to /dev/null if the result is not wanted");
		return EXIT_FAILED;
	}
	status = finish_output(run(invocation));
	pidmem_select_free(invocation->select);
	return status;
}
