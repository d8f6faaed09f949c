/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bytes of core files: notes against the structures of <sys/procfs.h>, headers of both classes. */
#include "unit.h"

#include <elf.h>
#include <signal.h>
#include <string.h>
#include <sys/procfs.h>

#include "format/elf_headers.h"
#include "format/file_note.h"
#include "format/note.h"
#include "format/status_notes.h"
#include "format/vsyscall.h"
#include "format/xsave_note.h"

/* The bytes of the only note in a buffer, which must be of this kind. */
static const char *only_note(const struct buffer *out, const char *owner, uint32_t type, size_t size)
{
	Elf32_Nhdr header;

	memcpy(&header, out->bytes, sizeof header);
	assert_int_equal(header.n_type, type);
	assert_int_equal(header.n_namesz, strlen(owner) + 1);
	assert_int_equal(header.n_descsz, size);
	assert_string_equal(out->bytes + sizeof header, owner);
	assert_int_equal(out->size, note_size(owner, size));
	return out->bytes + note_size(owner, 0);
}

static void test_note(void **state)
{
	static const unsigned char expected[] = { 7,   0,   0,   0,   5, 0, 0,   0,   9,   0,   0,   0, 'p', 'i',
						  'd', 'm', 'e', 'm', 0, 0, 'h', 'e', 'l', 'l', 'o', 0, 0,   0 };
	AUTO_BUFFER out = { 0 };

	(void)state;
	assert_int_equal(note_add(&out, "pidmem", 9, "hello", 5), 0);
	assert_int_equal(out.size, sizeof expected);
	if (*(const unsigned char *)&(int){ 1 }) /* little-endian */
		assert_memory_equal(out.bytes, expected, sizeof expected);
	assert_int_equal(note_add(&out, "CORE", 1, NULL, 0), 0);
	assert_int_equal(out.size, sizeof expected + 20);
}

static const struct core_thread thread = {
	.ids = { 4243, 17, 4242, 4000 },
	.signal = SIGSTOP,
	.pending = 0x8000000000000001,
	.blocked = 0x7ffffffe00000002,
	.microseconds = { 1500000, 2, 3000003, 4999999 },
	.floating_point = true,
};

#if defined(__x86_64__)
static void test_status_64(void **state)
{
	AUTO_BUFFER out = { 0 };
	struct core_thread told = thread;
	prstatus_t found;
	unsigned char registers[sizeof found.pr_reg];

	(void)state;
	memset(registers, 0xa5, sizeof registers);
	told.registers = registers;
	told.registers_size = sizeof registers;
	assert_int_equal(prstatus_add(&out, &core_layout_64, EM_X86_64, &told), 0);
	memcpy(&found, only_note(&out, "CORE", NT_PRSTATUS, sizeof found), sizeof found);
	assert_int_equal(found.pr_info.si_signo, SIGSTOP);
	assert_int_equal(found.pr_cursig, SIGSTOP);
	assert_true(found.pr_sigpend == thread.pending && found.pr_sighold == thread.blocked);
	assert_int_equal(found.pr_pid, 4243);
	assert_int_equal(found.pr_ppid, 17);
	assert_int_equal(found.pr_pgrp, 4242);
	assert_int_equal(found.pr_sid, 4000);
	assert_true(found.pr_utime.tv_sec == 1 && found.pr_utime.tv_usec == 500000);
	assert_true(found.pr_stime.tv_sec == 0 && found.pr_stime.tv_usec == 2);
	assert_true(found.pr_cutime.tv_sec == 3 && found.pr_cutime.tv_usec == 3);
	assert_true(found.pr_cstime.tv_sec == 4 && found.pr_cstime.tv_usec == 999999);
	assert_memory_equal(found.pr_reg, registers, sizeof registers);
	assert_int_equal(found.pr_fpvalid, 1);
}

