/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AArch64: registers as struct user_pt_regs. Compiled, never run so far.
 *
 * The kernel winds an interrupted system call back before it tells the tracer (do_signal() in arch/arm64/kernel/
 * signal.c), so there is nothing to keep from being restarted. But one that waits for a time (nanosleep, poll) then
 * begins again with the whole time: ERESTART_RESTARTBLOCK is set up only if the program counter is what it was.
 */
#include <elf.h>

#include "arch/arch.h"

enum { X0 = 0, X8 = 8, SP = 31, PC = 32, PSTATE = 33 };
#define REGISTERS 34UL
#define PSTATE_AARCH32 0x10U

static void set_call(void *registers, uint64_t instruction, long number, const uint64_t arguments[6])
{
	uint64_t *values = registers;

	for (int i = 0; i < 6; i++)
		values[X0 + i] = arguments[i];
	values[X8] = (uint64_t)number;
	values[PC] = instruction;
}

static long call_result(const void *registers)
{
	return (long)((const uint64_t *)registers)[X0];
}

static bool can_call(const void *registers)
{
	return !(((const uint64_t *)registers)[PSTATE] & PSTATE_AARCH32);
}

static uint64_t program_counter(const void *registers)
{
	return ((const uint64_t *)registers)[PC];
}

static void set_program_counter(void *registers, uint64_t value)
{
	((uint64_t *)registers)[PC] = value;
}

static uint64_t stack_pointer(const void *registers)
{
	return ((const uint64_t *)registers)[SP];
}

static const struct arch_set sets[] = {
	{ NT_PRSTATUS, "CORE" },      { NT_PRFPREG, "CORE" },       { NT_ARM_TLS, "LINUX" },
	{ NT_ARM_HW_BREAK, "LINUX" }, { NT_ARM_HW_WATCH, "LINUX" }, { 0x406, "LINUX" }, /* NT_ARM_PAC_MASK: Linux 5.0 */
};

const struct arch arch_aarch64 = {
	.name = "AArch64",
	.machine = EM_AARCH64,
	.is_64 = true,
	.registers_size = REGISTERS * 8,
	.sets = sets,
	.set_count = sizeof sets / sizeof sets[0],
	.instruction = { 0x01, 0x00, 0x00, 0xd4 }, /* svc #0 */
	.instruction_size = 4,
	.calls = { .clone = 220, .wait4 = 260, .close_range = 436, .munmap = 215, .close = 57, .userfaultfd = 282 },
	.user_size = 1ULL << 48,
	.set_call = set_call,
	.call_result = call_result,
	.can_call = can_call,
	.program_counter = program_counter,
	.set_program_counter = set_program_counter,
	.stack_pointer = stack_pointer,
};
