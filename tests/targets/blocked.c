/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * blocked nanosleep|poll|futex|epoll: waits in that system call, which ends with EINTR if anything disturbs it.
 * A second thread watches standard input and ends the process well.
 */
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>

#include "victim.h"

static void *watch(void *unused)
{
	(void)unused;
	exit(ready());
}

int main(int argc, char **argv)
{
	const char *call = argc > 1 ? argv[1] : "";
	struct timespec week = { .tv_sec = 7 * 24 * 3600 };
	struct epoll_event event;
	pthread_t thread;
	int word = 0, pair[2], queue = epoll_create1(0);
	long result;

	if (queue < 0 || pipe(pair) || pthread_create(&thread, NULL, watch, NULL))
		die("blocked");
	if (!strcmp(call, "nanosleep"))
		result = syscall(SYS_nanosleep, &week, &week);
	else if (!strcmp(call, "poll"))
		result = syscall(SYS_poll, &(struct pollfd){ .fd = pair[0], .events = POLLIN }, 1, -1);
	else if (!strcmp(call, "futex"))
		result = syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
	else
		result = epoll_wait(queue, &event, 1, -1);
	/* Reached only if the wait was cut short. */
	_exit(result < 0 && errno == EINTR ? 4 : 5);
}
