/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The client's side of the guard. */
#include "stop/guard.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/error.h"
#include "stop/message.h"
#include "stop/registers.h"
#include "stop/tracking.h"

struct guard {
	pid_t pid;
	int socket;
	size_t count; /* processes */
};

bool message_send(int socket, const void *bytes, size_t size)
{
	while (size) {
		ssize_t sent = send(socket, bytes, size, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		bytes = (const char *)bytes + sent;
		size -= (size_t)sent;
	}
	return true;
}

bool message_receive(int socket, void *bytes, size_t size)
{
	while (size) {
		ssize_t got = recv(socket, bytes, size, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		bytes = (char *)bytes + got;
		size -= (size_t)got;
	}
	return true;
}

/* Nothing of the client stays open here: not its pipes, whose readers wait for their end. */
static void close_all_but(int kept)
{
	if (kept > 0)
		syscall(SYS_close_range, 0U, (unsigned)kept - 1, 0U);
	if (syscall(SYS_close_range, (unsigned)kept + 1, ~0U, 0U) == 0)
		return;
	for (int fd = 0; fd < (int)sysconf(_SC_OPEN_MAX); fd++) /* before Linux 5.9 */
		if (fd != kept)
			close(fd);
}

/* Of all processes this one must not be ended when memory is short. */
static void hide_from_oom_killer(void)
{
	AUTO_FD fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "-1000", strlen("-1000")) < 0) /* not without CAP_SYS_RESOURCE */
		return;
}

/* In the new process. No signal ends it but SIGKILL: those of a terminal are for the client. */
__attribute__((noreturn)) static void be_guard(int socket, pid_t client)
{
	setsid();
	prctl(PR_SET_NAME, "pidmem-guard");
	setpriority(PRIO_PROCESS, 0, -20); /* while threads stand still for it; without the right, as it is */
	hide_from_oom_killer();
	close_all_but(socket);
	int handle = (int)syscall(SYS_pidfd_open, client, 0U); /* Linux 5.3 */
	guard_serve(socket, getppid() == client ? handle : -1);
	_exit(0);
}

int guard_start(struct pidmem_error *error, struct guard **out)
{
	AUTO_FREE struct guard *guard = calloc(1, sizeof *guard);
	pid_t client = getpid();
	sigset_t all, before;
	int ends[2];

	if (!guard)
		return fail_memory(error);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return fail_sys(error, errno, "cannot make a socket for the helper process");
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	guard->pid = fork();
	if (guard->pid == 0)
		be_guard(ends[1], client);
	int number = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(ends[1]);
	if (guard->pid < 0) {
		close(ends[0]);
		return fail_sys(error, number, "cannot start the helper process that stops threads");
	}
	guard->socket = ends[0];
	*out = take(guard);
	return 0;
}

void guard_end(struct guard *guard)
{
	if (!guard)
		return;
	close(guard->socket);
	while (waitpid(guard->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	free(guard);
}

static int fail_lost(struct pidmem_error *error)
{
	return with_hint(error,
			 fail(error, PIDMEM_SYSTEM, EPIPE, "the helper process that stops threads has ended: killed?"),
			 "the process runs on as before; try again");
}

/* A request and its reply, up to the bytes that follow. */
static int ask(struct guard *guard, const struct guard_request *request, const void *bytes, size_t size,
	       struct pidmem_error *error, struct guard_reply *reply)
{
	if (!message_send(guard->socket, request, sizeof *request) || !message_send(guard->socket, bytes, size) ||
	    !message_receive(guard->socket, reply, sizeof *reply))
		return fail_lost(error);
	if (reply->result < 0 && error)
		*error = reply->error;
	return reply->result;
}

int guard_stop(struct guard *guard, const pid_t *pids, size_t count, unsigned patience_ms, struct pidmem_error *error)
{
	struct guard_request request = { .verb = GUARD_STOP, .index = count, .patience_ms = patience_ms };
	struct guard_reply reply = { 0 };
	int result = ask(guard, &request, pids, count * sizeof *pids, error, &reply);

	if (result == 0)
		guard->count += count;
	return result;
}

int guard_copy(struct guard *guard, size_t index, struct pidmem_error *error, pid_t *copy)
{
	struct guard_request request = { .verb = GUARD_COPY, .index = index };
	struct guard_reply reply = { 0 };
	int result = ask(guard, &request, NULL, 0, error, &reply);

	if (result == 0)
		*copy = (pid_t)reply.value;
	return result;
}

int guard_track(struct guard *guard, size_t index, struct pidmem_error *error, int *fd)
{
	struct guard_request request = { .verb = GUARD_TRACK, .index = index };
	struct guard_reply reply = { 0 };
	int result = ask(guard, &request, NULL, 0, error, &reply);

	if (result < 0)
		return result;
	int received = tracking_receive(guard->socket);
	if (received == -EMFILE)
		return fail_sys(error, EMFILE, "cannot take over a descriptor");
	if (received < 0)
		return fail_lost(error);
	*fd = received;
	return 0;
}

int guard_resume(struct guard *guard, struct pidmem_error *error, uint64_t *pause_us)
{
	struct guard_request request = { .verb = GUARD_RESUME };
	struct guard_reply reply = { 0 };
	int result = ask(guard, &request, NULL, 0, error, &reply);

	if (result == 0)
		*pause_us = reply.value;
	return result;
}

int guard_reap(struct guard *guard, struct pidmem_error *error, uint64_t *stops_us)
{
	struct guard_request request = { .verb = GUARD_REAP };
	struct guard_reply reply = { 0 };
	int result = ask(guard, &request, NULL, 0, error, &reply);

	if (result < 0)
		return result;
	if (reply.size != guard->count * sizeof *stops_us)
		return fail_memory(error);
	return message_receive(guard->socket, stops_us, reply.size) ? 0 : fail_lost(error);
}

int guard_release(struct guard *guard, size_t index, struct pidmem_error *error, uint64_t stops_us[2])
{
	struct guard_request request = { .verb = GUARD_RELEASE, .index = index };
	struct guard_reply reply = { 0 };
	int result = ask(guard, &request, NULL, 0, error, &reply);

	if (result < 0)
		return result;
	return message_receive(guard->socket, stops_us, 2 * sizeof *stops_us) ? 0 : fail_lost(error);
}

int guard_threads(struct guard *guard, size_t index, struct pidmem_error *error, struct stopped_threads **threads)
{
	struct guard_request request = { .verb = GUARD_THREADS, .index = index };
	struct guard_reply reply = { 0 };
	AUTO_BUFFER bytes = { 0 };
	int result = ask(guard, &request, NULL, 0, error, &reply);

	if (result < 0)
		return result;
	if (buffer_reserve(&bytes, reply.size) < 0)
		return fail_memory(error);
	if (!message_receive(guard->socket, bytes.bytes, reply.size))
		return fail_lost(error);
	bytes.size = reply.size;
	return registers_unpack(&bytes, threads) < 0 ? fail_memory(error) : 0;
}
