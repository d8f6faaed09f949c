/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Output files, written piece by piece by a thread, with faults at the system call; and the ring behind that. */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#undef fail /* cmocka's, which nobody needs here */
#include "base/cleanup.h"
#include "base/ring.h"
#include "sink/file.h"

#define MOST (24UL << 20)

/* ---------------------------------------------------------------------------------------------- faults --- */

static struct {
	bool shorten;  /* write less than was asked, and be interrupted now and then */
	bool indirect; /* refuse direct writes, as some file systems do only now */
	unsigned good; /* after so many calls... */
	int number;    /* ...fail with this */
} faults;
static unsigned calls;

static int set(int number)
{
	errno = number;
	return -1;
}

/* In place of the C library's: called by the writing thread alone. */
ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
	calls++;
	if (faults.number && calls > faults.good)
		return set(faults.number);
	if (faults.indirect && fcntl(fd, F_GETFL) & O_DIRECT)
		return set(EINVAL);
	if (faults.shorten && calls % 3 == 0)
		return set(EINTR);
	if (faults.shorten && size > 8192)
		size = size / 2 + calls % 4096; /* of no alignment that a direct write goes on at */
	return syscall(SYS_pwrite64, fd, bytes, size, offset);
}

/* ----------------------------------------------------------------------------------------------- files --- */

static char folder[64];

static int make_folder(void **state)
{
	const char *below = *state;

	memset(&faults, 0, sizeof faults);
	calls = 0;
	snprintf(folder, sizeof folder, "%s/pidmem-sink-XXXXXX", below);
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof path, "%s/file", folder);
	unlink(path);
	return rmdir(folder); /* fails if something was left in it */
}

/* Write pieces of all sizes, with holes between some of them: 0 or -errno, and what the file should hold. */
static int write_pieces(struct file_sink *file, unsigned char *expected, struct pidmem_error *error)
{
	static unsigned char piece[5UL << 20];
	unsigned seed = 1;
	int result = 0;

	memset(expected, 0, MOST);
	while (result == 0 && file->size + sizeof piece < MOST) {
		size_t size = (size_t)rand_r(&seed) % (rand_r(&seed) % 4 ? 70000 : sizeof piece) + 1;
		unsigned kind = (unsigned)rand_r(&seed) % 8;
		size = kind < 4 ? (size + 4095) & ~4095UL : size;
		if (kind == 0) {
			result = file_skip(file, size % (1UL << 20) + (1UL << 20), error);
			continue;
		}
		memset(piece, rand_r(&seed) % 255 + 1, size);
		memcpy(expected + file->size, piece, size);
		result = file_write(file, piece, size, error);
	}
	return result < 0 ? result : file_complete(file, error);
}

static void check_pieces(void)
{
	struct pidmem_error error;
	unsigned char *expected = malloc(MOST), *found = malloc(MOST);
	char path[128];
	{
		AUTO_FILE_SINK file = FILE_SINK_INIT;
		snprintf(path, sizeof path, "%s/file", folder);
		assert_int_equal(file_open(&file, path, false, &error), 0);
		assert_int_equal(write_pieces(&file, expected, &error), 0);
		assert_int_equal(file_name(&file, &error), 0);
		AUTO_FD fd = open(path, O_RDONLY);
		assert_int_equal(read(fd, found, MOST), file.size);
		assert_memory_equal(expected, found, file.size);
		assert_true(file_on_disk(&file) < file.size); /* holes */
	}
	free(expected);
	free(found);
}

static void test_pieces(void **state)
{
	(void)state;
	check_pieces();
}

static void test_short_writes(void **state)
{
	(void)state;
	faults.shorten = true;
	check_pieces();
	assert_true(calls > 20);
}

static void test_no_direct_writes(void **state)
{
	(void)state;
	faults.indirect = true;
	check_pieces();
}

static void test_failure_at_each_write(void **state)
{
	static const int numbers[] = { EIO, ENOSPC, EDQUOT };
	unsigned char *expected = malloc(MOST);
	unsigned all;

	(void)state;
	check_pieces();
	all = calls;
	assert_true(all >= 5);
	for (unsigned good = 0; good < all; good++) {
		AUTO_FILE_SINK file = FILE_SINK_INIT;
		struct pidmem_error error;
		char path[128];
		snprintf(path, sizeof path, "%s/other", folder);
		calls = 0;
		faults.good = good;
		faults.number = numbers[good % 3];
		assert_int_equal(file_open(&file, path, false, &error), 0);
		assert_int_equal(write_pieces(&file, expected, &error), -numbers[good % 3]);
		assert_int_equal(error.sys, numbers[good % 3]);
	}
	faults.number = 0;
	free(expected);
}

static void test_file_that_is_given_up(void **state)
{
	unsigned char *expected = malloc(MOST);
	AUTO_FILE_SINK file = FILE_SINK_INIT;
	struct pidmem_error error;
	char path[128];

	(void)state;
	snprintf(path, sizeof path, "%s/file", folder);
	assert_int_equal(file_open(&file, path, false, &error), 0);
	memset(expected, 7, MOST);
	assert_int_equal(file_write(&file, expected, MOST, &error), 0);
	file_close(&file); /* with writes under way */
	assert_int_equal(access(path, F_OK), -1);
	free(expected);
}

/* ------------------------------------------------------------------------------------------------ ring --- */

#define JOBS 2000

struct jobs {
	int slots[4];
	unsigned seed[3]; /* of each thread */
};

static void square(void *user, size_t slot, size_t thread)
{
	struct jobs *jobs = user;

	for (volatile int i = rand_r(&jobs->seed[thread]) % 5000; i > 0; i--)
		;
	jobs->slots[slot] *= jobs->slots[slot];
}

static void test_ring_keeps_the_order(void **state)
{
	struct jobs jobs = { { 0 }, { 1, 2, 3 } };
	struct ring *ring = ring_new(4, 3, RING_COMPUTES, square, &jobs);
	int taken = 0;

	(void)state;
	for (int i = 0; i < JOBS || !ring_is_empty(ring);) {
		if (i < JOBS && !ring_is_full(ring)) {
			jobs.slots[ring_next(ring)] = i++;
			ring_put(ring);
			continue;
		}
		assert_int_equal(jobs.slots[ring_wait(ring)], taken * taken);
		ring_take(ring);
		taken++;
	}
	assert_int_equal(taken, JOBS);
	ring_free(ring);
}

static void test_ring_that_is_given_up(void **state)
{
	struct jobs jobs = { { 0 }, { 1, 2, 3 } };

	(void)state;
	for (int i = 0; i < 50; i++) {
		struct ring *ring = ring_new(4, 3, RING_COMPUTES, square, &jobs);
		while (!ring_is_full(ring))
			ring_put(ring);
		ring_free(ring);
	}
}

static char disk[] = "/var/tmp", memory[] = "/dev/shm";
/* On a disk, and on a tmpfs, which some kernels let nobody write past the cache. */
#define SINK_TEST(test)                                                    \
	{ #test, test, make_folder, remove_folder, disk },                 \
	{                                                                  \
#test " (tmpfs)", test, make_folder, remove_folder, memory \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SINK_TEST(test_pieces),
		SINK_TEST(test_short_writes),
		SINK_TEST(test_no_direct_writes),
		SINK_TEST(test_failure_at_each_write),
		SINK_TEST(test_file_that_is_given_up),
		cmocka_unit_test(test_ring_keeps_the_order),
		cmocka_unit_test(test_ring_that_is_given_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
