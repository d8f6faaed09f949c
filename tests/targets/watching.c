/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * watching [MIB]: a program that watches its own writes as pidmem does, by a userfaultfd with WP_ASYNC and
 * PAGEMAP_SCAN, in memory that it maps anew each round. See worker.h. Of round R all pages have R * 2; when `protected`
 * is R the first ten have, or get, R * 2 + 1. The pages of the last round are at `ledger`, behind its number and
 * `protected`. Somebody else may have taken new memory just before it could be registered; it is given back then. MIB
 * of other memory beside it.
 */
#include <linux/fs.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "process/kernel.h"
#include "worker.h"

#define PAGES 256UL
#define WRITTEN 10

static int faults, pagemap;
static volatile unsigned long ledger[3];

/* How many pages were written to; protects them. */
static long count(const char *pages, unsigned long flags)
{
	struct page_region runs[PAGES];
	struct pm_scan_arg argument = {
		.size = sizeof(argument),
		.flags = flags,
		.start = (uintptr_t)pages,
		.end = (uintptr_t)pages + PAGES * PAGE,
		.vec = (uintptr_t)runs,
		.vec_len = PAGES,
		.category_mask = PAGE_IS_WRITTEN,
		.return_mask = PAGE_IS_WRITTEN,
	};
	int found = ioctl(pagemap, PAGEMAP_SCAN, &argument);
	long sum = 0;

	for (int i = 0; i < found; i++)
		sum += (long)((runs[i].end - runs[i].start) / PAGE);
	return found < 0 ? found : sum;
}

static void set(char *pages, unsigned long number, unsigned long value)
{
	for (unsigned long i = 0; i < number; i++)
		*(volatile unsigned long *)(pages + i * PAGE) = value;
}

static void do_round(struct worker *self)
{
	unsigned long number = self->rounds + 1;
	char *pages = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_register range = { .range = { (uintptr_t)pages, PAGES * PAGE }, .mode = UFFDIO_REGISTER_MODE_WP };

	expect(self, pages != MAP_FAILED, "mmap");
	if (!ioctl(faults, UFFDIO_REGISTER, &range)) {
		set(pages, PAGES, number * 2);
		expect(self, count(pages, PM_SCAN_WP_MATCHING) == (long)PAGES, "not all was new");
		ledger[2] = (unsigned long)pages;
		ledger[0] = number;
		set(pages, WRITTEN, number * 2 + 1);
		ledger[1] = number;
		for (int i = 0; i < 1000; i++)
			expect(self, count(pages, 0) == WRITTEN, "it was written to %ld pages, and not to 10",
			       count(pages, 0));
		ledger[2] = 0;
	}
	expect(self, !munmap(pages, PAGES * PAGE), "munmap");
}

int main(int argc, char **argv)
{
	static struct worker workers[] = { { .name = "watching", .round = do_round } };
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_WP_ASYNC };
	size_t beside = argc > 1 ? strtoul(argv[1], NULL, 10) * MIB : 0;

	faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (faults < 0 || pagemap < 0 || ioctl(faults, UFFDIO_API, &api))
		skip("userfaultfd that the kernel itself resolves");
	if (beside)
		fill(map_apart(beside, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1), beside / PAGE, 3);
	start_workers(workers, 1);
	fact("ledger", ledger);
	return answer(workers, 1);
}
