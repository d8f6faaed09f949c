/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stopped threads of one or several processes, inside the guard. Releasing it resumes them, on every path out. */
#ifndef STOP_STOP_SET_H
#define STOP_STOP_SET_H

#include "base/cleanup.h"
#include "pidmem.h"
#include "stop/tracee.h"

struct stop_process {
	pid_t pid;
	struct tracee *tracees; /* in the order of their TIDs */
	size_t count, capacity;
	size_t sorted; /* how many of them are in order: new ones are appended behind */
	bool resumed;  /* it runs on */
};

struct stop_set {
	struct stop_process *processes;
	size_t count;
	uint64_t first_us; /* when the first thread was asked to stop; 0 while nothing is stopped */
	uint64_t last_us;  /* how long the last stop was that is over */
};

/*
 * Stop all threads of these processes as well; see guard_stop(). On failure everything is resumed; threads that were
 * seized, but not asked to stop yet, stay seized and run. `news` is a signalfd for SIGCHLD, which must be blocked.
 */
int stop_set_stop(struct stop_set *set, int news, const pid_t *pids, size_t count, unsigned patience_ms,
		  struct pidmem_error *error);

/* Resume everything. Threads that have not stopped yet stay in the set: see stop_set_news(). */
void stop_set_resume(struct stop_set *set);

/* The same for one process. */
void stop_set_resume_one(struct stop_set *set, size_t index);

/* There is news of children: let those end that were killed, and, of processes that have been resumed, let those go
 * that were asked to stop and did it only now. */
void stop_set_news(struct stop_set *set);

/* Wait for a SIGCHLD, at most until now_us() is `until`. False when it is. */
bool stop_wait(int news, uint64_t until);

#endif
