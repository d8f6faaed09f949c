/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Children of a test that are stopped by a guard, and tell in shared memory how far they are. */
#ifndef STOP_VICTIMS_H
#define STOP_VICTIMS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "stop/guard.h"

extern _Atomic long *counts;
enum { MAIN, THREAD, READY, GO, COUNTS = 8 };
extern int let_go[2]; /* a pipe that victims may read from */

/* Before all tests: room for the counts. */
int victims_begin(void **state);

pid_t start(void (*run)(void));
void finish(pid_t pid);
struct guard *stop(pid_t pid);

/* For a victim: count MAIN; THREAD in a thread of its own; add a thread. */
void victim_counts(void);
void *count_in_thread(void *unused);
void add_thread(void *(*run)(void *));

/* Return when it is so, and never else. */
void wait_for_count(int which);
void wait_for_state(pid_t pid, char state);
void assert_runs(int which);

/* The word behind `key` in /proc/PID/status; room for 32 bytes. */
void read_status(pid_t pid, const char *key, char *word);

#endif
