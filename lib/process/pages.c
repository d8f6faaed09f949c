/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The states of pages: by PAGEMAP_SCAN, else from the entries of /proc/PID/pagemap. */
#include "process/pages.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "process/process.h"
#include "process/scan.h"

#define RUNS 1024
/* One answer covers at most this much memory that exists, so that it is still true when the reader gets there. */
#define ANSWER_BYTES (64ULL << 20)
#define ENTRIES 8192

struct pidmem_pages {
	struct pidmem_process *process;
	int fd;
	bool scan;           /* PAGEMAP_SCAN works */
	uint64_t categories; /* that this kernel knows */
	uint64_t page_size;
	uint64_t position, end; /* what has not been asked yet */
	uint64_t last_end;      /* of the range that was opened */
	size_t count, next;
	struct page_region runs[RUNS];
	uint64_t *entries; /* without PAGEMAP_SCAN */
};

#define CATEGORIES (PAGE_IS_PRESENT | PAGE_IS_SWAPPED | PAGE_IS_FILE | PAGE_IS_PFNZERO | PAGE_IS_HUGE)

static int scan(struct pidmem_pages *pages)
{
	struct pm_scan_arg argument = {
		.start = pages->position,
		.end = pages->end,
		.vec = (uintptr_t)pages->runs,
		.vec_len = RUNS,
		.max_pages = ANSWER_BYTES / pages->page_size,
		.category_anyof_mask = (PAGE_IS_PRESENT | PAGE_IS_SWAPPED | PAGE_IS_GUARD) & pages->categories,
		.return_mask = pages->categories,
	};
	int count = pagemap_scan(pages->fd, &argument);

	if (count < 0)
		return count;
	pages->position = argument.walk_end > pages->position ? argument.walk_end : pages->end;
	pages->count = (size_t)count;
	pages->next = 0;
	return 0;
}

static void clip_to_user_addresses(struct pidmem_pages *pages)
{
	struct pidmem_process *process = pages->process;

	if (pages->end <= (1ULL << 63) - pages->page_size)
		return;
	if (process->user_end == 0)
		process->user_end = pagemap_end(pages->fd);
	if (process->user_end && pages->end > process->user_end)
		pages->end = process->user_end;
	if (pages->position > pages->end)
		pages->position = pages->end;
}

static uint64_t entry_categories(uint64_t entry)
{
	/* A guard page shows as swapped with bit 58 (a marker, and markers are swap entries: include/linux/swapops.h).
	 */
	return (entry & PAGEMAP_PRESENT ? (uint64_t)PAGE_IS_PRESENT : 0) |
	       (entry & PAGEMAP_SWAPPED ? (uint64_t)PAGE_IS_SWAPPED : 0) |
	       (entry & PAGEMAP_GUARD && entry & PAGEMAP_SWAPPED ? (uint64_t)PAGE_IS_GUARD : 0) |
	       (entry & PAGEMAP_FILE ? (uint64_t)PAGE_IS_FILE : 0);
}

static void add_entry(struct pidmem_pages *pages, uint64_t address, uint64_t entry)
{
	uint64_t categories = entry_categories(entry);
	struct page_region *last = pages->count ? &pages->runs[pages->count - 1] : NULL;

	if (!(categories & (PAGE_IS_PRESENT | PAGE_IS_SWAPPED)))
		return;
	if (last && last->end == address && last->categories == categories)
		last->end += pages->page_size;
	else
		pages->runs[pages->count++] = (struct page_region){ address, address + pages->page_size, categories };
}

/* Without PAGEMAP_SCAN: 8 bytes a page. Ends early when the room for runs is used up. */
static int read_entries(struct pidmem_pages *pages)
{
	uint64_t wanted = (pages->end - pages->position) / pages->page_size;
	off_t offset = (off_t)(pages->position / pages->page_size * sizeof *pages->entries);
	ssize_t got;

	if (!pages->entries && !(pages->entries = calloc(ENTRIES, sizeof *pages->entries)))
		return -ENOMEM;
	if (wanted > ENTRIES || wanted == 0)
		wanted = ENTRIES;
	do
		got = pread(pages->fd, pages->entries, wanted * sizeof *pages->entries, offset);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	pages->count = pages->next = 0;
	if (got == 0) { /* past the last address of the process */
		pages->position = pages->end;
		return 0;
	}
	for (size_t i = 0; i < (size_t)got / sizeof *pages->entries && pages->count < RUNS; i++) {
		add_entry(pages, pages->position, pages->entries[i]);
		pages->position += pages->page_size;
	}
	return 0;
}

