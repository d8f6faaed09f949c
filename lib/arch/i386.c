/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* i386: registers as the 32-bit struct user_regs_struct, which a 64-bit tracer gets of a 32-bit thread as well. */
#include <elf.h>

#include "arch/arch.h"

enum { EBX, ECX, EDX, ESI, EDI, EBP, EAX, DS, ES, FS, GS, ORIG_EAX, EIP, CS, FLAGS, ESP, SS };
#define REGISTERS 17UL

static void set_call(void *registers, uint64_t instruction, long number, const uint64_t arguments[6])
{
	static const int order[6] = { EBX, ECX, EDX, ESI, EDI, EBP };
	uint32_t *values = registers;

	for (int i = 0; i < 6; i++)
		values[order[i]] = (uint32_t)arguments[i];
	values[EAX] = (uint32_t)number;
	values[ORIG_EAX] = (uint32_t)-1; /* see x86_64.c */
	values[EIP] = (uint32_t)instruction;
}

static long call_result(const void *registers)
{
	return (int32_t)((const uint32_t *)registers)[EAX];
}

/* __USER32_CS of a 64-bit kernel, __USER_CS of a 32-bit one. */
static bool can_call(const void *registers)
{
	uint32_t segment = ((const uint32_t *)registers)[CS] & 0xffff;

	return segment == 0x23 || segment == 0x73;
}

static uint64_t program_counter(const void *registers)
{
	return ((const uint32_t *)registers)[EIP];
}

static void set_program_counter(void *registers, uint64_t value)
{
	((uint32_t *)registers)[EIP] = (uint32_t)value;
}

static uint64_t stack_pointer(const void *registers)
{
	return ((const uint32_t *)registers)[ESP];
}

static const struct arch_set sets[] = {
	{ NT_PRSTATUS, "CORE" },    { NT_PRFPREG, "CORE" },  { NT_PRXFPREG, "LINUX" },
	{ NT_X86_XSTATE, "LINUX" }, { NT_386_TLS, "LINUX" },
};

const struct arch arch_i386 = {
	.name = "i386",
	.machine = EM_386,
	.registers_size = REGISTERS * 4,
	.sets = sets,
	.set_count = sizeof sets / sizeof sets[0],
	.instruction = { 0xcd, 0x80 }, /* int $0x80 */
	.instruction_size = 2,
	.calls = { .clone = 120, .wait4 = 114, .close_range = 436, .munmap = 91, .close = 6, .userfaultfd = 374 },
	.user_size = 0xffffe000,
	.set_call = set_call,
	.call_result = call_result,
	.can_call = can_call,
	.program_counter = program_counter,
	.set_program_counter = set_program_counter,
	.stack_pointer = stack_pointer,
};