/* Of a thread that did not stop: where it is, and zeros. */
static void test_place_64(void **state)
{
	AUTO_BUFFER out = { 0 };
	struct core_thread told = { .registers_size = 27UL * 8, .pc = 0x1122334455, .sp = 0x7fff11223344 };
	prstatus_t found;

	(void)state;
	assert_int_equal(prstatus_add(&out, &core_layout_64, EM_X86_64, &told), 0);
	memcpy(&found, only_note(&out, "CORE", NT_PRSTATUS, sizeof found), sizeof found);
	assert_true(found.pr_reg[16] == told.pc && found.pr_reg[19] == told.sp && found.pr_reg[0] == 0);
	assert_int_equal(found.pr_fpvalid, 0);
}

static void test_psinfo_64(void **state)
{
	static const char arguments[] = "redis-server\0--port\0";
	AUTO_BUFFER out = { 0 };
	struct core_process told = {
		.ids = { 1, 2, 3, 4 },
		.state = 'S',
		.nice = -5,
		.flags = 0x123456789a,
		.uid = 100000,
		.gid = 5,
		.name = "a name that is far too long",
		.arguments = arguments,
		.arguments_size = sizeof arguments - 1,
	};
	prpsinfo_t found;

	(void)state;
	assert_int_equal(prpsinfo_add(&out, &core_layout_64, &told), 0);
	memcpy(&found, only_note(&out, "CORE", NT_PRPSINFO, sizeof found), sizeof found);
	assert_true(found.pr_state == 1 && found.pr_sname == 'S' && !found.pr_zomb && found.pr_nice == -5);
	assert_true(found.pr_flag == 0x123456789a && found.pr_uid == 100000 && found.pr_gid == 5);
	assert_true(found.pr_pid == 1 && found.pr_ppid == 2 && found.pr_pgrp == 3 && found.pr_sid == 4);
	assert_string_equal(found.pr_fname, "a name that is ");
	assert_string_equal(found.pr_psargs, "redis-server --port ");
}
#endif

/* Offsets as in a core of a 32-bit program, written by Linux 6.18. */
static void test_status_32(void **state)
{
	AUTO_BUFFER out = { 0 };
	unsigned char registers[17 * 4];
	struct core_thread told = thread;
	uint32_t words[36];

	(void)state;
	memset(registers, 0x5a, sizeof registers);
	told.registers = registers;
	told.registers_size = sizeof registers;
	assert_int_equal(prstatus_add(&out, &core_layout_32, EM_386, &told), 0);
	memcpy(words, only_note(&out, "CORE", NT_PRSTATUS, sizeof words), sizeof words);
	assert_true(words[0] == SIGSTOP && words[3] == SIGSTOP && words[4] == 1 && words[5] == 2);
	assert_true(words[6] == 4243 && words[7] == 17 && words[8] == 4242 && words[9] == 4000);
	assert_true(words[10] == 1 && words[11] == 500000 && words[16] == 4 && words[17] == 999999);
	assert_memory_equal(words + 18, registers, sizeof registers);
	assert_int_equal(words[35], 1);
}

static void test_psinfo_32(void **state)
{
	static char arguments[100];
	AUTO_BUFFER out = { 0 };
	struct core_process told = { .ids = { 1, 2, 3, 4 },
				     .state = 't',
				     .flags = 0x87654321,
				     .uid = 65536,
				     .gid = 7,
				     .name = "x",
				     .arguments = arguments,
				     .arguments_size = sizeof arguments };
	const char *info;

	(void)state;
	memset(arguments, 'a', sizeof arguments);
	assert_int_equal(prpsinfo_add(&out, &core_layout_32, &told), 0);
	info = only_note(&out, "CORE", NT_PRPSINFO, 124);
	assert_true(info[0] == 3 && info[1] == 'T');
	assert_memory_equal(info + 4, &(uint32_t){ 0x87654321 }, 4);
	assert_memory_equal(info + 8, ((uint16_t[]){ 65534, 7 }), 4); /* what has no room: as high2lowuid() */
	assert_memory_equal(info + 12, ((uint32_t[]){ 1, 2, 3, 4 }), 16);
	assert_string_equal(info + 28, "x");
	assert_int_equal(strlen(info + 44), 79);
}

