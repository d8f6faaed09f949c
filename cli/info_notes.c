/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of notes: elf.h, and those of debuggers and of pidmem. */
#include "info.h"

#include <elf.h>
#include <string.h>

static const struct {
	const char *owner;
	uint32_t type;
	const char *name;
} names[] = {
	{ "CORE", NT_PRSTATUS, "NT_PRSTATUS" },
	{ "CORE", NT_PRFPREG, "NT_FPREGSET" },
	{ "CORE", NT_PRPSINFO, "NT_PRPSINFO" },
	{ "CORE", NT_AUXV, "NT_AUXV" },
	{ "CORE", NT_SIGINFO, "NT_SIGINFO" },
	{ "CORE", NT_FILE, "NT_FILE" },
	{ "LINUX", NT_PRXFPREG, "NT_PRXFPREG" },
	{ "LINUX", NT_386_TLS, "NT_386_TLS" },
	{ "LINUX", NT_386_IOPERM, "NT_386_IOPERM" },
	{ "LINUX", NT_X86_XSTATE, "NT_X86_XSTATE" },
	{ "LINUX", 0x204, "NT_X86_SHSTK" },
	{ "LINUX", 0x205, "NT_X86_XSAVE_LAYOUT" },
	{ "LINUX", NT_ARM_TLS, "NT_ARM_TLS" },
	{ "LINUX", NT_ARM_SVE, "NT_ARM_SVE" },
	{ "LINUX", NT_ARM_PAC_MASK, "NT_ARM_PAC_MASK" },
	{ "GDB", 0xff000000, "NT_GDB_TDESC" },
	{ "pidmem", 0x504d454d, "completeness" },
};

const char *info_note_name(const struct pidmem_file_note *note)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].type == note->type && !strcmp(names[i].owner, note->owner))
			return names[i].name;
	return NULL;
}
