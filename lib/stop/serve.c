/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guard's own side. It runs in a process that was forked from the client, and does nothing but this. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>

#include "base/clock.h"
#include "base/error.h"
#include "stop/copies.h"
#include "stop/fitness.h"
#include "stop/message.h"
#include "stop/registers.h"
#include "stop/stop_set.h"
#include "stop/tracking.h"

/* What it holds. `threads` and `copies` go with the processes of `set`, by index. */
struct held {
	int news;
	struct stop_set set;
	struct buffer *threads;
	struct copy *copies; /* pid 0: none */
	size_t count;
};

/* Room for what goes with the processes of the set. */
static int make_room(struct held *held, size_t count)
{
	struct buffer *threads = realloc(held->threads, count * sizeof *threads);

	held->threads = threads ? threads : held->threads;
	struct copy *copies = realloc(held->copies, count * sizeof *copies);
	held->copies = copies ? copies : held->copies;
	if (!threads || !copies)
		return -ENOMEM;
	for (; held->count < count; held->count++) {
		held->threads[held->count] = (struct buffer){ 0 };
		held->copies[held->count] = (struct copy){ 0 };
	}
	return 0;
}

static int stop(struct held *held, const struct guard_request *request, int socket, struct pidmem_error *error)
{
	AUTO_FREE pid_t *pids = calloc(request->index, sizeof *pids);
	size_t before = held->count;

	if (!pids || !message_receive(socket, pids, request->index * sizeof *pids) ||
	    make_room(held, before + request->index) < 0)
		return fail_memory(error);
	AUTO_FREE struct leftover *leftovers = NULL;
	size_t left = leftovers_find(pids, request->index, &leftovers);
	for (size_t i = 0; i < request->index; i++)
		held->copies[before + i].forbidden = fitness_fork_is_watched(pids[i]);
	int result = stop_set_stop(&held->set, held->news, pids, request->index, request->patience_ms, error);
	for (size_t i = before; result == 0 && i < held->count; i++)
		if (registers_pack(&held->set.processes[i], &held->threads[i]) < 0)
			result = fail_memory(error);
	if (result < 0)
		stop_set_resume(&held->set);
	else
		leftovers_reap(leftovers, left, &held->set);
	return result;
}

static int fail_copy(struct pidmem_error *error, int result, pid_t pid)
{
	switch (result) {
	case -ESRCH:
		return fail(error, PIDMEM_GONE, ESRCH, "process %d has ended", pid);
	case -EAGAIN:
		return fail(error, PIDMEM_UNSUPPORTED, EAGAIN,
			    "process %d cannot be copied: it may have no more processes", pid);
	case -ENOMEM:
		return fail(error, PIDMEM_UNSUPPORTED, ENOMEM, "process %d cannot be copied: not enough memory", pid);
	case -EACCES:
		return fail(error, PIDMEM_UNSUPPORTED, EACCES,
			    "process %d cannot be copied: its seccomp filter cannot be suspended without CAP_SYS_ADMIN",
			    pid);
	case -EBUSY:
		return fail(error, PIDMEM_UNSUPPORTED, EBUSY,
			    "process %d cannot be copied: no thread of it can make a system call now", pid);
	case -ENOSYS:
		return fail(error, PIDMEM_UNSUPPORTED, ENOSYS,
			    "process %d cannot be copied: it has no system call instruction of a known kind", pid);
	default:
		return fail(error, PIDMEM_UNSUPPORTED, -result, "process %d cannot be copied: %s", pid,
			    strerror(-result));
	}
}

static int copy(struct held *held, size_t index, struct pidmem_error *error, uint64_t *pid)
{
	int result = copy_make(&held->set.processes[index], &held->copies[index]);

	if (result == -ESRCH)
		copies_end_lost(&held->set, held->copies);
	if (result < 0)
		return fail_copy(error, result, held->set.processes[index].pid);
	*pid = (uint64_t)held->copies[index].pid;
	return 0;
}

static int fail_track(struct pidmem_error *error, int result, pid_t pid)
{
	if (result == -ESRCH)
		return fail(error, PIDMEM_GONE, ESRCH, "process %d has ended", pid);
	return fail(error, PIDMEM_UNSUPPORTED, -result, "the writes of process %d cannot be tracked: %s", pid,
		    strerror(-result));
}

