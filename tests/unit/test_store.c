/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store of copied memory: places, zeros, and becoming a file. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "source/page_log.h"
#include "unit.h"

#define PAGE 4096UL
#define HEAD (16 * PAGE)

static unsigned char page_of[3][3 * PAGE]; /* of zeros, ones, twos */

static int make_pages(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		memset(page_of[i], i, sizeof page_of[i]);
	return 0;
}

static void store_done(struct store *store)
{
	store_close(store);
}
#define AUTO_STORE CLEANUP(store_done) struct store

static void expect(struct store *store, uint64_t address, uint64_t size, int what)
{
	unsigned char read[3 * PAGE];
	uint64_t run = size, offset;
	bool holds = store_holds(store, address, &run, &offset);

	assert_int_equal(run, size);
	assert_int_equal(holds, what != 0);
	if (holds) {
		assert_int_equal(store_flush(store, NULL), 0);
		assert_int_equal(store_read(store, offset, read, size), size);
		assert_memory_equal(read, page_of[what], size);
	}
}

static void holds_what_was_written_last(void **state)
{
	AUTO_STORE store = STORE_INIT;

	(void)state;
	assert_int_equal(store_open(&store, "/tmp", HEAD, NULL), 0);
	assert_int_equal(store_place(&store, 10 * PAGE, 10 * PAGE), 0);
	expect(&store, 10 * PAGE, PAGE, 0);
	assert_int_equal(store_write(&store, 12 * PAGE, page_of[1], 3 * PAGE, NULL), 0);
	assert_int_equal(store_write(&store, 13 * PAGE, page_of[2], PAGE, NULL), 0);
	expect(&store, 12 * PAGE, PAGE, 1);
	expect(&store, 13 * PAGE, PAGE, 2);
	expect(&store, 14 * PAGE, PAGE, 1);
	expect(&store, 15 * PAGE, PAGE, 0);
	/* Zeros take the place of what was there, on the disk as well. */
	struct stat before, after;
	assert_int_equal(store_flush(&store, NULL), 0);
	fstat(store.file.fd, &before);
	assert_int_equal(store_write(&store, 12 * PAGE, page_of[0], 2 * PAGE, NULL), 0);
	fstat(store.file.fd, &after);
	expect(&store, 10 * PAGE, PAGE, 0);
	expect(&store, 12 * PAGE, 2 * PAGE, 0);
	expect(&store, 14 * PAGE, PAGE, 1);
	assert_true(after.st_blocks <= before.st_blocks);
}

static void places_never_move_or_overlap(void **state)
{
	AUTO_STORE store = STORE_INIT;
	uint64_t size = 100 * PAGE, offset, high, low;

	(void)state;
	assert_int_equal(store_open(&store, "/tmp", HEAD, NULL), 0);
	assert_false(store_finds(&store, PAGE, &size, &offset));
	assert_int_equal(store_place(&store, 50 * PAGE, 10 * PAGE), 0);
	assert_true(store_finds(&store, 50 * PAGE, &size, &high));
	assert_int_equal(size, 10 * PAGE);
	assert_int_equal(high, HEAD);
	/* A range around it: what was there keeps its place. */
	assert_int_equal(store_place(&store, 40 * PAGE, 30 * PAGE), 0);
	size = 100 * PAGE;
	assert_true(store_finds(&store, 50 * PAGE, &size, &offset));
	assert_int_equal(offset, high);
	size = 100 * PAGE;
	assert_true(store_finds(&store, 40 * PAGE, &size, &low));
	assert_int_equal(size, 10 * PAGE);
	assert_int_equal(low, high + 10 * PAGE);
	assert_int_equal(store.end, HEAD + 30 * PAGE);
	size = 100 * PAGE;
	assert_false(store_finds(&store, 30 * PAGE, &size, &offset));
	assert_int_equal(size, 10 * PAGE);
	assert_true(store_has(&store, 69 * PAGE, 5 * PAGE));
	assert_false(store_has(&store, 70 * PAGE, 5 * PAGE));
	/* Across all three of them. */
	assert_int_equal(store_write(&store, 49 * PAGE, page_of[1], 3 * PAGE, NULL), 0);
	expect(&store, 49 * PAGE, PAGE, 1);
	expect(&store, 50 * PAGE, 2 * PAGE, 1);
}

