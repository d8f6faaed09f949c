/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One thread beside the caller's, for one job at a time: the other half of a large copy. */
#ifndef BASE_WORKER_H
#define BASE_WORKER_H

struct worker;

/* Start one; NULL if there is only one processor to run on, or no thread to be had. All signals stay with the caller.
 */
struct worker *worker_new(void);
void worker_free(struct worker *worker);

/* Begin job(argument); the argument must stay until worker_wait() has returned. In a child of fork(2), which does not
 * have the thread, the job is done at once. */
void worker_begin(struct worker *worker, void (*job)(void *), void *argument);
/* Until the job is done. If the thread has not got a processor for it yet, the caller does it: others may be at work.
 */
void worker_wait(struct worker *worker);

#endif
