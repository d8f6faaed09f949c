/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the open files of a process tell about writes past its page tables. */
#include "proc_root.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "process/process.h"

#define MOUNTS                                                       \
	"31 1 8:1 / / rw - ext4 /dev/sda1 rw\n"                      \
	"32 31 0:41 / /mnt/a\\040b rw shared:5 - fuse.sshfs a: rw\n" \
	"33 31 0:42 / /mnt/c rw - virtiofs c rw\n"                   \
	"34 31 0:43 / /mnt/d rw - 9p d rw,cache=none\n"              \
	"35 31 0:44 / /mnt/e rw - cifs //e/e rw\n"                   \
	"36 31 0:45 / /mnt/f rw - fusectl f rw\n"                    \
	"37 31 8:2 / /mnt/g rw - fuseblk /dev/sda2 rw\n"
#define RINGS                                                                          \
	"7f0000000000-7f0000001000 rw-s 00000000 00:0f 1057   anon_inode:[io_uring]\n" \
	"7f0000002000-7f0000003000 rw-s 10000000 00:0f 1057   anon_inode:[io_uring]\n" \
	"7f0000004000-7f0000005000 rw-s 10000000 08:01 77     /x anon_inode:[io_uring]\n"

struct test {
	struct proc_root *root;
	struct pidmem_process process;
};

static struct test begin(void)
{
	struct test test = { .root = proc_root_new() };
	char path[128];

	put(test.root, "4242/mountinfo", MOUNTS);
	put(test.root, "4242/maps", RINGS);
	snprintf(path, sizeof path, "%s/%d", test.root->path, TARGET);
	test.process = (struct pidmem_process){ .pid = TARGET };
	test.process.dir = test.process.memory_dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(test.process.dir >= 0);
	return test;
}

/* Descriptor `number` of the process, or of a thread: what it is open for, where it is, and what that is called. */
static void open_file(const struct test *test, const char *thread, int number, const char *fdinfo, const char *target)
{
	char name[128], path[256];

	snprintf(name, sizeof name, "%d%s/fdinfo/%d", TARGET, thread, number);
	put(test->root, name, fdinfo);
	snprintf(path, sizeof path, "%d%s/fd/none", TARGET, thread);
	put(test->root, path, ""); /* makes the directory */
	drop(test->root, path);
	snprintf(path, sizeof path, "%s/%d%s/fd/%d", test->root->path, TARGET, thread, number);
	assert_int_equal(symlink(target, path), 0);
}

static void expect(struct test *test, const char *words)
{
	const char *why = process_pins_memory(&test->process);

	if (words) {
		assert_non_null(why);
		assert_non_null(strstr(why, words));
	} else {
		assert_null(why);
	}
	close(test->process.dir);
	proc_root_free(test->root);
}

/* One file, as fdinfo shows it. */
static void expect_file(const char *thread, const char *fdinfo, const char *target, const char *words)
{
	struct test test = begin();

	open_file(&test, thread, 3, fdinfo, target);
	expect(&test, words);
}

static void test_file_systems(void **state)
{
	static const int served[] = { 32, 33, 34, 35, 37 }, others[] = { 31, 36, 15, 3 };
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof served / sizeof *served; i++) {
		snprintf(text, sizeof text, "pos:\t0\nflags:\t0100000\nmnt_id:\t%d\nino:\t5\n", served[i]);
		expect_file("", text, "/mnt/file", "file system");
	}
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		snprintf(text, sizeof text, "pos:\t0\nflags:\t0100002\nmnt_id:\t%d\nino:\t5\n", others[i]);
		expect_file("", text, "/mnt/file", NULL);
	}
	/* For writing alone, for its path, a directory. */
	expect_file("", "pos:\t0\nflags:\t0100001\nmnt_id:\t32\n", "/mnt/file", NULL);
	snprintf(text, sizeof text, "flags:\t0%o\nmnt_id:\t32\n", O_PATH);
	expect_file("", text, "/mnt/file", NULL);
	snprintf(text, sizeof text, "flags:\t0%o\nmnt_id:\t32\n", O_DIRECTORY);
	expect_file("", text, "/mnt", NULL);
}

/* Opened where other things are mounted: in the mount namespace of this program. */
static void test_other_namespace(void **state)
{
	struct test test = begin();

	(void)state;
	put(test.root, "self/mountinfo", "77 1 0:77 / /far rw - fuse far rw\n");
	open_file(&test, "", 3, "flags:\t0100000\nmnt_id:\t77\n", "/far/file");
	expect(&test, "file system");
}

static void test_devices(void **state)
{
	static const char *const devices[] = { "/dev/sg0", "/dev/nvme0n1", "/dev/st0", "/dev/video0", "/dev/vfio/7" };

	(void)state;
	for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
		expect_file("", "flags:\t02\nmnt_id:\t31\n", devices[i], "device");
	expect_file("", "flags:\t02\nmnt_id:\t31\n", "/dev/null", NULL);
}

static void test_threads(void **state)
{
	char text[64];

	(void)state;
	snprintf(text, sizeof text, "flags:\t0%o\nmnt_id:\t31\n", O_DIRECT);
	expect_file("", text, "/file", "direct I/O");
	expect_file("/task/4243", text, "/file", "direct I/O");
	expect_file("/task/4243", "flags:\t02\nmnt_id:\t31\n", "/dev/sg1", "device");
	expect_file("/task/4243", "flags:\t02\nmnt_id:\t31\n", "/file", NULL);
}

/* One is mapped. */
static void test_rings(void **state)
{
	static const char *const plain = "flags:\t02\nmnt_id:\t15\nUserFiles:\t0\n";
	struct test test = begin();

	(void)state;
	open_file(&test, "", 3, plain, "anon_inode:[io_uring]");
	open_file(&test, "", 4, plain, "anon_inode:[io_uring]");
	expect(&test, "io_uring in its own memory");
	expect_file("", plain, "anon_inode:[io_uring]", NULL);
	expect_file("", "flags:\t02\nUserFiles:\t2\n", "anon_inode:[io_uring]", "direct I/O");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_systems), cmocka_unit_test(test_other_namespace),
		cmocka_unit_test(test_devices),      cmocka_unit_test(test_threads),
		cmocka_unit_test(test_rings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
