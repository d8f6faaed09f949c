/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a command needs that reads one target: its source of bytes, and the account of the run. */
#ifndef CLI_READING_H
#define CLI_READING_H

#include "moment.h"

struct reading {
	struct moment moment;
	struct target target;
	struct pidmem_source *source;
	struct pidmem_account *account;
};

/* Open what the first operand names, with the selection of -R: live, unless --consistency says otherwise. 0, or
 * EXIT_FAILED after a message. Close it anyway. */
int reading_open(const struct invocation *invocation, struct reading *reading);
void reading_close(struct reading *reading);

/*
 * While it is held still: whoever reads the output may take his time (a pager), and the process must not wait for that.
 * What is put out is kept, and written when the process runs on. 0, or EXIT_FAILED after a message.
 */
int reading_keep_output(const struct reading *reading);

#define AUTO_READING __attribute__((cleanup(reading_close))) struct reading

static inline void walk_close(struct pidmem_walk **walk)
{
	pidmem_walk_close(*walk);
}

#define AUTO_WALK __attribute__((cleanup(walk_close))) struct pidmem_walk *

#endif
