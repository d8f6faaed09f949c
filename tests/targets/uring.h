/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One read at a time through io_uring(7), by its system calls: for victims whose memory the kernel writes that way. */
#ifndef URING_H
#define URING_H

#include <linux/io_uring.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "victim.h"

struct uring {
	int fd;
	unsigned *sq_tail, *sq_mask, *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};

static inline void *uring_map(int fd, size_t size, long offset)
{
	void *ring = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, offset);

	if (ring == MAP_FAILED)
		die("mmap of io_uring");
	return ring;
}

static inline void uring_open(struct uring *self)
{
	struct io_uring_params params = { 0 };
	unsigned *array;
	char *sq, *cq;

	self->fd = (int)syscall(SYS_io_uring_setup, 1, &params);
	if (self->fd < 0)
		skip("io_uring_setup");
	sq = uring_map(self->fd, params.sq_off.array + params.sq_entries * sizeof(unsigned), IORING_OFF_SQ_RING);
	cq = uring_map(self->fd, params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe),
		       IORING_OFF_CQ_RING);
	self->sqes = uring_map(self->fd, params.sq_entries * sizeof(struct io_uring_sqe), (long)IORING_OFF_SQES);
	self->sq_tail = (void *)(sq + params.sq_off.tail);
	self->sq_mask = (void *)(sq + params.sq_off.ring_mask);
	self->cq_head = (void *)(cq + params.cq_off.head);
	self->cq_tail = (void *)(cq + params.cq_off.tail);
	self->cq_mask = (void *)(cq + params.cq_off.ring_mask);
	self->cqes = (void *)(cq + params.cq_off.cqes);
	array = (void *)(sq + params.sq_off.array);
	array[0] = 0;
}

/* A buffer that stays pinned: reads with IORING_OP_READ_FIXED go past the page tables. */
static inline void uring_register(const struct uring *self, void *buffer, size_t size)
{
	struct iovec vector = { buffer, size };

	if (syscall(SYS_io_uring_register, self->fd, IORING_REGISTER_BUFFERS, &vector, 1))
		skip("IORING_REGISTER_BUFFERS");
}

static inline long uring_read(struct uring *self, int fd, void *to, size_t size, long offset, bool fixed)
{
	unsigned tail = *self->sq_tail, head = *self->cq_head;
	struct io_uring_sqe *sqe = &self->sqes[tail & *self->sq_mask];
	long submitted = 0, result;

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = fixed ? IORING_OP_READ_FIXED : IORING_OP_READ;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)to;
	sqe->len = (unsigned)size;
	sqe->off = (unsigned long)offset;
	__atomic_store_n(self->sq_tail, tail + 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(self->cq_tail, __ATOMIC_ACQUIRE) == head) {
		long entered = syscall(SYS_io_uring_enter, self->fd, 1 - submitted, 1, IORING_ENTER_GETEVENTS, NULL, 0);

		if (entered < 0 && errno != EINTR) /* as a stop makes of it: signal(7) */
			die("io_uring_enter");
		submitted += entered > 0 ? entered : 0;
	}
	result = self->cqes[head & *self->cq_mask].res;
	__atomic_store_n(self->cq_head, head + 1, __ATOMIC_RELEASE);
	return result;
}

#endif