/* The reply and what it carries. */
static bool track(struct held *held, size_t index, int socket)
{
	struct guard_reply reply = { 0 };
	AUTO_FD fd = tracking_open(&held->set.processes[index]);

	if (fd < 0)
		reply.result = fail_track(&reply.error, fd, held->set.processes[index].pid);
	if (!message_send(socket, &reply, sizeof reply))
		return false;
	return fd < 0 || tracking_send(socket, fd) == 0;
}

static uint64_t resume(struct held *held)
{
	stop_set_resume(&held->set);
	return held->set.last_us;
}

/* Is process `index` stopped for the client, and not just to be waited for? */
static const struct stop_process *stopped(const struct held *held, size_t index)
{
	const struct stop_process *process = &held->set.processes[index];

	return held->set.first_us && !process->resumed ? process : NULL;
}

/* The stops that it took go to `stops`, unless that is NULL. */
static void reap(struct held *held, uint64_t *stops)
{
	for (size_t i = 0; i < held->count; i++) {
		struct copy *one = &held->copies[i];
		if (one->pid)
			copy_reap(one, stopped(held, i), held->news);
		if (stops)
			stops[i] = one->reaping_us;
	}
}

/* One process alone: the stops that end by it, of itself and for its copy, or 0. */
static void release(struct held *held, size_t index, uint64_t stops[2])
{
	uint64_t first = stopped(held, index) ? held->set.first_us : 0;

	stop_set_resume_one(&held->set, index);
	stops[0] = first ? now_us() - first : 0;
	if (held->copies[index].pid)
		copy_reap(&held->copies[index], NULL, held->news);
	stops[1] = held->copies[index].reaping_us;
}

static bool answer(struct held *held, const struct guard_request *request, int socket)
{
	struct guard_reply reply = { 0 };
	AUTO_FREE uint64_t *stops = NULL;
	const void *bytes = NULL;
	uint64_t ends[2];

	if (request->verb != GUARD_STOP && request->verb != GUARD_RESUME && request->verb != GUARD_REAP &&
	    request->index >= held->set.count)
		return false;
	switch (request->verb) {
	case GUARD_STOP:
		reply.result = stop(held, request, socket, &reply.error);
		break;
	case GUARD_COPY:
		reply.result = copy(held, request->index, &reply.error, &reply.value);
		break;
	case GUARD_TRACK:
		return track(held, request->index, socket);
	case GUARD_RESUME:
		reply.value = resume(held);
		break;
	case GUARD_THREADS:
		bytes = held->threads[request->index].bytes;
		reply.size = held->threads[request->index].size;
		break;
	case GUARD_REAP:
		stops = calloc(held->count + 1, sizeof *stops);
		reap(held, stops);
		bytes = stops;
		reply.size = stops ? held->count * sizeof *stops : 0;
		break;
	case GUARD_RELEASE:
		release(held, request->index, ends);
		bytes = ends;
		reply.size = sizeof ends;
		break;
	}
	return message_send(socket, &reply, sizeof reply) && message_send(socket, bytes, reply.size);
}

static void take_news(struct held *held)
{
	stop_set_news(&held->set);
	for (size_t i = 0; i < held->count; i++)
		stop_set_news(&held->copies[i].reaping);
}

/* Until there is a request: take the news of those that end, or stop too late. False when the client has gone; a child
 * of it may still hold its end of the socket. */
static bool next_request(struct held *held, int socket, int client, struct guard_request *request)
{
	struct pollfd wanted[3] = { { .fd = socket, .events = POLLIN },
				    { .fd = client, .events = POLLIN },
				    { .fd = held->news, .events = POLLIN } };
	struct signalfd_siginfo told;

	/* News that came during the pause, and was read by somebody who waited for something else. */
	if (!held->set.first_us)
		take_news(held);
	for (;;) {
		if (poll(wanted, 3, -1) < 0 && errno != EINTR)
			return false;
		if (wanted[0].revents)
			return message_receive(socket, request, sizeof *request);
		if (wanted[1].revents)
			return false;
		if (wanted[2].revents && read(held->news, &told, sizeof told) > 0)
			take_news(held);
	}
}

void guard_serve(int socket, int client)
{
	struct held held = { 0 };
	struct guard_request request;
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	held.news = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	while (held.news >= 0 && next_request(&held, socket, client, &request) && answer(&held, &request, socket))
		continue;
	/* The target first: it is to run. Then the copies, which may take a while. */
	resume(&held);
	reap(&held, NULL);
}
