/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process/tracker.h"

#include <errno.h>
#include <linux/userfaultfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "process/scan.h"

#define EXISTS (PAGE_IS_PRESENT | PAGE_IS_SWAPPED)
#define TOLD                                                                                                        \
	(PAGE_IS_WPALLOWED | PAGE_IS_WRITTEN | PAGE_IS_FILE | PAGE_IS_PRESENT | PAGE_IS_SWAPPED | PAGE_IS_PFNZERO | \
	 PAGE_IS_HUGE | PAGE_IS_GUARD)

int tracker_init(struct tracker *tracker, int userfaultfd, int pagemap)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_WP_ASYNC };

	if (ioctl(userfaultfd, UFFDIO_API, &api) < 0)
		return -errno;
	*tracker = (struct tracker){
		.userfaultfd = userfaultfd,
		.pagemap = pagemap,
		.known = pagemap_known(pagemap, TOLD),
		.end = pagemap_end(pagemap),
		.tells_holes = pagemap_tells_holes(),
	};
	return tracker->end ? 0 : -EINVAL;
}

int tracker_add(const struct tracker *tracker, uint64_t start, uint64_t size)
{
	struct uffdio_register range = { .range = { start, size }, .mode = UFFDIO_REGISTER_MODE_WP };

	return ioctl(tracker->userfaultfd, UFFDIO_REGISTER, &range) < 0 ? -errno : 0;
}

/* A tenth of a millisecond, and whole huge pages: many kernels let nobody else run before a system call ends. */
#define STEP (4ULL << 20)

/* The kernel decides by the mapping, and passes over all others without a look at their pages. */
uint64_t tracker_find(const struct tracker *tracker, uint64_t start, uint64_t end, bool tracked)
{
	struct page_region run = { 0 };
	struct pm_scan_arg argument = {
		.start = start,
		.end = end,
		.category_inverted = tracked ? 0 : PAGE_IS_WPALLOWED,
		.category_mask = PAGE_IS_WPALLOWED,
		.return_mask = PAGE_IS_WPALLOWED,
		.vec = (uintptr_t)&run,
		.vec_len = 1,
		.max_pages = 1,
	};
	if (start >= end)
		return end;
	int found = pagemap_scan(tracker->pagemap, &argument);
	return found > 0 ? run.start : found < 0 && !tracked ? start : end;
}

/* The end of the step that begins at an address: huge pages are not divided. */
static uint64_t step_end(uint64_t at, uint64_t end)
{
	uint64_t next = (at + STEP) & ~(STEP - 1);

	return next < end ? next : end;
}

void tracker_remove(const struct tracker *tracker, uint64_t start, uint64_t size)
{
	for (uint64_t at = start, next; at < start + size; at = next) {
		next = step_end(at, start + size);
		struct uffdio_range range = { at, next - at };
		ioctl(tracker->userfaultfd, UFFDIO_UNREGISTER, &range);
	}
}

int tracker_unprotect(const struct tracker *tracker, uint64_t start, uint64_t size)
{
	for (uint64_t at = start, next; at < start + size; at = next) {
		next = step_end(at, start + size);
		struct uffdio_writeprotect range = { .range = { at, next - at } };
		if (ioctl(tracker->userfaultfd, UFFDIO_WRITEPROTECT, &range) < 0)
			return -errno;
	}
	return 0;
}

void tracker_drop(const struct tracker *tracker, uint64_t start, uint64_t size)
{
	struct uffdio_register range = { .range = { start, size }, .mode = UFFDIO_REGISTER_MODE_MISSING };

	if (ioctl(tracker->userfaultfd, UFFDIO_REGISTER, &range) == 0)
		ioctl(tracker->userfaultfd, UFFDIO_UNREGISTER, &range.range);
}

/* Guard pages (MADV_GUARD_INSTALL) have no content, and are left as they are. */
static uint64_t passed_over(const struct tracker *tracker, const struct tracker_range *range)
{
	return ((range->files ? (uint64_t)PAGE_IS_FILE : 0) | PAGE_IS_GUARD) & tracker->known;
}

/* A look that takes half as long or twice as long as this is followed by a longer or a shorter one. */
#define LOOK_US 100ULL

/* Whoever maps memory waits for a look to end, and page faults then wait for him: so there are many short ones. They
 * end between huge pages: of one that is protected in part, the kernel makes small pages. */
static int scan_in_steps(const struct tracker *tracker, struct pm_scan_arg *argument)
{
	uint64_t end = argument->end, step = STEP;
	int found;

	do {
		uint64_t begun = now_us();
		argument->end = step < end - argument->start ? (argument->start + step) & ~(STEP - 1) : end;
		found = pagemap_scan(tracker->pagemap, argument);
		uint64_t took = now_us() - begun;
		step = took < LOOK_US / 2 ? step * 2 : took > LOOK_US * 2 && step > STEP ? step / 2 : step;
		if (found != 0)
			break;
		if (argument->walk_end <= argument->start) /* a huge page that is larger than the step */
			return -EOPNOTSUPP;
		argument->start = argument->walk_end;
	} while (argument->start < end);
	argument->end = end;
	return found;
}

int tracker_list(const struct tracker *tracker, enum tracker_scan what, struct tracker_range *range,
		 struct page_region *runs, size_t count, uint64_t bytes)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct pm_scan_arg argument = {
		.start = range->start,
		.end = range->end < tracker->end ? range->end : tracker->end,
		.vec = (uintptr_t)runs,
		.vec_len = count,
		.max_pages = bytes / page,
		.category_anyof_mask = EXISTS,
		.return_mask = tracker->known & ~(uint64_t)(range->files ? 0 : PAGE_IS_FILE),
	};

	if (argument.start >= argument.end) {
		range->start = range->end;
		return 0;
	}
	/* The kernel gets memory for up to 512 of them, which takes longer than looking at one page. */
	if (count > (argument.end - argument.start) / page)
		argument.vec_len = (argument.end - argument.start) / page;
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
	case TRACKER_UNPROTECTED: /* the one question that the kernel has a short way for (pagemap_scan_pmd_entry()) */
		argument.category_anyof_mask = 0;
		argument.category_mask = argument.return_mask = PAGE_IS_WRITTEN;
		break;
	}
	int found =
		what < TRACKER_PRESENT ? scan_in_steps(tracker, &argument) : pagemap_scan(tracker->pagemap, &argument);
	if (found < 0)
		return found;
	range->start = argument.walk_end < argument.end ? argument.walk_end : range->end;
	return found;
}
