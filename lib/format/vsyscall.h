/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FORMAT_VSYSCALL_H
#define FORMAT_VSYSCALL_H

#include <stddef.h>

/*
 * The page [vsyscall] of x86-64, where it can be read at all (vsyscall=emulate): it is outside of the memory of every
 * process, and so not to be read through one. Fills 4096 bytes.
 */
#define VSYSCALL_SIZE 4096
void vsyscall_fill(unsigned char *page);

#endif
