/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * busy: threads that compute, call the kernel without waiting, start children and wait for any of them, and map and
 * unmap memory; see worker.h. With `FILE` it holds a lock on it; with `FILE MIB` it has that much filled memory as
 * well.
 */
#include <dirent.h>
#include <sys/file.h>
#include <sys/syscall.h>

#include "worker.h"

/* Registers of all kinds at work, with nothing on the stack but the red zone. */
static double compute(unsigned seed)
{
	unsigned long a = seed, b = seed ^ 0x9e3779b9, c = 1, d = 7;
	double x = seed, y = 1.5, z = 0.25;
	long double w = seed;

	for (int i = 0; i < 40000; i++) {
		a = a * 6364136223846793005ULL + b;
		b ^= a >> 13;
		c += a ^ d;
		d = d << 3 | d >> 5;
		x = x * 0.5 + (double)(b & 0xff);
		y = y * 0.999 + x;
		z += y / (1 + x);
		w = w * 0.75L + (long double)(c & 0xf);
	}
	return x + y + z + (double)w + (double)(a & 0xffff) + (double)(b & 0xffff) + (double)(c & 0xffff) +
	       (double)(d & 0xffff);
}

static void begin_compute(struct worker *self)
{
	double sum = compute(12345);

	memcpy(self->own, &sum, sizeof(sum));
}

static void do_compute(struct worker *self)
{
	double sum, expected;

	memcpy(&expected, self->own, sizeof(expected));
	sum = compute(12345);
	expect(self, !memcmp(&sum, &expected, sizeof(sum)), "a computation gave %.17g, not %.17g", sum, expected);
}

/* Fast calls, one after the other: a stop meets many of them at their very beginning or end. */
static void do_calls(struct worker *self)
{
	static int null = -1;
	char bytes[64];

	if (null < 0)
		null = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	for (int i = 0; i < 500; i++) {
		long parent = syscall(SYS_getppid), got;

		if (!self->own[0])
			self->own[0] = parent;
		expect(self, parent == self->own[0], "getppid() gave %ld", parent);
		bytes[0] = 1;
		got = read(null, bytes, sizeof(bytes));
		expect(self, got == sizeof(bytes) && bytes[0] == 0, "read of zeros gave %ld", got);
		got = close(-1);
		expect(self, got == -1 && errno == EBADF, "close(-1) gave %ld", got);
	}
	usleep(200);
}

/* A child that lives a while, and a wait for any child, of whatever kind: it must be that one. */
static void do_wait(struct worker *self)
{
	int code = (int)(self->rounds % 100), status = -1;
	pid_t child = fork(), got;

	if (child == 0) {
		usleep(2000);
		_exit(code);
	}
	expect(self, child > 0, "fork");
	got = (pid_t)syscall(SYS_wait4, -1, &status, __WALL, NULL);
	expect(self, got == child && WIFEXITED(status) && WEXITSTATUS(status) == code, "waited for %d, got %d: %#x",
	       child, got, status);
	if (got != child)
		waitpid(child, &status, 0);
}

static __thread long mine;

static void do_thread_storage(struct worker *self)
{
	for (int i = 0; i < 1000; i++) {
		expect(self, mine == self->own[0], "a thread-local variable is %ld, not %ld", mine, self->own[0]);
		mine++;
		self->own[0]++;
	}
	usleep(100);
}

static void do_map(struct worker *self)
{
	long *page = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	expect(self, page != MAP_FAILED, "mmap");
	for (size_t i = 0; i < 16; i++)
		page[i * PAGE / sizeof(long)] = (long)(self->rounds + i);
	expect(self, !mprotect(page, 4 * PAGE, PROT_READ), "mprotect");
	for (size_t i = 0; i < 16; i++)
		expect(self, page[i * PAGE / sizeof(long)] == (long)(self->rounds + i), "a page lost its bytes");
	expect(self, !munmap(page, 16 * PAGE), "munmap");
	usleep(300);
}

/* Files of this process: no more, no less, and what is opened gets the lowest free number. */
static void do_files(struct worker *self)
{
	static int lowest;
	int one = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (!lowest)
		lowest = one;
	expect(self, one == lowest, "open() gave %d, not %d", one, lowest);
	close(one);
	usleep(300);
}

/* Who waits for no child gets no SIGCHLD but from the children of do_wait(). */
static int strangers;

static void child_ended(int number, siginfo_t *info, void *context)
{
	(void)number, (void)context;
	if (info->si_code != CLD_EXITED)
		LATER(strangers);
}

static void do_strangers(struct worker *self)
{
	usleep(1000);
	expect(self, !SEEN(strangers), "SIGCHLD of something that did not exit");
}

static struct worker workers[] = {
	{ .name = "compute", .round = do_compute, .begin = begin_compute },
	{ .name = "calls", .round = do_calls },
	{ .name = "wait4", .round = do_wait },
	{ .name = "thread_storage", .round = do_thread_storage },
	{ .name = "map", .round = do_map },
	{ .name = "files", .round = do_files },
	{ .name = "strangers", .round = do_strangers },
};
#define COUNT (sizeof(workers) / sizeof(*workers))

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_sigaction = child_ended, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct flock lock = { .l_type = F_WRLCK };
	int file;

	if (sigaction(SIGCHLD, &action, NULL))
		die("sigaction");
	if (argc > 1) {
		file = open(argv[1], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (file < 0 || fcntl(file, F_SETLK, &lock))
			die(argv[1]);
	}
	if (argc > 2) {
		size_t size = strtoul(argv[2], NULL, 10) * MIB;
		char *region = map_apart(size, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);

		fill(region, size / PAGE, 27);
		fact("region", region);
	}
	/* The numbers of files that do_files() counts on are all taken from here on. */
	do_calls(&workers[1]);
	start_workers(workers, COUNT);
	return answer(workers, COUNT);
}
