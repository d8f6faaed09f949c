/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The selection of regions. */
#include "unit.h"

#include <string.h>

static const struct pidmem_region heap = {
	.start = 0x1000, .size = 0x3000, .perms = 3, .kind = PIDMEM_KIND_HEAP, .path = "[heap]", .path_size = 6
};
static const struct pidmem_region anon = {
	.start = 0x5000, .size = 0x1000, .perms = 3, .kind = PIDMEM_KIND_ANON, .path = ""
};
static const struct pidmem_region code = { .start = 0x7000,
					   .size = 0x1000,
					   .perms = 5,
					   .inode = 9,
					   .kind = PIDMEM_KIND_FILE,
					   .path = "/usr/lib/libc.so.6",
					   .path_size = 18 };
static const struct pidmem_region data = { .start = 0x8000,
					   .size = 0x1000,
					   .perms = 3,
					   .inode = 9,
					   .kind = PIDMEM_KIND_FILE,
					   .path = "/usr/lib/libc.so.6",
					   .path_size = 18 };
static const struct pidmem_region shm = { .start = 0x9000,
					  .size = 0x1000,
					  .perms = 11,
					  .inode = 7,
					  .kind = PIDMEM_KIND_SHARED,
					  .path = "/memfd:x",
					  .path_size = 8 };
static const struct pidmem_region db = { .start = 0xa000,
					 .size = 0x1000,
					 .perms = 11,
					 .inode = 8,
					 .kind = PIDMEM_KIND_SHARED,
					 .path = "/var/db",
					 .path_size = 7 };
static const struct pidmem_region *const regions[] = { &heap, &anon, &code, &data, &shm, &db };

/* The letters of the selected regions: h a c d s b. */
static void assert_selected(const char *const *terms, const char *expected)
{
	struct pidmem_select *select;
	char got[8] = "", *end = got;

	assert_int_equal(pidmem_select_new(NULL, &select), 0);
	for (; *terms; terms++)
		assert_int_equal(pidmem_select_add(select, *terms, NULL), 0);
	for (size_t i = 0; i < 6; i++)
		if (pidmem_select_test(select, regions[i], regions[i]->start, NULL))
			*end++ = "hacdsb"[i];
	assert_string_equal(got, expected);
	pidmem_select_free(select);
}
#define SELECTED(expected, ...) assert_selected((const char *const[]){ __VA_ARGS__, NULL }, expected)

static void test_terms(void **state)
{
	(void)state;
	SELECTED("h", "heap");
	SELECTED("h", "[heap]");
	SELECTED("a", "anon");
	SELECTED("cdb", "file");
	SELECTED("sb", "shared");
	SELECTED("cd", "libc*");
	SELECTED("cd", "/usr/lib/*");
	SELECTED("c", "libc*:rx");
	SELECTED("d", "libc*:rw-p");
	SELECTED("hads", "!libc*:x", "!/var/*");
	SELECTED("ha", "heap", "anon", "file", "!file");
	SELECTED("acd", "5000-9000", "!shared");
	SELECTED("had", ":w", "!shared");
	SELECTED("", "no-such-thing");
	SELECTED("hacdsb", "!no-such-thing");
}

static void test_parts_of_a_region(void **state)
{
	(void)state;
	struct pidmem_select *select;
	uint64_t run;

	assert_int_equal(pidmem_select_new(NULL, &select), 0);
	assert_int_equal(pidmem_select_add(select, "0x2000-0x3000", NULL), 0);
	assert_false(pidmem_select_test(select, &heap, 0x1000, &run));
	assert_int_equal(run, 0x1000);
	assert_true(pidmem_select_test(select, &heap, 0x2000, &run));
	assert_int_equal(run, 0x1000);
	assert_false(pidmem_select_test(select, &heap, 0x3000, &run));
	assert_int_equal(run, 0x1000);
	pidmem_select_free(select);
	assert_true(pidmem_select_test(NULL, &heap, 0x1800, &run));
	assert_int_equal(run, 0x2800);
}

static void test_bad_terms(void **state)
{
	(void)state;
	static const char *const bad[] = { "",      "!",     "2000-1000",   "1000-1000",          "1000-",
					   "-1000", "0x-10", "0x0x10-0x20", "1-10000000000000001" };
	struct pidmem_select *select;
	struct pidmem_error error;

	assert_int_equal(pidmem_select_new(NULL, &select), 0);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_true(pidmem_select_add(select, bad[i], &error) < 0);
		assert_int_equal(error.code, PIDMEM_USAGE);
		assert_true(*error.hint);
	}
	assert_int_equal(pidmem_select_add(select, "1000-10000000000000000", NULL), 0); /* up to 2^64 */
	pidmem_select_free(select);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_terms),
		cmocka_unit_test(test_parts_of_a_region),
		cmocka_unit_test(test_bad_terms),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
