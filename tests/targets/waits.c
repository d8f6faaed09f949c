/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* waits: a thread for each way of waiting, which looks at how each wait ends; see worker.h. Also built for 32 bits. */
#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "worker.h"

#define MS 1000000L
#define SHORT (3 * MS)
#define LONG (40 * MS) /* longer than a pause usually is */

static const struct timespec brief = { .tv_nsec = SHORT };
static int silent[2]; /* a pipe into which nobody writes */

static void do_nanosleep(struct worker *self)
{
	long long begun = now();

	waited(self, begun, SHORT, nanosleep(&brief, NULL), 0, 0);
}

static void do_long_nanosleep(struct worker *self)
{
	struct timespec left, whole = { .tv_nsec = LONG };
	long long begun = now();

	/* What is left of the time is written by the kernel at each stop, and means nothing after a result of 0. */
	waited(self, begun, LONG, nanosleep(&whole, &left), 0, 0);
}

static void do_clock_nanosleep(struct worker *self)
{
	long long begun = now();

	waited(self, begun, SHORT, clock_nanosleep(CLOCK_MONOTONIC, 0, &brief, NULL), 0, 0);
}

static void do_absolute_nanosleep(struct worker *self)
{
	long long begun = now(), end = begun + LONG;
	struct timespec until = { .tv_sec = (time_t)(end / 1000000000), .tv_nsec = (long)(end % 1000000000) };

	waited(self, begun, LONG, clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL), 0, 0);
}

static void do_poll(struct worker *self)
{
	long long begun = now();

	waited(self, begun, SHORT, poll(&(struct pollfd){ .fd = silent[0], .events = POLLIN }, 1, 3), 0, 0);
}

static void do_ppoll(struct worker *self)
{
	struct pollfd one = { .fd = silent[0], .events = POLLIN };
	long long begun = now();
	sigset_t all;

	sigfillset(&all);
	waited(self, begun, SHORT, ppoll(&one, 1, &brief, &all), 0, 0);
}

static void do_select(struct worker *self)
{
	struct timeval timeout = { .tv_usec = SHORT / 1000 };
	long long begun = now();
	fd_set set;

	FD_ZERO(&set);
	FD_SET(silent[0], &set);
	waited(self, begun, SHORT, select(silent[0] + 1, &set, NULL, NULL, &timeout), 0, 0);
}

static void do_pselect(struct worker *self)
{
	long long begun = now();
	fd_set set;

	FD_ZERO(&set);
	FD_SET(silent[0], &set);
	waited(self, begun, SHORT, pselect(silent[0] + 1, &set, NULL, NULL, &brief, NULL), 0, 0);
}

static void do_epoll(struct worker *self)
{
	static int queue = -1;
	struct epoll_event event = { .events = EPOLLIN };
	long long begun;

	if (queue < 0)
		queue = epoll_create1(0);
	epoll_ctl(queue, EPOLL_CTL_ADD, silent[0], &event);
	begun = now();
	waited(self, begun, SHORT, epoll_wait(queue, &event, 1, 3), 0, 0);
}

static void do_futex_timeout(struct worker *self)
{
	static int word;
	long long begun = now();

	waited(self, begun, SHORT, syscall(SYS_futex, &word, FUTEX_WAIT, 0, &brief, NULL, 0), -1, ETIMEDOUT);
}

static int ball;

/* Two threads wait for each other: a lost wake-up ends the game, and the test sees no more rounds. */
static void play(struct worker *self, int mine)
{
	while (SEEN(ball) != mine) {
		long result = syscall(SYS_futex, &ball, FUTEX_WAIT, !mine, NULL, NULL, 0);

		expect(self, result == 0 || errno == EAGAIN, "futex wait");
	}
	usleep(500);
	__atomic_store_n(&ball, !mine, __ATOMIC_RELEASE);
	expect(self, syscall(SYS_futex, &ball, FUTEX_WAKE, 1, NULL, NULL, 0) >= 0, "futex wake");
}

static void do_ping(struct worker *self)
{
	play(self, 0);
}

