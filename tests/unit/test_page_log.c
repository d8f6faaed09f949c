/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading again what was logged, from a disk that gives part of it alone. */
#include "unit.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "source/page_log.h"

#define PAGE 4096UL
#define PAGES 8

static off_t bad = INT64_MAX; /* from there on nothing can be read */
static int cause;

/* The C library's own, which the library under test would call else. */
ssize_t pread64(int fd, void *bytes, size_t size, off64_t offset)
{
	if (offset >= bad) {
		errno = cause;
		return -1;
	}
	return syscall(SYS_pread64, fd, bytes, offset + (off_t)size > bad ? (size_t)(bad - offset) : size, offset);
}

static void fill(struct page_log *log, struct page_pool *pool)
{
	assert_int_equal(page_pool_reserve(pool, PAGES * PAGE), 0);
	for (uint64_t i = 0; i < PAGES; i++)
		memset(page_pool_add(pool, 2 * i * PAGE, PAGE), (int)i + 1, PAGE);
	assert_int_equal(page_log_add(log, pool, NULL), 1);
}

static void tells_what_ended_a_read(void **state)
{
	struct page_log log = PAGE_LOG_INIT("/tmp", 1);
	struct page_pool pool = { 0 };
	struct pidmem_error error;

	(void)state;
	fill(&log, &pool);
	bad = (off_t)(log.size - PAGE);
	cause = ENODATA;
	assert_int_equal(page_log_take(&log, &pool, &error), -ENODATA);
	assert_int_equal(error.sys, ENODATA);
	bad = INT64_MAX;
	assert_int_equal(page_log_take(&log, &pool, NULL), 1);
	assert_int_equal(pool.bytes[PAGES * PAGE - 1], PAGES);
	page_pool_done(&pool);
	page_log_close(&log);
}

static void a_file_that_was_cut_is_bad(void **state)
{
	struct page_log log = PAGE_LOG_INIT("/tmp", 1);
	struct page_pool pool = { 0 };

	(void)state;
	fill(&log, &pool);
	assert_int_equal(page_log_settle(&log, NULL), 0);
	assert_int_equal(ftruncate(log.file.fd, (off_t)(log.size - PAGE)), 0);
	assert_int_equal(page_log_take(&log, &pool, NULL), -EIO);
	page_pool_done(&pool);
	page_log_close(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_what_ended_a_read),
		cmocka_unit_test(a_file_that_was_cut_is_bad),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
