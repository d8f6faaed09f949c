/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process/residence.h"

#include "base/error.h"
#include "base/worker.h"
#include "process/maps.h"
#include "process/pages.h"
#include "process/process.h"

/* What the other thread may find before the regions are known: 3 MiB. The rest is found afterwards. */
#define AHEAD 131072

struct residence {
	struct pidmem_process *process;
	struct pidmem_pages *pages;
	struct worker *worker;        /* not NULL: begun */
	struct pidmem_page_run *runs; /* found ahead */
	size_t count;
	int result; /* of the last pidmem_pages_next() */
	struct pidmem_error error;
};

int residence_open(struct pidmem_process *process, struct pidmem_error *error, struct residence **out)
{
	AUTO_PAGES pages = NULL;
	int result = pidmem_pages_open(process, 0, UINT64_MAX, error, &pages);

	if (result < 0)
		return result;
	*out = NULL;
	if (pages_cost_by_size(pages))
		return 0;
	struct residence *residence = calloc(1, sizeof *residence);
	if (!residence)
		return fail_memory(error);
	residence->process = process;
	residence->pages = take(pages);
	residence->result = 1;
	*out = residence;
	return 0;
}

static void wait_for_worker(struct residence *residence)
{
	if (!residence->worker)
		return;
	worker_wait(residence->worker);
	worker_free(take(residence->worker));
}

void residence_close(struct residence *residence)
{
	if (!residence)
		return;
	wait_for_worker(residence);
	pidmem_pages_close(residence->pages);
	free(residence->runs);
	free(residence);
}

static void scan_ahead(void *pointer)
{
	struct residence *residence = pointer;

	while (residence->count < AHEAD && residence->result == 1) {
		residence->result =
			pidmem_pages_next(residence->pages, &residence->error, &residence->runs[residence->count]);
		residence->count += residence->result == 1;
	}
}

void residence_begin(struct residence *residence)
{
	if (residence->runs)
		return;
	residence->runs = malloc(AHEAD * sizeof *residence->runs);
	residence->worker = residence->runs ? worker_new() : NULL;
	if (residence->worker)
		worker_begin(residence->worker, scan_ahead, residence);
}

/* Count what a run of pages has in a region. */
static void count_pages(struct pidmem_region *region, uint64_t bytes, uint32_t flags)
{
	if (flags & PIDMEM_PAGE_PRESENT && !(flags & PIDMEM_PAGE_ZERO))
		region->resident += bytes;
	else if (flags & PIDMEM_PAGE_SWAPPED && !(flags & PIDMEM_PAGE_GUARD))
		region->swapped += bytes;
}

/* Both lists are in address order: *next is the first region that a later run can touch. */
static void count_run(struct pidmem_maps *maps, const struct pidmem_page_run *run, size_t *next)
{
	uint64_t run_end = run->start + run->size;

	while (*next < maps->count && maps->regions[*next].start + maps->regions[*next].size <= run->start)
		++*next;
	for (size_t i = *next; i < maps->count && maps->regions[i].start < run_end; i++) {
		struct pidmem_region *region = &maps->regions[i];
		uint64_t region_end = region->start + region->size;
		uint64_t from = run->start > region->start ? run->start : region->start;
		count_pages(region, (run_end < region_end ? run_end : region_end) - from, run->flags);
	}
}

int residence_fill(struct residence *residence, struct pidmem_maps *maps, struct pidmem_error *error)
{
	struct pidmem_page_run run;
	size_t next = 0;

	wait_for_worker(residence);
	for (size_t i = 0; i < residence->count; i++)
		count_run(maps, &residence->runs[i], &next);
	if (residence->result == 1)
		while ((residence->result = pidmem_pages_next(residence->pages, &residence->error, &run)) == 1)
			count_run(maps, &run, &next);
	if (residence->result < 0 && error)
		*error = residence->error;
	return residence->result;
}