static void test_siginfo(void **state)
{
	siginfo_t told = { .si_signo = SIGUSR1, .si_code = SI_QUEUE };
	const struct core_layout *other = sizeof(long) == 8 ? &core_layout_32 : &core_layout_64;
	siginfo_t found;

	(void)state;
	told.si_pid = 77;
	for (int round = 0; round < 3; round++) {
		AUTO_BUFFER out = { 0 };
		const struct core_layout *layout = round == 1 ? other : core_layout_of(sizeof(long) == 8);
		int signal = round == 2 ? SIGSTOP : SIGUSR1;
		assert_int_equal(siginfo_add(&out, layout, signal, (const unsigned char *)&told), 0);
		memcpy(&found, only_note(&out, "CORE", NT_SIGINFO, 128), sizeof found);
		assert_int_equal(found.si_signo, signal);
		assert_int_equal(found.si_code, round == 2 ? 0 : SI_QUEUE);
		assert_int_equal(found.si_pid, round == 0 ? 77 : 0);
	}
}

static void test_files(void **state)
{
	static const char names[] = "/usr/bin/x y\0/tmp/gone (deleted)";
	uint64_t words[] = { 2, 4096, 0x1000, 0x3000, 5, 0x7000, 0x8000, 0 };
	uint32_t halves[] = { 2, 4096, 0x1000, 0x3000, 5, 0x7000, 0x8000, 0 };

	(void)state;
	for (int wide = 0; wide <= 1; wide++) {
		const struct core_layout *layout = core_layout_of(wide);
		size_t head = wide ? sizeof words : sizeof halves;
		AUTO_FILE_NOTE files = { 0 };
		AUTO_BUFFER out = { 0 };
		assert_int_equal(file_note_add(&out, layout, &files), 0);
		assert_int_equal(out.size, 0); /* no files, no note */
		assert_int_equal(file_note_map(&files, layout, 0x1000, 0x2000, 5UL * 4096, "/usr/bin/x y", false), 0);
		assert_int_equal(file_note_map(&files, layout, 0x7000, 0x1000, 0, "/tmp/gone", true), 0);
		assert_int_equal(file_note_add(&out, layout, &files), 0);
		const char *found = only_note(&out, "CORE", NT_FILE, head + sizeof names);
		assert_memory_equal(found, wide ? (const void *)words : halves, head);
		assert_memory_equal(found + head, names, sizeof names);
	}
}

static void test_headers(void **state)
{
	static const struct elf_segment segments[] = {
		{ .type = PT_NOTE, .offset = 0x100, .file_size = 0x20, .align = 4 },
		{ PT_LOAD, PF_R | PF_X, 0x2000, 0x1000, 0xfffff000, 0x800, 0x1000 },
	};
	AUTO_BUFFER wide = { 0 };
	AUTO_BUFFER narrow = { 0 };
	Elf64_Ehdr header;
	Elf64_Phdr load;
	Elf32_Ehdr header_32;
	Elf32_Phdr load_32;

	(void)state;
	assert_int_equal(elf_headers_add(&wide, true, EM_X86_64, segments, 2, 99), 0);
	assert_int_equal(wide.size, elf_headers_size(true, 2));
	memcpy(&header, wide.bytes, sizeof header);
	memcpy(&load, wide.bytes + sizeof header + sizeof load, sizeof load);
	assert_memory_equal(header.e_ident, "\177ELF\2", 5);
	assert_true(header.e_type == ET_CORE && header.e_machine == EM_X86_64 && header.e_phoff == sizeof header &&
		    header.e_phnum == 2 && header.e_phentsize == sizeof load && header.e_shoff == 0 &&
		    header.e_shnum == 0);
	assert_true(load.p_type == PT_LOAD && load.p_flags == (PF_R | PF_X) && load.p_offset == 0x2000 &&
		    load.p_filesz == 0x1000 && load.p_vaddr == 0xfffff000 && load.p_memsz == 0x800 &&
		    load.p_align == 0x1000 && load.p_paddr == 0);
	assert_int_equal(elf_headers_add(&narrow, false, EM_386, segments, 2, 99), 0);
	assert_int_equal(narrow.size, elf_headers_size(false, 2));
	memcpy(&header_32, narrow.bytes, sizeof header_32);
	memcpy(&load_32, narrow.bytes + sizeof header_32 + sizeof load_32, sizeof load_32);
	assert_memory_equal(header_32.e_ident, "\177ELF\1", 5);
	assert_true(header_32.e_machine == EM_386 && header_32.e_phnum == 2 && load_32.p_vaddr == 0xfffff000 &&
		    load_32.p_filesz == 0x1000 && load_32.p_memsz == 0x800);
}

