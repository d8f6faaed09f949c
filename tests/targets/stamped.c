/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * stamped KIND MIB MODE...: one writer for each mode, all at full speed. Writer I puts the stamps 1, 2, 3... into its
 * own `pages I` (`count I` of them), stamp N into page N * STEP modulo their number: each word of the page is N, but
 * the words 1 to 8, which say what each writer had done when that was begun. `control I` holds the last stamp that was
 * begun, and the last one that is there: of any one moment everything is known but the one page that is being written.
 *
 * KIND is small, thp, hugetlb, file (private) or shared: the memory that is written. MODE is who writes:
 *   store        the program          paced         the program, 200 MiB/s
 *   read         read(2) of a pipe    readv         readv(2) of a pipe, in three parts
 *   direct       read(2) of a file opened with O_DIRECT, in the working directory
 *   uring        io_uring, a pipe     uring_fixed   io_uring, a pipe, into a registered buffer
 *   vm_writev    another process, by process_vm_writev(2), when a thread of this one asks it to
 *   outside      another process, in the same way, on its own
 *   sharer       another process that has the same address space (CLONE_VM), and is no thread
 *   pageout      nothing: this one has the pages of all others swapped out, again and again
 */
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/uio.h>

#include "uring.h"
#include "victim.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

#define MOST 8
#define STEP 40503UL
#define WORDS (PAGE / sizeof(unsigned long))

struct control {
	unsigned long started, done;
};

struct writer {
	const char *mode;
	void (*put)(struct writer *self, unsigned long *page, unsigned long *draft);
	void (*open)(struct writer *self);
	struct control *control;
	char *pages;
	size_t size;
	int in, out; /* a pipe; or a file */
	struct uring uring;
	pid_t reader; /* whose memory is written by process_vm_writev */
};

static struct writer writers[MOST];
static int count;

static void must(bool right, const char *what)
{
	if (!right) {
		fprintf(stderr, "stamped: %s: %s\n", what, strerror(errno));
		_exit(1);
	}
}

static void open_pipe(struct writer *self)
{
	int ends[2];

	if (pipe(ends))
		die("pipe");
	self->in = ends[0];
	self->out = ends[1];
}

static void put_store(struct writer *self, unsigned long *page, unsigned long *draft)
{
	volatile unsigned long *to = page;

	(void)self;
	for (size_t i = 0; i < WORDS; i++)
		to[i] = draft[i];
}

static void put_paced(struct writer *self, unsigned long *page, unsigned long *draft)
{
	put_store(self, page, draft);
	if (self->control->started % 51 == 0)
		usleep(1000);
}

static void to_pipe(const struct writer *self, const unsigned long *draft)
{
	must(write(self->out, draft, PAGE) == (ssize_t)PAGE, "write");
}

static void put_read(struct writer *self, unsigned long *page, unsigned long *draft)
{
	to_pipe(self, draft);
	must(read(self->in, page, PAGE) == (ssize_t)PAGE, "read");
}

static void put_readv(struct writer *self, unsigned long *page, unsigned long *draft)
{
	struct iovec parts[] = { { page, 1000 }, { (char *)page + 1000, 96 }, { (char *)page + 1096, PAGE - 1096 } };

	to_pipe(self, draft);
	must(readv(self->in, parts, 3) == (ssize_t)PAGE, "readv");
}

static void open_direct(struct writer *self)
{
	self->in = open(".", O_TMPFILE | O_RDWR | O_DIRECT | O_CLOEXEC, 0600);
	if (self->in < 0)
		skip("O_DIRECT in the working directory");
}

static void put_direct(struct writer *self, unsigned long *page, unsigned long *draft)
{
	must(pwrite(self->in, draft, PAGE, 0) == (ssize_t)PAGE, "pwrite");
	must(pread(self->in, page, PAGE, 0) == (ssize_t)PAGE, "pread");
}

static void open_uring(struct writer *self)
{
	open_pipe(self);
	uring_open(&self->uring);
}

