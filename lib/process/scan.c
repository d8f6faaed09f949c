/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process/scan.h"

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

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
	struct page_region run;
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
