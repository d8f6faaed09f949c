/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The public interface on a real process: a forked child of this test, with memory laid out beforehand. */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096UL
#define PAGES 8UL

/* Pages: 0 'a', 1 'b', 2 never touched, 3 PROT_NONE 'd', 4 unmapped, 5 zeros written, 6 g, 7 never touched. */
static unsigned char *area;
static pid_t child;
static struct pidmem_process *process;
static struct pidmem_source *source;

static int start(void **state)
{
	int ready[2];

	(void)state;
	area = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED || pipe(ready) < 0)
		return -1;
	child = fork();
	if (child == 0) {
		memset(area, 'a', PAGE);
		memset(area + PAGE, 'b', PAGE);
		memset(area + 3 * PAGE, 'd', PAGE);
		memset(area + 5 * PAGE, 1, PAGE);
		memset(area + 5 * PAGE, 0, PAGE);
		memset(area + 6 * PAGE, 'g', PAGE);
		mprotect(area + 3 * PAGE, PAGE, PROT_NONE);
		munmap(area + 4 * PAGE, PAGE);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	char byte;
	close(ready[1]);
	bool began = read(ready[0], &byte, 1) == 1;
	close(ready[0]);
	return began && pidmem_process_open(child, NULL, NULL, &process) == 0 &&
			       pidmem_source_open(process, NULL, NULL, &source) == 0
		       ? 0
		       : -1;
}

static int stop(void **state)
{
	(void)state;
	pidmem_source_close(source);
	pidmem_process_close(process);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	munmap(area, PAGES * PAGE);
	return 0;
}

static uint64_t at(uint64_t page)
{
	return (uintptr_t)area + page * PAGE;
}

static void test_read(void **state)
{
	unsigned char bytes[6 * PAGE];
	struct pidmem_span why = { 0 };

	(void)state;
	assert_int_equal(pidmem_source_read(source, at(0) + 100, bytes, 50, NULL, NULL), 50);
	assert_int_equal(bytes[49], 'a');
	/* over a page never touched and a PROT_NONE one, up to the one that is not mapped */
	assert_int_equal(pidmem_source_read(source, at(0), bytes, sizeof bytes, NULL, &why), 4 * PAGE);
	assert_int_equal(bytes[PAGE], 'b');
	assert_int_equal(bytes[2 * PAGE], 0);
	assert_int_equal(bytes[3 * PAGE], 'd');
	assert_int_equal(why.why, PIDMEM_WHY_UNMAPPED);
	assert_int_equal(why.start, at(4));
	assert_int_equal(pidmem_source_read(source, at(4), bytes, 1, NULL, &why), 0);
	assert_int_equal(pidmem_source_read(source, at(5), bytes, 0, NULL, NULL), 0);
	assert_true(pidmem_source_read(source, UINT64_MAX - 10, bytes, 100, NULL, NULL) < 0);
}

static void test_readv(void **state)
{
	unsigned char one[10], two[10];
	struct pidmem_request requests[] = {
		{ .address = at(6), .buffer = one, .size = sizeof one },
		{ .address = at(4) - 5, .buffer = two, .size = sizeof two },
	};

	(void)state;
	assert_int_equal(pidmem_source_readv(source, requests, 2, NULL), 1);
	assert_int_equal(requests[0].done, 10);
	assert_int_equal(one[9], 'g');
	assert_int_equal(requests[1].done, 5);
	assert_int_equal(requests[1].stop.start, at(4));
}

