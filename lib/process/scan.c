/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

int pagemap_scan(int pagemap, struct pm_scan_arg *argument)
{
	int count;

	argument->size = sizeof *argument;
	do
		count = ioctl(pagemap, PAGEMAP_SCAN, argument);
	while (count < 0 && errno == EINTR);
	return count < 0 ? -errno : count;
}

/* Can the page at this address be asked about? What is answered is not kept. */
static int try_page(int pagemap, uint64_t start, uint64_t categories)
{
	struct page_region run = { 0 };
	struct pm_scan_arg argument = {
		.start = start,
		.end = start + (uint64_t)sysconf(_SC_PAGESIZE),
		.category_anyof_mask = categories,
		.return_mask = categories,
		.vec = (uintptr_t)&run,
		.vec_len = 1,
	};
	return pagemap_scan(pagemap, &argument);
}

uint64_t pagemap_known(int pagemap, uint64_t categories)
{
	int result = try_page(pagemap, 0, categories);

	if (result == -EINVAL && categories & PAGE_IS_GUARD) {
		categories &= ~(uint64_t)PAGE_IS_GUARD;
		result = try_page(pagemap, 0, categories);
	}
	return result < 0 ? 0 : categories;
}

uint64_t pagemap_end(int pagemap)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	for (unsigned bits = 63; bits > 31; bits--)
		if (try_page(pagemap, (1ULL << bits) - 2 * page, PAGE_IS_PRESENT) >= 0)
			return (1ULL << bits) - page;
	return 0;
}

/* One page table's memory, untouched, with room for its borders: of pages of 64 KiB, it is that of 512 MiB. */
#define ROOM (1UL << 30)

static bool is_written(int pagemap, const void *memory)
{
	struct page_region run = { 0 };
	struct pm_scan_arg argument = {
		.start = (uintptr_t)memory,
		.end = (uintptr_t)memory + ROOM,
		.category_mask = PAGE_IS_WRITTEN,
		.return_mask = PAGE_IS_WRITTEN,
		.vec = (uintptr_t)&run,
		.vec_len = 1,
	};
	return pagemap_scan(pagemap, &argument) == 1 && run.end - run.start > ROOM / 2;
}

bool pagemap_tells_holes(void)
{
	AUTO_FD pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	AUTO_FD userfaultfd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_WP_ASYNC };
	void *memory = mmap(NULL, ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct uffdio_register range = { .range = { (uintptr_t)memory, ROOM }, .mode = UFFDIO_REGISTER_MODE_WP };

	if (memory == MAP_FAILED)
		return false;
	bool told = pagemap >= 0 && userfaultfd >= 0 && ioctl(userfaultfd, UFFDIO_API, &api) == 0 &&
		    ioctl(userfaultfd, UFFDIO_REGISTER, &range) == 0 && is_written(pagemap, memory);
	munmap(memory, ROOM);
	return told;
}
