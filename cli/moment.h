/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The processes that a command reads, and the moment at which it reads them: as --consistency asks for, or the default.
 */
#ifndef CLI_MOMENT_H
#define CLI_MOMENT_H

#include "command.h"

struct moment {
	const struct invocation *invocation;
	struct pidmem_process **named; /* those of the operands */
	size_t named_count;
	struct pidmem_freeze *freeze; /* NULL: they run on, and `live` has each of them */
	struct {
		struct pidmem_source *source;
		size_t threads;
	} * live;
	uint64_t elapsed_us; /* what it took to hold them */
};

/* Open the first `count` operands. 0, or EXIT_FAILED after a message; close it anyway. */
int moment_open(const struct invocation *invocation, size_t count, struct moment *moment);

/*
 * Hold them, all at one moment. Where no --consistency was given, by the default `standard`, or by less than that where
 * it is not to be had, with a warning. 0, or EXIT_FAILED after a message.
 */
int moment_hold(struct moment *moment, enum pidmem_consistency standard, struct pidmem_freeze_options *how);

/* What is held: the processes that were named, and then their descendants. */
size_t moment_count(const struct moment *moment);
struct pidmem_process *moment_process(const struct moment *moment, size_t index);
struct pidmem_source *moment_source(const struct moment *moment, size_t index);

/* Let them go: nothing can be read any more. Called again it does nothing. 0, or EXIT_FAILED after a message. */
int moment_release(struct moment *moment);
void moment_close(struct moment *moment);

/* After the release, of one process: the members "consistency" to "threads", and "shared" of a frozen one. */
void moment_json(const struct moment *moment, size_t index);
/* "paused 11.4 ms (snapshot), 37 threads" */
void moment_text(const struct moment *moment, size_t index);
/* Warn of threads that could not be stopped. */
void moment_warn(const struct moment *moment, size_t index);

/* Microseconds, for differences. */
uint64_t moment_clock(void);

#endif
