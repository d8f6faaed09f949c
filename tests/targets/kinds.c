/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Less usual kinds of memory, 4 pages each, of which the second is written: /dev/zero, System V, a private memfd,
 * flags of madvise(2), a stack that grows, code that cannot be read. With an argument, the ring of io_setup(2) too.
 */
#include <linux/aio_abi.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#include "victim.h"

#define SIZE (4 * PAGE)

static char *known(const char *name, char *region, unsigned seed)
{
	fill(region + PAGE, 1, seed);
	fact(name, region);
	return region;
}

static void device_of_zeros(void)
{
	int fd = open("/dev/zero", O_RDWR);

	if (fd < 0)
		die("/dev/zero");
	known("zero_private", map_apart(SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd), 40);
	known("zero_shared", map_apart(SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd), 41);
	close(fd);
}

static void system_v(void)
{
	int id = shmget(IPC_PRIVATE, SIZE, 0600 | IPC_CREAT);
	char *region = id < 0 ? (char *)-1 : shmat(id, NULL, 0);

	if (id >= 0)
		shmctl(id, IPC_RMID, NULL); /* lives as long as it is attached */
	if (region == (char *)-1)
		die("System V");
	known("system_v", region, 42);
}

static void private_memfd(void)
{
	int fd = memfd_create("private", MFD_CLOEXEC);
	char *page = malloc(PAGE);

	if (fd < 0 || !page || ftruncate(fd, SIZE))
		die("memfd_create");
	fill(page, 1, 50);
	if (pwrite(fd, page, PAGE, 2 * PAGE) != PAGE)
		die("pwrite");
	known("memfd", map_apart(SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd), 43);
	close(fd);
}

static void advised(const char *name, int advice, unsigned seed)
{
	char *region = known(name, map_apart(SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1), seed);

	if (madvise(region, SIZE, advice))
		die("madvise");
}

int main(int argc, char **argv)
{
	aio_context_t aio = 0;
	char *code;

	device_of_zeros();
	system_v();
	private_memfd();
	advised("dontfork", MADV_DONTFORK, 44);
	advised("wipeonfork", MADV_WIPEONFORK, 45);
	advised("dontdump", MADV_DONTDUMP, 46);
	known("growsdown", map_apart(SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_GROWSDOWN, -1), 47);
	code = known("code", map_apart(SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1), 48);
	if (mprotect(code, SIZE, PROT_EXEC))
		die("mprotect");
	(void)argv;
	if (argc > 1 && syscall(SYS_io_setup, 64, &aio) == 0)
		fact("aio", (void *)aio);
	return ready();
}
