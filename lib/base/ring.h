/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Threads that work on numbered slots, in a ring: one side fills slots and puts them, threads work on them in any
 * order, and the same side takes them back in the order in which it put them. The slots themselves belong to the
 * caller. All functions but the work are for one thread.
 *
 *   if (ring_is_full(ring)) { ring_wait(ring); ...use what the work made of the slot...; ring_take(ring); }
 *   ...fill slot ring_next(ring)...
 *   ring_put(ring);
 */
#ifndef BASE_RING_H
#define BASE_RING_H

#include <stdbool.h>
#include <stddef.h>

struct ring;

/* What its threads do most of the time: have a processor, or wait, for the caller or for a disk. */
enum ring_work { RING_COMPUTES, RING_WAITS };

/* work(user, slot, thread): called by up to `threads` threads, which are started when there is work for them. Where no
 * thread can be had, ring_put() does the work. NULL without memory. */
struct ring *ring_new(size_t slots, size_t threads, enum ring_work kind,
		      void (*work)(void *user, size_t slot, size_t thread), void *user);
/* What no thread has begun is not done any more; what is under way is waited for. */
void ring_free(struct ring *ring);

bool ring_is_empty(const struct ring *ring);
bool ring_is_full(const struct ring *ring);
/* The slot to be filled now, if the ring is not full. */
size_t ring_next(const struct ring *ring);
void ring_put(struct ring *ring);
/* Wait until the work on the oldest slot is done: that slot. The ring must not be empty. */
size_t ring_wait(struct ring *ring);
void ring_take(struct ring *ring);

#endif
