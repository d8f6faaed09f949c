/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How outputs are written: compressed or not, how much, how long, how fast. Options that core and dump have alike. */
#ifndef CLI_WRITING_H
#define CLI_WRITING_H

#include "command.h"

#include <stdint.h>

int writing_take_zstd(struct invocation *invocation, const char *argument);
int writing_take_max_size(struct invocation *invocation, const char *argument);
int writing_take_max_time(struct invocation *invocation, const char *argument);
int writing_take_rate(struct invocation *invocation, const char *argument);

struct writing {
	int zstd; /* level, 0: not compressed */
	uint64_t max_size, max_time_us, rate;
	bool partial, nice;
	uint64_t begun_us;
};
extern struct writing writing;

/* For the table of a command. */
/* clang-format off */
#define WRITING_OPTIONS \
	{ 'z', "zstd", "[=LEVEL]", \
	  "compress, by zstd, in frames that can be read one by one; 1 to 19 (default 3). The name of the file gets .zst", \
	  .take = writing_take_zstd }, \
	{ 0, "max-size", "SIZE", "write no more than this, or fail (see --partial)", .take = writing_take_max_size }, \
	{ 0, "max-time", "SECONDS", "take no longer than this, or fail (see --partial)", \
	  .take = writing_take_max_time }, \
	{ 0, "partial", NULL, \
	  "at one of these limits keep what there is; the rest is told as unreadable, and the exit status is 3", \
	  .flag = &writing.partial }, \
	{ 0, "rate", "RATE", "read no more than so many MiB a second", .take = writing_take_rate }, \
	{ 0, "nice", NULL, "use processors and disks only while nobody else wants them", .flag = &writing.nice }
/* clang-format on */

/* Do they go together? `stream`: the output has no holes. 0, or EXIT_FAILED after a message. */
int writing_check(const struct invocation *invocation, bool stream);

/* The name that an output gets, to be freed: with .zst if it is compressed, and is no device, pipe or "-". */
char *writing_name(const char *place);

/* --max-time begins to run. */
void writing_begin(void);
bool writing_is_late(void);
int fail_late(void);
/* What is left of it, in the form that the library takes: 0 is no limit. */
uint64_t writing_time_left(void);

/* --nice, from now on. Not while a process stands still until it is read: it would do so for longer. */
void writing_give_way(bool stands_still);

#endif
