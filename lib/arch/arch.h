/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What differs from one architecture to the next: a const table of facts and a few tiny functions on register sets.
 * No file here talks to the kernel.
 *
 * To add an architecture: write its NAME.c with one `const struct arch arch_NAME`, declare it below, name it in
 * arch.c and in meson.build. `registers` is always the set NT_PRSTATUS in the layout that a tracer gets it in.
 */
#ifndef ARCH_ARCH_H
#define ARCH_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A register set that core files have, in the order of the kernel's own cores (its user_regset_view). */
struct arch_set {
	uint32_t note;     /* NT_* of elf.h */
	const char *owner; /* name of the note: "CORE" or "LINUX" */
};

struct arch {
	const char *name;
	uint16_t machine;      /* EM_* of elf.h */
	bool is_64;            /* ELFCLASS64 */
	size_t registers_size; /* of NT_PRSTATUS: also how a 32-bit thread is told on a 64-bit kernel */
	const struct arch_set *sets;
	size_t set_count;

	/* One injected system call. */
	unsigned char instruction[4]; /* that makes one */
	size_t instruction_size;
	struct {
		long clone, wait4, close_range, munmap, close, userfaultfd;
	} calls;
	uint64_t user_size; /* of the part of the address space that programs have */
	/* Point the program counter at `instruction`, put number and arguments in their registers, and see to it that
	 * the kernel takes no part of it for an interrupted system call to restart. */
	void (*set_call)(void *registers, uint64_t instruction, long number, const uint64_t arguments[6]);
	long (*call_result)(const void *registers);
	/* May this thread make a call as it stands (it is in the usual mode of this architecture)? */
	bool (*can_call)(const void *registers);
	uint64_t (*program_counter)(const void *registers);
	void (*set_program_counter)(void *registers, uint64_t value);
	uint64_t (*stack_pointer)(const void *registers);
};

/* The architecture of a set NT_PRSTATUS of this size, as this kernel gives them; NULL if there is none. */
const struct arch *arch_of_registers(size_t size);
/* The one of programs like this library itself. */
const struct arch *arch_native(void);
/* By ELF class, for processes of which no thread stopped: the 32- or 64-bit one of this kernel; NULL if there is none.
 */
const struct arch *arch_of_class(bool is_64);

extern const struct arch arch_x86_64;
extern const struct arch arch_i386;
extern const struct arch arch_aarch64;

#endif