static void test_walk(void **state)
{
	static const enum pidmem_class expected[PAGES] = { PIDMEM_READ,    PIDMEM_READ, PIDMEM_ZERO, PIDMEM_READ,
							   PIDMEM_CLASSES, PIDMEM_ZERO, PIDMEM_READ, PIDMEM_ZERO };
	struct pidmem_walk *walk;
	struct pidmem_span span;
	uint64_t next = at(0);

	(void)state;
	assert_int_equal(pidmem_walk_open(source, at(0), PAGES * PAGE, 0, NULL, &walk), 0);
	while (pidmem_walk_next(walk, NULL, &span) == 1) {
		if (next == at(4))
			next = at(5);
		assert_int_equal(span.start, next);
		for (uint64_t page = (span.start - at(0)) / PAGE; page < (span.start - at(0) + span.size) / PAGE;
		     page++)
			assert_int_equal(span.class_, expected[page]);
		assert_int_equal(span.bytes != NULL, span.class_ == PIDMEM_READ);
		next = span.start + span.size;
	}
	assert_int_equal(next, at(PAGES));
	assert_int_equal(pidmem_walk_next(walk, NULL, &span), 0); /* and stays at the end */
	pidmem_walk_close(walk);
}

/* A walk over part of pages: ranges need not be aligned. */
static void test_walk_within_a_page(void **state)
{
	struct pidmem_walk *walk;
	struct pidmem_span span;

	(void)state;
	assert_int_equal(pidmem_walk_open(source, at(0) + 7, 3, PIDMEM_WALK_STATES, NULL, &walk), 0);
	assert_int_equal(pidmem_walk_next(walk, NULL, &span), 1);
	assert_int_equal(span.start, at(0) + 7);
	assert_int_equal(span.size, 3);
	assert_null(span.bytes);
	assert_int_equal(pidmem_walk_next(walk, NULL, &span), 0);
	pidmem_walk_close(walk);
}

static void test_account_is_complete(void **state)
{
	const struct pidmem_maps *maps = pidmem_source_maps(source);
	struct pidmem_account *account;
	struct pidmem_walk *walk;
	struct pidmem_span span;
	uint64_t mapped = 0;

	(void)state;
	assert_int_equal(pidmem_account_new(NULL, &account), 0);
	assert_int_equal(pidmem_walk_open(source, 0, UINT64_MAX, 0, NULL, &walk), 0);
	while (pidmem_walk_next(walk, NULL, &span) == 1)
		assert_int_equal(pidmem_account_add(account, &span, NULL), 0);
	for (size_t i = 0; i < pidmem_maps_count(maps); i++)
		mapped += pidmem_maps_get(maps, i)->size;
	assert_int_equal(pidmem_account_totals(account)->total, mapped);
	assert_int_equal(pidmem_account_totals(account)->by_class[PIDMEM_UNREADABLE], 0);
	pidmem_walk_close(walk);
	pidmem_account_free(account);
}

static void test_account_joins_holes(void **state)
{
	struct pidmem_account *account;
	struct pidmem_span span = {
		.start = 0x1000, .size = 0x1000, .class_ = PIDMEM_NO_CONTENT, .why = PIDMEM_WHY_GUARD
	};

	(void)state;
	assert_int_equal(pidmem_account_new(NULL, &account), 0);
	for (int i = 0; i < 3; i++, span.start += span.size)
		assert_int_equal(pidmem_account_add(account, &span, NULL), 0);
	span.why = PIDMEM_WHY_PAST_EOF;
	assert_int_equal(pidmem_account_add(account, &span, NULL), 0);
	assert_int_equal(pidmem_account_hole_count(account), 2);
	assert_int_equal(pidmem_account_hole(account, 0)->size, 0x3000);
	assert_null(pidmem_account_hole(account, 2));
	pidmem_account_free(account);
}

static void test_pages(void **state)
{
	struct pidmem_pages *pages;
	struct pidmem_page_run run;
	uint64_t present = 0;

	(void)state;
	assert_int_equal(pidmem_pages_open(process, at(0), PAGES * PAGE, NULL, &pages), 0);
	while (pidmem_pages_next(pages, NULL, &run) == 1) {
		assert_true(run.flags & PIDMEM_PAGE_PRESENT);
		assert_true(run.start >= at(0) && run.start + run.size <= at(PAGES));
		present += run.size;
	}
	pidmem_pages_close(pages);
	assert_int_equal(present, 5 * PAGE);
}