static void neighbours_in_address_and_file_are_one_piece(void **state)
{
	AUTO_STORE store = STORE_INIT;
	uint64_t size = 100 * PAGE, offset;

	(void)state;
	assert_int_equal(store_open(&store, "/tmp", 0, NULL), 0);
	assert_int_equal(store_place(&store, 50 * PAGE, PAGE), 0);
	assert_int_equal(store_place(&store, 51 * PAGE, PAGE), 0);
	assert_true(store_finds(&store, 50 * PAGE, &size, &offset));
	assert_int_equal(size, 2 * PAGE);
}

static void forgets(void **state)
{
	AUTO_STORE store = STORE_INIT;

	(void)state;
	assert_int_equal(store_open(&store, "/tmp", 0, NULL), 0);
	assert_int_equal(store_write(&store, 5 * PAGE, page_of[2], 3 * PAGE, NULL), 0);
	assert_int_equal(store_clear(&store, 0, 6 * PAGE, NULL), 0);
	expect(&store, 5 * PAGE, PAGE, 0);
	expect(&store, 6 * PAGE, 2 * PAGE, 2);
	unsigned char there[PAGE];
	assert_int_equal(store_flush(&store, NULL), 0);
	assert_int_equal(pread(store.file.fd, there, PAGE, 0), PAGE);
	assert_memory_equal(there, page_of[0], PAGE);
}

static void becomes_a_file_once(void **state)
{
	AUTO_STORE store = STORE_INIT;
	AUTO_FILE_SINK first = FILE_SINK_INIT, second = FILE_SINK_INIT;
	char path[] = "/tmp/pidmem-store-XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(path));
	AUTO_FREE char *name = NULL, *other = NULL;
	assert_true(asprintf(&name, "%s/one", path) > 0 && asprintf(&other, "%s/two", path) > 0);
	assert_int_equal(store_open(&store, path, 0, NULL), 0);
	assert_int_equal(store_write(&store, PAGE, page_of[1], PAGE, NULL), 0);
	assert_int_equal(store_flush(&store, NULL), 0);
	assert_int_equal(file_open(&first, name, false, NULL), 0);
	assert_int_equal(file_open(&second, other, false, NULL), 0);
	assert_true(store_give(&store, &first));
	assert_false(store_give(&store, &second));
	first.size = store.end;
	assert_int_equal(file_complete(&first, NULL), 0);
	assert_int_equal(file_name(&first, NULL), 0);
	expect(&store, PAGE, PAGE, 1); /* it can still be read */
	AUTO_FD fd = open(name, O_RDONLY | O_CLOEXEC);
	unsigned char there[2 * PAGE];
	assert_int_equal(read(fd, there, sizeof there), PAGE);
	assert_memory_equal(there, page_of[1], PAGE);
	unlink(name);
	file_close(&second);
	assert_int_equal(rmdir(path), 0);
}

static void pool_keeps_the_order(void **state)
{
	AUTO_STORE store = STORE_INIT;
	struct page_pool pool = { 0 };
	void *room;

	(void)state;
	assert_int_equal(store_open(&store, "/tmp", 0, NULL), 0);
	assert_null(page_pool_add(&pool, PAGE, PAGE));
	assert_int_equal(page_pool_reserve(&pool, 4 * PAGE), 0);
	assert_non_null(room = page_pool_add(&pool, PAGE, 2 * PAGE));
	memcpy(room, page_of[1], 2 * PAGE);
	assert_non_null(room = page_pool_add(&pool, PAGE, PAGE)); /* the same page again */
	memcpy(room, page_of[2], PAGE);
	assert_null(page_pool_add(&pool, 8 * PAGE, 2 * PAGE)); /* there is room for one */
	assert_int_equal(store_turn_back(&store), 0);
	assert_int_equal(page_pool_flush(&pool, &store, NULL), 0);
	store_turn_forth(&store);
	expect(&store, PAGE, PAGE, 2);
	expect(&store, 2 * PAGE, PAGE, 1);
	assert_non_null(room = page_pool_add(&pool, 8 * PAGE, 4 * PAGE)); /* it is empty again */
	page_pool_done(&pool);
}

