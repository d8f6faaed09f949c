/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * holds KIND [DIRECTORY]: has something open that decides how it is to be copied, and does nothing with it.
 *   fuse          a file on FUSE, mounted on the directory, whose server wants all reads past the page cache
 *   read, write   a file of the directory
 *   thread        one with O_DIRECT, by a thread that has a table of open files for itself
 *   ring          io_uring as usual
 *   own_ring      io_uring whose rings are in memory of the program (IORING_SETUP_NO_MMAP, Linux 6.5)
 *   userfaultfd   one that no memory is registered with
 */
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/ioctl.h>

#include "fuse_server.h"
#include "uring.h"

/* Debian 12's headers do not have them yet. */
#ifndef IORING_SETUP_NO_MMAP
#define IORING_SETUP_NO_MMAP (1U << 14)
#endif
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

static int serve(int fuse)
{
	static struct {
		struct fuse_in_header head;
		char data[1 << 16];
	} in;
	struct fuse_entry_out entry = { .nodeid = 2, .attr = { .ino = 2, .mode = S_IFREG | 0644, .nlink = 1 } };
	struct fuse_open_out open = { .open_flags = FOPEN_DIRECT_IO };

	while (read(fuse, &in, sizeof(in)) > 0) {
		if (in.head.opcode == FUSE_INIT)
			fuse_welcome(fuse, in.head.unique);
		else if (in.head.opcode == FUSE_LOOKUP)
			fuse_reply(fuse, in.head.unique, 0, &entry, sizeof(entry));
		else if (in.head.opcode == FUSE_OPEN)
			fuse_reply(fuse, in.head.unique, 0, &open, sizeof(open));
		else if (in.head.opcode == FUSE_RELEASE)
			fuse_reply(fuse, in.head.unique, 0, NULL, 0);
		else if (in.head.opcode != FUSE_INTERRUPT && in.head.opcode != FUSE_FORGET)
			fuse_reply(fuse, in.head.unique, -ENOSYS, NULL, 0);
	}
	return 0;
}

static void hold_file(const char *directory, const char *name, int flags)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (open(path, flags | O_CLOEXEC, 0600) < 0)
		flags &O_DIRECT ? skip("O_DIRECT in that directory") : die(path);
}

static void hold_fuse(const char *directory)
{
	int fuse = fuse_mount("holds", directory);
	pid_t server = fork();

	if (server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(serve(fuse));
	}
	if (server < 0)
		die("fork");
	close(fuse);
	hold_file(directory, "file", O_RDONLY);
}

static const char *thread_directory;
static int told[2];

static void *hold_for_itself(void *unused)
{
	if (unshare(CLONE_FILES))
		die("unshare");
	hold_file(thread_directory, "file", O_CREAT | O_RDWR | O_DIRECT);
	if (write(told[1], "", 1) != 1)
		die("write");
	for (;;)
		pause();
	return unused;
}

static void hold_by_thread(const char *directory)
{
	pthread_t thread;
	char byte;

	thread_directory = directory;
	if (pipe(told) || pthread_create(&thread, NULL, hold_for_itself, NULL) || read(told[0], &byte, 1) != 1)
		die("a thread");
}

static void hold_own_ring(void)
{
	char *rings = map_apart(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	char *entries = map_apart(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	struct io_uring_params params = { .flags = IORING_SETUP_NO_MMAP };

	/* Their places, where older headers have no `user_addr`. */
	params.cq_off.resv2 = (uintptr_t)rings;
	params.sq_off.resv2 = (uintptr_t)entries;
	if (syscall(SYS_io_uring_setup, 1, &params) < 0)
		skip("io_uring_setup with IORING_SETUP_NO_MMAP");
}

static void hold_userfaultfd(void)
{
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	struct uffdio_api api = { .api = UFFD_API };

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		skip("userfaultfd");
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "", *directory = argc > 2 ? argv[2] : ".";
	char *region = map_apart(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	struct uring ring;

	fill(region, 1, 64);
	if (!strcmp(kind, "fuse"))
		hold_fuse(directory);
	else if (!strcmp(kind, "read") || !strcmp(kind, "write"))
		hold_file(directory, "file", O_CREAT | (kind[0] == 'r' ? O_RDONLY : O_WRONLY));
	else if (!strcmp(kind, "thread"))
		hold_by_thread(directory);
	else if (!strcmp(kind, "ring"))
		uring_open(&ring);
	else if (!strcmp(kind, "own_ring"))
		hold_own_ring();
	else if (!strcmp(kind, "userfaultfd"))
		hold_userfaultfd();
	else
		die("no such kind");
	fact("region", region);
	return ready();
}
