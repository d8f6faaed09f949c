/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory whose missing pages a userfaultfd supplies, and nobody answers: whoever touches one waits for ever. With an
 * argument another process holds the userfaultfd, as programs that move processes do, and this one has none.
 */
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "victim.h"

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

static void register_missing(int fd, char *region)
{
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)region, .len = 4 * PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	if (ioctl(fd, UFFDIO_REGISTER, &reg))
		skip("UFFDIO_REGISTER");
}

/* A child that keeps the descriptor as long as this process lives. */
static void give_away(int fd)
{
	int life[2];
	pid_t child;

	if (pipe(life))
		die("pipe");
	fflush(stdout);
	child = fork();
	if (child == 0) {
		char byte;

		close(life[1]);
		_exit(read(life[0], &byte, 1) != 0);
	}
	if (child < 0)
		die("fork");
	close(fd);
}

int main(int argc, char **argv)
{
	struct uffdio_api api = { .api = UFFD_API };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	char *private, *shared;

	/* Without the right to catch faults of the kernel, those of user mode alone: others get SIGBUS. */
	if (fd < 0)
		fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		skip("userfaultfd");
	private = map_apart(4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	shared = map_apart(4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, -1);
	fill(private, 1, 24);
	fill(shared, 1, 25);
	register_missing(fd, private);
	register_missing(fd, shared);
	(void)argv;
	if (argc > 1)
		give_away(fd);
	fact("private", private);
	fact("shared", shared);
	return ready();
}