static void pool_grows(void **state)
{
	AUTO_STORE store = STORE_INIT;
	struct page_pool pool = { 0 };

	(void)state;
	assert_int_equal(store_open(&store, "/tmp", 0, NULL), 0);
	assert_int_equal(page_pool_reserve(&pool, PAGE), 0);
	memcpy(page_pool_add(&pool, PAGE, PAGE), page_of[1], PAGE);
	assert_int_equal(page_pool_reserve(&pool, 8UL << 20), 0);
	assert_non_null(page_pool_add(&pool, 2 * PAGE, (8UL << 20) - PAGE));
	assert_int_equal(page_pool_flush(&pool, &store, NULL), 0);
	expect(&store, PAGE, PAGE, 1);
	page_pool_done(&pool);
}

/* More than is read at once. */
#define MANY 200UL

static void add(struct page_pool *pool, uint64_t page, int what)
{
	void *room = page_pool_add(pool, page * PAGE, PAGE);

	assert_non_null(room);
	memcpy(room, page_of[what], PAGE);
}

static void empty(struct page_log *log, struct page_pool *pool, struct store *store)
{
	int result;

	assert_int_equal(store_turn_back(store), 0);
	do
		assert_int_equal(page_pool_flush(pool, store, NULL), 0);
	while ((result = page_log_take(log, pool, NULL)) == 1);
	assert_int_equal(result, 0);
	store_turn_forth(store);
}

static void log_keeps_the_order(void **state)
{
	AUTO_STORE store = STORE_INIT;
	struct page_log log = PAGE_LOG_INIT("/tmp", 1);
	struct page_pool pool = { 0 };

	(void)state;
	assert_int_equal(store_open(&store, "/tmp", 0, NULL), 0);
	assert_int_equal(store_place(&store, 0, 3 * MANY * PAGE), 0);
	assert_int_equal(store_write(&store, PAGE, page_of[1], 2 * PAGE, NULL), 0);
	assert_int_equal(page_pool_reserve(&pool, MANY * PAGE), 0);
	for (uint64_t i = 0; i < MANY; i++)
		add(&pool, 3 + 2 * (MANY - i), 1 + i % 2); /* downwards, each page on its own */
	assert_null(page_pool_add(&pool, PAGE, PAGE));
	assert_int_equal(page_log_add(&log, &pool, NULL), 1);
	assert_int_equal(page_pool_add_zeros(&pool, PAGE, PAGE), 0);
	add(&pool, 5, 2);
	assert_int_equal(page_pool_add_zeros(&pool, 6 * PAGE, PAGE), 0);
	add(&pool, 7, 2);
	assert_int_equal(page_log_add(&log, &pool, NULL), 1);
	add(&pool, 7, 1);
	add(&pool, 9, 1);
	assert_int_equal(page_log_add(&log, &pool, NULL), 1);
	assert_int_equal(page_log_settle(&log, NULL), 0);
	assert_int_equal(page_pool_add_zeros(&pool, 9 * PAGE, PAGE), 0);
	expect(&store, PAGE, PAGE, 1); /* until now */
	empty(&log, &pool, &store);
	expect(&store, PAGE, PAGE, 0);
	expect(&store, 2 * PAGE, PAGE, 1);
	expect(&store, 5 * PAGE, PAGE, 2);
	expect(&store, 7 * PAGE, PAGE, 1);
	expect(&store, 9 * PAGE, PAGE, 0);
	for (uint64_t i = 0; i < MANY - 3; i++)
		expect(&store, (3 + 2 * (MANY - i)) * PAGE, PAGE, 1 + i % 2);
	add(&pool, 5, 1); /* it can be used again */
	assert_int_equal(page_log_add(&log, &pool, NULL), 1);
	empty(&log, &pool, &store);
	expect(&store, 5 * PAGE, PAGE, 1);
	page_pool_done(&pool);
	page_log_close(&log);
}