static void do_pong(struct worker *self)
{
	play(self, 1);
}

static int numbers[2], counter, listening;

static void do_write(struct worker *self)
{
	uint64_t one = 1;

	usleep(1500);
	expect(self, write(numbers[1], &self->rounds, sizeof(self->rounds)) == sizeof(self->rounds), "write");
	expect(self, write(counter, &one, sizeof(one)) == sizeof(one), "write to the eventfd");
}

static void do_read(struct worker *self)
{
	unsigned long number = 0;
	ssize_t got = read(numbers[0], &number, sizeof(number));

	expect(self, got == sizeof(number) && number == self->rounds, "read %zd: %lu, not %lu", got, number,
	       self->rounds);
}

static void do_eventfd(struct worker *self)
{
	uint64_t sum = 0;
	ssize_t got = read(counter, &sum, sizeof(sum));

	expect(self, got == sizeof(sum) && sum > 0, "eventfd %zd", got);
}

static struct sockaddr_un name = { .sun_family = AF_UNIX };
static socklen_t name_size = sizeof(name.sun_family);

static void do_connect(struct worker *self)
{
	int one = socket(AF_UNIX, SOCK_STREAM, 0);

	usleep(2000);
	expect(self, connect(one, (void *)&name, name_size) == 0, "connect");
	expect(self, write(one, "hello", 5) == 5, "write to the socket");
	close(one);
}

static void do_accept(struct worker *self)
{
	char hello[8];
	int one = accept(listening, NULL, NULL);

	expect(self, one >= 0, "accept");
	expect(self, recv(one, hello, 5, MSG_WAITALL) == 5, "recv");
	expect(self, read(one, hello, 1) == 0, "no end of the connection");
	close(one);
}

static void do_receive(struct worker *self)
{
	static int pair[2];
	struct timeval timeout = { .tv_usec = SHORT / 1000 };
	long long begun;
	char byte;

	if (!pair[0] && (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) ||
			 setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout))))
		expect(self, false, "socketpair");
	begun = now();
	/* The timeout is counted in jiffies, and may be short by one: at most 10 ms, so only the result is looked at.
	 */
	waited(self, begun, 0, recv(pair[0], &byte, 1, 0), -1, EAGAIN);
}

static struct worker workers[] = {
	{ .name = "nanosleep", .round = do_nanosleep },
	{ .name = "long_nanosleep", .round = do_long_nanosleep },
	{ .name = "clock_nanosleep", .round = do_clock_nanosleep },
	{ .name = "absolute_nanosleep", .round = do_absolute_nanosleep },
	{ .name = "poll", .round = do_poll },
	{ .name = "ppoll", .round = do_ppoll },
	{ .name = "select", .round = do_select },
	{ .name = "pselect", .round = do_pselect },
	{ .name = "epoll_wait", .round = do_epoll, .may_be_interrupted = true },
	{ .name = "futex", .round = do_futex_timeout },
	{ .name = "ping", .round = do_ping },
	{ .name = "pong", .round = do_pong },
	{ .name = "write", .round = do_write },
	{ .name = "read", .round = do_read },
	{ .name = "eventfd", .round = do_eventfd },
	{ .name = "connect", .round = do_connect },
	{ .name = "accept", .round = do_accept },
	{ .name = "receive", .round = do_receive, .may_be_interrupted = true },
};
#define COUNT (sizeof(workers) / sizeof(*workers))

int main(void)
{
	listening = socket(AF_UNIX, SOCK_STREAM, 0);
	counter = eventfd(0, 0);
	/* An address of the kernel's choice: bind() with nothing but the family (unix(7), autobind). */
	if (pipe(silent) || pipe(numbers) || counter < 0 || bind(listening, (void *)&name, name_size) ||
	    listen(listening, 8))
		die("setting up");
	name_size = sizeof(name);
	if (getsockname(listening, (void *)&name, &name_size))
		die("getsockname");
	start_workers(workers, COUNT);
	return answer(workers, COUNT);
}
