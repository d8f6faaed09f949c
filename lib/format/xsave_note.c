/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/xsave_note.h"

#include <stdint.h>
#include <string.h>

#include "format/note.h"

#define XSAVE_LAYOUT 0x205 /* NT_X86_XSAVE_LAYOUT */

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>

/* Of the legacy area, where the kernel tells which parts there are (struct xstate_header's neighbour, sw_reserved). */
#define FEATURES_AT 464
#define FIRST_EXTENDED 2 /* 0 and 1, x87 and SSE, are in the legacy area */

/* struct x86_xfeature_component of arch/x86/include/uapi/asm/elf.h */
struct component {
	uint32_t type, size, offset, flags;
};

int xsave_note_add(struct buffer *out, const unsigned char *xstate, size_t size)
{
	struct component components[64];
	size_t count = 0;
	uint64_t features;

	if (size < FEATURES_AT + sizeof features)
		return 0;
	memcpy(&features, xstate + FEATURES_AT, sizeof features);
	for (uint32_t i = FIRST_EXTENDED; i < 63; i++) {
		uint32_t length, offset, ecx, edx;
		if (!(features >> i & 1) || !__get_cpuid_count(0xd, i, &length, &offset, &ecx, &edx))
			continue;
		components[count++] = (struct component){ .type = i, .size = length, .offset = offset };
	}
	return count ? note_add(out, "LINUX", XSAVE_LAYOUT, components, count * sizeof *components) : 0;
}
#else
int xsave_note_add(struct buffer *out, const unsigned char *xstate, size_t size)
{
	(void)out, (void)xstate, (void)size;
	return 0;
}
#endif
