/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NT_X86_XSAVE_LAYOUT: where each part of NT_X86_XSTATE stands, which differs between processors (Linux 6.12). */
#ifndef FORMAT_XSAVE_NOTE_H
#define FORMAT_XSAVE_NOTE_H

#include "base/buffer.h"

/*
 * Append the note for a set NT_X86_XSTATE of this processor. Nothing is added where it has no extended parts, and by a
 * library that was compiled for something else than x86.
 */
int xsave_note_add(struct buffer *out, const unsigned char *xstate, size_t size);

#endif