/* 65,535 segments and more: the number is in a section header. */
static void test_many_segments(void **state)
{
	static const size_t counts[] = { PN_XNUM - 1, PN_XNUM, PN_XNUM + 1, 70000 };
	struct elf_segment *segments = calloc(70000, sizeof *segments);

	(void)state;
	for (size_t i = 0; i < 2 * sizeof counts / sizeof *counts; i++) {
		AUTO_BUFFER out = { 0 };
		size_t count = counts[i / 2];
		bool is_64 = i % 2, extended = count >= PN_XNUM;
		Elf64_Shdr section;
		Elf64_Ehdr header;
		assert_int_equal(elf_headers_add(&out, is_64, EM_X86_64, segments, count, 0x123456), 0);
		assert_int_equal(out.size, elf_headers_size(is_64, count));
		assert_int_equal(elf_count_is_extended(count), extended);
		memcpy(&header, out.bytes, sizeof header);
		if (!is_64)
			continue;
		assert_int_equal(header.e_phnum, extended ? PN_XNUM : count);
		assert_int_equal(header.e_shoff, extended ? 0x123456 : 0);
		assert_int_equal(header.e_shnum, extended);
		assert_int_equal(header.e_shentsize, extended ? sizeof section : 0);
		out.size = 0;
		assert_int_equal(elf_extended_count_add(&out, true, count), 0);
		assert_int_equal(out.size, sizeof(Elf64_Shdr));
		memcpy(&section, out.bytes, sizeof section);
		assert_true(section.sh_info == count && section.sh_size == 1 && section.sh_type == SHT_NULL);
	}
	free(segments);
}

static void test_small(void **state)
{
	static const unsigned char time_call[] = { 0x48, 0xc7, 0xc0, 0xc9, 0, 0, 0, 0x0f, 0x05, 0xc3, 0xcc };
	unsigned char page[VSYSCALL_SIZE];
	AUTO_BUFFER out = { 0 };

	(void)state;
	vsyscall_fill(page);
	assert_memory_equal(page + 1024, time_call, sizeof time_call);
	assert_int_equal(page[VSYSCALL_SIZE - 1], 0xcc);
	/* No part beyond the legacy area, or a set that is too short to tell. */
	memset(page, 0, sizeof page);
	assert_int_equal(xsave_note_add(&out, page, sizeof page), 0);
	memset(page, 0xff, sizeof page);
	assert_int_equal(xsave_note_add(&out, page, 464), 0);
	assert_int_equal(out.size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_note),
#if defined(__x86_64__)
		cmocka_unit_test(test_status_64),
		cmocka_unit_test(test_place_64),
		cmocka_unit_test(test_psinfo_64),
#endif
		cmocka_unit_test(test_status_32),
		cmocka_unit_test(test_psinfo_32),
		cmocka_unit_test(test_siginfo),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_many_segments),
		cmocka_unit_test(test_small),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
