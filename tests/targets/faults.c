/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * faults: a program that uses userfaultfd(2) itself, as garbage collectors do, and goes on doing so. One thread drops
 * pages of `missing`, and gets them anew when it touches them; one protects pages of `written`, and is told of each
 * first write to them. See worker.h. `plain` is memory that has nothing to do with it: as many pages as the others.
 */
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "worker.h"

#define PAGES 64UL

static int faults = -1;
static unsigned long *missing, *written;
static unsigned long told[PAGES];

static unsigned long *at(unsigned long *pages, unsigned long number)
{
	return pages + number % PAGES * (PAGE / sizeof(*pages));
}

static void protect(unsigned long *page, bool on)
{
	struct uffdio_writeprotect range = { .range = { (uintptr_t)page, PAGE },
					     .mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0 };

	if (ioctl(faults, UFFDIO_WRITEPROTECT, &range))
		_exit(3);
}

static void supply(uintptr_t address)
{
	static unsigned long content[PAGE / sizeof(long)] __attribute__((aligned(PAGE)));
	struct uffdio_copy copy = { .dst = address / PAGE * PAGE, .src = (uintptr_t)content, .len = PAGE };

	for (size_t i = 0; i < PAGE / sizeof(long); i++)
		content[i] = 0x5000 + (copy.dst - (uintptr_t)missing) / PAGE;
	/* A thread that was stopped while it waited asks once more. */
	if (ioctl(faults, UFFDIO_COPY, &copy) && errno != EEXIST)
		_exit(4);
}

static void *answer_faults(void *unused)
{
	struct uffd_msg message;

	while (read(faults, &message, sizeof(message)) == sizeof(message)) {
		uintptr_t address = message.arg.pagefault.address;

		if (!(message.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP)) {
			supply(address);
			continue;
		}
		LATER(told[(address - (uintptr_t)written) / PAGE]);
		protect((void *)(address / PAGE * PAGE), false);
	}
	_exit(5);
	return unused;
}

static void do_missing(struct worker *self)
{
	unsigned long number = self->rounds, *page = at(missing, number);

	expect(self, !madvise(page, PAGE, MADV_DONTNEED), "madvise");
	expect(self, page[7] == 0x5000 + number % PAGES, "page %lu was supplied with %#lx", number % PAGES, page[7]);
	__atomic_store_n(page, number, __ATOMIC_SEQ_CST);
	expect(self, page[511] == 0x5000 + number % PAGES, "page %lu ends with %#lx", number % PAGES, page[511]);
}

static void do_written(struct worker *self)
{
	unsigned long number = self->rounds, *page = at(written, number), before = SEEN(told[number % PAGES]), after;

	protect(page, true);
	__atomic_store_n(page, number, __ATOMIC_SEQ_CST);
	after = SEEN(told[number % PAGES]);
	expect(self, after > before, "nobody was told of a write to page %lu", number % PAGES);
	__atomic_store_n(&page[1], number, __ATOMIC_SEQ_CST);
	expect(self, SEEN(told[number % PAGES]) == after, "a second write to page %lu was told", number % PAGES);
	expect(self, *page == number, "page %lu has %lu", number % PAGES, *page);
}

static void add(unsigned long *pages, unsigned long mode)
{
	struct uffdio_register range = { .range = { (uintptr_t)pages, PAGES * PAGE }, .mode = mode };

	if (ioctl(faults, UFFDIO_REGISTER, &range))
		skip("UFFDIO_REGISTER");
}

int main(void)
{
	static struct worker workers[] = {
		{ .name = "missing", .round = do_missing },
		{ .name = "written", .round = do_written },
	};
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP };
	unsigned long *plain = map_apart(PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	pthread_t thread;

	/* Who reads a missing page through the kernel waits as well, where that is allowed. */
	faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (faults < 0)
		faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	if (faults < 0 || ioctl(faults, UFFDIO_API, &api))
		skip("userfaultfd with write protection");
	missing = map_apart(PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	written = map_apart(PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	fill(plain, PAGES, 64);
	memset(written, 0, PAGES * PAGE);
	add(missing, UFFDIO_REGISTER_MODE_MISSING);
	add(written, UFFDIO_REGISTER_MODE_WP);
	if (pthread_create(&thread, NULL, answer_faults, NULL))
		die("pthread_create");
	start_workers(workers, 2);
	fact("missing", missing);
	fact("written", written);
	fact("plain", plain);
	return answer(workers, 2);
}
