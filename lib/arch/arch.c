/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "arch/arch.h"

/* What this kernel can show: the architecture that the library was compiled for, and its 32-bit sister. */
static const struct arch *const table[] = {
#if defined(__x86_64__)
	&arch_x86_64,
	&arch_i386,
#elif defined(__i386__)
	&arch_i386,
#elif defined(__aarch64__)
	&arch_aarch64,
#endif
};
#define COUNT (sizeof table / sizeof table[0])

const struct arch *arch_of_registers(size_t size)
{
	for (size_t i = 0; i < COUNT; i++)
		if (table[i]->registers_size == size)
			return table[i];
	return NULL;
}

const struct arch *arch_native(void)
{
	return COUNT ? table[0] : NULL;
}

const struct arch *arch_of_class(bool is_64)
{
	for (size_t i = 0; i < COUNT; i++)
		if (table[i]->is_64 == is_64)
			return table[i];
	return NULL;
}
