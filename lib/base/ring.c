/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/ring.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/thread.h"

struct ring {
	size_t slots, most, running; /* threads: at most, and now */
	enum ring_work kind;
	void (*work)(void *user, size_t slot, size_t thread);
	void *user;
	uint64_t put, taken; /* counted by the caller alone, but that threads read `put` */
	pthread_mutex_t lock;
	pthread_cond_t more, done;
	uint64_t begun; /* slots that have been given to threads */
	size_t busy;
	bool end;
	bool *finished; /* of each slot */
	pthread_t threads[];
};

struct start {
	struct ring *ring;
	size_t number;
};

static void *run(void *pointer)
{
	struct start start = *(struct start *)pointer;
	struct ring *ring = start.ring;

	free(pointer);
	pthread_mutex_lock(&ring->lock);
	while (!ring->end) {
		if (ring->begun == ring->put) {
			pthread_cond_wait(&ring->more, &ring->lock);
			continue;
		}
		size_t slot = ring->begun++ % ring->slots;
		ring->busy++;
		pthread_mutex_unlock(&ring->lock);
		ring->work(ring->user, slot, start.number);
		pthread_mutex_lock(&ring->lock);
		ring->busy--;
		ring->finished[slot] = true;
		pthread_cond_signal(&ring->done);
	}
	pthread_mutex_unlock(&ring->lock);
	return NULL;
}

static bool start_thread(struct ring *ring)
{
	struct start *start = malloc(sizeof *start);
	pthread_t *thread = &ring->threads[ring->running];

	if (!start)
		return false;
	*start = (struct start){ ring, ring->running };
	/* Who waits can do so where the caller is, and takes no processor from others. */
	if (ring->kind == RING_WAITS ? thread_start_here(thread, run, start) : thread_start(thread, run, start))
		return true;
	free(start);
	return false;
}

struct ring *ring_new(size_t slots, size_t threads, enum ring_work kind,
		      void (*work)(void *user, size_t slot, size_t thread), void *user)
{
	struct ring *ring = calloc(1, sizeof *ring + threads * sizeof *ring->threads);

	if (!ring)
		return NULL;
	ring->finished = calloc(slots, sizeof *ring->finished);
	if (!ring->finished) {
		free(ring);
		return NULL;
	}
	ring->slots = slots;
	ring->most = threads;
	ring->kind = kind;
	ring->work = work;
	ring->user = user;
	pthread_mutex_init(&ring->lock, NULL);
	pthread_cond_init(&ring->more, NULL);
	pthread_cond_init(&ring->done, NULL);
	return ring;
}

void ring_free(struct ring *ring)
{
	if (!ring)
		return;
	pthread_mutex_lock(&ring->lock);
	ring->end = true;
	pthread_cond_broadcast(&ring->more);
	pthread_mutex_unlock(&ring->lock);
	for (size_t i = 0; i < ring->running; i++)
		pthread_join(ring->threads[i], NULL);
	pthread_cond_destroy(&ring->done);
	pthread_cond_destroy(&ring->more);
	pthread_mutex_destroy(&ring->lock);
	free(ring->finished);
	free(ring);
}

bool ring_is_empty(const struct ring *ring)
{
	return ring->put == ring->taken;
}

bool ring_is_full(const struct ring *ring)
{
	return ring->put - ring->taken == ring->slots;
}

size_t ring_next(const struct ring *ring)
{
	return ring->put % ring->slots;
}

/* A thread more if those that run have enough to do. */
static bool wants_thread(const struct ring *ring)
{
	return ring->running < ring->most && ring->busy + (size_t)(ring->put - ring->begun) > ring->running;
}

void ring_put(struct ring *ring)
{
	size_t slot = ring_next(ring);

	pthread_mutex_lock(&ring->lock);
	ring->finished[slot] = false;
	ring->put++;
	if (wants_thread(ring) && start_thread(ring))
		ring->running++;
	if (ring->running) {
		pthread_cond_signal(&ring->more);
	} else {
		ring->begun++;
		ring->work(ring->user, slot, 0);
		ring->finished[slot] = true;
	}
	pthread_mutex_unlock(&ring->lock);
}

size_t ring_wait(struct ring *ring)
{
	size_t slot = ring->taken % ring->slots;

	pthread_mutex_lock(&ring->lock);
	while (!ring->finished[slot])
		pthread_cond_wait(&ring->done, &ring->lock);
	pthread_mutex_unlock(&ring->lock);
	return slot;
}

void ring_take(struct ring *ring)
{
	ring->taken++;
}
