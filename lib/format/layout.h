/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the members of struct elf_prstatus and elf_prpsinfo stand, by ELF class: include/linux/elfcore.h and
 * elfcore-compat.h of the kernel. What differs between architectures is the registers alone.
 */
#ifndef FORMAT_LAYOUT_H
#define FORMAT_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An integer of a structure. */
struct field {
	uint8_t at, size;
};

struct prstatus_layout {
	struct field signal, current_signal, pending, blocked, pid, ppid, pgrp, sid;
	/* Four struct timeval: user and system time, and those of the children. */
	struct field times;
	uint8_t registers; /* behind them an int: are there floating point registers? */
};

struct prpsinfo_layout {
	struct field state, letter, zombie, nice, flags, uid, gid, pid, ppid, pgrp, sid;
	uint8_t name, arguments, size;
};
#define PRPSINFO_NAME 16
#define PRPSINFO_ARGUMENTS 80

struct core_layout {
	uint8_t word; /* size of a long */
	struct prstatus_layout prstatus;
	struct prpsinfo_layout prpsinfo;
};
extern const struct core_layout core_layout_32, core_layout_64;

static inline const struct core_layout *core_layout_of(bool is_64)
{
	return is_64 ? &core_layout_64 : &core_layout_32;
}

/* Put a value where it belongs, cut to the size of the field, in this machine's order of bytes. */
void field_put(void *structure, struct field field, uint64_t value);
/* The value of a field, without sign. */
uint64_t field_get(const void *structure, struct field field);

#endif
