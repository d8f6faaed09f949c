/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How far a long job has come, on stderr. `auto` shows nothing in the first half second and nothing where stderr is no
 * terminal; a NULL progress is a no-op.
 */
#ifndef UI_PROGRESS_H
#define UI_PROGRESS_H

#include "command.h"

#include <stdint.h>

struct progress {
	uint64_t (*clock)(void); /* microseconds; another one may be put in after progress_begin() */
	uint64_t begun, drawn;
	bool off, terminal, shown;
	uint64_t delay, interval;
};

void progress_begin(struct progress *progress, const struct invocation *invocation);
void progress_update(struct progress *progress, uint64_t done, uint64_t expected);
/* On a terminal wipe the line, elsewhere write the last one; `total` is 0 if the job did not come to its end. */
void progress_end(struct progress *progress, uint64_t total);

#endif
