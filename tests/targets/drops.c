/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * drops HOW BLOCKS [WORK]: `blocks` of 2 MiB, each a page table or a huge page. A thread empties one after the other,
 * and fills them again half a round later. HOW:
 *   drop     MADV_DONTNEED of 4 KiB pages
 *   huge     MADV_DONTNEED of huge pages
 *   replace  another mapping in its place
 *   pool     MADV_DONTNEED of pages of hugetlb(7); reread: they are read afterwards
 *   move     mremap(2) that leaves the mapping, to `elsewhere`
 * At `state` each block has an int: 0 it is full, 1 it is being changed, 2 it is empty.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "victim.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

#define BLOCK (2 * MIB)
/* So much that page tables are not mostly empty, whatever the blocks are. */
#define OTHER (64 * MIB)

enum { FULL, CHANGING, EMPTY };

static char *blocks, *elsewhere;
static size_t count;
static _Atomic int *state;
static const char *how;
static unsigned long pace = 500000; /* between two changes: about as long as one takes */

static bool is(const char *name)
{
	return !strcmp(how, name);
}

static char *aligned(size_t size)
{
	if (is("pool") || is("reread")) {
		char *pool = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
		if (pool == MAP_FAILED)
			skip("pages of a pool");
		return pool;
	}
	unsigned long room = (unsigned long)map(size + BLOCK, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE, -1);

	return map_at((char *)((room + BLOCK - 1) & ~(BLOCK - 1)), size, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
}

static void empty(size_t block)
{
	char *at = blocks + block * BLOCK, *to = elsewhere + block * BLOCK;

	if (is("pool"))
		at[0]++; /* so that it is not protected */
	if (is("replace"))
		map_at(at, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	else if (is("move"))
		at = mremap(at, BLOCK, BLOCK, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, to);
	else if (madvise(at, BLOCK, MADV_DONTNEED))
		at = MAP_FAILED;
	if (at == MAP_FAILED)
		die(how);
	if (is("reread"))
		(void)*(volatile char *)at;
}

static void refill(size_t block)
{
	fill(blocks + block * BLOCK, BLOCK / PAGE, (unsigned)block);
}

static void work(void)
{
	for (volatile unsigned long i = 0; i < pace; i++)
		;
}

/* Of most, some are full and some are empty. */
static void *change(void *unused)
{
	for (size_t i = 0;; i = (i + 1) % count) {
		size_t other = (i + count / 2) % count;
		work();
		state[i] = CHANGING;
		empty(i);
		state[i] = EMPTY;
		work();
		state[other] = CHANGING;
		refill(other);
		state[other] = FULL;
	}
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	char *small;

	if (argc < 3)
		return 2;
	how = argv[1];
	count = strtoul(argv[2], NULL, 10);
	pace = argc > 3 ? strtoul(argv[3], NULL, 10) : pace;
	blocks = aligned(count * BLOCK);
	if (is("move"))
		elsewhere = aligned(count * BLOCK);
	if (is("huge") && madvise(blocks, count * BLOCK, MADV_HUGEPAGE))
		skip("madvise");
	if (!is("huge"))
		madvise(blocks, count * BLOCK, MADV_NOHUGEPAGE);
	small = map_apart(OTHER, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	madvise(small, OTHER, MADV_NOHUGEPAGE);
	memset(small, 1, OTHER);
	state = map_apart(count * sizeof *state, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	for (size_t i = 0; i < count; i++)
		refill(i);
	fact("at", blocks);
	if (is("move"))
		fact("elsewhere", elsewhere);
	fact("state", state);
	fact_number("blocks", (long)count);
	if (pthread_create(&thread, NULL, change, NULL))
		die("thread");
	return ready();
}
