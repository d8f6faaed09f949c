/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Blocks of contiguous memory for libyara, with the address as their base. It matches within a block, so they are
 * large, do not end where regions do, and the next one begins before the end of the last: what is no longer than that
 * is found wherever it lies. libyara passes over what it has found at the same address before.
 *
 * The walk goes through all of them once. Conditions and modules may ask for blocks again, which are then read again.
 */
#include "find/rules_blocks.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "source/span.h"
#include "source/walk.h"

#define BLOCK (16UL << 20)
#define OVERLAP LONGEST_MATCH
/* Of so many zeros that need no reading the edges alone are looked at: there may be terabytes. */
#define MANY_ZEROS (1UL << 20)
/* No block, and no conditions, take longer. */
#define MOST_SECONDS 60

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

static void put(unsigned char *to, const struct pidmem_span *span, uint64_t from, size_t size)
{
	if (span->bytes)
		memcpy(to, span->bytes + from, size);
	else
		memset(to, 0, size);
}

/* ------------------------------------------------------------------------------------- the first time --- */

/* The next span that has content: 1, 0 at the end of all, or -errno. */
static int next_span(struct blocks *blocks)
{
	int result;

	do {
		result = pidmem_walk_next(blocks->find->walk, &blocks->error, &blocks->span);
		if (result == 0)
			blocks->span = (struct pidmem_span){ 0 };
		if (result == 1)
			result = find_account(blocks->find, &blocks->span, &blocks->error);
	} while (result == 0 && blocks->span.size && !span_is_known(&blocks->span));
	blocks->taken = 0;
	return result < 0 ? result : blocks->span.size > 0;
}

/* Put as much of the span as there is room for behind the `size` bytes that are there. */
static size_t take_some(struct blocks *blocks, size_t size, size_t most)
{
	uint64_t left = blocks->span.size - blocks->taken;
	size_t taken = left < most ? (size_t)left : most;

	put(blocks->bytes + size, &blocks->span, blocks->taken, taken);
	blocks->taken += taken;
	return taken;
}

/* Go on with the last block, if it was cut, from where its matches may have been cut with it. */
static size_t begin(struct blocks *blocks)
{
	if (!blocks->cut)
		return 0;
	memmove(blocks->bytes, blocks->bytes + BLOCK - OVERLAP, OVERLAP);
	blocks->held += BLOCK - OVERLAP;
	blocks->cut = false;
	return OVERLAP;
}

/* The size of the next block; 0 at the end of all, or -errno. */
static ssize_t fill(struct blocks *blocks)
{
	size_t size = begin(blocks), known = size;
	int result;

	while (size < BLOCK) {
		if (blocks->taken == blocks->span.size && (result = next_span(blocks)) <= 0) {
			if (result < 0)
				return result;
			break;
		}
		uint64_t address = blocks->span.start + blocks->taken, left = blocks->span.size - blocks->taken;
		if (size > known && address != blocks->held + size)
			break;
		if (size == known && address != blocks->held + size)
			size = known = 0;
		if (!size)
			blocks->held = address;
		bool jump = !blocks->span.bytes && left >= MANY_ZEROS && BLOCK - size >= OVERLAP;
		size += take_some(blocks, size, jump ? OVERLAP : BLOCK - size);
		if (jump) {
			blocks->taken = blocks->span.size - OVERLAP;
			return (ssize_t)size;
		}
	}
	blocks->cut = size == BLOCK;
	return size > known ? (ssize_t)size : 0;
}

static int add_block(struct blocks *blocks, size_t size)
{
	struct block *list = array_grow(blocks->list, blocks->count, &blocks->capacity, sizeof *list);

	if (!list)
		return fail_memory(&blocks->error);
	blocks->list = list;
	list[blocks->count++] = (struct block){ blocks->held, size };
	return 0;
}

/* ---------------------------------------------------------------------------------------- once more --- */

ssize_t blocks_read_again(struct pidmem_find *find, uint64_t start, size_t size, size_t place, unsigned char *bytes,
			  struct pidmem_error *error, size_t *from)
{
	size_t begin = 0, end = 0;
	struct pidmem_span span;
	int result;

	walk_seek(find->walk, start, size);
	while ((result = pidmem_walk_next(find->walk, error, &span)) == 1) {
		size_t at = (size_t)(span.start - start);
		if (!span_is_known(&span))
			continue;
		if (at != end && at > place)
			break;
		begin = at == end ? begin : at;
		end = at + (size_t)span.size;
		put(bytes + at, &span, 0, (size_t)span.size);
	}
	if (result < 0)
		return result;
	*from = begin;
	return end > place ? (ssize_t)end : 0;
}

static const uint8_t *fetch(YR_MEMORY_BLOCK *block)
{
	struct blocks *blocks = block->context;
	size_t from = 0;

	if (blocks->held == block->base)
		return blocks->bytes;
	blocks->held = block->base;
	ssize_t got = blocks_read_again(blocks->find, block->base, block->size, 0, blocks->bytes, NULL, &from);
	if (got == (ssize_t)block->size && from == 0)
		return blocks->bytes;
	blocks->held = UINT64_MAX; /* it is not what it was */
	return NULL;
}

static YR_MEMORY_BLOCK *give(struct blocks *blocks)
{
	blocks->iterator.last_error = blocks->result < 0 ? ERROR_CALLBACK_ERROR : ERROR_SUCCESS;
	if (blocks->result < 0 || blocks->at == blocks->count)
		return NULL;
	blocks->block.base = blocks->list[blocks->at].address;
	blocks->block.size = blocks->list[blocks->at].size;
	return &blocks->block;
}

/* Parts of one string with a wide gap, [n-m], are put together by their offsets, as if all blocks began at the same
 * place: what was found in the last block must be forgotten. */
static void forget_parts(YR_SCANNER *scanner)
{
	if (scanner->rules->num_strings)
		memset(scanner->unconfirmed_matches, 0,
		       scanner->rules->num_strings * sizeof *scanner->unconfirmed_matches);
}

static YR_MEMORY_BLOCK *next(YR_MEMORY_BLOCK_ITERATOR *iterator)
{
	struct blocks *blocks = iterator->context;

	blocks->at++;
	if (blocks->listed)
		return give(blocks);
	forget_parts(blocks->scanner);
	ssize_t size = fill(blocks);
	blocks->listed = size == 0;
	blocks->result = size > 0 ? add_block(blocks, (size_t)size) : (int)size;
	blocks->yara->yr_scanner_set_timeout(blocks->scanner, (int)(now() - blocks->begun) + MOST_SECONDS);
	return give(blocks);
}

static YR_MEMORY_BLOCK *first(YR_MEMORY_BLOCK_ITERATOR *iterator)
{
	struct blocks *blocks = iterator->context;

	blocks->at = 0;
	if (blocks->listed)
		return give(blocks);
	blocks->at = SIZE_MAX;
	return next(iterator);
}

int blocks_init(struct blocks *blocks, struct pidmem_find *find, const struct yara *yara, YR_SCANNER *scanner)
{
	*blocks = (struct blocks){ .find = find, .yara = yara, .scanner = scanner, .begun = now() };
	blocks->iterator = (YR_MEMORY_BLOCK_ITERATOR){ .context = blocks, .first = first, .next = next };
	blocks->block = (YR_MEMORY_BLOCK){ .context = blocks, .fetch_data = fetch };
	blocks->bytes = malloc(BLOCK);
	return blocks->bytes ? 0 : -ENOMEM;
}

void blocks_done(struct blocks *blocks)
{
	free(blocks->bytes);
	free(blocks->list);
}