static void log_leaves_the_pool_if_there_is_no_room(void **state)
{
	struct page_log log = PAGE_LOG_INIT("/nowhere", 1);
	struct page_pool pool = { 0 };

	(void)state;
	assert_int_equal(page_pool_reserve(&pool, PAGE), 0);
	add(&pool, 1, 1);
	assert_int_equal(page_log_add(&log, &pool, NULL), 0);
	assert_int_equal(pool.used, PAGE);
	assert_int_equal(page_log_take(&log, &pool, NULL), 0);
	page_pool_done(&pool);
	page_log_close(&log);
}

/* Each page is written once, and what is older is passed over, wherever its place is. */
static void writes_the_newest_when_turned_back(void **state)
{
	AUTO_STORE store = STORE_INIT;

	(void)state;
	assert_int_equal(store_open(&store, "/tmp", 0, NULL), 0);
	assert_int_equal(store_write(&store, PAGE, page_of[1], 3 * PAGE, NULL), 0);
	assert_int_equal(store_turn_back(&store), 0);
	assert_int_equal(store_write(&store, 2 * PAGE, page_of[0], PAGE, NULL), 0);
	assert_int_equal(store_clear(&store, 3 * PAGE, PAGE, NULL), 0);
	assert_int_equal(store_write(&store, 1000 * PAGE, page_of[2], PAGE, NULL), 0); /* a place that is new */
	uint64_t stored = store.file.stored;
	assert_int_equal(store_write(&store, 2 * PAGE, page_of[2], 2 * PAGE, NULL), 0);
	assert_int_equal(store_write(&store, 1000 * PAGE, page_of[1], PAGE, NULL), 0);
	assert_int_equal(store_clear(&store, 1000 * PAGE, PAGE, NULL), 0);
	assert_int_equal(store.file.stored, stored);
	store_turn_forth(&store);
	expect(&store, PAGE, PAGE, 1);
	expect(&store, 2 * PAGE, 2 * PAGE, 0);
	expect(&store, 1000 * PAGE, PAGE, 2);
	assert_int_equal(store_write(&store, 2 * PAGE, page_of[2], PAGE, NULL), 0);
	expect(&store, 2 * PAGE, PAGE, 2);
}

static void pool_borrows_what_is_left(void **state)
{
	struct page_pool from = { 0 }, pool = { 0 };
	unsigned char *room;

	(void)state;
	assert_int_equal(page_pool_reserve(&from, 4 * PAGE), 0);
	assert_non_null(room = page_pool_add(&from, PAGE, PAGE));
	assert_int_equal(page_pool_borrow(&pool, &from, 3 * PAGE), 0);
	assert_ptr_equal(pool.bytes, room + PAGE);
	assert_int_equal(page_pool_borrow(&pool, &from, 4 * PAGE), 0); /* that is more than is left: room of its own */
	assert_false(pool.borrowed);
	memset(pool.bytes, 'x', 4 * PAGE);
	page_pool_done(&from);
	assert_int_equal(page_pool_borrow(&from, &pool, 4 * PAGE), 0);
	page_pool_done(&from);
	assert_int_equal(pool.bytes[4 * PAGE - 1], 'x');
	page_pool_done(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_what_was_written_last),
		cmocka_unit_test(places_never_move_or_overlap),
		cmocka_unit_test(neighbours_in_address_and_file_are_one_piece),
		cmocka_unit_test(forgets),
		cmocka_unit_test(becomes_a_file_once),
		cmocka_unit_test(pool_keeps_the_order),
		cmocka_unit_test(pool_grows),
		cmocka_unit_test(pool_borrows_what_is_left),
		cmocka_unit_test(log_keeps_the_order),
		cmocka_unit_test(log_leaves_the_pool_if_there_is_no_room),
		cmocka_unit_test(writes_the_newest_when_turned_back),
	};
	return cmocka_run_group_tests(tests, make_pages, NULL);
}
