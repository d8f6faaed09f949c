/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* x86-64: registers as struct user_regs_struct of <sys/user.h>. */
#include <elf.h>

#include "arch/arch.h"

enum { R15, R14, R13, R12, RBP, RBX, R11, R10, R9, R8, RAX, RCX, RDX, RSI, RDI, ORIG_RAX, RIP, CS, FLAGS, RSP, SS };
#define REGISTERS 27UL /* and fs_base, gs_base, ds, es, fs, gs */

/* __USER_CS of arch/x86/include/asm/segment.h: 64-bit code. 0x23 is 32-bit code, where `syscall` differs. */
#define USER_CS 0x33

static void set_call(void *registers, uint64_t instruction, long number, const uint64_t arguments[6])
{
	static const int order[6] = { RDI, RSI, RDX, R10, R8, R9 };
	uint64_t *values = registers;

	for (int i = 0; i < 6; i++)
		values[order[i]] = arguments[i];
	values[RAX] = (uint64_t)number;
	values[ORIG_RAX] = (uint64_t)-1; /* not in a system call: nothing to restart (arch_do_signal_or_restart()) */
	values[RIP] = instruction;
}

static long call_result(const void *registers)
{
	return (long)((const uint64_t *)registers)[RAX];
}

static bool can_call(const void *registers)
{
	return ((const uint64_t *)registers)[CS] == USER_CS;
}

static uint64_t program_counter(const void *registers)
{
	return ((const uint64_t *)registers)[RIP];
}

static void set_program_counter(void *registers, uint64_t value)
{
	((uint64_t *)registers)[RIP] = value;
}

static uint64_t stack_pointer(const void *registers)
{
	return ((const uint64_t *)registers)[RSP];
}

static const struct arch_set sets[] = {
	{ NT_PRSTATUS, "CORE" },
	{ NT_PRFPREG, "CORE" },
	{ NT_X86_XSTATE, "LINUX" },
	{ 0x204, "LINUX" }, /* NT_X86_SHSTK: Linux 6.6 */
};

const struct arch arch_x86_64 = {
	.name = "x86-64",
	.machine = EM_X86_64,
	.is_64 = true,
	.registers_size = REGISTERS * 8,
	.sets = sets,
	.set_count = sizeof sets / sizeof sets[0],
	.instruction = { 0x0f, 0x05 }, /* syscall */
	.instruction_size = 2,
	.calls = { .clone = 56, .wait4 = 61, .close_range = 436, .munmap = 11, .close = 3, .userfaultfd = 323 },
	.user_size = 0x7ffffffff000,
	.set_call = set_call,
	.call_result = call_result,
	.can_call = can_call,
	.program_counter = program_counter,
	.set_program_counter = set_program_counter,
	.stack_pointer = stack_pointer,
};
