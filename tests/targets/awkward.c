/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * awkward vfork|vfork2|uffd|held: hard to stop or to copy. `vfork`: the only thread waits in vfork() for a child that
 * waits for standard input; `vfork2`: another thread waits besides. `uffd`: a userfaultfd of this process asks to be
 * told of each fork(), and who forks waits until that is read: nobody does. `held`: files are locked, a socket is
 * connected, and a line on standard input closes that.
 */
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "victim.h"

static void *stay(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static int in_vfork(void)
{
	char *region = map_apart(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1), byte;
	int status;
	pid_t child;

	fill(region, 1, 61);
	fact("region", region);
	puts("ready");
	fflush(stdout);
	child = vfork();
	if (child == 0)
		_exit(read(STDIN_FILENO, &byte, 1) != 0);
	return child < 0 || waitpid(child, &status, 0) != child || status;
}

static int with_userfaultfd(void)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_EVENT_FORK };
	char *region = map_apart(4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)region, .len = 4 * PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	fill(region, 1, 62);
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &reg))
		skip("userfaultfd with UFFD_FEATURE_EVENT_FORK");
	fact("region", region);
	return ready();
}

/* PATH of a listening socket, and of a file to lock. */
static int with_files(const char *path, const char *file)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	struct flock lock = { .l_type = F_WRLCK, .l_len = 10 };
	struct flock of_file = { .l_type = F_WRLCK, .l_start = 10, .l_len = 10 };
	int peer = socket(AF_UNIX, SOCK_STREAM, 0), locked = open(file, O_RDWR | O_CREAT, 0666);
	int second = open(file, O_RDWR), ends[2];
	char line[16];

	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	if (locked < 0 || fcntl(locked, F_SETLK, &lock) || fcntl(locked, F_OFD_SETLK, &of_file) ||
	    flock(second, LOCK_EX))
		die("locks");
	if (connect(peer, (void *)&name, sizeof(name)) || pipe(ends))
		die("connect");
	puts("ready");
	fflush(stdout);
	if (fgets(line, sizeof(line), stdin)) {
		close(peer);
		close(ends[1]);
		/* The only writer has gone: the end of the pipe is there, or a copy holds the other end. */
		fcntl(ends[0], F_SETFL, O_NONBLOCK);
		puts(read(ends[0], line, 1) == 0 ? "closed" : "held");
		fflush(stdout);
	}
	return ready();
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	pthread_t thread;

	if (!strcmp(how, "uffd"))
		return with_userfaultfd();
	if (!strcmp(how, "held") && argc > 3)
		return with_files(argv[2], argv[3]);
	if (!strcmp(how, "vfork2") && pthread_create(&thread, NULL, stay, NULL))
		die("pthread_create");
	return in_vfork();
}