static uint32_t run_flags(uint64_t categories)
{
	return (categories & PAGE_IS_PRESENT ? PIDMEM_PAGE_PRESENT : 0) |
	       (categories & PAGE_IS_SWAPPED ? PIDMEM_PAGE_SWAPPED : 0) |
	       (categories & PAGE_IS_FILE ? PIDMEM_PAGE_FILE : 0) |
	       (categories & PAGE_IS_PFNZERO ? PIDMEM_PAGE_ZERO : 0) |
	       (categories & PAGE_IS_HUGE ? PIDMEM_PAGE_HUGE : 0) |
	       (categories & PAGE_IS_GUARD ? PIDMEM_PAGE_GUARD : 0);
}

int pidmem_pages_open(struct pidmem_process *process, uint64_t start, uint64_t size, struct pidmem_error *error,
		      struct pidmem_pages **out)
{
	int fd = process_mem(process, error); /* tells the end of the address space */
	uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE);

	if (fd >= 0)
		fd = process_pagemap(process, error);
	if (fd < 0)
		return fd;
	if (size && start + size - 1 < start)
		return fail(error, PIDMEM_USAGE, EINVAL, "the range runs past the end of the address space");
	struct pidmem_pages *pages = calloc(1, sizeof *pages);
	if (!pages)
		return fail_memory(error);
	pages->process = process;
	pages->fd = fd;
	pages->page_size = page_size;
	pages->position = start & ~(page_size - 1);
	pages->end = size ? ((start + size - 1) | (page_size - 1)) + 1 : pages->position;
	if (size && pages->end == 0) /* 2^64: nothing can be asked about the last page */
		pages->end = -page_size;
	pages->categories = pagemap_known(fd, CATEGORIES | PAGE_IS_GUARD);
	pages->scan = pages->categories != 0;
	if (pages->scan)
		clip_to_user_addresses(pages);
	pages->last_end = pages->end;
	*out = pages;
	return 0;
}

void pidmem_pages_close(struct pidmem_pages *pages)
{
	if (!pages)
		return;
	free(pages->entries);
	free(pages);
}

/*
 * Ask for more. Once the process has ended or called exec, the page tables behind the descriptor are empty and the
 * answer would be that nothing was ever touched: it counts only if the address space was alive after it.
 */
static int ask(struct pidmem_pages *pages, struct pidmem_error *error)
{
	struct pidmem_process *process = pages->process;
	int result = pages->scan ? scan(pages) : read_entries(pages);
	int alive = pidmem_process_check(process, error);

	if (alive < 0)
		return alive;
	return result < 0 ? fail_sys(error, -result, "/proc/%d/pagemap", process->pid) : 0;
}

int pidmem_pages_next(struct pidmem_pages *pages, struct pidmem_error *error, struct pidmem_page_run *run)
{
	while (pages->next == pages->count) {
		if (pages->position == pages->end)
			return 0;
		int result = ask(pages, error);
		if (result < 0)
			return result;
	}
	const struct page_region *found = &pages->runs[pages->next++];
	*run = (struct pidmem_page_run){ found->start, found->end - found->start, run_flags(found->categories) };
	return 1;
}

void pages_skip_to(struct pidmem_pages *pages, uint64_t address)
{
	while (pages->next < pages->count && pages->runs[pages->next].end - 1 < address)
		pages->next++;
	address &= ~(pages->page_size - 1);
	if (pages->next == pages->count && address > pages->position)
		pages->position = address < pages->end ? address : pages->end;
}

void pages_move(struct pidmem_pages *pages, uint64_t start, uint64_t size)
{
	uint64_t end = ((start + (size - 1)) | (pages->page_size - 1)) + 1;

	pages->end = end == 0 || end > pages->last_end ? pages->last_end : end;
	pages->position = start & ~(pages->page_size - 1);
	if (pages->position > pages->end)
		pages->position = pages->end;
	pages->count = pages->next = 0;
}

void pages_ask_less(struct pidmem_pages *pages)
{
	pages->categories &= ~(uint64_t)(PAGE_IS_FILE | PAGE_IS_HUGE);
}

bool pages_cost_by_size(const struct pidmem_pages *pages)
{
	return !pages->scan;
}
