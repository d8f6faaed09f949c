/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The note that tells how a core file came about and what it lacks: owner "pidmem", JSON, of one size always, so that
 * it can stand behind the content, which must be written first to know, and in headers that are written before.
 */
#ifndef SAVE_CORE_RECORD_H
#define SAVE_CORE_RECORD_H

#include "base/buffer.h"
#include "format/record.h"
#include "pidmem.h"

/* Of the whole note, its header included. */
size_t core_record_size(void);

/*
 * Append the note: {"pidmem":1,"command":"core","consistency","engine","fallback","pause_us","threads","unstopped",
 * "account","holes","holes_omitted"}, then blanks. Holes as in the account of the command, as many as there is room
 * for; *omitted are the others. `freeze`: how the source was frozen. 0 or -ENOMEM.
 */
int core_record_add(struct buffer *out, const struct pidmem_freeze_report *freeze, const struct pidmem_account *account,
		    size_t *omitted);

#endif
