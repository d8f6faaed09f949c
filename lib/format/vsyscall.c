/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/vsyscall.h"

#include <string.h>

/* arch/x86/entry/vsyscall/vsyscall_emu_64.S: three functions, each `mov $NUMBER,%rax; syscall; ret`, and int3. */
void vsyscall_fill(unsigned char *page)
{
	static const unsigned char numbers[][2] = { { 96, 0 }, { 201, 0 }, { 0x35, 0x01 } };
	unsigned char code[] = { 0x48, 0xc7, 0xc0, 0, 0, 0, 0, 0x0f, 0x05, 0xc3 };

	memset(page, 0xcc, VSYSCALL_SIZE);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) { /* gettimeofday, time, getcpu */
		memcpy(code + 3, numbers[i], sizeof numbers[i]);
		memcpy(page + i * 1024, code, sizeof code);
	}
}
