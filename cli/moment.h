/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The processes that a command reads, and the moment at which it reads them: as --consistency asks for, or the default.
 */
#ifndef CLI_MOMENT_H
#define CLI_MOMENT_H

#include "family.h"
#include "target.h"
#include "ui/progress.h"

/* A process that is read as it runs. */
struct running {
	struct pidmem_process *process;
	struct pidmem_source *source;
	size_t threads;
	bool owned; /* a descendant, which no operand names */
};

struct moment {
	const struct invocation *invocation;
	struct pidmem_process **named; /* those of the operands */
	struct target file;            /* or what is read is a file, and nothing else */
	size_t named_count;
	struct pidmem_freeze *freeze; /* NULL: they run on */
	struct running *running;
	size_t running_count;
	bool descendants;
	struct progress progress; /* of copying while they run */
	uint64_t max_pause_us;    /* 0: any */
	struct family ended;      /* descendants that are zombies: there is no memory to be read */
	const char *by_clone;     /* what there is against copying them while they run, or NULL */
	bool kept_running;        /* see signals_keep_running() */
	uint64_t begun_us;        /* when it began to be held */
};

/* Open the first `count` operands. 0, or EXIT_FAILED after a message; close it anyway. */
int moment_open(const struct invocation *invocation, size_t count, struct moment *moment);

/*
 * Hold them, all at one moment. Where no --consistency was given, by the default `standard`, or by less than that where
 * it is not to be had, with a warning. 0, or EXIT_FAILED after a message.
 */
int moment_hold(struct moment *moment, enum pidmem_consistency standard, struct pidmem_freeze_options *how);

/* The progress callback of the library: `progress` is a struct progress. Once a signal came, it cancels. */
int moment_progress(void *progress, const struct pidmem_progress *now);

/* What is held: the processes that were named, and then their descendants. */
size_t moment_count(const struct moment *moment);
struct pidmem_process *moment_process(const struct moment *moment, size_t index);
struct target moment_target(const struct moment *moment, size_t index);
/* The file, or NULL if processes are read. */
const struct target *moment_file(const struct moment *moment);
struct pidmem_source *moment_source(const struct moment *moment, size_t index);

/* Let them go: nothing can be read any more. Called again it does nothing. 0, or EXIT_FAILED after a message. */
int moment_release(struct moment *moment);
void moment_close(struct moment *moment);

/* The descendants of those that were named, zombies as well, but not pidmem. 0, or EXIT_FAILED after a message. */
int moment_family(const struct moment *moment, struct family *family);

/* moment_running.c: open what is to be read as it runs. 0, or EXIT_FAILED after a message. */
int moment_run(struct moment *moment);

/* moment_failure.c: they could not be held. Returns EXIT_FAILED after a message. */
int moment_fail_hold(const struct moment *moment, const struct pidmem_freeze_options *how,
		     const struct pidmem_error *error);
/* A process could not be read, or written, to the end. Returns EXIT_FAILED after a message. */
int moment_fail_read(const struct moment *moment, size_t index, const struct pidmem_error *error);

#define FALLBACK_SIZE 512
/* moment_report.c: what is told as `fallback`, perhaps in `text`; or NULL. */
const char *moment_fallback(const struct moment *moment, const struct pidmem_freeze_report *report, char *text,
			    size_t size);
/* moment_report.c, after the release, of one process: the members "consistency" to "threads", and "shared" of a frozen
 * one. */
void moment_json(const struct moment *moment, size_t index);
/* The member "zombies": its children that have ended. */
void moment_json_zombies(const struct moment *moment, size_t index);
/* "paused 11.4 ms (snapshot), 37 threads" */
void moment_text(const struct moment *moment, size_t index);
/* At the end of that line: why a snapshot was not made in the other way. */
void moment_text_way(const struct moment *moment, size_t index);
/* Warn of threads that could not be stopped. */
void moment_warn(const struct moment *moment, size_t index);

/* Microseconds, for differences. */
uint64_t moment_clock(void);

#endif