static void put_uring(struct writer *self, unsigned long *page, unsigned long *draft)
{
	to_pipe(self, draft);
	must(uring_read(&self->uring, self->in, page, PAGE, -1, false) == (long)PAGE, "io_uring");
}

static void open_uring_fixed(struct writer *self)
{
	open_uring(self);
	uring_register(&self->uring, self->pages, self->size);
}

static void put_uring_fixed(struct writer *self, unsigned long *page, unsigned long *draft)
{
	to_pipe(self, draft);
	must(uring_read(&self->uring, self->in, page, PAGE, -1, true) == (long)PAGE, "io_uring, registered buffer");
}

static void poke(const struct writer *self, void *to, const void *from, size_t size)
{
	struct iovec there = { to, size }, here = { (void *)(uintptr_t)from, size };

	must(process_vm_writev(self->reader, &here, 1, &there, 1, 0) == (ssize_t)size, "process_vm_writev");
}

static pid_t second_process(struct writer *self)
{
	pid_t child;

	self->reader = getpid();
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	fflush(stdout);
	child = fork();
	if (child == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (child < 0)
		die("fork");
	return child;
}

/* Requests are (page, stamp); the answer is one byte. */
static void open_vm_writev(struct writer *self)
{
	unsigned long request[2], draft[WORDS];
	int ask[2], answer[2];

	if (pipe(ask) || pipe(answer))
		die("pipe");
	if (second_process(self) == 0) {
		close(ask[1]);
		while (read(ask[0], request, sizeof(request)) == sizeof(request)) {
			for (size_t i = 0; i < WORDS; i++)
				draft[i] = i < 1 || i > MOST ? request[1] : 0;
			poke(self, (void *)request[0], draft, PAGE);
			must(write(answer[1], "", 1) == 1, "write");
		}
		_exit(0);
	}
	self->out = ask[1];
	self->in = answer[0];
}

static void put_vm_writev(struct writer *self, unsigned long *page, unsigned long *draft)
{
	unsigned long request[] = { (unsigned long)page, draft[0] };
	char byte;

	must(write(self->out, request, sizeof(request)) == sizeof(request), "write");
	must(read(self->in, &byte, 1) == 1, "read");
}

static unsigned long *place(const struct writer *self, unsigned long stamp)
{
	return (unsigned long *)(self->pages + stamp * STEP % (self->size / PAGE) * PAGE);
}

static void open_outside(struct writer *self)
{
	unsigned long draft[WORDS];

	if (second_process(self) > 0)
		return;
	for (unsigned long stamp = 1;; stamp++) {
		for (size_t i = 0; i < WORDS; i++)
			draft[i] = i < 1 || i > MOST ? stamp : 0;
		poke(self, &self->control->started, &stamp, sizeof(stamp));
		poke(self, place(self, stamp), draft, PAGE);
		poke(self, &self->control->done, &stamp, sizeof(stamp));
	}
}

static void *write_stamps(void *writer)
{
	unsigned long draft[WORDS] __attribute__((aligned(PAGE)));
	struct writer *self = writer;

	for (unsigned long stamp = 1;; stamp++) {
		__atomic_store_n(&self->control->started, stamp, __ATOMIC_SEQ_CST);
		for (size_t i = 0; i < WORDS; i++)
			draft[i] = stamp;
		for (int i = 0; i < MOST; i++)
			draft[1 + i] = i < count ? __atomic_load_n(&writers[i].control->done, __ATOMIC_SEQ_CST) : 0;
		self->put(self, place(self, stamp), draft);
		__atomic_store_n(&self->control->done, stamp, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

static int share(void *writer)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	write_stamps(writer);
	return 0;
}

static void open_sharer(struct writer *self)
{
	char *stack = map_apart(64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	static struct writer other; /* this one is not to be started as a thread */

	other = *self;
	other.put = put_store;
	if (clone(share, stack + 64 * PAGE, CLONE_VM | SIGCHLD, &other) < 0)
		die("clone");
}

static void *page_out(void *unused)
{
	for (;;)
		for (int i = 0; i < count; i++) {
			must(!madvise(writers[i].pages, writers[i].size, MADV_PAGEOUT), "MADV_PAGEOUT");
			usleep(1000);
		}
	return unused;
}

static const struct writer modes[] = {
	{ .mode = "store", .put = put_store },
	{ .mode = "paced", .put = put_paced },
	{ .mode = "read", .put = put_read, .open = open_pipe },
	{ .mode = "readv", .put = put_readv, .open = open_pipe },
	{ .mode = "direct", .put = put_direct, .open = open_direct },
	{ .mode = "uring", .put = put_uring, .open = open_uring },
	{ .mode = "uring_fixed", .put = put_uring_fixed, .open = open_uring_fixed },
	{ .mode = "vm_writev", .put = put_vm_writev, .open = open_vm_writev },
	{ .mode = "outside", .open = open_outside },
	{ .mode = "sharer", .open = open_sharer },
};

static char *map_kind(const char *kind, size_t size)
{
	int private = MAP_PRIVATE, file = -1;
	char *room;

	if (!strcmp(kind, "hugetlb")) {
		room = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
		if (room == MAP_FAILED)
			skip("MAP_HUGETLB");
		return room;
	}
	if (!strcmp(kind, "thp")) {
		room = map(size + 4 * MIB, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE, -1);
		room = map_at((void *)(((uintptr_t)room + 3 * MIB) / (2 * MIB) * (2 * MIB)), size,
			      PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
		if (madvise(room, size, MADV_HUGEPAGE))
			skip("MADV_HUGEPAGE");
		memset(room, 0, size);
		return room;
	}
	if (!strcmp(kind, "file"))
		file = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	else if (!strcmp(kind, "shared"))
		file = memfd_create("stamped", MFD_CLOEXEC);
	else if (strcmp(kind, "small") != 0)
		die("no such kind of memory");
	if (strcmp(kind, "small") != 0 && (file < 0 || ftruncate(file, (off_t)size)))
		skip("a file without a name");
	room = map_apart(size, PROT_READ | PROT_WRITE, strcmp(kind, "shared") ? private : MAP_SHARED, file);
	madvise(room, size, MADV_NOHUGEPAGE);
	return room;
}

static bool add(const char *kind, size_t size, const char *mode)
{
	struct writer *self = &writers[count];

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(mode, modes[i].mode) != 0)
			continue;
		*self = modes[i];
		self->size = size;
		self->pages = map_kind(kind, size);
		self->control = map_apart(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
		*self->control = (struct control){ 0 };
		count++;
		return true;
	}
	return false;
}

static void start(void *(*body)(void *), void *argument)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, body, argument))
		die("pthread_create");
}

static void tell(const char *what, int number, const void *value)
{
	char key[32];

	snprintf(key, sizeof(key), "%s%d", what, number);
	fact(key, value);
}

int main(int argc, char **argv)
{
	size_t size = argc > 2 ? strtoul(argv[2], NULL, 10) * MIB : 0;
	bool out = false;

	for (int i = 3; i < argc && size && count < MOST; i++)
		if (!add(argv[1], size, argv[i])) {
			out = !strcmp(argv[i], "pageout");
			if (!out)
				die("no such mode");
		}
	for (int i = 0; i < count; i++)
		if (writers[i].open)
			writers[i].open(&writers[i]);
	for (int i = 0; i < count; i++)
		if (writers[i].put)
			start(write_stamps, &writers[i]);
	if (out)
		start(page_out, NULL);
	fact_number("writers", count);
	fact_number("step", STEP);
	for (int i = 0; i < count; i++) {
		while (__atomic_load_n(&writers[i].control->done, __ATOMIC_SEQ_CST) < 10)
			usleep(100);
		tell("control", i, writers[i].control);
		tell("pages", i, writers[i].pages);
		tell("count", i, (void *)(size / PAGE));
	}
	return ready();
}
