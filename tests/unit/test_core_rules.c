/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which memory goes into a core file: the rules, one row for each way through them, and the parsers of their facts. */
#include "unit.h"

#include <elf.h>
#include <string.h>

#include "process/coredump.h"
#include "process/task.h"

#define ALL 0x7fU

static const struct rule {
	const char *what;
	struct coredump_facts facts;
	unsigned filter;
	enum coredump_extent extent;
} rules[] = {
	{ "vdso whatever the filter", { .kernel = true }, 0, COREDUMP_WHOLE },
	{ "vvar is I/O and DONTDUMP",
	  { .kernel = true, .vm_flags = PIDMEM_VM_IO | PIDMEM_VM_DONTDUMP },
	  0,
	  COREDUMP_WHOLE },
	{ "DONTDUMP whatever the filter", { .written = true, .vm_flags = PIDMEM_VM_DONTDUMP }, ALL, COREDUMP_NOTHING },
	{ "DONTDUMP before hugetlb", { .vm_flags = PIDMEM_VM_DONTDUMP | PIDMEM_VM_HUGETLB }, ALL, COREDUMP_NOTHING },
	{ "private hugetlb", { .file = true, .vm_flags = PIDMEM_VM_HUGETLB }, 0x20, COREDUMP_WHOLE },
	{ "private hugetlb, its bit off",
	  { .file = true, .written = true, .vm_flags = PIDMEM_VM_HUGETLB },
	  ALL & ~0x20U,
	  COREDUMP_NOTHING },
	{ "shared hugetlb", { .shared = true, .file = true, .vm_flags = PIDMEM_VM_HUGETLB }, 0x40, COREDUMP_WHOLE },
	{ "shared hugetlb, its bit off",
	  { .shared = true, .file = true, .unlinked = true, .vm_flags = PIDMEM_VM_HUGETLB },
	  ALL & ~0x40U,
	  COREDUMP_NOTHING },
	{ "I/O", { .written = true, .vm_flags = PIDMEM_VM_IO }, ALL, COREDUMP_NOTHING },
	{ "shared I/O", { .shared = true, .file = true, .vm_flags = PIDMEM_VM_IO }, ALL, COREDUMP_NOTHING },
	{ "bare page frames alone are no reason",
	  { .written = true, .vm_flags = PIDMEM_VM_PFNMAP },
	  1,
	  COREDUMP_WHOLE },
	{ "shared, without a name", { .shared = true, .file = true, .unlinked = true }, 0x02, COREDUMP_WHOLE },
	{ "shared, without a name, its bit off",
	  { .shared = true, .file = true, .unlinked = true },
	  ALL & ~0x02U,
	  COREDUMP_NOTHING },
	{ "shared file", { .shared = true, .file = true }, 0x08, COREDUMP_WHOLE },
	{ "shared file, its bit off",
	  { .shared = true, .file = true, .header = true, .executable = true },
	  ALL & ~0x08U,
	  COREDUMP_NOTHING },
	{ "written", { .written = true }, 0x01, COREDUMP_WHOLE },
	{ "written, its bit off", { .written = true }, ALL & ~0x01U, COREDUMP_NOTHING },
	{ "never written, no file", { 0 }, ALL, COREDUMP_NOTHING },
	{ "written file", { .file = true, .written = true }, 0x01, COREDUMP_WHOLE },
	{ "written file by the bit of files", { .file = true, .written = true }, 0x04, COREDUMP_WHOLE },
	{ "file", { .file = true }, 0x04, COREDUMP_WHOLE },
	{ "file by default", { .file = true }, COREDUMP_DEFAULT, COREDUMP_NOTHING },
	{ "program by default", { .file = true, .header = true, .executable = true }, COREDUMP_DEFAULT, COREDUMP_PAGE },
	{ "library by default", { .file = true, .header = true }, COREDUMP_DEFAULT, COREDUMP_PAGE_IF_ELF },
	{ "header, its bit off", { .file = true, .header = true, .executable = true }, ALL & ~0x14U, COREDUMP_NOTHING },
	{ "not from the first page on", { .file = true, .executable = true }, 0x10, COREDUMP_NOTHING },
	{ "written program with headers alone",
	  { .file = true, .header = true, .executable = true, .written = true },
	  0x10,
	  COREDUMP_PAGE },
	{ "locked, wiped, not copied: no reasons",
	  { .written = true, .vm_flags = PIDMEM_VM_LOCKED | PIDMEM_VM_WIPEONFORK | PIDMEM_VM_DONTCOPY },
	  1,
	  COREDUMP_WHOLE },
};

static void test_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		enum coredump_extent extent = coredump_rule(&rules[i].facts, rules[i].filter);
		if (extent != rules[i].extent)
			fail_msg("%s: %d, not %d", rules[i].what, extent, rules[i].extent);
	}
}

static void test_place(void **state)
{
	static const struct {
		const char *text;
		bool found;
		uint64_t pc, sp;
	} cases[] = {
		{ "0 0x0 0x7ffe75cf641f 0x1 0x7f42695a2fe8 0x0 0x0 0x7ffe75cf63e0 0x7f426968d2ec\n", true,
		  0x7f426968d2ec, 0x7ffe75cf63e0 },
		{ "-1 0x7ffe75cf63e0 0x7f426968d2ec\n", true, 0x7f426968d2ec, 0x7ffe75cf63e0 },
		{ "running\n", false, 0, 0 },
		{ "-1\n", false, 0, 0 },
		{ "-1 0x5\n", false, 0, 0 },
		{ "", false, 0, 0 },
		{ "0x1", false, 0, 0 },
	};
	uint64_t pc, sp;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(task_place_parse(cases[i].text, &pc, &sp), cases[i].found);
		if (cases[i].found)
			assert_true(pc == cases[i].pc && sp == cases[i].sp);
	}
}

static void test_auxv(void **state)
{
	uint64_t wide[] = { 33, 0x7fff0000, AT_PHENT, sizeof(Elf64_Phdr), AT_NULL, 0, 5, 5 };
	uint32_t narrow[] = { 32, 0xf7f00000, 33, 0xf7f01000, AT_PHENT, sizeof(Elf32_Phdr), AT_NULL, 0, 7 };
	bool is_64 = false;

	(void)state;
	assert_int_equal(auxv_parse(wide, sizeof wide, &is_64), 6 * 8); /* its end included, and nothing behind it */
	assert_true(is_64);
	assert_int_equal(auxv_parse(narrow, sizeof narrow, &is_64), 8 * 4);
	assert_false(is_64);
	assert_int_equal(auxv_parse(wide, 5UL * 8, &is_64), 0); /* cut off */
	assert_int_equal(auxv_parse(wide + 4, 16, &is_64), 0);
	assert_int_equal(auxv_parse(NULL, 0, &is_64), 0);
	assert_false(is_64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_auxv),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