static void test_threads(void **state)
{
	struct pidmem_threads *threads;

	(void)state;
	assert_int_equal(pidmem_threads_read(process, NULL, &threads), 0);
	assert_int_equal(pidmem_threads_count(threads), 1);
	assert_int_equal(pidmem_threads_get(threads, 0)->tid, child);
	assert_non_null(strchr("RS", pidmem_threads_get(threads, 0)->state)); /* on its way into pause() */
	assert_null(pidmem_threads_get(threads, 1));
	pidmem_threads_free(threads);
}

static void test_options_need_a_size(void **state)
{
	struct pidmem_source_options options;
	struct pidmem_source *other;
	struct pidmem_error error;

	(void)state;
	options = (struct pidmem_source_options){ 0 }; /* without its size */
	assert_int_equal(pidmem_source_open(process, &options, &error, &other), -EINVAL);
	assert_int_equal(error.code, PIDMEM_USAGE);
}

/* Before anything is written. */
static void test_dump_looks_at_sizes(void **state)
{
	struct pidmem_dump_options options = { .path = "/nonexistent/never" };
	struct pidmem_dump_report report = PIDMEM_INIT(report);
	struct pidmem_account *account;
	struct pidmem_error error;

	(void)state;
	assert_int_equal(pidmem_account_new(NULL, &account), 0);
	assert_int_equal(pidmem_dump(source, &options, account, &error, &report), -EINVAL);
	assert_int_equal(error.code, PIDMEM_USAGE);
	options.size = sizeof options;
	report.size = 0;
	assert_int_equal(pidmem_dump(source, &options, account, &error, &report), -EINVAL);
	assert_int_equal(error.code, PIDMEM_USAGE);
	report.size = sizeof report;
	assert_int_equal(pidmem_dump(source, &options, account, &error, &report), -ENOENT);
	options.path = NULL; /* neither a file nor a directory */
	assert_int_equal(pidmem_dump(source, &options, account, &error, &report), -EINVAL);
	pidmem_account_free(account);
}

/* The handle is on the process, not on its number: after the end there is an error, never another process. */
static void test_end_of_the_process(void **state)
{
	unsigned char byte;
	struct pidmem_error error;

	(void)state;
	assert_int_equal(pidmem_process_check(process, NULL), 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_int_equal(pidmem_process_check(process, &error), -ESRCH);
	assert_int_equal(error.code, PIDMEM_GONE);
	assert_int_equal(pidmem_source_read(source, at(0), &byte, 1, &error, NULL), -ESRCH);
	assert_int_equal(error.code, PIDMEM_GONE);
	assert_int_equal(pidmem_source_refresh(source, &error), -ESRCH);
	assert_int_equal(error.code, PIDMEM_GONE);
}

static void test_wrong_numbers(void **state)
{
	struct pidmem_process *none;
	struct pidmem_error error;

	(void)state;
	assert_int_equal(pidmem_process_open(0, NULL, &error, &none), -EINVAL);
	assert_int_equal(error.code, PIDMEM_USAGE);
	assert_int_equal(pidmem_process_open(-5, NULL, &error, &none), -EINVAL);
	assert_int_equal(pidmem_process_open(INT32_MAX, NULL, &error, &none), -ESRCH);
	assert_int_equal(error.code, PIDMEM_NO_PROCESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_read, start, stop),
		cmocka_unit_test_setup_teardown(test_readv, start, stop),
		cmocka_unit_test_setup_teardown(test_walk, start, stop),
		cmocka_unit_test_setup_teardown(test_walk_within_a_page, start, stop),
		cmocka_unit_test_setup_teardown(test_account_is_complete, start, stop),
		cmocka_unit_test(test_account_joins_holes),
		cmocka_unit_test_setup_teardown(test_pages, start, stop),
		cmocka_unit_test_setup_teardown(test_threads, start, stop),
		cmocka_unit_test_setup_teardown(test_options_need_a_size, start, stop),
		cmocka_unit_test_setup_teardown(test_dump_looks_at_sizes, start, stop),
		cmocka_unit_test_setup_teardown(test_end_of_the_process, start, stop),
		cmocka_unit_test(test_wrong_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
