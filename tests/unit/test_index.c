/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines of the index: what is written can be read, and nothing else. */
#include "unit.h"

#include <string.h>

#include "format/index.h"

static void round_trip(const struct index_entry *entry)
{
	struct buffer lines = { 0 };
	struct index_entry got;
	struct index_texts texts;

	assert_int_equal(index_append(&lines, "dump", entry), 0);
	assert_int_equal(lines.bytes[lines.size - 1], '\n');
	assert_int_equal(index_parse_line(lines.bytes, lines.size, &got, &texts, NULL), 0);
	assert_int_equal(got.start, entry->start);
	assert_int_equal(got.size, entry->size);
	assert_int_equal(got.class_, entry->class_);
	assert_int_equal(got.why, entry->why);
	assert_int_equal(got.offset, entry->offset);
	assert_int_equal(got.perms, entry->perms);
	assert_int_equal(got.deleted, entry->deleted);
	assert_int_equal(got.path_size, entry->path_size);
	assert_memory_equal(got.path, entry->path, entry->path_size + 1);
	index_texts_done(&texts);
	buffer_done(&lines);
}

static void test_round_trips(void **state)
{
	(void)state;
	round_trip(&(struct index_entry){ .start = 0x1000,
					  .size = 0x1000,
					  .class_ = PIDMEM_READ,
					  .offset = 77,
					  .perms = 15,
					  .path = "/a b",
					  .path_size = 4 });
	round_trip(&(struct index_entry){ .start = 0x1000, .size = 1ULL << 44, .class_ = PIDMEM_ZERO, .path = "" });
	round_trip(&(struct index_entry){ .start = -4096ULL,
					  .size = 4096,
					  .class_ = PIDMEM_EXCLUDED,
					  .why = PIDMEM_WHY_KERNEL,
					  .perms = 4,
					  .path = "[vsyscall]",
					  .path_size = 10 });
	round_trip(&(struct index_entry){ .start = 0x1000,
					  .size = 4096,
					  .class_ = PIDMEM_UNREADABLE,
					  .why = PIDMEM_WHY_IO,
					  .path = "/x\n\"\\",
					  .path_size = 5,
					  .deleted = true });
	round_trip(&(struct index_entry){
		.start = 0x1000, .size = 4096, .class_ = PIDMEM_READ, .path = "/\xff\xc3\xa4\xc3", .path_size = 5 });
}

static void test_escape(void **state)
{
	(void)state;
	struct buffer lines = { 0 };
	struct index_entry entry = { .start = 0x1000, .size = 1, .path = "/\xc3\xa4\xff", .path_size = 4 };

	assert_int_equal(index_append(&lines, "dump", &entry), 0);
	lines.bytes[lines.size - 1] = 0;
	assert_non_null(strstr(lines.bytes, "\"path\":\"/\xc3\xa4\\\\xff\",\"path_hex\":\"2fc3a4ff\""));
	buffer_done(&lines);
}

static void test_bad_lines(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"{}",
		"[]",
		"1",
		"{",
		/* no content named, or two kinds of it */
		"{\"start\":\"0x1000\",\"end\":\"0x2000\",\"perms\":\"rw-p\",\"path\":\"\"}",
		"{\"start\":\"0x1000\",\"end\":\"0x2000\",\"offset\":0,\"zero\":true,\"perms\":\"rw-p\",\"path\":\"\"}",
		/* ranges */
		"{\"start\":\"0x2000\",\"end\":\"0x1000\",\"offset\":0,\"perms\":\"rw-p\",\"path\":\"\"}",
		"{\"start\":\"0x1000\",\"end\":\"0x1000\",\"offset\":0,\"perms\":\"rw-p\",\"path\":\"\"}",
		"{\"start\":\"4096\",\"end\":\"0x2000\",\"offset\":0,\"perms\":\"rw-p\",\"path\":\"\"}",
		"{\"start\":4096,\"end\":8192,\"offset\":0,\"perms\":\"rw-p\",\"path\":\"\"}",
		"{\"start\":\"0x10000000000000000\",\"end\":\"0x10000000000000000\",\"offset\":0,\"perms\":\"rw-p\","
		"\"path\":\"\"}",
		/* offsets */
		"{\"start\":\"0x1000\",\"end\":\"0x2000\",\"offset\":-1,\"perms\":\"rw-p\",\"path\":\"\"}",
		"{\"start\":\"0x1000\",\"end\":\"0x2000\",\"offset\":9223372036854775807,\"perms\":\"rw-p\",\"path\":"
		"\"\"}",
		"{\"start\":\"0x1000\",\"end\":\"0x2000\",\"offset\":\"0\",\"perms\":\"rw-p\",\"path\":\"\"}",
		/* words */
		"{\"start\":\"0x1000\",\"end\":\"0x2000\",\"why\":\"because\",\"class\":\"no_content\",\"perms\":\"rw-"
		"p\",\"path\":\"\"}",
		"{\"start\":\"0x1000\",\"end\":\"0x2000\",\"why\":\"guard\",\"class\":\"read\",\"perms\":\"rw-p\","
		"\"path\":\"\"}",
		"{\"start\":\"0x1000\",\"end\":\"0x2000\",\"offset\":0,\"perms\":\"rw\",\"path\":\"\"}",
		"{\"start\":\"0x1000\",\"end\":\"0x2000\",\"offset\":0,\"perms\":\"rw-p\"}",
		"{\"start\":\"0x1000\",\"end\":\"0x2000\",\"offset\":0,\"perms\":\"rw-p\",\"path\":\"\",\"path_hex\":"
		"\"0g\"}",
		"{\"start\":\"0x1000\",\"end\":\"0x2000\",\"offset\":0,\"perms\":\"rw-p\",\"path\":\"\",\"path_hex\":"
		"\"2f002f\"}",
		"{\"start\":\"0x1000\",\"end\":\"0x2000\",\"offset\":0,\"perms\":\"rw-p\",\"path\":\"\",\"path_hex\":"
		"\"2f7\"}",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct index_entry entry;
		struct index_texts texts;
		struct pidmem_error error;
		if (index_parse_line(bad[i], strlen(bad[i]), &entry, &texts, &error) >= 0)
			fail_msg("taken for a good line: %s", bad[i]);
		assert_int_equal(error.code, PIDMEM_FORMAT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_bad_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
