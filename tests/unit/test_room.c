/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is read from texts of the kernel before a process is copied: control groups, mounts, huge pages. */
#include "unit.h"

#include <string.h>

#include "process/cgroup.h"
#include "process/headroom.h"
#include "process/mounts.h"

static void test_cgroups(void **state)
{
	static const char both[] = "9:name=systemd:/init\n8:pids:/jobs/one\n4:cpu,memory,cpuacct:/a:b\n0::/unified\n";
	char path[32];
	bool v2;

	(void)state;
	assert_true(cgroup_parse(both, "memory", path, sizeof path, &v2));
	assert_string_equal(path, "/a:b");
	assert_false(v2);
	assert_true(cgroup_parse(both, "pids", path, sizeof path, &v2));
	assert_string_equal(path, "/jobs/one");
	assert_true(cgroup_parse(both, "mem", path, sizeof path, &v2)); /* not the beginning of a word */
	assert_string_equal(path, "/unified");
	assert_true(v2);
	assert_true(cgroup_parse("0::/x\n4:memory:/y", "memory", path, sizeof path, &v2)); /* in any order */
	assert_string_equal(path, "/y");
	assert_false(cgroup_parse("", "memory", path, sizeof path, &v2));
	assert_false(cgroup_parse("8:pids:/jobs\n", "memory", path, sizeof path, &v2));
	assert_false(cgroup_parse("no colon\n1:one\n", "memory", path, sizeof path, &v2));
	assert_false(cgroup_parse("0::/longer/than/the/room/that/there/is\n", "memory", path, sizeof path, &v2));
}

static void test_mounts(void **state)
{
	static const char text[] = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw,errors=remount-ro\n"
				   "not a mount\n"
				   "30 22 0:26 /a\\040b /mnt/c\\134d rw master:2 shared:3 - tmpfs none rw\n"
				   "31 22 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory";
	const char *at = text;
	struct mount mount;

	(void)state;
	assert_true(mount_next(&at, &mount));
	assert_int_equal(mount.dev_major, 8);
	assert_string_equal(mount.type, "ext4");
	assert_true(mount_next(&at, &mount));
	assert_string_equal(mount.root, "/a b");
	assert_string_equal(mount.point, "/mnt/c\\d");
	assert_int_equal(mount.dev_minor, 26);
	assert_true(mount_next(&at, &mount));
	assert_string_equal(mount.point, "/sys/fs/cgroup/memory");
	assert_true(mount_has_option(&mount, "memory"));
	assert_true(mount_has_option(&mount, "rw"));
	assert_false(mount_has_option(&mount, "mem"));
	assert_false(mount_next(&at, &mount));
}

static void test_huge_pages(void **state)
{
	static const char smaps[] = "00400000-00600000 rw-p 00000000 00:0f 1 /anon_hugepage (deleted)\n"
				    "KernelPageSize:     2048 kB\n"
				    "Private_Hugetlb:    2048 kB\n"
				    "40000000-80000000 rw-p 00000000 00:0f 2 /anon_hugepage (deleted)\n"
				    "KernelPageSize:  1048576 kB\n"
				    "Private_Hugetlb: 1048576 kB\n"
				    "80000000-80600000 rw-p 00000000 00:0f 3 /anon_hugepage (deleted)\n"
				    "KernelPageSize:     2048 kB\n"
				    "Shared_Hugetlb:     2048 kB\n" /* with a child, after fork() */
				    "Private_Hugetlb:    4096 kB\n"
				    "90000000-90400000 rw-s 00000000 00:0f 4 /anon_hugepage (deleted)\n"
				    "KernelPageSize:     2048 kB\n"
				    "Private_Hugetlb:    4096 kB\n"; /* mapped once, and yet shared */

	(void)state;
	assert_int_equal(headroom_private_huge(smaps, 2UL << 20), 8UL << 20);
	assert_int_equal(headroom_private_huge(smaps, 1UL << 30), 1UL << 30);
	assert_int_equal(headroom_private_huge(smaps, 4096), 0);
	assert_int_equal(headroom_private_huge("", 4096), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cgroups),
		cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_huge_pages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
