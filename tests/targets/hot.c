/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hot MIB KIB [MIB]: so much private memory, the first KIB of which threads write to again and again, each page once
 * a round: whoever copies them is never done. MIB of other memory is registered with a userfaultfd of its own.
 */
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "victim.h"

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

#define THREADS 3 /* so that one of them gets a processor on a busy machine too */

static char *room;
static size_t hot;

static void *write_on(void *unused)
{
	for (unsigned long round = 1;; round++)
		for (size_t at = 0; at < hot; at += PAGE)
			*(volatile unsigned long *)(room + at) = round;
	return unused;
}

static void watch(char *at, size_t size)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .range = { (uintptr_t)at, size }, .mode = UFFDIO_REGISTER_MODE_WP };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &reg))
		skip("userfaultfd");
}

static char *get(size_t size)
{
	char *at = map_apart(size, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);

	madvise(at, size, MADV_NOHUGEPAGE);
	memset(at, 1, size);
	return at;
}

int main(int argc, char **argv)
{
	size_t size = (argc > 1 ? strtoul(argv[1], NULL, 10) : 16) * MIB;
	size_t watched = (argc > 3 ? strtoul(argv[3], NULL, 10) : 0) * MIB;
	pthread_t thread;

	hot = (argc > 2 ? strtoul(argv[2], NULL, 10) : 0) * 1024;
	room = get(size);
	fact("region", room);
	if (watched) {
		char *at = get(watched);
		watch(at, watched);
		fact("watched", at);
	}
	for (int i = 0; hot && i < THREADS; i++)
		if (pthread_create(&thread, NULL, write_on, NULL))
			die("pthread_create");
	return ready();
}
