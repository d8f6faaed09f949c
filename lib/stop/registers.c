/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stop/registers.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "stop/fitness.h"
#include "stop/tracee.h"

/* Room for any set: XSTATE with everything that x86-64 has so far takes 11 KiB. */
#define SET_MAX 65536

/* A thread as it is sent; its sets follow, each a header and as many bytes as that says, up to a multiple of 8. */
struct packed_thread {
	pid_t tid;
	uint32_t set_count;
	uint64_t blocked, pc, sp;
	uint32_t stopped, state;
};
struct packed_set {
	uint32_t note, size;
};

static size_t rounded(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

/* Append one set; 1, or 0 if this thread has none of the kind. */
static int pack_set(pid_t tid, uint32_t note, struct buffer *bytes)
{
	if (buffer_reserve(bytes, sizeof(struct packed_set) + SET_MAX) < 0)
		return -ENOMEM;
	char *place = bytes->bytes + bytes->size;
	ssize_t size = tracee_get(tid, note, place + sizeof(struct packed_set), SET_MAX);
	if (size <= 0)
		return 0;
	memcpy(place, &(struct packed_set){ note, (uint32_t)size }, sizeof(struct packed_set));
	bytes->size += sizeof(struct packed_set) + rounded((size_t)size);
	return 1;
}

static const struct arch *arch_of(pid_t tid)
{
	uint64_t registers[64];
	ssize_t size = tracee_get(tid, 1, registers, sizeof registers);

	return size < 0 ? NULL : arch_of_registers((size_t)size);
}

/* Where a thread is that did not stop: the last two numbers of proc_pid_syscall(5). */
static void find_place(pid_t pid, struct packed_thread *thread)
{
	AUTO_BUFFER text = { 0 };
	char name[64];

	snprintf(name, sizeof name, "/proc/%d/task/%d/syscall", pid, thread->tid);
	if (buffer_read_file(&text, AT_FDCWD, name) < 0)
		return;
	const char *last = strrchr(text.bytes, ' ');
	if (!last || sscanf(last, "%" SCNx64, &thread->pc) != 1)
		return;
	while (last > text.bytes && last[-1] != ' ')
		last--;
	sscanf(last, "%" SCNx64, &thread->sp);
}

static int pack_thread(const struct stop_process *process, const struct tracee *tracee, struct buffer *bytes)
{
	const struct arch *arch = tracee->state == TRACEE_STOPPED ? arch_of(tracee->tid) : NULL;
	struct packed_thread thread = {
		.tid = tracee->tid,
		.stopped = arch != NULL,
		.state = tracee->group_stop              ? 'T'
			 : tracee->state == TRACEE_ENDED ? 'Z'
			 : arch                          ? 'R'
							 : 'D',
	};
	size_t at = bytes->size;

	if (buffer_reserve(bytes, sizeof thread) < 0)
		return -ENOMEM;
	bytes->size += sizeof thread;
	for (size_t i = 0; arch && i < arch->set_count; i++) {
		int result = pack_set(tracee->tid, arch->sets[i].note, bytes);
		if (result < 0)
			return result;
		thread.set_count += (uint32_t)result;
	}
	if (arch)
		tracee_get_mask(tracee->tid, &thread.blocked);
	else
		find_place(process->pid, &thread);
	memcpy(bytes->bytes + at, &thread, sizeof thread);
	return 0;
}

int registers_pack(const struct stop_process *process, struct buffer *bytes)
{
	for (int first = 1; first >= 0; first--)
		for (size_t i = 0; i < process->count; i++) {
			const struct tracee *tracee = &process->tracees[i];
			if ((tracee->tid == process->pid) != first || tracee->state == TRACEE_GONE)
				continue;
			int result = pack_thread(process, tracee, bytes);
			if (result < 0)
				return result;
		}
	return 0;
}

/* Take `size` bytes from the front of what is left; NULL if there are not so many. */
static const void *next(const unsigned char **at, size_t *left, size_t size)
{
	const void *taken = *at;

	if (rounded(size) > *left)
		return NULL;
	*at += rounded(size);
	*left -= rounded(size);
	return taken;
}

static int unpack_sets(struct stopped_thread *thread, uint32_t count, const unsigned char **at, size_t *left)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct packed_set *set = next(at, left, sizeof *set);
		const unsigned char *content = set ? next(at, left, set->size) : NULL;
		if (!content || thread->set_count == REGISTER_SETS)
			return -EBADMSG;
		thread->sets[thread->set_count++] = (struct register_set){ set->note, set->size, content };
	}
	return 0;
}

static int unpack_thread(struct stopped_threads *threads, size_t *capacity, const unsigned char **at, size_t *left)
{
	const struct packed_thread *packed = next(at, left, sizeof *packed);

	if (!packed)
		return -EBADMSG;
	struct stopped_thread *grown = array_grow(threads->threads, threads->count, capacity, sizeof *grown);
	if (!grown)
		return -ENOMEM;
	threads->threads = grown;
	struct stopped_thread *thread = &grown[threads->count++];
	*thread = (struct stopped_thread){
		.tid = packed->tid,
		.state = (char)packed->state,
		.stopped = packed->stopped,
		.blocked = packed->blocked,
		.pc = packed->pc,
		.sp = packed->sp,
	};
	int result = unpack_sets(thread, packed->set_count, at, left);
	if (result == 0 && thread->set_count && !threads->arch)
		threads->arch = arch_of_registers(thread->sets[0].size);
	return result;
}

void stopped_threads_free(struct stopped_threads *threads)
{
	if (!threads)
		return;
	free(threads->threads);
	free(threads->bytes);
	free(threads);
}
DEFINE_CLEANUP(cleanup_stopped_threads, struct stopped_threads *, stopped_threads_free)

int registers_unpack(struct buffer *bytes, struct stopped_threads **out)
{
	CLEANUP(cleanup_stopped_threads) struct stopped_threads *threads = calloc(1, sizeof *threads);
	const unsigned char *at = (const unsigned char *)bytes->bytes;
	size_t left = bytes->size, capacity = 0;

	if (!threads)
		return -ENOMEM;
	while (left) {
		int result = unpack_thread(threads, &capacity, &at, &left);
		if (result < 0)
			return result;
	}
	threads->bytes = bytes->bytes;
	*bytes = (struct buffer){ 0 };
	*out = take(threads);
	return 0;
}
