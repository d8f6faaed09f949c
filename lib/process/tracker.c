/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process/tracker.h"

#include <errno.h>
#include <linux/userfaultfd.h>
#include <unistd.h>

#define EXISTS (PAGE_IS_PRESENT | PAGE_IS_SWAPPED)
#define TOLD                                                                                                        \
	(PAGE_IS_WPALLOWED | PAGE_IS_WRITTEN | PAGE_IS_FILE | PAGE_IS_PRESENT | PAGE_IS_SWAPPED | PAGE_IS_PFNZERO | \
	 PAGE_IS_HUGE | PAGE_IS_GUARD)

static int scan(const struct tracker *tracker, struct pm_scan_arg *argument)
{
	int count;

	argument->size = sizeof *argument;
	argument->return_mask &= tracker->known;
	do
		count = ioctl(tracker->pagemap, PAGEMAP_SCAN, argument);
	while (count < 0 && errno == EINTR);
	return count < 0 ? -errno : count;
}

/* Can a page at this address be asked about? */
static bool can_scan(const struct tracker *tracker, uint64_t start)
{
	struct page_region run;
	struct pm_scan_arg argument = {
		.start = start,
		.end = start + (uint64_t)sysconf(_SC_PAGESIZE),
		.vec = (uintptr_t)&run,
		.vec_len = 1,
		.category_anyof_mask = TOLD & tracker->known,
	};
	return scan(tracker, &argument) >= 0;
}

int tracker_init(struct tracker *tracker, int userfaultfd, int pagemap)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_WP_ASYNC };
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	if (ioctl(userfaultfd, UFFDIO_API, &api) < 0)
		return -errno;
	*tracker = (struct tracker){ .userfaultfd = userfaultfd, .pagemap = pagemap, .known = TOLD };
	if (!can_scan(tracker, 0))
		tracker->known &= ~(uint64_t)PAGE_IS_GUARD;
	/* The kernel refuses ranges that leave the user half of the address space. */
	for (unsigned bits = 63; bits > 31 && !tracker->end; bits--)
		if (can_scan(tracker, (1ULL << bits) - 2 * page))
			tracker->end = (1ULL << bits) - page;
	return tracker->end ? 0 : -EINVAL;
}

int tracker_add(const struct tracker *tracker, uint64_t start, uint64_t size)
{
	struct uffdio_register range = { .range = { start, size }, .mode = UFFDIO_REGISTER_MODE_WP };

	return ioctl(tracker->userfaultfd, UFFDIO_REGISTER, &range) < 0 ? -errno : 0;
}

#define STEP (32ULL << 20)

void tracker_remove(const struct tracker *tracker, uint64_t start, uint64_t size)
{
	uint64_t most = size > TRACKER_LARGE ? STEP : size;

	for (uint64_t done = 0, step; done < size; done += step) {
		step = size - done < most ? size - done : most;
		struct uffdio_range range = { start + done, step };
		ioctl(tracker->userfaultfd, UFFDIO_UNREGISTER, &range);
	}
}

/* Guard pages (MADV_GUARD_INSTALL) have no content, and are left as they are. */
static uint64_t passed_over(const struct tracker *tracker, const struct tracker_range *range)
{
	return ((range->files ? (uint64_t)PAGE_IS_FILE : 0) | PAGE_IS_GUARD) & tracker->known;
}

int tracker_list(const struct tracker *tracker, enum tracker_scan what, struct tracker_range *range,
		 struct page_region *runs, size_t count, uint64_t bytes)
{
	struct pm_scan_arg argument = {
		.start = range->start,
		.end = range->end < tracker->end ? range->end : tracker->end,
		.vec = (uintptr_t)runs,
		.vec_len = count,
		.max_pages = bytes / (uint64_t)sysconf(_SC_PAGESIZE),
		.category_anyof_mask = EXISTS,
		.return_mask = TOLD & ~(uint64_t)(range->files ? 0 : PAGE_IS_FILE),
	};

	if (argument.start >= argument.end) {
		range->start = range->end;
		return 0;
	}
	switch (what) {
	case TRACKER_UNTRACKED:
		argument.category_mask = argument.category_inverted = passed_over(tracker, range) | PAGE_IS_WPALLOWED;
		break;
	case TRACKER_WRITTEN:
		argument.category_inverted = passed_over(tracker, range);
		argument.category_mask = argument.category_inverted | PAGE_IS_WRITTEN;
		argument.flags = PM_SCAN_WP_MATCHING;
		break;
	case TRACKER_EXISTING:
		argument.category_mask = argument.category_inverted = passed_over(tracker, range);
		argument.flags = PM_SCAN_WP_MATCHING;
		break;
	case TRACKER_PRESENT:
		break;
	case TRACKER_CHANGED: /* few, and so fast: listing all takes five times as long */
		argument.category_inverted = PAGE_IS_PRESENT | PAGE_IS_WPALLOWED;
		argument.category_anyof_mask =
			PAGE_IS_WRITTEN | argument.category_inverted | (range->files ? (uint64_t)PAGE_IS_FILE : 0);
		break;
	}
	int found = scan(tracker, &argument);
	if (found < 0)
		return found;
	if (found == 0 && argument.walk_end <= argument.start) /* a huge page that is larger than `bytes` */
		return -EOPNOTSUPP;
	range->start = argument.walk_end < argument.end ? argument.walk_end : range->end;
	return found;
}
