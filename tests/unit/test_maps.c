/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parser of maps and smaps, and finding things in the list. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct pidmem_maps *parse(const char *text)
{
	struct pidmem_maps *maps;
	struct pidmem_error error;
	int result = pidmem_maps_parse(text, strlen(text), &error, &maps);

	if (result < 0)
		fail_msg("%s: %s", error.text, text);
	return maps;
}

static void assert_bad(const char *text, uint64_t line)
{
	struct pidmem_maps *maps;
	struct pidmem_error error;

	assert_int_equal(pidmem_maps_parse(text, strlen(text), &error, &maps), -EBADMSG);
	assert_int_equal(error.code, PIDMEM_FORMAT);
	assert_int_equal(error.address, line);
}

static void test_fields(void **state)
{
	(void)state;
	struct pidmem_maps *maps =
		parse("7f0000001000-7f0000003000 r-xs 0001f000 fd:1a 4711       /usr/lib/two  spaces.so\n");
	const struct pidmem_region *region = pidmem_maps_get(maps, 0);

	assert_int_equal(pidmem_maps_count(maps), 1);
	assert_int_equal(region->start, 0x7f0000001000);
	assert_int_equal(region->size, 0x2000);
	assert_int_equal(region->offset, 0x1f000);
	assert_int_equal(region->dev_major, 0xfd);
	assert_int_equal(region->dev_minor, 0x1a);
	assert_int_equal(region->inode, 4711);
	assert_int_equal(region->perms, PIDMEM_PERM_READ | PIDMEM_PERM_EXEC | PIDMEM_PERM_SHARED);
	assert_string_equal(region->path, "/usr/lib/two  spaces.so");
	assert_false(region->deleted);
	assert_null(region->usage);
	assert_null(pidmem_maps_get(maps, 1));
	pidmem_maps_free(maps);
}

static void test_kinds(void **state)
{
	(void)state;
	static const struct {
		const char *rest;
		enum pidmem_kind kind;
	} cases[] = {
		{ "rw-p 00000000 00:00 0", PIDMEM_KIND_ANON },
		{ "rw-p 00000000 00:00 0      [heap]", PIDMEM_KIND_HEAP },
		{ "rw-p 00000000 00:00 0      [stack]", PIDMEM_KIND_STACK },
		{ "rw-p 00000000 00:00 0      [anon:glibc: malloc]", PIDMEM_KIND_ANON },
		{ "r-xp 00000000 00:00 0      [vdso]", PIDMEM_KIND_VDSO },
		{ "r--p 00000000 00:00 0      [vvar_vclock]", PIDMEM_KIND_VDSO },
		{ "--xp 00000000 00:00 0      [vsyscall]", PIDMEM_KIND_VDSO },
		{ "rw-s 00000000 00:01 5      /dev/zero (deleted)", PIDMEM_KIND_SHARED },
		{ "rw-p 00000000 00:05 5      /dev/zero", PIDMEM_KIND_ANON },
		{ "rw-p 00000000 00:0f 5      /anon_hugepage (deleted)", PIDMEM_KIND_ANON },
		{ "rw-s 00000000 00:01 0      /SYSV00000000 (deleted)", PIDMEM_KIND_SHARED },
		{ "r--p 00000000 fd:00 5      /bin/true", PIDMEM_KIND_FILE },
		{ "r--s 00000000 fd:00 5      /bin/true", PIDMEM_KIND_SHARED },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char line[128];
		snprintf(line, sizeof line, "1000-2000 %s\n", cases[i].rest);
		struct pidmem_maps *maps = parse(line);
		assert_string_equal(pidmem_kind_name(pidmem_maps_get(maps, 0)->kind), pidmem_kind_name(cases[i].kind));
		pidmem_maps_free(maps);
	}
}

static void test_paths(void **state)
{
	(void)state;
	struct pidmem_maps *maps = parse("1000-2000 r--p 00000000 fd:00 5 /a\\012b\n"
					 "2000-3000 r--p 00000000 fd:00 6 /gone (deleted)\n"
					 "3000-4000 r--p 00000000 fd:00 6 /gone (deleted)\n"
					 "4000-5000 r--p 00000000 fd:00 7 /\xff\xfe");

	assert_string_equal(pidmem_maps_get(maps, 0)->path, "/a\nb");
	assert_int_equal(pidmem_maps_get(maps, 0)->path_size, 4);
	assert_string_equal(pidmem_maps_get(maps, 1)->path, "/gone");
	assert_true(pidmem_maps_get(maps, 1)->deleted);
	assert_string_equal(pidmem_maps_get(maps, 2)->path, "/gone");
	assert_true(pidmem_maps_get(maps, 2)->deleted);
	assert_string_equal(pidmem_maps_get(maps, 3)->path, "/\xff\xfe");
	pidmem_maps_free(maps);
}

/* A region that ends at 2^64: size and searches must not overflow. */
static void test_top_of_address_space(void **state)
{
	(void)state;
	struct pidmem_maps *maps = parse("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]\n"
					 "fffffffffffff000-10000000000000000 rw-p 00000000 00:00 0\n");
	const struct pidmem_region *region = pidmem_maps_get(maps, 1);

	assert_int_equal(region->size, 4096);
	assert_ptr_equal(pidmem_maps_find(maps, UINT64_MAX), region);
	assert_ptr_equal(pidmem_maps_find_next(maps, 0xffffffffff601000), region);
	assert_null(pidmem_maps_find(maps, 0xffffffffff601000));
	pidmem_maps_free(maps);
}

static void test_overlap_is_clipped(void **state)
{
	(void)state;
	struct pidmem_maps *maps = parse("1000-3000 r--p 00000000 fd:00 5 /a\n"
					 "2000-5000 r--p 00001000 fd:00 5 /a\n"
					 "4000-5000 r--p 00003000 fd:00 5 /a\n");
	const struct pidmem_region *region = pidmem_maps_get(maps, 1);

	assert_int_equal(pidmem_maps_count(maps), 2);
	assert_int_equal(region->start, 0x3000);
	assert_int_equal(region->size, 0x2000);
	assert_int_equal(region->offset, 0x2000);
	pidmem_maps_free(maps);
}

static void test_smaps(void **state)
{
	(void)state;
	struct pidmem_maps *maps =
		parse("1000-3000 rw-p 00000000 00:00 0\n"
		      "Size:                  8 kB\nRss:                   4 kB\nPrivate_Dirty:         4 kB\n"
		      "Swap:                  12 kB\nTHPeligible:           0\nVmFlags: rd wr io dd um \n"
		      "3000-4000 rw-p 00000000 00:00 0\nRss:                   0 kB\nVmFlags:\n");
	const struct pidmem_region *region = pidmem_maps_get(maps, 0);

	assert_int_equal(region->usage->rss, 4096);
	assert_int_equal(region->resident, 4096);
	assert_int_equal(region->swapped, 12288);
	assert_int_equal(region->usage->private_dirty, 4096);
	assert_int_equal(region->usage->flags, PIDMEM_VM_IO | PIDMEM_VM_DONTDUMP | PIDMEM_VM_UFFD_MISSING);
	assert_int_equal(pidmem_maps_get(maps, 1)->usage->flags, 0);
	pidmem_maps_free(maps);
}

static void test_bad_lines(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"1000",
		"1000-",
		"1000-2000",
		"1000-2000 rw-p",
		"2000-1000 rw-p 0 0:0 0",
		"1000-1000 rw-p 0 0:0 0",
		"1000-2000 rwxq 0 0:0 0",
		"1000-2000 wr-p 0 0:0 0",
		"1000-2000 rw-p 0 0:0 x",
		"1000-2000 rw-p 0 0:0 0x",
		"10000000000000000-10000000000001000 rw-p 0 0:0 0",
		"1000-2000 rw-p 10000000000000000 0:0 0",
		"1000-2000 rw-p 0 100000000:0 0",
		"1000-2000 rw-p 0 0:0 99999999999999999999",
		"Rss: 4 kB",
		"",
	};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		char text[256];
		snprintf(text, sizeof text, "%s\n", lines[i]);
		assert_bad(text, 1);
	}
	assert_bad("1000-2000 rw-p 0 0:0 0\nRss: 99999999999999999999 kB\n", 2);
	assert_bad("1000-2000 rw-p 0 0:0 0\nRss: kB\n", 2);
	assert_bad("1000-2000 rw-p 0 0:0 0\n3000-4000 rw-p 0 0:0 0\nRss 4 kB\n", 3);
}

static void test_names(void **state)
{
	(void)state;
	struct pidmem_maps *maps = parse("1000-3000 r--p 00000000 fd:00 5 /lib/libc.so.6\n"
					 "4000-5000 r--p 00002000 fd:00 5 /lib/libc.so.6\n"
					 "6000-7000 r--p 00000000 fd:00 6 /opt/libc.so.6\n"
					 "8000-9000 rw-p 00000000 00:00 0 [heap]\n"
					 "a000-b000 rw-p 00000000 00:00 0\n"
					 "c000-d000 rw-p 00000000 fd:00 7 /x+0x10\n");
	struct pidmem_error error;
	uint64_t address = 0;
	char text[64];
	static const struct {
		const char *text;
		uint64_t address;
	} good[] = {
		{ "0x1000", 0x1000 },
		{ "1000", 0x1000 },
		{ "ffffffffffffffff", UINT64_MAX },
		{ "[heap]+0x10", 0x8010 },
		{ "[heap]", 0x8000 },
		{ "libc.so.6+3010", 0x4010 },
		{ "/opt/libc.so.6+0x1", 0x6001 },
		{ "x+0x10+0x1", 0xc001 },
		{ "x+0x10", 0xc000 },
	};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_int_equal(pidmem_maps_resolve(maps, good[i].text, &error, &address), 0);
		assert_int_equal(address, good[i].address);
	}
	static const char *const bad[] = {
		"", "nobody", "nobody+1", "[heap]+", "[heap]+zz", "10000000000000000", "[heap]+ffffffffffffffff", "-1"
	};
	address = 0x5a5a;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_true(pidmem_maps_resolve(maps, bad[i], &error, &address) < 0);
	assert_int_equal(address, 0x5a5a); /* written on success only */

	/* Whatever is described leads back. */
	for (size_t i = 0; i < pidmem_maps_count(maps); i++) {
		const struct pidmem_region *region = pidmem_maps_get(maps, i);
		int length = pidmem_maps_describe(maps, region->start + 0x123, text, sizeof text);
		assert_int_equal(length > 0, region->path_size > 0);
		if (length) {
			assert_int_equal(pidmem_maps_resolve(maps, text, &error, &address), 0);
			assert_int_equal(address, region->start + 0x123);
		}
	}
	assert_int_equal(pidmem_maps_describe(maps, 0x3fff, text, sizeof text), 0);
	pidmem_maps_free(maps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_top_of_address_space),
		cmocka_unit_test(test_overlap_is_clipped),
		cmocka_unit_test(test_smaps),
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
